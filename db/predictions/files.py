"""Files of predictions: which column holds architectures, which one numbers, and what both say.

- JSON: an object from architecture to number, or to an object of numbers; or a list of objects. A number
  within nested objects is the column `outer.inner`. Where such an object is itself a value of the file's
  object, as for each data set in NAS-Bench-Suite-Zero, `part` is its key.
- CSV with a header, in UTF-8.
- Parquet.
"""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nasrank.db.errors import NasrankError, in_a_line, shown
from nasrank.db.files.foreign_tables import MAX_BYTES, check_columns, read_parquet, unique_keys
from nasrank.db.files.opening import read_regular
from nasrank.db.nb201.architectures import NUM_ARCHITECTURES
from nasrank.db.nb201.notations import ArchIds, read_column

FORMATS: Final = ("json", "csv", "parquet")
# Of objects in objects, whose numbers are the columns `outer.inner`.
_DEPTH: Final = 8
_LONGEST_NAME: Final = 200
# Chosen where several columns could be meant.
_ARCHITECTURE_NAMES: Final = ("architecture", "arch", "arch_str", "arch_id", "arch_index", "digits")
_VALUE_NAMES: Final = ("accuracy", "score", "predicted", "prediction", "value")

Columns = Mapping[str, Sequence[object]]


@dataclass(frozen=True, slots=True)
class PredictionFile:
    """One file's architectures, as `readings` of their notation, and numbers.

    Args:
        readings: by notation, int16 [rows]; at least one.
        numbers: [rows], NaN where there is none, or it is not finite.
    """

    file_name: str
    size_bytes: int
    sha256: str
    format: str
    architecture_column: str
    value_column: str
    readings: Mapping[str, ArchIds]
    numbers: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Choice:
    """What to read of a file; None is found by looking."""

    part: str | None = None
    architecture_column: str | None = None
    value_column: str | None = None
    notation: str | None = None


def read_prediction_file(path: Path, choice: Choice = Choice()) -> PredictionFile:
    """Read a file and find its columns.

    Raises:
        NasrankError: it cannot be read, or it is not clear which columns are meant.
    """
    content = read_regular(path, MAX_BYTES)
    try:
        format = _format(path, content)
        columns = _COLUMNS[format](content, choice.part)
        rows = len(next(iter(columns.values()), ()))
        if not 2 <= rows <= NUM_ARCHITECTURES:
            raise NasrankError(
                f"it has {rows:,} rows; 2 to {NUM_ARCHITECTURES:,} are needed, each architecture once: one "
                "seed a file"
            )
        architecture_column, readings = _find_architectures(columns, choice)
        value_column, numbers = _find_numbers(columns, architecture_column, readings, choice)
        _refuse_unprintable(architecture_column, value_column)
    except NasrankError as error:
        raise NasrankError(f"{path}: {error}") from error
    return PredictionFile(
        file_name=path.name.encode(errors="backslashreplace").decode(),
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        format=format,
        architecture_column=architecture_column,
        value_column=value_column,
        readings=readings,
        numbers=numbers,
    )


def _format(path: Path, content: bytes) -> str:
    """By the end of the name, else by how it begins."""
    suffix = path.suffix.lower().removeprefix(".")
    if suffix in FORMATS:
        return suffix
    if content.startswith(b"PAR1"):
        return "parquet"
    return "json" if content.lstrip()[:1] in (b"{", b"[") else "csv"


