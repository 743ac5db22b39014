"""Run folders into the warehouse: once, whole, and with the bad ones named."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nasrank.db.errors import NasrankError
from nasrank.db.ingest.folders import ingest, ingested_runs, remove_runs
from nasrank.db.runs.reader import read_run_folder, run_folders
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
    rows = warehouse.query("SELECT * FROM prediction")
    found = dict(zip(rows.arch_id, rows.accuracy, strict=True))
    assert math.isnan(found.pop(missing))
    assert rows.set_index("arch_id").status[missing] == "non-finite"
    assert found == {arch_id: value for arch_id, value in predictions.items() if arch_id != missing}
    assert set(rows.epoch) == {20}
    assert set(rows.bn_mode) == {"running"}
    [run] = warehouse.query("SELECT * FROM run JOIN experiment USING (experiment_id)").itertuples()
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
    assert warehouse.query("SELECT count(*) AS n FROM prediction").n[0] == 63
    assert warehouse.query("SELECT count(*) AS n FROM run").n[0] == 1
    assert len(ingested_runs(warehouse)) == 1


def test_seeds_share_their_experiment(warehouse: Warehouse, write_run: RunWriter) -> None:
    folders = [write_run(random_predictions(MASK, seed), mask=MASK, seed=seed) for seed in (0, 1)]
    ingest(warehouse, folders[:1])
    ingest(warehouse, folders)
    assert warehouse.query("SELECT count(*) AS n FROM experiment").n[0] == 1
    assert warehouse.query("SELECT count(*) AS n FROM run").n[0] == 2


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
    [run] = warehouse.query("SELECT * FROM run").itertuples()
    assert (run.status, run.failed_epoch, run.message) == ("failed", 3, "diverged")
    assert run.finished_at.isoformat() == "2026-11-01T10:05:00"
    assert warehouse.query("SELECT count(*) AS n FROM prediction").n[0] == 0


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
    "no epochs": (lambda f: (f / "epochs.parquet").unlink(), "epochs.parquet cannot be read"),
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
    assert warehouse.query("SELECT DISTINCT run_id FROM stored_ranking").run_id.tolist() == [name]
    assert ingest(warehouse, [odd]).unchanged == [name]


def test_removed_runs_leave_nothing_and_come_back_from_their_folders(
    warehouse: Warehouse, write_run: RunWriter
) -> None:
    folders = [write_run(random_predictions(MASK, seed), mask=MASK, seed=seed) for seed in (0, 1)]
    folders.append(write_run(random_predictions("Zero+Skip", 0), mask="Zero+Skip"))
    ingest(warehouse, folders[2:])
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
    assert warehouse.view("experiment").num_rows == 1
    with pytest.raises(NasrankError, match=re.escape(f"'nobody'; there are 1, such as {folders[1].name}")):
        remove_runs(warehouse, "nobody")
    remove_runs(warehouse, "*")
    with pytest.raises(NasrankError, match="there are none"):
        remove_runs(warehouse, "*")
