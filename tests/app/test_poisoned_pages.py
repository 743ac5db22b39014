"""Every page over texts of others, as Streamlit gets it: none is Markdown, all are there to read."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from markdown_it import MarkdownIt
from streamlit.testing.v1 import AppTest

from nasrank.app.widgets import text
from tests.app.conftest import MAIN
from tests.app.poisoned import Poisoned, make_poisoned
from tests.charts import evaluated

VIEWS: Final = ("rankings", "scatter", "compare", "search_space", "datasets", "runs", "paper", "sql")
MARKDOWN: Final = MarkdownIt("commonmark").enable(["table", "strikethrough"])
# What Streamlit makes more of; a backslash before it, or another part of the text in it, ends that.
EXTENSIONS: Final = re.compile(r":(?!small\[)\w+[\[:]|\$|://|www\.|:material/")


@pytest.fixture(scope="module")
def poisoned(filled_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Poisoned:
    path = tmp_path_factory.mktemp("poisoned") / "nasrank.duckdb"
    shutil.copyfile(filled_file, path)
    return make_poisoned(path)


def test_every_column_of_text_is_poisoned(poisoned: Poisoned) -> None:
    """A new one is, or `FIXED` says why it holds no text of others."""
    assert poisoned.clean == set()


@pytest.fixture
def opened(poisoned: Poisoned, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], AppTest]:
    """Opens a page at an address that shows much."""
    monkeypatch.setenv("NASRANK_WAREHOUSE", str(poisoned.path))
    monkeypatch.setenv("NASRANK_RUNS", str(poisoned.runs_dir))

    def opened(view: str) -> AppTest:
        test = AppTest.from_file(MAIN, default_timeout=100)
        test.query_params.update(poisoned.addresses[view])
        test.switch_page(f"views/{view}/{view}.py").run()
        assert not test.exception
        return test

    return opened


@pytest.mark.parametrize("view", VIEWS)
def test_no_text_is_markdown(view: str, opened: Callable[[str], AppTest]) -> None:
    found = bodies(opened(view))
    for body in found:
        check(body)
    assert any("evil" in body for body in found)


@pytest.mark.parametrize("view", VIEWS)
def test_no_text_is_an_expression_of_a_chart(view: str, opened: Callable[[str], AppTest]) -> None:
    """Where it is quoted, it stays within."""
    charts = [json.loads(chart.proto.spec) for chart in opened(view).get("vega_lite_chart")]
    assert charts or view in ("paper", "sql")
    for expression in (expression for chart in charts for expression in evaluated(chart)):
        assert not re.search(r"evil|alpha|http|[\\\"]", expression)


@pytest.mark.parametrize("view", VIEWS)
def test_a_text_that_is_not_escaped_is_noticed(
    view: str, opened: Callable[[str], AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On each page: otherwise it would not show enough of the warehouse."""
    monkeypatch.setattr(text, "_SPECIAL", re.compile(r"(?!)"))
    monkeypatch.setattr(text, "_NOTHING", "")
    found = bodies(opened(view))
    with pytest.raises(AssertionError, match="evil"):
        list(map(check, found))


def bodies(test: AppTest) -> list[str]:
    """All that a page has of Markdown."""
    return [body for block in (test.main, test.sidebar) for body in markdown_of(block)]


def check(body: str) -> None:
    """That nothing in it is an image, a link to elsewhere, mathematics or coloured."""
    html = MARKDOWN.render(body)
    assert "<img" not in html, body
    assert all("evil" not in link.split("?")[0] for link in re.findall('href="([^"]*)"', html)), body
    left = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)|\\.|\]\([^)]*\)", "", body)
    assert not EXTENSIONS.search(left), body


def markdown_of(node: Any) -> Iterator[str]:
    """All that Streamlit takes for Markdown in a part of a page."""
    if node.type == "table":
        table = node.value
        yield from map(str, [*table.columns, *table.index, *table.to_numpy().ravel()])
    elif node.type == "expander":
        yield node.label
    elif node.type not in ("html", "text"):
        for name in ("body", "label", "help", "text", "title", "options"):
            value = getattr(node.proto, name, "")
            if name != "options" or node.type == "radio":
                yield from [value] if isinstance(value, str) else map(str, value)
    for child in getattr(node, "children", {}).values():
        yield from markdown_of(child)
