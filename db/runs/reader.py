"""Reads run folders: what a folder says becomes rows for the warehouse, all of it checked."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nasrank.db.errors import NasrankError
from nasrank.db.nb201.architectures import NUM_ARCHITECTURES, all_architectures, parse_mask
from nasrank.db.runs.format import EPOCH_SCHEMA, FORMAT, IMAGE_SIDES, PREDICTION_SCHEMA
from nasrank.db.runs.status import ENDED

State = tuple[int, int, int]  # of a status.json: inode, modification time, size


@dataclass(frozen=True, slots=True)
class RunRows:
    """A folder's content, checked: rows for the warehouse."""

    experiment: Mapping[str, Any]
    run: Mapping[str, Any]
    epochs: pa.Table
    predictions: pa.Table | None  # of a failed run: None


def run_folders(runs_dir: Path) -> list[Path]:
    """The folders below `runs_dir` that hold a run."""
    if not runs_dir.is_dir():
        raise NasrankError(f"no folder of runs at {runs_dir}; name it with --runs or NASRANK_RUNS")
    return sorted(path for path in runs_dir.iterdir() if (path / "config.json").is_file())


def status_files(runs_dir: Path) -> dict[str, State | None]:
    """The `status.json` of each folder, as `stat` sees it; None for a folder without one.

    Raises OSError where `runs_dir` cannot be read.
    """
    found: dict[str, State | None] = {}
    with os.scandir(runs_dir) as entries:
        for entry in entries:
            try:
                status = Path(entry.path, "status.json").stat()
            except NotADirectoryError:
                continue
            except FileNotFoundError:
                found[entry.name] = None
                continue
            except OSError:  # ingest says what it is
                found[entry.name] = (0, 0, 0)
                continue
            found[entry.name] = (status.st_ino, status.st_mtime_ns, status.st_size)
    return found


def run_status(folder: Path) -> str:
    """What `status.json` says: running, interrupted, failed or finished; begun before it is written."""
    if not (folder / "status.json").exists():
        return "begun"
    status = _read_json(folder / "status.json").get("status")
    if not isinstance(status, str):
        raise NasrankError("status.json has no status")
    return status


def read_run_folder(path: Path, digest: str | None = None) -> RunRows:
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
    return RunRows(
        experiment=experiment,
        run=run | {"folder_sha256": digest or folder_digest(path)},
        epochs=_read_epochs(path / "epochs.parquet", run_id),
        predictions=pa.concat_tables(predictions) if predictions else None,
    )


def read_begun_run(path: Path) -> RunRows:
    """What there is of a run that has not ended, or is not in the warehouse: all but its predictions.

    Raises NasrankError as `read_run_folder`.
    """
    experiment, run = _rows_of(path, _read_json(path / "config.json"), _read_json(path / "status.json"))
    epochs = path / "epochs.parquet"
    table = _read_epochs(epochs, path.name) if epochs.exists() else EPOCH_SCHEMA.empty_table()
    return RunRows(experiment, run, table, predictions=None)


def folder_digest(path: Path) -> str:
    """Changes where a file that is ingested does: SHA-256 of their names and contents."""
    digest = hashlib.sha256()
    for file in _ingested_files(path):
        content = hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else "missing"
        digest.update(f"{file.name} {content}\n".encode())
    return digest.hexdigest()


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
        "image_size": _image_size(config),
        "config": config,
        **{column: config[column] for column in columns},
    }


def _image_size(config: Mapping[str, Any]) -> int | None:
    """Pixels a side: a configuration names them where they are not the data set's own."""
    size = config.get("image_size")
    return IMAGE_SIDES.get(config["dataset"]) if size is None else int(size)


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


def _ingested_files(path: Path) -> Iterator[Path]:
    yield from (path / "config.json", path / "status.json", path / "epochs.parquet")
    yield from _prediction_files(path)


def _utc(text: str) -> dt.datetime:
    """Of an ISO 8601 time with its offset, without it: the warehouse's times are UTC."""
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC).replace(tzinfo=None)
