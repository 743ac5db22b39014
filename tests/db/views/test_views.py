"""The views against slow, obvious Python, on data with many ties, and on one case worked by hand."""

from __future__ import annotations

import itertools
import math
import shutil
import statistics
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau, pearsonr, spearmanr, weightedtau
from scipy.stats import t as student_t
from sklearn.metrics import ndcg_score, roc_auc_score

from nasrank.db.benchmarks import Benchmark
from nasrank.db.ingest.folders import ingest
from nasrank.db.metrics.series import tenths_of_a_point
from nasrank.db.nb201.architectures import NUM_ARCHITECTURES, all_architectures, parse_mask, sample_order
from nasrank.db.nb201.equivalence import isomorphism_classes
from nasrank.db.predictions.importing import import_predictions
from nasrank.db.predictions.reading import PredictionOptions
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.ground_truth import import_benchmark
from tests.conftest import RunWriter
from tests.samples import random_predictions, write_run_folder

SIZES = (10, 25, 50, 100, 150, 250, 500)
PERCENTS = (0.5, 1, 5, 10)
KEY = "synthetic:cifar10-valid/test@200"
MASKS = ("", "Zero+Pool", "Zero+Skip+Pool")


def benchmark(accuracies: Mapping[str, Sequence[float]]) -> Benchmark:
    """Accuracies of all architectures by trial, as an importer returns them."""
    columns = [
        (arch_id, trial, accuracy)
        for trial, values in accuracies.items()
        for arch_id, accuracy in enumerate(values)
    ]
    rows = len(columns)
    results = pa.table(
        {
            "arch_id": pa.array([row[0] for row in columns], pa.int16()),
            "dataset": ["cifar10-valid"] * rows,
            "split": ["test"] * rows,
            "epochs": pa.array([200] * rows, pa.int32()),
            "epoch": pa.array([200] * rows, pa.int32()),
            "trial": [row[1] for row in columns],
            "accuracy": pa.array([row[2] for row in columns], pa.float64()),
        }
    )
    costs = pa.table(
        {
            "arch_id": pa.array([], pa.int16()),
            "dataset": pa.array([], pa.string()),
            "epochs": pa.array([], pa.int32()),
            "trial": pa.array([], pa.string()),
        }
    )
    return Benchmark(
        format="csv",
        importer_version=1,
        file_name="synthetic.csv",
        size_bytes=1,
        sha256="0" * 64,
        license=None,
        description="made for a test",
        results=results,
        costs=costs,
    )


def tied_accuracies(seed: int) -> list[float]:
    """Accuracies of all architectures in steps of 0.001, so that many are equal."""
    return (np.random.default_rng(seed).integers(100, 950, NUM_ARCHITECTURES) / 1000).tolist()


def admitted(mask: str, one_per_class: bool = False) -> list[int]:
    removed = parse_mask(mask).bits
    found = [arch_id for arch_id, a in enumerate(all_architectures()) if not a.used.bits & removed]
    if one_per_class:
        classes = isomorphism_classes()
        first = {classes[arch_id]: arch_id for arch_id in reversed(found)}
        found = sorted(first.values())
    return found


def sets_by_hand(truth: Sequence[float], mask: str, one_per_class: bool = False) -> dict[str, list[int]]:
    """The architecture sets of the study, straight from its definition."""
    candidates = admitted(mask, one_per_class)
    best_first = sorted(candidates, key=lambda arch_id: (-truth[arch_id], arch_id))
    sets = {f"top-{n}": best_first[:n] for n in SIZES if n <= len(candidates)}
    sets |= {f"top-{p:g} %": best_first[: math.ceil(len(candidates) * p / 100)] for p in PERCENTS}
    chosen = set(candidates)
    sample = [arch_id for arch_id in sample_order() if arch_id in chosen][:1000]
    suffix = " classes" if one_per_class else ""
    return {
        name + suffix: members for name, members in (sets | {"random": sample, "all": best_first}).items()
    }


def size(arch_id: int) -> int:
    """Trainable parameters on CIFAR-10, up to what all have."""
    operations = all_architectures()[arch_id].operations
    return 243_040 * operations.count(3) + 28_000 * operations.count(2)


