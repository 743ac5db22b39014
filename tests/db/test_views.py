"""The views against slow, obvious Python, on data with many ties, and on one case worked by hand."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import kendalltau

from db.architectures import NUM_ARCHITECTURES, all_architectures, parse_mask, sample_order
from db.benchmarks import Benchmark
from db.ground_truth import import_benchmark
from db.ingest import ingest
from db.warehouse import Warehouse
from tests.conftest import RunWriter
from tests.samples import random_predictions

SIZES = (10, 25, 50, 100, 150, 250, 500)
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


def admitted(mask: str) -> list[int]:
    removed = parse_mask(mask).bits
    return [arch_id for arch_id, a in enumerate(all_architectures()) if not a.used.bits & removed]


def sets_by_hand(truth: Sequence[float], mask: str) -> dict[str, list[int]]:
    """The architecture sets of the study, straight from its definition."""
    candidates = admitted(mask)
    best_first = sorted(candidates, key=lambda arch_id: (-truth[arch_id], arch_id))
    sets = {f"top-{n}": best_first[:n] for n in SIZES if n <= len(candidates)}
    chosen = set(candidates)
    return sets | {"random": [arch_id for arch_id in sample_order() if arch_id in chosen][:1000]}


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


@pytest.mark.parametrize("mask", MASKS)
def test_sets_are_those_of_the_study(warehouse: Warehouse, truth: list[float], mask: str) -> None:
    rows = warehouse.query(
        "SELECT architecture_set, n, arch_id FROM architecture_set WHERE gt_key = ? AND mask = ?", [KEY, mask]
    )
    found = {name: set(group.arch_id) for name, group in rows.groupby("architecture_set")}
    assert found == {name: set(members) for name, members in sets_by_hand(truth, mask).items()}
    assert all(len(found[name]) == n for name, n in zip(rows.architecture_set, rows.n, strict=True))


@pytest.mark.parametrize("mask", MASKS)
def test_metrics_of_runs_and_experiments(
    warehouse: Warehouse, truth: list[float], write_run: RunWriter, mask: str
) -> None:
    predictions = {seed: random_predictions(mask, seed) for seed in (0, 1, 2)}
    folders = [write_run(predictions[seed], seed=seed, mask=mask) for seed in predictions]
    assert len(ingest(warehouse, folders).ingested) == 3
    rows = warehouse.query("SELECT * FROM run_ranking WHERE gt_key = ?", [KEY])
    sets = sets_by_hand(truth, mask)
    assert len(rows) == 3 * len(sets)
    for row in rows.itertuples():
        members = sets[row.architecture_set]
        predicted = [predictions[row.seed][arch_id] for arch_id in members]
        expected = [truth[arch_id] for arch_id in members]
        assert row.a_n == pytest.approx(statistics.fmean(predicted), abs=1e-12)
        assert row.tau == pytest.approx(kendalltau(expected, predicted).statistic, abs=1e-12)
        if len(members) <= 250:  # a thousand have half a million pairs
            assert row.tau_eq2 == pytest.approx(equation_2(expected, predicted), abs=1e-12)

    means = warehouse.query("SELECT * FROM experiment_ranking WHERE gt_key = ?", [KEY])
    assert len(means) == len(sets)
    for row in means.itertuples():
        single = rows[rows.architecture_set == row.architecture_set]
        for column in ("a_n", "tau", "tau_eq2"):
            values = single[column].tolist()
            assert getattr(row, f"{column}_mean") == pytest.approx(statistics.fmean(values), abs=1e-12)
            assert getattr(row, f"{column}_std") == pytest.approx(statistics.stdev(values), abs=1e-12)
        assert row.seeds == 3

    per_seed = warehouse.query("SELECT * FROM tau_a WHERE gt_key = ?", [KEY])
    overall = warehouse.query("SELECT * FROM experiment_tau_a WHERE gt_key = ?", [KEY])
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
    averaged = means.set_index("architecture_set").a_n_mean.loc[names].tolist()
    assert overall.tau_a[0] == pytest.approx(equation_2(position, averaged), abs=1e-12)
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
        "SELECT * FROM run_ranking WHERE gt_key = ? AND architecture_set = 'top-10'", [KEY]
    ).itertuples()
    assert row.a_n == pytest.approx(0.53)
    assert row.tau_eq2 == pytest.approx(39 / 45)
    assert row.tau == pytest.approx(39 / 44)


def test_tau_a_is_minus_one_where_accuracy_falls_and_the_paper_is_beside_it(
    warehouse: Warehouse, truth: list[float], write_run: RunWriter
) -> None:
    predictions = {arch_id: truth[arch_id] for arch_id in admitted("Zero+Pool")}
    ingest(warehouse, [write_run(predictions, mask="Zero+Pool", cells_per_stage=2, channels=32, size="S")])
    [row] = warehouse.query("SELECT * FROM experiment_tau_a WHERE gt_key = ?", [KEY]).itertuples()
    assert row.tau_a == -1
    assert row.reported_tau_a == -1
    taus = warehouse.query("SELECT tau FROM kendall_tau WHERE gt_key = ?", [KEY]).tau
    assert taus.tolist() == pytest.approx([1.0] * 8)


def test_an_incomplete_set_has_no_metric(
    warehouse: Warehouse, truth: list[float], write_run: RunWriter
) -> None:
    predictions = random_predictions("Zero+Pool", 0)
    missing = sets_by_hand(truth, "Zero+Pool")["top-150"][-1]
    predictions[missing] = None
    ingest(warehouse, [write_run(predictions, mask="Zero+Pool")])
    rows = warehouse.query("SELECT * FROM run_ranking WHERE gt_key = ? ORDER BY n", [KEY]).set_index(
        "architecture_set"
    )
    for name, row in rows.iterrows():
        holds_it = name == "random" or int(str(name).removeprefix("top-")) >= 150
        assert row.n_predicted == row.n - holds_it
        assert math.isnan(row.a_n) == holds_it
        assert math.isnan(row.tau) == holds_it
    assert rows.tau_a.isna().all()


def test_tau_is_null_where_all_predictions_are_equal(
    warehouse: Warehouse, truth: list[float], write_run: RunWriter
) -> None:
    ingest(warehouse, [write_run(dict.fromkeys(admitted("Zero+Pool"), 0.1), mask="Zero+Pool")])
    rows = warehouse.query("SELECT * FROM run_ranking WHERE gt_key = ?", [KEY])
    assert rows.tau.isna().all()
    assert (rows.tau_eq2 == 0).all()
    assert (rows.tau_a == 0).all()


def test_every_view_and_column_is_described(warehouse: Warehouse) -> None:
    views = warehouse.query("SELECT view_name FROM duckdb_views() WHERE NOT internal AND comment IS NULL")
    columns = warehouse.query(
        """SELECT table_name, column_name FROM duckdb_columns()
        WHERE NOT internal AND comment IS NULL AND table_name <> 'alembic_version'"""
    )
    assert views.empty, views
    assert columns.empty, columns
