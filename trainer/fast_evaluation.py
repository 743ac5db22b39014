"""Predicting many architectures at once: what `trainer.evaluation` counts, with the common work done once.

- Architectures that are one function are predicted once (`db.equivalence`).
- In the first cell all architectures see the same features. Those that agree in the edges to nodes 1 and 2
  are predicted together: they share these nodes, and the edges to node 3 have at most five values each.
- A node's ReLU is computed once, BatchNorm with known statistics is part of its convolution, a node's mean
  of its weights, and Zero costs nothing.

One architecture at a time goes through the later cells: a batch of images fills the device, and what an
operation makes is still in the caches of a CPU when the next one needs it (docs/performance.md).
"""

from __future__ import annotations

import itertools
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path as FilePath
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from db.architectures import BENCHMARK_OPERATIONS, EDGES, EDGES_INTO, OPERATIONS, Architecture
from db.equivalence import CellRules, representatives
from trainer.augment import DeviceImages
from trainer.evaluation import PRECISIONS, Prediction, check_available, check_bn_mode, even_parts
from trainer.normalization import (
    BatchStatistics,
    CalibrationStatistics,
    ConvNorm,
    KnownStatistics,
    Norm,
    Statistics,
)
from trainer.paths import Path
from trainer.progress import REPORT_SECONDS, EvaluationProgress, Progress
from trainer.stopping import StopSignal
from trainer.supernet import Cell, ReductionBlock, SuperNet

_SKIP: Final = OPERATIONS.index("Skip")
_POOL: Final = OPERATIONS.index("Pool")
_CONVOLUTIONS: Final = (OPERATIONS.index("C1x1"), OPERATIONS.index("C3x3"))
_SHARED_EDGES: Final = 3  # those to nodes 1 and 2 come first
# Architectures × images that are predicted together, and lost if the process is killed meanwhile. More share
# a little more of the first cell.
_GROUP_IMAGES: Final = 25_000
_LEAST_GROUP: Final = 8
# Images that fill the device; on a CPU few enough that a layer's values stay in its caches.
_IMAGES_AT_ONCE: Final = {"cpu": 100, "cuda": 1_000}
# Of the first cell's size: three nodes and their ReLUs, four values for each of the three edges to node 3,
# and what the later cells, which are smaller, need at a time.
_TENSORS_AT_ONCE: Final = 22


def evaluate(
    supernet: SuperNet,
    arch_ids: Sequence[int],
    images: DeviceImages,
    *,
    bn_mode: str = "running",
    batch_size: int = 100,
    calibration: Sequence[Tensor] = (),
    precision: str = "float32",
    progress: Progress,
    stop: StopSignal,
) -> Iterator[Prediction]:
    """Predict architectures, in an order of its own; ends early once `stop` is requested.

    Args:
        bn_mode: `running`, `batch` or `recalibrated`; none changes the super-network.
        batch_size: at most; the images are divided evenly.
        calibration: the batches of training images that `recalibrated` needs.
        precision: of features and weights, `float32` or `bfloat16`; BatchNorm's statistics and logits are
            float32 in both.

    Raises `NasrankError`, before any work, for an architecture with an operation that the super-network
    does not have, or an unknown `bn_mode`.
    """
    check_bn_mode(bn_mode)
    check_available(arch_ids, supernet.operations)
    members: defaultdict[int, list[int]] = defaultdict(list)
    representative = representatives(_rules(supernet, bn_mode))
    for arch_id in arch_ids:
        members[representative[arch_id]].append(arch_id)
    evaluator = FastEvaluator(
        supernet,
        images,
        bn_mode=bn_mode,
        batch_size=batch_size,
        calibration=calibration,
        precision=PRECISIONS[precision],
    )
    return _predictions(evaluator, members, progress, stop)


