"""Run folders into the warehouse: once, whole, and with the bad ones named."""

from __future__ import annotations

import errno
import json
import math
import shutil
import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nasrank.db.errors import NasrankError
from nasrank.db.ingest import folders as folders_module
from nasrank.db.ingest.folders import ingest, ingested_runs, remove_runs
from nasrank.db.runs import reader
from nasrank.db.runs.reader import read_run_folder, run_folders
from nasrank.db.warehouse import file as file_module
from nasrank.db.warehouse.file import Warehouse
from tests.conftest import RunWriter
from tests.samples import TABLES_OF_RUNS, random_predictions

MASK = "Zero+Skip+Pool"


@pytest.fixture
def folder(write_run: RunWriter) -> Path:
    """A finished run of 64 architectures."""
    return write_run(random_predictions(MASK, 0), mask=MASK)


def rewrite(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def prediction_file(folder: Path) -> Path:
    [file] = folder.glob("predictions-*.parquet")
    return file


def change_predictions(folder: Path, change: Callable[[list[dict[str, object]]], object]) -> None:
    """Rewrite the predictions after `change` changed their rows in place."""
    table = pq.read_table(prediction_file(folder))
    rows = table.to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), prediction_file(folder))


def test_every_value_arrives(warehouse: Warehouse, write_run: RunWriter) -> None:
    predictions = random_predictions(MASK, 0)
    missing = next(iter(predictions))
    predictions[missing] = None
    folder = write_run(predictions, mask=MASK, seed=7)
    assert ingest(warehouse, [folder]).ingested == [folder.name]
    rows = warehouse.query("SELECT * FROM prediction WHERE bn_mode <> 'untrained'")
    found = dict(zip(rows.arch_id, rows.accuracy, strict=True))
    assert math.isnan(found.pop(missing))
    assert rows.set_index("arch_id").status[missing] == "non-finite"
    assert found == {arch_id: value for arch_id, value in predictions.items() if arch_id != missing}
    assert set(rows.epoch) == {20}
    assert set(rows.bn_mode) == {"running"}
    [run] = warehouse.query(
        "SELECT * FROM run JOIN experiment USING (experiment_id) WHERE seed IS NOT NULL"
    ).itertuples()
    assert (run.run_id, run.seed, run.mask, run.size, run.variant) == (
        folder.name,
        7,
        MASK,
        "tiny",
        "baseline",
    )
    assert run.started_at.isoformat() == "2026-11-01T10:00:00"
    assert json.loads(run.config) == json.loads((folder / "config.json").read_text())["config"]
    assert len(warehouse.query("SELECT * FROM epoch_metric")) == 20


def test_twice_changes_nothing(warehouse: Warehouse, folder: Path) -> None:
    ingest(warehouse, [folder])
    published, identity = warehouse.path.read_bytes(), warehouse.identity
    assert ingest(warehouse, [folder]).unchanged == [folder.name]
    assert warehouse.path.read_bytes() == published
    assert warehouse.identity == identity


def test_a_changed_folder_replaces_its_rows(warehouse: Warehouse, folder: Path) -> None:
    ingest(warehouse, [folder])
    change_predictions(folder, lambda rows: rows.pop())
    assert ingest(warehouse, [folder]).ingested == [folder.name]
    assert warehouse.query("SELECT count(*) AS n FROM prediction WHERE bn_mode <> 'untrained'").n[0] == 63
    assert warehouse.query("SELECT count(*) AS n FROM run WHERE seed IS NOT NULL").n[0] == 1
    assert len(ingested_runs(warehouse)) == 1


def test_seeds_share_their_experiment(warehouse: Warehouse, write_run: RunWriter) -> None:
    folders = [write_run(random_predictions(MASK, seed), mask=MASK, seed=seed) for seed in (0, 1)]
    ingest(warehouse, folders[:1])
    ingest(warehouse, folders)
    assert warehouse.query("SELECT count(*) AS n FROM experiment WHERE kind <> 'untrained'").n[0] == 1
    assert warehouse.query("SELECT count(*) AS n FROM run WHERE seed IS NOT NULL").n[0] == 2


@pytest.mark.parametrize("status", ["running", "interrupted"])
def test_a_run_that_has_not_ended_waits(warehouse: Warehouse, folder: Path, status: str) -> None:
    rewrite(folder / "status.json", status=status)
    assert ingest(warehouse, [folder]).unfinished == [folder.name]
    rewrite(folder / "status.json", status="finished")
    assert ingest(warehouse, [folder]).ingested == [folder.name]


def test_a_run_that_has_only_begun_waits(warehouse: Warehouse, folder: Path) -> None:
    (folder / "status.json").unlink()
    report = ingest(warehouse, [folder])
    assert (report.unfinished, report.problems) == ([folder.name], {})


