"""The SQL page in a browser: escapes, a query by keyboard, its CSV, a stopped query, accessibility."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from nasrank.app.serve import Service, command
from nasrank.app.views.sql.examples import EXAMPLES
from tests.e2e.browsing import parameters, settle, visit
from tests.e2e.conftest import Dashboard, free_port, served

ENDLESS = "SELECT count(*) FROM range(100000) a, range(100000000000) b"
# The dashboard of a machine that bears one query at a time.
ONE_AT_ONCE = """
from nasrank.app.views.sql import turns
turns.TURNS = turns.Turns(1)
from nasrank.app.__main__ import main
main()
"""
TAU_OVER_N = EXAMPLES["τ over N, for every mask"]


def open_console(page: Page, url: str) -> None:
    visit(page, url)
    expect(editor(page)).to_be_visible()


def editor(page: Page) -> Locator:
    return page.get_by_role("textbox", name="SQL")


def run(page: Page, sql: str) -> None:
    editor(page).fill(sql)
    page.keyboard.press("Control+Enter")


def test_an_escape_fails_and_a_query_is_downloaded(page: Page, dashboard: Dashboard, tmp_path: Path) -> None:
    open_console(page, f"{dashboard.url}/sql")
    for sql, told in (
        ("SELECT * FROM read_text('/etc/passwd')", "Permission Error"),
        ("CALL enable_logging(storage_path = '/nowhere/log')", "only queries are answered"),
        ("SELECT len(range(500000000))", "more memory than 1 GB"),
    ):
        run(page, sql)
        expect(page.get_by_role("alert").filter(has_text=told)).to_be_visible()
        assert "root:" not in page.content()
    settle(page)
    # Types that a table of Streamlit could stumble over, and numbers that do not fit a browser's.
    sql = """SELECT 1 / 3 AS third, 9007199254740993 AS big, CAST(2 AS HUGEINT) ** 100 AS more, '' AS empty,
        NULL AS nothing, [1, 2] AS list, {'a': 1} AS struct, map {'k': 1} AS map, INTERVAL 3 DAY AS span,
        CAST('x' AS BLOB) AS bytes, TIMESTAMPTZ '2020-02-29 12:00:00+00' AS moment, uuid() IS NULL AS u,
        CAST('a' AS ENUM ('a', 'b')) AS choice, TIME '12:00:00' AS clock"""
    run(page, sql)
    expect(page.get_by_text("1 row in")).to_be_visible()
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    settle(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    download.value.save_as(tmp_path / "query.csv")
    read = pd.read_csv(tmp_path / "query.csv", dtype=str, keep_default_na=False)
    assert read.loc[0, ["third", "big", "list", "struct", "choice"]].tolist() == [
        "0.3333333333333333",
        "9007199254740993",
        "[1, 2]",
        '{"a": 1}',
        "a",
    ]


def test_a_shared_address_draws_once_it_is_run(page: Page, dashboard: Dashboard) -> None:
    open_console(page, f"{dashboard.url}/sql?sql={quote(TAU_OVER_N)}&chart=Lines&y=a_n_mean&colour=masked")
    expect(page.get_by_text("This query has not been run yet.")).to_be_visible()
    page.get_by_role("button", name="Run").click()
    chart = page.get_by_test_id("stVegaLiteChart")
    expect(chart).to_have_accessible_name(
        f"Lines of a_n_mean over n, coloured by masked, {len(dashboard.warehouse.query(TAU_OVER_N))} rows"
    )
    settle(page)
    assert parameters(page) == {
        "sql": [TAU_OVER_N],
        "chart": ["Lines"],
        "y": ["a_n_mean"],
        "colour": ["masked"],
    }


def test_a_running_query_is_stopped(page: Page, dashboard: Dashboard) -> None:
    open_console(page, f"{dashboard.url}/sql")
    run(page, ENDLESS)
    expect(page.get_by_text("of at most 30 seconds")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("The query was stopped")).to_be_visible()
    settle(page)
    run(page, "SELECT 42 AS answer")
    expect(page.get_by_text("1 row in")).to_be_visible()


@pytest.fixture
def one_at_once(dashboard: Dashboard, tmp_path: Path) -> Iterator[str]:
    port = free_port()
    options = command(Service(dashboard.warehouse.path, dashboard.runs_dir, port=port))
    script = tmp_path / "one_at_once.py"
    script.write_text(ONE_AT_ONCE)
    argv = [sys.executable, script, *options[options.index("nasrank.app") + 1 :]]
    with served(argv, port, tmp_path, tmp_path / "log") as url:
        yield url


def test_a_query_waits_until_another_has_ended(browser: Browser, one_at_once: str) -> None:
    first, second = (browser.new_context().new_page() for _ in range(2))
    for page in (first, second):
        open_console(page, f"{one_at_once}/sql")
    run(first, ENDLESS)
    expect(first.get_by_text("of at most 30 seconds")).to_be_visible()
    run(second, "SELECT 42 AS answer")
    expect(second.get_by_text("Waiting until 1 query of another visitor has ended")).to_be_visible()
    second.get_by_role("button", name="Cancel").click()
    expect(second.get_by_text("The query was stopped before it had an answer.")).to_be_visible()
    expect(first.get_by_text("of at most 30 seconds")).to_be_visible()
    settle(second)
    run(second, "SELECT 43 AS answer")
    expect(second.get_by_text("Waiting until 1 query of another visitor has ended")).to_be_visible()
    first.get_by_role("button", name="Cancel").click()
    expect(second.get_by_text("1 row in")).to_be_visible()
    for page in (first, second):
        page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible(browser: Browser, dashboard: Dashboard, scheme: Any) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1440, "height": 1000})
    page = context.new_page()
    open_console(page, f"{dashboard.url}/sql?sql={quote(TAU_OVER_N)}&chart=Lines&colour=masked")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_test_id("stVegaLiteChart")).to_be_visible()
    settle(page)
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    run(page, "SELECT nowhere FROM mask")
    expect(page.get_by_role("alert")).to_contain_text("nowhere")
    settle(page)
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    context.close()


def test_a_phone_needs_no_sideways_scrolling(browser: Browser, dashboard: Dashboard) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    open_console(page, f"{dashboard.url}/sql?sql={quote(TAU_OVER_N)}")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    context.close()
