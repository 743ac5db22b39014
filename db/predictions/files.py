"""Files of predictions: which column holds architectures, which one numbers, and what both say.

`db.columns` makes columns of a file. One file may hold several seeds: rows with a column `seed`, or a
column a seed, named after them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nasrank.db.columns.finding import (
    BY_LOOKING,
    Choice,
    Numbers,
    column_of,
    counts_rows,
    find_architectures,
    names_the_same,
    numbers_of,
    refuse_unprintable,
)
from nasrank.db.columns.shapes import MOST_SEEDS, Columns, listed, read_columns
from nasrank.db.errors import NasrankError
from nasrank.db.files.foreign_tables import MAX_BYTES
from nasrank.db.files.opening import read_regular
from nasrank.db.nb201.architectures import NUM_ARCHITECTURES
from nasrank.db.nb201.notations import ArchIds

# Chosen where several columns could be meant.
_VALUE_NAMES: Final = ("accuracy", "score", "predicted", "prediction", "value")

# Of a column in a long table, and of columns with one seed each: a name ends in it.
_SEED: Final = "seed"
_OF_SEED: Final = re.compile(r"(?:|.*\bvalue\.|.*seed[-_ .]?)(\d{1,9})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PredictionFile:
    """One seed's architectures in a file, as `readings` of their notation, and numbers.

    Args:
        seed: as the file tells it; None where it holds one seed and does not say which.
        unit: `percent`, where the numbers are written so; None where nothing says what they are.
        readings: by notation, int16 [rows]; at least one.
        numbers: [rows], NaN where there is none, or it is not finite.
    """

    file_name: str
    size_bytes: int
    sha256: str
    format: str
    architecture_column: str
    value_column: str
    seed: int | None
    unit: str | None
    readings: Mapping[str, ArchIds]
    numbers: NDArray[np.float64]


def read_prediction_file(path: Path, choice: Choice = BY_LOOKING) -> list[PredictionFile]:
    """Read a file and find its columns: each seed of it.

    Raises:
        NasrankError: it cannot be read, or it is not clear which columns are meant.
    """
    content = read_regular(path, MAX_BYTES)
    try:
        format, columns = read_columns(path, content, choice.part)
        about = _About(
            file_name=path.name.encode(errors="backslashreplace").decode(),
            size_bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            format=format,
        )
        found: list[PredictionFile] = []
        for seed, own in _by_seed(columns, choice):
            rows = len(next(iter(own.values()), ()))
            if not 2 <= rows <= NUM_ARCHITECTURES:
                raise NasrankError(
                    f"it has {rows:,} rows; 2 to {NUM_ARCHITECTURES:,} are needed, each architecture once: "
                    "one seed a file, or a column seed"
                )
            found += _of_seed(about, own, seed, choice)
    except NasrankError as error:
        raise NasrankError(f"{path}: {error}") from error
    return found


@dataclass(frozen=True, slots=True)
class _About:
    """What is told of the file."""

    file_name: str
    size_bytes: int
    sha256: str
    format: str


def _by_seed(columns: Columns, choice: Choice) -> Iterator[tuple[int | None, Columns]]:
    """The rows of each seed, where a column tells it; else all of them."""
    name = next((name for name in columns if name.strip().lower() == _SEED), None)
    if name is None or name in (choice.value_column, choice.architecture_column):
        yield None, columns
        return
    try:
        numbers = [int(str(value)) for value in columns[name]]
    except ValueError:
        raise NasrankError(f"the column {name!r} has what is no whole number, and so no seed") from None
    seeds = sorted(set(numbers))
    if len(seeds) > MOST_SEEDS or seeds[0] < 0:
        raise NasrankError(
            f"the column {name!r} has {len(seeds)} values from {seeds[0]} on; up to {MOST_SEEDS} seeds from "
            "0 on are read"
        )
    for seed in seeds:
        rows = [row for row, number in enumerate(numbers) if number == seed]
        yield (
            seed,
            {key: [values[row] for row in rows] for key, values in columns.items() if key != name},
        )


def _of_seed(about: _About, columns: Columns, seed: int | None, choice: Choice) -> Iterator[PredictionFile]:
    """What these rows say: of one seed, or of one a column."""
    architecture_column, readings = find_architectures(columns, choice)
    for value_column, numbers, own_seed in _find_numbers(columns, architecture_column, readings, choice):
        refuse_unprintable(architecture_column, value_column)
        yield PredictionFile(
            **asdict(about),
            architecture_column=architecture_column,
            value_column=value_column,
            seed=own_seed if seed is None else seed,
            unit=numbers.unit,
            readings=readings,
            numbers=numbers.values,
        )


def _find_numbers(
    columns: Columns, architecture_column: str, readings: Mapping[str, ArchIds], choice: Choice
) -> list[tuple[str, Numbers, int | None]]:
    """The column of predictions and its numbers; several with the seed that each is named after."""
    if choice.value_column is not None:
        names = _chosen(columns, choice.value_column, architecture_column)
        return [(name, numbers_of(columns[name]), None) for name in names]
    found: dict[str, Numbers] = {}
    problem = ""
    for name, values in columns.items():
        if name != architecture_column and not names_the_same(values, readings):
            try:
                numbers = numbers_of(values)
            except NasrankError as error:
                problem = f"; {name!r}, {error}"
                continue
            if np.isfinite(numbers.values).any():
                found[name] = numbers
    varying = {name: n for name, n in found.items() if np.ptp(n.values[np.isfinite(n.values)]) > 0} or found
    if not varying:
        raise NasrankError(
            f"no column holds numbers beside the architectures in {architecture_column!r}; "
            f"its columns are {listed(columns)}{problem}; name one with --column"
        )
    # What counts the rows, as a table's own index, says nothing of architectures that are told otherwise.
    varying = {name: n for name, n in varying.items() if not counts_rows(n.values)} or varying
    of_seeds = {name: match for name in varying if (match := _OF_SEED.fullmatch(name))}
    if len(of_seeds) == len(varying) and len({match[1] for match in of_seeds.values()}) == len(varying) > 1:
        return [(name, varying[name], int(match[1])) for name, match in of_seeds.items()]
    named = [name for name in _VALUE_NAMES if name in found]
    choices: list[str] = [*named] if len(named) == 1 else [name for name in named if name in varying]
    choices = choices or list(varying)
    if len(choices) > 1:
        raise NasrankError(f"the columns {listed(choices)} hold numbers; name one with --column")
    return [(choices[0], found[choices[0]], None)]


def _chosen(columns: Columns, name: str, architecture_column: str) -> list[str]:
    """The column of this name, or all that a name with a star stands for."""
    if name in columns or "*" not in name:
        column_of(columns, name)
        return [name]
    like = [own for own in columns if fnmatchcase(own, name) and own != architecture_column]
    if not like:
        raise NasrankError(f"no column is like {name!r}; its columns are {listed(columns)}")
    return like
