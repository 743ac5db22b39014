"""The warehouse in the DuckDB clients that people have: each reads the same rows from every view."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from math import isclose
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

# Run by each client: the rows of every view under one key, in an order that no computed number decides. It
# only plans two that join the macros evidence_of_…: DuckDB 1.4 takes as long for them as for all others. Of
# views with a row for each prediction it reads a fiftieth.
READ_EVERY_VIEW = """
import json, sys
import duckdb

path, key, *planned = sys.argv[1:]
connection = duckdb.connect(path, read_only=True)
connection.execute("SET enable_progress_bar = false")
views = connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal ORDER BY ALL").fetchall()
rows = {}
for (view,) in views:
    columns = {name: type for name, type, *_ in connection.execute(f"DESCRIBE {view}").fetchall()}
    order = ", ".join(name for name, type in columns.items() if type not in ("FLOAT", "DOUBLE"))
    parameters = {"key": key} if "gt_key" in columns else {}
    query = f"SELECT * FROM {view} " + ("WHERE gt_key = $key " if parameters else "")
    query += "AND arch_id % 50 = 0 " if {"run_id", "arch_id"} <= columns.keys() else ""
    if view in planned:
        connection.execute("EXPLAIN " + query, parameters)
        rows[view] = []
    else:
        rows[view] = connection.execute(query + f"ORDER BY {order}", parameters).fetchall()
print(json.dumps([duckdb.__version__, rows], default=str))
"""
PLANNED = ("finding", "finding_evidence")


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
    command = [sys.executable, "-c", READ_EVERY_VIEW, str(path), KEY, *PLANNED]
    return subprocess.run(command, capture_output=True, text=True, env=environment)


@pytest.fixture(scope="module")
def own_rows(studied: Warehouse) -> dict[str, Any]:
    own = read_with(None, studied.path)
    assert own.returncode == 0, own.stderr
    rows: dict[str, Any] = json.loads(own.stdout)[1]
    assert len(rows) > 30
    assert sum(1 for view in rows if rows[view]) > 30
    return rows


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_every_view_has_the_same_rows_in_every_client(
    version: str, studied: Warehouse, own_rows: dict[str, Any]
) -> None:
    other = read_with(version, studied.path)
    assert other.returncode == 0, other.stderr
    read_by, rows = json.loads(other.stdout)
    assert read_by == version
    assert rows.keys() == own_rows.keys()
    differing = [view for view in rows if not are_same(rows[view], own_rows[view])]
    assert differing == []


def are_same(rows: list[list[Any]], others: list[list[Any]]) -> bool:
    return len(rows) == len(others) and all(
        value == other
        or (isinstance(value, float) and isinstance(other, float) and isclose(value, other, abs_tol=1e-9))
        for row, other_row in zip(rows, others, strict=True)
        for value, other in zip(row, other_row, strict=True)
    )


@pytest.mark.slow
def test_a_client_that_is_too_old_says_what_the_docs_say(studied: Warehouse) -> None:
    refused = read_with(TOO_OLD, studied.path)
    page = (ROOT / "docs" / "sql.md").read_text(encoding="utf-8")
    [complaint] = [line for line in page.splitlines() if "Serialization Error" in line]
    assert complaint.strip("` ") in refused.stderr


def test_the_docs_name_the_clients() -> None:
    page = (ROOT / "docs" / "sql.md").read_text(encoding="utf-8")
    assert [version for version in (*VERSIONS, TOO_OLD) if version not in page] == []
