"""Whatever is in a folder, its neighbour comes in: no exception, one line at most, a sound warehouse."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given

from nasrank.db.ingest.folders import IngestReport, ingest, ingested_runs
from nasrank.db.runs.reader import run_folders
from nasrank.db.warehouse.file import INTEGRITY_CHECKS, Warehouse
from nasrank.db.warehouse.seed import seed_warehouse
from tests.hostile_folders import (
    BREAKS,
    FEW,
    FILES,
    HARMLESS,
    KIND_BREAKS,
    Break,
    breaks,
    good_folder,
    hostile_folders,
    in_time,
)

# Of what is ingested, only files of another kind keep a folder out.
KINDS_OF_INGESTED = {said: act for said, act in KIND_BREAKS.items() if said.split(":")[0] in FILES}
WAITS = {"status.json: nothing"}  # it has only begun


@pytest.fixture(scope="module")
def bare_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse without ground truth, which is quick to copy."""
    path = tmp_path_factory.mktemp("bare") / "nasrank.duckdb"
    Warehouse(path).create(seed_warehouse)
    return path


def ingest_all(bare_file: Path, home: Path) -> tuple[Warehouse, IngestReport]:
    """All of `home/runs` in a warehouse of their own, whose integrity is checked."""
    warehouse = Warehouse(home / "nasrank.duckdb")
    shutil.copyfile(bare_file, warehouse.path)
    report = in_time(lambda: ingest(warehouse, run_folders(home / "runs")))
    for said, sql in INTEGRITY_CHECKS.items():
        assert warehouse.query(sql).empty, said
    for problem in report.problems.values():
        assert problem.isprintable()
        assert len(problem) < 2000
    return warehouse, report


@pytest.mark.parametrize(
    ("broken", "unusual"), [(BREAKS, HARMLESS), (KINDS_OF_INGESTED, set[str]())], ids=["contents", "kinds"]
)
def test_each_bad_folder_is_named_and_the_good_one_comes_in(
    bare_file: Path, tmp_path: Path, broken: Mapping[str, Break], unusual: set[str]
) -> None:
    good = good_folder(tmp_path / "runs")
    names = hostile_folders(tmp_path / "runs", broken)
    warehouse, report = ingest_all(bare_file, tmp_path)
    came_in = {names[name] for name in report.ingested if name != good.name}
    assert came_in == unusual
    assert good.name in ingested_runs(warehouse)
    assert {names[name] for name in report.problems} == broken.keys() - unusual - WAITS
    for name, problem in report.problems.items():
        assert ascii(name)[1:-1].split("\\")[0] in problem, "the folder is named"


@FEW
@given(act=breaks)
def test_no_folder_keeps_its_neighbour_out(bare_file: Path, act: Break) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        good = good_folder(home / "runs")
        hostile_folders(home / "runs", {"drawn": act})
        warehouse, report = ingest_all(bare_file, home)
        assert good.name in report.ingested
        assert ingested_runs(warehouse).keys() >= {good.name}