def test_a_diverged_run_is_recorded_without_predictions(warehouse: Warehouse, write_run: RunWriter) -> None:
    ended = {"status": "failed", "failed_epoch": 3, "message": "diverged", "finished_at": None}
    folder = write_run({}, mask=MASK, status=ended)
    assert ingest(warehouse, [folder]).ingested == [folder.name]
    [run] = warehouse.query("SELECT * FROM run WHERE seed IS NOT NULL").itertuples()
    assert (run.status, run.failed_epoch, run.message) == ("failed", 3, "diverged")
    assert run.finished_at.isoformat() == "2026-11-01T10:05:00"
    assert warehouse.query("SELECT count(*) AS n FROM prediction WHERE bn_mode <> 'untrained'").n[0] == 0


def truncate(folder: Path) -> None:
    file = prediction_file(folder)
    file.write_bytes(file.read_bytes()[:-100])


def take_anothers_predictions(folder: Path) -> None:
    table = pq.read_table(prediction_file(folder))
    pq.write_table(table.replace_schema_metadata({"run_id": "another"}), prediction_file(folder))


def repeat(rows: list[dict[str, object]]) -> None:
    rows.append(rows[0])


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "truncated": (truncate, "cannot be read"),
    "foreign": (take_anothers_predictions, "belongs to the run 'another'"),
    "no predictions": (lambda f: prediction_file(f).unlink(), "has no predictions"),
    "no epochs": (lambda f: (f / "epochs.parquet").unlink(), "epochs.parquet': No such file"),
    "half a status": (lambda f: (f / "status.json").write_text('{"status": "fin'), "status.json cannot be"),
    "status of another kind": (lambda f: (f / "status.json").write_text("[]"), "not a JSON object"),
    "no time": (lambda f: rewrite(f / "status.json", started_at=None), "status.json: started_at is null;"),
    "changed configuration": (
        lambda f: rewrite(f / "config.json", config_hash="0" * 64),
        "config_hash is not that of config",
    ),
    "later format": (lambda f: rewrite(f / "config.json", format=2), "format is 2; this nasrank reads 1"),
    "another name": (lambda f: rewrite(f / "config.json", run_id="another"), "'another'"),
    "twice": (lambda f: change_predictions(f, repeat), "twice"),
    "masked": (
        lambda f: change_predictions(f, lambda rows: rows[0].update(arch_id=0)),
        "has the architecture 0, which mask",
    ),
    "unknown": (
        lambda f: change_predictions(f, lambda rows: rows[0].update(arch_id=15625)),
        "15625",
    ),
    "percent": (lambda f: change_predictions(f, lambda rows: rows[0].update(accuracy=55.0)), "55.0"),
    "not a number": (
        lambda f: change_predictions(f, lambda rows: rows[0].update(accuracy=math.nan)),
        "nan",
    ),
    "missing without a reason": (
        lambda f: change_predictions(f, lambda rows: rows[0].update(accuracy=None)),
        "None with status 'ok'",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_bad_folder_is_named_and_the_others_are_ingested(
    warehouse: Warehouse, folder: Path, write_run: RunWriter, damage: str
) -> None:
    act, said = DAMAGE[damage]
    good = write_run(random_predictions(MASK, 1), mask=MASK, seed=1)
    act(folder)
    report = ingest(warehouse, [folder, good])
    assert report.ingested == [good.name]
    assert said in report.problems[folder.name]
    assert "\n" not in report.problems[folder.name]
    assert ingested_runs(warehouse).keys() == {good.name}


def test_run_folders_are_found_by_their_configuration(folder: Path, tmp_path: Path) -> None:
    (folder.parent / "notes").mkdir()
    assert run_folders(folder.parent) == [folder]
    with pytest.raises(NasrankError, match="NASRANK_RUNS"):
        run_folders(tmp_path / "missing")


def test_a_run_that_has_not_ended_is_not_read(folder: Path) -> None:
    rewrite(folder / "status.json", status="running")
    with pytest.raises(NasrankError, match="running"):
        read_run_folder(folder)


def test_a_run_with_an_odd_name(warehouse: Warehouse, folder: Path) -> None:
    name = 'it\'s a "run"; DROP TABLE run; --\n% ü'
    odd = folder.rename(folder.with_name(name))
    for file in ("config.json", "status.json"):
        rewrite(odd / file, run_id=name)
    table = pq.read_table(prediction_file(odd))
    pq.write_table(table.replace_schema_metadata({"run_id": name}), prediction_file(odd))
    assert ingest(warehouse, [odd]).ingested == [name]
    assert warehouse.query(
        "SELECT DISTINCT run_id FROM stored_ranking WHERE bn_mode <> 'untrained'"
    ).run_id.tolist() == [name]
    assert ingest(warehouse, [odd]).unchanged == [name]


def test_removed_runs_leave_nothing_and_come_back_from_their_folders(
    warehouse: Warehouse, write_run: RunWriter
) -> None:
    folders = [write_run(random_predictions(MASK, seed), mask=MASK, seed=seed) for seed in (0, 1)]
    folders.append(write_run(random_predictions("Zero+Skip", 0), mask="Zero+Skip"))
    ingest(warehouse, folders)  # what needs no training stays under each mask that there ever was
    remove_runs(warehouse, f"*-{MASK}-*")
    alone = {name: warehouse.view(name).num_rows for name in TABLES_OF_RUNS}
    ingest(warehouse, folders)
    filled = {name: warehouse.view(name).num_rows for name in TABLES_OF_RUNS}
    assert all(filled[name] > alone[name] for name in TABLES_OF_RUNS)
    assert remove_runs(warehouse, f"*-{MASK}-*") == [folder.name for folder in folders[:2]]
    assert {name: warehouse.view(name).num_rows for name in TABLES_OF_RUNS} == alone
    assert ingest(warehouse, folders).ingested == [folder.name for folder in folders[:2]]
    assert {name: warehouse.view(name).num_rows for name in TABLES_OF_RUNS} == filled


def test_an_experiment_stays_while_a_run_of_it_does(warehouse: Warehouse, write_run: RunWriter) -> None:
    folders = [write_run(random_predictions(MASK, seed), mask=MASK, seed=seed) for seed in (0, 1)]
    ingest(warehouse, folders)
    assert remove_runs(warehouse, folders[0].name) == [folders[0].name]
    trained = "SELECT experiment_id FROM experiment WHERE kind = 'trained'"
    assert len(warehouse.query(trained)) == 1
    assert remove_runs(warehouse, "*") == [folders[1].name]
    assert len(warehouse.query(trained)) == 0


def test_what_was_removed_already_is_no_failure_and_writes_nothing(
    warehouse: Warehouse, folder: Path
) -> None:
    """As where a command is given again that was killed after it had published."""
    ingest(warehouse, [folder])
    assert remove_runs(warehouse, folder.name) == [folder.name]
    identity = warehouse.identity
    assert remove_runs(warehouse, folder.name) == []
    assert remove_runs(warehouse, "*") == []
    assert warehouse.identity == identity


def test_several_ingests_at_once_do_the_work_once(
    warehouse: Warehouse, write_run: RunWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [write_run(random_predictions(MASK, seed), mask=MASK, seed=seed) for seed in range(3)]
    names = sorted(folder.name for folder in folders)
    waiting = threading.Barrier(4)
    read = folders_module.ingested_runs

    def read_together(warehouse: Warehouse, run_ids: Collection[str]) -> dict[str, str]:
        known = read(warehouse, run_ids)
        waiting.wait(30)  # each has seen a warehouse without them
        return known

    monkeypatch.setattr(folders_module, "ingested_runs", read_together)
    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda _: ingest(warehouse, folders), range(4)))
    assert sorted(len(report.ingested) for report in reports) == [0, 0, 0, 3]
    assert sorted(sorted(report.unchanged) for report in reports) == [[], names, names, names]
    assert sorted(read(warehouse)) == names


