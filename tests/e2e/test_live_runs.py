"""The page Runs in a browser: real runs that train, die and end while it is open; choosing; downloads."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, WebSocketRoute, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from nasrank.db.runs.holders import Holder
from tests.e2e.browsing import chart, parameters, settle, visit
from tests.e2e.conftest import Dashboard, serve
from tests.e2e.studies import start
from tests.samples import begin_run, write_run_folder

# 64 architectures and a few hundred images: an epoch takes some hundredths of a second.
SMALL = (
    *("run", "--dataset", "digits", "--size", "tiny", "--mask", "Zero+Skip+Pool", "--threads", "1"),
    *("--train-images", "256", "--valid-images", "64", "--batch-size", "32", "--learning-rate", "0.1"),
)


@contextmanager
def training(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A run as a process of its own, which does not outlive the block."""
    process = start(folder, *SMALL, *options)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@contextmanager
def shell(command: str) -> Iterator[None]:
    """What a reader copied, given in a shell somewhere else; nothing of it outlives the block."""
    process = subprocess.Popen(["bash", "-c", command], cwd="/", start_new_session=True)
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def epoch(page: Page) -> int:
    """That the first progress bar tells."""
    told = page.get_by_text(re.compile(r"^epoch [\d,]+ of")).first.inner_text()
    return int(told.split()[1].replace(",", ""))


@pytest.mark.slow
def test_a_run_is_watched_until_it_is_killed_and_one_until_it_ends(page: Page, folder: Path) -> None:
    with serve(folder / "nasrank.duckdb") as url:
        visit(page, f"{url}/runs")
        expect(page.get_by_text(re.compile("There is no folder .*runs"))).to_be_visible()
        with training(folder, "--epochs", "100000", "--seed", "1") as killed:
            running = page.get_by_text(
                re.compile(r"^epoch [1-9][\d,]* of 100,000 · .* images/s · about .* left")
            )
            expect(running).to_be_visible()
            expect(
                page.get_by_text(re.compile(rf"process {killed.pid} on .*; last heartbeat \d+ s ago"))
            ).to_be_visible()
            seen = epoch(page)
            page.wait_for_function(
                """seen => [...document.querySelectorAll('[data-testid=stProgress]')].some(bar => {
                    const told = bar.innerText.match(/epoch ([\\d,]+) of/);
                    return told && Number(told[1].replaceAll(',', '')) > seen;
                })""",
                arg=seen,
            )
            killed.kill()
            expect(page.get_by_text(re.compile(f"process {killed.pid} on .* was killed"))).to_be_visible()
            expect(page.get_by_text("dead", exact=True)).to_be_visible()
            expect(running).to_have_count(0)
            command = page.get_by_text(re.compile("^cd .* && .* run ")).inner_text()
            with shell(command):
                expect(running).to_be_visible()
                assert epoch(page) >= seen, "what the card tells to give continues that run"
        with training(folder, "--epochs", "150", "--seed", "2") as ending:
            expect(page.get_by_text("running", exact=True)).to_be_visible()
            assert ending.wait(timeout=120) == 0
            expect(page.get_by_text("running", exact=True)).to_have_count(0)
        page.get_by_role("button", name="Reload").click()
        expect(page.get_by_role("heading", name="2 of 2 runs")).to_be_visible()
        [finished] = (folder / "runs").glob("*-s2")
        visit(page, f"{url}/runs?run={finished.name}&run=none".replace("+", "%2B"))
        expect(page.get_by_text("run=none")).to_be_visible()
        expect(chart(page)).to_have_accessible_name(
            re.compile(r"training loss .* over epochs to 150, 1 lines")
        )


@pytest.mark.slow
def test_a_run_is_followed_by_its_curves(page: Page, folder: Path) -> None:
    """Before it is in the warehouse; the page refreshes them by itself."""
    with training(folder, "--epochs", "100000"), serve(folder / "nasrank.duckdb") as url:
        page.goto(f"{url}/runs")
        expect(page.get_by_text(re.compile(r"^epoch [1-9]"))).to_be_visible()
        [run] = (folder / "runs").iterdir()
        visit(page, f"{url}/runs?run={run.name}".replace("+", "%2B"))
        expect(chart(page)).to_have_accessible_name(re.compile("over epochs to"))
        done = json.loads((run / "status.json").read_text())["epoch"]
        for _ in range(2):
            later = rf"over epochs to (?!{done},)\d+, 1 lines"
            expect(chart(page)).to_have_accessible_name(re.compile(later))
            done = json.loads((run / "status.json").read_text())["epoch"]


def test_choosing_a_row_shows_the_run_and_its_files(page: Page, dashboard: Dashboard, tmp_path: Path) -> None:
    visit(page, f"{dashboard.url}/runs?search=digits")
    expect(page.get_by_role("heading", name=re.compile(r"^1 of \d+ runs"))).to_be_visible()
    page.get_by_test_id("stDataFrame").first.click(position={"x": 18, "y": 52})
    expect(chart(page)).to_have_accessible_name(re.compile("training loss"))
    [run] = parameters(page)["run"]
    settle(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="config.json").click()
    config = json.loads(Path(download.value.path()).read_text())
    assert config["run_id"] == run
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    assert list(pd.read_csv(download.value.path())["run"]) == [run]
    href = page.get_by_role("link", name="Its predictions against the truth").get_attribute("href")
    assert href is not None
    assert href.endswith(f"scatter?run={run}".replace("+", "%2B"))


def test_what_refreshes_itself_does_not_fade(page: Page, folder: Path) -> None:
    """However long the server takes: from some refresh on, what it draws does not come to the browser."""
    living = begin_run(folder / "runs")
    is_busy = False
    is_held = False

    def connect(socket: WebSocketRoute) -> None:
        def on_message(message: str | bytes) -> None:
            nonlocal is_held
            assert isinstance(message, bytes)
            if not is_held:
                socket.send(message)
                is_held = is_busy and ForwardMsg.FromString(message).session_status_changed.script_is_running

        socket.connect_to_server().on_message(on_message)

    page.route_web_socket(re.compile("_stcore/stream"), connect)
    with serve(folder / "nasrank.duckdb") as url:
        visit(page, f"{url}/runs?run={living}")
        expect(page.get_by_role("progressbar")).to_have_count(1)
        is_busy = True
        stale = page.locator("[data-stale=true]")
        expect(stale.first).to_be_attached()
        page.wait_for_timeout(2_000)  # by then, Streamlit has faded what it does fade
        opacities = stale.evaluate_all("parts => parts.map(part => getComputedStyle(part).opacity)")
        assert set(opacities) == {"1"}


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 1440), ("light", 390)])
def test_the_page_is_accessible_and_fits(browser: Browser, folder: Path, scheme: Any, width: int) -> None:
    """With a run that goes on and is chosen, one that is dead, one to ingest and one that is damaged."""
    runs_dir = folder / "runs"
    living = begin_run(runs_dir)
    begin_run(runs_dir, replace(Holder.this_process(), started="1"), seed=1)
    (runs_dir / begin_run(runs_dir, seed=2) / "status.json").write_text("{")
    write_run_folder(runs_dir, {0: 0.5, 1: 0.25})
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 1000})
    page = context.new_page()
    with serve(folder / "nasrank.duckdb") as url:
        visit(page, f"{url}/runs?run={living}")
        expect(chart(page)).to_be_visible()
        expect(page.get_by_role("progressbar")).to_have_count(2)
        settle(page)
        results = Axe().run(page)
        assert results.violations_count == 0, results.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        box = chart(page).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    context.close()
