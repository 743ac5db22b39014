"""Writing a run folder, and reading back what continuing the run needs.

Every file but the one of an unfinished evaluation is written to a temporary name, synced and renamed: a
reader sees it whole or not at all.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, TextIO

import pyarrow as pa

from nasrank.db.errors import NasrankError
from nasrank.db.files.opening import read_if_there
from nasrank.db.files.reading import parse_json
from nasrank.db.files.writing import TEMPORARY_SUFFIX, write_json, write_parquet
from nasrank.db.nb201.architectures import NUM_ARCHITECTURES
from nasrank.db.runs import layout
from nasrank.db.runs.claims import Claim
from nasrank.db.runs.experiment import RunConfig, read_config
from nasrank.db.runs.format import EPOCH_SCHEMA, EpochRow, Prediction, PredictionRow
from nasrank.db.runs.schema import (
    FORMAT,
    MAX_TABLE_BYTES,
    Field,
    arrow_schema,
    columns_of,
    read_file,
    read_object,
    read_table,
)
from nasrank.db.runs.status import RunStatus, read_status


@dataclass(frozen=True, kw_only=True)
class Request:
    """`architectures.json`, beside its `format`: what a run is to predict, and how."""

    ground_truth_keys: Annotated[list[str], Field("keys by which architectures were chosen, ascending")]
    arch_ids: Annotated[
        list[int],
        Field("NAS-Bench-201 indices to predict, ascending", least=0, most=NUM_ARCHITECTURES - 1),
    ]
    precision: Annotated[
        str | None, Field("of features and weights in evaluation, such as float32", optional=True)
    ] = None
    recalibration_batches: Annotated[
        int | None, Field("of training images for each architecture", "batches", least=1, optional=True)
    ] = None


class RunFolder:
    """Reads and writes the files of one run. Methods that write need the folder to be claimed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextlib.contextmanager
    def claimed(
        self, *, patience: float = 0.0, on_loss: Callable[[], None] = lambda: None
    ) -> Iterator[Claim]:
        """Make the folder if needed and keep other processes out of it; see `Claim.take`.

        Raises `NasrankError` if another process holds it, or if the folder cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise NasrankError(
                f"cannot make the run folder {self.path}: {error.strerror}; give another runs directory"
            ) from error
        claim = Claim.take(self.path, patience=patience, on_loss=on_loss)
        try:
            for leftover in self.path.glob("*" + TEMPORARY_SUFFIX):
                leftover.unlink()
            yield claim
        finally:
            claim.release()

    def write_config(self, about: RunConfig) -> None:
        """Write `config.json`, or check that the one there is of the same experiment and seed."""
        path = self.path / layout.CONFIG
        found = read_config(self.path)
        if found is None:
            _write(path, about)
        elif (found.seed, found.config) != (about.seed, about.config):
            raise NasrankError(
                f"{path} is of another configuration or seed than this run; move the folder away, "
                "or give another runs directory"
            )

    def read_status(self) -> RunStatus | None:
        """The status, or None where none was written yet; raises as `db.runs.status.read_status`."""
        return read_status(self.path)

    def write_status(self, status: RunStatus) -> None:
        """Replace `status.json`."""
        _write(self.path / layout.STATUS, status)

    def add_architectures(self, arch_ids: Iterable[int], ground_truth_keys: Iterable[str]) -> Request:
        """Note what the run is to predict, and by which ground-truth keys it was chosen.

        Returns all of both, with those noted earlier, which stay.
        """
        found = read_request(self.path)
        request = replace(
            found or Request(arch_ids=[], ground_truth_keys=[]),
            arch_ids=sorted({*arch_ids, *(found.arch_ids if found else ())}),
            ground_truth_keys=sorted({*ground_truth_keys, *(found.ground_truth_keys if found else ())}),
        )
        if found != request:
            _write(self.path / layout.ARCHITECTURES, request)
        return request

    def claim_evaluation(self, *, precision: str, recalibration_batches: int | None) -> None:
        """Note how the run is evaluated, or check that it is as noted earlier; None is not noted.

        After `add_architectures`. A run's predictions under a BN mode are all made alike.
        """
        path = self.path / layout.ARCHITECTURES
        request = read_request(self.path)
        if request is None:
            raise NasrankError(f"{path} is missing; give the same command again")
        given = {"recalibration_batches": recalibration_batches, "precision": precision}
        for option, value in given.items():
            noted = getattr(request, option)
            if None not in (noted, value) and noted != value:
                raise NasrankError(
                    f"{path} notes {option} {noted}, and {value} was given; give {noted}, or another runs "
                    "directory"
                )
        batches = recalibration_batches or request.recalibration_batches
        changed = replace(request, precision=precision, recalibration_batches=batches)
        if changed != request:
            _write(path, changed)

    def write_epochs(self, rows: Sequence[EpochRow]) -> None:
        """Replace `epochs.parquet`."""
        table = pa.Table.from_pylist([asdict(row) for row in rows], schema=EPOCH_SCHEMA)
        write_parquet(self.path / layout.EPOCHS, table)

    def write_predictions(
        self,
        predictions: Iterable[Prediction],
        epoch: int,
        bn_mode: str,
        about: Mapping[str, str] | None = None,
    ) -> None:
        """All predictions after `epoch` epochs, ascending by `arch_id`, in place of earlier and partial ones.

        `about` joins the file's metadata.
        """
        rows = [
            vars(prediction.row)  # flat, and asdict copies what is in it
            for prediction in sorted(predictions, key=lambda prediction: prediction.arch_id)
        ]
        metadata = {"run_id": self.path.name, "epoch": str(epoch), "bn_mode": bn_mode, **(about or {})}
        table = pa.Table.from_pylist(rows, schema=arrow_schema(PredictionRow).with_metadata(metadata))
        write_parquet(layout.predictions_path(self.path, epoch, bn_mode), table)
        layout.partial_path(self.path, epoch, bn_mode).unlink(missing_ok=True)

    def drop_predictions(self, after: int) -> None:
        """Delete all predictions, finished or not, of later epochs than `after`."""
        for path in (*layout.prediction_files(self.path), *layout.partial_files(self.path)):
            evaluation = layout.evaluation_of(path)
            if evaluation is not None and evaluation[0] > after:
                path.unlink()

    def read_predictions(self, epoch: int, bn_mode: str) -> list[Prediction]:
        """What `write_predictions` wrote, or nothing. Raises `NasrankError` for a damaged file."""
        path = layout.predictions_path(self.path, epoch, bn_mode)
        if not path.exists():
            return []
        try:
            rows = read_table(path, PredictionRow, ["arch_id", "correct", "images", "status"])
        except NasrankError as error:
            raise NasrankError(f"{error}; delete it, and the same command predicts again") from error
        return [Prediction(**row) for row in rows.to_pylist()]

    @contextlib.contextmanager
    def partial_predictions(self, epoch: int, bn_mode: str) -> Iterator[tuple[list[Prediction], TextIO]]:
        """What an evaluation that was cut short predicted, and the file to `append_prediction` to."""
        path = layout.partial_path(self.path, epoch, bn_mode)
        lines = (read_if_there(path, MAX_TABLE_BYTES) or b"").decode(errors="replace").split("\n")
        with path.open("a", encoding="utf-8") as file:
            if lines[-1]:
                file.write("\n")  # ends the line that a kill tore
            yield [prediction for line in lines if (prediction := _parse_prediction(line))], file


def read_request(folder: Path) -> Request | None:
    """What a run is to predict, or None where nothing was noted yet. Raises `NasrankError` as `read_file`."""
    return read_file(folder / layout.ARCHITECTURES, Request)


def append_prediction(file: TextIO, prediction: Prediction) -> None:
    """Hand a prediction to the operating system, so that it outlives this process."""
    file.write(json.dumps(asdict(prediction)) + "\n")
    file.flush()


def _parse_prediction(line: str) -> Prediction | None:
    """None for a torn line: its architecture is predicted again."""
    try:
        content = parse_json(line.encode())
        return read_object(content, Prediction) if isinstance(content, dict) else None
    except (ValueError, NasrankError):
        return None


def _write(path: Path, content: RunConfig | RunStatus | Request) -> None:
    """As `read_file` reads it; an optional field without a value is left out."""
    declared = {column.name: column.field for column in columns_of(type(content))}
    values = {
        name: value
        for name, value in asdict(content).items()
        if not (declared[name].optional and value is None)
    }
    write_json(path, {"format": FORMAT, **values})
