"""A warehouse and folders full of hostile text: in Chromium and on a terminal."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlencode, urlsplit
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Page, expect

from nasrank.db.warehouse.file import Warehouse
from nasrank.trainer.cli.main import main
from tests.app.poisoned import Poisoned, make_poisoned
from tests.e2e.browsing import settle
from tests.e2e.conftest import Dashboard, free_port, serve, served
from tests.hostile_texts import NAME, TEXT, TEXTS

# All that a page has of pictures and links, and what it takes them from.
TAKEN: Final = """() => [...document.querySelectorAll('img, a, script, iframe, link, [style*=url]')]
    .map(one => one.src || one.href || one.getAttribute('style') || '')"""
GRADIENTS: Final = ("linearGradient", "stop", "clipPath")
MORE_TEXTS: Final = (
    *(*TEXTS, "1. one", "- one", "# one", "> one", "-> one", "<-> one", "a -- b", "a >= b"),
    *(":smile: :+1:", ":material/bug:", ":streamlit:", "a@b.cd", "&lt;", "~~a~~", "``a`b``", "| a | b |"),
    *("x:red[y]", "::a:b:", ":", "C:\\x", "HTTPS://EVIL.test", "    code", "---", "[^1]: a"),
)
# After a line that names these texts.
SHOWING: Final = """
import pandas, streamlit
from nasrank.app.widgets.text import as_code, as_text
for place, text in enumerate(texts):
    with streamlit.container(key=f"text-{place}"):
        streamlit.markdown(as_text(text))
        streamlit.markdown(f":small[**{as_text(text)}** {as_code(text)}]")
        streamlit.expander(as_text(text))
        streamlit.table(pandas.DataFrame({as_text(text): [as_text(text)]}), hide_index=True)
        streamlit.header(as_text(text))
streamlit.title("done")
"""


@pytest.fixture(scope="module")
def poisoned(dashboard: Dashboard, tmp_path_factory: pytest.TempPathFactory) -> Poisoned:
    path = tmp_path_factory.mktemp("hostile") / "nasrank.duckdb"
    shutil.copyfile(dashboard.warehouse.path, path)
    return make_poisoned(path)


@pytest.fixture(scope="module")
def url(poisoned: Poisoned) -> Iterator[str]:
    with serve(poisoned.path) as url:
        yield url


def foreign(addresses: list[str], host: str) -> list[str]:
    """What is not of this host, nor a part of the page itself."""
    known = ("data:", "blob:", "file:", "about:")
    return [one for one in addresses if not one.startswith(known) and urlsplit(one).netloc not in ("", host)]


def test_no_page_makes_anything_of_a_text(page: Page, url: str, poisoned: Poisoned) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    host = urlsplit(url).netloc
    for view, address in poisoned.addresses.items():
        path = "" if view == "rankings" else view
        page.goto(f"{url}/{path}?{urlencode(address, doseq=True)}")
        settle(page)
        if view == "sql":
            page.get_by_role("button", name="Run", exact=True).click()
            expect(page.get_by_role("alert")).to_be_visible()
        expect(page.get_by_text(TEXTS[0]).locator("visible=true").first).to_be_visible()
        assert foreign(page.evaluate(TAKEN), host) == [], view
        assert page.locator(".katex, .stMarkdownColoredText").count() == 0, view
    assert foreign(asked, host) == []


def test_a_chart_of_a_column_called_image_asks_for_none(page: Page, url: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    query = "SELECT 'http://evil.test/e.png' AS image, '<b>x' AS title, 1 AS n"
    page.goto(f"{url}/sql?{urlencode({'sql': query, 'chart': 'Points', 'x': 'image', 'colour': 'title'})}")
    settle(page)
    page.get_by_role("button", name="Run", exact=True).click()
    page.locator("svg.marks .mark-symbol path").first.hover(force=True)
    tooltip = page.locator("#vg-tooltip-element")
    expect(tooltip).to_contain_text("http://evil.test/e.png")
    expect(tooltip).to_contain_text("<b>x")
    assert foreign(asked, urlsplit(url).netloc) == []


def test_streamlit_shows_every_text_as_it_is(page: Page, tmp_path: Path) -> None:
    """What `as_text` escapes is what this Streamlit makes more of."""
    (tmp_path / "show.py").write_text(f"texts = {MORE_TEXTS!r}{SHOWING}")
    port = free_port()
    options = ("--server.headless=true", f"--server.port={port}", "--server.fileWatcherType=none")
    argv = [sys.executable, "-m", "streamlit", "run", "show.py", "--browser.gatherUsageStats=false", *options]
    with served(argv, port, tmp_path, tmp_path / "log") as url:
        page.goto(url)
        expect(page.get_by_role("heading", name="done")).to_be_visible()
        expect(page.get_by_role("cell")).to_have_count(len(MORE_TEXTS))
        for place, text in enumerate(MORE_TEXTS):
            shown = page.locator(f".st-key-text-{place}")
            seen = shown.inner_text().replace(" ", "")
            # A text, one in bold and in code, an expander's, a table's two, a header.
            literal = repr(text)[1:-1].replace("\\\\", "\\").replace("\\'", "'") if "\x1b" in text else text
            assert seen.count(literal.strip().replace(" ", "")) == 7, text
            assert shown.locator("img, [role=img], a:not([href^='#'])").count() == 0, text


@pytest.mark.slow
def test_a_report_makes_nothing_of_a_text(
    page: Page, poisoned: Poisoned, tmp_path: Path, command: Callable[..., str]
) -> None:
    """Its pages, figures and tables, opened as files."""
    warehouse = Warehouse(poisoned.path)
    [key] = warehouse.query(
        "SELECT gt_key FROM ground_truth_key WHERE dataset LIKE 'cifar10-valid%' AND trial = 'mean'"
    )["gt_key"]
    out = tmp_path / "report"
    command("report", "--out", str(out), "--warehouse", str(poisoned.path), "--ground-truth", key)
    asked: list[str] = []
    problems: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto((out / "index.html").as_uri())
    expect(page.get_by_text(TEXTS[0]).first).to_be_visible()
    assert foreign(page.evaluate(TAKEN), "") == []
    links = page.evaluate("[...document.querySelectorAll('a')].map(link => link.getAttribute('href'))")
    files = {unquote(link) for link in links if not link.startswith("#")}
    assert files | {"index.html", "report.json"} == {path.name for path in out.iterdir()}
    charts = sorted(out.glob("figure-*.html"))
    assert any(TEXTS[0] in chart.read_text(encoding="utf-8") for chart in charts)
    for chart in charts:
        page.goto(chart.as_uri())
        expect(page.locator("canvas, svg.marks").first).to_be_visible()
        assert page.locator("script").count() == 2, chart
        assert foreign(page.evaluate(TAKEN), "") == [], chart
    for drawing in out.glob("*.svg"):
        names = {one.tag.partition("}")[2] for one in ElementTree.parse(drawing).iter()}
        assert names <= {"svg", "g", "path", "text", "tspan", "rect", "line", "defs", *GRADIENTS}, drawing
    assert problems == []
    assert foreign(asked, "") == []


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Gives a command, on a terminal if `terminal`; all that it prints."""

    def run(*arguments: str, terminal: bool = False) -> str:
        monkeypatch.setenv("TERM", "dumb")  # no escapes of our own
        monkeypatch.setattr("sys.argv", ["nasrank-train", *arguments])
        monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal, raising=False)
        capsys.readouterr()
        with pytest.raises(SystemExit):
            main()
        return "".join(capsys.readouterr())

    return run


