"""The documentation says what the program does: references are current, commands exist, queries run."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nasrank.db.benchmarks import read_benchmark
from nasrank.db.benchmarks.options import BenchmarkOptions
from nasrank.db.ingest.folders import ingest
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.ground_truth import import_benchmark
from scripts import results_page
from tests.samples import ROOT, random_predictions, write_run_folder

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
QUERIES = [
    (page.name, query)
    for page in PAGES
    for query in re.findall(r"```sql\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
]


@pytest.mark.slow
def test_references_are_current() -> None:
    check = subprocess.run(
        [sys.executable, ROOT / "scripts/docs.py", "--check"], capture_output=True, text=True, check=False
    )
    assert check.returncode == 0, check.stderr


@pytest.fixture(scope="module")
def documented(ground_truth_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Two runs each of three experiments. Only read it."""
    folder = tmp_path_factory.mktemp("documented")
    warehouse = Warehouse(folder / "nasrank.duckdb")
    shutil.copyfile(ground_truth_file, warehouse.path)
    experiments: list[dict[str, Any]] = [
        {"mask": "Zero+Pool"},
        {"mask": "Zero+Pool", "variant": "warmup", "warmup_epochs": 5},
        {"mask": ""},
    ]
    folders = [
        write_run_folder(
            folder / "runs", random_predictions(experiment["mask"], seed), seed=seed, **experiment
        )
        for experiment in experiments
        for seed in (0, 1)
    ]
    ingest(warehouse, folders)
    return warehouse


@pytest.mark.parametrize(("page", "query"), QUERIES)
def test_every_query_answers(documented: Warehouse, page: str, query: str) -> None:
    assert len(documented.query(query)) > 0


def test_every_command_and_option_named_exists() -> None:
    reference = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for command in re.findall(r"nasrank-train ([a-z-]+)", text):
            assert f"## nasrank-train {command}\n" in reference, f"{page.name} names the command {command}"
        for line in re.findall(r"nasrank-train [a-z-]+[^`\n]*", text):
            for option in re.findall(r"(?<![\w-])--[a-z-]+", line):
                assert option in reference, f"{page.name} names the option {option}"


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.slow
def test_results_are_of_the_runs_that_come_with_nasrank(shipped: Warehouse) -> None:
    page = results_page.PAGE.read_text(encoding="utf-8")
    assert "shipped" in re.findall(r"<!-- table: \S+ (\S+) -->", page)
    assert results_page.filled(page, {"shipped": results_page.read_tables(shipped, "shipped")}) == page
    altered = re.sub(r"(\| none \|.*?0\.)\d", r"\g<1>5", page)
    assert altered != page
    assert results_page.filled(altered, {"shipped": results_page.read_tables(shipped, "shipped")}) != altered
    for figure, key in results_page.FIGURE.findall(page):
        assert (results_page.IMAGES / f"{figure}-{key}.svg").exists()


@pytest.mark.slow
def test_results_are_those_under_every_ground_truth(shipped: Warehouse, shared: Path, tmp_path: Path) -> None:
    shutil.copyfile(shipped.path, tmp_path / "nasrank.duckdb")
    warehouse = Warehouse(tmp_path / "nasrank.duckdb")
    file = shared / "data/nasbench201/nb201_200_epochs.csv"
    import_benchmark(warehouse, file.stem, read_benchmark(file, options=BenchmarkOptions(epochs=200)))
    page = results_page.PAGE.read_text(encoding="utf-8")
    reports = {name: results_page.read_tables(warehouse, name) for name in results_page.KEYS}
    assert results_page.filled(page, reports) == page
