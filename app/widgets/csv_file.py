"""Tables as CSV for a reader's spreadsheet, in which no text of others is a formula."""

from __future__ import annotations

import re
from typing import Final

import pandas as pd
import pyarrow as pa

from nasrank.db.files.tables import as_csv

# What spreadsheets take for the beginning of a formula, some of them after white space that they leave out.
_FORMULA: Final = re.compile(r"[=+\-@\t\r\n]")
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


def csv_file(rows: pd.DataFrame | pa.Table) -> str:
    """CSV with a header, numbers in full precision; an apostrophe stands before what would be a formula.

    `nasrank-train export` and `nasrank-train sql --format csv` write the same texts without apostrophes.
    """
    if isinstance(rows, pa.Table):
        columns = [_without_formulas(column) for column in rows.columns]
        return as_csv(pa.table(columns, names=[no_formula(name) for name in rows.column_names]))
    told = rows.copy()
    for place, dtype in enumerate(rows.dtypes):
        if not (pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_datetime64_any_dtype(dtype)):
            told.isetitem(place, [no_formula(value) for value in rows.iloc[:, place]])
    told.columns = pd.Index([no_formula(name) for name in rows.columns])
    return told.to_csv(index=False, lineterminator="\n")


def no_formula(value: object) -> object:
    """A text with an apostrophe where a spreadsheet would compute it; all else, numbers too, as it is."""
    if isinstance(value, str) and _FORMULA.match(value) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value


def _without_formulas(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)):
        return column
    return pa.array([no_formula(value) for value in column.to_pylist()], pa.string())
