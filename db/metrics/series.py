"""The metrics of series of predictions: how well each ranks the truth.

A series is what one predictor says of the members of one architecture set. The definitions are those of
the macro `rank_correlation` in `db/views/statistics`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from nasrank.db.metrics.pairs import (
    Floats,
    Integers,
    Keys,
    inversions,
    mean_ranks,
    runs,
    score,
    tied_pairs,
    weighted_inversions,
)

# What is measured of pairs and ranks, and of values where these are finite.
CORRELATIONS: Final = (
    "tau",
    "tau_eq2",
    "spearman",
    "pearson",
    "tau_same_size",
    "tau_partial",
    "tau_sparse",
    "tau_weighted",
)
# Members that are measured at once: as many as a processor's cache holds.
_MEMBERS_AT_ONCE: Final = 100_000
# Below, τ among pairs of equal size says nothing.
LEAST_PAIRS_OF_A_SIZE: Final = 30


class Members(NamedTuple):
    """The members of a series, the truly best first, or of several series, one after the other.

    Ranks are whole numbers from 0, larger for larger values and equal for equal ones. `predicted` may be
    infinite.
    """

    arch_ids: Integers
    truth_rank: Integers
    predicted_rank: Integers
    size_rank: Integers
    truth: Floats
    predicted: Floats

    @property
    def number(self) -> int:
        """How many they are."""
        return len(self.arch_ids)

    def chosen(self, which: slice | npt.NDArray[np.bool_]) -> Members:
        """Some of them, in the same order."""
        columns: list[Any] = [column[which] for column in self]
        return Members(*columns)


def measure_series(series: Sequence[Members]) -> Mapping[str, Floats]:
    """By the name of each metric its value for each series, NaN where there is none; no series is empty."""
    counts = np.array([members.number for members in series])
    columns: list[Any] = [np.concatenate(parts) for parts in zip(*series, strict=True)]
    members = Members(*columns)
    begins = np.cumsum(counts) - counts
    number = np.repeat(np.arange(len(series)), counts)
    pairs = counts * (counts - 1) // 2
    with np.errstate(divide="ignore", invalid="ignore"):
        measured = _correlations_of_pairs(members, begins, number, pairs)
        measured |= _values(members, begins, number)
    return {"n_predicted": counts.astype(np.float64), **measured}


class Batches:
    """Series that were given, and what was measured of them; they are numbered in this order."""

    def __init__(self) -> None:
        self._waiting: list[Members] = []
        self._measured: list[Mapping[str, Floats]] = []
        self._count = self._members = 0

    def add(self, members: Members) -> int:
        """The number of a new series; -1 for one without members, which is none."""
        if not members.number:
            return -1
        self._waiting.append(members)
        self._members += members.number
        if self._members >= _MEMBERS_AT_ONCE:
            self._measure()
        self._count += 1
        return self._count - 1

    def metrics(self) -> Mapping[str, Floats]:
        """Each metric of all series, by its name."""
        if self._waiting:
            self._measure()
        names = self._measured[0] if self._measured else ()
        return {name: np.concatenate([part[name] for part in self._measured]) for name in names}

    def _measure(self) -> None:
        self._measured.append(measure_series(self._waiting))
        self._waiting, self._members = [], 0


def _correlations_of_pairs(
    members: Members, begins: Integers, number: Integers, pairs: Integers
) -> dict[str, Floats]:
    """What only depends on which of two is larger: Kendall's, and Spearman's, where each has a rank."""
    series = len(begins)
    truth, predicted, size = members.truth_rank, members.predicted_rank, members.size_rank

    by_truth = Keys.of(number, truth, predicted)
    order = np.argsort(by_truth.numbers)
    by_truth = by_truth.taken(order)
    tied_by_truth = tied_pairs(by_truth, 2, series)
    tied_by_both = tied_pairs(by_truth, 3, series)
    weights = 1 / (np.arange(len(number)) - begins[number] + 1)
    discordant, weight_discordant = weighted_inversions(by_truth.without(1), weights[order], begins)

    # A coarser truth, which orders them alike: what is discordant is so within one of its values, or in both.
    sparse = Keys.of(number, tenths_of_a_point(members.truth), predicted).sorted()
    tied_by_sparse = tied_pairs(sparse, 2, series)
    tied_by_sparse_and_prediction = tied_pairs(sparse, 3, series)
    sparsely_discordant = inversions(sparse.without(1), begins)

    by_prediction = Keys.of(number, predicted, size)
    order = np.argsort(by_prediction.numbers)
    by_prediction = by_prediction.taken(order)
    tied_by_prediction = tied_pairs(by_prediction, 2, series)
    tied_by_prediction_and_size = tied_pairs(by_prediction, 3, series)
    smaller_is_predicted = inversions(by_prediction.without(1), begins)

    truth_and_size = Keys.of(number, truth, size).sorted()
    tied_by_truth_and_size = tied_pairs(truth_and_size, 3, series)
    smaller_is_better = inversions(truth_and_size.without(1), begins)

    by_size = Keys.of(number, size, truth, predicted).sorted()
    tied_by_size = tied_pairs(by_size, 2, series)
    tied_by_all = tied_pairs(by_size, 4, series)
    discordant_of_size = inversions(by_size.without(2), begins)

    # The truly best come first, and so have the first places, the last ones of a ranking that ascends.
    truth_ranks = -mean_ranks(Keys.of(number, truth).numbers)
    predicted_ranks = np.empty(len(order))
    predicted_ranks[order] = mean_ranks(by_prediction.without(2).numbers)

    of_prediction = score(pairs, (tied_by_truth, tied_by_prediction), tied_by_both, discordant)
    of_size = score(
        tied_by_size, (tied_by_truth_and_size, tied_by_prediction_and_size), tied_by_all, discordant_of_size
    )
    prediction_and_size = score(
        pairs, (tied_by_prediction, tied_by_size), tied_by_prediction_and_size, smaller_is_predicted
    )
    truth_by_size = score(pairs, (tied_by_truth, tied_by_size), tied_by_truth_and_size, smaller_is_better)

    of_sparse = score(
        pairs, (tied_by_sparse, tied_by_prediction), tied_by_sparse_and_prediction, sparsely_discordant
    )
    tau = of_prediction / np.sqrt((pairs - tied_by_truth) * (pairs - tied_by_prediction))
    predicted_tau = prediction_and_size / np.sqrt((pairs - tied_by_prediction) * (pairs - tied_by_size))
    truth_tau = truth_by_size / np.sqrt((pairs - tied_by_truth) * (pairs - tied_by_size))
    # A square of 1 to twelve digits is 1: a τ of ±1 has rounding of its own.
    left = np.round(1 - truth_tau**2, 12) * np.round(1 - predicted_tau**2, 12)
    return {
        "tau": tau,
        "tau_eq2": of_prediction / pairs,
        # Pearson's of the ranks. Less the first of their series, these are whole or half: sums are exact.
        "spearman": _correlation(truth_ranks, predicted_ranks, begins, number),
        "tau_same_size": np.where(tied_by_size >= LEAST_PAIRS_OF_A_SIZE, of_size / tied_by_size, np.nan),
        "tau_partial": np.where(left > 0, (tau - truth_tau * predicted_tau) / np.sqrt(left), np.nan),
        "tau_sparse": of_sparse / np.sqrt((pairs - tied_by_sparse) * (pairs - tied_by_prediction)),
        "tau_weighted": _weighted(members, begins, number, weights, weight_discordant),
    }


def _weighted(
    members: Members, begins: Integers, number: Integers, weights: Floats, discordant: Floats
) -> Floats:
    """Kendall's τ in which a pair weighs as much as both of its members, and each 1 by its true rank.

    Vigna 2015, "A weighted correlation index for rankings with ties". The weights of pairs add up to a sum
    over members: each weighs as often as it is in a pair. `discordant`: that of all discordant pairs.
    """
    counts = np.diff(begins, append=len(number))

    def differing(*columns: Integers) -> Floats:
        """The weight of the pairs that are not equal in all `columns`, of each series: exactly 0 for none."""
        keys = Keys.of(number, *columns).numbers
        order = np.argsort(keys)
        ties = np.empty(len(number), np.int64)
        _, lengths = runs(keys[order])
        ties[order] = np.repeat(lengths, lengths)
        return np.add.reduceat(weights * (counts[number] - ties), begins)

    truth, predicted = members.truth_rank, members.predicted_rank
    by_truth, by_prediction = differing(truth), differing(predicted)
    # Those that differ in both are concordant or discordant.
    difference = by_truth + by_prediction - differing(truth, predicted) - 2 * discordant
    is_defined = (by_truth > 0) & (by_prediction > 0)
    return np.where(is_defined, np.clip(difference / np.sqrt(by_truth * by_prediction), -1, 1), np.nan)


def tenths_of_a_point(accuracies: Floats) -> Integers:
    """Accuracies, fractions 0..1, in tenths of a percentage point, half up."""
    # To six digits first: 0.9165 is 916.5 tenths, whatever is left of it as a binary fraction.
    return np.floor(np.round(accuracies * 1000, 6) + 0.5).astype(np.int32)


def _correlation(first: Floats, second: Floats, begins: Integers, number: Integers) -> Floats:
    """Pearson's; NaN where either is the same throughout a series."""
    one, other = _centred(first, begins, number), _centred(second, begins, number)
    lengths = np.sqrt(np.add.reduceat(one * one, begins)) * np.sqrt(np.add.reduceat(other * other, begins))
    correlation: Floats = np.clip(np.add.reduceat(one * other, begins) / lengths, -1, 1)
    return correlation


