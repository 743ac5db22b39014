"""Run folders into the warehouse: what a folder says is read, checked, and inserted once.

A folder is the source of truth for its run. It is ingested when its run has ended, and again only when
its files changed, so that ingesting twice changes nothing. A folder that cannot be used is named with
the reason, and does not keep the others out.

Format of a folder (version 1): `config.json`, `status.json`, `epochs.parquet`, and one
`predictions-<epoch>-<bn_mode>.parquet` an evaluation; `trainer/run_folder.py` writes it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import sqlalchemy as sa

from db.architectures import NUM_ARCHITECTURES, all_architectures, parse_mask
from db.derived import derive_runs, forget_runs
from db.errors import NasrankError
from db.models import EpochMetric, Experiment, Prediction, Run
from db.run_status import ENDED, FORMAT
from db.warehouse import Warehouse, insert_arrow

PREDICTION_SCHEMA: Final = pa.schema(
    [("arch_id", pa.int16()), ("accuracy", pa.float64()), ("images", pa.int32()), ("status", pa.string())]
)
EPOCH_SCHEMA: Final = pa.schema(
    [
        ("epoch", pa.int32()),
        ("train_loss", pa.float64()),
        ("train_accuracy", pa.float64()),
        ("valid_accuracy", pa.float64()),
        ("learning_rate", pa.float64()),
        ("seconds", pa.float64()),
        ("images_per_second", pa.float64()),
    ]
)


@dataclass(slots=True)
class IngestReport:
    """What became of each folder, by its name; `problems` says why a folder could not be used."""

    ingested: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A folder's content, checked: rows for the warehouse."""

    experiment: Mapping[str, Any]
    run: Mapping[str, Any]
    epochs: pa.Table
    predictions: pa.Table | None  # of a failed run: None


def ingest(
    warehouse: Warehouse, folders: Sequence[Path], on_wait: Callable[[], None] = lambda: None
) -> IngestReport:
    """Bring the ended runs among `folders` into the warehouse, all in one transaction.

    The published file is replaced only if something is new. Raises NasrankError where the warehouse
    cannot be used; a folder that cannot be used is only reported.
    """
    report = IngestReport()
    known = ingested_runs(warehouse)
    fresh: dict[str, RunFolder] = {}
    for path in sorted(folders):
        try:
            if run_status(path) not in ENDED:
                report.unfinished.append(path.name)
                continue
            digest = _digest(path)
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


def run_folders(runs_dir: Path) -> list[Path]:
    """The folders below `runs_dir` that hold a run."""
    if not runs_dir.is_dir():
        raise NasrankError(f"no folder of runs at {runs_dir}; name it with --runs or NASRANK_RUNS")
    return sorted(path for path in runs_dir.iterdir() if (path / "config.json").is_file())


def ingested_runs(warehouse: Warehouse) -> dict[str, str]:
    """The runs in the warehouse, with the digest of their folder's files."""
    rows = warehouse.query("SELECT run_id, folder_sha256 FROM run")
    return dict(zip(rows.run_id, rows.folder_sha256, strict=True))


def run_status(folder: Path) -> str:
    """What `status.json` says: running, interrupted, failed or finished; begun before it is written."""
    if not (folder / "status.json").exists():
        return "begun"
    status = _read_json(folder / "status.json").get("status")
    if not isinstance(status, str):
        raise NasrankError("status.json has no status")
    return status


def read_run_folder(path: Path, digest: str | None = None) -> RunFolder:
    """Read an ended run's folder and check all of it.

    Raises:
        NasrankError: something in it is missing, damaged, or not of this run.
    """
    config_file = _read_json(path / "config.json")
    status = _read_json(path / "status.json")
    if status.get("status") not in ENDED:
        raise NasrankError(f"the run is {status.get('status')}; it is read when it has ended")
    experiment, run = _rows_of(path, config_file, status)
    run_id = run["run_id"]
    predictions = [_read_predictions(file, run_id, experiment["mask"]) for file in _prediction_files(path)]
    if run["status"] == "finished" and not predictions:
        raise NasrankError("the run is finished, but has no predictions-*.parquet")
    return RunFolder(
        experiment=experiment,
        run=run | {"folder_sha256": digest or _digest(path)},
        epochs=_read_epochs(path / "epochs.parquet", run_id),
        predictions=pa.concat_tables(predictions) if predictions else None,
    )


