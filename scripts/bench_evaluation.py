#!/usr/bin/env python3
"""Measures how fast architectures are predicted, beside a plain baseline that does the same in this process.

The baseline predicts one architecture after the other (NCHW, float32, standard modules), and so do
nasrank's plain modules, the reference: a random sample of architectures stands for all. The fast evaluation
predicts all 15,625 (`--whole`), or, so that it can be repeated, what it predicts together for a random
beginning of the cell.
"""

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from benchmarking import MEAN, SEED, STD, initial_supernet, spread, timed
from plain_supernet import PlainSuperNet
from torch import nn

from nasrank.db.nb201.architectures import NUM_ARCHITECTURES, Architecture
from nasrank.db.nb201.equivalence import CellRules, representatives
from nasrank.db.runs.format import Prediction
from nasrank.trainer.config import ExperimentConfig
from nasrank.trainer.environment import choose_device, device_description
from nasrank.trainer.evaluation.evaluator import BN_MODES, BatchEvaluator, Evaluator, RecalibratedEvaluator
from nasrank.trainer.evaluation.fast_evaluation import EvaluationMode, beginning, evaluate, images_at_once
from nasrank.trainer.images.augment import DeviceImages, Normalization
from nasrank.trainer.network.supernet import SuperNet
from nasrank.trainer.progress import SilentProgress
from nasrank.trainer.session import Session
from nasrank.trainer.stopping import StopSignal

Row = Callable[[Sequence[int]], float]  # architectures to a rate


