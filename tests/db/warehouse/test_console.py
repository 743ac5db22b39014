"""Anyone's SQL: what it may not reach, and that what it takes or breaks ends only its own process."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from nasrank.db.console import CONSOLE_LIMITS, ask
from nasrank.db.errors import NasrankError
from nasrank.db.files.tables import as_csv
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.reading import Limits, QueryError

QUICK = replace(CONSOLE_LIMITS, seconds=2, rows=100)

# Each has to fail, and to leave every file as it was.
ESCAPES = [
    "COPY mask TO '{folder}/stolen.csv'",
    "COPY (SELECT 1) TO '{folder}/stolen.parquet' (FORMAT parquet)",
    "COPY (SELECT 1) TO '/dev/stdout'",
    "COPY mask FROM '/etc/passwd'",
    "EXPORT DATABASE '{folder}/stolen'",
    "IMPORT DATABASE '/etc'",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('{path}')",
    "SELECT * FROM read_json('/etc/passwd')",
    "SELECT * FROM read_parquet('{folder}/*.parquet')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM '/etc/passwd'",
    "SUMMARIZE '/etc/passwd'",
    "FROM '{folder}/runs.parquet'",
    "SELECT * FROM query('SELECT * FROM read_text(''/etc/passwd'')')",
    "SELECT * FROM query_table('/etc/passwd')",
    "SELECT * FROM read_csv('https://example.org/x.csv')",
    "ATTACH '{folder}/other.duckdb'",
    "ATTACH '{path}' AS again",
    "DETACH warehouse",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '{folder}/x.duckdb_extension'",
    "SET enable_external_access = true",
    "RESET enable_external_access",
    "SET lock_configuration = false",
    "SET memory_limit = '1TB'",
    "SET threads = 64",
    "SET temp_directory = '{folder}'",
    "SET allowed_directories = ['/etc']",
    "PRAGMA memory_limit = '1TB'",
    "PRAGMA profiling_output = '{folder}/profile.json'",
    "SELECT getenv('HOME')",
    "SELECT * FROM duckdb_secrets()",
    "CREATE SECRET s (TYPE s3)",
    "SELECT * FROM warehouse",  # a name in Python's own frames
    "SELECT 1; COPY (SELECT 1) TO '{folder}/stolen.csv'",
    "PRAGMA database_list; SELECT * FROM read_text('/etc/passwd')",
    "CREATE TABLE t (i INTEGER)",
    "CREATE OR REPLACE VIEW ground_truth AS SELECT 1",
    "INSERT INTO mask SELECT * FROM mask",
    "DELETE FROM mask",
    "UPDATE mask SET mask = ''",
    "DROP TABLE prediction",
    "BEGIN; DROP TABLE prediction; COMMIT",
]


@pytest.fixture
def shared_warehouse(ground_truth_file: Path) -> Warehouse:
    """To read only: all tests share it."""
    return Warehouse(ground_truth_file)


@pytest.mark.parametrize("sql", ESCAPES)
def test_no_statement_escapes(shared_warehouse: Warehouse, tmp_path: Path, sql: str) -> None:
    before = shared_warehouse.identity, sorted(os.listdir(shared_warehouse.path.parent))
    with pytest.raises(QueryError) as caught:
        shared_warehouse.first_rows(sql.format(folder=tmp_path, path=shared_warehouse.path), QUICK)
    assert "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == []
    assert (shared_warehouse.identity, sorted(os.listdir(shared_warehouse.path.parent))) == before


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM range(100000) a, range(100000000000) b",
        "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i FROM r) SELECT count(*) FROM r",
        # One step of one operator, which DuckDB does not interrupt.
        "SELECT levenshtein(repeat('a', 200000), repeat('b', 200000))",
    ],
)
def test_what_takes_too_long_is_ended(shared_warehouse: Warehouse, sql: str) -> None:
    started = time.monotonic()
    with pytest.raises(QueryError, match="longer than 2 seconds"):
        ask(shared_warehouse, sql, QUICK)
    assert time.monotonic() - started < 30


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT array_agg(range) FROM range(100000000)", "more memory than 1 GB"),
        # What DuckDB's memory limit does not count.
        ("SELECT len(range(120000000))", "more memory than 1 GB"),
        ("SELECT len(range(500000000))", "more memory than 1 GB"),
        ("SELECT md5(repeat('x', 1000000000))", "more memory than 1 GB"),
        ("SELECT repeat('x', 100000000) FROM range(100)", "more memory than 1 GB"),
        # Forbidden, and DuckDB 1.5 aborts the process when it closes.
        ("CALL enable_logging(storage_path = '/nowhere/log')", "only queries are answered"),
        ("SELECT 1; PRAGMA enable_profiling", "only queries are answered"),
        ("CALL enable_profiling(save_location = '/nowhere/profile')", "only queries are answered"),
        ("SELECT 1::VARIANT", "cast it to VARCHAR or JSON"),
        ("SELECT repeat('x', 20000000)", "first row has more than the 16,777,216 bytes"),
        ("-- nothing", "no statement"),
    ],
)
def test_what_takes_too_much_or_breaks_ends_alone(shared_warehouse: Warehouse, sql: str, told: str) -> None:
    with pytest.raises(QueryError, match=told):
        ask(shared_warehouse, sql)


def test_an_answer_arrives_exactly(shared_warehouse: Warehouse) -> None:
    sql = """SELECT CAST(0.1 AS DOUBLE) + 0.2 AS real, 170141183460469231731687303715884105727 AS huge,
        NULL AS nothing, '' AS empty, DATE '2020-02-29' AS day, [1, NULL] AS list, {'a': 1} AS struct,
        INTERVAL '3 days 0.5 seconds' AS span, CAST('a' AS BLOB) AS bytes, 'a,"b' AS text, 'x' AS text"""
    answer = ask(shared_warehouse, sql)
    assert answer.rows.equals(shared_warehouse.query_arrow(sql))
    assert not answer.is_cut
    assert answer.rows["huge"].to_pylist() == [Decimal(2**127 - 1)]
    assert as_csv(answer.rows).splitlines() == [
        '"real","huge","nothing","empty","day","list","struct","span","bytes","text","text"',
        '0.30000000000000004,170141183460469231731687303715884105727,,"",2020-02-29,'
        '"[1, null]","{""a"": 1}","P0M3DT0.5S","61","a,""b","x"',
    ]


@pytest.mark.parametrize(
    ("limits", "rows", "is_cut"),
    [
        (Limits(), 5000, False),
        (Limits(rows=5000), 5000, False),
        (Limits(rows=4999), 4999, True),
        (Limits(rows=1), 1, True),
        (Limits(rows=0), 0, True),
        (Limits(result_bytes=50_000), 5000, False),
    ],
)
def test_the_row_limit_keeps_the_first_rows_and_says_so(
    shared_warehouse: Warehouse, limits: Limits, rows: int, is_cut: bool
) -> None:
    answer = shared_warehouse.first_rows("SELECT range AS i FROM range(5000) ORDER BY i", limits)
    assert answer.rows["i"].to_pylist() == list(range(rows))
    assert answer.is_cut == is_cut


def test_the_size_limit_keeps_the_first_rows(shared_warehouse: Warehouse) -> None:
    answer = shared_warehouse.first_rows("SELECT range AS i FROM range(5000)", Limits(result_bytes=30_000))
    assert answer.is_cut
    assert 0 < answer.rows.nbytes <= 30_000
    assert answer.rows["i"].to_pylist() == list(range(answer.rows.num_rows))


def test_rows_after_the_limit_are_not_computed(shared_warehouse: Warehouse) -> None:
    answer = ask(shared_warehouse, "SELECT * FROM range(1000000000000)", QUICK)
    assert (answer.rows.num_rows, answer.is_cut) == (100, True)


def test_an_error_points_at_its_place(shared_warehouse: Warehouse) -> None:
    with pytest.raises(QueryError, match='column "nowhere" not found') as caught:
        ask(shared_warehouse, "SELECT mask,\n  nowhere\nFROM mask")
    assert caught.value.excerpt.splitlines() == ["LINE 2:   nowhere", "          ^"]


def test_whoever_waits_can_stop_it(shared_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    started_processes: list[subprocess.Popen[bytes]] = []

    class Watched(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            started_processes.append(self)

    monkeypatch.setattr(subprocess, "Popen", Watched)

    class StoppedError(Exception):
        pass

    started = time.monotonic()

    def stop() -> None:
        if time.monotonic() - started > 1:
            raise StoppedError

    with pytest.raises(StoppedError):
        ask(shared_warehouse, "SELECT count(*) FROM range(100000) a, range(100000000000) b", on_wait=stop)
    assert time.monotonic() - started < 10
    assert [process.returncode for process in started_processes] == [-signal.SIGKILL]


def test_nothing_is_spilled_to_the_disk(
    shared_warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(QueryError, match="more memory than 64MB"):
        shared_warehouse.first_rows(
            "SELECT * FROM range(20000000) ORDER BY random()", Limits(memory="64MB", threads=1)
        )
    assert os.listdir(tmp_path) == []


def test_a_missing_warehouse_is_no_error_of_the_query(tmp_path: Path) -> None:
    with pytest.raises(NasrankError, match="nasrank-train init") as caught:
        ask(Warehouse(tmp_path / "missing.duckdb"), "SELECT 1")
    assert not isinstance(caught.value, QueryError)
