"""A real server and a real Chromium, started once a session."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from nasrank.app.serve import Service, command
from nasrank.db.warehouse.file import Warehouse
from tests.app.dashboard_data import fill
from tests.e2e.slurm import cluster, missing_programs

CHROMIUM = Path(os.environ.get("NASRANK_CHROMIUM", "/usr/bin/chromium"))
# No sandbox in containers, and no requests of the browser's own.
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Names of this machine that only the browser has, as a page of others can make one.
    "--host-resolver-rules=MAP *.test 127.0.0.1",
]
START_SECONDS = 60
# Milliseconds for whatever shall appear: a busy machine is no failure.
PATIENCE = 60_000


@pytest.fixture(scope="session")
def chromium() -> Path:
    if not CHROMIUM.exists():
        reason = f"no Chromium at {CHROMIUM}; NASRANK_CHROMIUM names another one"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return CHROMIUM


@pytest.fixture(scope="session")
def browser(chromium: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE)
        opened = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_OPTIONS)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, accept_downloads=True)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def dashboard(ground_truth_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """The dashboard on a filled warehouse, to which tests may add runs."""
    folder = tmp_path_factory.mktemp("e2e")
    path = folder / "nasrank.duckdb"
    shutil.copyfile(ground_truth_file, path)
    fill(Warehouse(path), folder / "runs")
    with serve(path) as url:
        yield Dashboard(url, Warehouse(path), folder / "runs")


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A Slurm of its own, which commands find by SLURM_CONF."""
    if missing := missing_programs():
        pytest.skip(f"Slurm is not installed ({', '.join(missing)}); on Debian: apt-get install slurm-wlm")
    with (
        cluster(tmp_path_factory.mktemp("slurm"), free_port(), free_port()) as configuration,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("SLURM_CONF", str(configuration))
        yield


@pytest.fixture
def folder(tmp_path: Path, ground_truth_file: Path) -> Path:
    """A user's folder with a warehouse, and another package called trainer, which is not meant."""
    path = tmp_path / "a user's folder"
    (path / "trainer").mkdir(parents=True)
    (path / "trainer/__init__.py").write_text("raise RuntimeError('not this one')")
    shutil.copyfile(ground_truth_file, path / "nasrank.duckdb")
    return path


class Dashboard:
    """A running server at `url` that shows `warehouse`; `runs_dir` is for further runs."""

    def __init__(self, url: str, warehouse: Warehouse, runs_dir: Path) -> None:
        self.url = url
        self.warehouse = warehouse
        self.runs_dir = runs_dir


@contextlib.contextmanager
def serve(warehouse: Path, public_names: tuple[str, ...] = (), base_path: str = "") -> Iterator[str]:
    """The URL of a server that ends with the block; the runs are beside the warehouse."""
    port = free_port()
    runs = warehouse.parent / "runs"
    argv = command(Service(warehouse, runs, port=port, public_names=public_names, base_path=base_path))
    log = warehouse.with_name(f"dashboard-{port}.log")
    with served(argv, port, warehouse.parent, log, base_path) as url:
        yield url


@contextlib.contextmanager
def served(
    argv: Sequence[str | Path], port: int, folder: Path, log: Path, base_path: str = ""
) -> Iterator[str]:
    """The URL of what a command, given in a folder, serves until the block ends, without a traceback."""
    url = f"http://localhost:{port}{base_path}"
    with log.open("wb") as output:
        process = subprocess.Popen(argv, stdout=output, stderr=subprocess.STDOUT, cwd=folder)
        try:
            _wait(lambda: is_healthy(url), process, log)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=20)
    assert "Traceback" not in log.read_text(encoding="utf-8")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])


def is_healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _wait(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > end:
            pytest.fail(f"the dashboard did not start: {log.read_text(encoding='utf-8')[-2000:]}")
        time.sleep(0.1)
