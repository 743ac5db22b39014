"""Sums over pairs of architectures of their order in a prediction, over all permutations of predictions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nasrank.db.metrics.pairs import Floats, Integers


@dataclass(frozen=True, slots=True)
class PairSum:
    """A sum over pairs of a weight, if the first is predicted above the second, or else of its negative.

    The weight of (i, j) is minus that of (j, i). Over all permutations, the mean is 0, and two pairs that
    share one architecture correlate by 1/3, so that the variance needs but two sums.
    """

    squares: float
    """Of the weights of all pairs."""
    of_rows: Floats
    """The weights of each architecture with all others."""

    @property
    def moments(self) -> tuple[float, float]:
        """Deviation and excess kurtosis, the latter of the projection onto single architectures.

        Hájek 1968, "Asymptotic normality of simple linear rank statistics under alternatives".
        """
        squares = self.of_rows**2
        total = float(squares.sum())
        return math.sqrt((self.squares + total) / 3), -1.2 * float((squares**2).sum()) / total**2

    def times(self, factor: float) -> PairSum:
        """All weights multiplied."""
        return PairSum(self.squares * factor**2, self.of_rows * factor)

    @classmethod
    def by(cls, ranks: Integers) -> PairSum:
        """1 where the first has the larger rank, 0 for equal ones."""
        below, ties, group = groups(ranks)
        n = len(ranks)
        squares = (n * (n - 1) - float((ties * (ties - 1)).sum())) / 2
        return cls(squares, (2 * below + ties - n)[group].astype(np.float64))

    @classmethod
    def tau_b(cls, ranks: Integers) -> PairSum:
        """Of a prediction without ties."""
        one, n = cls.by(ranks), len(ranks)
        return one.times(1 / math.sqrt(one.squares * n * (n - 1) / 2))

    @classmethod
    def within(cls, size: Integers, ranks: Integers) -> tuple[PairSum, float]:
        """The same only among those of equal size; and the number of pairs of equal size."""
        squares, of_rows, pairs = 0.0, np.zeros(len(size)), 0.0
        for one in np.unique(size):
            of_size = size == one
            own = cls.by(ranks[of_size])
            squares, of_rows[of_size] = squares + own.squares, own.of_rows
            pairs += len(own.of_rows) * (len(own.of_rows) - 1) / 2
        return cls(squares, of_rows), pairs

    @classmethod
    def weighted(cls, truth: Integers) -> PairSum:
        """As `by`, in which (i, j) weigh 1 / i + 1 / j by their places; divided as `tau_weighted` is."""
        n = len(truth)
        weights = 1 / np.arange(1, n + 1)
        below, ties, group = groups(truth)
        above = n - below - ties
        of_group, squared = np.bincount(group, weights), np.bincount(group, weights**2)
        below_weight = np.cumsum(of_group) - of_group
        above_weight = weights.sum() - below_weight - of_group
        of_rows = weights * (below - above)[group] + (below_weight - above_weight)[group]
        squares = _squared_pairs(n, weights.sum(), (weights**2).sum())
        squares -= float(_squared_pairs(ties, of_group, squared).sum())
        all_pairs = (n - 1) * weights.sum()
        differing = all_pairs - ((ties - 1) * of_group).sum()
        return cls(float(squares), of_rows).times(1 / math.sqrt(all_pairs * differing))

    def given(self, size: PairSum, correlation: float) -> PairSum:
        """The partial one, of this tau-b and that of the size, which correlate; to the first order."""
        rest = math.sqrt(1 - correlation**2)
        return PairSum(self.squares, (self.of_rows - correlation * size.of_rows) / rest)


def groups(ranks: Integers) -> tuple[Integers, Integers, Integers]:
    """How many are below each rank, in ascending order, and how many have it; and the place of each one's."""
    _, group, ties = np.unique(ranks, return_inverse=True, return_counts=True)
    return np.cumsum(ties) - ties, ties, group


def _squared_pairs(n: npt.ArrayLike, weights: npt.ArrayLike, squares: npt.ArrayLike) -> Any:
    """The sum of (w_i + w_j)² over all pairs of n, from the sums of their weights and of the squares."""
    return (np.asarray(n) - 2) * squares + np.asarray(weights) ** 2
