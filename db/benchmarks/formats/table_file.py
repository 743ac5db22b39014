"""Ground truth in a table of nearly any shape (`db.columns`): architectures, and accuracies beside them.

Architectures may be in any notation, or be their index alone. What each column of accuracies is of, its name
says, or the person who imports (`accuracy_columns`). Two more columns are read where they are there:
`arch_index` beside the architectures, whose index it must be, and `params_million`, of the network with
CIFAR-10's ten classes. Rows or columns with a seed are trials; else a value counts as the mean over them.
No table says after how many epochs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
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
from nasrank.db.benchmarks.formats.accuracy_columns import (
    Meaning,
    given_meaning,
    is_of_something_else,
    meaning_of,
)
from nasrank.db.benchmarks.options import BenchmarkOptions
from nasrank.db.benchmarks.seen import start_of
from nasrank.db.benchmarks.validation import check_measurements
from nasrank.db.columns.finding import (
    PERCENT,
    Numbers,
    column_of,
    counts_rows,
    find_architectures,
    names_the_same,
    numbers_of,
)
from nasrank.db.columns.shapes import Columns, listed, read_columns
from nasrank.db.errors import NasrankError, shown
from nasrank.db.files.foreign_tables import MAX_BYTES
from nasrank.db.files.opening import read_regular
from nasrank.db.nb201.architectures import NUM_ARCHITECTURES, all_architectures
from nasrank.db.nb201.notations import ArchIds, is_architecture, read_column

_KEYS: Final = {f"{dataset}/{split}": (dataset, split) for dataset in DATASETS for split in SPLITS}
# Columns that hold architectures by their names, in lower case and with blanks for other signs.
_ARCHITECTURES: Final = (
    "arch str",
    "arch string",
    "architecture string",
    "architecture",
    "arch",
    "digits",
)
_INDICES: Final = ("arch index", "arch id", "architecture index", "index")
_PARAMS: Final = "params_million"
_TRIALS: Final = ("seed", "trial")
_TEN_CLASSES: Final = {"cifar10-valid", "cifar10"}
_MAX_MILLIONS: Final = 1000  # far above the largest network of the benchmark, which has 1.5
_VERSION: Final = 2


@dataclass(frozen=True)
class TableFile:
    """Reads one kind of file with columns.

    Args:
        suffixes: ends of names that say so.
        starts: how such files begin.
    """

    name: str
    description: str
    suffixes: tuple[str, ...]
    starts: tuple[bytes, ...]

    def matches(self, path: Path | None) -> bool:
        """Whether the file's name ends or its content begins as those of the kind do."""
        if path is None or not path.is_file():
            return False
        if path.suffix.lower().removeprefix(".") in self.suffixes:
            return True
        start = start_of(path, 4096).lstrip()
        return start.startswith(self.starts) if self.starts else _is_table(start)

    def read(self, path: Path | None, options: BenchmarkOptions) -> Benchmark:
        """Read and check the table; `options.epochs` must be given.

        Raises `NasrankError` with the first thing wrong.
        """
        if path is None:
            raise NasrankError(f"the format {self.name} needs a file; none was given")
        file = repr(str(path))
        content = read_regular(path, MAX_BYTES)
        try:
            _, columns = read_columns(path, content, options.choice.part, self.suffixes)
        except NasrankError as error:
            raise NasrankError(f"{file}: {error}") from error
        return benchmark_of_columns(columns, content, path, self.name, options)


# Their order is that in which they are looked for; any text may be a table.
TABLE_FILES: Final = (
    TableFile("parquet", "Parquet, with columns as csv", ("parquet",), (b"PAR1",)),
    TableFile(
        "numpy", "NumPy, accuracies in the benchmark's order, or columns", ("npy", "npz"), (b"\x93NUMPY",)
    ),
    TableFile(
        "json", "JSON or JSON lines, architecture to accuracy, or columns", ("json", "jsonl"), (b"{", b"[")
    ),
    TableFile(
        "csv", "text in columns, an architecture and its accuracies of <dataset>/<split>", ("csv", "tsv"), ()
    ),
)


def _is_table(start: bytes) -> bool:
    """Whether the first line of a text has an architecture, or a name for one."""
    line = start.decode(errors="replace").removeprefix("\ufeff").partition("\n")[0]
    cells = [cell.strip(" \r\"'") for cell in re.split("[,;\t]", line)]
    return len(cells) > 1 and any(
        _plain(cell) in (*_ARCHITECTURES, *_INDICES) or ("|" in cell and is_architecture(cell))
        for cell in cells
    )