def same_size_tau(members: Sequence[int], truth: Sequence[float], predicted: Sequence[float]) -> float:
    """Concordant minus discordant by all pairs of equal size; NaN for fewer than 30."""
    sizes, score, pairs = np.array([size(arch_id) for arch_id in members]), 0.0, 0
    for one in set(sizes.tolist()):
        of_size = sizes == one
        signs = [
            np.greater.outer(values, values).astype(int) - np.less.outer(values, values)
            for values in (np.array(truth)[of_size], np.array(predicted)[of_size])
        ]
        score += float((signs[0] * signs[1]).sum()) / 2
        pairs += math.comb(int(of_size.sum()), 2)
    return score / pairs if pairs >= 30 else math.nan


def partial_tau(members: Sequence[int], truth: Sequence[float], predicted: Sequence[float]) -> float:
    """Kendall's partial τ given the size, from three tau-b of scipy."""
    sizes = [size(arch_id) for arch_id in members]
    xy, xz, yz = (
        kendalltau(*both).statistic for both in ((truth, predicted), (truth, sizes), (predicted, sizes))
    )
    rest = (1 - xz**2) * (1 - yz**2)
    return float((xy - xz * yz) / math.sqrt(rest)) if rest > 1e-12 else math.nan


def search_by_hand(
    pool: Sequence[int], truth: Sequence[float], predicted: Mapping[int, float | None], k: int
) -> tuple[float, int, float]:
    """(precision at k, best true rank, regret) of looking at the k best predicted."""
    best_first = sorted(pool, key=lambda arch_id: (-truth[arch_id], arch_id))
    looked_at = sorted(pool, key=lambda arch_id: (-(predicted[arch_id] or 0), arch_id))[:k]
    ranks = [best_first.index(arch_id) + 1 for arch_id in looked_at]
    regret = truth[best_first[0]] - max(truth[arch_id] for arch_id in looked_at)
    return sum(rank <= k for rank in ranks) / k, min(ranks), regret


def discounted_gain(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(place + 1) for place, gain in enumerate(gains, 1))


def ndcg_by_hand(
    pool: Sequence[int], truth: Sequence[float], predicted: Mapping[int, float | None], k: int
) -> float:
    """Gain of the k best predicted by that of the k best."""
    least = min(truth[arch_id] for arch_id in pool)
    looked_at = sorted(pool, key=lambda arch_id: (-(predicted[arch_id] or 0), arch_id))[:k]
    best = sorted((truth[arch_id] - least for arch_id in pool), reverse=True)[:k]
    return discounted_gain([truth[arch_id] - least for arch_id in looked_at]) / discounted_gain(best)


def tenths(truth: Sequence[float]) -> list[int]:
    """Tenths of a percentage point, half away from zero, by decimal arithmetic."""
    return [int((Decimal(repr(value)) * 1000).quantize(Decimal(1), ROUND_HALF_UP)) for value in truth]


def weighted_tau(members: Sequence[int], truth: Sequence[float], predicted: Sequence[float]) -> float:
    """Of SciPy, with the true rank from 0, by which equal ones are told by their index."""
    ranks = np.empty(len(members), int)
    ranks[np.lexsort((members, -np.array(truth)))] = range(len(members))
    return float(weightedtau(truth, predicted, rank=ranks).statistic)


def equation_2(truth: Sequence[float], predicted: Sequence[float]) -> float:
    """Concordant minus discordant by all pairs, counted one by one."""
    score = 0
    for (truth_a, predicted_a), (truth_b, predicted_b) in itertools.combinations(
        zip(truth, predicted, strict=True), 2
    ):
        product = (truth_a - truth_b) * (predicted_a - predicted_b)
        score += (product > 0) - (product < 0)
    return score / math.comb(len(truth), 2)


@pytest.fixture
def truth(warehouse: Warehouse) -> list[float]:
    """Ground truth in three trials under the name `synthetic`; returns its means."""
    trials = [tied_accuracies(seed) for seed in range(3)]
    import_benchmark(warehouse, "synthetic", benchmark({str(k): trial for k, trial in enumerate(trials)}))
    return [round(statistics.fmean(values), 8) for values in zip(*trials, strict=True)]


@pytest.mark.parametrize("one_per_class", [False, True])
@pytest.mark.parametrize("mask", MASKS)
def test_sets_are_those_of_the_study(
    warehouse: Warehouse, truth: list[float], mask: str, one_per_class: bool
) -> None:
    rows = warehouse.query(
        """SELECT architecture_set, n, arch_id FROM architecture_set
        WHERE gt_key = ? AND mask = ? AND one_per_class = ?""",
        [KEY, mask, one_per_class],
    )
    found = {name: set(group.arch_id) for name, group in rows.groupby("architecture_set")}
    expected = sets_by_hand(truth, mask, one_per_class)
    assert found == {name: set(members) for name, members in expected.items()}
    assert all(len(found[name]) == n for name, n in zip(rows.architecture_set, rows.n, strict=True))


