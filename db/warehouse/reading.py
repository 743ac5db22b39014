"""Reading the warehouse's open file: queries, within limits, whose failures are one line."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import duckdb
import pyarrow as pa

from nasrank.db.errors import NasrankError, in_a_line
from nasrank.db.metrics.relations import registered
from nasrank.db.warehouse.catalogue import MACROS, RELATIONS
from nasrank.db.warehouse.view_texts import view_names

if TYPE_CHECKING:  # half a second, which most commands need not wait for
    import pandas as pd

# By `?` or by `$name`.
Parameters = Sequence[Any] | Mapping[str, Any]

# What a query binds to a `$name`; DuckDB gets a tuple as a LIST.
Parameter = str | int | float | tuple[str, ...] | tuple[int, ...] | tuple[float, ...]

# Statements that set something, and can fail when the connection closes, past every handler.
_SETTINGS: Final = (duckdb.StatementType.CALL, duckdb.StatementType.PRAGMA)
# Rows that DuckDB hands over at once: its own vectors are as long.
_BATCH_ROWS: Final = 2048


# The names of all architecture sets.
ALL_SETS: Final = "SELECT architecture_set FROM set_definition"


class Reader(Protocol):
    """Who answers queries from one state of a warehouse: `Reading`, or what keeps its answers."""

    def query(self, sql: str, /, **parameters: Parameter) -> pd.DataFrame:
        """The rows of `sql`, with `parameters` bound to its `$name`s."""

    def measured(
        self, evaluations: str, *questions: str, sets: str = ALL_SETS, **parameters: Parameter
    ) -> tuple[pd.DataFrame, ...]:
        """The answers to `questions` about `measured`: rows like run_metric of the query `evaluations`.

        Under keys that nothing is stored for, `measured` is computed once, in a tenth of the view's time.
        `evaluations` gives rows like those of evaluation_key, `sets` the names of the architecture sets;
        `parameters` are bound to the `$name`s of any of them.
        """


@dataclass(frozen=True, slots=True)
class Limits:
    """What a query may use, and `first_rows` may answer: for consoles, where anyone's SQL runs.

    DuckDB keeps to `seconds` and `memory` in most statements, not in all; `db.console` makes it.
    """

    seconds: float | None = None
    memory: str | None = None
    """As DuckDB writes it, such as 1 GB."""
    process_bytes: int | None = None
    """Of the process of a console, above what it has when it begins: also what DuckDB does not count."""
    threads: int | None = None
    rows: int | None = None
    result_bytes: int | None = None
    """Of the answer in Arrow's format."""


NO_LIMITS: Final = Limits()


class QueryError(NasrankError):
    """A statement failed; `excerpt` is the part of it that DuckDB points at, empty where it names none."""

    def __init__(self, message: str, excerpt: str = "") -> None:
        super().__init__(message)
        self.excerpt = excerpt


