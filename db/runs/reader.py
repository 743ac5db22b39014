"""Reads run folders: what a folder says becomes rows for the warehouse, all of it checked."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nasrank.db.errors import NasrankError
from nasrank.db.files.opening import read_if_there
from nasrank.db.nb201.architectures import all_architectures, parse_mask
from nasrank.db.runs import layout
from nasrank.db.runs.experiment import RunConfig, read_config
from nasrank.db.runs.format import EPOCH_SCHEMA, OK, EpochRow, PredictionRow
from nasrank.db.runs.schema import MAX_TABLE_BYTES, read_table
from nasrank.db.runs.status import RunStatus, read_status

State = tuple[int, int, int]  # of a status.json: inode, modification time, size
_UNREADABLE: Final[State] = (0, 0, 0)  # who reads it hears what it is
_MOST_SHOWN: Final = 100  # characters of a wrong name


@dataclass(frozen=True, slots=True)
class RunRows:
    """A folder's content, checked: rows for the warehouse."""

    experiment: Mapping[str, Any]
    run: Mapping[str, Any]
    epochs: pa.Table
    predictions: pa.Table | None  # of a failed run: None


def is_run_folder(path: Path) -> bool:
    """Whether a folder holds a run, or something else in place of its files; or cannot be looked into."""
    for name in (layout.CONFIG, layout.STATUS):
        try:
            (path / name).lstat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:  # who reads it hears what it is
            return True
        return True
    return False


def run_folders(runs_dir: Path) -> list[Path]:
    """The folders below `runs_dir` that hold a run. Raises `NasrankError` where it cannot be read."""
    if not runs_dir.is_dir():
        raise NasrankError(f"no folder of runs at {runs_dir}; name it with --runs or NASRANK_RUNS")
    try:
        return sorted(path for path in runs_dir.iterdir() if is_run_folder(path))
    except OSError as error:
        raise NasrankError(f"the folder {runs_dir} cannot be read: {error.strerror}; permit it") from error


def status_files(runs_dir: Path) -> dict[str, State | None]:
    """The `status.json` of each folder, as `stat` sees it; None for a folder without one.

    Raises OSError where `runs_dir` cannot be read.
    """
    found: dict[str, State | None] = {}
    with os.scandir(runs_dir) as entries:
        for entry in entries:
            path = Path(entry.path, layout.STATUS)
            try:
                status = path.stat()
            except NotADirectoryError:
                continue
            except FileNotFoundError:
                found[entry.name] = _UNREADABLE if path.is_symlink() else None
            except OSError:
                found[entry.name] = _UNREADABLE
            else:
                found[entry.name] = (status.st_ino, status.st_mtime_ns, status.st_size)
    return found


def read_run_folder(path: Path, digest: str | None = None) -> RunRows:
    """Read an ended run's folder and check all of it.

    Raises:
        NasrankError: something in it is missing, damaged, or not of this run.
    """
    about, status = _read_both(path)
    if not status.has_ended:
        raise NasrankError(f"{path}: the run is {status.status}; it is read when it has ended")
    if (status.status == "failed") != (status.failed_epoch is not None):
        raise NasrankError(
            f"{path / layout.STATUS}: status is {status.status} and failed_epoch {status.failed_epoch}; a "
            "failed run names its epoch, and no other run does"
        )
    experiment, run = _rows_of(about, status)
    epochs = _read_epochs(path / layout.EPOCHS, path.name)
    _check_epochs(path, about, status, epochs.num_rows)
    predictions = [_read_predictions(file, about) for file in layout.prediction_files(path)]
    if status.status == "finished" and not predictions:
        raise NasrankError(f"{path}: the run is finished, but has no predictions-*.parquet")
    return RunRows(
        experiment=experiment,
        run=run | {"folder_sha256": digest or folder_digest(path)},
        epochs=epochs,
        predictions=pa.concat_tables(predictions) if predictions else None,
    )


def read_begun_run(path: Path) -> RunRows:
    """What there is of a run that has not ended, or is not in the warehouse: all but its predictions.

    Raises NasrankError as `read_run_folder`.
    """
    experiment, run = _rows_of(*_read_both(path))
    epochs = path / layout.EPOCHS
    table = _read_epochs(epochs, path.name) if os.path.lexists(epochs) else EPOCH_SCHEMA.empty_table()
    return RunRows(experiment, run, table, predictions=None)


def folder_digest(path: Path) -> str:
    """Changes where a file that is ingested does: SHA-256 of their names and contents.

    Raises `NasrankError` where one of them is no ordinary file, or too large.
    """
    digest = hashlib.sha256()
    for file in (*(path / name for name in _INGESTED), *layout.prediction_files(path)):
        content = read_if_there(file, MAX_TABLE_BYTES)
        told = "missing" if content is None else hashlib.sha256(content).hexdigest()
        digest.update(os.fsencode(file.name) + f" {told}\n".encode())
    return digest.hexdigest()