def check_metrics(
    row: Any, members: Sequence[int], truth: Sequence[float], predictions: Mapping[int, float | None]
) -> None:
    """A row of run_ranking whose run predicted all of the set."""
    predicted = [predictions[arch_id] or 0.0 for arch_id in members]
    expected = [truth[arch_id] for arch_id in members]
    assert (row.n, row.n_predicted) == (len(members), len(members))
    assert row.a_n == pytest.approx(statistics.fmean(predicted), abs=1e-12)
    if len(members) == 1:  # the best 0.5 % of 64
        assert np.isnan([row.tau, row.tau_eq2, row.spearman, row.pearson, row.predicted_std]).all()
        return
    assert row.tau == pytest.approx(kendalltau(expected, predicted).statistic, abs=1e-12)
    assert row.spearman == pytest.approx(spearmanr(expected, predicted).statistic, abs=1e-9)
    assert row.pearson == pytest.approx(pearsonr(expected, predicted).statistic, abs=1e-9)
    assert row.predicted_std == pytest.approx(statistics.stdev(predicted), abs=1e-12)
    same = same_size_tau(members, expected, predicted)
    assert row.tau_same_size == pytest.approx(same, abs=1e-12, nan_ok=True)
    partial = partial_tau(members, expected, predicted)
    assert row.tau_partial == pytest.approx(partial, abs=1e-9, nan_ok=True)
    sparse = kendalltau(tenths(expected), predicted).statistic
    assert row.tau_sparse == pytest.approx(sparse, abs=1e-12, nan_ok=True)
    assert row.tau_weighted == pytest.approx(weighted_tau(members, expected, predicted), abs=1e-9)
    if len(members) <= 250:  # a thousand have half a million pairs
        assert row.tau_eq2 == pytest.approx(equation_2(expected, predicted), abs=1e-12)


def check_means(row: Any, single: pd.DataFrame) -> None:
    """A row of experiment_ranking against the rows of run_ranking that it is of, of three seeds."""
    correlations = ("tau", "tau_eq2", "spearman", "pearson", "tau_same_size", "tau_partial")
    for column in ("a_n", *correlations, "tau_sparse", "tau_weighted"):
        values = single[column].dropna().tolist()
        if not values:
            assert math.isnan(getattr(row, f"{column}_mean"))
            continue
        deviation = statistics.stdev(values)
        assert getattr(row, f"{column}_mean") == pytest.approx(statistics.fmean(values), abs=1e-12)
        assert getattr(row, f"{column}_std") == pytest.approx(deviation, abs=1e-12)
        half = student_t.ppf(0.975, 2) * deviation / math.sqrt(3)
        assert getattr(row, f"{column}_interval") == pytest.approx(half, rel=1e-6)


