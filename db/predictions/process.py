"""Reads files of predictions in a process with limits; what they say comes back as numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from nasrank.db.files.foreign import Answer, ForeignReader, Progress, answer_tasks, size_of
from nasrank.db.files.foreign_tables import MAX_BYTES
from nasrank.db.predictions.files import Choice, PredictionFile, read_prediction_file

_NUMBERS = "numbers"  # beside a column for each reading
_TOLD = ("file_name", "size_bytes", "sha256", "format", "architecture_column", "value_column")

ReadFile = Callable[[Path, Choice], PredictionFile]


@contextmanager
def prediction_reader() -> Iterator[ReadFile]:
    """Reads as `read_prediction_file`, all files in one process with limits."""
    with ForeignReader("nasrank.db.predictions.process") as reader:

        def read(path: Path, choice: Choice) -> PredictionFile:
            answer = reader.read(path, size_of(path, MAX_BYTES), {"choice": asdict(choice)})
            [table] = answer.tables
            columns = {name: np.asarray(table[name]) for name in table.column_names}
            numbers = columns.pop(_NUMBERS)
            return PredictionFile(**answer.told, readings=columns, numbers=numbers)

        yield read


def _read(path: Path, options: Mapping[str, Any], _: Progress) -> Answer:
    file = read_prediction_file(path, Choice(**options["choice"]))
    columns = {**file.readings, _NUMBERS: file.numbers}
    return Answer({name: getattr(file, name) for name in _TOLD}, (pa.table(columns),))


if __name__ == "__main__":
    answer_tasks(_read)
