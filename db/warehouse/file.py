"""The DuckDB file: the only place that opens it, reads it, replaces it, and knows its limits.

DuckDB lets one process write a file or many read it. So the published file is only ever read or
replaced: a writer takes a lock, copies the published file, changes the copy in one transaction, checks
it, syncs it to disk, and renames it over the published file. Readers never block the writer, the writer
never blocks readers, and a kill at any moment leaves the old or the new file, whole.

A rename would put a file in a symbolic link's place, so a writer works where the link leads: all names of
a file share it and its lock. Nothing leads from one hard link to another: a file with several is not written.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb
import filelock
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine.default import DefaultDialect

from nasrank.db.errors import NasrankError, nearest
from nasrank.db.files.reading import sync
from nasrank.db.files.writing import publish
from nasrank.db.metrics.relations import registered
from nasrank.db.warehouse.models import SCHEMA_REVISION, ViewText
from nasrank.db.warehouse.reading import NO_LIMITS, Answer, Limits, Parameters, Reading, in_one_line
from nasrank.db.warehouse.view_texts import view_statements

if TYPE_CHECKING:  # half a second, which most commands need not wait for
    import pandas as pd

# How long a writer waits for another one, in seconds.
LOCK_TIMEOUT: Final = 600.0

# Else DuckDB draws one on standard output under `python -c` and in notebooks, amid what a command says there.
_NO_PROGRESS_BAR: Final = "SET enable_progress_bar = false"

# What must hold in every published file; each query returns the rows that break it.
INTEGRITY_CHECKS: Final[Mapping[str, str]] = {
    "predictions of unknown runs": "SELECT run_id FROM evaluation ANTI JOIN run USING (run_id)",
    "epochs of unknown runs": "SELECT run_id FROM epoch_metric ANTI JOIN run USING (run_id)",
    "files of unknown runs": "SELECT run_id FROM prediction_source ANTI JOIN run USING (run_id)",
    "ground truth of unknown sources": """
        SELECT DISTINCT source FROM benchmark_result ANTI JOIN benchmark_source USING (source)""",
    "costs of unknown sources": """
        SELECT DISTINCT source FROM benchmark_cost ANTI JOIN benchmark_source USING (source)""",
    # An evaluation counts architectures; this is faster than looking for a second prediction of each.
    "repeated predictions": """
        SELECT count(*) FROM prediction
        HAVING count(*) <> (SELECT coalesce(sum(predictions), 0) FROM evaluation)""",
    # A bit for each architecture takes far less memory than count(DISTINCT arch_id).
    "repeated ground truth": """
        SELECT source, dataset, split, epochs, epoch, trial FROM benchmark_result
        GROUP BY ALL
        HAVING count(*) > bit_count(bitstring_agg(arch_id, CAST(0 AS SMALLINT), CAST(15624 AS SMALLINT)))""",
}


class RefusedRowsError(NasrankError):
    """The database is well, and refused the rows that it was given. Nothing was changed."""


class NothingToWrite(Exception):  # noqa: N818 - no error, but the end of a block
    """Raised in a block or step that has nothing to write: the file stays, and it is passed on."""


@dataclass(frozen=True, slots=True)
class Created:
    """What `Warehouse.create` did: made a new file, or upgraded one, which is kept as `backup`."""

    is_new: bool
    upgraded_from: str | None
    backup: Path | None


@dataclass(frozen=True, slots=True)
class Warehouse:
    """The published file at `path`.

    Raises NasrankError from every method where the file is missing, is not a warehouse, or has another
    schema revision than this version of nasrank.
    """

    path: Path

    @property
    def file(self) -> Path:
        """Where the file itself lies, and beside it its lock: `path` without symbolic links."""
        try:
            file = Path(os.path.realpath(self.path))
            str(file).encode()  # DuckDB takes no other path
        except ValueError as error:
            raise NasrankError(f"{str(self.path)!r} cannot be a warehouse's path: {error}") from error
        if os.path.islink(file):  # noqa: PTH114 - Path.is_symlink raises for names that are too long
            raise NasrankError(f"{self.path} is a link that leads back to itself; name another path")
        return file

    @contextmanager
    def reading(self, limits: Limits = NO_LIMITS) -> Iterator[Reading]:
        """The file, open, read-only, and able to reach nothing but itself."""
        with self._attached(limits) as connection:
            _refuse_other_revision(self.path, _revision(connection))
            yield Reading(self.path, connection, limits)

    @contextmanager
    def read(self, limits: Limits = NO_LIMITS) -> Iterator[duckdb.DuckDBPyConnection]:
        """DuckDB's own connection to it."""
        with self.reading(limits) as reading, reading.naming_lacking_views():
            yield reading.connection

    def query(self, sql: str, parameters: Parameters = (), limits: Limits = NO_LIMITS) -> pd.DataFrame:
        """The rows of one read-only statement; `parameters` are bound to its `?` or `$name`.

        Raises:
            NasrankError: the statement is wrong, writes, or goes past a limit.
        """
        with self.reading(limits) as reading:
            return reading.data_frame(sql, parameters)

    def query_arrow(self, sql: str, parameters: Parameters = (), limits: Limits = NO_LIMITS) -> pa.Table:
        """As `query`, with DuckDB's exact types and NULLs."""
        with self.reading(limits) as reading:
            return reading.arrow(sql, parameters)

    def first_rows(self, sql: str, limits: Limits) -> Answer:
        """As `query_arrow`, as many rows as the limits allow; see `Reading.first_rows`."""
        with self.reading(limits) as reading:
            return reading.first_rows(sql)

    def view(self, name: str, gt_key: str | None = None) -> pa.Table:
        """All rows of a view or table, or those under one ground-truth key.

        Raises:
            NasrankError: there is no view or table of this name, or it has no `gt_key`.
        """
        with self.read() as connection:
            known = connection.execute(
                """SELECT table_name, list_contains(list(column_name), 'gt_key') FROM duckdb_columns()
                WHERE NOT internal AND database_name = current_database() GROUP BY ALL ORDER BY ALL"""
            ).fetchall()
            has_key = dict(known)
            if name not in has_key:
                raise NasrankError(
                    f"no view or table {name!r}{nearest(name, has_key)}; there are {', '.join(has_key)}"
                )
            rows = connection.table(name)
            if gt_key is not None:
                if not has_key[name]:
                    raise NasrankError(f"{name} is not measured under a ground-truth key; leave the key out")
                rows = rows.filter(duckdb.ColumnExpression("gt_key") == duckdb.ConstantExpression(gt_key))
            return rows.to_arrow_table()

    @property
    def identity(self) -> tuple[int, int, int]:
        """Changes whenever the file is replaced: a key for caches."""
        self._refuse_missing()
        status = self.path.stat()
        return status.st_ino, status.st_mtime_ns, status.st_size

    @contextmanager
    def write(self, on_wait: Callable[[], None] = lambda: None) -> Iterator[sa.Connection]:
        """One transaction on a copy of the file, published when the block ends without an exception.

        `on_wait` is called once where another process holds the lock. Raises `RefusedRowsError` for rows that
        the database, or a check of the whole, does not take.
        """
        self._refuse_missing()
        with self._replaced(on_wait) as (file, copy):
            with self.read():
                shutil.copy(file, copy)
            with _transaction(copy) as connection:
                _renew_views(connection)
                yield connection
                _check_integrity(connection)
            _publish(copy, file)

    def write_in_steps(
        self,
        steps: Sequence[Callable[[sa.Connection], None]],
        on_wait: Callable[[], None] = lambda: None,
    ) -> None:
        """As `write`, each step in a transaction of its own; what is published is after the last one.

        DuckDB cannot delete rows and those that they refer to in one transaction.
        """
        self._refuse_missing()
        with self._replaced(on_wait) as (file, copy):
            with self.read():
                shutil.copy(file, copy)
            for step in steps:
                with _transaction(copy) as connection:
                    _renew_views(connection)
                    step(connection)
                    _check_integrity(connection)
            _publish(copy, file)

    def create(self, seed: Callable[[sa.Connection], None]) -> Created:
        """Make the file, or bring its tables and views up to this version.

        `seed` fills what the tables lack, and what is derived. The file of an older revision stays
        beside the new one.
        """
        with self._replaced() as (file, copy):
            is_new = not file.exists()
            before = None
            if not is_new:
                with self._attached() as published:
                    before = _revision(published)
                    if before is None or before > SCHEMA_REVISION:
                        _refuse_other_revision(self.path, before)
                    shutil.copy(file, copy)
            with _transaction(copy) as connection:
                _upgrade(connection)
                create_views(connection)
            # In a transaction of its own: DuckDB 1.5 does not show rows that are inserted into a table
            # which the same transaction renamed.
            with _transaction(copy) as connection:
                seed(connection)
                _check_integrity(connection)
            backup = None
            if before is not None and before != SCHEMA_REVISION:
                backup = _free_backup_path(file, before)
                shutil.copy(file, backup)
                sync(backup)
            _publish(copy, file)
        return Created(is_new, before if backup else None, backup)

    def _refuse_missing(self) -> None:
        if not os.path.isfile(self.path):  # noqa: PTH113 - Path.is_file raises for names that are too long
            raise NasrankError(
                f"no warehouse at {self.path}; make one with `nasrank-train init`, or name another with "
                "--warehouse or NASRANK_WAREHOUSE"
            )
        for log in (_wal(self.path), _wal(self.file)):  # DuckDB's is beside the name that was opened
            if log.exists():
                raise NasrankError(
                    f"{self.path} was opened for writing by another program, which left {log}; "
                    "close that program, or open the file with duckdb once to recover it"
                )

    @contextmanager
    def _attached(self, limits: Limits = NO_LIMITS) -> Iterator[duckdb.DuckDBPyConnection]:
        """As `read`, for any schema revision.

        Each connection is a DuckDB of its own with the file attached: within one process, DuckDB answers a
        second open of a path from the first, also after the file was replaced.
        """
        self._refuse_missing()
        config: dict[str, str | bool | int | float | list[str]] = {}
        if limits.memory is not None:
            config["memory_limit"] = limits.memory
            config["temp_directory"] = ""  # else the disk takes what memory does not
        if limits.threads is not None:
            config["threads"] = limits.threads
        try:
            opened = duckdb.connect(":memory:", config=config)
        except duckdb.Error as error:
            raise NasrankError(f"DuckDB refuses the limits {config}: {in_one_line(error)}") from error
        with opened as connection:
            try:
                connection.execute(_attach(self.file))
            except duckdb.Error as error:
                raise NasrankError(f"{self.path} cannot be opened: {in_one_line(error)}") from error
            connection.execute("USE warehouse")
            connection.execute(_NO_PROGRESS_BAR)
            connection.execute("SET enable_external_access = false")
            if limits.memory is not None:
                # DuckDB still lets a query read the attached file, which has rows in it that were removed.
                connection.execute("SET disabled_filesystems = 'LocalFileSystem'")
            connection.execute("SET lock_configuration = true")
            yield connection

    @contextmanager
    def _replaced(self, on_wait: Callable[[], None] = lambda: None) -> Iterator[tuple[Path, Path]]:
        """The file, locked, and the path for a copy that may take its place."""
        file = self.file
        with self._lock(file, on_wait):
            if file.exists() and (names := file.stat().st_nlink) > 1:
                raise NasrankError(
                    f"{self.path} has {names} names (hard links): a new version would reach only this one, "
                    "and nothing was changed; remove the others, or copy the file and name the copy"
                )
            with self._working_copy(file) as copy:
                yield file, copy

    @contextmanager
    def _lock(self, file: Path, on_wait: Callable[[], None]) -> Iterator[None]:
        """Held by one writer at a time. An operating system's lock: it dies with its process."""
        path = file.with_name(file.name + ".lock")
        lock = filelock.FileLock(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire(timeout=0)
            except filelock.Timeout:
                on_wait()
                lock.acquire(timeout=LOCK_TIMEOUT)
        except filelock.Timeout as error:
            raise NasrankError(
                f"another process has been writing to {self.path} for {LOCK_TIMEOUT:.0f} seconds; "
                "nothing was changed; try again when it has ended"
            ) from error
        except OSError as error:
            raise _not_changed(self.path, error) from error
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _working_copy(self, file: Path) -> Iterator[Path]:
        """The path for a copy beside the file. What a killed writer left there is removed first."""
        copy = file.with_name(file.name + ".working")
        _discard(copy)
        try:
            yield copy
        except (OSError, duckdb.Error, sa.exc.DBAPIError) as error:
            raise _not_changed(self.path, error) from error
        finally:
            _discard(copy)


def open_warehouse(path: Path | str) -> Warehouse:
    """The warehouse at `path`; `open_warehouse(path).query(sql)` returns a DataFrame."""
    return Warehouse(Path(path))


def insert_arrow(
    connection: sa.Connection,
    sql: str,
    rows: pa.Table | pa.RecordBatchReader,
    parameters: Parameters = (),
) -> None:
    """Run a constant INSERT that selects from `arrow_rows`, which are the Arrow rows `rows`."""
    duck = native(connection)
    with registered(duck, "arrow_rows", rows):
        duck.execute(sql, parameters)


def create_views(connection: sa.Connection) -> None:
    """Make all views and macros from `db/views`: they hold no data, so a new version simply replaces them."""
    for sql in view_statements():
        native(connection).execute(sql)
    connection.execute(sa.delete(ViewText))
    connection.execute(sa.insert(ViewText).values(sha256=_view_text_sha256()))


def _renew_views(connection: sa.Connection) -> None:
    """`create_views` where another version of nasrank made those of the file: it takes half a second."""
    if connection.scalar(sa.select(ViewText.sha256)) != _view_text_sha256():
        create_views(connection)


def _view_text_sha256() -> str:
    return hashlib.sha256("\n".join(view_statements()).encode()).hexdigest()


def native(connection: sa.Connection) -> Any:
    """DuckDB's own connection below SQLAlchemy's, in the same transaction."""
    return connection.connection.dbapi_connection


@contextmanager
def _transaction(path: Path) -> Iterator[sa.Connection]:
    """A transaction on a file that no one else opens; on success its log is folded into the file."""
    url = sa.URL.create("duckdb", database=str(path))
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool, pool_reset_on_return=None)
    try:
        with engine.connect() as connection:
            with connection.begin():
                connection.exec_driver_sql(_NO_PROGRESS_BAR)
                yield connection
            native(connection).execute("CHECKPOINT")
    finally:
        engine.dispose()


