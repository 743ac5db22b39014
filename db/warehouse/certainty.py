"""How certain a metric is: intervals of its mean over seeds, for other architectures and other seeds.

Architectures and seeds are both samples: of a search space, and of trainings. How much the mean varies with
the architectures is told by the bootstrap: a resample draws as many, with replacement; for τ, an architecture
that was drawn twice is no pair with itself, so that repetition is no tie. Seeds are too few to be drawn from:
of three, resamples know 27, and their percentiles hold the truth in 74 to 83 % of cases. Their part is the
variance over seeds, and the interval that of Student's t. This is Python because it takes a thousand times
the work of a τ; db/views has all else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from nasrank.db.errors import NasrankError
from nasrank.db.warehouse.file import Warehouse

RESAMPLES: Final = 1_000
# Rows of the matrix of all pairs that are in memory at once.
_ROWS: Final = 500

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over seeds, or a difference of such means, and its 95 % interval; NaN for a single seed."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Predicted:
    """What the seeds of an experiment predict for the same architectures.

    Args:
        truth: (architectures,) ground truth, in the order of their numbers.
        predictions: (seeds, architectures).
        seeds: of the rows of `predictions`, ascending; None for a predictor in which nothing is random, which
            has one row.
    """

    truth: Vector
    predictions: Matrix
    seeds: tuple[int, ...] | None


def read_predicted(
    warehouse: Warehouse, experiment_id: str, gt_key: str, architecture_set: str, bn_mode: str = "running"
) -> Predicted:
    """The predictions at the end of training, if there is any, of the runs that have them for the whole set.

    Raises:
        NasrankError: no run of the experiment predicted the whole set.
    """
    rows = warehouse.query(
        """SELECT run.seed, point.truth, point.predicted
        FROM prediction_point AS point
        JOIN run USING (run_id)
        JOIN experiment USING (experiment_id)
        JOIN run_metric AS metric USING (run_id, epoch, bn_mode, gt_key, architecture_set)
        WHERE experiment_id = $experiment_id AND point.gt_key = $gt_key AND metric.gt_key = $gt_key
            AND point.architecture_set = $architecture_set
            AND (point.bn_mode = $bn_mode OR is_without_network(point.bn_mode))
            AND point.is_final AND metric.is_whole
        ORDER BY run.seed, point.arch_id""",
        {
            "experiment_id": experiment_id,
            "gt_key": gt_key,
            "architecture_set": architecture_set,
            "bn_mode": bn_mode,
        },
    )
    if rows.empty:
        raise NasrankError(
            f"no run of experiment {experiment_id!r} predicted the whole set {architecture_set!r} under "
            f"{gt_key} with BatchNorm statistics {bn_mode!r}; experiment_ranking lists those that did"
        )
    seeds = None if rows.seed.isna().all() else tuple(int(seed) for seed in rows.seed.unique())
    by_seed = rows.predicted.to_numpy().reshape(len(seeds or [None]), -1)
    return Predicted(rows.truth.to_numpy()[: by_seed.shape[1]], by_seed, seeds)


def experiments_with(warehouse: Warehouse, gt_key: str, architecture_set: str, bn_mode: str) -> list[str]:
    """The experiments with a run that predicted the whole set at the end of its training, if it had any.

    Raises:
        NasrankError: there is none.
    """
    found: list[str] = warehouse.query(
        """SELECT experiment_id FROM experiment_ranking
        JOIN experiment USING (experiment_id)
        WHERE gt_key = $gt_key AND architecture_set = $architecture_set
            AND (bn_mode = $bn_mode OR is_without_network(bn_mode)) AND is_final AND is_whole AND seeds > 0
        ORDER BY
            experiment.mask, experiment.name NULLS FIRST, experiment.lt, experiment.variant, experiment_id""",
        {"gt_key": gt_key, "architecture_set": architecture_set, "bn_mode": bn_mode},
    ).experiment_id.tolist()
    if not found:
        raise NasrankError(
            f"no run predicted the whole set {architecture_set!r} under {gt_key} with BatchNorm statistics "
            f"{bn_mode!r}; the view experiment_ranking lists what there is"
        )
    return found


def metric_interval(
    predicted: Predicted, metric: str = "tau", resamples: int = RESAMPLES, seed: int = 0
) -> Interval:
    """Of the mean over seeds of a metric, one of `METRICS`."""
    weights = _draws(len(predicted.truth), resamples, seed)
    return _interval([_Measured.of(metric, predicted, weights)])


def metric_difference(
    one: Predicted, other: Predicted, metric: str = "tau", resamples: int = RESAMPLES, seed: int = 0
) -> Interval:
    """Of a metric of `one` minus that of `other`, on the same resamples of architectures.

    Seeds are not paired: two trainings with one seed have no more in common than any two.

    Raises:
        NasrankError: they are not of the same architectures.
    """
    if not np.array_equal(one.truth, other.truth):
        raise NasrankError(
            "the two experiments are not measured on the same architectures: their masks differ"
        )
    weights = _draws(len(one.truth), resamples, seed)
    return _interval([_Measured.of(metric, predicted, weights) for predicted in (one, other)])


def _draws(architectures: int, resamples: int, seed: int) -> Matrix:
    """How often each architecture is drawn: (architectures, resamples)."""
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(architectures, np.full(architectures, 1 / architectures), resamples).T
    return counts.astype(float)


@dataclass(frozen=True, slots=True)
class _Measured:
    """A metric of each seed: (seeds,), and of each with each resample: (seeds, resamples)."""

    values: Vector
    resampled: Matrix
    is_random: bool

    @classmethod
    def of(cls, metric: str, predicted: Predicted, weights: Matrix) -> _Measured:
        once = np.ones((len(predicted.truth), 1))
        values = _of_seeds(metric, predicted, once)[:, 0]
        is_defined = ~np.isnan(values)  # not where a seed predicts the same for all
        resampled = _of_seeds(metric, predicted, weights)
        return cls(values[is_defined], resampled[is_defined], predicted.seeds is not None)

    @property
    def of_seeds(self) -> float:
        """The variance of the mean by seeds, also by how they meet these architectures; NaN for one seed."""
        if not self.is_random:
            return 0.0
        seeds = len(self.values)
        return float(self.values.var(ddof=1)) / seeds if seeds > 1 else math.nan

    @property
    def of_both(self) -> float:
        """The part of it that resamples of architectures have, too."""
        seeds = len(self.values)
        if seeds < 2:
            return 0.0
        apart = self.resampled - self.resampled.mean(axis=0)
        return float(np.nanvar(apart, axis=1, ddof=1).sum()) / (seeds - 1) / seeds


def _interval(measured: Sequence[_Measured]) -> Interval:
    """Of one mean over seeds, or of the first minus the second."""
    from scipy.stats import t  # takes a third of a second, which no other command need wait for

    signs = (1, -1)[: len(measured)]
    mean = float(sum(sign * one.values.mean() for sign, one in zip(signs, measured, strict=True)))
    means = sum(sign * one.resampled.mean(axis=0) for sign, one in zip(signs, measured, strict=True))
    of_architectures = float(np.nanvar(means, ddof=1))
    of_seeds = [one.of_seeds for one in measured]
    by_seeds = sum(of_seeds)
    if math.isnan(by_seeds):
        return Interval(mean, math.nan, math.nan)
    total = of_architectures + by_seeds - sum(one.of_both for one in measured)
    total = max(total, of_architectures, by_seeds)
    # Welch and Satterthwaite: how many degrees of freedom the variance has; of resamples, as good as all.
    spread = sum(
        variance**2 / (len(one.values) - 1)
        for one, variance in zip(measured, of_seeds, strict=True)
        if variance
    )
    degrees = total**2 / spread if spread else math.inf
    half = float(t.ppf(0.975, degrees)) * math.sqrt(total)
    return Interval(mean, mean - half, mean + half)


def _of_seeds(metric: str, predicted: Predicted, weights: Matrix) -> Matrix:
    """The metric of each seed with each column of multiplicities `weights`: (seeds, columns)."""
    measure = METRICS[metric]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.stack([measure(predicted.truth, row, weights) for row in predicted.predictions])


# Each takes truth and prediction (architectures,) and multiplicities (architectures, columns), and gives
# (columns,); NaN where it is not defined.
def _tau(truth: Vector, predicted: Vector, weights: Matrix) -> Vector:
    score, by_truth, by_prediction = _pairs(truth, predicted, weights)
    tau: Vector = score / np.sqrt(by_truth * by_prediction)
    return tau


def _tau_eq2(truth: Vector, predicted: Vector, weights: Matrix) -> Vector:
    score, _, _ = _pairs(truth, predicted, weights)
    tau: Vector = score / (weights.sum(axis=0) ** 2 - (weights**2).sum(axis=0))
    return tau


def _pairs(truth: Vector, predicted: Vector, weights: Matrix) -> tuple[Vector, Vector, Vector]:
    """Concordant minus discordant pairs, pairs of unequal truth, and of unequal prediction; each twice."""
    score, by_truth, by_prediction = (np.zeros(weights.shape[1]) for _ in range(3))
    for rows in _blocks(len(truth)):
        truth_signs = np.sign(truth[rows, None] - truth)
        predicted_signs = np.sign(predicted[rows, None] - predicted)
        for total, pairs in (
            (score, truth_signs * predicted_signs),
            (by_truth, np.abs(truth_signs)),
            (by_prediction, np.abs(predicted_signs)),
        ):
            total += (weights[rows] * (pairs @ weights)).sum(axis=0)
    return score, by_truth, by_prediction


def _spearman(truth: Vector, predicted: Vector, weights: Matrix) -> Vector:
    return _correlation(_ranks(truth, weights), _ranks(predicted, weights), weights)


def _pearson(truth: Vector, predicted: Vector, weights: Matrix) -> Vector:
    return _correlation(truth[:, None], predicted[:, None], weights)


def _a_n(truth: Vector, predicted: Vector, weights: Matrix) -> Vector:
    mean: Vector = (predicted[:, None] * weights).sum(axis=0) / weights.sum(axis=0)
    return mean


def _precision(truth: Vector, predicted: Vector, weights: Matrix, k: int) -> Vector:
    """The share of the k best predicted that are among the k best; of equals, the one that comes first."""
    both = np.minimum(_best(truth, weights, k), _best(predicted, weights, k))
    share: Vector = both.sum(axis=0) / k
    return share


def _best(values: Vector, weights: Matrix, k: int) -> Matrix:
    """How often each is among the k largest of the drawn: (architectures, columns)."""
    order = np.argsort(-values, kind="stable")
    drawn = weights[order]
    taken = np.empty_like(drawn)
    taken[order] = np.clip(k - (drawn.cumsum(axis=0) - drawn), 0, drawn)
    return taken


def _ranks(values: Vector, weights: Matrix) -> Matrix:
    """Ranks among the drawn, the mean rank for equal ones: (architectures, columns)."""
    distinct, place = np.unique(values, return_inverse=True)
    drawn = np.zeros((len(distinct), weights.shape[1]))
    np.add.at(drawn, place, weights)
    ranks: Matrix = (drawn.cumsum(axis=0) - (drawn - 1) / 2)[place]
    return ranks


def _correlation(x: Matrix, y: Matrix, weights: Matrix) -> Vector:
    total = weights.sum(axis=0)
    x = x - (x * weights).sum(axis=0) / total
    y = y - (y * weights).sum(axis=0) / total
    covariance = (x * y * weights).sum(axis=0)
    correlation: Vector = covariance / np.sqrt((x * x * weights).sum(axis=0) * (y * y * weights).sum(axis=0))
    return correlation


METRICS: Final[Mapping[str, Callable[[Vector, Vector, Matrix], Vector]]] = {
    "tau": _tau,
    "tau_eq2": _tau_eq2,
    "spearman": _spearman,
    "pearson": _pearson,
    "a_n": _a_n,
    "precision_at_10": partial(_precision, k=10),
    "precision_at_50": partial(_precision, k=50),
}


def _blocks(length: int) -> Iterator[slice]:
    return (slice(start, start + _ROWS) for start in range(0, length, _ROWS))
