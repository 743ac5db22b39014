"""The super-network's forward pass for evaluation, the same function as `supernet.py`'s plain modules.

- In the first cell all architectures see the same features. Those that agree in the edges to nodes 1 and 2
  share these nodes, and the edges to node 3 have at most five values each.
- A node's ReLU is computed once, BatchNorm with known statistics is part of its convolution, a node's mean
  of its weights, and Zero costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from nasrank.db.nb201.architectures import BENCHMARK_OPERATIONS, EDGES, EDGES_INTO, OPERATIONS
from nasrank.trainer.network.normalization import ConvNorm, Norm, Statistics
from nasrank.trainer.network.paths import Path
from nasrank.trainer.network.supernet import Cell, ReductionBlock, SuperNet

_SKIP: Final = OPERATIONS.index("Skip")
_POOL: Final = OPERATIONS.index("Pool")
_CONVOLUTIONS: Final = (OPERATIONS.index("C1x1"), OPERATIONS.index("C3x3"))


class FastNetwork:
    """A copy of a super-network's weights, in `precision`, without their modules."""

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


class FirstCell:
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