def _json_columns(content: bytes, part: str | None) -> Columns:
    try:
        value = json.loads(content, object_pairs_hook=unique_keys)
    except (ValueError, RecursionError) as error:
        raise NasrankError(f"it is no JSON: {error}") from error
    if part is not None:
        if not isinstance(value, dict) or part not in value:
            keys = f"; its keys are {_listed(value)}" if isinstance(value, dict) else ", for it is no object"
            raise NasrankError(f"it has no part {part!r}{keys}")
        value = value[part]
    if isinstance(value, dict | list):
        _check_rows(len(value))
    if isinstance(value, dict) and value:
        if not any(isinstance(member, dict | list) for member in value.values()):
            return {"architecture": list(value), "value": list(value.values())}
        if all(isinstance(member, dict) for member in value.values()):
            try:
                read_column(list(value))
            except NasrankError as error:
                raise NasrankError(
                    f"{error}; where its keys are parts of the file, name one with --part: {_listed(value)}"
                ) from error
            rows = [{"architecture": key, **dict(_flat(member))} for key, member in value.items()]
            return _transposed(rows)
    if isinstance(value, list) and value and all(isinstance(member, dict) for member in value):
        return _transposed([dict(_flat(member)) for member in value])
    raise NasrankError(
        "it is neither an object from architecture to number, or to an object of numbers, nor a list of "
        "objects"
    )


def _flat(member: Mapping[str, Any], prefix: str = "", depth: int = 1) -> Iterator[tuple[str, object]]:
    if depth > _DEPTH:
        raise NasrankError(f"its objects are more than {_DEPTH} deep, at {shown(prefix)}")
    for key, value in member.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.", depth + 1)
        else:
            yield f"{prefix}{key}", value


def _transposed(rows: Sequence[Mapping[str, object]]) -> Columns:
    names: dict[str, None] = {}
    for row in rows:
        names.update(dict.fromkeys(row))
        check_columns(len(names))
    return {name: [row.get(name) for row in rows] for name in names}


def _csv_columns(content: bytes, part: str | None) -> Columns:
    _refuse_part(part)
    try:
        text = content.decode("utf-8-sig")
        filled = (line for line in csv.reader(io.StringIO(text, newline=""), strict=True) if line)
        lines = list(itertools.islice(filled, NUM_ARCHITECTURES + 2))
    except (ValueError, csv.Error) as error:
        raise NasrankError(f"it is no CSV in UTF-8: {error}") from error
    if not lines:
        raise NasrankError("it is empty")
    _check_rows(len(lines) - 1)
    check_columns(len(lines[0]))
    header = [name.strip() for name in lines[0]]
    if len(set(header)) < len(header):
        raise NasrankError(f"it has a column twice; its columns are {_listed(header)}")
    for number, line in enumerate(lines[1:], 1):
        if len(line) != len(header):
            raise NasrankError(
                f"row {number} has {len(line)} cells, the header has {len(header)} ({_listed(header)}); "
                "cells are separated by commas, and one with a comma in it stands in double quotes"
            )
    return {name: list(cells) for name, cells in zip(header, zip(*lines[1:], strict=True), strict=False)}


def _parquet_columns(content: bytes, part: str | None) -> Columns:
    _refuse_part(part)
    table = read_parquet(content, NUM_ARCHITECTURES)
    try:
        return {name: table[name].to_pylist() for name in table.column_names}
    except (LookupError, ValueError, ArithmeticError) as error:
        raise NasrankError(
            f"it has a column twice, or a cell that Python has nothing for: {in_a_line(error, 300)}"
        ) from error


def _check_rows(count: int) -> None:
    if count > NUM_ARCHITECTURES:
        raise NasrankError(
            f"it has more than {NUM_ARCHITECTURES:,} rows; each architecture is needed once: one seed a file"
        )


def _refuse_unprintable(*names: str) -> None:
    """A name is stored and shown: half a surrogate, a NUL or a line break would do harm there."""
    for name in names:
        if not name.isprintable() or len(name) > _LONGEST_NAME:
            raise NasrankError(
                f"the column {shown(name)} has a name that cannot be printed, or more than {_LONGEST_NAME} "
                "characters; give it another"
            )


def _refuse_part(part: str | None) -> None:
    if part is not None:
        raise NasrankError(f"only JSON has parts; leave out the part {part!r}")


_COLUMNS: Final = {"json": _json_columns, "csv": _csv_columns, "parquet": _parquet_columns}


