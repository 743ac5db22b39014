"""The wheel, installed into an environment of its own, among files that have the names of its rooms."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browsing import settle, visit
from tests.e2e.conftest import free_port, served
from tests.samples import ROOT

SOURCES = (
    "app",
    "db",
    "migrations",
    "nasrank",
    "report",
    "trainer",
    "LICENSE",
    "README.md",
    "pyproject.toml",
)
# Files of a user that have the names of our rooms, or of what they import.
HOSTILE = (
    "app.py",
    "db/__init__.py",
    "trainer.py",
    "report/__init__.py",
    "migrations/__init__.py",
    "nasrank.py",
    "streamlit.py",
    "duckdb.py",
    "json.py",
    "submitit.py",
)
PAGES = ("", "scatter", "compare", "search_space", "datasets", "runs", "paper", "sql")
RUN = ("--dataset", "digits", "--size", "tiny", "--epochs", "2", "--mask", "Zero+Pool", "--batch-size", "100")
# A process that reads files of the benchmark's authors begins, and says what it cannot read.
READER = """
from nasrank.db.benchmarks.official.contents import FORMS
from nasrank.db.benchmarks.official.isolation import read_in_processes
from nasrank.db.errors import NasrankError
task = {"what": "it", "file": "nowhere", "form": next(iter(FORMS)), "curve": "last", "seconds": 9}
try:
    read_in_processes([task], 1, print, lambda done: None)
except NasrankError as error:
    print(error)
"""
STUDY = """
name = "two"
seeds = [1, 2]
[defaults]
dataset = "digits"
size = "tiny"
epochs = 2
batch_size = 100
[[experiments]]
group = "one"
mask = "Zero+Pool"
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that what an earlier build left in the checkout is not in it."""
    copy, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, copy)
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", out, copy)
    [path] = out.iterdir()
    return path


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment that has the wheel, and the dependencies of this one."""
    environment = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin/python"
    pip("--python", python, "install", "--no-deps", "--no-index", wheel)
    # On the path, but no folder whose .pth files are read: the editable installation here is not found.
    [packages] = environment.glob("lib/*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return environment / "bin"


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A user's folder; whatever imports one of its files leaves `imported` in it."""
    folder = tmp_path / "a user's folder"
    for name in HOSTILE:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            f"open({str(folder / 'imported')!r}, 'a').write(__file__ + chr(10))\n"
            "raise SystemExit('not this one')\n"
        )
    return folder


def pip(*arguments: str | Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_wheel_has_nothing_else_at_its_top(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"nasrank"}
    # What no import would miss.
    for needed in (
        "app/theme.toml",
        "app/views/rankings/rankings.py",
        "db/results/cifar10/run.parquet",
        "db/views/ranking/52_run_ranking.sql",
        "db/warehouse/reported_tau_a.csv",
        "migrations/versions/0001_the_first_schema.py",
        "py.typed",
        "report/page.html.j2",
        "trainer/studies/cifar10.toml",
    ):
        assert f"nasrank/{needed}" in names
    assert not [name for name in names if "test" in name.lower()]


def test_nothing_in_the_folder_is_imported(
    page: Page, programs: Path, hostile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)

    def nasrank(*arguments: str) -> str:
        done = subprocess.run(
            [programs / "nasrank-train", *arguments],
            cwd=hostile,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def python(program: str) -> str:
        done = subprocess.run(
            [programs / "python", "-P", "-c", program],
            cwd=hostile,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    where = python("import nasrank.db.warehouse.file as file; print(file.__file__)")
    assert str(programs.parent) in where, "the wheel's, not the checkout's"
    assert nasrank("--version").startswith("nasrank ")
    assert python(READER).strip() == "cannot read 'nowhere': No such file or directory"
    (hostile / "two.toml").write_text(STUDY)
    nasrank("init")
    nasrank("import-bench")
    nasrank("run", *RUN, "--no-ingest")
    nasrank("ingest")
    nasrank("study", "run", "two.toml", "--jobs", "1")
    assert nasrank(
        "sql", "SELECT count(*) AS runs FROM run WHERE seed IS NOT NULL", "--format", "csv"
    ).split() == ['"runs"', "3"]
    nasrank("report", "--out", "report of mine")
    nasrank("doctor")
    port = free_port()
    argv = [programs / "nasrank-train", "dashboard", "--port", str(port)]
    with served(argv, port, hostile, hostile / "dashboard.log") as url:
        for name in PAGES:
            visit(page, f"{url}/{name}")
            expect(page.get_by_text("The warehouse cannot be shown")).to_have_count(0)
        page.get_by_role("textbox", name="SQL").fill("SELECT 6 * 7 AS answer")
        page.keyboard.press("Control+Enter")
        expect(page.get_by_text("1 row in")).to_be_visible()
        settle(page)
    assert not (hostile / "imported").exists(), (hostile / "imported").read_text()