def benchmark_of_columns(
    columns: Columns, content: bytes, path: Path, name: str, options: BenchmarkOptions
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
    try:
        table = _Table(columns, options)
    except NasrankError as error:
        raise NasrankError(f"{file}: {error}") from error
    measurements = _first_that_can_be(table, epochs, file)
    keys = dict.fromkeys(m.key for m in measurements)
    costs, notes = _costs(columns, measurements, file)
    return Benchmark(
        format=name,
        importer_version=_VERSION,
        file_name=path.name,
        size_bytes=len(content),
        sha256=joint_sha256([content]),
        license=None,
        description=f"NAS-Bench-201 after {epochs} epochs: {', '.join(keys)}",
        results=results_table(measurements),
        costs=costs,
        notes=(*table.notes, *notes),
    )


class _Table:
    """Which columns are read, and as what.

    Args:
        readings: of the architectures by notation, int16 [rows]; at least one.
        accuracies: by the column's name what it is of, and percent, float64 [rows].
    """

    def __init__(self, columns: Columns, options: BenchmarkOptions) -> None:
        self.notes: list[str] = []
        self._columns = columns
        self._given = given_meaning(options.split)
        if not any(columns.values()):
            raise NasrankError(f"it has no rows; all {NUM_ARCHITECTURES:,} architectures are needed")
        self.architectures, self.readings = _architectures(columns, options)
        self.trials = _trials(columns)
        self.accuracies: dict[str, tuple[Meaning, NDArray[np.float64]]] = {}
        meanings = self._chosen(options.choice.value_column) if options.choice.value_column else self._named()
        _refuse_repeated(meanings)
        numbers = {name: _complete(columns[name], name) for name in meanings}
        # NAS-Bench-201's best are far above one percent.
        fractions = all(n.unit != PERCENT and n.values.max(initial=0) <= 1 for n in numbers.values())
        if fractions:
            self.notes.append("no accuracy is above 1: they are taken for fractions")
        for name, meaning in meanings.items():
            self.accuracies[name] = meaning, numbers[name].values * (100 if fractions else 1)
        ignored = [name for name in self._others() if name not in meanings]
        if ignored:
            self.notes.append(f"ignored the columns {', '.join(map(shown, ignored[:20]))}")

    def _chosen(self, name: str) -> dict[str, Meaning]:
        column_of(self._columns, name)
        meaning = self._given.filled(meaning_of(name) or Meaning())
        if meaning.key is None:
            raise _asked_for([name])
        return {name: meaning}

    def _named(self) -> dict[str, Meaning]:
        """The columns whose names say what they are of, with what was said of all."""
        said = {name: meaning for name in self._others() if (meaning := meaning_of(name)) is not None}
        filled = {name: meaning.filled(self._given) for name, meaning in said.items()}
        known = {name: meaning for name, meaning in filled.items() if meaning.key in _KEYS}
        if known:
            return known
        if filled and (open_ones := [name for name, meaning in filled.items() if meaning.key is None]):
            raise _asked_for(open_ones)
        if filled:
            raise NasrankError(
                f"{listed(filled)}: of cifar100 and ImageNet16-120, the original test images are those of "
                "valid and test together; architectures are ranked by one of them"
            )
        numeric = [name for name in self._others() if self._may_be_accuracies(name)]
        if numeric and self._given.key in _KEYS:
            if len(numeric) > 1:
                raise NasrankError(f"the columns {listed(numeric)} hold numbers; name one with --column")
            self.notes.append(f"read the column {shown(numeric[0])} as {self._given.key}")
            return {numeric[0]: self._given}
        if numeric:
            raise _asked_for(numeric)
        raise NasrankError(
            f"it has the columns {listed(self._columns)}, and none of accuracies; needed is at least one of "
            f"<dataset>/<split> with a dataset of {', '.join(DATASETS)} and a split of {', '.join(SPLITS)}, "
            "or one that --column names, of --split"
        )

    def _others(self) -> list[str]:
        """Columns beside the architectures, seeds and sizes."""
        return [
            name
            for name in self._columns
            if name not in (self.architectures, _PARAMS) and _plain(name) not in (*_INDICES, *_TRIALS)
        ]

    def _may_be_accuracies(self, name: str) -> bool:
        values = self._columns[name]
        if is_of_something_else(name):
            return False
        try:
            numbers = numbers_of(values).values
        except NasrankError:
            return False
        return not counts_rows(numbers) and not names_the_same(values, self.readings)


def _plain(name: str) -> str:
    """In lower case, with blanks for other signs."""
    return " ".join(re.findall(r"[a-z0-9]+", name.lower()))


def _architectures(columns: Columns, options: BenchmarkOptions) -> tuple[str, dict[str, ArchIds]]:
    """The column of architectures, its name's or the one that holds them, and its readings."""
    choice = options.choice
    by_name = {_plain(name): name for name in reversed(list(columns))}
    named = choice.architecture_column or next(
        (by_name[name] for name in (*_ARCHITECTURES, *_INDICES) if name in by_name), None
    )
    if named is None:
        return find_architectures(columns, choice)
    try:
        readings = read_column(column_of(columns, named), choice.notation)
    except NasrankError as error:
        raise NasrankError(f"{shown(named)}, {error}") from error
    for name in _INDICES:
        if (index := by_name.get(name)) is not None and index != named:
            _check_index(index, columns[index], readings)
    return named, readings


def _check_index(name: str, values: Sequence[object], readings: dict[str, ArchIds]) -> None:
    """Refuse an index that is not that of the architecture beside it."""
    given = numbers_of(values).values
    if any(np.array_equal(given, arch_ids) for arch_ids in readings.values()):
        return
    arch_ids = next(iter(readings.values()))
    row = int(np.flatnonzero(given != arch_ids)[0])
    raise NasrankError(
        f"row {row + 1}: {shown(name)} is {given[row]:g}, but "
        f"{all_architectures()[arch_ids[row]].string} has the NAS-Bench-201 index {arch_ids[row]}; correct "
        "it, or rename the column if it is another numbering"
    )


def _trials(columns: Columns) -> NDArray[np.str_] | None:
    """The trial of each row, where a column tells it, [rows]."""
    name = next((name for name in columns if _plain(name) in _TRIALS), None)
    return None if name is None else np.array([shown(value).strip("'") for value in columns[name]])


def _asked_for(names: Sequence[str]) -> NasrankError:
    return NasrankError(
        f"of which data set and split are {listed(names)}? give --split <dataset>/<split>, with a dataset of "
        f"{', '.join(DATASETS)} and a split of {', '.join(SPLITS)}, or what of it the names do not say; "
        "--column names a column of others"
    )


def _refuse_repeated(meanings: dict[str, Meaning]) -> None:
    counts = Counter((meaning.key, meaning.trial) for meaning in meanings.values())
    for (key, trial), count in counts.items():
        if count > 1:
            names = [
                name for name, meaning in meanings.items() if (meaning.key, meaning.trial) == (key, trial)
            ]
            raise NasrankError(
                f"it has the column {key} more than once: {listed(names)}; name one with --column"
            )


def _complete(values: Sequence[object], name: str) -> Numbers:
    """The numbers of a column that has one in each row."""
    try:
        numbers = numbers_of(values)
    except NasrankError as error:
        raise NasrankError(f"{shown(name)}, {error}") from error
    empty = np.flatnonzero(np.isnan(numbers.values))
    if len(empty):
        raise NasrankError(
            f"{shown(name)}, row {empty[0] + 1}: it is empty or NaN; every row needs an accuracy"
        )
    return numbers


def _first_that_can_be(table: _Table, epochs: int, file: str) -> list[Measurements]:
    """What the table says in the one notation in which it can be the benchmark.

    Raises:
        NasrankError: it can be in none, or in several that differ.
    """
    found: dict[str, list[Measurements]] = {}
    problems: list[NasrankError] = []
    for notation, arch_ids in table.readings.items():
        try:
            found[notation] = _measured(table, arch_ids, epochs, file)
        except NasrankError as error:
            problems.append(error)
    if not found:
        raise problems[0]
    first, *others = found.values()
    if any(not np.array_equal(first[0].arch_ids, other[0].arch_ids) for other in others):
        raise NasrankError(
            f"{file}: the architectures can be read as {' or as '.join(found)}, and nothing tells which; "
            "force one with --notation"
        )
    return first


def _measured(table: _Table, arch_ids: ArchIds, epochs: int, file: str) -> list[Measurements]:
    measurements = []
    for meaning, percent in table.accuracies.values():
        dataset, split = _KEYS[str(meaning.key)]
        trials = np.full(len(arch_ids), meaning.trial or "mean")
        if table.trials is not None and meaning.trial is None:
            trials = table.trials
        measurements.append(Measurements(dataset, split, epochs, arch_ids, trials, percent))
        check_measurements(measurements[-1], file)
    return measurements


def _costs(
    columns: Columns, measurements: Sequence[Measurements], file: str
) -> tuple[pa.Table, tuple[str, ...]]:
    """The sizes, under each dataset of ten classes that the table has, and what to note of them."""
    if _PARAMS not in columns:
        return COSTS.empty_table(), ()
    millions = numbers_of(columns[_PARAMS]).values
    wrong = np.flatnonzero(~((millions > 0) & (millions < _MAX_MILLIONS)))
    if len(wrong):
        row = int(wrong[0])
        raise NasrankError(
            f"{file}, row {row + 1}: params_million is {millions[row]:g}; millions of parameters are needed, "
            f"above 0 and below {_MAX_MILLIONS}"
        )
    of_ten = {m.dataset: m for m in measurements if m.dataset in _TEN_CLASSES}
    if not of_ten:
        return COSTS.empty_table(), ("ignored params_million: it is of networks with ten classes",)
    params = np.rint(millions * 1e6).astype(np.int64)
    costs = costs_table(
        Costs(dataset, m.epochs, m.arch_ids, m.trials, params) for dataset, m in sorted(of_ten.items())
    )
    return costs, ()
