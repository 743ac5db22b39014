"""Tables on a page."""

from __future__ import annotations

from numbers import Number
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from nasrank.app.widgets.text import as_text

# By column, in the order on the page: how it is shown, or only what it is called.
Columns = dict[str, ColumnConfig | str]


def show_table(rows: pd.DataFrame, columns: Columns, *, alt: str, row_height: int | None = None) -> None:
    """These columns of the rows, – where a value is missing; `alt` tells what they are to screen readers.

    `row_height` in pixels; None for that of a line of text.
    """
    st.dataframe(
        rows,
        hide_index=True,
        column_order=list(columns),
        column_config=columns,
        placeholder="–",
        alt=alt,
        row_height=row_height,
    )


def show_text_table(
    rows: pd.DataFrame, *, alt: str, bold: pd.DataFrame | None = None, **options: Any
) -> None:
    """All of a small table at once, its cells as text, which `st.table` takes for Markdown.

    `bold` is true for the cells that stand out. `options` go to `st.table`.
    """
    cells = rows.map(_cell)
    if bold is not None:
        cells = cells.mask(bold, cells.map(lambda cell: f"**{cell}**"))
    cells = cells.rename(index=_cell, columns=_cell).rename_axis(index=as_text(rows.index.name))
    st.table(cells, alt=alt, **options)


def _cell(value: object) -> object:
    """A number as it is, all else as a text in Markdown."""
    return value if isinstance(value, Number) else as_text(str(value))
