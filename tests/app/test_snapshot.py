"""What a page asks: parameters as they are, and answers that are kept apart."""

from __future__ import annotations

import pytest

from nasrank.app.snapshot import Snapshot
from nasrank.db.warehouse.file import Parameter, Warehouse
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
