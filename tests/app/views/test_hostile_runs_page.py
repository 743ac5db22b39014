"""The page Runs over folders that are broken in any way: a row says what is wrong, and nothing waits."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given

from nasrank.app.snapshot import Snapshot
from nasrank.app.views.runs import queries
from nasrank.app.views.runs.files import MOST_BYTES, OFFERED, content_of, files_of
from nasrank.app.views.runs.table import COLUMNS, as_shown, with_folders
from nasrank.app.widgets.text import as_text
from nasrank.db.errors import NasrankError
from nasrank.db.runs.monitor import RunsMonitor
from nasrank.db.warehouse.file import Warehouse
from tests.hostile_folders import BREAKS, FEW, KIND_BREAKS, Break, breaks, hostile_folders, in_time, running
from tests.samples import begin_run

# Looked into, each is dangerous in its own way.
CHOSEN = (
    "config.json: a FIFO",
    "config.json: eight gigabytes",
    "epochs.parquet: a FIFO",
    "worker.log: eight gigabytes",
    "worker.log: a link to /dev/zero",
    "files dated far away",
    "a file of no UTF-8 name",
    "a name with markup",
)


def test_every_bad_folder_is_a_row_and_can_be_chosen(
    filled: Warehouse, open_runs: Any, tmp_path: Path
) -> None:
    names = hostile_folders(tmp_path, {**BREAKS, **{said: running(act) for said, act in KIND_BREAKS.items()}})
    living = begin_run(tmp_path)
    test = in_time(lambda: open_runs(filled.path, tmp_path), 100)
    rows = test.dataframe[0].value.set_index("run")
    assert rows.loc[living, "status"] == "▶ running"
    unreadable = rows[rows["status"] == "? unreadable"]
    for said in ("status.json: a FIFO", "status.json: a folder", "status.json: eight gigabytes"):
        [name] = [name for name, known in names.items() if known == said]
        assert "status.json" in unreadable.loc[name, "message"]
    chosen = [name for name, said in names.items() if said in CHOSEN]
    assert len(chosen) == len(CHOSEN)
    test = in_time(lambda: open_runs(filled.path, tmp_path, run=chosen), 100)
    assert {expander.label for expander in test.expander} >= set(map(as_text, chosen))


@pytest.fixture(scope="module")
def ingested(filled_file: Path) -> pd.DataFrame:
    """What the warehouse has of other runs."""
    return queries.runs(Snapshot.take(filled_file))


@FEW
@given(act=breaks)
def test_any_folder_makes_rows_that_can_be_shown(ingested: pd.DataFrame, act: Break) -> None:
    for change in (act, running(act)):
        with tempfile.TemporaryDirectory() as folder:
            hostile_folders(Path(folder), {"drawn": change})
            in_time(lambda: show(ingested, Path(folder)))


def show(ingested: pd.DataFrame, runs_dir: Path) -> None:
    """All that the page makes of folders, in Arrow's format, as a browser gets it."""
    seen = RunsMonitor(runs_dir).look({})
    rows = with_folders(ingested, seen, runs_dir)
    pa.Table.from_pandas(as_shown(rows, list(COLUMNS)))
    for run_id in rows.loc[~rows["is_ingested"], "run_id"]:
        files = files_of(runs_dir, run_id)
        pa.Table.from_pandas(pd.DataFrame(files if isinstance(files, list) else []))
        for file in OFFERED:
            with suppress(NasrankError):
                assert len(content_of(runs_dir, run_id, file)) <= MOST_BYTES