@pytest.mark.parametrize("asked", [False, True], ids=["computed", "stored"])
@pytest.mark.parametrize("mask", MASKS)
def test_metrics_of_runs_and_experiments(
    warehouse: Warehouse, truth: list[float], write_run: RunWriter, mask: str, asked: bool
) -> None:
    predictions = {seed: random_predictions(mask, seed) for seed in (0, 1, 2)}
    status = {"ground_truth_keys": [KEY] if asked else []}
    folders = [write_run(predictions[seed], seed=seed, mask=mask, status=status) for seed in predictions]
    assert len(ingest(warehouse, folders).ingested) == 3
    assert (
        warehouse.query("SELECT count(*) AS n FROM stored_ranking WHERE bn_mode <> 'untrained'").n[0] > 0
    ) == asked
    every = warehouse.query("SELECT * FROM run_ranking WHERE seed >= 0 AND gt_key = ?", [KEY])
    assert every.is_whole.all()
    for one_per_class in (False, True):
        rows = every[every.one_per_class == one_per_class]
        sets = sets_by_hand(truth, mask, one_per_class)
        if not one_per_class:
            sets["predicted"] = sets["all"]
        assert len(rows) == 3 * len(sets)
        for row in rows.itertuples():
            check_metrics(row, sets[row.architecture_set], truth, predictions[row.seed])

    rows = every[~every.one_per_class]
    means = warehouse.query(
        "SELECT * FROM experiment_ranking WHERE kind <> 'untrained' AND gt_key = ? AND NOT one_per_class",
        [KEY],
    )
    assert len(means) == rows.architecture_set.nunique()
    for row in means.itertuples():
        single = rows[rows.architecture_set == row.architecture_set]
        check_means(row, single)
        assert row.seeds == 3

    per_seed = warehouse.query("SELECT * FROM tau_a WHERE bn_mode <> 'untrained' AND gt_key = ?", [KEY])
    overall = warehouse.query(
        "SELECT * FROM experiment_tau_a WHERE kind <> 'untrained' AND gt_key = ?", [KEY]
    )
    if mask == "Zero+Skip+Pool":  # 64 architectures have no top-100: the eight points do not exist
        assert per_seed.empty
        assert overall.empty
        return
    names = [*(f"top-{n}" for n in SIZES), "random"]
    position = list(range(8))
    singles = []
    for row in per_seed.itertuples():
        series = rows[rows.run_id == row.run_id].set_index("architecture_set").a_n.loc[names].tolist()
        singles.append(equation_2(position, series))
        assert row.tau_a == pytest.approx(singles[-1], abs=1e-12)
        assert set(rows[rows.run_id == row.run_id].tau_a) == {row.tau_a}
    averaged = means.set_index("architecture_set").a_n_mean.loc[names].tolist()
    assert overall.tau_a[0] == pytest.approx(equation_2(position, averaged), abs=1e-12)
    if mask == "":
        in_classes = warehouse.query(
            "SELECT * FROM experiment_ranking WHERE kind <> 'untrained' AND gt_key = ? AND one_per_class",
            [KEY],
        ).set_index("architecture_set")
        averaged = in_classes.a_n_mean.loc[[f"{name} classes" for name in names]].tolist()
        assert overall.tau_a_classes[0] == pytest.approx(equation_2(position, averaged), abs=1e-12)
    assert overall.tau_a_mean[0] == pytest.approx(statistics.fmean(singles), abs=1e-12)
    assert overall.tau_a_std[0] == pytest.approx(statistics.stdev(singles), abs=1e-12)


def test_a_single_trial_is_a_key_of_its_own(warehouse: Warehouse, truth: list[float]) -> None:
    rows = warehouse.query("SELECT arch_id, accuracy FROM ground_truth WHERE gt_key = ?", [f"{KEY}#1"])
    assert dict(zip(rows.arch_id, rows.accuracy, strict=True)) == dict(enumerate(tied_accuracies(1)))


def test_worked_by_hand(warehouse: Warehouse, write_run: RunWriter) -> None:
    """Mask C1x1+C3x3+Pool leaves Zero and Skip; the best ten of its 64 are ours to choose.

    Truth of ranks 1..10:      .90 .80 .80 .70 .60 .50 .40 .30 .20 .10, all others .05
    Predicted for ranks 1..10: .9  .8  .7  .8  .5  .6  .4  .3  .2  .1
    Of the 45 pairs one has equal truth (ranks 2 and 3), one has equal predictions (2 and 4). Pairs
    (3, 4) and (5, 6) are discordant, the other 41 concordant: 41 - 2 = 39.
    """
    mask = "C1x1+C3x3+Pool"
    members = admitted(mask)
    best = members[:10]
    accuracies = [0.05] * NUM_ARCHITECTURES
    for arch_id, accuracy in zip(best, [0.9, 0.8, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1], strict=True):
        accuracies[arch_id] = accuracy
    import_benchmark(warehouse, "synthetic", benchmark({"mean": accuracies}))
    predicted: dict[int, float | None] = dict.fromkeys(members, 0.0)
    predicted |= dict(zip(best, [0.9, 0.8, 0.7, 0.8, 0.5, 0.6, 0.4, 0.3, 0.2, 0.1], strict=True))
    ingest(warehouse, [write_run(predicted, mask=mask)])
    [row] = warehouse.query(
        "SELECT * FROM run_ranking WHERE seed >= 0 AND gt_key = ? AND architecture_set = 'top-10'", [KEY]
    ).itertuples()
    assert row.a_n == pytest.approx(0.53)
    assert row.tau_eq2 == pytest.approx(39 / 45)
    assert row.tau == pytest.approx(39 / 44)


def test_tau_a_is_minus_one_where_accuracy_falls_and_the_paper_is_beside_it(
    warehouse: Warehouse, truth: list[float], write_run: RunWriter
) -> None:
    predictions = {arch_id: truth[arch_id] for arch_id in admitted("Zero+Pool")}
    ingest(warehouse, [write_run(predictions, mask="Zero+Pool", cells_per_stage=2, channels=32, size="S")])
    [row] = warehouse.query(
        "SELECT * FROM experiment_tau_a WHERE kind <> 'untrained' AND gt_key = ?", [KEY]
    ).itertuples()
    assert row.tau_a == row.reported_tau_a == -1
    assert math.isnan(row.tau_a_classes), "the mask leaves fewer than 500 classes"
    assert row.difference_to_reported == 0
    taus = warehouse.query(
        "SELECT tau FROM run_metric WHERE bn_mode <> 'untrained' AND gt_key = ?", [KEY]
    ).tau
    assert taus.tolist() == pytest.approx([1.0] * len(taus))


