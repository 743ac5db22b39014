"""Arrow tables as text, exactly: for files that people download or write."""

from __future__ import annotations

import decimal
import json
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
    if not pa.types.is_nested(column.type):
        return column
    return pa.array([None if v is None else json.dumps(v, default=json_value) for v in column.to_pylist()])
