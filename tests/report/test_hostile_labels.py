"""Labels and names of others in the files of charts."""

from __future__ import annotations

from xml.dom import minidom

import altair as alt
import pandas as pd

from nasrank.report.charts.images import as_png, as_svg
from nasrank.report.charts.labels import in_file_name
from tests.hostile_texts import TEXT


def test_no_label_ends_the_drawing() -> None:
    """A character that XML lacks would end the process."""
    table = pd.DataFrame({"x": [1, 2], "s": [f"{TEXT}\x01\ufffe", "b"]})
    point = alt.Chart(table).mark_point().encode(alt.X("x:Q"), alt.Color("s:N"), alt.Facet("s:N"))
    chart = point.properties(width=50, title=TEXT)
    picture = minidom.parseString(as_svg(chart))
    assert not picture.getElementsByTagName("image")
    assert not picture.getElementsByTagName("script")
    assert as_png(chart).startswith(b"\x89PNG")


def test_a_name_is_one_part_of_a_files_name() -> None:
    assert in_file_name("ImageNet16-120") == "ImageNet16-120"
    names = {in_file_name(text) for text in ("../../x", "../..|x", "a" * 300, TEXT, "a/b", "\0")}
    assert len(names) == 6
    assert all(len(name) < 80 and "/" not in name and name.isprintable() for name in names)
