"""Tables whose cells Streamlit takes for Markdown."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
import streamlit as st

from nasrank.app.widgets.table import show_text_table
from nasrank.app.widgets.text import as_text
from tests.hostile_texts import TEXT


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[pd.DataFrame]:
    """What `st.table` is given."""
    tables: list[pd.DataFrame] = []

    def table(data: pd.DataFrame, **options: Any) -> None:
        tables.append(data)

    monkeypatch.setattr(st, "table", table)
    return tables


def test_every_text_of_a_table_is_escaped(shown: list[pd.DataFrame]) -> None:
    rows = pd.DataFrame({TEXT: [TEXT, [TEXT]], "n": [1, 2.5]}, index=pd.Index([TEXT, "b"], name=TEXT))
    show_text_table(rows, alt="")
    [table] = shown
    own = as_text(TEXT)
    assert [*table.columns, *table.index, table.index.name] == [own, "n", own, "b", own]
    assert table[own].tolist() == [own, as_text(str([TEXT]))]
    assert table["n"].tolist() == [1, 2.5]


def test_cells_that_stand_out_are_bold(shown: list[pd.DataFrame]) -> None:
    rows = pd.DataFrame({"a": ["1. x", "y"], "b": ["*", 2]})
    show_text_table(rows, alt="", bold=pd.DataFrame({"a": [True, False], "b": [True, False]}))
    [table] = shown
    assert table.to_numpy().tolist() == [["**1\\. x**", "**\\***"], ["y", 2]]
