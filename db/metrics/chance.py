"""How predictions without any information rank: random permutations of the architectures of a mask.

What counts pairs is a sum over them of their order in the prediction. Its deviation over all permutations is
a formula, and for large sets its quantiles, too; small sets, and what has no formula, are drawn. How
predictions are distributed matters to the means A_N and to Pearson's correlation only: there they are normal.
docs/method.md, "What chance gives", has the formulas.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from nasrank.db.metrics.members import BEST, ArchitectureSet, Pool
from nasrank.db.metrics.pair_sums import PairSum, groups
from nasrank.db.metrics.pairs import Floats, Integers
from nasrank.db.metrics.searches import cuts
from nasrank.db.metrics.series import LEAST_PAIRS_OF_A_SIZE, Members, measure_series, tenths_of_a_point

# Numbers of runs that a value is the mean of.
SEEDS: Final = range(1, 11)
DRAWS: Final = 10_000
# Sets of up to so many architectures, and searches that look at so many, are drawn.
_DRAWN: Final = 25
# The quantile 97.5 % of the normal distribution.
_NORMAL: Final = 1.959964
# τa is of so many points.
_POINTS: Final = 8


class Level(NamedTuple):
    """Where the mean over runs lies without information: its mean, its deviation, and its middle 95 %."""

    seeds: int
    mean: float
    std: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Symmetric:
    """What one run gets: a mean, a deviation, and a kurtosis beyond the normal distribution's."""

    mean: float
    std: float
    kurtosis: float = 0.0

    def levels(self) -> Iterator[Level]:
        """For each number of seeds; quantiles are those of Cornish and Fisher's expansion."""
        for seeds in SEEDS:
            std = self.std / math.sqrt(seeds)
            half = std * (_NORMAL + self.kurtosis / seeds * (_NORMAL**3 - 3 * _NORMAL) / 24)
            yield Level(seeds, self.mean, std, self.mean - half, self.mean + half)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What one run gets, as it was drawn."""

    values: Floats
    of_averages: bool = False
    """Whether it is a metric of averaged predictions, of several runs as of one, and no mean of metrics."""

    def levels(self) -> Iterator[Level]:
        """For each number of seeds."""
        mean, std = float(self.values.mean()), float(self.values.std())
        total = np.zeros(DRAWS)
        for seeds, order in zip(SEEDS, _orders_of_draws(), strict=True):
            if seeds == 1 or not self.of_averages:
                total = total + self.values[order]
            ordered = np.sort(total)
            # No more than 2.5 % are beyond: of few possible values, more than 95 % are within.
            low, high = ordered[_BEYOND], ordered[-1 - _BEYOND]
            count = 1 if self.of_averages else seeds
            yield Level(seeds, mean, std / math.sqrt(count), low / count, high / count)


_BEYOND: Final = DRAWS // 40
Chance = Symmetric | Drawn


class Row(NamedTuple):
    """A metric of a set; of a search, `architecture_set` is its pool, and `top_k` how many are looked at."""

    architecture_set: str
    top_k: str
    metric: str
    chance: Chance


def of_truth(pool: Pool, sets: Sequence[ArchitectureSet]) -> Iterator[Row]:
    """Every metric, of all that a mask leaves or of one of each class; what `pool` predicts changes none."""
    for one in sets:
        members = pool.set(one.kind, one.n)
        for metric, chance in of_correlations(members).items():
            yield Row(one.name, "", metric, chance)
        if one.kind in ("random", "all"):
            for top_k, metric, chance in of_searches(members.truth):
                yield Row(one.name, top_k, metric, chance)
    yield from _of_means(pool, sets)


def of_correlations(members: Members) -> dict[str, Chance]:
    """Of each correlation with the truth that is defined."""
    n, truth = members.number, members.truth_rank
    if n < 2 or truth.min() == truth.max():
        return {}
    if n <= _DRAWN:
        return _drawn_correlations(members)
    sums = {
        "tau": PairSum.tau_b(truth),
        "tau_eq2": PairSum.by(truth).times(2 / (n * (n - 1))),
        "tau_weighted": PairSum.weighted(truth),
    }
    sparse, size = tenths_of_a_point(members.truth), members.size_rank
    if sparse.min() < sparse.max():
        sums["tau_sparse"] = PairSum.tau_b(sparse)
    within, tied = PairSum.within(size, truth)
    if tied >= LEAST_PAIRS_OF_A_SIZE and within.squares:
        sums["tau_same_size"] = within.times(1 / tied)
    if abs(truth_and_size := _tau_of_size(members)) < 1:
        sums["tau_partial"] = sums["tau"].given(PairSum.tau_b(size), truth_and_size)
    # The variance of these is that of all permutations, their kurtosis that of normal predictions.
    correlation = Symmetric(0, 1 / math.sqrt(n - 1), -6 / (n + 1))
    found: dict[str, Chance] = {name: Symmetric(0, *one.moments) for name, one in sums.items()}
    return found | {"spearman": correlation, "pearson": correlation}


def _tau_of_size(members: Members) -> float:
    """The tau-b of truth and size; NaN where all are of one size."""
    _, truth_rank, _, size_rank, truth, _ = members
    of_size = Members(members.arch_ids, truth_rank, size_rank, size_rank, truth, truth)
    return float(measure_series([of_size])["tau"][0])


def _drawn_correlations(members: Members) -> dict[str, Chance]:
    """As `of_correlations`, of all drawn permutations."""
    n = members.number
    first, second = np.triu_indices(n, 1)
    signs = _signs(n)

    def differences(values: Integers) -> Floats:
        """1 for each pair of which the first is larger, -1 for one of which the second is."""
        signs: Floats = np.sign(values[first] - values[second]).astype(np.float64)
        return signs

    def tau_b(weights: Floats, lengths: Floats | None = None) -> Floats:
        """Of all drawn permutations; `lengths` weigh each pair."""
        lengths = np.ones(len(first)) if lengths is None else lengths
        scale = math.sqrt(lengths.sum() * lengths[weights != 0].sum())
        return _sums(signs, weights * lengths / scale)

    truth, size = differences(members.truth_rank), differences(members.size_rank)
    sparse = differences(tenths_of_a_point(members.truth))
    places = 1 / np.arange(1, n + 1)
    below, ties, group = groups(members.truth_rank)
    found = {
        "tau": tau_b(truth),
        "tau_eq2": _sums(signs, truth / len(first)),
        "tau_weighted": tau_b(truth, places[first] + places[second]),
        "spearman": _correlations(_predictions(n).argsort().argsort() / 1.0, (below + (ties - 1) / 2)[group]),
        "pearson": _correlations(_predictions(n), members.truth),
    }
    if sparse.any():
        found["tau_sparse"] = tau_b(sparse)
    if (tied := np.count_nonzero(size == 0)) >= LEAST_PAIRS_OF_A_SIZE:
        found["tau_same_size"] = _sums(signs, np.where(size == 0, truth, 0) / tied)
    if abs(of_size := _tau_of_size(members)) < 1:
        with_size = tau_b(size)
        left = np.sqrt((1 - of_size**2) * np.maximum(1 - with_size**2, 1e-12))
        found["tau_partial"] = (found["tau"] - of_size * with_size) / left
    return {name: Drawn(values) for name, values in found.items()}


def of_searches(truth: Floats) -> Iterator[tuple[str, str, Chance]]:
    """How many are looked at, each metric of a search, and what it gets; `truth` has the best first."""
    n = len(truth)
    gain, discount = truth - truth[-1], 1 / np.log2(np.arange(n) + 2)
    for top_k, k in cuts(n).items():
        best, hits = _best_places(n, k), _hits(n, k)
        yield top_k, "precision_at_k", hits
        yield top_k, "bottom_precision_at_k", hits
        yield top_k, "best_rank", Drawn(best + 1)
        yield top_k, "worst_rank", Drawn(n - best)
        yield top_k, "regret", Drawn(truth[0] - truth[best.astype(np.int64)])
        if to_gain := float(gain[:k] @ discount[:k]):
            yield top_k, "ndcg_at_k", _discounted_gain(gain, discount[:k] / to_gain)


def _discounted_gain(gain: Floats, discount: Floats) -> Chance:
    n, k = len(gain), len(discount)
    if k <= _DRAWN:
        return Drawn(gain[_first_places(n)[:, :k]] @ discount)
    variance = gain.var() * n / (n - 1) * (float(discount @ discount) - discount.sum() ** 2 / n)
    return Symmetric(float(gain.mean() * discount.sum()), math.sqrt(variance))


def _of_means(pool: Pool, sets: Sequence[ArchitectureSet]) -> Iterator[Row]:
    """What compares mean predictions, in deviations of single ones; of predictions that are normal."""
    [random] = [one for one in sets if one.kind == "random"]
    n, in_sample = np.count_nonzero(pool.in_random_sample), pool.in_random_sample
    for one in sets:
        if one.kind == "random":
            continue
        size = len(in_sample) if one.kind == "all" else one.n
        shared = np.count_nonzero(in_sample[:size])
        mean = Symmetric(0, math.sqrt(1 / size + 1 / n - 2 * shared / (size * n)))
        yield Row(one.name, "", "a_n", mean)
        if one.kind == "top" and size == BEST:
            yield Row(random.name, "", "gap_std", mean)
            if others := n - shared:
                deviation = math.sqrt((size + others + 1) / (12 * size * others))
                yield Row(random.name, "", "auc", Symmetric(0.5, deviation))
    tops = sorted(one.n for one in sets if one.kind == "top")
    if len(tops) + 1 == _POINTS:
        tau_a = _tau_a(in_sample, tops)
        yield Row(random.name, "", "tau_a", Drawn(tau_a, of_averages=True))
        yield Row(random.name, "", "tau_a_mean", Drawn(tau_a))


def _tau_a(in_sample: npt.NDArray[np.bool_], tops: Sequence[int]) -> Floats:
    """τa of drawn predictions; the sets share what they share of the architectures, `tops` and the sample."""
    rng = np.random.default_rng(0)
    total, of_sample = np.zeros(DRAWS), np.zeros(DRAWS)
    points, begin = [], 0
    # Between one top-N and the next, the sums of those in the sample and of those outside are independent.
    for end in (*tops, len(in_sample)):
        inside = np.count_nonzero(in_sample[begin:end])
        sum_inside = rng.standard_normal(DRAWS) * math.sqrt(inside)
        total += sum_inside + rng.standard_normal(DRAWS) * math.sqrt(end - begin - inside)
        of_sample += sum_inside
        points.append(total / end)
        begin = end
    points[-1] = of_sample / np.count_nonzero(in_sample)
    signs = [np.sign(later - earlier) for earlier, later in itertools.combinations(points, 2)]
    # Whole numbers are added up, so that equal ones stay equal.
    found: Floats = np.sum(signs, axis=0) / len(signs)
    return found


def _correlations(predictions: Floats, values: Floats) -> Floats:
    """Pearson's of each row and `values`, which are not all equal."""
    rows = predictions - predictions.mean(axis=1, keepdims=True)
    column = values - values.mean()
    found: Floats = _sums(rows, column) / np.sqrt((rows**2).sum(axis=1) * (column**2).sum())
    return found