def predicted_architectures(path: Path) -> set[int]:
    """The `arch_id`s in a file of predictions. Raises `NasrankError` for a damaged one."""
    return set(read_table(path, PredictionRow, ["arch_id"])["arch_id"].to_pylist())


def count_rows(path: Path) -> int:
    """Of a Parquet file; 0 if there is none, or a damaged one."""
    try:
        content = read_if_there(path, MAX_TABLE_BYTES)
        return int(pq.read_metadata(pa.BufferReader(content)).num_rows) if content else 0
    except (NasrankError, OSError, ValueError, pa.ArrowException):
        return 0


def _read_both(path: Path) -> tuple[RunConfig, RunStatus]:
    about, status = read_config(path), read_status(path)
    for name, found in ((layout.CONFIG, about), (layout.STATUS, status)):
        if found is None:
            raise NasrankError(f"{path / name} is missing; copy the folder anew")
        if found.run_id != path.name:
            raise NasrankError(
                f"{path / name}: run_id is {found.run_id[:_MOST_SHOWN]!r}; a folder has the name of its run, "
                f"{path.name!r}"
            )
    assert about is not None
    assert status is not None
    return about, status


def _rows_of(about: RunConfig, status: RunStatus) -> tuple[dict[str, Any], dict[str, Any]]:
    """The rows of the experiment and of the run."""
    experiment = about.experiment
    key = {"run_id": about.run_id, "experiment_id": experiment["experiment_id"], "seed": about.seed}
    return experiment, key | status.columns


def _check_epochs(path: Path, about: RunConfig, status: RunStatus, rows: int) -> None:
    """Raise `NasrankError` unless the configuration, the status and `epochs.parquet` agree on epochs."""
    epochs = about.config["epochs"]
    if status.epochs != epochs or status.epoch > epochs:
        raise NasrankError(
            f"{path / layout.STATUS}: it has epoch {status.epoch} of epochs {status.epochs}, and the "
            f"configuration epochs {epochs}; both have the same epochs, and epoch is no more"
        )
    if rows > epochs or (status.status == "finished" and rows not in (0, epochs)):
        raise NasrankError(
            f"{path / layout.EPOCHS}: it has {rows} rows, and the configuration {epochs} epochs; a finished "
            "run has a row an epoch or none, and no run has more"
        )


def _read_epochs(path: Path, run_id: str) -> pa.Table:
    table = read_table(path, EpochRow)
    is_next = table["epoch"].to_numpy() == np.arange(1, table.num_rows + 1)
    if not is_next.all():
        row = int(np.argmin(is_next))
        raise NasrankError(
            f"{path}: epoch is {table['epoch'][row]} in row {row + 1}; the rows are of the epochs 1, 2, 3 "
            "and so on, each once"
        )
    return table.add_column(0, "run_id", pa.array([run_id] * table.num_rows, pa.string()))


def _read_predictions(path: Path, about: RunConfig) -> pa.Table:
    run_id, mask, epochs = about.run_id, about.config["mask"], about.config["epochs"]
    evaluation = layout.evaluation_of(path)
    if evaluation is None or evaluation[0] > epochs:
        raise NasrankError(
            f"{path} is not named predictions-<epoch>-<bn_mode>.parquet, with an epoch from 0 to {epochs} "
            "and a mode of lower-case letters"
        )
    table = read_table(path, PredictionRow)
    owner = (table.schema.metadata or {}).get(b"run_id", b"")
    if owner != run_id.encode():
        named = owner[:_MOST_SHOWN].decode(errors="replace")
        raise NasrankError(
            f"{path} belongs to the run {named!r}; its metadata must name {run_id!r} as run_id"
        )
    arch_ids = table["arch_id"].to_numpy()
    admitted = _used_bits()[arch_ids] & parse_mask(mask).bits == 0
    if not admitted.all():
        wrong = arch_ids[int(np.argmin(admitted))]
        raise NasrankError(f"{path} has the architecture {wrong}, which mask {mask!r} does not leave")
    if len(np.unique(arch_ids)) != len(arch_ids):
        raise NasrankError(f"{path} has an architecture twice")
    is_sound = pc.not_equal(table["accuracy"].is_null(), pc.equal(table["status"], OK)).to_numpy()
    if not is_sound.all():
        row = table.slice(int(np.argmin(is_sound)), 1).to_pylist()[0]
        raise NasrankError(
            f"{path} has accuracy {row['accuracy']} with status {row['status']!r} for architecture "
            f"{row['arch_id']}; a fraction from 0 to 1 goes with {OK}, and none with any other status"
        )
    epoch, bn_mode = evaluation
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


_INGESTED = (layout.CONFIG, layout.STATUS, layout.EPOCHS)
