"""Run folders into the warehouse: what a folder says is read, checked, and inserted once.

A folder is the source of truth for its run. It is ingested when its run has ended, and again only when
its files changed, so that ingesting twice changes nothing. A folder that cannot be used is named with
the reason, and does not keep the others out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

import pyarrow as pa
import sqlalchemy as sa

from nasrank.db.errors import NasrankError, as_unicode, printable
from nasrank.db.runs.reader import RunRows, folder_digest, read_run_folder
from nasrank.db.runs.status import read_status
from nasrank.db.warehouse.derived import derive_runs, forget_runs, insert_predictions
from nasrank.db.warehouse.file import NothingToWrite, RefusedRowsError, Warehouse, insert_arrow
from nasrank.db.warehouse.models import WITHOUT_NETWORK, EpochMetric, Experiment, Prediction, Run

_DIGESTS: Final = sa.text(
    """SELECT run_id, folder_sha256 FROM run
    WHERE run_id IN (SELECT unnest(CAST(:run_ids AS VARCHAR[])))"""
)


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
    """Bring the ended runs among `folders` into the warehouse, all in one transaction if it takes them all.

    The published file is replaced only if something is new. Raises NasrankError where the warehouse
    cannot be used; a folder that cannot be used is only reported.
    """
    report = IngestReport()
    known = ingested_runs(warehouse, [path.name for path in folders])
    read: dict[str, RunRows] = {}
    seen: dict[str, Path] = {}
    for path in sorted(folders):
        first = seen.setdefault(path.name, path)
        if first.absolute() != path.absolute():
            report.problems[str(path)] = printable(
                f"{path} has the name of {first}, which comes first; give one folder of each name"
            )
            continue
        try:
            if run := _read_ended(path, known, report):
                read[path.name] = run
        except (NasrankError, OSError) as error:
            report.problems[path.name] = str(error)
    _insert(warehouse, read, report, on_wait)
    return report


def _read_ended(path: Path, known: Mapping[str, str], report: IngestReport) -> RunRows | None:
    """The rows of a run that has ended and is not `known` by its digest; else the report has what it is."""
    status = read_status(path)
    if status is None or not status.has_ended:
        report.unfinished.append(path.name)
        return None
    digest = folder_digest(path)
    if known.get(path.name) == digest:
        report.unchanged.append(path.name)
        return None
    return read_run_folder(path, digest)


def _insert(
    warehouse: Warehouse, runs: Mapping[str, RunRows], report: IngestReport, on_wait: Callable[[], None]
) -> None:
    """Insert what no other process inserted meanwhile, in halves if the database refuses a run."""
    if not runs:
        return
    try:
        with warehouse.write(on_wait) as connection:
            known = stored_digests(connection, runs.keys())
            fresh = {name: run for name, run in runs.items() if known.get(name) != run.run["folder_sha256"]}
            if not fresh:
                raise NothingToWrite
            insert_runs(connection, list(fresh.values()))
    except NothingToWrite:
        fresh = {}
    except RefusedRowsError as error:
        names = list(runs)
        if len(names) == 1:
            report.problems[names[0]] = str(error)
            return
        for half in (names[: len(names) // 2], names[len(names) // 2 :]):
            _insert(warehouse, {name: runs[name] for name in half}, report, on_wait)
        return
    report.ingested.extend(fresh)
    report.unchanged.extend(runs.keys() - fresh.keys())


def remove_runs(warehouse: Warehouse, pattern: str, on_wait: Callable[[], None] = lambda: None) -> list[str]:
    """Remove the trained runs whose names fit, and experiments that have none left; returns the names.

    In `pattern`, `*` stands for any characters and `?` for one. The runs' folders stay. If none fits, because
    they were removed before, nothing is written.
    """
    removed: list[str] = []

    def remove_them(connection: sa.Connection) -> None:
        removed[:] = [name for name in _network_runs(connection) if fnmatchcase(name, pattern)]
        if not removed:
            raise NothingToWrite
        forget_runs(connection, removed)
        _delete_runs(connection, removed)

    def remove_experiments(connection: sa.Connection) -> None:
        left = sa.select(Run.experiment_id)
        connection.execute(sa.delete(Experiment).where(Experiment.experiment_id.not_in(left)))

    with suppress(NothingToWrite):
        warehouse.write_in_steps([remove_them, remove_experiments], on_wait)
    return removed


def ingested_runs(warehouse: Warehouse, run_ids: Collection[str] | None = None) -> dict[str, str]:
    """The runs that came from folders, with the digest of their files; or those of them among `run_ids`."""
    rows = warehouse.query(
        """SELECT run_id, folder_sha256
        FROM run
        WHERE folder_sha256 IS NOT NULL
            AND ($run_ids IS NULL OR run_id IN (SELECT unnest(CAST($run_ids AS VARCHAR[]))))""",
        {"run_ids": None if run_ids is None else [as_unicode(run_id) for run_id in run_ids]},
    )
    return dict(zip(rows.run_id, rows.folder_sha256, strict=True))


def stored_digests(connection: sa.Connection, run_ids: Collection[str]) -> dict[str, str | None]:
    """Those of `run_ids` that a warehouse being written has, with the digest of their files, if any."""
    rows = connection.execute(_DIGESTS, {"run_ids": [*run_ids]})
    return {row.run_id: row.folder_sha256 for row in rows}


def insert_runs(connection: sa.Connection, folders: Sequence[RunRows]) -> None:
    """Insert runs in place of those of the same names, and derive what follows from them."""
    run_ids = [folder.run["run_id"] for folder in folders]
    # A deletion reads all predictions, and most runs are new.
    if replaced := stored_digests(connection, run_ids):
        forget_runs(connection, [*replaced])
        _delete_runs(connection, [*replaced])
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
        insert_predictions(connection, pa.concat_tables(predictions))
    derive_runs(connection)


def _network_runs(connection: sa.Connection) -> list[str]:
    rows = sa.select(Run.run_id).join(Experiment, Run.experiment_id == Experiment.experiment_id)
    return list(connection.scalars(rows.where(Experiment.kind.not_in(WITHOUT_NETWORK)).order_by(Run.run_id)))


def _delete_runs(connection: sa.Connection, run_ids: Sequence[str]) -> None:
    """Their own rows; what follows from them is `db.warehouse.derived`'s."""
    for table in (Prediction, EpochMetric, Run):
        connection.execute(sa.delete(table).where(table.run_id.in_(run_ids)))
