"""Cells of Arrow tables as values and text, also those that Python, CSV or JSON have nothing for.

DuckDB has times that Python has not: infinity, the hour 24, and years before 1 and after 9999. All is written
as DuckDB writes it, but intervals, which are as ISO 8601 has them, and bytes, which are hexadecimal.
"""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Callable, Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

_SECONDS_A_DAY: Final = 86_400
_TICKS_A_SECOND: Final[Mapping[str, int]] = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
# Days since 1970: the first that Python has, and the one after its last.
_FIRST_DAY: Final = dt.date.min.toordinal() - dt.date(1970, 1, 1).toordinal()
_AFTER_LAST_DAY: Final = dt.date.max.toordinal() - dt.date(1970, 1, 1).toordinal() + 1
# The Gregorian calendar repeats after so many years, which are so many days.
_ERA_YEARS: Final = 400
_ERA_DAYS: Final = 146_097


def as_values(column: pa.ChunkedArray) -> list[Any]:
    """Each cell as None, a truth value, number, text, list or dictionary; times and bytes are text."""
    if is_plain(column.type):
        values: list[Any] = column.to_pylist()
        return values
    return [_value_of(cell) for cell in column]


def is_plain(kind: pa.DataType) -> bool:
    """Whether Python has all values of a type: numbers, truth values, text, one of a few."""
    if pa.types.is_dictionary(kind):
        return is_plain(kind.value_type)
    return not (pa.types.is_nested(kind) or isinstance(kind, pa.BaseExtensionType)) and _writer(kind) is None


def has_odd_times(column: pa.ChunkedArray) -> bool:
    """Whether one of a column's times is none that Python and Arrow can write, such as infinity."""
    kind = column.type
    if pa.types.is_date32(kind):
        first, after_last = _FIRST_DAY, _AFTER_LAST_DAY
    elif pa.types.is_timestamp(kind):
        ticks_a_day = _TICKS_A_SECOND[kind.unit] * _SECONDS_A_DAY
        first, after_last = _FIRST_DAY * ticks_a_day, _AFTER_LAST_DAY * ticks_a_day
    elif pa.types.is_time(kind):
        first, after_last = 0, _SECONDS_A_DAY * _TICKS_A_SECOND[kind.unit]
    else:
        return False
    ends = pc.min_max(column.cast(pa.int32() if kind.bit_width == 32 else pa.int64())).as_py()
    if ends["min"] is None:
        return False
    # Nanoseconds have only years that Python has, and infinity.
    infinity = _infinity(kind)
    return bool(ends["min"] < first or ends["max"] >= after_last or infinity in (-ends["min"], ends["max"]))


def _value_of(cell: pa.Scalar) -> Any:
    if not cell.is_valid:
        return None
    kind = cell.type
    if pa.types.is_map(kind):
        return [[_value_of(key), _value_of(value)] for key, value in _entries(cell)]
    if pa.types.is_struct(kind):
        return {field.name: _value_of(cell[place]) for place, field in enumerate(kind)}
    if pa.types.is_nested(kind) and not pa.types.is_union(kind):  # lists of any sort
        return [_value_of(item) for item in cell.values]
    if pa.types.is_union(kind) or isinstance(kind, pa.BaseExtensionType):
        return _value_of(cell.value)
    write = _writer(kind)
    return cell.as_py() if write is None else write(cell)


def _entries(cell: pa.MapScalar) -> list[tuple[pa.Scalar, pa.Scalar]]:
    return [(entry[0], entry[1]) for entry in cell.values]


def _writer(kind: pa.DataType) -> Callable[[pa.Scalar], str] | None:
    """How a cell of a type is written; None for those that Python has, and for nested ones."""
    if pa.types.is_interval(kind):
        return lambda cell: _duration(cell.as_py())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return lambda cell: str(cell.as_py().hex())
    if pa.types.is_date32(kind):
        return lambda cell: _or_infinity(cell.value, kind, _date)
    if pa.types.is_timestamp(kind):
        return lambda cell: _or_infinity(cell.value, kind, lambda value: _timestamp(value, kind))
    if pa.types.is_time(kind):
        return lambda cell: _clock(cell.value, _TICKS_A_SECOND[kind.unit])
    return None


def _duration(value: pa.MonthDayNano) -> str:
    """An interval by ISO 8601, such as P1M3DT0.5S."""
    return f"P{value.months}M{value.days}DT{decimal.Decimal(value.nanoseconds).scaleb(-9).normalize():f}S"


def _or_infinity(value: int, kind: pa.DataType, write: Callable[[int], str]) -> str:
    if abs(value) == _infinity(kind):
        return "infinity" if value > 0 else "-infinity"
    return write(value)


def _infinity(kind: pa.DataType) -> int:
    """The number that stands for it in DuckDB."""
    return int(2 ** (kind.bit_width - 1) - 1)


def _timestamp(value: int, kind: pa.TimestampType) -> str:
    ticks = _TICKS_A_SECOND[kind.unit]
    days, rest = divmod(value, _SECONDS_A_DAY * ticks)
    return f"{_date(days)} {_clock(rest, ticks)}{'+00:00' if kind.tz else ''}"


def _date(days: int) -> str:
    """Days since 1970 in the Gregorian calendar; the year before 1 is 1 BC."""
    eras, day = divmod(days, _ERA_DAYS)
    same = dt.date(1970, 1, 1) + dt.timedelta(days=day)  # the same day, in an era that Python has
    year = same.year + _ERA_YEARS * eras
    return f"{year:04}-{same:%m-%d}" if year > 0 else f"{1 - year:04}-{same:%m-%d} (BC)"


def _clock(value: int, ticks_a_second: int) -> str:
    seconds, ticks = divmod(value, ticks_a_second)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    digits = 9 if ticks_a_second == _TICKS_A_SECOND["ns"] else 6
    fraction = f".{ticks * (10**digits // ticks_a_second):0{digits}}" if ticks else ""
    return f"{hour:02}:{minute:02}:{second:02}{fraction}"
