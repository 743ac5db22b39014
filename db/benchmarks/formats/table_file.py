"""Ground truth in a table, CSV or Parquet: the column `arch_str`, and percent in `<dataset>/<split>`.

The index of an architecture, `arch_index`, is enough, and columns may have other names: `arch str`, `index`,
`cifar10-valid/x-valid`, or `accuracy` and `test accuracy`, whose data set the person who imports says.

Two more columns are read where they are there: `arch_index` beside `arch_str`, whose index it must be, and
`params_million`, of the network with CIFAR-10's ten classes. A table has one value an
architecture, which counts as the mean over its trials, and does not say after how many epochs.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from nasrank.db.benchmarks.benchmark import (
    COSTS,
    DATASETS,
    SPLITS,
    Benchmark,
    Costs,
    Measurements,
    costs_table,
    joint_sha256,
    results_table,
)
from nasrank.db.benchmarks.options import BenchmarkOptions
from nasrank.db.benchmarks.seen import start_of
from nasrank.db.benchmarks.validation import check_complete, check_measurements
from nasrank.db.errors import NasrankError, in_a_line, shown
from nasrank.db.files.foreign_tables import MAX_BYTES, check_columns, read_parquet
from nasrank.db.files.opening import read_regular
from nasrank.db.nb201.architectures import NUM_ARCHITECTURES, Architecture, all_architectures

_COLUMNS: Final = {f"{dataset}/{split}": (dataset, split) for dataset in DATASETS for split in SPLITS}
_OTHER_COLUMNS: Final = ("arch_str", "arch_index", "params_million")
# Other names of columns, in lower case and with blanks for underscores.
_NAMES: Final = {
    **dict.fromkeys(("arch", "arch str", "architecture", "arch string", "architecture string"), "arch_str"),
    **dict.fromkeys(("index", "arch index", "arch id", "architecture index"), "arch_index"),
}
# The benchmark's own names of splits, and others. Of other data sets, `ori-test` is all of valid and test.
_SPLITS: Final = {
    **{split: split for split in SPLITS},
    **dict.fromkeys(("x-valid", "val", "validation"), "valid"),
    "x-test": "test",
}
_OF_CIFAR10: Final = {"ori-test": "test"}
_ACCURACY: Final = ("accuracy", "acc")
_TEN_CLASSES: Final = {"cifar10-valid", "cifar10"}
_MAX_MILLIONS: Final = 1000  # far above the largest network of the benchmark, which has 1.5
_VERSION: Final = 1
_TABLE: Final = "with the columns arch_str and <dataset>/<split> (in percent)"


@dataclass(frozen=True)
class CsvFile:
    """Reads comma-separated values with a header, in UTF-8."""

    name: str = "csv"
    description: str = f"comma-separated, {_TABLE}"

    def matches(self, path: Path | None) -> bool:
        """Whether the name ends in .csv or the first line names the column arch_str."""
        return path is not None and path.is_file() and (path.suffix.lower() == ".csv" or _has_header(path))

    def read(self, path: Path | None, options: BenchmarkOptions) -> Benchmark:
        """Read and check the table; `options.epochs` must be given."""
        content = _read_bytes(path, self.name)
        try:
            content.decode()  # pyarrow leaves what is not UTF-8 as bytes
            check_columns(content.partition(b"\n")[0].count(b",") + 1)
            table = pyarrow.csv.read_csv(pa.BufferReader(content))
        except MemoryError:
            raise
        except (UnicodeDecodeError, pa.ArrowException, NasrankError) as error:
            raise _unreadable(path, "CSV in UTF-8", error) from error
        return benchmark_of_table(table, content, path, self.name, options)


@dataclass(frozen=True)
class ParquetFile:
    """Reads Parquet."""

    name: str = "parquet"
    description: str = f"Parquet, {_TABLE}"

    def matches(self, path: Path | None) -> bool:
        """Whether the name ends in .parquet or the file begins as Parquet does."""
        return (
            path is not None
            and path.is_file()
            and (path.suffix.lower() == ".parquet" or start_of(path, 4) == b"PAR1")
        )

    def read(self, path: Path | None, options: BenchmarkOptions) -> Benchmark:
        """Read and check the table; `options.epochs` must be given."""
        content = _read_bytes(path, self.name)
        try:
            table = read_parquet(content, NUM_ARCHITECTURES)
        except NasrankError as error:
            raise _unreadable(path, "Parquet", error) from error
        return benchmark_of_table(table, content, path, self.name, options)


def benchmark_of_table(
    table: pa.Table, content: bytes, path: Path | None, name: str, options: BenchmarkOptions
) -> Benchmark:
    """What a table holds, checked; `content` is the file's, `name` the format's.

    Raises `NasrankError` with the first thing wrong.
    """
    file, epochs = repr(str(path)), options.epochs
    if epochs is None or epochs < 1:
        given = "it does not say so itself" if epochs is None else f"not {epochs}"
        raise NasrankError(
            f"after how many epochs are the accuracies in {file}? {given}; "
            "give --epochs: NAS-Bench-201 has 200 and 12"
        )
    table = _with_known_names(table, file, options.split)
    arch_ids = _arch_ids(table, file)
    trials = np.full(len(arch_ids), "mean")
    measurements = []
    for column in table.column_names:
        if column in _COLUMNS:
            percent = _numbers(table, column, file)
            measurements.append(Measurements(*_COLUMNS[column], epochs, arch_ids, trials, percent))
            check_measurements(measurements[-1], file)
    costs, notes = _costs(table, arch_ids, trials, epochs, file)
    ignored = [name for name in table.column_names if name not in (*_COLUMNS, *_OTHER_COLUMNS)]
    if ignored:
        notes = (*notes, f"ignored the columns {', '.join(map(shown, ignored[:20]))}")
    return Benchmark(
        format=name,
        importer_version=_VERSION,
        file_name=path.name if path else "",
        size_bytes=len(content),
        sha256=joint_sha256([content]),
        license=None,
        description=f"NAS-Bench-201 after {epochs} epochs: {', '.join(m.key for m in measurements)}",
        results=results_table(measurements),
        costs=costs,
        notes=notes,
    )


def _with_known_names(table: pa.Table, file: str, split: str | None) -> pa.Table:
    """With the names that this file's columns have here, every one once."""
    names = [name.strip() for name in table.column_names]
    if split is not None and split not in _COLUMNS:
        raise NasrankError(f"--split {split!r} is not one of {', '.join(_COLUMNS)}")
    names = [_known_name(name, split) for name in names]
    listed = ", ".join(map(shown, names[:20]))
    repeated = sorted(name for name, count in Counter(names).items() if count > 1)
    if repeated:
        raise NasrankError(
            f"{file} has the column {shown(repeated[0])} more than once; its columns are {listed}"
        )
    if not {"arch_str", "arch_index"} & {*names} or not any(name in _COLUMNS for name in names):
        raise NasrankError(
            f"{file} has the columns {listed}; needed are arch_str or arch_index, and at least one of "
            f"<dataset>/<split> with a dataset of {', '.join(DATASETS)} and a split of {', '.join(SPLITS)}, "
            "separated by commas; --split says what a column accuracy is of"
        )
    return table.rename_columns(names)