def test_what_is_missing_is_left_out_and_told(
    warehouse: Warehouse, truth: list[float], write_run: RunWriter
) -> None:
    predictions = random_predictions("Zero+Pool", 0)
    missing = sets_by_hand(truth, "Zero+Pool")["top-150"][-1]
    predictions[missing] = None
    ingest(warehouse, [write_run(predictions, mask="Zero+Pool")])
    rows = warehouse.query(
        "SELECT * FROM run_ranking WHERE seed >= 0 AND gt_key = ? AND NOT one_per_class", [KEY]
    ).set_index("architecture_set")
    sets = sets_by_hand(truth, "Zero+Pool")
    assert set(rows.index) == {*sets, "predicted"}
    for name, members in (sets | {"predicted": [a for a in sets["all"] if a != missing]}).items():
        row, known = rows.loc[name], [arch_id for arch_id in members if arch_id != missing]
        assert (row.n, row.n_predicted, row.is_whole) == (len(members), len(known), missing not in members)
        predicted = [predictions[arch_id] for arch_id in known]
        assert row.a_n == pytest.approx(np.mean(predicted), abs=1e-12)
        expected = kendalltau([truth[arch_id] for arch_id in known], predicted).statistic
        assert row.tau == pytest.approx(expected, abs=1e-12)
    assert rows.tau_a.isna().all(), "only of eight whole sets"
    assert rows.gap.isna().all()
    means = warehouse.query(
        "SELECT * FROM experiment_ranking WHERE kind <> 'untrained' AND gt_key = ? AND is_whole", [KEY]
    )
    assert set(means.architecture_set[~means.one_per_class]) == set(rows.index[rows.is_whole])
    assert (
        warehouse.query(
            "SELECT count(*) AS n FROM experiment_tau_a WHERE kind <> 'untrained' AND gt_key = ?", [KEY]
        ).n[0]
        == 0
    )


def test_a_set_of_which_nothing_was_predicted_is_told(
    warehouse: Warehouse, truth: list[float], write_run: RunWriter
) -> None:
    best = sets_by_hand(truth, "Zero+Pool")["top-25"]
    rest = random_predictions("Zero+Pool", 0)
    ingest(
        warehouse,
        [write_run({a: p for a, p in rest.items() if a not in best}, mask="Zero+Pool")],
    )
    rows = warehouse.query(
        "SELECT * FROM run_ranking WHERE seed >= 0 AND gt_key = ? ORDER BY n", [KEY]
    ).set_index("architecture_set")
    assert rows.n_predicted[["top-10", "top-25", "top-50"]].tolist() == [0, 0, 25]
    assert rows.loc[["top-10", "top-25"], ["a_n", "tau", "tau_eq2"]].isna().all(axis=None)
    assert "all" not in rows.index, "of a part of the space, predicted says what there is"
    assert rows.n["predicted"] == rows.n_predicted["predicted"] == 704


def test_infinite_scores_are_ranked_and_have_no_value(
    warehouse: Warehouse, truth: list[float], tmp_path: Path
) -> None:
    """−∞ last, +∞ first, as scipy ranks them; NaN left out; no measure of values."""
    members = admitted("Zero+Pool")
    scores = dict(zip(members, np.random.default_rng(0).normal(size=len(members)).tolist(), strict=True))
    scores |= {members[3]: math.inf, members[5]: -math.inf, members[9]: -math.inf, members[11]: math.nan}
    file = tmp_path / "scores.csv"
    file.write_text("arch,score\n" + "".join(f"{a},{s}\n" for a, s in scores.items()))
    options = PredictionOptions(mask=parse_mask("Zero+Pool"), ground_truth=[KEY])
    import_predictions(warehouse, file, "infinite", options)
    assert warehouse.query(
        """SELECT status, count(*) AS n FROM prediction
        WHERE bn_mode <> 'untrained' GROUP BY ALL ORDER BY n, status"""
    ).values.tolist() == [
        ["non-finite", 1],
        ["positive-infinity", 1],
        ["negative-infinity", 2],
        ["ok", len(members) - 4],
    ]
    rows = warehouse.query(
        "SELECT * FROM run_ranking WHERE seed >= 0 AND gt_key = ? AND NOT one_per_class", [KEY]
    ).set_index("architecture_set")
    known = [arch_id for arch_id in members if not math.isnan(scores[arch_id])]
    expected = [truth[arch_id] for arch_id in known], [scores[arch_id] for arch_id in known]
    row = rows.loc["predicted"]
    assert (row.n, row.n_predicted, row.is_whole) == (len(known), len(known), True)
    assert row.tau == pytest.approx(kendalltau(*expected).statistic, abs=1e-12)
    assert row.spearman == pytest.approx(spearmanr(*expected).statistic, abs=1e-9)
    assert row.tau_same_size == pytest.approx(same_size_tau(known, *expected), abs=1e-12)
    assert row[["pearson", "mean_score", "predicted_std", "gap_std"]].isna().all()
    assert warehouse.query(
        "SELECT non_finite FROM evaluation WHERE bn_mode <> 'untrained'"
    ).non_finite.tolist() == [1]


