"""Files that are whole at any moment, a kill or a power cut included."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from nasrank.db.errors import NasrankError
from nasrank.db.files.reading import sync

TEMPORARY_SUFFIX = ".tmp"


def atomic_write(path: Path, content: bytes | memoryview) -> None:
    """Write to a temporary name beside `path`, sync, rename: `path` is the old file or the new one, whole.

    One process at a time may write a path. Raises `NasrankError` if it cannot be written, such as on a
    full disk; then the old file stays.
    """
    temporary = path.with_name(path.name + TEMPORARY_SUFFIX)
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync(path.parent)
    except OSError as error:
        raise NasrankError(
            f"cannot write {path}: {error.strerror}; make room or permit it, then give the same command again"
        ) from error


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write an object, indented. NaN and infinity, which JSON does not have, raise ValueError."""
    atomic_write(path, (json.dumps(content, indent=2, allow_nan=False) + "\n").encode())