def _centred(values: Floats, begins: Integers, number: Integers) -> Floats:
    """Less the mean of the series; exactly 0 where all are equal, whatever their mean is rounded to."""
    lowest = np.minimum.reduceat(values, begins)
    centred = values - lowest[number]
    counts = np.diff(begins, append=len(values))
    centred -= (np.add.reduceat(centred, begins) / counts)[number]
    return centred


def _values(members: Members, begins: Integers, number: Integers) -> dict[str, Floats]:
    """What depends on how large predictions are; not defined where one is infinite."""
    counts = np.bincount(number)
    is_finite = np.logical_and.reduceat(np.isfinite(members.predicted), begins)
    predicted = np.where(is_finite[number], members.predicted, 0)
    # Wider than the result, so that the mean does not depend on the order of adding up.
    sums = np.add.reduceat(predicted.astype(np.longdouble), begins)
    deviation = np.sqrt(np.add.reduceat(_centred(predicted, begins, number) ** 2, begins) / (counts - 1))
    values = {
        "mean_predicted": (sums / counts).astype(np.float64),
        "predicted_std": np.where(counts > 1, deviation, np.nan),
        "pearson": _correlation(members.truth, predicted, begins, number),
    }
    return {name: np.where(is_finite, value, np.nan) for name, value in values.items()}