def images_at_once(supernet: SuperNet, images: DeviceImages, precision: str, memory_mb: int | None) -> int:
    """How many images may go through the first cell together: as many as fill the device, and fit.

    Args:
        memory_mb: for their features; None: a quarter of what is free.
    """
    stem = supernet.stem[0]
    assert isinstance(stem, nn.Conv2d)
    values = _TENSORS_AT_ONCE * stem.out_channels * images.height * images.width
    available = _free_bytes(images.device) // 4 if memory_mb is None else memory_mb * 2**20
    fitting = available // (values * PRECISIONS[precision].itemsize)
    return max(1, min(_IMAGES_AT_ONCE[images.device.type], fitting))


class FastEvaluator:
    """Counts what paths get right on fixed images. Args as of `evaluate`; does not change the super-network.

    Holds, beside the images, the first cell's values for one batch of them. `images_along_path` counts those
    that calibrate, too.
    """

    def __init__(
        self,
        supernet: SuperNet,
        images: DeviceImages,
        *,
        bn_mode: str = "running",
        batch_size: int = 100,
        calibration: Sequence[Tensor] = (),
        precision: torch.dtype = torch.float32,
    ) -> None:
        self._network = _Network(supernet, precision)
        self._images = images
        self.images = len(images)
        self._bounds = list(even_parts(len(images), batch_size))
        self._precision = precision
        self._calibration = calibration if bn_mode == "recalibrated" else ()
        self.images_along_path = self.images + sum(map(len, self._calibration))
        self._statistics: Statistics = (
            KnownStatistics(precision) if bn_mode == "running" else BatchStatistics(precision)
        )
        with torch.inference_mode():
            self._stem_statistics = self._statistics_of_stem()

    @torch.inference_mode()
    def correct(
        self, paths: Sequence[Path], advance: Callable[[int], None] = lambda images: None
    ) -> list[int | None]:
        """For each path the number of images whose largest logit is their label's.

        None where any logit is not finite. Args as of `logits`.
        """
        counts = torch.zeros(len(paths), 2, dtype=torch.int64, device=self._images.device)
        for position, logits, labels in self.logits(paths, advance):
            counts[position, 0] += (logits.argmax(1) == labels).sum()
            counts[position, 1] += (~logits.isfinite()).sum()
        return [None if non_finite else correct for correct, non_finite in counts.tolist()]

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
            first_cell = _FirstCell(self._network.first_cell, features, paths[0], shared)
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
            first_cell = _FirstCell(self._network.first_cell, features, paths[0], shared)
            for path, statistics in zip(paths, own, strict=True):
                statistics.batch = number
                self._network.after_first_cell(first_cell.output(path), path, statistics)
                advance(len(batch))
        known = [KnownStatistics(self._precision, statistics.calibrated) for statistics in [shared, *own]]
        return known[0], list(known[1:])


class _Network:
    """The super-network for evaluation: its weights without their modules."""

    def __init__(self, supernet: SuperNet, precision: torch.dtype) -> None:
        convolution, norm = supernet.stem
        self._stem = ConvNorm.of(convolution, norm)
        self._precision = precision
        first, *later = supernet.cells
        assert isinstance(first, Cell)
        self.first_cell = _Cell(first, precision)
        self._later_cells = [
            _Cell(module, precision) if isinstance(module, Cell) else _Reduction(module, precision)
            for module in later
        ]
        self._head_norm = Norm.of(supernet.head[0])
        self._classifier = supernet.head[-1]

    def stem(self, pixels: Tensor, statistics: Statistics) -> Tensor:
        """[b, image_channels, height, width] to [b, channels, height, width]."""
        return statistics.apply(self._stem, pixels.to(self._precision))

    def after_first_cell(self, features: Tensor, path: Path, statistics: Statistics) -> Tensor:
        """Logits, float32 [b, num_classes], of the first cell's output, which is overwritten."""
        for cell in self._later_cells:
            features = cell(features, path, statistics)
        features = statistics.normalize(self._head_norm, features).relu_()
        logits: Tensor = self._classifier(features.mean((2, 3), dtype=torch.float32))
        return logits


