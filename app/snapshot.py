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
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow as pa
import streamlit as st

from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.reading import ALL_SETS, Parameter, Reading, named_in

# An answer has a few rows, or those of the whole search space, which take a thousand times as much.
_CACHE_SIZE: Final = "64MB"

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
    benchmark_sources: str | None = None
    """If given, only the benchmark is asked, and answers count for any file with these sources."""

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
        valid_for = self.identity if self.benchmark_sources is None else self.benchmark_sources
        bound = tuple(sorted(parameters.items()))
        return _query(str(self.path), valid_for, sql, bound, self.identity)

    def measured(
        self, evaluations: str, *questions: str, sets: str = ALL_SETS, **parameters: Parameter
    ) -> tuple[pd.DataFrame, ...]:
        """As `Reader.measured`."""
        bound = tuple(sorted(parameters.items()))
        return _measured(str(self.path), self.identity, (evaluations, sets), questions, bound)

    @property
    def benchmark(self) -> Snapshot:
        """For what no ingest of runs changes: answers from the benchmark alone outlive one."""
        sources = self.query(
            "SELECT source, sha256, importer_version, imported_at FROM benchmark_source ORDER BY ALL"
        )
        return replace(self, benchmark_sources=sources.to_csv())


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


@st.cache_data(max_entries=300, max_size=_CACHE_SIZE, show_spinner="Reading the warehouse …")
def _query(
    path: str, valid_for: Identity | str, sql: str, parameters: BoundParameters, _identity: Identity
) -> pd.DataFrame:
    # Streamlit leaves out of the key what begins with an underscore.
    with _unchanged(path, _identity) as reading:
        return reading.query(sql, **dict(parameters))


@st.cache_data(max_entries=300, max_size=_CACHE_SIZE, show_spinner="Reading the warehouse …")
def _measured(
    path: str,
    identity: Identity,
    measured: tuple[str, str],
    questions: tuple[str, ...],
    parameters: BoundParameters,
) -> tuple[pd.DataFrame, ...]:
    # Several questions are about the same metrics, whatever else they bind; metrics take longest.
    of_metrics = named_in(" ".join(measured), dict(parameters))
    metrics = _metrics(path, identity, *measured, tuple(of_metrics.items()))
    with _unchanged(path, identity) as reading:
        return reading.answers(metrics, *questions, **dict(parameters))


@st.cache_data(max_entries=30, max_size=_CACHE_SIZE, show_spinner="Measuring predictions …")
def _metrics(
    path: str, identity: Identity, evaluations: str, sets: str, parameters: BoundParameters
) -> pa.Table:
    with _unchanged(path, identity) as reading:
        return reading.metrics(evaluations, sets, **dict(parameters))


@contextmanager
def _unchanged(path: str, identity: Identity) -> Iterator[Reading]:
    """The file as `identity` names it; raises WarehouseReplacedError where it was replaced meanwhile."""
    warehouse = Warehouse(Path(path))
    with _opened(warehouse, identity) as reading:
        yield reading
    if warehouse.identity != identity:
        raise WarehouseReplacedError(path)


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
