"""A chart of a query's rows: any column over any other, in as many colours as are told apart."""

from __future__ import annotations

from typing import Final, Literal

import altair as alt
import pandas as pd
import pyarrow as pa

MARKS: Final = {
    "Points": alt.MarkDef(type="point", filled=True, opacity=0.6, size=40),
    "Lines": alt.MarkDef(type="line", point=True, strokeWidth=2),
    "Bars": alt.MarkDef(type="bar"),
}
# As many as the theme has.
COLOURS: Final = 8
HEIGHT: Final = 420


def axis_columns(rows: pa.Table) -> list[str]:
    """The columns that can be an axis: of single values."""
    return [field.name for field in rows.schema if not pa.types.is_nested(field.type)]


def number_columns(rows: pa.Table) -> list[str]:
    """The columns of numbers."""
    return [field.name for field in rows.schema if _kind(field.type) == "quantitative"]


def colour_columns(rows: pa.Table) -> list[str]:
    """The columns of text or truth values with few enough different values."""
    return [
        field.name
        for field in rows.schema
        if _kind(field.type) == "nominal"
        and not pa.types.is_nested(field.type)
        and not pa.types.is_binary(field.type)
        and len(rows[field.name].unique()) <= COLOURS
    ]


def result_chart(rows: pa.Table, mark: str, x: str, y: str, colour: str | None) -> alt.Chart:
    """`mark` is one of MARKS; `x`, `y` and `colour` are columns of `rows`, whose names may be anything."""
    # Vega-Lite reads dots and brackets in a field's name, so the columns get names of our own.
    columns = {"x": x, "y": y} | ({"colour": colour} if colour else {})
    shown = pd.DataFrame({key: _values(rows[name]) for key, name in columns.items()})
    across = alt.X("x", type=_kind(rows[x].type), title=x, sort=None).scale(zero=False)
    if mark == "Bars" and _kind(rows[x].type) == "quantitative":
        across = alt.X("x", type="ordinal", title=x)
    chart = alt.Chart(shown, mark=MARKS[mark], height=HEIGHT).encode(
        across,
        alt.Y("y", type=_kind(rows[y].type), title=y).scale(zero=mark == "Bars"),
        tooltip=[
            alt.Tooltip(k, type=_kind(rows[name].type), title=_in_tooltip(name))
            for k, name in columns.items()
        ],
    )
    if colour:
        chart = chart.encode(alt.Color("colour", type="nominal", title=colour))
        if mark == "Bars":
            chart = chart.encode(alt.XOffset("colour", type="nominal"))
    return chart


def _in_tooltip(name: str) -> str:
    """As Vega's tooltip names a column: it would fetch the picture that a value called `image` names."""
    return f"{name} " if name in ("image", "title") else name


def _kind(data_type: pa.DataType) -> Literal["quantitative", "temporal", "nominal"]:
    """Vega-Lite's type of a column."""
    types = pa.types
    if types.is_integer(data_type) or types.is_floating(data_type) or types.is_decimal(data_type):
        return "quantitative"
    if types.is_timestamp(data_type) or types.is_date(data_type):
        return "temporal"
    return "nominal"


def _values(column: pa.ChunkedArray) -> pd.Series:
    """As Vega-Lite draws them: decimals and HUGEINT as floating point, what it does not know as text."""
    if pa.types.is_decimal(column.type):
        column = column.cast(pa.float64())
    values: pd.Series = column.to_pandas()
    if _kind(column.type) == "nominal":
        values = values.map(lambda value: str(value) or "(empty)", na_action="ignore")
    return values
