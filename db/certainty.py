"""How certain a τ is: intervals by the bootstrap over architectures and seeds.

Architectures and seeds are both samples: of a search space, and of trainings. A resample draws as many of
each, with replacement; an architecture that was drawn twice is no pair with itself, so that repetition is no
tie. This is Python because it takes a thousand times the work of a τ; db/views has all else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from db.errors import NasrankError
from db.warehouse import Warehouse

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
        seeds: of the rows of `predictions`, ascending.
    """

    truth: Vector
    predictions: Matrix
    seeds: tuple[int, ...]


def read_predicted(
    warehouse: Warehouse, experiment_id: str, gt_key: str, architecture_set: str, bn_mode: str = "running"
) -> Predicted:
    """The predictions at the end of training, of the runs that have them for the whole set.

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
            AND point.architecture_set = $architecture_set AND point.bn_mode = $bn_mode
            AND point.epoch = experiment.epochs AND metric.n_predicted = metric.n
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
    seeds: list[int] = rows.seed.unique().tolist()
    by_seed = rows.predicted.to_numpy().reshape(len(seeds), -1)
    return Predicted(rows.truth.to_numpy()[: by_seed.shape[1]], by_seed, tuple(seeds))


def experiments_with(warehouse: Warehouse, gt_key: str, architecture_set: str, bn_mode: str) -> list[str]:
    """The experiments with a run that predicted the whole set at the end of its training.

    Raises:
        NasrankError: there is none.
    """
    found: list[str] = warehouse.query(
        """SELECT experiment_id FROM experiment_ranking
        JOIN experiment USING (experiment_id)
        WHERE gt_key = $gt_key AND architecture_set = $architecture_set AND bn_mode = $bn_mode
            AND epoch = experiment.epochs AND seeds > 0
        ORDER BY experiment.mask, experiment.lt, experiment.variant, experiment_id""",
        {"gt_key": gt_key, "architecture_set": architecture_set, "bn_mode": bn_mode},
    ).experiment_id.tolist()
    if not found:
        raise NasrankError(
            f"no run predicted the whole set {architecture_set!r} under {gt_key} with BatchNorm statistics "
            f"{bn_mode!r}; the view experiment_ranking lists what there is"
        )
    return found


def tau_interval(predicted: Predicted, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """Of the mean over seeds of Kendall's tau-b."""
    architectures, seeds = _draws(predicted.predictions.shape, resamples, seed)
    return _interval(
        float(np.nanmean(_taus(predicted.truth, predicted.predictions, np.ones((len(predicted.truth), 1))))),
        _mean_of_drawn(_taus(predicted.truth, predicted.predictions, architectures), seeds),
    )


def tau_difference(
    one: Predicted, other: Predicted, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[Interval, int]:
    """Of τ of `one` minus that of `other`, on the same resamples of architectures and common seeds.

    Also the number of these seeds.

    Raises:
        NasrankError: they are not of the same architectures, or have no seed in common.
    """
    if not np.array_equal(one.truth, other.truth):
        raise NasrankError(
            "the two experiments are not measured on the same architectures: their masks differ"
        )
    common = sorted(set(one.seeds) & set(other.seeds))
    if not common:
        raise NasrankError("the two experiments have no seed in common")
    rows = [
        experiment.predictions[[experiment.seeds.index(s) for s in common]] for experiment in (one, other)
    ]
    architectures, seeds = _draws(rows[0].shape, resamples, seed)
    once = np.ones((len(one.truth), 1))
    mean, resampled = (
        _taus(one.truth, rows[0], weights) - _taus(one.truth, rows[1], weights)
        for weights in (once, architectures)
    )
    return _interval(float(np.nanmean(mean)), _mean_of_drawn(resampled, seeds)), len(common)


def _draws(shape: Sequence[int], resamples: int, seed: int) -> tuple[Matrix, npt.NDArray[np.int64]]:
    """How often each architecture is drawn (architectures, resamples), and which seeds (seeds, resamples)."""
    seeds, architectures = shape
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(architectures, np.full(architectures, 1 / architectures), resamples).T
    return counts.astype(float), rng.integers(0, seeds, (seeds, resamples))


def _taus(truth: Vector, predictions: Matrix, weights: Matrix) -> Matrix:
    """Tau-b of each row of `predictions` with each column of multiplicities `weights`: (seeds, columns)."""
    return np.stack([_tau(truth, row, weights) for row in predictions])


def _tau(truth: Vector, predicted: Vector, weights: Matrix) -> Vector:
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
    with np.errstate(invalid="ignore"):
        tau: Vector = score / np.sqrt(by_truth * by_prediction)
    return tau


def _blocks(length: int) -> Iterator[slice]:
    return (slice(start, start + _ROWS) for start in range(0, length, _ROWS))


def _mean_of_drawn(taus: Matrix, seeds: npt.NDArray[np.int64]) -> Vector:
    mean: Vector = np.take_along_axis(taus, seeds, axis=0).mean(axis=0)
    return mean


def _interval(mean: float, resampled: Vector) -> Interval:
    low, high = np.nanquantile(resampled, [0.025, 0.975])
    return Interval(mean, float(low), float(high))
