"""Reads files of predictions in a process with limits; what they say comes back as numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from nasrank.db.columns.finding import Choice
from nasrank.db.files.foreign import Answer, ForeignReader, Progress, answer_tasks, size_of
from nasrank.db.files.foreign_tables import MAX_BYTES
from nasrank.db.predictions.files import PredictionFile, read_prediction_file

_NUMBERS = "numbers"  # beside a column for each reading
_COLUMNS = ("readings", _NUMBERS)

ReadFile = Callable[[Path, Choice], list[PredictionFile]]


@contextmanager
def prediction_reader() -> Iterator[ReadFile]:
    """Reads as `read_prediction_file`, all files in one process with limits."""
    with ForeignReader("nasrank.db.predictions.process") as reader:

        def read(path: Path, choice: Choice) -> list[PredictionFile]:
            answer = reader.read(path, size_of(path, MAX_BYTES), {"choice": asdict(choice)})
            found = []
            for told, table in zip(answer.told["seeds"], answer.tables, strict=True):
                columns = {name: np.asarray(table[name]) for name in table.column_names}
                numbers = columns.pop(_NUMBERS)
                found.append(PredictionFile(**told, readings=columns, numbers=numbers))
            return found

        yield read


def _read(path: Path, options: Mapping[str, Any], _: Progress) -> Answer:
    found = read_prediction_file(path, Choice(**options["choice"]))
    told = [
        {item.name: getattr(file, item.name) for item in fields(file) if item.name not in _COLUMNS}
        for file in found
    ]
    tables = tuple(pa.table({**file.readings, _NUMBERS: file.numbers}) for file in found)
    return Answer({"seeds": told}, tables)


if __name__ == "__main__":
    answer_tasks(_read)
