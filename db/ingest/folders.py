"""Run folders into the warehouse: what a folder says is read, checked, and inserted once.

A folder is the source of truth for its run. It is ingested when its run has ended, and again only when
its files changed, so that ingesting twice changes nothing. A folder that cannot be used is named with
the reason, and does not keep the others out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

import pyarrow as pa
import sqlalchemy as sa

from nasrank.db.errors import NasrankError
from nasrank.db.runs.reader import RunRows, folder_digest, read_run_folder
from nasrank.db.runs.status import read_status
from nasrank.db.warehouse.derived import derive_runs, forget_runs
from nasrank.db.warehouse.file import Warehouse, insert_arrow
from nasrank.db.warehouse.models import EpochMetric, Experiment, Prediction, Run


@dataclass(slots=True)
class IngestReport:
    """What became of each folder, by its name; `problems` says why a folder could not be used."""

    ingested: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)


def ingest(
    warehouse: Warehouse, folders: Sequence[Path], on_wait: Callable[[], None] = lambda: None
) -> IngestReport:
    """Bring the ended runs among `folders` into the warehouse, all in one transaction.

    The published file is replaced only if something is new. Raises NasrankError where the warehouse
    cannot be used; a folder that cannot be used is only reported.
    """
    report = IngestReport()
    known = ingested_runs(warehouse)
    fresh: dict[str, RunRows] = {}
    for path in sorted(folders):
        try:
            status = read_status(path)
            if status is None or not status.has_ended:
                report.unfinished.append(path.name)
                continue
            digest = folder_digest(path)
            if known.get(path.name) == digest:
                report.unchanged.append(path.name)
                continue
            fresh[path.name] = read_run_folder(path, digest)
        except (NasrankError, OSError) as error:
            report.problems[path.name] = str(error)
    if fresh:
        with warehouse.write(on_wait) as connection:
            insert_runs(connection, list(fresh.values()))
    report.ingested.extend(fresh)
    return report


def remove_runs(warehouse: Warehouse, pattern: str, on_wait: Callable[[], None] = lambda: None) -> list[str]:
    """Remove the trained runs whose names fit, and experiments that have none left; returns the names.

    In `pattern`, `*` stands for any characters and `?` for one. The runs' folders stay.

    Raises:
        NasrankError: there are none.
    """
    known: list[str] = warehouse.query(
        "SELECT run_id FROM run JOIN experiment USING (experiment_id) WHERE kind = 'trained' ORDER BY run_id"
    ).run_id.tolist()
    run_ids = [run_id for run_id in known if fnmatchcase(run_id, pattern)]
    if not run_ids:
        there = f"{len(known)}, such as {known[0]}" if known else "none"
        raise NasrankError(
            f"no trained run is called {pattern!r}; there are {there}; * stands for any characters"
        )

    def remove_them(connection: sa.Connection) -> None:
        forget_runs(connection, run_ids)
        _delete_runs(connection, run_ids)

    def remove_experiments(connection: sa.Connection) -> None:
        left = sa.select(Run.experiment_id)
        connection.execute(sa.delete(Experiment).where(Experiment.experiment_id.not_in(left)))

    warehouse.write_in_steps([remove_them, remove_experiments], on_wait)
    return run_ids


def ingested_runs(warehouse: Warehouse) -> dict[str, str]:
    """The runs in the warehouse, with the digest of their folder's files."""
    rows = warehouse.query("SELECT run_id, folder_sha256 FROM run")
    return dict(zip(rows.run_id, rows.folder_sha256, strict=True))


def insert_runs(connection: sa.Connection, folders: Sequence[RunRows]) -> None:
    """Insert runs in place of those of the same names, and derive what follows from them."""
    run_ids = [folder.run["run_id"] for folder in folders]
    _delete_runs(connection, run_ids)
    known = set(connection.scalars(sa.select(Experiment.experiment_id)))
    experiments = {folder.experiment["experiment_id"]: folder.experiment for folder in folders}
    if new := [row for experiment_id, row in experiments.items() if experiment_id not in known]:
        connection.execute(sa.insert(Experiment), new)
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    connection.execute(sa.insert(Run), [{**folder.run, "ingested_at": now} for folder in folders])
    insert_arrow(
        connection,
        "INSERT INTO epoch_metric BY NAME SELECT * FROM arrow_rows",
        pa.concat_tables(folder.epochs for folder in folders),
    )
    if predictions := [folder.predictions for folder in folders if folder.predictions is not None]:
        insert_arrow(
            connection,
            "INSERT INTO prediction BY NAME SELECT * FROM arrow_rows",
            pa.concat_tables(predictions),
        )
    derive_runs(connection, run_ids)


def _delete_runs(connection: sa.Connection, run_ids: Sequence[str]) -> None:
    """Their own rows; what follows from them is `db.warehouse.derived`'s."""
    for table in (Prediction, EpochMetric, Run):
        connection.execute(sa.delete(table).where(table.run_id.in_(run_ids)))
