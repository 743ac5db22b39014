"""All paths of a strictly fair group in one pass whose work is the same for every group: its paths are data.

Within a group each operation of each edge is on exactly one path (paper, section on path sampling). So the
batches of all paths go through the super-network beside each other, every operation is applied once, and only
which path's batch it is applied to differs from group to group: a number on the device. What a GPU has to do
can therefore be recorded once and played again (`training/recording.py`), which a step along one path cannot.

The modules are the super-network's own. Fixed parts see one path after the other, in the order of the steps:
their BatchNorm normalizes each path's batch by itself, and its running statistics move as step by step.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from nasrank.db.nb201.architectures import EDGES, EDGES_INTO
from nasrank.trainer.network.paths import CellPaths, Path
from nasrank.trainer.network.supernet import ZERO, Cell, SuperNet


def group_routes(paths: Sequence[Path | CellPaths], supernet: SuperNet) -> Tensor:
    """Which path has an operation: int64 [cells, edges, operations], in 0..paths-1, on the CPU.

    `paths` are a strictly fair group's, as many as there are operations.
    """
    cells = sum(isinstance(cell, Cell) for cell in supernet.cells)
    of_cells = [path if isinstance(path[0], tuple) else (path,) * cells for path in paths]
    position = {operation: number for number, operation in enumerate(supernet.operations)}
    numbers = [[[position[o] for o in path] for path in cell_paths] for cell_paths in of_cells]
    return torch.tensor(numbers).permute(1, 2, 0).argsort(-1)  # the inverse of each edge's permutation


def group_logits(supernet: SuperNet, images: Tensor, routes: Tensor) -> Tensor:
    """Logits [paths * b, classes] of float images [paths * b, image_channels, height, width].

    Args:
        supernet: in training mode; only BatchNorm's running statistics change.
        images: b for the group's first path, b for the second, ….
        routes: as `group_routes` has them, on the device of the images.
    """
    paths = len(supernet.operations)
    features = _path_by_path(supernet.stem, images, paths)
    routes_of_cells = iter(routes)
    for cell in supernet.cells:
        if isinstance(cell, Cell):
            features = _along_routes(cell, features, next(routes_of_cells), supernet.operations)
        else:
            features = _path_by_path(cell, features, paths)
    return _path_by_path(supernet.head, features, paths)


def _path_by_path(module: nn.Module, features: Tensor, paths: int) -> Tensor:
    return torch.cat([module(batch) for batch in features.chunk(paths)])


def _along_routes(cell: Cell, features: Tensor, routes: Tensor, operations: Sequence[int]) -> Tensor:
    """The cell's output for all paths; `routes` [edges, operations]."""
    # Nothing arrives along Zero, the first of the operations where it is one of them.
    applied = [operation for operation in operations if operation != ZERO]
    arrived: dict[int, list[Tensor]] = {node: [] for node in EDGES_INTO}
    value = features
    for node in range(len(EDGES_INTO) + 1):
        if node > 0:
            edges = EDGES_INTO[node]
            value = _put(arrived[node], [routes[edge] for edge in edges])
            if cell.node_inputs == "mean" and len(edges) > 1:
                value = value / len(edges)
        leaving = [edge for edge, (source, _) in enumerate(EDGES) if source == node]
        batches = iter(_take(value, [routes[edge] for edge in leaving], len(applied)))
        for edge, operation in itertools.product(leaving, applied):
            arrived[EDGES[edge][1]].append(cell.operation(edge, operation)(next(batches)))
    return value


def _take(features: Tensor, routes: Sequence[Tensor], applied: int) -> Sequence[Tensor]:
    """For one route after the other, the batches of the paths that the last `applied` numbers of it name.

    Args:
        features: of all paths, [paths * b, channels, height, width].
        routes: of edges that begin here, int64 [paths] each.
    """
    batches: Sequence[Tensor] = _Take.apply(features, applied, *routes) if routes else ()  # type: ignore[no-untyped-call]
    return batches


def _put(batches: Sequence[Tensor], routes: Sequence[Tensor]) -> Tensor:
    """Features of all paths, each the sum of its batches. Args as `_take` has them, of edges to here."""
    features: Tensor = _Put.apply(len(batches), *batches, *routes)  # type: ignore[no-untyped-call]
    return features


class _Take(torch.autograd.Function):
    """Its gradient is what `_Put` does: the gradients of the batches are summed in one tensor for all paths.

    Of single selections PyTorch would make a gradient of the size of all paths each, and add those up.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor, applied: int, *routes: Tensor) -> tuple[Tensor, ...]:
        ctx.save_for_backward(*routes)
        return _taken(features, routes, applied)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        routes = ctx.saved_tensors
        return _summed(gradients, routes), None, *(None for _ in routes)


class _Put(torch.autograd.Function):
    """Its gradient is what `_Take` does."""

    @staticmethod
    def forward(ctx: Any, number: int, *batches_and_routes: Tensor) -> Tensor:
        batches, routes = batches_and_routes[:number], batches_and_routes[number:]
        ctx.applied = number // len(routes)
        ctx.save_for_backward(*routes)
        return _summed(batches, routes)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        routes = ctx.saved_tensors
        return None, *_taken(gradient, routes, ctx.applied), *(None for _ in routes)


def _taken(features: Tensor, routes: Sequence[Tensor], applied: int) -> tuple[Tensor, ...]:
    rows = _rows(features, len(routes[0]))
    return tuple(_images(rows.index_select(0, place), features) for place in _places(routes, applied))


def _summed(batches: Sequence[Tensor], routes: Sequence[Tensor]) -> Tensor:
    """Of each edge, in memory for all paths, and these added up: without the atomics of `index_add_`."""
    applied = len(batches) // len(routes)
    total: Tensor | None = None
    for edge, route in enumerate(routes):
        brought = _brought(batches[edge * applied : (edge + 1) * applied], route)
        total = brought if total is None else total.add_(brought)
    assert total is not None
    return _images(total, batches[0])


def _brought(batches: Sequence[Tensor], route: Tensor) -> Tensor:
    """What arrives along an edge, as `_rows` of all paths; along Zero, zeros."""
    paths = len(route)
    rows = batches[0].new_empty(paths, batches[0].numel())
    rows.index_fill_(0, route[: paths - len(batches)], 0)
    for place, batch in zip(_places([route], len(batches)), batches, strict=True):
        rows.index_copy_(0, place, _rows(batch, 1))
    return rows


def _places(routes: Sequence[Tensor], applied: int) -> list[Tensor]:
    paths = len(routes[0])
    return [route[place : place + 1] for route in routes for place in range(paths - applied, paths)]


def _rows(images: Tensor, n: int) -> Tensor:
    """[n * b, channels, height, width] to [n, b * height * width * channels]: of channels_last no copy."""
    return images.permute(0, 2, 3, 1).reshape(n, -1)


def _images(rows: Tensor, like: Tensor) -> Tensor:
    """What `_rows` made rows of, with the channels, height and width of `like`, in channels_last."""
    channels, height, width = like.shape[1:]
    return rows.view(-1, height, width, channels).permute(0, 3, 1, 2)
