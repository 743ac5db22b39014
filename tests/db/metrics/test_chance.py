"""What chance gives, against permutations: all of them for a few architectures, drawn ones for many."""

from __future__ import annotations

import itertools
import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasrank.db.metrics.chance import SEEDS, Drawn, Level, of_correlations, of_searches, of_truth
from nasrank.db.metrics.members import ArchitectureSet, Pool, Prediction, Truth
from nasrank.db.metrics.pair_sums import PairSum
from nasrank.db.metrics.pairs import Floats, Integers
from nasrank.db.metrics.searches import search
from nasrank.db.metrics.series import CORRELATIONS, Batches, Members, measure_series

SETS = [
    *(ArchitectureSet(f"top-{n}", "top", n) for n in (10, 25, 50, 100, 150, 250, 500)),
    ArchitectureSet("random", "random", 700),
    ArchitectureSet("all", "all", 900),
]
DRAWS = 4_000


def as_ranks(values: Floats) -> Integers:
    return np.unique(values, return_inverse=True)[1].astype(np.int32)


@cache
def truth_with_ties() -> Truth:
    """Nine hundred architectures whose accuracies have ties, most among the worse ones."""
    rng = np.random.default_rng(0)
    accuracy = -np.sort(-np.round(0.95 - rng.gamma(1.5, 0.02, 900), 3))
    size = np.round(accuracy * 60 + rng.normal(0, 0.6, 900))
    sample = np.zeros(900, bool)
    sample[rng.choice(900, 700, replace=False)] = True
    return Truth(np.arange(900, dtype=np.int16), accuracy, as_ranks(accuracy), as_ranks(size), sample)


def predicted(values: Floats) -> Pool:
    return truth_with_ties().predicted_by(Prediction.of(np.arange(900, dtype=np.int16), values))


@cache
def levels() -> dict[tuple[str, str, str], list[Level]]:
    return {
        (row.architecture_set, row.top_k, row.metric): list(row.chance.levels())
        for row in of_truth(predicted(np.zeros(900)), SETS)
    }


def fitting(truth: Integers, size: Integers, order: Integers) -> Members:
    """The best first, as `Members` are."""
    best_first = np.argsort(-truth, kind="stable")
    truth, size, order = truth[best_first], size[best_first], order[best_first]
    return Members(np.arange(len(truth)), truth, order, size, truth / 10, order.astype(np.float64))


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=5, max_size=6).filter(
        lambda pairs: len({p[0] for p in pairs}) > 1
    )
)
def test_deviations_are_those_of_all_permutations(pairs: list[tuple[int, int]]) -> None:
    truth, size = (np.array(column, np.int32) for column in zip(*pairs, strict=True))
    n = len(truth)
    every = measure_series(
        [fitting(truth, size, np.array(order, np.int32)) for order in itertools.permutations(range(n))]
    )
    ranks = fitting(truth, size, np.arange(n, dtype=np.int32)).truth_rank
    sizes = fitting(truth, size, np.arange(n, dtype=np.int32)).size_rank
    _, tied = PairSum.within(sizes, ranks)
    sums = {
        "tau": PairSum.tau_b(ranks),
        "tau_eq2": PairSum.by(ranks).times(1 / math.comb(n, 2)),
        "tau_weighted": PairSum.weighted(ranks),
    }
    for metric, one in sums.items():
        assert one.moments[0] == pytest.approx(every[metric].std(), abs=1e-12), metric
    assert tied == sum(math.comb(count, 2) for count in np.unique(sizes, return_counts=True)[1])
    for metric in ("spearman", "pearson"):
        assert every[metric].std() == pytest.approx(1 / math.sqrt(n - 1), abs=1e-12)
    # What is drawn is near to it.
    drawn = of_correlations(fitting(truth, size, np.arange(n, dtype=np.int32)))
    for metric, one in drawn.items():
        assert isinstance(one, Drawn)
        assert one.values.std() == pytest.approx(every[metric].std(), rel=0.04)
        if metric == "pearson":  # depends on how predictions are distributed
            continue
        possible = np.unique(every[metric])
        assert np.abs(np.unique(one.values)[:, None] - possible).min(axis=1).max() < 1e-9