class _Reduction:
    def __init__(self, block: nn.Module, precision: torch.dtype) -> None:
        assert isinstance(block, ReductionBlock)
        _, convolution, norm, _, second_convolution, second_norm = block.convolutions
        self._first = ConvNorm.of(convolution, norm)
        self._second = ConvNorm.of(second_convolution, second_norm)
        _, shortcut = block.shortcut
        assert isinstance(shortcut, nn.Conv2d)
        self._shortcut = shortcut.weight.detach().to(precision)

    def __call__(self, features: Tensor, path: Path, statistics: Statistics) -> Tensor:
        """Overwrites `features`."""
        shortcut = functional.conv2d(functional.avg_pool2d(features, 2, stride=2), self._shortcut)
        reduced = statistics.apply(self._first, features.relu_())
        return statistics.apply(self._second, reduced.relu_()).add_(shortcut)


class _Cell:
    def __init__(self, cell: Cell, precision: torch.dtype) -> None:
        self._is_mean = cell.node_inputs == "mean"
        self._blocks: dict[tuple[int, int], ConvNorm] = {}  # by edge and operation
        self._transformers: dict[tuple[int, int], Tensor] = {}  # likewise
        for edge, candidates in enumerate(cell.edges):
            assert isinstance(candidates, nn.ModuleDict)
            share = self._share(EDGES[edge][1])
            for name, module in candidates.items():
                key = edge, BENCHMARK_OPERATIONS.index(name)
                match list(module.modules()):
                    case [_, nn.ReLU(), nn.Conv2d() as convolution, nn.BatchNorm2d() as norm]:
                        self._blocks[key] = ConvNorm.of(convolution, norm, share)
                    case [*_, nn.Conv2d() as transformer]:
                        self._transformers[key] = (transformer.weight.detach() * share).to(precision)
        self._pool = _Pool(cell.pool_counts_padding)

    def __call__(self, features: Tensor, path: Path, statistics: Statistics) -> Tensor:
        """[b, channels, height, width] to the same shape; may overwrite `features`, or return them."""
        nodes = [_Node(features, _is_kept(0, path))]
        for node in (1, 2, 3):
            nodes.append(self.node(node, nodes, path, statistics))
        output = nodes[-1].value
        return torch.zeros_like(features) if output is None else output

    def node(self, node: int, nodes: Sequence[_Node], path: Path, statistics: Statistics) -> _Node:
        """The sum of the edges from earlier nodes; where that is a single Skip, the node it comes from."""
        total, pooled = _Sum(nodes[0].value), _Sum(nodes[0].value)
        for edge in EDGES_INTO[node]:
            source = nodes[EDGES[edge][0]]
            if path[edge] == _POOL and (edge, _POOL) not in self._transformers:
                if source.value is not None:
                    pooled.add(source.value)  # one Pool for all that are pooled
            else:
                self.add_edge(total, edge, path[edge], source, statistics)
        if pooled.value is not None:
            total.add(self._pool(pooled.value), self._share(node), is_own=True)
        for source in nodes:
            if total.value is source.value:
                return source
        return _Node(total.value, _is_kept(node, path))

    def add_edge(self, total: _Sum, edge: int, operation: int, source: _Node, statistics: Statistics) -> None:
        """Add what an operation makes of a node, with its share of the mean."""
        if operation in _CONVOLUTIONS:
            block = self._blocks[edge, operation]
            if source.value is not None:
                total.add(statistics.apply(block, source.rectified()), is_own=True)
            elif (constant := statistics.of_nothing(block)) is not None:
                total.add_constant(constant)
        elif operation in (_SKIP, _POOL) and source.value is not None:
            pooled = self._pool(source.value) if operation == _POOL else source.value
            transformer = self._transformers.get((edge, operation))
            if transformer is None:
                total.add(pooled, self._share(EDGES[edge][1]), is_own=operation == _POOL)
            else:
                total.add(functional.conv2d(pooled, transformer), is_own=True)

    def _share(self, node: int) -> float:
        return 1 / len(EDGES_INTO[node]) if self._is_mean else 1.0


