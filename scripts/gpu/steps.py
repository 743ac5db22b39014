"""How often the host waits for the GPU in a step, and steps one by one against recorded groups, as JSON."""

import json
import sys
import warnings
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from bench_training import Ours, not_recorded, some_images
from benchmarking import spread, timed

from nasrank.trainer.config import ExperimentConfig
from nasrank.trainer.environment import choose_device, device_description
from nasrank.trainer.training.recording import record_on_cuda

VARIATIONS: dict[str, dict[str, Any]] = {
    "baseline": {},
    "autoaugment": {"augmentation": "autoaugment", "label_smoothing": 0.1},
    "clipping": {"grad_clip_norm": 5.0},
    "not-shared": {"topology_shared": False},
    "uniform": {"path_sampling": "uniform"},
    "bfloat16": {"precision": "bfloat16"},
}
app = typer.Typer()
Device = Annotated[str, typer.Option(help="cpu measures small numbers.")]


@app.command()
def waits(device: Device = "cuda") -> None:
    """Waits a step, by what PyTorch warns of: those of 40 steps less those of 20, as each end waits.

    Null on a CPU. `places` are the lines that waited in 40 steps, with how often; two reads of the loss are
    at the end of each measurement.
    """
    torch_device = choose_device(device)
    variations = VARIATIONS if torch_device.type == "cuda" else {"autoaugment": VARIATIONS["autoaugment"]}
    result: dict[str, Any] = {}
    for name, changes in variations.items():
        result[name] = waits_of(torch_device, False, changes)
        if name != "uniform":  # which has no groups
            result[f"{name}, recorded"] = waits_of(torch_device, True, changes)
    print(json.dumps(result))


def waits_of(device: torch.device, recorded: bool, changes: dict[str, Any]) -> dict[str, Any]:
    on_gpu = device.type == "cuda"
    steps, batch_size = (20, 64) if on_gpu else (5, 4)
    try:
        row = trained("tiny", batch_size, 4 * steps, device, recorded, **changes)
        row.advance(steps)  # libraries choose their algorithms
        few, many = (counted(partial(row.advance, n), device) for n in (steps, 2 * steps))
    except RuntimeError as error:
        return {"waits_a_step": None, "error": str(error)}
    if not on_gpu:
        return {"waits_a_step": None}
    return {"waits_a_step": (many.total() - few.total()) / steps, "places": dict(many.most_common(5))}


@app.command()
def steps(device: Device = "cuda") -> None:
    """Milliseconds a step, one by one and as recorded groups, by turns."""
    torch_device = choose_device(device)
    on_gpu = torch_device.type == "cuda"
    n, repetitions = (20, 5) if on_gpu else (5, 1)
    cases = [("tiny", 64), ("tiny", 256), ("S", 64), ("S", 256)] if on_gpu else [("tiny", 4)]
    rows = []
    for size, batch_size in cases:
        for precision in ("float32", "bfloat16") if on_gpu else ("float32",):
            row: dict[str, Any] = {"size": size, "batch_size": batch_size, "precision": precision}
            try:
                row |= compared(Case(size, batch_size, precision), torch_device, n, repetitions)
            except RuntimeError as error:
                row["error"] = str(error)
            print(row, file=sys.stderr, flush=True)
            rows.append(row)
    print(json.dumps({"device": device_description(torch_device), "rows": rows}))


@dataclass(frozen=True)
class Case:
    """What is trained; `batch_size` in images."""

    size: str
    batch_size: int
    precision: str


def compared(case: Case, device: torch.device, n: int, repetitions: int) -> dict[str, Any]:
    """Milliseconds of a step in turns of `n`, after one that warms up."""
    steps = n * (repetitions + 1)
    kinds = {
        kind: trained(case.size, case.batch_size, steps, device, kind == "recorded", precision=case.precision)
        for kind in ("one_by_one", "recorded")
    }
    times: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(repetitions + 1):
        for kind, training in kinds.items():
            times[kind].append(1000 * timed(partial(training.advance, n), device) / n)
    one_by_one, recorded = (times[kind][1:] for kind in kinds)
    ratios = [a / b for a, b in zip(one_by_one, recorded, strict=True)]
    return {
        **spread("one_by_one_ms", one_by_one),
        **spread("recorded_ms", recorded),
        **spread("ratio", ratios),
    }


def trained(
    size: str, batch_size: int, steps: int, device: torch.device, recorded: bool, **changes: Any
) -> Ours:
    """A training with as many steps in its first epoch."""
    config = ExperimentConfig.preset("cifar10", size, batch_size=batch_size, epochs=1, **changes)
    images, labels = some_images(batch_size * steps, None)
    recorder = record_on_cuda if device.type == "cuda" else not_recorded
    return Ours(config, images, labels, device, recorder if recorded else None)


def counted(work: partial[None], device: torch.device) -> Counter[str]:
    """Where the host waited, by PyTorch's warnings."""
    if device.type != "cuda":
        work()
        return Counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            work()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    waits = [one for one in caught if "synchronizing CUDA operation" in str(one.message)]
    return Counter(f"{Path(one.filename).name}:{one.lineno}" for one in waits)


if __name__ == "__main__":
    app()
