"""A filled warehouse, made once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from db.warehouse import Warehouse
from tests.app.dashboard_data import fill


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
