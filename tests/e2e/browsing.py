"""What a reader does in a browser, and waits for."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, expect


def visit(page: Page, url: str) -> None:
    page.goto(url)
    settle(page)


def settle(page: Page) -> None:
    """Until the script has run to its end and nothing has failed."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_text("Traceback")).to_have_count(0)
    expect(page.locator("[data-testid=stException]")).to_have_count(0)


def chart(page: Page) -> Locator:
    return page.get_by_test_id("stVegaLiteChart").first


def lines(page: Page) -> Locator:
    """On the page Rankings: A_N and a correlation over N, below the dots."""
    return page.get_by_test_id("stVegaLiteChart").nth(1)


def choose(page: Page, label: str, option: str) -> None:
    """In the slice bar: open what has the label, and click the option."""
    page.get_by_test_id("stPopover").get_by_role("button", name=re.compile(rf"^{label}\b")).click()
    page.get_by_test_id("stPopoverBody").get_by_text(option, exact=True).click()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("stPopoverBody")).to_have_count(0)
    settle(page)


def parameters(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def expect_parameters(page: Page, expected: dict[str, list[str]]) -> None:
    """The page writes its address at the end of its script, some time after a click."""
    for _ in range(600):
        if parameters(page) == expected:
            return
        page.wait_for_timeout(100)
    assert parameters(page) == expected


def draw_rectangle(page: Page, panel: Locator) -> None:
    """From the middle of the panel towards its upper right corner."""
    box = panel.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.42 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.36 * box["height"], steps=5)
    page.mouse.move(box["x"] + 0.93 * box["width"], box["y"] + 0.3 * box["height"], steps=5)
    page.mouse.up()
