"""Opening files of others: only regular ones, up to a size, and without waiting."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from nasrank.db.errors import NasrankError

_KINDS: Final[Mapping[str, Callable[[int], bool]]] = {
    "a folder": stat.S_ISDIR,
    "a FIFO": stat.S_ISFIFO,
    "a device": lambda mode: stat.S_ISCHR(mode) or stat.S_ISBLK(mode),
}


def open_regular(path: Path, limit: int, *, follow_links: bool = True) -> io.BufferedReader:
    """Open a regular file of at most `limit` bytes for reading.

    Whatever lies there, it returns at once: a FIFO that no one writes to would else be waited for.

    Raises:
        NasrankError: it is missing, not readable, no regular file, or larger.
    """
    shown = repr(str(path))
    try:
        links = 0 if follow_links else os.O_NOFOLLOW
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | links)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise NasrankError(f"cannot read {shown}: {getattr(error, 'strerror', None) or error}") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            kind = next((name for name, fits in _KINDS.items() if fits(status.st_mode)), "something else")
            raise NasrankError(f"cannot read {shown}: it is {kind}, and a regular file is needed")
        if status.st_size > limit:
            raise NasrankError(f"{shown} has {status.st_size:,} bytes; at most {limit:,} are read")
    except BaseException:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def read_regular(path: Path, limit: int, *, follow_links: bool = True) -> bytes:
    """The content of a regular file of at most `limit` bytes; raises as `open_regular`."""
    try:
        with open_regular(path, limit, follow_links=follow_links) as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise NasrankError(f"cannot read {str(path)!r}: {error.strerror or error}") from error
    if len(content) > limit:
        raise NasrankError(f"{str(path)!r} grows; at most {limit:,} bytes are read")
    return content
