"""Opening files of others, and making changes to our own last."""

from __future__ import annotations

import io
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nasrank.db.errors import NasrankError


def sync(path: Path) -> None:
    """Wait until a file's content, or a folder's names after a rename, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def open_regular(path: Path) -> Iterator[io.BufferedReader]:
    """Opened for reading, if it is an ordinary file and no symbolic link."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise NasrankError(f"cannot read {str(path)!r}: {error.strerror or error}") from error
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NasrankError(f"{str(path)!r} is no ordinary file")
        yield file


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a file, or None where there is no file. Raises `NasrankError` for anything else."""
    try:
        content = json.loads(path.read_bytes(), parse_constant=_refuse_constant)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise NasrankError(
            f"{path} cannot be read: {error}; copy it anew, or delete the folder {path.parent} to start anew"
        ) from error
    if not isinstance(content, dict):
        raise NasrankError(f"{path} is not a JSON object; delete the folder {path.parent} to start anew")
    return content


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
