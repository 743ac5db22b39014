"""The super-network: NAS-Bench-201's network with every operation that the mask leaves on every edge.

Written to be read: the reference that faster code has to agree with. One forward pass follows one path,
which all cells share, or a path of its own in every cell. Operations have BatchNorm without affine
parameters (the study); the fixed parts, which no architecture changes, keep it with them, as the
benchmark's own networks do.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from nasrank.db.errors import NasrankError
from nasrank.db.nb201.architectures import BENCHMARK_OPERATIONS, EDGES, EDGES_INTO, OPERATIONS
from nasrank.trainer.config import ExperimentConfig
from nasrank.trainer.network.paths import CellPaths, Path

NUM_STAGES: Final = 3
ZERO: Final = OPERATIONS.index("Zero")


def build_supernet(
    config: ExperimentConfig, seed: int, *, image_shape: Sequence[int], num_classes: int
) -> SuperNet:
    """The run's super-network on the CPU, initialized by PyTorch's defaults from the seed.

    Args:
        image_shape: (channels, height, width); height and width must halve twice.

    The caller's random state is left as it was.
    """
    channels, height, width = image_shape
    if height % 4 or width % 4:
        raise NasrankError(
            f"images of {height}x{width} pixels cannot be halved twice; give images whose height and "
            "width are multiples of 4"
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return SuperNet(
            CellForm(config.operations, config.node_inputs, config.pool_counts_padding, tuple(config.lt_set)),
            channels=config.channels,
            cells_per_stage=config.cells_per_stage,
            image_channels=channels,
            num_classes=num_classes,
        )


@dataclass(frozen=True)
class CellForm:
    """What all cells have in common.

    Args:
        operations: the operations each edge can have, as indices into `OPERATIONS`.
        node_inputs: `mean` or `sum` of a node's input edges; an edge with Zero counts as one, of zeros.
        pool_counts_padding: whether Pool's average at the border counts the padding's zeros.
        transformed: the operations (Skip, Pool) that a linear transformer follows.
    """

    operations: tuple[int, ...]
    node_inputs: str = "mean"
    pool_counts_padding: bool = True
    transformed: tuple[int, ...] = ()


class SuperNet(nn.Module):
    """Stem, three stages of cells with a reduction block between them, head.

    Args:
        channels: of the first stage; each reduction block doubles them and halves height and width.
    """

    def __init__(
        self,
        form: CellForm,
        *,
        channels: int,
        cells_per_stage: int,
        image_channels: int,
        num_classes: int,
    ) -> None:
        super().__init__()
        self.operations = form.operations
        self.node_inputs = form.node_inputs
        self.transformed = form.transformed
        self.stem = nn.Sequential(
            nn.Conv2d(image_channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)
        )
        self.cells = nn.ModuleList()
        for stage in range(NUM_STAGES):
            width = channels * 2**stage
            if stage > 0:
                self.cells.append(ReductionBlock(width // 2, width))
            for _ in range(cells_per_stage):
                self.cells.append(Cell(width, form))
        self.head = nn.Sequential(
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(width, num_classes),
        )
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor, path: Path | CellPaths) -> Tensor:
        """Logits [b, num_classes] of float images [b, image_channels, height, width].

        `path` is one for all cells, or a tuple of one for each, from the stem to the head.
        """
        return self.from_stem(self.stem(images), path)

    def from_stem(self, features: Tensor, path: Path | CellPaths) -> Tensor:
        """Logits from the stem's output [b, channels, height, width], which is the same for every path."""
        cell_paths = iter(path) if isinstance(path[0], tuple) else itertools.repeat(path)
        for cell in self.cells:
            features = cell(features, next(cell_paths)) if isinstance(cell, Cell) else cell(features)
        logits: Tensor = self.head(features)
        return logits


class Cell(nn.Module):
    """Four nodes; node 0 is the input, node 3 the output, each edge has one operation of the path.

    `edges[e]` holds the candidates of `EDGES[e]` by their benchmark name; Zero needs no module.
    """

    def __init__(self, channels: int, form: CellForm) -> None:
        super().__init__()
        self.node_inputs = form.node_inputs
        self.pool_counts_padding = form.pool_counts_padding
        self.edges = nn.ModuleList(
            nn.ModuleDict(
                {
                    BENCHMARK_OPERATIONS[operation]: _candidate(operation, channels, form)
                    for operation in form.operations
                    if operation != ZERO
                }
            )
            for _ in EDGES
        )

    def forward(self, features: Tensor, path: Sequence[int]) -> Tensor:
        """[b, channels, height, width] to the same shape."""
        nodes = [features]
        for node in (1, 2, 3):
            edges = EDGES_INTO[node]
            inputs = [
                self.operation(edge, path[edge])(nodes[EDGES[edge][0]])
                for edge in edges
                if path[edge] != ZERO
            ]
            total = sum(inputs[1:], start=inputs[0]) if inputs else torch.zeros_like(features)
            is_mean = self.node_inputs == "mean" and len(edges) > 1
            nodes.append(total / len(edges) if is_mean else total)
        return nodes[-1]

    def operation(self, edge: int, operation: int) -> nn.Module:
        """A candidate of an edge, which is not Zero; [b, channels, height, width] to the same shape."""
        candidates = self.edges[edge]
        assert isinstance(candidates, nn.ModuleDict)
        return candidates[BENCHMARK_OPERATIONS[operation]]


class ReductionBlock(nn.Module):
    """NAS-Bench-201's residual block between stages: half the height and width, twice the channels."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            *_relu_conv_bn(channels_in, channels_out, 3, stride=2, affine=True),
            *_relu_conv_bn(channels_out, channels_out, 3, affine=True),
        )
        self.shortcut = nn.Sequential(
            nn.AvgPool2d(2, stride=2), nn.Conv2d(channels_in, channels_out, 1, bias=False)
        )

    def forward(self, features: Tensor) -> Tensor:
        """[b, channels_in, height, width] to [b, channels_out, height / 2, width / 2]."""
        reduced: Tensor = self.shortcut(features) + self.convolutions(features)
        return reduced


def _candidate(operation: int, channels: int, form: CellForm) -> nn.Module:
    match OPERATIONS[operation]:
        case "Skip":
            candidate: nn.Module = nn.Identity()
        case "C1x1":
            candidate = nn.Sequential(*_relu_conv_bn(channels, channels, 1, affine=False))
        case "C3x3":
            candidate = nn.Sequential(*_relu_conv_bn(channels, channels, 3, affine=False))
        case "Pool":
            candidate = nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=form.pool_counts_padding)
        case name:
            raise ValueError(f"no module for {name}")
    if operation not in form.transformed:
        return candidate
    # The study's linear transformer: no bias, no BatchNorm, no activation.
    return nn.Sequential(candidate, nn.Conv2d(channels, channels, 1, bias=False))


def _relu_conv_bn(
    channels_in: int, channels_out: int, kernel: int, *, affine: bool, stride: int = 1
) -> list[nn.Module]:
    # The ReLU is never in place: the edges that leave a node share its output.
    return [
        nn.ReLU(),
        nn.Conv2d(channels_in, channels_out, kernel, stride=stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(channels_out, affine=affine),
    ]
