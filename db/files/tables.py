"""Arrow tables as text, exactly: for files that people download or write."""

from __future__ import annotations

import decimal
import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.csv


def as_csv(rows: pa.Table) -> str:
    """CSV with a header, in full precision; nested values as JSON, which CSV has no form for."""
    sink = pa.BufferOutputStream()
    options = pyarrow.csv.WriteOptions(quoting_style="needed")
    columns = [_flat(column) for column in rows.columns]
    pyarrow.csv.write_csv(pa.table(columns, names=rows.column_names), sink, options)
    return str(sink.getvalue().to_pybytes().decode())


def as_json(rows: pa.Table) -> str:
    """A list of objects."""
    return json.dumps(rows.to_pylist(), indent=2, default=json_value, ensure_ascii=False)


def json_value(value: Any) -> Any:
    """For what JSON lacks: whole decimals (DuckDB's HUGEINT) as numbers, times and others as text."""
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)


def _flat(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    """As a type that Arrow's writer knows, and as text that can be read back."""
    if pa.types.is_nested(column.type):
        return _text(column, lambda value: json.dumps(value, default=json_value))
    if pa.types.is_interval(column.type):
        return _text(column, _duration)
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return _text(column, bytes.hex)
    if isinstance(column.type, pa.BaseExtensionType):  # UUID, JSON and whatever DuckDB will add
        return _text(column, str)
    return column


def _text(column: pa.ChunkedArray, as_text: Callable[[Any], str]) -> pa.Array:
    return pa.array([None if value is None else as_text(value) for value in column.to_pylist()], pa.string())


def _duration(value: pa.MonthDayNano) -> str:
    """An interval by ISO 8601, such as P1M3DT0.5S."""
    return f"P{value.months}M{value.days}DT{decimal.Decimal(value.nanoseconds).scaleb(-9).normalize():f}S"
