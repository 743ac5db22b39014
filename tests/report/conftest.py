"""One study for all tests of a report."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from db.warehouse import Warehouse
from tests.report.study_data import fill


@pytest.fixture(scope="session")
def studied(ground_truth_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The study of `study_data`. Only read it."""
    folder = tmp_path_factory.mktemp("study")
    warehouse = Warehouse(folder / "nasrank.duckdb")
    shutil.copyfile(ground_truth_file, warehouse.path)
    fill(warehouse, folder / "runs")
    return warehouse
