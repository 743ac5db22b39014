#!/usr/bin/env python3
"""Takes pictures of the dashboard with a headless Chromium: the README's, or one of every page.

usage: .venv/bin/python scripts/screenshots.py WAREHOUSE [--every-page FOLDER]

With --every-page they go to FOLDER, each page wholly, in both themes and three widths, with an index.html
that shows them side by side: to be looked at after any change of a page.
Needs Debian's chromium, or another one named by NASRANK_CHROMIUM.
"""

import argparse
import itertools
import os
import tempfile
from pathlib import Path
from typing import Final, Literal

from dashboard_process import DashboardProcess, served
from playwright.sync_api import Browser, Page, sync_playwright

from nasrank.app.serve import Service, command

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
CHROMIUM = os.environ.get("NASRANK_CHROMIUM", "/usr/bin/chromium")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
START_SECONDS = 60
Scheme = Literal["light", "dark"]
SCHEMES: Final[tuple[Scheme, ...]] = ("light", "dark")
# By file: the address, the theme, and the height in pixels.
PICTURES: Final[dict[str, tuple[str, Scheme, int]]] = {
    "rankings.png": ("/", "light", 1100),
    "rankings-dark.png": ("/", "dark", 1100),
    "search-space.png": ("/search_space", "light", 960),
}
PAGES: Final = ("/", "/scatter", "/compare", "/search_space", "/datasets", "/runs", "/paper", "/sql")
# Pixels: of a laptop, a large screen and a telephone.
VIEWS: Final = ((1440, 900), (1920, 1080), (390, 844))
TALLEST: Final = 6000


def main() -> None:
    """Serve the warehouse, and take the pictures that are asked for."""
    usage, told = str(__doc__).split("\n\nusage: ", 1)
    parser = argparse.ArgumentParser(description=usage, epilog=told.split("\n\n", 1)[1])
    parser.add_argument("warehouse", type=Path)
    parser.add_argument("--every-page", type=Path, metavar="FOLDER")
    given = parser.parse_args()
    served_by = [*command(Service(given.warehouse.resolve()))]
    with (
        tempfile.TemporaryDirectory() as folder,
        served(served_by, Path(folder)) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        if given.every_page:
            take_every_page(browser, server, given.every_page)
        else:
            take_for_readme(browser, server)


def take_for_readme(browser: Browser, server: DashboardProcess) -> None:
    """Those of `PICTURES`, into the documentation."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    for name, (address, scheme, height) in PICTURES.items():
        page = browser.new_page(viewport={"width": 1280, "height": height}, color_scheme=scheme)
        page.goto(server.url + address)
        page.get_by_test_id("stVegaLiteChart").first.wait_for(timeout=1000 * START_SECONDS)
        settle(page)
        page.screenshot(path=IMAGES / name)
        page.close()
        print(f"wrote docs/images/{name}")


def take_every_page(browser: Browser, server: DashboardProcess, folder: Path) -> None:
    """Every page as high as it is, and the file that shows them."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for address in PAGES:
        name = address.strip("/") or "rankings"
        cells = []
        for (width, height), scheme in itertools.product(VIEWS, SCHEMES):
            file = f"{name}-{width}-{scheme}.png"
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            page.goto(server.url + address)
            page.get_by_role("heading", level=1).wait_for(timeout=1000 * START_SECONDS)
            settle(page)
            content = page.get_by_test_id("stMainBlockContainer").bounding_box()
            whole = min(TALLEST, max(height, round(content["height"] if content else 0)))
            page.set_viewport_size({"width": width, "height": whole})
            settle(page)
            page.screenshot(path=folder / file)
            page.close()
            print(f"wrote {folder / file}")
            cells.append(f'<td><a href="{file}"><img src="{file}" alt="" width="{width // 4}"></a></td>')
        rows.append(f"<tr><th>{name}</th>{''.join(cells)}</tr>")
    (folder / "index.html").write_text(
        f"<!doctype html><title>nasrank, every page</title><table>{''.join(rows)}</table>\n", encoding="utf-8"
    )


def settle(page: Page) -> None:
    """Until the script has run to its end, and the charts are drawn."""
    page.locator("[data-test-script-state=notRunning]").wait_for(timeout=1000 * START_SECONDS)
    page.wait_for_timeout(1500)


if __name__ == "__main__":
    main()
