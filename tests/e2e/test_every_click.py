"""The first click on everything that looks as if it could be clicked does something, on every page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Download, Locator, Page, expect

from tests.e2e.browsing import visit
from tests.e2e.conftest import Dashboard

PAGES = ("", "scatter", "compare", "search_space", "datasets", "runs", "paper", "sql")
# What only shows a tip to a pointer above it, and what Streamlit shows on charts and tables in the same way.
TIPS = re.compile(
    "^(Help|Link to heading|Show data|Hide data|Download as|Copy |Fullscreen|Search:|Show/hide|Main menu)"
)
# Of what unfolds, which is all of one kind.
FEW = 3
# Milliseconds.
PATIENCE = 15_000


def clickable(page: Page) -> list[Locator]:
    """The buttons and links of the page's content and of its sidebar, but tips and what is grey."""
    found = page.locator("[data-testid=stMain], [data-testid=stSidebar]").locator(
        "button:visible, a:visible, summary:visible, [role=tab]:visible"
    )
    known = [one for one in found.all() if one.is_enabled() and not TIPS.match(name_of(one))]
    # The page SQL has one for every table and view.
    folded = [one for one in known if one.evaluate("e => e.tagName") == "SUMMARY"][FEW:]
    return [one for one in known if one not in folded]


def name_of(one: Locator) -> str:
    return str(
        one.evaluate("e => e.getAttribute('aria-label') || e.innerText || e.getAttribute('title') || ''")
    ).strip()


def state(page: Page) -> object:
    """All that a click can change, but what refreshes itself."""
    return page.evaluate(
        """() => [
            location.href,
            document.querySelector('[data-testid=stMain]').innerText,
            document.querySelectorAll('[data-testid=stPopoverBody], [role=dialog], [role=listbox]').length,
            [...document.querySelectorAll('details')].map(e => e.open).join(),
            document.querySelector('[data-testid=stApp]').dataset.testScriptState,
        ]"""
    )


@pytest.mark.slow
@pytest.mark.parametrize("path", PAGES)
def test_a_first_click_does_something(path: str, page: Page, dashboard: Dashboard) -> None:
    page.set_viewport_size({"width": 1440, "height": 1000})
    url = f"{dashboard.url}/{path}"
    visit(page, url)
    page.wait_for_timeout(1_000)
    downloads: list[Download] = []
    page.on("download", lambda download: downloads.append(download))
    opened: list[Page] = []
    page.context.on("page", lambda tab: opened.append(tab))
    idle, clicked = [], []
    names = [name_of(one) for one in clickable(page)]
    for place, name in enumerate(names):
        # What the click before opened or closed may have moved it: the so-manyth of its name is it.
        alike = [one for one in clickable(page) if name_of(one) == name]
        nth = names[:place].count(name)
        if nth >= len(alike):
            continue
        one = alike[nth]
        # The page that one is on already.
        if (page.url.partition("?")[0]).rstrip("/") == str(one.evaluate("e => e.href || ''")).rstrip("/"):
            continue
        before, done = state(page), (len(downloads), len(opened))
        one.click()
        clicked.append(name)
        for _ in range(PATIENCE // 100):
            if state(page) != before or (len(downloads), len(opened)) != done:
                break
            page.wait_for_timeout(100)
        else:
            idle.append(name)
        for tab in opened[done[1] :]:
            tab.close()
        page.keyboard.press("Escape")
        if page.url != url or page.get_by_test_id("stException").count():
            expect(page.get_by_test_id("stException")).to_have_count(0)
            visit(page, url)
        page.wait_for_timeout(150)
    assert idle == []
    assert len(clicked) > 10, "the page has a bar, and links to the others"
    expect(page.get_by_test_id("stException")).to_have_count(0)