def _find_architectures(columns: Columns, choice: Choice) -> tuple[str, dict[str, ArchIds]]:
    """The column of architectures, and its readings."""
    if choice.architecture_column is not None:
        values = _column(columns, choice.architecture_column)
        return choice.architecture_column, read_column(values, choice.notation)
    found: dict[str, dict[str, ArchIds]] = {}
    problems: dict[str, NasrankError] = {}
    for name, values in columns.items():
        try:
            found[name] = read_column(values, choice.notation)
        except NasrankError as error:
            problems[name] = error
    if not found:
        likely = next((name for name in _ARCHITECTURE_NAMES if name in problems), next(iter(problems)))
        raise NasrankError(f"no column holds architectures; {likely!r}, {problems[likely]}")
    # Text says what it means; a number may be anything. A column of architectures has each only once.
    clearest = (
        {name: r for name, r in found.items() if "string" in r or "nested" in r}
        or {name: r for name, r in found.items() if any(_is_distinct(ids) for ids in r.values())}
        or found
    )
    first, readings = next(iter(clearest.items()))
    if all(_is_same(readings, others) for others in clearest.values()):
        return first, readings
    named = [name for name in _ARCHITECTURE_NAMES if name in clearest]
    if len(named) != 1:
        raise NasrankError(
            f"the columns {_listed(clearest)} may hold architectures; name one with --architecture-column"
        )
    return named[0], clearest[named[0]]


def _is_distinct(arch_ids: ArchIds) -> bool:
    return len(np.unique(arch_ids)) == len(arch_ids)


def _is_same(one: Mapping[str, ArchIds], other: Mapping[str, ArchIds]) -> bool:
    """Whether two columns can be the same architectures, in different notations."""
    return any(np.array_equal(a, b) for a in one.values() for b in other.values())


def _find_numbers(
    columns: Columns, architecture_column: str, readings: Mapping[str, ArchIds], choice: Choice
) -> tuple[str, NDArray[np.float64]]:
    """The column of predictions, and its numbers."""
    if choice.value_column is not None:
        return choice.value_column, _numbers(_column(columns, choice.value_column))
    found: dict[str, NDArray[np.float64]] = {}
    for name, values in columns.items():
        if name != architecture_column and not _names_the_same(values, readings):
            try:
                numbers = _numbers(values)
            except NasrankError:
                continue
            if np.isfinite(numbers).any():
                found[name] = numbers
    varying = {name: n for name, n in found.items() if np.ptp(n[np.isfinite(n)]) > 0} or found
    if not varying:
        raise NasrankError(
            f"no column holds numbers beside the architectures in {architecture_column!r}; "
            f"its columns are {_listed(columns)}; name one with --column"
        )
    named = [name for name in _VALUE_NAMES if name in found]
    choices: list[str] = [*named] if len(named) == 1 else [name for name in named if name in varying]
    choices = choices or list(varying)
    if len(choices) > 1:
        raise NasrankError(f"the columns {_listed(choices)} hold numbers; name one with --column")
    return choices[0], found[choices[0]]


def _names_the_same(values: Sequence[object], readings: Mapping[str, ArchIds]) -> bool:
    """Whether a column only repeats the architectures, as `arch_id` beside `arch_str` does."""
    try:
        return _is_same(read_column(values), readings)
    except NasrankError:
        return False


def _numbers(values: Sequence[object]) -> NDArray[np.float64]:
    """[rows]; NaN for what is empty."""
    numbers = np.empty(len(values))
    for row, value in enumerate(values):
        try:
            if isinstance(value, bool):
                raise ValueError
            numbers[row] = math.nan if value is None or value == "" else float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            raise NasrankError(f"row {row + 1}: {shown(value)} is not a number") from None
    return numbers


def _column(columns: Columns, name: str) -> Sequence[object]:
    if name not in columns:
        raise NasrankError(f"it has no column {name!r}; its columns are {_listed(columns)}")
    return columns[name]


def _listed(names: Any, at_most: int = 20) -> str:
    listed = ", ".join(repr(str(name)[:60]) for name in itertools.islice(names, at_most))
    return listed + (f" and {len(names) - at_most:,} more" if len(names) > at_most else "")