def test_large_sets_are_as_drawn_permutations_rank_them() -> None:
    """The deviation, and how many are within the middle 95 %, of one run and of the mean of four."""
    rng = np.random.default_rng(1)
    batches = Batches()
    series = np.empty((len(SETS) - 1, DRAWS), np.int64)
    areas = np.empty(DRAWS)
    for draw in range(DRAWS):
        pool = predicted(rng.standard_normal(900))
        areas[draw] = pool.area()
        for place, one in enumerate(SETS[:-1]):
            series[place, draw] = batches.add(pool.set(one.kind, one.n))
    metrics = batches.metrics()
    means = {one.name: metrics["mean_predicted"][numbers] for one, numbers in zip(SETS, series, strict=False)}
    deviation = metrics["predicted_std"][series[-1]]
    found = {
        (one.name, metric): metrics[metric][numbers]
        for one, numbers in zip(SETS, series, strict=False)
        for metric in CORRELATIONS
        if (one.name, "", metric) in levels()
    }
    assert len(found) > 55, "of a few sets, too few have one size"
    found |= {(name, "a_n"): (mean - means["random"]) / deviation for name, mean in means.items()}
    del found["random", "a_n"]
    found["random", "gap_std"] = found["top-500", "a_n"]
    found["random", "auc"] = areas
    for (name, metric), values in found.items():
        assert not np.isnan(values).any()
        for seeds in (1, 4):
            of_seeds = values.reshape(-1, seeds).mean(axis=1)
            level = levels()[name, "", metric][SEEDS.index(seeds)]
            assert level.std == pytest.approx(of_seeds.std(), rel=0.05 * seeds**0.5), (name, metric, seeds)
            within = np.mean((of_seeds >= level.low - 1e-9) & (of_seeds <= level.high + 1e-9))
            # Of few architectures, τ takes few values, and more than 95 % are within.
            most = 1 if name in ("top-10", "top-25") else 0.962 + 0.004 * seeds
            assert 0.938 - 0.004 * seeds < within <= most, (name, metric, seeds)
            assert level.mean == pytest.approx(of_seeds.mean(), abs=0.08 * level.std * seeds**0.5)


def test_tau_a_and_its_mean() -> None:
    """The deviations that are known: 0.52 of one run, as wide of averaged predictions, 0.24 of five means."""
    rng = np.random.default_rng(2)
    truth = truth_with_ties()
    points = np.empty((DRAWS, 8))
    for draw in range(DRAWS):
        values = rng.standard_normal(900)
        points[draw] = [*(values[: one.n].mean() for one in SETS[:7]), values[truth.in_random_sample].mean()]
    signs = [np.sign(points[:, j] - points[:, i]) for i, j in itertools.combinations(range(8), 2)]
    tau_a = np.mean(signs, axis=0)
    one, *_, five = levels()["random", "", "tau_a"][:5]
    mean = levels()["random", "", "tau_a_mean"][4]
    assert one.std == pytest.approx(tau_a.std(), rel=0.04)
    assert one[1:] == five[1:]
    assert (one.low, one.high) == pytest.approx(tuple(np.quantile(tau_a, (0.025, 0.975))), abs=0.08)
    assert mean.std == pytest.approx(one.std / math.sqrt(5))
    of_five = tau_a.reshape(-1, 5).mean(axis=1)
    assert (mean.low, mean.high) == pytest.approx(tuple(np.quantile(of_five, (0.025, 0.975))), abs=0.06)


def test_searches_of_all_and_of_drawn_permutations() -> None:
    rng = np.random.default_rng(3)
    found: dict[tuple[str, str], list[float]] = {}
    metrics = ("precision_at_k", "bottom_precision_at_k", "best_rank", "worst_rank", "regret", "ndcg_at_k")
    for _ in range(DRAWS):
        pool = predicted(rng.standard_normal(900))
        for cut in search(pool.set("random", 700)):
            for metric in metrics:
                found.setdefault((cut["top_k"], metric), []).append(cut[metric])
    for (top_k, metric), drawn in found.items():
        values = np.array(drawn)
        level = levels()["random", top_k, metric][0]
        error = values.std() / math.sqrt(DRAWS) + level.std / math.sqrt(10_000)
        assert level.mean == pytest.approx(values.mean(), abs=4 * error + 1e-12), (top_k, metric)
        # One in seven hundred is seldom drawn.
        rare = top_k in ("top-1", "0.1 %") and "precision" in metric
        assert level.std == pytest.approx(values.std(), rel=0.5 if rare else 0.12), (top_k, metric)
        assert np.mean((values >= level.low - 1e-9) & (values <= level.high + 1e-9)) > 0.938, (top_k, metric)
        assert level.low >= values.min() - 1e-9 - 4 * error * 60, (top_k, metric)


def test_what_is_not_defined_is_absent() -> None:
    """No size tells anything of two architectures, and nothing ranks truths that are all equal."""
    ones = np.ones(30, np.int32)
    equal = Members(np.arange(30), ones, ones, np.arange(30, dtype=np.int32), ones / 2, ones / 2)
    assert of_correlations(equal) == {}
    ranks = np.arange(30, dtype=np.int32)[::-1]
    of_one_size = Members(np.arange(30), ranks, ranks, ones, ranks / 100, ranks / 100)
    assert "tau_partial" not in of_correlations(of_one_size)
    assert "tau_same_size" in of_correlations(of_one_size)
    assert not [metric for _, metric, _ in of_searches(np.full(30, 0.5)) if metric == "ndcg_at_k"]
    small = {row.metric for row in of_truth(predicted(np.zeros(900)), SETS[-2:])}
    assert not small & {"tau_a", "tau_a_mean", "gap_std", "auc"}, "without the paper's sets"
