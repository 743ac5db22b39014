#!/usr/bin/env python3
"""Measures how fast a super-network trains, beside a plain baseline that does the same work in this process.

The baseline is written as super-networks over NAS-Bench-201 are published: NCHW, float32, standard modules,
Zero as a product with 0. Both start at the same weights and see the same images, augmented alike, along the
same paths; how far the weights then are apart is printed, as a share of the way that they went. The batches
of the baseline are prepared beforehand, as a loader with workers would at best: only nasrank's time has
augmentation.
"""

import json
import statistics
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Protocol

import torch
import typer
from benchmarking import MEAN, SEED, STD, Traffic, copying_speed, initial_supernet, spread, timed
from lone_convolutions import ConvolutionsAlone
from plain_supernet import PlainSuperNet
from torch import Tensor, nn
from torch.nn import functional

from nasrank.db.nb201.architectures import OPERATIONS
from nasrank.trainer.config import ExperimentConfig
from nasrank.trainer.environment import choose_device, device_description
from nasrank.trainer.images.augment import Augmentation, DeviceImages, Normalization, draw_epoch
from nasrank.trainer.images.datasets import load_dataset
from nasrank.trainer.network.paths import path_sampler
from nasrank.trainer.network.supernet import NUM_STAGES
from nasrank.trainer.progress import SilentProgress
from nasrank.trainer.stopping import Interrupted, Stopping
from nasrank.trainer.training.recording import Recorder, record_on_cuda
from nasrank.trainer.training.training import Training


