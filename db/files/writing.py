"""Files that are whole at any moment, a kill or a power cut included: nothing else writes and renames."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet

from nasrank.db.errors import NasrankError
from nasrank.db.files.reading import sync

TEMPORARY_SUFFIX: Final = ".tmp"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside `path` for the block to write; if the block ends well, that file takes its place.

    The name is this process's own: if several processes write `path`, one of their files is there in the end.
    If the block raises, the old file stays. An `OSError` of either is passed on.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}{TEMPORARY_SUFFIX}")
    try:
        yield temporary
        publish(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def publish(temporary: Path, path: Path) -> None:
    """Sync a file, rename it over `path`, and sync the folder that names it."""
    sync(temporary)
    temporary.replace(path)
    sync(path.parent)


def atomic_write(path: Path, content: bytes | memoryview) -> None:
    """Replace a file. Raises `NasrankError` if it cannot be written, as on a full disk; then it stays."""
    with _explained(path), replacing(path) as temporary:
        temporary.write_bytes(content)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Replace a file by an object, indented. NaN and infinity, which JSON does not have, raise ValueError."""
    atomic_write(path, (json.dumps(content, indent=2, allow_nan=False) + "\n").encode())


def write_parquet(path: Path, table: pa.Table) -> None:
    """Replace a file by a table; raises as `atomic_write`."""
    with _explained(path), replacing(path) as temporary:
        pyarrow.parquet.write_table(table, temporary)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise NasrankError(
            f"cannot write {path}: {error.strerror or error}; make room or permit it, then give the same "
            "command again"
        ) from error
