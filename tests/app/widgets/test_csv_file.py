"""Tables for a reader's spreadsheet."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pyarrow as pa
import pytest

from nasrank.app.widgets.csv_file import csv_file, no_formula

FORMULAS = ("=1+1", "+A1", "-A1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "=HYPERLINK(1)", "-", "+1-2")
PLAIN = ("a=1", "−0.5", "-0.5", "+3", "-1e-5", "", "'=1", "none", "1 - 2")


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_would_compute_is_text(text: str) -> None:
    assert no_formula(text) == f"'{text}"


@pytest.mark.parametrize("value", [*PLAIN, -1, -0.5, None])
def test_all_else_stays_as_it_is(value: object) -> None:
    assert no_formula(value) == value


def test_a_table_keeps_its_numbers_and_its_missing_values() -> None:
    numbers = [-1.5, float("nan")]
    frame = pd.DataFrame({"=name": ["@a", None], "n": numbers, "whole": [-3, 4], "mixed": [-1, "=1"]})
    assert csv_file(frame) == "'=name,n,whole,mixed\n'@a,-1.5,-3,-1\n,,4,'=1\n"
    assert list(frame.columns) == ["=name", "n", "whole", "mixed"]
    assert frame["=name"][0] == "@a"


def test_every_type_of_text_of_a_query_is_changed() -> None:
    column = pa.array(["=1", None, "b"])
    kinds = {"plain": column, "large": column.cast(pa.large_string()), "enum": column.dictionary_encode()}
    table = pa.table({**kinds, "=n": [-1, 2, 3], "list": [["=1"], None, []]})
    rows = list(csv.reader(io.StringIO(csv_file(table))))
    assert rows[0] == ["plain", "large", "enum", "'=n", "list"]
    assert rows[1] == ["'=1", "'=1", "'=1", "-1", '["=1"]']
    assert rows[2][:3] == ["", "", ""]
