"""A filled warehouse, made once."""

from __future__ import annotations

import functools
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from nasrank.db.runs import monitor as runs_monitor
from nasrank.db.warehouse.file import Warehouse
from tests.app.dashboard_data import add_whole_spaces, fill
from tests.charts import charts_are_made_of_channels as charts_are_made_of_channels
from tests.samples import ROOT

MAIN = ROOT / "app" / "main.py"


@pytest.fixture(autouse=True, scope="session")
def _packages_are_read_once() -> Iterator[None]:
    """For Streamlit's components: a server reads them when it starts, AppTest whenever a page is opened."""
    with pytest.MonkeyPatch.context() as patch:
        scan = functools.cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", scan)
        yield


@pytest.fixture(autouse=True)
def _the_main_module_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """AppTest leaves the app as the main module, and processes that a later test spawns would run it."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture(scope="session")
def filled_file(ground_truth_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dashboard")
    path = folder / "nasrank.duckdb"
    shutil.copyfile(ground_truth_file, path)
    fill(Warehouse(path), folder / "runs")
    return path


@pytest.fixture
def filled(filled_file: Path) -> Warehouse:
    """To read only: all tests share it."""
    return Warehouse(filled_file)


@pytest.fixture
def own(filled_file: Path, tmp_path: Path) -> Warehouse:
    """A test's own copy, to write to."""
    path = tmp_path / "nasrank.duckdb"
    shutil.copyfile(filled_file, path)
    return Warehouse(path)


@pytest.fixture(scope="session")
def whole(filled_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The filled one with predictions of whole search spaces, and of several epochs. Only read it."""
    folder = tmp_path_factory.mktemp("whole")
    path = folder / "nasrank.duckdb"
    shutil.copyfile(filled_file, path)
    add_whole_spaces(Warehouse(path), folder)
    return Warehouse(path)


@pytest.fixture
def open_view(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Opens a page (the name of its file) on a warehouse, with URL parameters."""

    def opened(view: str, path: Path, **parameters: str | list[str]) -> AppTest:
        monkeypatch.setenv("NASRANK_WAREHOUSE", str(path))
        test = AppTest.from_file(MAIN, default_timeout=60)
        test.query_params.update(parameters)
        test.switch_page(f"views/{view}/{view}.py").run()
        assert not test.exception
        return test

    return opened


@pytest.fixture
def open_runs(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Opens the page on a warehouse and a folder of runs, with URL parameters."""
    monkeypatch.setattr(runs_monitor, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(runs_monitor, "_REST", 0)

    def opened(path: Path, runs_dir: Path, **parameters: str | list[str]) -> AppTest:
        monkeypatch.setenv("NASRANK_WAREHOUSE", str(path))
        monkeypatch.setenv("NASRANK_RUNS", str(runs_dir))
        test = AppTest.from_file(MAIN, default_timeout=60)
        test.query_params.update(parameters)
        test.switch_page("views/runs/runs.py").run()
        assert not test.exception
        assert test.title[0].value == "Runs"
        return test

    return opened