class _FirstCell:
    """The first cell for one batch of images and all paths that begin alike."""

    def __init__(self, cell: _Cell, features: Tensor, path: Path, statistics: Statistics) -> None:
        self._cell, self._features, self._statistics = cell, features, statistics
        self._nodes = [_Node(features, is_kept=True)]
        for node in (1, 2):
            value = cell.node(node, self._nodes, path, statistics).value
            self._nodes.append(_Node(value, is_kept=True))
        self._edges: dict[tuple[int, int], Tensor | None] = {}  # to node 3, by edge and operation
        self._output = torch.empty_like(features)

    def output(self, path: Path) -> Tensor:
        """[b, channels, height, width], to be overwritten; the next call writes over it, too.

        New memory for each path would cost the system more time than the additions.
        """
        edges = [self._edge(edge, path[edge]) for edge in EDGES_INTO[3]]
        match [value for value in edges if value is not None]:
            case []:
                self._output.zero_()
            case [value]:
                self._output.copy_(value)
            case [first, second, *others]:
                torch.add(first, second, out=self._output)
                for value in others:
                    self._output.add_(value)
        return self._output

    def _edge(self, edge: int, operation: int) -> Tensor | None:
        key = edge, operation
        if key not in self._edges:
            value = _Sum(self._features)
            self._cell.add_edge(value, edge, operation, self._nodes[EDGES[edge][0]], self._statistics)
            self._edges[key] = value.value
        return self._edges[key]


class _Node:
    """A node's value, None for zeros; `is_kept`: it is needed beside its ReLU."""

    def __init__(self, value: Tensor | None, is_kept: bool) -> None:
        self.value = value
        self._is_kept = is_kept
        self._rectified: Tensor | None = None

    def rectified(self) -> Tensor:
        """The ReLU of the value, which is not None."""
        assert self.value is not None
        if self._rectified is None:
            self._rectified = self.value.relu() if self._is_kept else self.value.relu_()
        return self._rectified


class _Sum:
    """Adds tensors up, in the memory of one that it may overwrite, if there is any.

    `value` is None for zeros, and a single tensor that was added as it is, the very same.
    """

    def __init__(self, like: Tensor | None) -> None:
        self.value: Tensor | None = None
        self._like = like
        self._is_own = False

    def add(self, term: Tensor, share: float = 1.0, is_own: bool = False) -> None:
        """Add a share of a tensor, which may be overwritten if it is `is_own`."""
        if self.value is not None and self._is_own:
            self.value.add_(term, alpha=share)
        elif self.value is not None and not is_own:
            self.value, self._is_own = torch.add(self.value, term, alpha=share), True
        else:
            if share != 1:
                term, is_own = term.mul_(share) if is_own else term * share, True
            self.value, self._is_own = (term if self.value is None else term.add_(self.value)), is_own

    def add_constant(self, constant: Tensor) -> None:
        """Add the same [channels] everywhere."""
        assert self._like is not None
        term = torch.empty_like(self._like).copy_(constant.view(1, -1, 1, 1))
        self.add(term, is_own=True)


