"""Values that Python, CSV or JSON have nothing for, as text; DuckDB says which."""

from __future__ import annotations

import csv
import io
import json
import re

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasrank.db.files.cells import as_values, has_odd_times
from nasrank.db.files.tables import as_csv, as_json, distinct, for_screens

DAY = 86_400
INT32, INT64 = 2**31 - 1, 2**63 - 1
# By type: how many of its units there are from 1970 to what DuckDB takes at either end, and infinity.
TIMES = {
    "DATE": (pa.date32(), -2_147_483_646, 2_147_483_646, INT32),
    "TIMESTAMP_S": (pa.timestamp("s"), -9_223_372_022_400, 9_223_372_036_854, INT64),
    "TIMESTAMP_MS": (pa.timestamp("ms"), -9_223_372_022_400_000, 9_223_372_036_854_775, INT64),
    "TIMESTAMP": (pa.timestamp("us"), -9_223_372_022_400_000_000, INT64 - 1, INT64),
    "TIMESTAMP_NS": (pa.timestamp("ns"), -9_223_286_400_000_000_000, INT64 - 1, INT64),
    "TIME": (pa.time64("us"), 0, DAY * 10**6, 0),
}


@st.composite
def times(draw: st.DrawFn) -> tuple[str, int]:
    """A type, and a number of its units: any, near the ends of Python's years, or infinity."""
    name = draw(st.sampled_from(list(TIMES)))
    kind, first, last, infinity = TIMES[name]
    days = st.sampled_from([-719_529, -719_528, -719_163, -719_162, 2_932_896, 2_932_897, 0, -1])
    units = 1 if kind.bit_width == 32 else {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit] * DAY
    near = days.map(lambda day: min(max(day * units, first), last))
    return name, draw(st.integers(first, last) | near | st.sampled_from([infinity, -infinity]))


@given(times())
def test_times_are_written_as_duckdb_writes_them(time: tuple[str, int]) -> None:
    name, number = time
    kind = TIMES[name][0]
    cells = pa.chunked_array([pa.array([number, None], pa.int32() if kind.bit_width == 32 else pa.int64())])
    column = cells.cast(kind)
    told = (
        duckdb.from_arrow(pa.table({"v": column})).query("t", "SELECT CAST(v AS VARCHAR) FROM t").fetchall()
    )
    written, nothing = as_values(column)
    assert nothing is None
    assert without_zeros(written) == without_zeros(told[0][0])
    if not has_odd_times(column):
        assert without_zeros(column.cast(pa.string())[0].as_py()) == without_zeros(written)
    rows = list(csv.reader(io.StringIO(as_csv(pa.table({"v": column, "n": [1, 2]})))))
    assert [without_zeros(row[0]) for row in rows[1:]] == [without_zeros(written), ""]
    assert json.loads(as_json(pa.table({"v": column}))) == [{"v": written}, {"v": None}]


def without_zeros(text: str) -> str:
    """A time without zeros at the end of its seconds, of which all write other numbers."""
    return re.sub(r"(\.\d*?)0+\b", r"\1", text).replace(". ", " ").rstrip(".")


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("{'a': [TIMESTAMP 'infinity', NULL]}", {"a": ["infinity", None]}),
        ("MAP{DATE '5881580-07-10': INTERVAL '1 month'}", [["5881580-07-10", "P1M0DT0S"]]),
        ("union_value(k := DATE '-infinity')", "-infinity"),
        ("[TIME '24:00:00']", ["24:00:00"]),
        ("[1, 2]::INTEGER[2]", [1, 2]),
        ("TIMESTAMPTZ 'infinity'", "infinity"),
        ("[TIMESTAMPTZ '2020-02-29 12:00:00.5+00']", ["2020-02-29 12:00:00.500000+00:00"]),
        ("[]", []),
        ("'x'::BLOB", "78"),
        ("['x'::BLOB]", ["78"]),
        ("'a'::ENUM('a', 'b')", "a"),
        ("170141183460469231731687303715884105727", 2**127 - 1),
    ],
)
def test_nested_values_are_written_in_every_form(sql: str, value: object) -> None:
    rows = duckdb.sql("FROM range(2)").project(f"{sql} AS v").to_arrow_table()
    assert json.loads(as_json(rows)) == [{"v": value}] * 2
    [_, first, second] = csv.reader(io.StringIO(as_csv(rows)))
    assert first == second
    assert first[0] == value or json.loads(first[0]) == value
    shown = for_screens(rows)
    assert shown.to_pylist() == [shown.to_pylist()[0]] * 2


def test_columns_of_one_name_are_all_kept() -> None:
    rows = pa.Table.from_arrays([pa.array([1]), pa.array([2]), pa.array([3])], names=["a", "a", "a_2"])
    assert json.loads(as_json(rows)) == [{"a": 1, "a_2": 2, "a_2_2": 3}]
    assert for_screens(rows).column_names == distinct(["a", "a", "a_2"])
