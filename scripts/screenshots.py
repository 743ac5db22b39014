#!/usr/bin/env python3
"""Takes the README's pictures of the dashboard with a headless Chromium.

usage: .venv/bin/python scripts/screenshots.py WAREHOUSE
Needs Debian's chromium, or another one named by NASRANK_CHROMIUM.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Final, Literal

from playwright.sync_api import sync_playwright

from nasrank.app.serve import Service, command

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
CHROMIUM = os.environ.get("NASRANK_CHROMIUM", "/usr/bin/chromium")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
START_SECONDS = 60
# By file: the address, whether light or dark, and the height in pixels.
PICTURES: Final[dict[str, tuple[str, Literal["light", "dark"], int]]] = {
    "rankings.png": ("/", "light", 1240),
    "rankings-dark.png": ("/", "dark", 1240),
    "search-space.png": ("/search_space", "light", 960),
}


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    url = f"http://localhost:{port}"
    server = subprocess.Popen(command(Service(Path(sys.argv[1]), port=port)), stdout=subprocess.DEVNULL)
    try:
        wait_for(f"{url}/_stcore/health")
        IMAGES.mkdir(parents=True, exist_ok=True)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
            for name, (address, scheme, height) in PICTURES.items():
                page = browser.new_page(viewport={"width": 1280, "height": height}, color_scheme=scheme)
                page.goto(url + address)
                page.get_by_test_id("stVegaLiteChart").first.wait_for(timeout=1000 * START_SECONDS)
                page.locator("[data-test-script-state=notRunning]").wait_for()
                page.wait_for_timeout(1500)  # the charts' first drawing
                page.screenshot(path=IMAGES / name)
                print(f"wrote docs/images/{name}")
    finally:
        server.terminate()
        server.wait()
    return 0


def wait_for(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(url, timeout=5)
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