def _known_name(name: str, split: str | None) -> str:
    """What a column is called here; its own name where that is unknown."""
    plain = name.lower().replace("_", " ")
    if plain in _NAMES:
        return _NAMES[plain]
    dataset, _, own = name.rpartition("/")
    splits = _SPLITS | (_OF_CIFAR10 if dataset in _TEN_CLASSES else {})
    if dataset in DATASETS and own in splits:
        return f"{dataset}/{splits[own]}"
    if split is None or name in _OTHER_COLUMNS:
        return name
    if plain in _ACCURACY:
        return split
    words = plain.split(" ")
    if words[-1] in _ACCURACY and len(words) == 2 and words[0] in _SPLITS:
        return f"{split.partition('/')[0]}/{_SPLITS[words[0]]}"
    return name


def _arch_ids(table: pa.Table, file: str) -> NDArray[np.int16]:
    """The index of each row's architecture, int16 [rows]."""
    if "arch_str" not in table.column_names:
        return _of_indices(_numbers(table, "arch_index", file), file)
    try:
        texts = pc.utf8_trim_whitespace(table["arch_str"].cast(pa.string()))
    except pa.ArrowException as error:
        kind = table["arch_str"].type
        raise NasrankError(f"{file} has {kind} in arch_str ({error}); strings in UTF-8 are needed") from error
    indices = pc.index_in(texts, value_set=pa.array([a.string for a in all_architectures()]))
    if indices.null_count:
        row = pc.index(indices.is_null(), True).as_py()
        try:
            Architecture.from_string(texts[row].as_py() or "")
        except NasrankError as error:
            raise NasrankError(f"{file}, row {row + 1}: {error}") from None
    arch_ids: NDArray[np.int16] = indices.to_numpy().astype(np.int16)
    if "arch_index" in table.column_names:
        given = _numbers(table, "arch_index", file)
        wrong = np.flatnonzero(given != arch_ids)
        if len(wrong):
            row = int(wrong[0])
            raise NasrankError(
                f"{file}, row {row + 1}: arch_index is {given[row]:g}, but {texts[row]} has the "
                f"NAS-Bench-201 index {arch_ids[row]}; correct it, or rename the column if it "
                "is another numbering"
            )
    check_complete(arch_ids, np.full(len(arch_ids), "mean"), file)
    return arch_ids


