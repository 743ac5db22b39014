"""A filled warehouse, made once; each test gets its own copy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import streamlit as st

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
def filled(filled_file: Path, tmp_path: Path) -> Warehouse:
    path = tmp_path / "nasrank.duckdb"
    shutil.copyfile(filled_file, path)
    return Warehouse(path)


@pytest.fixture(autouse=True)
def _no_cache() -> None:
    st.cache_data.clear()