@dataclass(frozen=True, slots=True)
class Answer:
    """The first rows of a query; `is_cut`: there are more; `hints`: why there may be none."""

    rows: pa.Table
    is_cut: bool
    hints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """A warehouse's open file: all its answers come from one state of it.

    Every method raises NasrankError where the statement is wrong, writes, or goes past a limit.
    """

    path: Path
    connection: duckdb.DuckDBPyConnection
    limits: Limits = NO_LIMITS

    def query(self, sql: str, /, **parameters: Parameter) -> pd.DataFrame:
        """The rows of one statement, with `parameters` bound to its `$name`s."""
        return self.data_frame(sql, parameters)

    def measured(
        self, evaluations: str, *questions: str, sets: str = ALL_SETS, **parameters: Parameter
    ) -> tuple[pd.DataFrame, ...]:
        """As `Reader.measured`."""
        return self.answers(self.metrics(evaluations, sets, **parameters), *questions, **parameters)

    def metrics(self, evaluations: str, sets: str, **parameters: Parameter) -> pa.Table:
        """What `measured` asks its questions about."""
        # NumPy takes a tenth of a second, which most commands need not wait for.
        from nasrank.db.metrics.run_metrics import run_metrics

        names = self.arrow(sets, named_in(sets, parameters)).column(0).to_pylist()
        pairs = self.arrow(evaluations, named_in(evaluations, parameters))
        with self.naming_lacking_views(), self._within_limits():
            return run_metrics(self.connection, pairs, names)

    def answers(
        self, measured: pa.Table, *questions: str, **parameters: Parameter
    ) -> tuple[pd.DataFrame, ...]:
        """The answers to questions about `measured`, which `metrics` gave."""
        with registered(self.connection, "measured", measured):
            return tuple(self.query(question, **named_in(question, parameters)) for question in questions)

    def data_frame(self, sql: str, parameters: Parameters = ()) -> pd.DataFrame:
        """The rows of one statement; `parameters` are bound to its `?` or `$name`."""
        with self.naming_lacking_views(), self._within_limits():
            return self.connection.execute(sql, parameters).df()

    def arrow(self, sql: str, parameters: Parameters = ()) -> pa.Table:
        """As `data_frame`, with DuckDB's exact types and NULLs."""
        with self.naming_lacking_views(), self._within_limits():
            return self.connection.execute(sql, parameters).to_arrow_table()

    def first_rows(self, sql: str) -> Answer:
        """As many rows as the limits allow, without computing those after them.

        Raises:
            QueryError: as the others, and where not even the first row is small enough.
        """
        with self.naming_lacking_views(), self._within_limits():
            statements = self.connection.extract_statements(sql)
            if any(statement.type in _SETTINGS for statement in statements):
                raise QueryError(
                    "only queries are answered, and CALL and PRAGMA may set something; for CALL f(…) write "
                    "SELECT * FROM f(…)"
                )
            if not statements:
                raise QueryError(
                    "there is no statement in what was given; write one, such as SELECT * FROM mask"
                )
            reader = self.connection.execute(sql).to_arrow_reader(_BATCH_ROWS)
            batches: list[pa.RecordBatch] = []
            rows = size = 0
            for batch in reader:
                kept = _head(batch, self.limits, rows, size)
                batches.append(kept)
                rows, size = rows + kept.num_rows, size + kept.nbytes
                if kept.num_rows < batch.num_rows:
                    if not rows and self.limits.rows != 0:
                        raise QueryError(
                            f"the first row has more than the {self.limits.result_bytes:,} bytes that are "
                            "shown; select less, for example with left(…, 1000)"
                        )
                    return Answer(pa.Table.from_batches(batches, reader.schema), is_cut=True)
            return Answer(pa.Table.from_batches(batches, reader.schema), is_cut=False)

    @contextmanager
    def naming_lacking_views(self) -> Iterator[None]:
        """If a query fails because an earlier version made the file without a view, say what to do."""
        try:
            yield
        except (duckdb.CatalogException, QueryError) as error:
            if lacking := _lacking_views(self.connection, error):
                raise QueryError(
                    f"{self.path} was made by an earlier nasrank, which had no {', '.join(lacking)}; add "
                    "what is missing with `nasrank-train init`"
                ) from error
            raise

    @contextmanager
    def _within_limits(self) -> Iterator[None]:
        """Interrupts the connection when its time is over, and puts DuckDB's complaints in one line."""
        timer = (
            threading.Timer(self.limits.seconds, self.connection.interrupt) if self.limits.seconds else None
        )
        try:
            if timer:
                timer.start()
            yield
        except duckdb.InterruptException as error:
            raise QueryError(out_of_time(self.limits)) from error
        except (duckdb.OutOfMemoryException, MemoryError) as error:
            raise QueryError(out_of_memory(self.limits)) from error
        except duckdb.Error as error:
            raise QueryError(f"the query failed: {in_one_line(error)}", _excerpt(error)) from error
        except (OSError, pa.ArrowException) as error:  # a type that Arrow has not, such as VARIANT
            raise QueryError(
                f"the query failed: {in_a_line(error, 300)}; cast it to VARCHAR or JSON"
            ) from error
        finally:
            if timer:
                timer.cancel()


def named_in(sql: str, parameters: Mapping[str, Parameter]) -> dict[str, Parameter]:
    """Those that a statement names: DuckDB refuses others."""
    names = set(re.findall(r"\$(\w+)", sql))
    return {name: value for name, value in parameters.items() if name in names}


def _lacking_views(connection: duckdb.DuckDBPyConnection, error: Exception) -> list[str]:
    """The views and macros that a query failed for, because an earlier version made the file without them."""
    cause = error.__cause__ if isinstance(error, QueryError) else error
    if not isinstance(cause, duckdb.CatalogException):
        return []
    known = {name for _, name, _ in connection.execute(RELATIONS).fetchall()}
    known |= {name for name, *_ in connection.execute(MACROS).fetchall()}
    return sorted((view_names() - known) & set(re.findall(r"\w+", str(cause))))


def out_of_time(limits: Limits) -> str:
    """What a query is told that took too long."""
    return f"the query ran longer than {limits.seconds} seconds; narrow it, for example with WHERE"


def out_of_memory(limits: Limits) -> str:
    """What a query is told that took too much."""
    memory = f"more memory than {limits.memory}" if limits.memory else "more memory than there is"
    return f"the query needs {memory}; narrow it, for example with WHERE"


def _head(batch: pa.RecordBatch, limits: Limits, rows: int, size: int) -> pa.RecordBatch:
    """The first rows of `batch` that still fit the limits, after `rows` that have `size` bytes."""
    if limits.rows is not None:
        batch = batch.slice(0, max(limits.rows - rows, 0))
    if limits.result_bytes is not None:
        while batch.num_rows and size + batch.nbytes > limits.result_bytes:
            batch = batch.slice(0, batch.num_rows // 2)
    return batch


def in_one_line(error: BaseException | None) -> str:
    """What DuckDB complains of, without the excerpt of the statement that follows after an empty line."""
    return " ".join(str(error).partition("\n\n")[0].split())


def _excerpt(error: BaseException) -> str:
    """The lines `LINE 2: …` and the mark below them, with which DuckDB shows where it stumbled."""
    return str(error).partition("\n\n")[2] if "\nLINE " in str(error) else ""
