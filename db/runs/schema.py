"""What a run folder's files may hold, declared at the fields of dataclasses, and the one way to read them so.

A field is `Annotated[type, Field(meaning, …)]`. From that follow what `read_object` takes of JSON and
`read_table` of Parquet, the Arrow types that are written, and the tables in docs/run-folder.md.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, ClassVar, Final, Protocol, TypeVar, get_args, get_origin, get_type_hints

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nasrank.db.errors import NasrankError, in_a_line
from nasrank.db.files.opening import read_regular
from nasrank.db.files.reading import read_json

FORMAT: Final = 1
MAX_TABLE_BYTES: Final = 64 * 2**20  # of a Parquet file, and of the columns that are read of it
Row = TypeVar("Row")
_BATCH_ROWS: Final = 65_536
_MOST_TEXT_BYTES: Final = 1_000  # in Parquet
_MOST_NAMES: Final = 20
_MOST_PROBLEM: Final = 300  # characters of what a library says
_SHOWN: Final = 60  # characters of a wrong value
INT32: Final = 2**31 - 1
INT64: Final = 2**63 - 1
# A timestamp in nanoseconds, as pandas and Arrow have it, holds these and a few more.
_YEARS: Final = range(1970, 2200)
_YEARS_IN_WORDS: Final = f"of the years {_YEARS.start} to {_YEARS.stop - 1}"


class TableRow(Protocol):
    """A dataclass of a Parquet file's columns."""

    MOST_ROWS: ClassVar[int]


@dataclass(frozen=True)
class Field:
    """What a field means, and what is allowed beside its type; of a list, for each item."""

    meaning: str
    unit: str = ""
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()
    is_time: bool = False  # ISO 8601 with its offset from UTC
    optional: bool = False  # may be left out; then None
    stored: bool = True  # a column of the warehouse


@dataclass(frozen=True)
class Column:
    """A field of a dataclass, as its annotation declares it."""

    name: str
    type: Any  # bool, int, float, str, list[...] or dict[...]
    nullable: bool
    field: Field

    @property
    def allowed(self) -> str:
        """In words, such as `a whole number from 0 to 15624, or null`."""
        field = self.field
        words = _WORDS[self.type]
        if field.is_time:
            words = f"an ISO 8601 time with its offset, such as 2026-11-01T10:00:00+00:00, {_YEARS_IN_WORDS}"
        if field.choices:
            words = " or ".join(field.choices)
        if field.most in _POWERS:
            words += f", at least {field.least} and below {_POWERS[field.most]}"
        elif field.most is not None:
            words += f" from {field.least} to {field.most}"
        elif field.least is not None:
            words += f", at least {field.least}"
        return words + (", or null" if self.nullable else "")

    @property
    def arrow_type(self) -> pa.DataType:
        """The smallest of the warehouse's types that holds it."""
        if self.type is int:
            most = self.field.most or INT64
            return pa.int16() if most < 2**15 else pa.int32() if most <= INT32 else pa.int64()
        return {float: pa.float64(), str: pa.string()}[self.type]

    def admits(self, value: object) -> bool:
        """Whether a value of JSON is allowed."""
        if value is None:
            return self.nullable
        if not _has_type(value, self.type):
            return False
        return all(self._admits_item(item) for item in (value if isinstance(value, list) else [value]))

    def _admits_item(self, value: Any) -> bool:
        field = self.field
        return not (
            (field.least is not None and value < field.least)
            or (field.most is not None and value > field.most)
            or (field.choices and value not in field.choices)
            or (field.is_time and not _is_time(value))
        )


def columns_of(row: Any) -> tuple[Column, ...]:
    """The fields of a dataclass whose annotations declare them, in order."""
    return _columns_of(row)


@cache
def _columns_of(row: type) -> tuple[Column, ...]:
    hints = get_type_hints(row, include_extras=True)
    return tuple(_column(item.name, hints[item.name]) for item in fields(row))


def arrow_schema(row: type, *, stored_only: bool = False) -> pa.Schema:
    """The columns of a Parquet file of such rows; of those in the warehouse only."""
    columns = [column for column in columns_of(row) if column.field.stored or not stored_only]
    return pa.schema([(column.name, column.arrow_type) for column in columns])


def stored_values(row: object) -> dict[str, Any]:
    """A row's columns in the warehouse, times in UTC and without an offset."""
    return {
        column.name: _utc(value) if column.field.is_time and value is not None else value
        for column in columns_of(type(row))
        if column.field.stored
        for value in [getattr(row, column.name)]
    }


def read_file(path: Path, row: type[Row]) -> Row | None:
    """The object in a JSON file of this version's format; None where there is no file.

    Raises:
        NasrankError: it cannot be read, or a field is missing, unknown, or not as `row` declares it.
    """
    content = read_json(path)
    if content is None:
        return None
    given = content.pop("format", None)
    if type(given) is not int or given != FORMAT:  # True equals 1
        raise NasrankError(
            f"{path}: format is {'missing' if given is None else _shown(given)}; this nasrank reads "
            f"{FORMAT}: use the nasrank that wrote it, or delete the folder {path.parent} to start anew"
        )
    try:
        return read_object(content, row)
    except NasrankError as error:
        raise NasrankError(
            f"{path}: {error}; copy it anew, or delete the folder {path.parent} to start anew"
        ) from error


