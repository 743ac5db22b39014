"""Arrow tables as text, exactly: for files that people download or write."""

from __future__ import annotations

import decimal
import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.csv

from nasrank.db.files.cells import as_values, has_odd_times, is_plain


def as_csv(rows: pa.Table) -> str:
    """CSV with a header, in full precision; nested values as JSON, which CSV has no form for."""
    sink = pa.BufferOutputStream()
    options = pyarrow.csv.WriteOptions(quoting_style="needed")
    columns = [_as_written(column) for column in rows.columns]
    pyarrow.csv.write_csv(pa.table(columns, names=rows.column_names), sink, options)
    return str(sink.getvalue().to_pybytes().decode())


def as_json(rows: pa.Table) -> str:
    """A list of objects; of columns with one name, the second has the name with _2."""
    names = distinct(rows.column_names)
    values = [as_values(column) for column in rows.columns]
    objects = [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]
    return json.dumps(objects, indent=2, default=json_value, ensure_ascii=False)


def json_value(value: Any) -> Any:
    """For what JSON lacks: whole decimals (DuckDB's HUGEINT) as numbers, others as text."""
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)


def for_screens(rows: pa.Table) -> pa.Table:
    """The same rows with text in place of what browsers have nothing for, and no name of a column twice."""
    columns = [column if _has_only_plain(column.type) else _as_written(column) for column in rows.columns]
    return pa.table(columns, names=distinct(rows.column_names))


def distinct(names: Sequence[str]) -> list[str]:
    """The names, those that come again numbered: SQL allows two columns of one name, a table does not."""
    told: dict[str, None] = {}
    for name in names:
        number, candidate = 1, name
        while candidate in told:
            number += 1
            candidate = f"{name}_{number}"
        told[candidate] = None
    return list(told)


def _has_only_plain(kind: pa.DataType) -> bool:
    """Whether values are plain down to the last list in a list."""
    if isinstance(kind, pa.BaseExtensionType) or pa.types.is_union(kind) or not pa.types.is_nested(kind):
        return is_plain(kind)
    return all(_has_only_plain(kind.field(place).type) for place in range(kind.num_fields))


def _as_written(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    """As it is where Arrow writes it well; else as text: nested values as JSON, times as DuckDB has them."""
    kind = column.type
    if is_plain(kind) or (
        pa.types.is_temporal(kind) and not pa.types.is_interval(kind) and not has_odd_times(column)
    ):
        return column
    is_nested = pa.types.is_nested(kind)
    texts = [
        None if value is None else json.dumps(value, default=json_value) if is_nested else str(value)
        for value in as_values(column)
    ]
    return pa.array(texts, pa.string())
