"""The folder a run leaves behind: all that `db.ingest.folders` reads, and all that continuing the run needs.

```
runs/<run_id>/
  config.json                           what the run is
  architectures.json                    what it shall predict
  status.json                           how it stands; db/runs/status.py
  epochs.parquet                        a row an epoch
  predictions-<epoch>-<bn_mode>.parquet a row an architecture
  predictions-<epoch>-<bn_mode>.partial.jsonl  while evaluation is under way
  checkpoint-<step>.pt                  the last two
  claim-<n>.json                        who works on the folder; db/runs/holders.py
  worker.log                            what the processes of a study said
```
Every file but the partial one is written to a temporary name, synced and renamed: a reader sees it whole or
not at all.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, TextIO

import pyarrow
import pyarrow.parquet

from nasrank.db.errors import NasrankError
from nasrank.db.files.reading import read_json
from nasrank.db.files.writing import TEMPORARY_SUFFIX, atomic_write, write_json
from nasrank.db.runs.claims import Claim
from nasrank.db.runs.format import EPOCH_SCHEMA, FORMAT, PREDICTION_SCHEMA, EpochRow, Prediction
from nasrank.db.runs.status import RunStatus, read_status

# What is ingested, and the count that accuracies come from, for adding predictions later.
_PREDICTION_SCHEMA: Final = PREDICTION_SCHEMA.append(pyarrow.field("correct", pyarrow.int32()))
_PREDICTIONS: Final = re.compile(r"predictions-(\d+)-")


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

    def write_config(
        self, config: Mapping[str, Any], seed: int, *, config_hash: str, size: str, variant: str
    ) -> None:
        """Write `config.json`, or check that the one there is of the same experiment and seed.

        `config` is the configuration as JSON has it, `config_hash` its hash, `size` and `variant` its labels.
        """
        path = self.path / "config.json"
        content = {
            "format": FORMAT,
            "run_id": self.path.name,
            "seed": seed,
            "config_hash": config_hash,
            "config": config,
            "size": size,
            "variant": variant,
        }
        found = read_json(path)
        if found is None:
            write_json(path, content)
        elif any(found.get(key) != content[key] for key in ("format", "seed", "config_hash", "config")):
            raise NasrankError(
                f"{path} is of another configuration or seed than this run; move the folder away, "
                "or give another runs directory"
            )

    def read_status(self) -> RunStatus | None:
        """The status, or None where none was written yet; raises as `db.runs.status.read_status`."""
        return read_status(self.path)

    def write_status(self, status: RunStatus) -> None:
        """Replace `status.json`."""
        write_json(self.path / "status.json", {"format": FORMAT, **asdict(status)})

    def add_architectures(
        self, arch_ids: Iterable[int], ground_truth_keys: Iterable[str]
    ) -> tuple[list[int], list[str]]:
        """Note what the run shall predict, and by which ground-truth keys it was chosen.

        Returns all architectures (ascending) and keys, with those noted earlier, which stay.
        """
        path = self.path / "architectures.json"
        found = read_json(path) or {"arch_ids": [], "ground_truth_keys": []}
        keys = sorted({*found["ground_truth_keys"], *ground_truth_keys})
        all_ids = sorted({*found["arch_ids"], *arch_ids})
        content = {**found, "format": FORMAT, "ground_truth_keys": keys, "arch_ids": all_ids}
        if found != content:
            write_json(path, content)
        return all_ids, keys

    def claim_evaluation(self, option: str, value: int | str) -> None:
        """Note with which option the run is evaluated, or check that it is what was noted earlier.

        After `add_architectures`. A run's predictions under a BN mode shall all be alike.
        """
        path = self.path / "architectures.json"
        content = read_json(path) or {}
        noted = content.get(option)
        if noted is None:
            write_json(path, {**content, option: value})
        elif noted != value:
            raise NasrankError(
                f"{path} notes {option} {noted}, and {value} was given; give {noted}, or another runs "
                "directory"
            )

    def write_epochs(self, rows: Sequence[EpochRow]) -> None:
        """Replace `epochs.parquet`."""
        table = pyarrow.Table.from_pylist([asdict(row) for row in rows], schema=EPOCH_SCHEMA)
        _write_table(self.path / "epochs.parquet", table)

    def predictions_path(self, epoch: int, bn_mode: str) -> Path:
        """Where the predictions after `epoch` epochs lie."""
        return self.path / f"predictions-{epoch}-{bn_mode}.parquet"

    def write_predictions(
        self,
        predictions: Iterable[Prediction],
        epoch: int,
        bn_mode: str,
        about: Mapping[str, str] | None = None,
    ) -> None:
        """All predictions after `epoch` epochs, replacing earlier ones; ascending by `arch_id`.

        `about` joins the file's metadata.
        """
        rows = [
            {**asdict(prediction), "accuracy": prediction.accuracy}
            for prediction in sorted(predictions, key=lambda prediction: prediction.arch_id)
        ]
        metadata = {"run_id": self.path.name, "epoch": str(epoch), "bn_mode": bn_mode, **(about or {})}
        table = pyarrow.Table.from_pylist(rows, schema=_PREDICTION_SCHEMA.with_metadata(metadata))
        _write_table(self.predictions_path(epoch, bn_mode), table)

    def drop_predictions(self, after: int) -> None:
        """Delete all predictions, finished or not, of later epochs than `after`."""
        for path in self.path.glob("predictions-*"):
            if (match := _PREDICTIONS.match(path.name)) and int(match[1]) > after:
                path.unlink()

    def read_predictions(self, epoch: int, bn_mode: str) -> list[Prediction]:
        """What `write_predictions` wrote, or nothing. Raises `NasrankError` for a damaged file."""
        path = self.predictions_path(epoch, bn_mode)
        if not path.exists():
            return []
        try:
            rows = pyarrow.parquet.read_table(path, columns=["arch_id", "correct", "images", "status"])
        except (pyarrow.ArrowException, OSError) as error:
            raise NasrankError(
                f"{path} cannot be read: {error}; delete it, and the same command predicts again"
            ) from error
        return [Prediction(**row) for row in rows.to_pylist()]

    @contextlib.contextmanager
    def partial_predictions(self, epoch: int, bn_mode: str) -> Iterator[tuple[list[Prediction], TextIO]]:
        """What an evaluation that was cut short predicted, and the file to `append_prediction` to."""
        path = self.partial_path(epoch, bn_mode)
        with path.open("a+", encoding="utf-8", errors="replace") as file:
            file.seek(0)
            lines = file.read().split("\n")
            if lines[-1]:
                file.write("\n")  # ends the line that a kill tore
            yield [prediction for line in lines if (prediction := _parse_prediction(line))], file

    def partial_path(self, epoch: int, bn_mode: str) -> Path:
        """Where those of an unfinished evaluation lie, a JSON object a line."""
        return self.path / f"predictions-{epoch}-{bn_mode}.partial.jsonl"


def append_prediction(file: TextIO, prediction: Prediction) -> None:
    """Hand a prediction to the operating system, so that it outlives this process."""
    file.write(json.dumps(asdict(prediction)) + "\n")
    file.flush()


def _parse_prediction(line: str) -> Prediction | None:
    """None for a torn line: its architecture is predicted again."""
    try:
        return Prediction(**json.loads(line))
    except (ValueError, TypeError):
        return None


def _write_table(path: Path, table: pyarrow.Table) -> None:
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(table, sink)
    atomic_write(path, sink.getvalue().to_pybytes())
