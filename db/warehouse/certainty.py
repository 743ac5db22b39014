"""How certain a metric is: intervals by the bootstrap over architectures and seeds.

Architectures and seeds are both samples: of a search space, and of trainings. A resample draws as many of
each, with replacement; for τ, an architecture that was drawn twice is no pair with itself, so that repetition
is no tie. This is Python because it takes a thousand times the work of a τ; db/views has all else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
    """A mean over seeds, and the middle 95 % of what resamples give."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Predicted:
    """What the seeds of an experiment predict for the same architectures.

    Args:
        truth: (architectures,) ground truth.
        predictions: (seeds, architectures).
        seeds: of the rows of `predictions`, ascending; None for a predictor in which nothing is random, which
            has one row.
    """

    truth: Vector
    predictions: Matrix
    seeds: tuple[int, ...] | None

    def of_seeds(self, seeds: Sequence[int]) -> Predicted:
        """The predictions of these seeds; what has none says the same for each."""
        rows = [0] * len(seeds) if self.seeds is None else [self.seeds.index(seed) for seed in seeds]
        return Predicted(self.truth, self.predictions[rows], tuple(seeds))


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
        ORDER BY run.seed, point.gt_rank""",
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
    architectures, seeds = _draws(predicted.predictions.shape, resamples, seed)
    once = np.ones((len(predicted.truth), 1))
    mean, resampled = (_of_seeds(metric, predicted, weights) for weights in (once, architectures))
    return _interval(float(np.nanmean(mean)), _mean_of_drawn(resampled, seeds))


def metric_difference(
    one: Predicted, other: Predicted, metric: str = "tau", resamples: int = RESAMPLES, seed: int = 0
) -> tuple[Interval, int]:
    """Of a metric of `one` minus that of `other`, on the same resamples of architectures and common seeds.

    Also the number of these seeds.

    Raises:
        NasrankError: they are not of the same architectures, or have no seed in common.
    """
    if not np.array_equal(one.truth, other.truth):
        raise NasrankError(
            "the two experiments are not measured on the same architectures: their masks differ"
        )
    known = [set(predicted.seeds) for predicted in (one, other) if predicted.seeds is not None]
    common = sorted(set.intersection(*known)) if known else [0]
    if not common:
        raise NasrankError("the two experiments have no seed in common")
    pair = [predicted.of_seeds(common) for predicted in (one, other)]
    architectures, seeds = _draws(pair[0].predictions.shape, resamples, seed)
    once = np.ones((len(one.truth), 1))
    mean, resampled = (
        _of_seeds(metric, pair[0], weights) - _of_seeds(metric, pair[1], weights)
        for weights in (once, architectures)
    )
    return _interval(float(np.nanmean(mean)), _mean_of_drawn(resampled, seeds)), len(common)


def _draws(shape: Sequence[int], resamples: int, seed: int) -> tuple[Matrix, npt.NDArray[np.int64]]:
    """How often each architecture is drawn (architectures, resamples), and which seeds (seeds, resamples)."""
    seeds, architectures = shape
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(architectures, np.full(architectures, 1 / architectures), resamples).T
    return counts.astype(float), rng.integers(0, seeds, (seeds, resamples))


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
}


def _blocks(length: int) -> Iterator[slice]:
    return (slice(start, start + _ROWS) for start in range(0, length, _ROWS))


def _mean_of_drawn(values: Matrix, seeds: npt.NDArray[np.int64]) -> Vector:
    mean: Vector = np.take_along_axis(values, seeds, axis=0).mean(axis=0)
    return mean


def _interval(mean: float, resampled: Vector) -> Interval:
    low, high = np.nanquantile(resampled, [0.025, 0.975])
    return Interval(mean, float(low), float(high))
