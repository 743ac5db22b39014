"""Charts for pages: tables by their content, and settings of Altair that all threads share."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from xml.dom import minidom

import altair as alt
import pandas as pd
import pytest
import vl_convert

from nasrank.app.widgets.specification import specification
from nasrank.report.charts.images import as_svg
from tests.hostile_texts import TEXTS


def points(rows: int = 3, last: float | None = 0.5) -> pd.DataFrame:
    return pd.DataFrame({"x": range(rows), "y": [*(0.25 for _ in range(rows - 1)), last]})


def chart(*tables: pd.DataFrame) -> Any:
    layers = [alt.Chart(table).mark_point().encode(alt.X("x:Q"), alt.Y("y:Q")) for table in tables]
    return alt.layer(*layers)


def test_tables_stay_tables_and_are_named_by_their_content() -> None:
    first, second = points(6_000), points(last=None)
    spec = specification(chart(first, second, first.copy()))
    names = [layer["data"]["name"] for layer in spec["layer"]]
    assert names[0] == names[2] != names[1]
    assert set(spec["datasets"]) == set(names)
    pd.testing.assert_frame_equal(spec["datasets"][names[0]].to_pandas(), first)
    assert spec["datasets"][names[1]]["y"].to_pylist() == [0.25, 0.25, None]
    assert specification(chart(first, second, first)) == spec
    assert "config" not in spec  # whose size would be Altair's


def test_tables_that_a_chart_has_inline_stay_with_it() -> None:
    inline = alt.Chart(alt.InlineData(values=[{"x": 1, "y": 2}])).mark_point().encode(alt.X("x:Q"))
    spec = specification(alt.layer(inline, chart(points())))
    assert sorted(len(table) for table in spec["datasets"].values()) == [1, 3]


# A browser draws control characters, too; vl-convert ends the process.
@pytest.mark.parametrize("text", ["a\u2028b", "a\u2029b", *filter(str.isprintable, TEXTS)])
@pytest.mark.parametrize("kind", ["object", "str", "category"])
def test_a_chart_is_sorted_by_any_text(text: str, kind: str) -> None:
    table = pd.DataFrame({"s": pd.Series([text, "plain"], dtype=kind), "y": [1, 2]})
    names = alt.Y("s:N", sort=["plain", text])
    spec = specification(alt.Chart(table).mark_point().encode(alt.X("y:Q"), names))
    [rows] = spec["datasets"].values()
    assert spec["encoding"]["y"]["sort"] == rows["s"].to_pylist()[::-1]
    spec["datasets"] = {name: table.to_pylist() for name, table in spec["datasets"].items()}
    picture = minidom.parseString(vl_convert.vegalite_to_svg(spec))
    drawn = [node.firstChild.data for node in picture.getElementsByTagName("text") if node.firstChild]
    assert "plain" in drawn


def test_pages_and_files_that_are_made_at_once_are_as_those_made_alone() -> None:
    """A page's chart must get no table inline, a file's chart must get no table by name."""
    tables = [points(50, last) for last in (0.5, 0.75)]
    alone = [specification(chart(table)) for table in tables]
    files = [as_svg(chart(table).properties(width=50)) for table in tables]
    transformer, theme = alt.data_transformers.active, alt.theme.active

    def both(number: int) -> bool:
        table = tables[number % 2]
        if number % 5:
            return bool(specification(chart(table)) == alone[number % 2])
        return as_svg(chart(table).properties(width=50)) == files[number % 2]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(both, range(60)))
    assert (alt.data_transformers.active, alt.theme.active) == (transformer, theme)