def test_no_command_sends_a_text_to_the_terminal(
    poisoned: Poisoned, tmp_path: Path, command: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASRANK_WAREHOUSE", str(shutil.copyfile(poisoned.path, tmp_path / "own.duckdb")))
    runs = str(poisoned.runs_dir)
    study = tmp_path / f"{NAME}.toml"
    for arguments in (
        ("sql", "SELECT * FROM run WHERE seed IS NOT NULL"),
        ("sql", "SELECT * FROM run WHERE seed IS NOT NULL", "--format", "csv"),
        ("sql", "SELECT * FROM run WHERE seed IS NOT NULL", "--json"),
        ("sql", f'SELECT 1 AS "{TEXT.replace(chr(34), "")}", chr(155) AS c1, chr(127) AS del'),
        ("sql", "SELECT chr(155) AS c1, chr(127) AS del", "--json"),
        ("export", "experiment"),
        ("import-bench", "--list"),
        ("import-predictions", "--list"),
        ("doctor", "--runs", runs),
        ("ingest", runs),
        ("ingest", str(tmp_path / NAME)),
        ("ingest", "--remove", TEXT),
        ("study", "status", str(study)),
        ("study", "status", "digits", "--runs", runs),
        ("init", TEXT),
        ("import-bench", str(study)),
        ("run", "--dataset", TEXT),
        (TEXT,),
    ):
        printed = command(*arguments, terminal=True)
        assert printed, arguments
        assert [c for c in printed if not c.isprintable() and c != "\n"] == [], arguments


def test_a_file_gets_every_text_exactly(poisoned: Poisoned, command: Callable[..., str]) -> None:
    query = (
        "sql",
        "SELECT dataset_origin AS text FROM run WHERE seed IS NOT NULL LIMIT 1",
        "--warehouse",
        str(poisoned.path),
    )
    assert TEXT.replace('"', '""') in command(*query, "--format", "csv")
    printed = command(*query, "--json")
    assert json.loads(printed)[0]["text"].endswith(TEXT)
    on_terminal = command(*query, "--json", terminal=True)
    assert json.loads(on_terminal) == json.loads(printed)
