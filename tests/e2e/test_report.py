"""A report by the command, read in a real browser that is cut off from every network."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Dashboard

NASRANK = Path(sys.executable).with_name("nasrank-train")


@pytest.mark.slow
def test_a_report_is_read_offline(dashboard: Dashboard, tmp_path: Path, page: Page) -> None:
    out = tmp_path / "report"
    command = [NASRANK, "report", "--out", out, "--warehouse", dashboard.warehouse.path]
    wrong = subprocess.run([*command, "--bn-mode", "wrong"], capture_output=True, text=True, check=False)
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr.startswith(
        "error: no run has predictions with BatchNorm 'wrong'; choose one of running"
    )
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1].startswith("wrote ")
    report = json.loads(done.stdout)
    assert report == json.loads((out / "report.json").read_text())

    asked: list[str] = []
    problems: list[str] = []
    page.context.set_offline(True)
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto((out / "index.html").as_uri())
    expect(page.get_by_role("heading", level=1)).to_have_text("Do super-networks rank architectures?")
    for image in page.get_by_role("img").all():
        image.scroll_into_view_if_needed()
        expect(image).to_have_js_property("complete", True)
        assert image.evaluate("image => image.naturalWidth") > 300
    assert page.get_by_role("img").count() == len(report["figures"])
    assert Axe().run(page).violations_count == 0

    page.get_by_role("link", name="Figure 3, Operations of the best architectures: interactive").click()
    expect(page.locator("canvas, svg.marks").first).to_be_visible()
    assert problems == []
    assert {url.split(":")[0] for url in asked} <= {"file", "data", "blob"}