def test_what_the_database_refuses_keeps_only_its_folder_out(
    warehouse: Warehouse, write_run: RunWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the schema takes it: here the checks of epochs are gone."""
    folders = [write_run(random_predictions(MASK, seed), mask=MASK, seed=seed) for seed in range(7)]
    bad = [folders[2], folders[5]]
    for folder in bad:
        table = pq.read_table(folder / "epochs.parquet")
        pq.write_table(pa.concat_tables([table, table.slice(3, 1)]), folder / "epochs.parquet")
    monkeypatch.setattr(reader, "_check_epochs", lambda *arguments: None)
    monkeypatch.setattr(reader, "_read_epochs", read_epochs_unchecked)
    report = ingest(warehouse, folders)
    assert sorted(report.ingested) == sorted(folder.name for folder in folders if folder not in bad)
    assert report.problems.keys() == {folder.name for folder in bad}
    for problem in report.problems.values():
        assert "was not changed: Constraint Error" in problem
    assert sorted(ingested_runs(warehouse)) == sorted(report.ingested)


def read_epochs_unchecked(path: Path, run_id: str) -> pa.Table:
    table = pq.read_table(path)
    return table.add_column(0, "run_id", pa.array([run_id] * table.num_rows, pa.string()))


def test_a_full_disk_is_no_folders_fault(
    warehouse: Warehouse, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*paths: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(file_module.shutil, "copy", full)
    with pytest.raises(NasrankError, match=r"was not changed: .*No space left"):
        ingest(warehouse, [folder])


def test_two_folders_of_one_name_are_told_apart(warehouse: Warehouse, folder: Path, tmp_path: Path) -> None:
    copied = tmp_path / "elsewhere" / folder.name
    shutil.copytree(folder, copied)
    report = ingest(warehouse, [folder, copied])
    first, second = sorted([folder, copied])
    assert report.ingested == [folder.name]
    assert f"{second} has the name of {first}" in report.problems[str(second)]


def test_a_runs_directory_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(NasrankError, match="no folder of runs at"):
        run_folders(tmp_path / "runs")
