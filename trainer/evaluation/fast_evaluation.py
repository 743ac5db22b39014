"""Predicting many architectures at once: what `evaluator.py` counts, with the common work done once.

Architectures that are one function are predicted once (`db.nb201.equivalence`). Those whose cells begin alike
are predicted together and share their first cell (`trainer.network.fast_network`).

One architecture at a time goes through the later cells: a batch of images fills the device, and what an
operation makes is still in the caches of a CPU when the next one needs it (docs/performance.md).
"""

from __future__ import annotations

import itertools
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from nasrank.db.memory import available_memory
from nasrank.db.nb201.architectures import Architecture
from nasrank.db.nb201.equivalence import CellRules, representatives
from nasrank.db.runs.format import Prediction
from nasrank.trainer.evaluation.clock import EvaluationClock, Stopped
from nasrank.trainer.evaluation.evaluator import PRECISIONS, check_available, check_bn_mode, even_parts
from nasrank.trainer.evaluation.fetching import Counts
from nasrank.trainer.images.augment import DeviceImages
from nasrank.trainer.network.fast_network import FastNetwork, FirstCell
from nasrank.trainer.network.normalization import (
    BatchStatistics,
    CalibrationStatistics,
    KnownStatistics,
    Statistics,
)
from nasrank.trainer.network.paths import Path
from nasrank.trainer.network.supernet import SuperNet
from nasrank.trainer.session import Session

_SHARED_EDGES: Final = 3  # those to nodes 1 and 2 come first
# Architectures × images that are predicted together, and lost if the process is killed meanwhile. More share
# more of the first cell; a GPU is done with them in about a second.
_GROUP_IMAGES: Final = {"cpu": 25_000, "cuda": 1_000_000}
# Groups that the host asks of the device before it waits for the counts of the first.
_GROUPS_AHEAD: Final = {"cpu": 0, "cuda": 2}
_ASSUMED_BYTES: Final = 4 * 2**30  # where nobody says how much memory is free
_LEAST_GROUP: Final = 8
# Images that fill the device; on a CPU few enough that a layer's values stay in its caches.
_IMAGES_AT_ONCE: Final = {"cpu": 100, "cuda": 1_000}
# Values of a GPU's tensor that keep it busy for longer than Python needs to ask for the next one: 128 MB of
# float32, 0.1 ms at 3 TB/s. Small networks therefore take more images at once.
_VALUES_AT_ONCE: Final = {"cpu": 0, "cuda": 2**25}
# Of the first cell's size: three nodes and their ReLUs, four values for each of the three edges to node 3,
# and what the later cells, which are smaller, need at a time.
_TENSORS_AT_ONCE: Final = 22


@dataclass(frozen=True)
class EvaluationMode:
    """How the images go along a path. Raises `NasrankError` for an unknown `bn_mode`.

    Args:
        bn_mode: `running`, `batch` or `recalibrated`; none changes the super-network.
        batch_size: at most; the images are divided evenly.
        calibration: the batches of training images that `recalibrated` needs; other modes ignore them.
        precision: of features and weights, `float32` or `bfloat16`; BatchNorm's statistics and logits are
            float32 in both.
    """

    bn_mode: str = "running"
    batch_size: int = 100
    calibration: Sequence[Tensor] = ()
    precision: str = "float32"

    def __post_init__(self) -> None:
        check_bn_mode(self.bn_mode)


def evaluate(
    supernet: SuperNet,
    arch_ids: Sequence[int],
    images: DeviceImages,
    mode: EvaluationMode,
    session: Session,
) -> Iterator[Prediction]:
    """Predict architectures, in an order of its own; ends early once the session is to stop.

    Raises `NasrankError`, before any work, for an architecture with an operation that the super-network
    does not have.
    """
    check_available(arch_ids, supernet.operations)
    members: defaultdict[int, list[int]] = defaultdict(list)
    representative = representatives(_rules(supernet, mode.bn_mode))
    for arch_id in arch_ids:
        members[representative[arch_id]].append(arch_id)
    return _predictions(FastEvaluator(supernet, images, mode), members, session)