def read_begun_run(path: Path) -> RunFolder:
    """What there is of a run that has not ended, or is not in the warehouse: all but its predictions.

    Raises NasrankError as `read_run_folder`.
    """
    experiment, run = _rows_of(path, _read_json(path / "config.json"), _read_json(path / "status.json"))
    epochs = path / "epochs.parquet"
    table = _read_epochs(epochs, path.name) if epochs.exists() else EPOCH_SCHEMA.empty_table()
    return RunFolder(experiment, run, table, predictions=None)


def _rows_of(
    path: Path, config_file: Mapping[str, Any], status: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The rows of the experiment and of the run."""
    try:
        experiment = _experiment_row(config_file)
        run = _run_row(config_file, status, experiment["experiment_id"])
    except KeyError as error:
        raise NasrankError(f"config.json or status.json lacks {error.args[0]!r}") from error
    except (TypeError, ValueError) as error:
        raise NasrankError(f"config.json or status.json: {error}") from error
    if run["run_id"] != path.name:
        raise NasrankError(f"it holds the run {run['run_id']!r}: a folder has the name of its run")
    return experiment, run


def insert_runs(connection: sa.Connection, folders: Sequence[RunFolder]) -> None:
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
    """Their own rows; what follows from them is `db.derived`'s."""
    for table in (Prediction, EpochMetric, Run):
        connection.execute(sa.delete(table).where(table.run_id.in_(run_ids)))


def _experiment_row(config_file: Mapping[str, Any]) -> dict[str, Any]:
    """From config.json; its hash must be that of the configuration in it."""
    if config_file["format"] != FORMAT:
        raise NasrankError(
            f"it has format {config_file['format']!r}, this nasrank reads {FORMAT}; "
            "use the nasrank that wrote it"
        )
    config = config_file["config"]
    canonical = json.dumps(config, sort_keys=True, separators=(",", ":"), allow_nan=False)
    config_hash = hashlib.sha256(canonical.encode()).hexdigest()
    if config_file["config_hash"] != config_hash:
        raise NasrankError("config.json was changed: config_hash is not that of config")
    columns = (
        "dataset",
        "cells_per_stage",
        "channels",
        "lt",
        "path_sampling",
        "node_inputs",
        "train_images",
        "valid_images",
        "epochs",
        "batch_size",
        "learning_rate",
    )
    return {
        "experiment_id": config_hash[:12],
        "config_hash": config_hash,
        "kind": "trained",
        "name": None,
        "predicts": "accuracy",
        "size": config_file["size"],
        "variant": config_file["variant"],
        "mask": str(parse_mask(config["mask"])),
        "config": config,
        **{column: config[column] for column in columns},
    }


def _run_row(config_file: Mapping[str, Any], status: Mapping[str, Any], experiment_id: str) -> dict[str, Any]:
    columns = (
        "message",
        "failed_epoch",
        "seconds_training",
        "seconds_evaluation",
        "optimizer_updates",
        "images_per_second",
        "device",
        "git_commit",
        "git_dirty",
        "versions",
        "dataset_sha256",
        "valid_sha256",
        "dataset_origin",
        "ground_truth_keys",
    )
    return {
        "run_id": config_file["run_id"],
        "experiment_id": experiment_id,
        "seed": config_file["seed"],
        "status": status["status"],
        "started_at": _utc(status["started_at"]),
        "finished_at": _utc(status["finished_at"] or status["updated_at"]),
        **{column: status[column] for column in columns},
    }


def _read_epochs(path: Path, run_id: str) -> pa.Table:
    table = _read_parquet(path, EPOCH_SCHEMA)
    return table.add_column(0, "run_id", pa.array([run_id] * table.num_rows, pa.string()))


def _read_predictions(path: Path, run_id: str, mask: str) -> pa.Table:
    table = _read_parquet(path, PREDICTION_SCHEMA)
    owner = (table.schema.metadata or {}).get(b"run_id", b"").decode()
    if owner != run_id:
        raise NasrankError(f"{path.name} belongs to the run {owner!r}")
    arch_ids = table["arch_id"].to_numpy()  # of other numbers where one is missing
    admitted = (arch_ids >= 0) & (arch_ids < NUM_ARCHITECTURES)
    admitted[admitted] = _used_bits()[arch_ids[admitted].astype(int)] & parse_mask(mask).bits == 0
    if not admitted.all():
        wrong = table["arch_id"][int(np.argmin(admitted))].as_py()
        raise NasrankError(f"{path.name} has the architecture {wrong}, which mask {mask!r} does not leave")
    if len(np.unique(arch_ids)) != len(arch_ids):
        raise NasrankError(f"{path.name} has an architecture twice")
    accuracies = table["accuracy"].to_numpy()
    is_missing = table["accuracy"].is_null().to_numpy()
    is_ok = pc.equal(table["status"], "ok").fill_null(False).to_numpy()
    is_sound = (is_missing != is_ok) & (is_missing | ((accuracies >= 0) & (accuracies <= 1)))
    if not is_sound.all():
        row = table.slice(int(np.argmin(is_sound)), 1).to_pylist()[0]
        raise NasrankError(
            f"{path.name} has accuracy {row['accuracy']} with status {row['status']!r} for architecture "
            f"{row['arch_id']}; a fraction from 0 to 1 goes with ok, and none with any other status"
        )
    epoch, bn_mode = _named_parts(path)
    rows = table.num_rows
    return (
        table.add_column(0, "run_id", pa.array([run_id] * rows, pa.string()))
        .add_column(1, "epoch", pa.array([epoch] * rows, pa.int32()))
        .add_column(2, "bn_mode", pa.array([bn_mode] * rows, pa.string()))
    )


@cache
def _used_bits() -> npt.NDArray[np.int64]:
    """By `arch_id`, the operations in use, as `OperationSet.bits`."""
    return np.array([architecture.used.bits for architecture in all_architectures()])


def _read_parquet(path: Path, schema: pa.Schema) -> pa.Table:
    """The columns of `schema`, others left out."""
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise NasrankError(f"{path.name} cannot be read: {' '.join(str(error).split())}") from error
    metadata = table.schema.metadata
    if missing := set(schema.names) - set(table.column_names):
        raise NasrankError(f"{path.name} lacks the columns {', '.join(sorted(missing))}")
    try:
        return table.select(schema.names).cast(schema).replace_schema_metadata(metadata)
    except (pa.ArrowException, ValueError) as error:
        raise NasrankError(f"{path.name} has other types of columns: {error}") from error


def _prediction_files(path: Path) -> list[Path]:
    return sorted(path.glob("predictions-*.parquet"))


def _named_parts(path: Path) -> tuple[int, str]:
    """(epoch, bn_mode) of `predictions-<epoch>-<bn_mode>.parquet`."""
    match = re.fullmatch(r"predictions-(\d+)-([a-z]+)\.parquet", path.name, flags=re.ASCII)
    if match is None:
        raise NasrankError(f"{path.name} is not named predictions-<epoch>-<bn_mode>.parquet")
    return int(match[1]), match[2]


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NasrankError(f"{path.name} is missing") from error
    except (OSError, ValueError) as error:
        raise NasrankError(f"{path.name} cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise NasrankError(f"{path.name} holds no JSON object")
    return value


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    for file in _ingested_files(path):
        content = hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else "missing"
        digest.update(f"{file.name} {content}\n".encode())
    return digest.hexdigest()


def _ingested_files(path: Path) -> Iterator[Path]:
    yield from (path / "config.json", path / "status.json", path / "epochs.parquet")
    yield from _prediction_files(path)


def _utc(text: str) -> dt.datetime:
    """Of an ISO 8601 time with its offset, without it: the warehouse's times are UTC."""
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC).replace(tzinfo=None)