def test_gap(warehouse: Warehouse, truth: list[float], write_run: RunWriter) -> None:
    predictions = random_predictions("Zero+Pool", 0)
    ingest(warehouse, [write_run(predictions, mask="Zero+Pool")])
    rows = warehouse.query("SELECT * FROM run_ranking WHERE seed >= 0 AND gt_key = ?", [KEY])
    sets = sets_by_hand(truth, "Zero+Pool")
    best, sample = ([predictions[arch_id] for arch_id in sets[name]] for name in ("top-500", "random"))
    gap = np.mean(best) - np.mean(sample)
    true = [np.mean([truth[arch_id] for arch_id in sets[name]]) for name in ("top-500", "random")]
    of_mask = rows[~rows.one_per_class]
    assert of_mask.gap.tolist() == pytest.approx([gap] * len(of_mask))
    assert of_mask.gap_std.tolist() == pytest.approx([gap / np.std(sample, ddof=1)] * len(of_mask))
    assert of_mask.gap_share.tolist() == pytest.approx([gap / (true[0] - true[1])] * len(of_mask))
    outside = [predictions[arch_id] for arch_id in sets["random"] if arch_id not in sets["top-500"]]
    assert len({*best, *outside}) < len(best) + len(outside), "there are ties"
    area = roc_auc_score([1] * len(best) + [0] * len(outside), [*best, *outside])
    assert of_mask.auc.tolist() == pytest.approx([area] * len(of_mask))
    # Raising all accuracies wins nothing, and stretching them changes gap alone.
    stretched = {arch_id: 0.1 + value / 2 for arch_id, value in predictions.items()}
    ingest(warehouse, [write_run(stretched, seed=1, mask="Zero+Pool")])
    both = warehouse.query(
        """SELECT gap, gap_std FROM run_ranking
        WHERE seed >= 0 AND gt_key = ? AND architecture_set = 'random' ORDER BY seed""",
        [KEY],
    )
    assert both.gap[1] == pytest.approx(both.gap[0] / 2)
    assert both.gap_std[1] == pytest.approx(both.gap_std[0])


def test_a_mask_without_a_top_500_has_no_gap(
    warehouse: Warehouse, truth: list[float], write_run: RunWriter
) -> None:
    ingest(warehouse, [write_run(random_predictions("Zero+Skip+Pool", 0), mask="Zero+Skip+Pool")])
    rows = warehouse.query(
        "SELECT gap, gap_std, gap_share, auc FROM run_ranking WHERE seed >= 0 AND gt_key = ?", [KEY]
    )
    assert len(rows)
    assert rows.isna().all(axis=None)


@settings(
    max_examples=3, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 1000))
