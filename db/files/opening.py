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
    "a socket": stat.S_ISSOCK,
    "a device": lambda mode: stat.S_ISCHR(mode) or stat.S_ISBLK(mode),
    "a symbolic link": stat.S_ISLNK,
}


def open_regular(path: Path, limit: int | None, *, follow_links: bool = True) -> io.BufferedReader:
    """Open a regular file of at most `limit` bytes (None: of any size) for reading.

    Whatever lies there, it returns at once: a FIFO that no one writes to would else be waited for. It opens
    no device, which could do something.

    Raises:
        NasrankError: it is missing, not readable, no regular file, or larger.
    """
    links = 0 if follow_links else os.O_NOFOLLOW
    try:
        _refuse_other_kinds(path, path.stat(follow_symlinks=follow_links))
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | links)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise _unreadable(path, error) from error
    file = os.fdopen(descriptor, "rb")
    try:
        status = os.fstat(descriptor)
        _refuse_other_kinds(path, status)  # it may be another one since
        if limit is not None and status.st_size > limit:
            raise NasrankError(
                f"cannot read {str(path)!r}: it has {status.st_size:,} bytes, and at most {limit:,} are read"
            )
    except BaseException:
        file.close()
        raise
    return file


def read_regular(path: Path, limit: int, *, follow_links: bool = True) -> bytes:
    """The content of a regular file of at most `limit` bytes; raises as `open_regular`."""
    try:
        with open_regular(path, limit, follow_links=follow_links) as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise _unreadable(path, error) from error
    if len(content) > limit:
        raise NasrankError(f"cannot read {str(path)!r}: it grows, and at most {limit:,} bytes are read")
    return content


def read_if_there(path: Path, limit: int) -> bytes | None:
    """`read_regular`, or None where nothing has that name; a link to nothing is something."""
    if not os.path.lexists(path):
        return None
    try:
        return read_regular(path, limit)
    except NasrankError as error:
        if isinstance(error.__cause__, FileNotFoundError) and not os.path.lexists(path):
            return None  # deleted meanwhile
        raise


def _refuse_other_kinds(path: Path, status: os.stat_result) -> None:
    mode = status.st_mode
    if not stat.S_ISREG(mode):
        kind = next((name for name, fits in _KINDS.items() if fits(mode)), "something else")
        raise NasrankError(f"cannot read {str(path)!r}: it is {kind}, and a regular file is needed")


def _unreadable(path: Path, error: OSError | ValueError) -> NasrankError:
    return NasrankError(f"cannot read {str(path)!r}: {getattr(error, 'strerror', None) or error}")