def images_at_once(supernet: SuperNet, images: DeviceImages, precision: str, memory_mb: int | None) -> int:
    """How many images may go through the first cell together: as many as fill the device, and fit.

    Args:
        memory_mb: for their features; None: a quarter of what is free.
    """
    stem = supernet.stem[0]
    assert isinstance(stem, nn.Conv2d)
    values = stem.out_channels * images.height * images.width
    available = _free_bytes(images.device) // 4 if memory_mb is None else memory_mb * 2**20
    fitting = available // (_TENSORS_AT_ONCE * values * PRECISIONS[precision].itemsize)
    device = images.device.type
    return max(1, min(max(_IMAGES_AT_ONCE[device], _VALUES_AT_ONCE[device] // values), fitting))


def beginning(arch_id: int) -> tuple[int, ...]:
    """The operations to nodes 1 and 2: architectures that have them in common are predicted together."""
    return Architecture.from_id(arch_id).operations[:_SHARED_EDGES]


class FastEvaluator:
    """Counts what paths get right on fixed images; does not change the super-network.

    Holds, beside the images, the first cell's values for one batch of them. `images_along_path` counts those
    that calibrate, too.
    """

    def __init__(self, supernet: SuperNet, images: DeviceImages, mode: EvaluationMode) -> None:
        precision = PRECISIONS[mode.precision]
        self._network = FastNetwork(supernet, precision)
        self._images = images
        self.images = len(images)
        self.device = images.device
        self._bounds = list(even_parts(len(images), mode.batch_size))
        self._precision = precision
        self._calibration = mode.calibration if mode.bn_mode == "recalibrated" else ()
        self.images_along_path = self.images + sum(map(len, self._calibration))
        self._statistics: Statistics = (
            KnownStatistics(precision) if mode.bn_mode == "running" else BatchStatistics(precision)
        )
        with torch.inference_mode():
            self._stem_statistics = self._statistics_of_stem()

    def correct(
        self, paths: Sequence[Path], advance: Callable[[int], None] = lambda images: None
    ) -> list[int | None]:
        """For each path the number of images whose largest logit is their label's.

        None where any logit is not finite. Args as of `logits`.
        """
        return self.counts(paths, advance).read()

    @torch.inference_mode()
    def counts(self, paths: Sequence[Path], advance: Callable[[int], None] = lambda images: None) -> Counts:
        """As `correct`, without waiting for the device."""
        counts = torch.zeros(len(paths), 2, dtype=torch.int64, device=self._images.device)
        for position, logits, labels in self.logits(paths, advance):
            counts[position, 0] += (logits.argmax(1) == labels).sum()
            counts[position, 1] += (~logits.isfinite()).sum()
        return Counts(counts)

    def logits(
        self, paths: Sequence[Path], advance: Callable[[int], None] = lambda images: None
    ) -> Iterator[tuple[int, Tensor, Tensor]]:
        """For each batch of images and each path: its position, float32 logits, and the batch's labels.

        Args:
            paths: all alike in the first three operations.
            advance: called after each batch along a path, with the number of its images; what it raises
                ends the work.
        """
        shared, own = self._statistics_along(paths, advance)
        for start, stop in self._bounds:
            pixels, labels = self._images.plain(start, stop)
            features = self._network.stem(pixels, self._stem_statistics)
            first_cell = FirstCell(self._network.first_cell, features, paths[0], shared)
            for position, path in enumerate(paths):
                yield (
                    position,
                    self._network.after_first_cell(first_cell.output(path), path, own[position]),
                    labels,
                )
                advance(stop - start)

    def _statistics_of_stem(self) -> Statistics:
        """Those of the stem, which no path changes."""
        if not self._calibration:
            return self._statistics
        statistics = CalibrationStatistics(self._precision)
        for statistics.batch, batch in enumerate(self._calibration, 1):
            self._network.stem(batch, statistics)
        return KnownStatistics(self._precision, statistics.calibrated)

    def _statistics_along(
        self, paths: Sequence[Path], advance: Callable[[int], None]
    ) -> tuple[Statistics, list[Statistics]]:
        """Those of the first cell, which the paths share, and those that each has behind it."""
        if not self._calibration:
            return self._statistics, [self._statistics] * len(paths)
        shared = CalibrationStatistics(self._precision)
        own = [CalibrationStatistics(self._precision) for _ in paths]
        for number, batch in enumerate(self._calibration, 1):
            features = self._network.stem(batch, self._statistics)
            shared.batch = number
            first_cell = FirstCell(self._network.first_cell, features, paths[0], shared)
            for path, statistics in zip(paths, own, strict=True):
                statistics.batch = number
                self._network.after_first_cell(first_cell.output(path), path, statistics)
                advance(len(batch))
        known = [KnownStatistics(self._precision, statistics.calibrated) for statistics in [shared, *own]]
        return known[0], list(known[1:])


def _rules(supernet: SuperNet, bn_mode: str) -> CellRules:
    return CellRules(
        node_inputs=supernet.node_inputs,
        transformed=supernet.transformed,
        zero_stays_zero=bn_mode != "running",
    )


def _predictions(
    evaluator: FastEvaluator,
    members: dict[int, list[int]],
    session: Session,
) -> Iterator[Prediction]:
    images = evaluator.images
    architectures = sum(map(len, members.values()))
    clock = EvaluationClock(architectures, images, len(members) * evaluator.images_along_path, session)
    under_way: deque[tuple[list[int], Counts]] = deque()

    def ended() -> Iterator[Prediction]:
        """Of the group that is longest under way."""
        group, counts = under_way.popleft()
        for representative, correct in zip(group, counts.read(), strict=True):
            for arch_id in members[representative]:
                yield Prediction(arch_id, correct, images, "ok" if correct is not None else "non-finite")

    for group in _groups(list(members), evaluator):
        paths = [Architecture.from_id(arch_id).operations for arch_id in group]
        try:
            under_way.append((group, evaluator.counts(paths, clock.advance)))
        except Stopped:
            break  # what is under way is whole
        if len(under_way) > _GROUPS_AHEAD[evaluator.device.type]:
            yield from ended()
    while under_way:
        yield from ended()


def _groups(arch_ids: Sequence[int], evaluator: FastEvaluator) -> Iterator[list[int]]:
    """Architectures to predict together, alike in the edges that are shared."""
    size = max(_LEAST_GROUP, _GROUP_IMAGES[evaluator.device.type] // evaluator.images)
    ordered = sorted(arch_ids, key=lambda arch_id: Architecture.from_id(arch_id).operations)
    for _, alike in itertools.groupby(ordered, beginning):
        group = list(alike)
        for start in range(0, len(group), size):
            yield group[start : start + size]


def _free_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        torch.cuda.empty_cache()  # what PyTorch keeps for later is free, too
        return int(torch.cuda.mem_get_info(device)[0])
    return available_memory() or _ASSUMED_BYTES