class _Pool:
    """Pool: the mean of 3x3 pixels.

    On a CPU a depthwise convolution, which takes as long as 0.2 to 0.8 of PyTorch's pooling.
    """

    def __init__(self, counts_padding: bool) -> None:
        self._counts_padding = counts_padding
        self._kernels: dict[int, Tensor] = {}
        self._corrections: dict[torch.Size, Tensor] = {}

    def __call__(self, features: Tensor) -> Tensor:
        """[b, channels, height, width] to the same shape, new."""
        if features.device.type != "cpu":
            return functional.avg_pool2d(
                features, 3, stride=1, padding=1, count_include_pad=self._counts_padding
            )
        channels = features.shape[1]
        if channels not in self._kernels:
            self._kernels[channels] = features.new_full((channels, 1, 3, 3), 1 / 9)
        pooled = functional.conv2d(features, self._kernels[channels], padding=1, groups=channels)
        return pooled if self._counts_padding else pooled.mul_(self._correction(features))

    def _correction(self, features: Tensor) -> Tensor:
        """By how much fewer pixels there are at the border, [1, 1, height, width]."""
        size = features.shape[2:]
        if size not in self._corrections:
            inside = functional.avg_pool2d(features.new_ones(1, 1, *size), 3, stride=1, padding=1)
            self._corrections[size] = inside.reciprocal()
        return self._corrections[size]


def _is_kept(node: int, path: Path) -> bool:
    """Whether an operation other than a convolution leaves the node."""
    return any(path[edge] in (_SKIP, _POOL) for edge, (source, _) in enumerate(EDGES) if source == node)


def _rules(supernet: SuperNet, bn_mode: str) -> CellRules:
    return CellRules(
        node_inputs=supernet.node_inputs,
        transformed=supernet.transformed,
        zero_stays_zero=bn_mode != "running",
    )


def _predictions(
    evaluator: FastEvaluator,
    members: dict[int, list[int]],
    progress: Progress,
    stop: StopSignal,
) -> Iterator[Prediction]:
    images = evaluator.images
    architectures = sum(map(len, members.values()))
    clock = _Clock(architectures, images, len(members) * evaluator.images_along_path, progress, stop)
    for group in _groups(list(members), images):
        paths = [Architecture.from_id(arch_id).operations for arch_id in group]
        try:
            counts = evaluator.correct(paths, clock.advance)
        except _Stopped:
            return
        for representative, correct in zip(group, counts, strict=True):
            for arch_id in members[representative]:
                yield Prediction(arch_id, correct, images, "ok" if correct is not None else "non-finite")


def _groups(arch_ids: Sequence[int], images: int) -> Iterator[list[int]]:
    """Architectures to predict together, alike in the edges that are shared."""
    size = max(_LEAST_GROUP, _GROUP_IMAGES // images)
    ordered = sorted(arch_ids, key=lambda arch_id: Architecture.from_id(arch_id).operations)
    for _, alike in itertools.groupby(
        ordered, key=lambda arch_id: Architecture.from_id(arch_id).operations[:_SHARED_EDGES]
    ):
        group = list(alike)
        for start in range(0, len(group), size):
            yield group[start : start + size]


def _free_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    # What is free and what the system would give up for it, such as cached files.
    lines = FilePath("/proc/meminfo").read_text(encoding="ascii").splitlines()
    [available] = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(available) * 1024


class _Stopped(Exception):  # noqa: N818, says what happened
    """The evaluation was asked to stop."""


class _Clock:
    """Shows progress in architectures, those predicted along with others included.

    Args:
        images: that each architecture is predicted on.
        todo: images that go along paths, all together.
    """

    def __init__(
        self, architectures: int, images: int, todo: int, progress: Progress, stop: StopSignal
    ) -> None:
        self._architectures, self._images = architectures, images
        self._todo, self._done = todo, 0
        self._progress, self._stop = progress, stop
        self._started = self._reported = time.monotonic()

    def advance(self, images: int) -> None:
        """So many images more went along a path. Raises `_Stopped` once that is requested."""
        if self._stop.requested:
            raise _Stopped
        self._done += images
        now = time.monotonic()
        if now - self._reported >= REPORT_SECONDS or self._done == self._todo:
            self._reported = now
            share = self._done / self._todo
            done = int(share * self._architectures)
            seconds = max(now - self._started, 1e-9)
            self._progress.show(
                EvaluationProgress(
                    done, self._architectures, done * self._images / seconds, seconds / share - seconds
                )
            )
