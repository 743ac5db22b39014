"""Labels and names of others in the files of charts."""

from __future__ import annotations

from html.parser import HTMLParser
from xml.dom import minidom

import altair as alt
import pandas as pd
import pytest

from nasrank.report.charts import images
from nasrank.report.charts.images import as_html, as_png, as_svg, with_plain_titles
from nasrank.report.charts.labels import in_file_name
from tests.charts import evaluated
from tests.hostile_texts import TEXT, TEXTS

# With a character that XML lacks, which would end the process.
LABEL = f"{TEXT}\x01\ufffe"


def chart() -> alt.Chart:
    """With texts of others wherever a chart can have them."""
    table = pd.DataFrame({"x": [1, 2], "s": [LABEL, "b"]})
    encodings = (
        alt.X("x:Q", title=LABEL),
        alt.Y("s:N", sort=[LABEL, "b"]).axis(title=[LABEL, "b"]),
        alt.Color("s:N", title=LABEL).scale(domain=[LABEL, "b"]),
        alt.Facet("s:N", title=LABEL),
        alt.Tooltip("s:N", title=LABEL),
    )
    drawn: alt.Chart = alt.Chart(table).mark_point().encode(*encodings)
    return drawn.properties(width=50, title=alt.TitleParams([LABEL], subtitle=LABEL))


def test_no_label_ends_the_drawing() -> None:
    picture = minidom.parseString(as_svg(chart()))
    assert not picture.getElementsByTagName("image")
    assert not picture.getElementsByTagName("script")
    assert as_png(chart()).startswith(b"\x89PNG")


def test_no_label_is_markup_of_an_interactive_chart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "_vega_embed", lambda: "function vegaEmbed() {}")
    page = as_html(chart(), TEXT)
    found: list[str] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: found.append(tag)  # type: ignore[method-assign]
    parser.feed(page)
    assert found == ["html", "head", "meta", "meta", "title", "script", "body", "div", "script"]
    assert "evil.test" in page


@pytest.mark.parametrize("text", [*TEXTS, "a\nb", "a\u2028b", "\\", "'", '"'])
def test_no_title_is_an_expression(text: str) -> None:
    def drawn(title: str) -> list[str]:
        marks = alt.Chart(pd.DataFrame({"x": [1, 2], "s": [TEXT, "b"]})).mark_point()
        axes = (alt.X("x:Q", title=title), alt.Y("s:N", title=title, sort=[TEXT, "b"]))
        return evaluated(with_plain_titles(marks.encode(*axes, alt.Tooltip("s:N", title=title)).to_dict()))

    assert drawn(text) == drawn("plain")


def test_a_title_reads_as_written() -> None:
    given = {"title": ["a\\b", "c"], "datasets": {"d": [{"title": "a\\b"}]}, "mark": {"title": {"text": "d"}}}
    assert with_plain_titles(given) == given | {"title": ["a\u2216b", "c"]}


def test_a_name_is_one_part_of_a_files_name() -> None:
    assert in_file_name("ImageNet16-120") == "ImageNet16-120"
    names = {in_file_name(text) for text in ("../../x", "../..|x", "a" * 300, TEXT, "a/b", "\0")}
    assert len(names) == 6
    assert all(len(name) < 80 and "/" not in name and name.isprintable() for name in names)
