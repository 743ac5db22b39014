"""Path samplers: which operation each edge has in a training step.

A *path* is six operations (indices into `db.architectures.OPERATIONS`), one an edge, in the order of
`db.architectures.EDGES`: what an architecture is, before anyone asks how good it is.
"""

from __future__ import annotations

from typing import Protocol

import torch

from db.architectures import EDGES
from trainer.config import ExperimentConfig
from trainer.randomness import generator

Path = tuple[int, ...]


class PathSampler(Protocol):
    """The paths of a run, by its step: a function of the step only, so that any step can come next."""

    @property
    def steps_per_update(self) -> int:
        """The gradients of so many successive steps are summed before the optimizer steps."""

    def path(self, step: int) -> Path:
        """The path of a step, counted from 0 over all epochs."""


class StrictlyFair:
    """Strictly fair sampling (paper, section on path sampling).

    Steps come in groups of as many as there are operations. In each group every edge goes through an
    independent random permutation of the operations: each operation of each edge is trained exactly once.
    Groups run on over the end of an epoch.
    """

    def __init__(self, operations: tuple[int, ...], seed: int) -> None:
        self._operations = operations
        self._seed = seed
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
        source = generator("strictly-fair", self._seed, group)
        permutations = [
            torch.randperm(self.steps_per_update, generator=source).tolist() for _ in range(len(EDGES))
        ]
        return [tuple(self._operations[index] for index in step) for step in zip(*permutations, strict=True)]


def path_sampler(config: ExperimentConfig, seed: int) -> PathSampler:
    """The sampler that the configuration names."""
    samplers = {"strictly-fair": StrictlyFair}
    return samplers[config.path_sampling](config.operations, seed)