def read_object(content: Mapping[str, Any], row: type[Row], *, has_others: bool = False) -> Row:
    """A row from an object of JSON. With `has_others`, it may have other fields, which are left out.

    Raises:
        NasrankError: a field is missing, unknown, or not as `row` declares it; the file is not named.
    """
    columns = columns_of(row)
    unknown = [] if has_others else sorted(content.keys() - {column.name for column in columns})
    if unknown:
        names = ", ".join(column.name for column in columns)
        raise NasrankError(f"the field {_shown(unknown[0])} is unknown; there are {names}")
    values = {}
    for column in columns:
        if column.name not in content and not column.field.optional:
            raise NasrankError(f"{column.name} is missing; it must be {column.allowed}")
        value = content.get(column.name)
        if not (column.admits(value) or (column.field.optional and value is None)):
            where = _where_wrong(column, value)
            raise NasrankError(f"{column.name} is {_shown(value)}{where}; it must be {column.allowed}")
        values[column.name] = float(value) if column.type is float and value is not None else value
    return row(**values)


def read_table(path: Path, row: type[TableRow], names: Sequence[str] | None = None) -> pa.Table:
    """The columns `names` of a Parquet file of such rows, by default the warehouse's; with its metadata.

    Raises:
        NasrankError: it cannot be read, or a column is missing or not as `row` declares it.
    """
    columns = [c for c in columns_of(row) if (c.field.stored if names is None else c.name in names)]
    content = read_regular(path, MAX_TABLE_BYTES)
    try:
        return _decoded(content, columns, row.MOST_ROWS)
    except NasrankError as error:
        raise NasrankError(f"{path}: {error}") from error
    except (OSError, pa.ArrowException, ValueError, OverflowError, MemoryError) as error:
        raise NasrankError(f"{path} cannot be read: {in_a_line(error, _MOST_PROBLEM)}") from error


def _decoded(content: bytes, columns: Sequence[Column], most_rows: int) -> pa.Table:
    """Only `columns`, and no more of them than `most_rows` fill. The errors do not name the file."""
    with pq.ParquetFile(pa.BufferReader(content)) as file:
        for column in columns:
            _check_kind(column, file.schema_arrow)
        _check_size(file.metadata, {column.name for column in columns}, most_rows)
    texts = [column.name for column in columns if column.type is str]  # a repeated text is decoded once
    with pq.ParquetFile(pa.BufferReader(content), read_dictionary=texts) as file:
        schema = file.schema_arrow
        batches: list[pa.RecordBatch] = []
        rows = 0
        for batch in file.iter_batches(_BATCH_ROWS, columns=[column.name for column in columns]):
            batches.append(batch)
            rows += batch.num_rows
            if rows > most_rows:
                raise NasrankError(f"it has more than {most_rows:,} rows, which is the most that is read")
        wanted = [schema.field(column.name) for column in columns]
        table = pa.Table.from_batches(batches) if batches else pa.schema(wanted).empty_table()
    checked = {column.name: _checked(column, table[column.name]) for column in columns}
    return pa.table(checked).replace_schema_metadata(schema.metadata)


def _check_kind(column: Column, schema: pa.Schema) -> None:
    """Raise `NasrankError` unless a column is there once, with a type that may hold what is allowed."""
    places = schema.get_all_field_indices(column.name)
    if len(places) != 1:
        names = ", ".join(in_a_line(name, _MOST_PROBLEM) for name in schema.names[:_MOST_NAMES])
        raise NasrankError(
            f"it {'has twice' if places else 'lacks'} the column {column.name}; its columns are {names}"
        )
    given = schema.field(places[0]).type
    if not _ARROW_KINDS[column.type](given.value_type if pa.types.is_dictionary(given) else given):
        raise NasrankError(
            f"{column.name} must be {column.allowed}: it has the type {in_a_line(given, _MOST_PROBLEM)}"
        )


def _check_size(metadata: pq.FileMetaData, names: Collection[str], most_rows: int) -> None:
    """Raise `NasrankError` for more rows or bytes than are decoded, as the file has them in its footer."""
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    rows = max(metadata.num_rows, sum(group.num_rows for group in groups))
    if rows > most_rows:
        raise NasrankError(f"it has {rows:,} rows; at most {most_rows:,} are read")
    size = sum(
        chunk.total_uncompressed_size
        for group in groups
        for chunk in map(group.column, range(group.num_columns))
        if chunk.path_in_schema in names
    )
    if size > MAX_TABLE_BYTES:
        raise NasrankError(f"its columns have {size:,} bytes; at most {MAX_TABLE_BYTES:,} are read")


