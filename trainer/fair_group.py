"""All paths of a strictly fair group in one pass whose work is the same for every group: its paths are data.

Within a group each operation of each edge is on exactly one path (paper, section on path sampling). So the
batches of all paths go through the super-network beside each other, every operation is applied once, and only
which path's batch it is applied to differs from group to group: a number on the device. What a GPU has to do
can therefore be recorded once and played again (`trainer.recording`), which a step along one path cannot.

The modules are the super-network's own. Fixed parts see one path after the other, in the order of the steps:
their BatchNorm normalizes each path's batch by itself, and its running statistics move as step by step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from db.architectures import EDGES, EDGES_INTO
from trainer.paths import CellPaths, Path
from trainer.supernet import ZERO, Cell, SuperNet


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
    """The cell's output for all paths; `routes` [edges, operations].

    Zero is left out: nothing arrives along it.
    """
    arriving: dict[int, list[tuple[Tensor, Tensor]]] = {node: [] for node in EDGES_INTO}
    value = features
    for node in range(len(EDGES_INTO) + 1):
        if node > 0:
            total = _put(arriving[node], len(operations))
            is_mean = cell.node_inputs == "mean" and len(EDGES_INTO[node]) > 1
            value = total / len(EDGES_INTO[node]) if is_mean else total
        leaving = [
            (edge, target, position)
            for edge, (source, target) in enumerate(EDGES)
            for position, operation in enumerate(operations)
            if source == node and operation != ZERO
        ]
        routes_of_leaving = [routes[edge, position : position + 1] for edge, _, position in leaving]
        batches = _take(value, routes_of_leaving, len(operations))
        for (edge, target, position), route, batch in zip(leaving, routes_of_leaving, batches, strict=True):
            output = cell.operation(edge, operations[position])(batch)
            arriving[target].append((output, route))
    return value


def _take(features: Tensor, routes: Sequence[Tensor], paths: int) -> Sequence[Tensor]:
    """The batches of the paths that `routes` (int64 [1] each) name, of the features of all paths."""
    batches: Sequence[Tensor] = _Take.apply(features, paths, *routes) if routes else ()  # type: ignore[no-untyped-call]
    return batches


def _put(batches: Sequence[tuple[Tensor, Tensor]], paths: int) -> Tensor:
    """Features of all paths: for each the sum of the batches, given with their routes, that are its own."""
    outputs, routes = zip(*batches, strict=True)
    features: Tensor = _Put.apply(paths, len(batches), *outputs, *routes)  # type: ignore[no-untyped-call]
    return features


class _Take(torch.autograd.Function):
    """Its gradient is what `_Put` does: the gradients of the batches are summed in one tensor for all paths.

    Of single selections PyTorch would make a gradient of the size of all paths each, and add those up.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor, paths: int, *routes: Tensor) -> tuple[Tensor, ...]:
        ctx.paths = paths
        ctx.save_for_backward(*routes)
        return _taken(features, routes, paths)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        routes = ctx.saved_tensors
        return _summed(gradients, routes, ctx.paths), None, *(None for _ in routes)


class _Put(torch.autograd.Function):
    """Its gradient is what `_Take` does."""

    @staticmethod
    def forward(ctx: Any, paths: int, number: int, *batches_and_routes: Tensor) -> Tensor:
        batches, routes = batches_and_routes[:number], batches_and_routes[number:]
        ctx.paths = paths
        ctx.save_for_backward(*routes)
        return _summed(batches, routes, paths)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        routes = ctx.saved_tensors
        return None, None, *_taken(gradient, routes, ctx.paths), *(None for _ in routes)


def _taken(features: Tensor, routes: Sequence[Tensor], paths: int) -> tuple[Tensor, ...]:
    rows = _rows(features, paths)
    return tuple(_images(rows.index_select(0, route), features) for route in routes)


def _summed(batches: Sequence[Tensor], routes: Sequence[Tensor], paths: int) -> Tensor:
    like = batches[0]
    rows = like.new_zeros(paths, like.numel())
    for batch, route in zip(batches, routes, strict=True):
        rows.index_add_(0, route, _rows(batch, 1))
    return _images(rows, like)


def _rows(images: Tensor, n: int) -> Tensor:
    """[n * b, channels, height, width] to [n, b * height * width * channels]: of channels_last no copy."""
    return images.permute(0, 2, 3, 1).reshape(n, -1)


def _images(rows: Tensor, like: Tensor) -> Tensor:
    """What `_rows` made rows of, with the channels, height and width of `like`, in channels_last."""
    channels, height, width = like.shape[1:]
    return rows.view(-1, height, width, channels).permute(0, 3, 1, 2)