def bench(
    channels: Annotated[int, typer.Option(help="Of the first stage.")] = 16,
    cells: Annotated[int, typer.Option(help="Cells a stage.")] = 1,
    images: Annotated[int, typer.Option(help="Validation images.")] = 500,
    batch_size: Annotated[int, typer.Option(help="Images at a time, of the baseline.")] = 250,
    sample: Annotated[int, typer.Option(help="Architectures a repetition, one after the other.")] = 12,
    repetitions: Annotated[int, typer.Option(help="Of each row, by turns, after one that warms up.")] = 9,
    bfloat16: Annotated[bool, typer.Option(help="Measure that, too.")] = True,
    modes: Annotated[bool, typer.Option(help="Measure the other BN modes, too.")] = True,
    whole: Annotated[bool, typer.Option(help="Then predict all 15,625, in float32, once.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    threads: Annotated[int | None, typer.Option(help="Of PyTorch on the CPU. Default: PyTorch's.")] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Architectures times images a second, those that others are predicted for included.

    A row has the median over the repetitions, and the least and the greatest; its ratio is the median of the
    ratios to the baseline of the same turn. Recalibration sees as many images as are predicted.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    torch_device = choose_device(device)
    candidates = Candidates(channels, cells, images, batch_size, torch_device)
    rows: dict[str, Row] = {"baseline": candidates.baseline, "plain modules": candidates.plain("running")}
    rows["fast"] = candidates.fast("running")
    if bfloat16:
        rows["fast bfloat16"] = candidates.fast("running", "bfloat16")
    for mode in BN_MODES[1:] if modes else ():
        rows[f"plain modules, {mode}"] = candidates.plain(mode)
        rows[f"fast, {mode}"] = candidates.fast(mode)
    source = random.Random(SEED)
    rates: dict[str, list[float]] = {name: [] for name in rows}
    for repetition in range(repetitions + 1):
        chosen = source.sample(range(NUM_ARCHITECTURES), sample)
        for name, row in rows.items():
            rate = row(chosen)
            if repetition > 0:
                rates[name].append(rate)
    compared, different = candidates.different_counts()
    result = {
        "device": device_description(torch_device),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "channels": channels,
        "cells_per_stage": cells,
        "images": images,
        "batch_size": batch_size,
        "repetitions": repetitions,
        "rows": [summary(name, found, rates["baseline"]) for name, found in rates.items()],
        "architectures_compared": compared,
        "different_counts": different,
        "whole_seconds": candidates.whole_seconds() if whole else None,
        "peak_megabytes": peak_megabytes(),
    }
    print(json.dumps(result, indent=2) if json_output else report(result))


class Candidates:
    """What is compared: the same weights, images and architectures."""

    def __init__(self, channels: int, cells: int, images: int, batch_size: int, device: torch.device) -> None:
        config = ExperimentConfig(dataset="cifar10", cells_per_stage=cells, channels=channels)
        source = torch.Generator().manual_seed(SEED)
        self._device = device
        self._supernet = supernet_with_statistics(config, source).to(device)
        self._baseline = PlainSuperNet(channels, cells)
        self._baseline.load_state_dict(self._supernet.state_dict())
        self._baseline.to(device).eval()
        self._images = DeviceImages(
            torch.randint(0, 256, (images, 3, 32, 32), generator=source, dtype=torch.uint8),
            torch.randint(0, 10, (images,), generator=source),
            Normalization(MEAN, STD),
            device=device,
        )
        self._batch_size = batch_size
        self._counts: dict[int, int] = {}  # of correct images, the baseline's
        pixels, _ = self._images.plain(0, images)
        self._calibration = list(torch.split(pixels, batch_size))

    @torch.inference_mode()
    def baseline(self, arch_ids: Sequence[int]) -> float:
        """A batch of images after the other along a path, a path after the other."""
        batches = [
            (pixels.contiguous(), labels)
            for pixels, labels in (
                self._images.plain(start, min(start + self._batch_size, len(self._images)))
                for start in range(0, len(self._images), self._batch_size)
            )
        ]

        def work() -> None:
            for arch_id in arch_ids:
                path = Architecture.from_id(arch_id).operations
                correct = [
                    (self._baseline(pixels, path).argmax(1) == labels).sum() for pixels, labels in batches
                ]
                self._counts[arch_id] = int(sum(correct))

        return len(arch_ids) * len(self._images) / timed(work, self._device)

    def different_counts(self) -> tuple[int, int]:
        """How many architectures the baseline predicted, and how many fast counts are others."""
        found = self._evaluate(list(self._counts), "running", "float32")
        different = [p for p in found if p.correct != self._counts[p.arch_id]]
        return len(self._counts), len(different)

    def plain(self, mode: str) -> Row:
        """Nasrank's reference."""

        def rate(arch_ids: Sequence[int]) -> float:
            arguments = self._supernet, self._images, self._at_once(mode)
            match mode:
                case "batch":
                    evaluator: Evaluator = BatchEvaluator(*arguments)
                case "recalibrated":
                    evaluator = RecalibratedEvaluator(*arguments, self._calibration)
                case _:
                    evaluator = Evaluator(*arguments)

            def work() -> None:
                for arch_id in arch_ids:
                    evaluator.correct(Architecture.from_id(arch_id).operations)

            return len(arch_ids) * len(self._images) / timed(work, self._device)

        return rate

    def fast(self, mode: str, precision: str = "float32") -> Row:
        """Nasrank's evaluation, of what it predicts together with the first of the given architectures.

        Its rate is that of all architectures if all classes of equal ones took as long as these.
        """
        found = representatives(CellRules(zero_stays_zero=mode != "running"))
        classes = sorted(set(found))

        def rate(arch_ids: Sequence[int]) -> float:
            chosen = beginning(classes[arch_ids[0] % len(classes)])
            together = [arch_id for arch_id in classes if beginning(arch_id) == chosen]
            seconds = self._seconds(together, mode, precision)
            return len(found) / len(classes) * len(together) * len(self._images) / seconds

        return rate

    def whole_seconds(self) -> float:
        """Of the fast evaluation of all architectures."""
        return self._seconds(range(NUM_ARCHITECTURES), "running", "float32")

    def _seconds(self, arch_ids: Sequence[int], mode: str, precision: str) -> float:
        return timed(lambda: self._evaluate(arch_ids, mode, precision), self._device)

    def _evaluate(self, arch_ids: Sequence[int], mode: str, precision: str) -> list[Prediction]:
        found = evaluate(
            self._supernet,
            arch_ids,
            self._images,
            EvaluationMode(
                bn_mode=mode,
                batch_size=self._at_once(mode, precision),
                calibration=self._calibration,
                precision=precision,
            ),
            Session(SilentProgress(), StopSignal()),
        )
        return list(found)

    def _at_once(self, mode: str, precision: str = "float32") -> int:
        if mode == "batch":
            return self._batch_size
        return images_at_once(self._supernet, self._images, precision, None)


def supernet_with_statistics(config: ExperimentConfig, source: torch.Generator) -> SuperNet:
    """Untrained, with running statistics that are not all alike."""
    supernet = initial_supernet(config)
    for module in supernet.modules():
        if isinstance(module, nn.BatchNorm2d) and module.running_mean is not None:
            module.running_mean.normal_(generator=source)
            assert module.running_var is not None
            module.running_var.uniform_(0.5, 2, generator=source)
    return supernet


def summary(name: str, rates: Sequence[float], baseline: Sequence[float]) -> dict[str, Any]:
    """A row of the table."""
    ratios = [rate / plain for rate, plain in zip(rates, baseline, strict=True)]
    return {
        "name": name,
        **spread("rate", rates),
        **spread("ratio", ratios),
    }


def peak_megabytes() -> float:
    """Of this process alone; `getrusage` would count what its parent had when it was forked."""
    [peak] = [
        line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")
    ]
    return int(peak.split()[1]) / 1024


def report(result: dict[str, Any]) -> str:
    """The result for people."""
    lines = [
        f"{result['device']}, PyTorch {result['torch']}; {result['channels']} channels, "
        f"{result['cells_per_stage']} cell(s) a stage, {result['images']} images; "
        f"{result['repetitions']} repetitions: median (least to greatest)",
        f"{'':28}{'architecture images/s':>30}{'times the baseline':>26}",
    ]
    for row in result["rows"]:
        rate = f"{row['rate']:,.0f} ({row['rate_range'][0]:,.0f} to {row['rate_range'][1]:,.0f})"
        ratio = f"{row['ratio']:.2f} ({row['ratio_range'][0]:.2f} to {row['ratio_range'][1]:.2f})"
        lines.append(f"{row['name']:28}{rate:>30}{ratio:>26}")
    lines.append(
        f"counts of correct images that differ from the baseline's: {result['different_counts']} of "
        f"{result['architectures_compared']}"
    )
    if result["whole_seconds"] is not None:
        lines.append(f"all {NUM_ARCHITECTURES:,}: {result['whole_seconds']:,.0f} s")
    lines.append(f"peak memory of the process: {result['peak_megabytes']:,.0f} MB")
    return "\n".join(lines)


if __name__ == "__main__":
    typer.run(bench)