def test_tables_that_agree_to_eight_decimals_give_the_same_metrics(
    warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    """Single trials and means: what was written down with other digits beyond is a tie all the same."""
    rng = np.random.default_rng(seed)
    exact = rng.integers(100, 950, (2, NUM_ARCHITECTURES)) / 1000
    noisy = exact + rng.uniform(-4e-9, 4e-9, exact.shape)
    found = []
    for table in (exact, noisy):
        folder = tmp_path_factory.mktemp("table")
        own = Warehouse(folder / "nasrank.duckdb")
        shutil.copyfile(warehouse.path, own.path)
        tables = {str(trial): values.tolist() for trial, values in enumerate(table)}
        import_benchmark(own, "synthetic", benchmark(tables))
        predictions = random_predictions("Zero+Pool", seed)
        status = {"ground_truth_keys": [KEY]}
        ingest(own, [write_run_folder(folder, predictions, mask="Zero+Pool", status=status)])
        answers = {}
        for view in ("run_ranking", "run_search", "experiment_tau_a", "noise_ceiling", "ranked_set"):
            rows = own.view(view, KEY).to_pandas()
            names = list(rows.select_dtypes(exclude="float"))
            of_mask = rows[rows["mask"] == "Zero+Pool"].sort_values(names)
            answers[view] = of_mask.reset_index(drop=True)
        found.append(answers)
    for view, rows in found[0].items():
        assert len(rows)
        pd.testing.assert_frame_equal(rows, found[1][view], rtol=1e-12, atol=1e-12)


def test_tau_is_null_where_all_predictions_are_equal(
    warehouse: Warehouse, truth: list[float], write_run: RunWriter
) -> None:
    ingest(warehouse, [write_run(dict.fromkeys(admitted("Zero+Pool"), 0.1), mask="Zero+Pool")])
    rows = warehouse.query("SELECT * FROM run_ranking WHERE seed >= 0 AND gt_key = ?", [KEY])
    assert rows[["tau", "spearman", "pearson"]].isna().all(axis=None)
    assert (rows.tau_eq2 == 0).all()
    assert (rows.tau_a[~rows.one_per_class] == 0).all()


def test_every_view_and_column_is_described(warehouse: Warehouse) -> None:
    views = warehouse.query("SELECT view_name FROM duckdb_views() WHERE NOT internal AND comment IS NULL")
    columns = warehouse.query(
        """SELECT table_name, column_name FROM duckdb_columns()
        WHERE NOT internal AND comment IS NULL AND table_name <> 'alembic_version'"""
    )
    assert views.empty, views
    assert columns.empty, columns


@pytest.mark.parametrize("mask", MASKS)
def test_what_a_search_finds(
    warehouse: Warehouse, truth: list[float], write_run: RunWriter, mask: str
) -> None:
    predictions = {seed: random_predictions(mask, seed) for seed in (0, 1)}
    ingest(warehouse, [write_run(predictions[seed], seed=seed, mask=mask) for seed in predictions])
    rows = warehouse.query("SELECT * FROM run_search WHERE seed >= 0 AND gt_key = ?", [KEY])
    for (one_per_class, pool), found in rows.groupby(["one_per_class", "pool"]):
        members = sets_by_hand(truth, mask, bool(one_per_class))[str(pool)]
        cuts = {f"top-{k}": k for k in (1, 5, 10, 25, 50, 100, 250, 500) if k < len(members)}
        cuts |= {f"{p} %": math.ceil(len(members) * p / 100) for p in (0.1, 0.5, 1, 5, 10)}
        assert dict(zip(found.top_k, found.k, strict=True)) == cuts
        for row in found.itertuples():
            precision, best_rank, regret = search_by_hand(members, truth, predictions[row.seed], row.k)
            assert row.n == len(members)
            assert row.precision_at_k == pytest.approx(precision)
            assert row.best_rank == best_rank
            assert row.regret == pytest.approx(regret, abs=1e-12)
            gain = ndcg_by_hand(members, truth, predictions[row.seed], row.k)
            assert row.ndcg_at_k == pytest.approx(gain, abs=1e-12)
            best_first = sorted(members, key=lambda arch_id: (-truth[arch_id], arch_id))
            predicted_first = sorted(
                members, key=lambda arch_id: (-(predictions[row.seed][arch_id] or 0), arch_id)
            )
            assert row.worst_rank == 1 + max(map(best_first.index, predicted_first[: row.k]))
            worst = {*best_first[-row.k :]} & {*predicted_first[-row.k :]}
            assert row.bottom_precision_at_k == pytest.approx(len(worst) / row.k)
    means = warehouse.query("SELECT * FROM experiment_search WHERE kind <> 'untrained' AND gt_key = ?", [KEY])
    assert len(means) * 2 == len(rows)
    first = means.iloc[0]
    same = rows[
        (rows.pool == first.pool) & (rows.top_k == first.top_k) & (rows.one_per_class == first.one_per_class)
    ]
    assert first.regret_mean == pytest.approx(same.regret.mean())
    assert first.regret_std == pytest.approx(same.regret.std())


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pairs=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=40),
    other=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=9),
)
def test_rank_correlation_of_any_ties(
    warehouse: Warehouse, pairs: list[tuple[int, int]], other: list[tuple[int, int]]
) -> None:
    """Two series at once, with ties in either, in both, or everywhere."""
    rows = warehouse.query(
        """WITH relation AS (
            SELECT predictor, '' AS gt_key, '' AS mask, 1 AS series,
                unnest(range(len(truth))) * 37 AS arch_id,
                unnest(truth) AS truth, unnest(predicted) AS predicted
            FROM (VALUES ('one', $1, $2), ('two', $3, $4)) AS _ (predictor, truth, predicted)
        )
        SELECT * FROM rank_correlation('relation') ORDER BY predictor""",
        [[p[0] for p in pairs], [p[1] for p in pairs], [p[0] for p in other], [p[1] for p in other]],
    )
    for series, row in zip((pairs, other), rows.itertuples(), strict=True):
        truth, predicted = [p[0] for p in series], [p[1] for p in series]
        members = [37 * place for place in range(len(series))]
        assert row.n_predicted == len(series)
        same = same_size_tau(members, truth, predicted)
        assert row.tau_same_size == pytest.approx(same, abs=1e-12, nan_ok=True)
        assert row.tau_eq2 == pytest.approx(equation_2(truth, predicted), abs=1e-12)
        if len(set(truth)) == 1 or len(set(predicted)) == 1:
            assert math.isnan(row.tau)
            assert math.isnan(row.spearman)
            assert math.isnan(row.pearson)
            assert math.isnan(row.tau_partial)
            continue
        assert row.tau == pytest.approx(kendalltau(truth, predicted).statistic, abs=1e-12)
        assert row.spearman == pytest.approx(spearmanr(truth, predicted).statistic, abs=1e-12)
        assert row.pearson == pytest.approx(pearsonr(truth, predicted).statistic, abs=1e-12)
        partial = partial_tau(members, truth, predicted)
        assert row.tau_partial == pytest.approx(partial, abs=1e-9, nan_ok=True)
        assert row.tau_weighted == pytest.approx(weighted_tau(members, truth, predicted), abs=1e-9)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.decimals(0, 1, places=4).map(float), st.integers(0, 9)), min_size=2, max_size=40
    ).filter(lambda pairs: len({p[0] for p in pairs}) > 1)
)
def test_a_truth_in_tenths_of_a_point(warehouse: Warehouse, pairs: list[tuple[float, int]]) -> None:
    """A hundredth of a point ends in 5 as often as in any other digit, and is no binary fraction."""
    truth, predicted = [p[0] for p in pairs], [p[1] for p in pairs]
    [row] = warehouse.query(
        """WITH relation AS (
            SELECT '' AS predictor, '' AS gt_key, '' AS mask, 1 AS series, unnest(range(len($1))) AS arch_id,
                unnest($1) AS truth, unnest($2) AS predicted
        )
        SELECT * FROM rank_correlation('relation')""",
        [truth, predicted],
    ).itertuples()
    sparse = kendalltau(tenths(truth), predicted).statistic
    assert row.tau_sparse == pytest.approx(sparse, abs=1e-12, nan_ok=True)
    assert tenths_of_a_point(np.array(truth)).tolist() == tenths(truth)


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6), k=st.integers(1, 40))
def test_discounted_gain_is_scikit_learns(seed: int, k: int) -> None:
    """Where no two predictions are equal: of these, scikit-learn takes the mean or any."""
    rng = np.random.default_rng(seed)
    truth, predicted = rng.random(40), rng.permutation(40).astype(float)
    gain = ndcg_by_hand(range(40), truth.tolist(), dict(enumerate(predicted.tolist())), k)
    assert gain == pytest.approx(ndcg_score([truth - truth.min()], [predicted], k=k))


def test_statistics_of_seeds(warehouse: Warehouse) -> None:
    for n in (2, 3, 5, 31, 32, 40, 1000):
        half = warehouse.query("SELECT interval_95(2.0, ?) AS half", [n]).half[0]
        assert half == pytest.approx(2 * student_t.ppf(0.975, n - 1) / math.sqrt(n), rel=5e-6)
    for differences in ([0.1], [0.1, 0.2, 0.3], [0.1, -0.1], [0.4, -0.1, 0.2, 0.2, 0.0], [0.0, 0.0]):
        flipped = [
            abs(sum(sign * d for sign, d in zip(signs, differences, strict=True)))
            for signs in itertools.product((1, -1), repeat=len(differences))
        ]
        expected = sum(value >= abs(sum(differences)) - 1e-12 for value in flipped) / len(flipped)
        p = warehouse.query("SELECT sign_flip_p(?) AS p", [differences]).p[0]
        assert p == pytest.approx(expected)
