"""Tables on a page."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

# By column, in the order on the page: how it is shown, or only what it is called.
Columns = dict[str, ColumnConfig | str]


def show_table(rows: pd.DataFrame, columns: Columns, *, alt: str) -> None:
    """These columns of the rows, – where a value is missing; `alt` tells what they are to screen readers."""
    st.dataframe(
        rows,
        hide_index=True,
        column_order=list(columns),
        column_config=columns,
        placeholder="–",
        alt=alt,
    )