def _of_indices(numbers: NDArray[np.float64], file: str) -> NDArray[np.int16]:
    wrong = np.flatnonzero(~np.isin(numbers, np.arange(NUM_ARCHITECTURES)))
    if len(wrong):
        row = int(wrong[0])
        raise NasrankError(
            f"{file}, row {row + 1}: arch_index is {numbers[row]:g}; a whole number from 0 to "
            f"{NUM_ARCHITECTURES - 1} is needed"
        )
    arch_ids = numbers.astype(np.int16)
    check_complete(arch_ids, np.full(len(arch_ids), "mean"), file)
    return arch_ids


def _costs(
    table: pa.Table, arch_ids: NDArray[np.int16], trials: NDArray[np.str_], epochs: int, file: str
) -> tuple[pa.Table, tuple[str, ...]]:
    """The sizes, under each dataset of ten classes that the table has, and what to note of them."""
    if "params_million" not in table.column_names:
        return COSTS.empty_table(), ()
    millions = _numbers(table, "params_million", file)
    wrong = np.flatnonzero(~((millions > 0) & (millions < _MAX_MILLIONS)))
    if len(wrong):
        row = int(wrong[0])
        raise NasrankError(
            f"{file}, row {row + 1}: params_million is {millions[row]:g}; millions of parameters are needed, "
            f"above 0 and below {_MAX_MILLIONS}"
        )
    datasets = sorted({_COLUMNS[name][0] for name in table.column_names if name in _COLUMNS} & _TEN_CLASSES)
    if not datasets:
        return COSTS.empty_table(), ("ignored params_million: it is of networks with ten classes",)
    params = np.rint(millions * 1e6).astype(np.int64)
    costs = costs_table(Costs(dataset, epochs, arch_ids, trials, params) for dataset in datasets)
    return costs, ()


def _numbers(table: pa.Table, name: str, file: str) -> NDArray[np.float64]:
    """A column as float64 [rows]; raises `NasrankError` for the first cell that is empty or no number."""
    column = table[name]
    if column.null_count:
        row = pc.index(column.is_null(), True).as_py()
        raise NasrankError(f"{file}, row {row + 1}: {name} is empty; every row needs a number there")
    if (
        pa.types.is_integer(column.type)
        or pa.types.is_floating(column.type)
        or pa.types.is_decimal(column.type)
    ):
        return np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)
    numbers = np.empty(len(column))
    for row, cell in enumerate(column.to_pylist()):
        try:
            numbers[row] = float(cell)
        except (TypeError, ValueError, OverflowError):
            raise NasrankError(
                f"{file}, row {row + 1}: {name} is {shown(cell)}, which is not a number"
            ) from None
    return numbers


def _read_bytes(path: Path | None, name: str) -> bytes:
    if path is None:
        raise NasrankError(f"the format {name} needs a file; none was given")
    return read_regular(path, MAX_BYTES)


def _has_header(path: Path) -> bool:
    return b"arch_str" in start_of(path, 4096).partition(b"\n")[0]


def _unreadable(path: Path | None, kind: str, error: Exception) -> NasrankError:
    return NasrankError(f"{str(path)!r} is not readable as {kind}: {in_a_line(error, 300)}")