def _sums(signs: Floats, weights: Floats) -> Floats:
    """Of each drawn permutation the sum over pairs, rounded so that equal ones stay equal."""
    found: Floats = np.round(signs @ weights, 12)
    return found


@cache
def _predictions(n: int) -> Floats:
    """Drawn predictions of n architectures, normal ones: (DRAWS, n)."""
    return np.random.default_rng(0).standard_normal((DRAWS, n))


@cache
def _signs(n: int) -> Floats:
    """Whether they predict the first of each pair above the second, 1, or below it, -1: (DRAWS, pairs)."""
    first, second = np.triu_indices(n, 1)
    signs: Floats = np.sign(_predictions(n)[:, first] - _predictions(n)[:, second])
    return signs


@cache
def _first_places(n: int) -> npt.NDArray[np.int16]:
    """The true places, from 0, of the architectures that are predicted best: (DRAWS, up to _DRAWN)."""
    rng = np.random.default_rng(0)
    k = min(n, _DRAWN)
    drawn = rng.integers(0, n - np.arange(k), (DRAWS, k))
    # Each is one of those that are left: the others before it are counted in from the smallest on.
    for last in range(1, k):
        chosen = np.sort(drawn[:, :last], axis=1)
        for place in range(last):
            drawn[:, last] += drawn[:, last] >= chosen[:, place]
    return drawn.astype(np.int16)


@cache
def _best_places(n: int, k: int) -> Floats:
    """The best true place, from 0, among k that are drawn from n; by symmetry the worst, from the end."""
    # That none of the first places is among them.
    missing = np.cumprod((n - k - np.arange(n - k)) / (n - np.arange(n - k)))
    below = np.random.default_rng(0).random(DRAWS)
    return np.searchsorted(-missing, -below).astype(np.float64)


@cache
def _hits(n: int, k: int) -> Drawn:
    """The share of k that are drawn from n that is among k others."""
    return Drawn(np.random.default_rng(0).hypergeometric(k, n - k, k, DRAWS) / k)


@cache
def _orders_of_draws() -> tuple[Integers, ...]:
    """Which draws are added up, for each of several runs."""
    rng = np.random.default_rng(1)
    return tuple(rng.permutation(DRAWS) for _ in SEEDS)