def bench(
    channels: Annotated[int, typer.Option(help="Of the first stage.")] = 16,
    cells: Annotated[int, typer.Option(help="Cells a stage.")] = 1,
    batch_size: Annotated[int, typer.Option(help="Images a step.")] = 64,
    steps: Annotated[int, typer.Option(help="Of each repetition; five are an update.")] = 20,
    repetitions: Annotated[int, typer.Option(help="Of each row, by turns, after one that warms up.")] = 9,
    bfloat16: Annotated[bool, typer.Option(help="Measure that, too.")] = True,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    threads: Annotated[int | None, typer.Option(help="Of PyTorch on the CPU. Default: PyTorch's.")] = None,
    data_dir: Annotated[
        Path | None, typer.Option("--data", help="Folder with CIFAR-10 prepared. Default: random images.")
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Images a second of the baseline, of nasrank's steps and groups at once, and of its convolutions alone.

    A row has the median over the repetitions, and the least and the greatest; its ratio is the median of the
    ratios to the baseline of the same turn. The convolutions are those of nasrank's float32 steps, forward
    and backward, without all that is between them: what would remain if everything else cost nothing. Groups
    are those of strictly fair sampling in one pass, on CUDA recorded as a graph; runs use them there if they
    are faster. Operations and megabytes, read and written, are those that PyTorch is asked for.
    """
    if steps % len(OPERATIONS):
        raise typer.BadParameter(f"steps is {steps}; give a multiple of {len(OPERATIONS)}, a group")
    if threads is not None:
        torch.set_num_threads(threads)
    torch_device = choose_device(device)
    config = ExperimentConfig(
        dataset="cifar10", cells_per_stage=cells, channels=channels, batch_size=batch_size, epochs=1
    )
    images, labels = some_images(batch_size * steps * (repetitions + 1), data_dir)
    baseline = Baseline(config, images, labels, torch_device)
    ours = Ours(config, images, labels, torch_device)
    recorder = record_on_cuda if torch_device.type == "cuda" else not_recorded
    rows: dict[str, Stepper] = {"baseline": baseline, "nasrank float32": ours}
    groups = {"groups float32": config}
    if bfloat16:
        cast = replace(config, precision="bfloat16")
        rows["nasrank bfloat16"] = Ours(cast, images, labels, torch_device)
        groups["groups bfloat16"] = cast
    for name, of_group in list(groups.items()):
        try:
            rows[name] = Ours(of_group, images, labels, torch_device, recorder)
        except RuntimeError as error:
            print(f"{name} are left out, as they cannot be recorded here: {error}", file=sys.stderr)
            del groups[name]
    rows["convolutions alone"] = ConvolutionsAlone(config, torch_device, steps)
    start = baseline.weights()
    traffic = {name: traffic_of(row, steps) for name, row in rows.items()}
    if torch_device.type == "cuda":  # a graph hides what it does
        for name, of_group in groups.items():
            traffic[name] = traffic_of(Ours(of_group, images, labels, torch_device, not_recorded), steps)
    apart = distance(ours.weights(), baseline.weights()) / distance(baseline.weights(), start)
    speed = copying_speed(torch_device)
    seconds: dict[str, list[float]] = {name: [] for name in rows}
    for _ in range(repetitions):
        for name, row in rows.items():
            row.prepare(steps)
            seconds[name].append(timed(partial(row.advance, steps), torch_device) / steps)
    result = {
        "device": device_description(torch_device),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "channels": channels,
        "cells_per_stage": cells,
        "batch_size": batch_size,
        "steps": steps,
        "repetitions": repetitions,
        "weights_apart": apart,
        "copied_megabytes_per_second": speed / 1e6,
        "rows": [
            summary(name, times, seconds["baseline"], batch_size)
            | {
                "operations_a_step": traffic[name].operations / steps,
                "megabytes_a_step": traffic[name].bytes / steps / 1e6,
                "milliseconds_of_copying": 1000 * traffic[name].bytes / steps / speed,
            }
            for name, times in seconds.items()
        ],
    }
    print(json.dumps(result, indent=2) if json_output else report(result))


class Stepper(Protocol):
    """A row of the table: something whose steps are timed, and prepared before."""

    def prepare(self, steps: int) -> None: ...

    def advance(self, steps: int) -> None: ...


class Ours:
    """nasrank's own training, as a run calls it, within one epoch; `record`: of whole groups."""

    def __init__(
        self,
        config: ExperimentConfig,
        images: Tensor,
        labels: Tensor,
        device: torch.device,
        record: Recorder | None = None,
    ) -> None:
        train, watched = (
            DeviceImages(images, labels, Normalization(MEAN, STD), device=device, max_shift=shift)
            for shift in (config.max_shift, 0)
        )
        self.training = Training(config, SEED, initial_supernet(config).to(device), train, watched)
        if record is not None:
            self.training.record_groups(record, least_gain=0)

    def prepare(self, steps: int) -> None:
        """Nothing: augmentation is part of a step."""

    def advance(self, steps: int) -> None:
        self.train(StopAt(self.training, self.training.step + steps))

    def train(self, stop: Stopping) -> None:
        with suppress(Interrupted):
            self.training.run(
                after_epoch=lambda: None, save=lambda: None, progress=SilentProgress(), stop=stop
            )

    def weights(self) -> dict[str, Tensor]:
        """A copy of parameters and statistics, by name."""
        return copied(self.training.supernet)


class StopAt:
    """As Ctrl-C pressed during a certain step."""

    def __init__(self, training: Training, step: int) -> None:
        self._training, self._step = training, step

    @property
    def requested(self) -> bool:
        return self._training.step >= self._step


class Baseline:
    """One path a step on NCHW tensors, standard modules, PyTorch's SGD without foreach."""

    def __init__(
        self, config: ExperimentConfig, images: Tensor, labels: Tensor, device: torch.device
    ) -> None:
        self._config, self._device = config, device
        self._network = PlainSuperNet(config.channels, config.cells_per_stage)
        self._network.load_state_dict(initial_supernet(config).state_dict())
        self._network.to(device).train()
        norms = [module for module in self._network.modules() if isinstance(module, nn.BatchNorm2d)]
        undecayed = [parameter for norm in norms for parameter in norm.parameters()]
        held = {id(parameter) for parameter in undecayed}
        decayed = [parameter for parameter in self._network.parameters() if id(parameter) not in held]
        groups: list[dict[str, Any]] = [
            {"params": decayed, "weight_decay": config.weight_decay},
            {"params": undecayed},
        ]
        self._optimizer = torch.optim.SGD(
            groups,
            lr=config.learning_rate,
            momentum=config.momentum,
            foreach=False,
        )
        self._images = functional.pad(images, (config.max_shift,) * 4)
        self._labels = labels
        self._mean, self._std = (torch.tensor(values)[:, None, None] for values in (MEAN, STD))
        self._sampler = path_sampler(config, SEED, NUM_STAGES * config.cells_per_stage)
        draws = draw_epoch(
            len(images), Augmentation(max_shift=config.max_shift, horizontal_flip=True), seed=SEED, epoch=0
        )
        self._order = draws.order.tolist()
        self._windows = list(zip(draws.top.tolist(), draws.left.tolist(), draws.flip.tolist(), strict=True))
        self._step = 0
        self._batches: deque[tuple[Tensor, Tensor]] = deque()

    def prepare(self, steps: int) -> None:
        """The batches of the next steps, on the device."""
        for step in range(self._step + len(self._batches), self._step + steps):
            images, labels = self._batch(step)
            self._batches.append((images.to(self._device), labels.to(self._device)))

    def advance(self, steps: int) -> None:
        """Steps that were prepared."""
        for _ in range(steps):
            images, labels = self._batches.popleft()
            loss = functional.cross_entropy(self._network(images, self._sampler.path(self._step)), labels)
            loss.backward()  # type: ignore[no-untyped-call]
            self._step += 1
            if self._step % self._sampler.steps_per_update == 0:
                self._optimizer.step()
                self._optimizer.zero_grad()

    def weights(self) -> dict[str, Tensor]:
        return copied(self._network)

    def _batch(self, step: int) -> tuple[Tensor, Tensor]:
        """A step's batch, an image after the other cropped and mirrored."""
        size = self._images.shape[2] - 2 * self._config.max_shift
        first = step * self._config.batch_size
        positions = range(first, first + self._config.batch_size)
        crops = []
        for position in positions:
            top, left, flip = self._windows[position]
            crop = self._images[self._order[position], :, top : top + size, left : left + size]
            crops.append(crop.flip(2) if flip else crop)
        labels = self._labels[self._order[first : positions.stop]]
        return (torch.stack(crops).float() - self._mean) / self._std, labels


def not_recorded(work: Callable[[], None]) -> Callable[[], None]:
    """A group in one pass, which Python asks for each time."""
    return work


def traffic_of(row: Stepper, steps: int) -> Traffic:
    row.prepare(steps)
    traffic = Traffic()
    with traffic:
        row.advance(steps)
    return traffic


def some_images(n: int, data_dir: Path | None) -> tuple[Tensor, Tensor]:
    if data_dir is None:
        source = torch.Generator().manual_seed(SEED)
        images = torch.randint(0, 256, (n, 3, 32, 32), dtype=torch.uint8, generator=source)
        return images, torch.randint(0, 10, (n,), generator=source)
    dataset = load_dataset("cifar10", data_dir)
    chosen = torch.arange(n) % len(dataset.images)
    return dataset.images[chosen], dataset.labels[chosen]


def copied(network: nn.Module) -> dict[str, Tensor]:
    tensors = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
    return {name: tensor for name, tensor in tensors.items() if tensor.is_floating_point()}


def distance(one: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    """L2, over all parameters and statistics."""
    length: float = sum(float((one[name] - other[name]).double().square().sum()) for name in one) ** 0.5
    return length


def summary(name: str, seconds: list[float], baseline: list[float], batch_size: int) -> dict[str, object]:
    rates = [batch_size / one for one in seconds]
    ratios = [other / one for one, other in zip(seconds, baseline, strict=True)]
    return {
        "name": name,
        "milliseconds_a_step": 1000 * statistics.median(seconds),
        **spread("images_per_second", rates),
        **spread("ratio", ratios),
    }


def report(result: dict[str, Any]) -> str:
    lines = [
        f"{result['device']}; torch {result['torch']}",
        f"C={result['channels']}, {result['cells_per_stage']} cell(s) a stage, batch {result['batch_size']}, "
        f"{result['repetitions']} repetitions of {result['steps']} steps",
        f"{'':20}{'ms/step':>9}{'images/s':>10}{'':17}{'ratio':>7}{'':16}"
        f"{'operations':>12}{'MB/step':>9}{'copied, ms':>12}",
    ]
    for row in result["rows"]:
        low, high = row["images_per_second_range"]
        least, most = row["ratio_range"]
        lines.append(
            f"{row['name']:20}{row['milliseconds_a_step']:9.1f}{row['images_per_second']:10,.0f}"
            f"{f'({low:,.0f} to {high:,.0f})':>17}{row['ratio']:7.2f}{f' ({least:.2f} to {most:.2f})':16}"
            f"{row['operations_a_step']:12,.0f}{row['megabytes_a_step']:9,.0f}"
            f"{row['milliseconds_of_copying']:12.1f}"
        )
    lines.append(
        f"after {result['steps']} steps the two float32 networks are apart by {result['weights_apart']:.1e} "
        "of the way that they went"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    typer.run(bench)
