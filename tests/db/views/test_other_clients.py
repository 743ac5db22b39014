"""The warehouse in the DuckDB clients that people have: each runs every view."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nasrank.db.warehouse.file import Warehouse
from tests.samples import ROOT
from tests.study_data import KEY

# The oldest that is promised, one that cannot plan aggregates in a macro's lambda, the last of the long-term
# line, and the newest. docs/sql.md names them.
VERSIONS = ("1.3.0", "1.4.2", "1.4.5", "2.0.1")
TOO_OLD = "1.1.3"
WHEELS = ROOT / "build" / "clients"

# Run by each client: it plans every view, and counts the rows of those that hold no metrics, which DuckDB 1.3
# computes under every key for a reader of one.
READ_EVERY_VIEW = """
import json, sys
import duckdb

path, key, *counted = sys.argv[1:]
connection = duckdb.connect(path, read_only=True)
connection.execute("SET enable_progress_bar = false")
views = connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal ORDER BY ALL").fetchall()
rows = {}
for (view,) in views:
    relation = connection.table(view)
    if "gt_key" in relation.columns:
        relation = relation.filter(duckdb.ColumnExpression("gt_key") == duckdb.ConstantExpression(key))
    relation.explain()
    rows[view] = len(relation.fetchall()) if view in counted else None
print(json.dumps([duckdb.__version__, rows]))
"""
COUNTED = ("true_ranking", "removed_operation")


def client(version: str) -> Path:
    """A folder with this DuckDB for PYTHONPATH, installed once."""
    folder = WHEELS / f"duckdb-{version}"
    if not (folder / "duckdb").is_dir():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder)]
        installed = subprocess.run([*command, f"duckdb=={version}"], capture_output=True, text=True)
        if installed.returncode and "CI" not in os.environ:
            pytest.skip(
                f"DuckDB {version} cannot be installed here: {installed.stderr.strip().splitlines()[-1:]}"
            )
        assert installed.returncode == 0, installed.stderr
    return folder


def read_with(version: str | None, path: Path) -> subprocess.CompletedProcess[str]:
    """`READ_EVERY_VIEW` by a client; None is the one that nasrank itself uses."""
    environment = os.environ | ({"PYTHONPATH": str(client(version))} if version else {})
    environment.pop("PYTHONSAFEPATH", None)
    command = [sys.executable, "-c", READ_EVERY_VIEW, str(path), KEY, *COUNTED]
    return subprocess.run(command, capture_output=True, text=True, env=environment)


@pytest.fixture(scope="module")
def own_rows(studied: Warehouse) -> dict[str, Any]:
    own = read_with(None, studied.path)
    assert own.returncode == 0, own.stderr
    rows: dict[str, Any] = json.loads(own.stdout)[1]
    assert len(rows) > 30
    assert all(rows[view] for view in COUNTED)
    return rows


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_every_view_runs_in_every_client(version: str, studied: Warehouse, own_rows: dict[str, Any]) -> None:
    other = read_with(version, studied.path)
    assert other.returncode == 0, other.stderr
    read_by, rows = json.loads(other.stdout)
    assert read_by == version
    assert rows.keys() == own_rows.keys()
    differing = [view for view in rows if rows[view] != own_rows[view]]
    assert differing == []


@pytest.mark.slow
def test_a_client_that_is_too_old_says_what_the_docs_say(studied: Warehouse) -> None:
    refused = read_with(TOO_OLD, studied.path)
    page = (ROOT / "docs" / "sql.md").read_text(encoding="utf-8")
    [complaint] = [line for line in page.splitlines() if "Serialization Error" in line]
    assert complaint.strip("` ") in refused.stderr


def test_the_docs_name_the_clients() -> None:
    page = (ROOT / "docs" / "sql.md").read_text(encoding="utf-8")
    assert [version for version in (*VERSIONS, TOO_OLD) if version not in page] == []
