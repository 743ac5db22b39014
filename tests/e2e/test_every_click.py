"""The first click on everything that looks as if it could be clicked does something, on every page."""

from __future__ import annotations

import pytest
from playwright.sync_api import Download, Page, expect

from tests.e2e.browsing import settle, visit
from tests.e2e.conftest import Dashboard

PAGES = ("", "scatter", "compare", "search_space", "datasets", "runs", "paper", "sql")
# Milliseconds.
PATIENCE = 15_000
# Marks what can be clicked in a page's content, and at home in the sidebar too, with its place, and gives the
# names. Left out is what only shows a tip to a pointer, what Streamlit shows on charts and tables in the same
# way, and of a kind that a page has often all but the first two.
MARK = r"""isHome => {
    const tips = /^(Help|Link to|Show|Hide|Download as|Copy |Fullscreen|Search:|Main menu|Navigate|Collapse)/;
    const parts = isHome ? '[data-testid=stMain], [data-testid=stSidebar]' : '[data-testid=stMain]';
    const found = [...document.querySelectorAll(parts)].flatMap(
        part => [...part.querySelectorAll('button, a, summary, [role=tab]')]
    );
    const names = [], seen = {};
    for (const one of found) {
        one.removeAttribute('data-click');
        const name = (one.getAttribute('aria-label') || one.innerText || one.title).trim();
        const kind = one.tagName === 'SUMMARY' ? 'summary' : name;
        if (one.disabled || !one.checkVisibility() || tips.test(name) || one.href === location.href) continue;
        seen[kind] = (seen[kind] || 0) + 1;
        if (seen[kind] > 2) continue;
        one.dataset.click = `${name} ${seen[kind]}`;
        names.push(one.dataset.click);
    }
    return names;
}"""
# All that a click can change.
STATE = """() => JSON.stringify([
    location.href,
    document.querySelector('[data-testid=stMain]').innerText,
    document.querySelectorAll('[data-testid=stPopoverBody], [role=dialog], [role=listbox]').length,
    [...document.querySelectorAll('details')].map(e => e.open),
    document.querySelector('[data-testid=stApp]').dataset.testScriptState,
])"""


@pytest.mark.slow
@pytest.mark.parametrize("path", PAGES)
def test_a_first_click_does_something(path: str, page: Page, dashboard: Dashboard) -> None:
    url = f"{dashboard.url}/{path}"
    visit(page, url)
    page.wait_for_timeout(1_000)
    downloads: list[Download] = []
    page.on("download", lambda download: downloads.append(download))
    opened: list[Page] = []
    page.context.on("page", lambda tab: opened.append(tab))
    names = page.evaluate(MARK, not path)
    idle = []
    for name in names:
        settle(page)
        page.wait_for_timeout(200)
        if name not in page.evaluate(MARK, not path):
            continue  # the click before has closed it, or renamed it
        one = page.locator(f"[data-click={name!r}]".replace("\\n", "\\a ")).first
        # As a person does: a list that opens while the page scrolls closes again.
        one.scroll_into_view_if_needed()
        page.wait_for_timeout(200)
        before, done = page.evaluate(STATE), (len(downloads), len(opened))
        one.click()
        for _ in range(PATIENCE // 50):
            if page.evaluate(STATE) != before or (len(downloads), len(opened)) != done:
                break
            page.wait_for_timeout(50)
        else:
            idle.append(name)
        for tab in opened[done[1] :]:
            tab.close()
        page.keyboard.press("Escape")
        expect(page.get_by_test_id("stException")).to_have_count(0)
        if page.url != url:
            visit(page, url)
    assert idle == []
    assert len(names) >= 2, names