def _checked(column: Column, values: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        values.validate(full=True)
        if pa.types.is_dictionary(values.type):
            _check_lengths(column, values)
        values = values.cast(column.arrow_type)
    except (pa.ArrowException, ValueError) as error:
        raise NasrankError(
            f"{column.name} must be {column.allowed}: {in_a_line(error, _MOST_PROBLEM)}"
        ) from error
    wrong = pc.invert(_admitted(column, values))
    if (row := pc.index(wrong, True).as_py()) >= 0:
        value = values[row].as_py()
        raise NasrankError(
            f"{column.name} is {in_a_line(repr(value), _MOST_PROBLEM)} in row {row + 1}; it must be "
            f"{column.allowed}"
        )
    return values


def _check_lengths(column: Column, texts: pa.ChunkedArray) -> None:
    """Raise `NasrankError` for a text that is too long to be repeated."""
    for chunk in texts.chunks:
        longest = pc.max(pc.binary_length(chunk.dictionary)).as_py() or 0
        if longest > _MOST_TEXT_BYTES:
            raise NasrankError(f"{column.name} has a text of {longest:,} bytes; it must be {column.allowed}")


def _admitted(column: Column, values: pa.ChunkedArray) -> pa.ChunkedArray:
    """As `Column.admits`, of every value."""
    field = column.field
    admitted = pc.true_unless_null(values)
    if column.type is float:
        admitted = pc.and_(admitted, pc.is_finite(values))
    if field.least is not None:
        admitted = pc.and_(admitted, pc.greater_equal(values, field.least))
    if field.most is not None:
        admitted = pc.and_(admitted, pc.less_equal(values, field.most))
    if field.choices:
        admitted = pc.and_(admitted, pc.is_in(values, pa.array(field.choices)))
    return pc.if_else(pc.is_null(values), column.nullable, admitted)


def _column(name: str, hint: Any) -> Column:
    assert get_origin(hint) is Annotated, f"{name} is not declared"
    declared, field = get_args(hint)
    members = get_args(declared) if NoneType in get_args(declared) else ()
    kind = next((member for member in members if member is not NoneType), declared)
    return Column(name, kind, nullable=bool(members), field=field)


def _has_type(value: object, kind: Any) -> bool:
    """Strictly: True is no whole number, NaN no number, and half of a pair of surrogates no text."""
    if kind is Any:
        return _is_json(value)
    origin, arguments = _parts_of(kind)
    if origin is list:
        return isinstance(value, list) and all(_has_type(item, arguments[0]) for item in value)
    if origin is dict:
        return isinstance(value, dict) and all(
            _has_type(name, str) and _has_type(item, arguments[1]) for name, item in value.items()
        )
    if arguments:  # of a union
        return any(_has_type(value, member) for member in arguments)
    if kind is float:
        return (type(value) is int and abs(value) <= INT64) or (type(value) is float and math.isfinite(value))
    if kind is str:
        return type(value) is str and _is_text(value)
    return type(value) is kind


def _is_json(value: object) -> bool:
    match value:
        case bool() | None:
            return True
        case int() | float():
            return _has_type(value, float)
        case list():
            return _has_type(value, list[Any])
        case dict():
            return _has_type(value, dict[str, Any])
    return _has_type(value, str)


def _is_text(value: str) -> bool:
    return "\0" not in value and (value.isascii() or not any("\ud800" <= c <= "\udfff" for c in value))


def _where_wrong(column: Column, value: object) -> str:
    """Which member of an object is wrong; nothing for another value."""
    origin, arguments = _parts_of(column.type)
    if origin is not dict or not isinstance(value, dict):
        return ""
    for name, item in value.items():
        if not (_has_type(name, str) and _has_type(item, arguments[1])):
            return f", in which {_shown(name)} is {_shown(item)}"
    return ""


@cache
def _parts_of(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    return get_origin(kind), get_args(kind)


def _is_time(text: str) -> bool:
    try:
        return dt.datetime.fromisoformat(text).tzinfo is not None and _utc(text).year in _YEARS
    except (ValueError, OverflowError):
        return False


def _utc(text: str) -> dt.datetime:
    """Without its offset: the warehouse's times are UTC."""
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC).replace(tzinfo=None)


def _shown(value: object) -> str:
    """As JSON, on one line, and not long."""
    text = json.dumps(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


_POWERS: Final[dict[float | None, str]] = {INT32: "2^31", INT64: "2^63"}
_WORDS: Final[dict[Any, str]] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    list[int]: "a list of whole numbers",
    list[str]: "a list of texts",
    dict[str, Any]: "an object, in which numbers are finite, whole ones have 64 bits, and texts have no NUL",
    dict[str, str | None]: "an object of texts, or null",
    dict[str, list[str]]: "an object of lists of texts",
}
_ARROW_KINDS: Final[dict[Any, Any]] = {
    int: pa.types.is_integer,
    float: lambda kind: pa.types.is_floating(kind) or pa.types.is_integer(kind),
    str: lambda kind: pa.types.is_string(kind) or pa.types.is_large_string(kind),
}
