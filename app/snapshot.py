"""The warehouse file that a page reads: one state of it, with the answers it gave before.

The file is open while a page runs and asks what was not asked before, so that it keeps no other program from
it for long, and sees a new file at its next run. Answers are cached under the identity of the file that gave
them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pandas as pd
import streamlit as st

from nasrank.db.warehouse.file import Parameter, Reading, Warehouse

Identity = tuple[int, int, int]
# By name, in the order of the names: a key for caches.
BoundParameters = tuple[tuple[str, Parameter], ...]


class WarehouseReplacedError(Exception):
    """The file was replaced while a page was reading it: the page must start anew."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The warehouse as one file: all rows that a page shows come from it, or none.

    Every query raises NasrankError where the warehouse cannot be used, and WarehouseReplacedError where
    it is no longer this file.
    """

    path: Path
    identity: Identity

    @classmethod
    def take(cls, path: Path) -> Snapshot:
        """The file at `path` as it is now; raises NasrankError where there is none."""
        return cls(path, Warehouse(path).identity)

    @property
    def updated_at(self) -> dt.datetime:
        """When the file was published, UTC."""
        _, mtime_ns, _ = self.identity
        return dt.datetime.fromtimestamp(mtime_ns / 1e9, tz=dt.UTC)

    def query(self, sql: str, /, **parameters: Parameter) -> pd.DataFrame:
        """The rows of `sql`, with `parameters` bound to its `$name`s."""
        return _query(str(self.path), self.identity, sql, tuple(sorted(parameters.items())))

    @property
    def benchmark(self) -> BenchmarkSnapshot:
        """For what the benchmark alone says: those answers outlive the ingest of runs."""
        sources = self.query(
            "SELECT source, sha256, importer_version, imported_at FROM benchmark_source ORDER BY ALL"
        )
        return BenchmarkSnapshot(self, sources.to_csv())


@dataclass(frozen=True, slots=True)
class BenchmarkSnapshot:
    """The ground truth in a snapshot. `sources` tells it from other ground truth in files of that path."""

    snapshot: Snapshot
    sources: str

    def query(self, sql: str, /, **parameters: Parameter) -> pd.DataFrame:
        """As that of the snapshot, where `sql` reads nothing that an ingest changes."""
        bound = tuple(sorted(parameters.items()))
        return _query_benchmark(str(self.snapshot.path), self.sources, self.snapshot.identity, sql, bound)


@dataclass(frozen=True, slots=True)
class _OpenFiles:
    """What one run of a page has opened, until the stack closes."""

    stack: ExitStack
    readings: dict[tuple[str, Identity], Reading] = field(default_factory=dict)


_open_files: Final[ContextVar[_OpenFiles | None]] = ContextVar("open_files", default=None)


@contextmanager
def opened_once() -> Iterator[None]:
    """Within, a thread opens each state of a file once, not for every question: most take less than that."""
    with ExitStack() as stack:
        token = _open_files.set(_OpenFiles(stack))
        try:
            yield
        finally:
            _open_files.reset(token)


@st.cache_data(max_entries=200, show_spinner="Reading the warehouse …")
def _query(path: str, identity: Identity, sql: str, parameters: BoundParameters) -> pd.DataFrame:
    return _ask(path, identity, sql, parameters)


@st.cache_data(max_entries=100, show_spinner="Reading the benchmark …")
def _query_benchmark(
    path: str, sources: str, _identity: Identity, sql: str, parameters: BoundParameters
) -> pd.DataFrame:
    # Streamlit leaves out of the key what begins with an underscore.
    return _ask(path, _identity, sql, parameters)


def _ask(path: str, identity: Identity, sql: str, parameters: BoundParameters) -> pd.DataFrame:
    warehouse = Warehouse(Path(path))
    with _opened(warehouse, identity) as reading:
        rows = reading.query(sql, **dict(parameters))
    if warehouse.identity != identity:
        raise WarehouseReplacedError(path)
    return rows


@contextmanager
def _opened(warehouse: Warehouse, identity: Identity) -> Iterator[Reading]:
    files = _open_files.get()
    if files is None:
        with warehouse.reading() as reading:
            yield reading
        return
    key = str(warehouse.path), identity
    if key not in files.readings:
        files.readings[key] = files.stack.enter_context(warehouse.reading())
    yield files.readings[key]