def _upgrade(connection: sa.Connection) -> None:
    """Run the Alembic revisions that the file lacks, within the transaction of `connection`."""
    import alembic.command
    import alembic.config

    config = alembic.config.Config()
    config.set_main_option("script_location", str(resources.files("nasrank.migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    alembic.command.upgrade(config, SCHEMA_REVISION)


def _revision(connection: duckdb.DuckDBPyConnection) -> str | None:
    """The schema revision, or None where the file has none."""
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except duckdb.CatalogException:
        return None
    return None if row is None else str(row[0])


def _refuse_other_revision(path: Path, revision: str | None) -> None:
    if revision == SCHEMA_REVISION:
        return
    if revision is None:
        raise NasrankError(
            f"{path} is a DuckDB file, but not a nasrank warehouse; name another one with --warehouse"
        )
    if revision < SCHEMA_REVISION:
        raise NasrankError(
            f"{path} has schema {revision}, older than this nasrank's {SCHEMA_REVISION}; "
            "upgrade it with `nasrank-train init`"
        )
    raise NasrankError(
        f"{path} has schema {revision}, newer than this nasrank's {SCHEMA_REVISION}; "
        "upgrade nasrank with `pip install --upgrade nasrank`"
    )


def _check_integrity(connection: sa.Connection) -> None:
    for name, sql in INTEGRITY_CHECKS.items():
        row = native(connection).execute(sql).fetchone()
        if row is not None:
            raise RefusedRowsError(f"refused to publish a warehouse with {name}: {row}; nothing was changed")


def _publish(copy: Path, path: Path) -> None:
    """Sync the copy, rename it over the published file, and sync the folder that names it."""
    if _wal(copy).exists():
        raise RuntimeError(f"{_wal(copy)} holds changes that are not in the file")
    publish(copy, path)


def _free_backup_path(path: Path, revision: str) -> Path:
    """Beside the file, such as nasrank.schema-0001.duckdb; numbered where that exists."""
    backup = path.with_name(f"{path.stem}.schema-{revision}{path.suffix}")
    number = 1
    while backup.exists():
        number += 1
        backup = path.with_name(f"{path.stem}.schema-{revision}-{number}{path.suffix}")
    return backup


def _discard(copy: Path) -> None:
    copy.unlink(missing_ok=True)
    _wal(copy).unlink(missing_ok=True)


def _wal(path: Path) -> Path:
    return path.with_name(path.name + ".wal")


def _attach(file: Path) -> str:
    """ATTACH takes no bound parameter, so the path is written as a literal by SQLAlchemy."""
    path_literal = sa.literal(str(file)).compile(
        dialect=DefaultDialect(), compile_kwargs={"literal_binds": True}
    )
    return f"ATTACH {path_literal} AS warehouse (READ_ONLY)"


def _not_changed(path: Path, error: Exception) -> NasrankError:
    if isinstance(error, OSError) and error.filename:
        return NasrankError(
            f"{path} was not changed: cannot write {error.filename}: {error.strerror}; make room or permit "
            "it, then give the same command again"
        )
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    # An OperationalError is of the disk, the memory or the file.
    is_of_rows = isinstance(cause, duckdb.Error) and not isinstance(cause, duckdb.OperationalError)
    kind = RefusedRowsError if is_of_rows else NasrankError
    return kind(f"{path} was not changed: {in_one_line(cause)}")
