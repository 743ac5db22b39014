"""Path samplers: which operation each edge has in a training step.

A *path* is six operations (indices into `db.nb201.architectures.OPERATIONS`), one an edge, in the order of
`db.nb201.architectures.EDGES`: what an architecture is, before anyone asks how good it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch

from nasrank.db.nb201.architectures import EDGES
from nasrank.trainer.config import ExperimentConfig
from nasrank.trainer.randomness import generator

Path = tuple[int, ...]
CellPaths = tuple[Path, ...]  # a path for each cell, from the stem to the head


class PathSampler(Protocol):
    """The paths of a run, by its step: a function of the step only, so that any step can come next."""

    @property
    def steps_per_update(self) -> int:
        """The gradients of so many successive steps are summed before the optimizer steps."""

    def path(self, step: int) -> Path | CellPaths:
        """What the cells train in a step, counted from 0 over all epochs."""


class StrictlyFair:
    """Strictly fair sampling (paper, section on path sampling).

    Steps come in groups of as many as there are operations. In each group every edge goes through an
    independent random permutation of the operations: each operation of each edge is trained exactly once.
    Groups run on over the end of an epoch.

    Args:
        stream: numbers that tell samplers of one run apart.
    """

    def __init__(self, operations: tuple[int, ...], seed: int, *stream: int) -> None:
        self._operations = operations
        self._seed = seed
        self._stream = stream
        self._cached: tuple[int, list[Path]] = (-1, [])

    @property
    def steps_per_update(self) -> int:
        """As many as there are operations."""
        return len(self._operations)

    def path(self, step: int) -> Path:
        """The path of a step, counted from 0 over all epochs."""
        group, position = divmod(step, self.steps_per_update)
        if self._cached[0] != group:
            self._cached = (group, self._group_paths(group))
        return self._cached[1][position]

    def _group_paths(self, group: int) -> list[Path]:
        source = generator("strictly-fair", self._seed, group, *self._stream)
        permutations = [
            torch.randperm(self.steps_per_update, generator=source).tolist() for _ in range(len(EDGES))
        ]
        return [tuple(self._operations[index] for index in step) for step in zip(*permutations, strict=True)]


class Uniform:
    """Uniform sampling: every edge draws one of the operations, independently; the optimizer steps each time.

    Args:
        stream: numbers that tell samplers of one run apart.
    """

    def __init__(self, operations: tuple[int, ...], seed: int, *stream: int) -> None:
        self._operations = operations
        self._seed = seed
        self._stream = stream

    @property
    def steps_per_update(self) -> int:
        """One."""
        return 1

    def path(self, step: int) -> Path:
        """The path of a step, counted from 0 over all epochs."""
        source = generator("uniform", self._seed, step, *self._stream)
        chosen = torch.randint(len(self._operations), (len(EDGES),), generator=source).tolist()
        return tuple(self._operations[index] for index in chosen)


class NotShared:
    """Without topology sharing: every cell follows its own sampler."""

    def __init__(self, samplers: Sequence[StrictlyFair | Uniform]) -> None:
        self._samplers = samplers

    @property
    def steps_per_update(self) -> int:
        """As that of each cell, which are alike."""
        return self._samplers[0].steps_per_update

    def path(self, step: int) -> CellPaths:
        """A path for each cell in a step, counted from 0 over all epochs."""
        return tuple(sampler.path(step) for sampler in self._samplers)


def path_sampler(config: ExperimentConfig, seed: int, cells: int) -> PathSampler:
    """The sampler that the configuration names, for a super-network of so many cells."""
    kind = StrictlyFair if config.path_sampling == "strictly-fair" else Uniform
    if config.topology_shared:
        return kind(config.operations, seed)
    return NotShared([kind(config.operations, seed, cell) for cell in range(cells)])
