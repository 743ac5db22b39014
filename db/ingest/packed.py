"""Many ended runs as four Parquet files, named after the tables they fill and with their columns.

`experiment.parquet`, `run.parquet`, `epoch_metric.parquet` and `prediction.parquet`; columns that are JSON in
the warehouse are its text. The runs whose results come with nasrank lie so in `db/results`, in a folder a
study: what it trained and predicted, and no ground truth. Only those of `DEFAULT_RESULTS` are loaded unless
another study is named, so that what a pilot tried enters no finding.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from importlib import resources
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import sqlalchemy as sa

from nasrank.db.errors import NasrankError, nearest
from nasrank.db.ingest.folders import IngestReport, ingested_runs, insert_runs, stored_digests
from nasrank.db.runs.format import PREDICTION_SCHEMA
from nasrank.db.runs.reader import RunRows
from nasrank.db.warehouse.file import NothingToWrite, Warehouse
from nasrank.db.warehouse.models import EpochMetric, Experiment, Prediction, Run

DEFAULT_RESULTS: Final = "cifar10"
_RESULTS: Final = Path(str(resources.files("nasrank.db").joinpath("results")))
_TABLES: Final = tuple(table.__tablename__ for table in (Experiment, Run, EpochMetric, Prediction))
_JSON_COLUMNS: Final = {
    table.__tablename__: [
        column.name for column in table.__table__.columns if isinstance(column.type, sa.JSON)
    ]
    for table in (Experiment, Run)
}
# Of the table prediction, what a trained run has.
_PREDICTIONS: Final = pa.schema(
    [("run_id", pa.string()), ("epoch", pa.int32()), ("bn_mode", pa.string()), *PREDICTION_SCHEMA]
)


def pack_runs(folders: Sequence[RunRows], directory: Path) -> None:
    """Write the four files into `directory`, replacing those there. The same runs make the same bytes.

    Raises `NasrankError` where there is no run.
    """
    if not folders:
        raise NasrankError("no run to pack; give the folders of ended runs")
    folders = sorted(folders, key=lambda folder: str(folder.run["run_id"]))
    experiments = {folder.experiment["experiment_id"]: folder.experiment for folder in folders}
    # The first has no rows: a failed run has no predictions.
    predictions = [_PREDICTIONS.empty_table()]
    predictions += [folder.predictions for folder in folders if folder.predictions is not None]
    rows = {
        "experiment": _packed(list(experiments.values()), "experiment"),
        "run": _packed([folder.run for folder in folders], "run"),
        "epoch_metric": pa.concat_tables(folder.epochs for folder in folders),
        "prediction": pa.concat_tables(predictions),
    }
    directory.mkdir(parents=True, exist_ok=True)
    for name in _TABLES:
        pq.write_table(rows[name].replace_schema_metadata(None), _file(directory, name), compression="zstd")


def pack_more_runs(folders: Sequence[RunRows], directory: Path, run_ids: Collection[str]) -> int:
    """Pack `folders` beside those of the runs `run_ids` that `directory` has; returns how many it keeps.

    Raises `NasrankError` where there is no run, and as `unpack_runs`.
    """
    replaced = {folder.run["run_id"] for folder in folders}
    packed = unpack_runs(directory) if is_packed(directory) else []
    kept = [folder for folder in packed if folder.run["run_id"] in {*run_ids} - replaced]
    pack_runs([*kept, *folders], directory)
    return len(kept)


def is_packed(directory: Path) -> bool:
    """Whether there are packed runs in `directory`."""
    return _file(directory, Run.__tablename__).exists()


def unpack_runs(directory: Path) -> list[RunRows]:
    """What `pack_runs` wrote. Raises `NasrankError` for a file that is missing or damaged."""
    tables = {name: _read(_file(directory, name)) for name in _TABLES}
    experiments = {row["experiment_id"]: row for row in _unpacked(tables["experiment"], "experiment")}
    folders = []
    for run in _unpacked(tables["run"], "run"):
        epochs, predictions = (
            _of_run(tables[name], run["run_id"]) for name in ("epoch_metric", "prediction")
        )
        folders.append(
            RunRows(
                experiment=experiments[run["experiment_id"]],
                run=run,
                epochs=epochs,
                predictions=predictions if predictions.num_rows else None,
            )
        )
    return folders


def shipped_results() -> tuple[str, ...]:
    """The names of the studies whose runs come with nasrank."""
    return tuple(sorted(folder.name for folder in _RESULTS.iterdir() if is_packed(folder)))


def load_results(
    warehouse: Warehouse,
    on_wait: Callable[[], None] = lambda: None,
    directory: Path | None = None,
    *,
    study: str = DEFAULT_RESULTS,
) -> IngestReport:
    """Bring the runs of a study that come with nasrank into the warehouse; one that is there stays as it is.

    `directory`: of other packed runs, whatever the study. Raises `NasrankError` as `unpack_runs`, for a study
    whose runs do not come with nasrank, and where the warehouse cannot be used.
    """
    if directory is None:
        if study not in shipped_results():
            raise NasrankError(
                f"no results of a study {study!r} come with nasrank{nearest(study, shipped_results())}; "
                f"choose {' or '.join(shipped_results())}"
            )
        directory = _RESULTS / study
    packed = {folder.run["run_id"]: folder for folder in unpack_runs(directory)}
    added: list[str] = []
    if packed.keys() - ingested_runs(warehouse, packed.keys()).keys():
        with suppress(NothingToWrite), warehouse.write(on_wait) as connection:
            # Another process may have loaded them while this one waited.
            known = stored_digests(connection, packed.keys())
            if not (added := [run_id for run_id in packed if run_id not in known]):
                raise NothingToWrite
            insert_runs(connection, [packed[run_id] for run_id in added])
    return IngestReport(ingested=added, unchanged=[run_id for run_id in packed if run_id not in added])


def _file(directory: Path, table: str) -> Path:
    return directory / f"{table}.parquet"


def _packed(rows: Sequence[Mapping[str, Any]], table: str) -> pa.Table:
    texts = _JSON_COLUMNS[table]
    return pa.Table.from_pylist([{**row, **{name: json.dumps(row[name]) for name in texts}} for row in rows])


def _unpacked(rows: pa.Table, table: str) -> list[dict[str, Any]]:
    texts = _JSON_COLUMNS[table]
    return [{**row, **{name: json.loads(row[name]) for name in texts}} for row in rows.to_pylist()]


def _of_run(rows: pa.Table, run_id: str) -> pa.Table:
    return rows.filter(pc.field("run_id") == run_id)


def _read(path: Path) -> pa.Table:
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        problem = " ".join(str(error).split())
        raise NasrankError(
            f"{path.name} of the packed runs cannot be read: {problem}; install nasrank again"
        ) from error
