"""Opening files of others, and making changes to our own last."""

from __future__ import annotations

import io
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from nasrank.db.errors import NasrankError

MAX_JSON_BYTES: Final = 8 * 2**20
MAX_JSON_DEPTH: Final = 100
_TOO_DEEP: Final = f"more than {MAX_JSON_DEPTH} lists and objects stand in each other"


def sync(path: Path) -> None:
    """Wait until a file's content, or a folder's names after a rename, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def open_regular(path: Path, *, through_links: bool = False) -> Iterator[io.BufferedReader]:
    """Opened for reading if it is an ordinary file, or a link to one where links are followed.

    This never blocks, and opens no device.
    """
    try:
        if through_links and not stat.S_ISREG(path.stat().st_mode):
            raise NasrankError(f"cannot read {str(path)!r}: it is no ordinary file")
        no_link = 0 if through_links else os.O_NOFOLLOW
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | no_link)
    except OSError as error:
        raise NasrankError(f"cannot read {str(path)!r}: {error.strerror or error}") from error
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NasrankError(f"cannot read {str(path)!r}: it is no ordinary file")
        yield file


def read_regular(path: Path, most: int) -> bytes | None:
    """What an ordinary file holds, or one behind a link; None where there is nothing of that name.

    Raises `NasrankError` for anything else in its place, such as a FIFO, and for more than `most` bytes.
    """
    try:
        with open_regular(path, through_links=True) as file:
            size = os.fstat(file.fileno()).st_size
            content = file.read(most + 1) if size <= most else b""
    except NasrankError as error:
        if isinstance(error.__cause__, FileNotFoundError) and not path.is_symlink():
            return None
        raise
    except OSError as error:
        raise NasrankError(f"cannot read {str(path)!r}: {error.strerror or error}") from error
    if max(size, len(content)) > most:
        raise NasrankError(f"cannot read {str(path)!r}: it has more than {most:,} bytes")
    return content


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a file, or None where there is no file. Raises `NasrankError` for anything else.

    As in I-JSON (RFC 7493), it is UTF-8, and no object has a name twice.
    """
    try:
        content = read_regular(path, MAX_JSON_BYTES)
        if content is None:
            return None
        value = parse_json(content)
    except NasrankError as error:
        raise NasrankError(
            f"{error}; copy it anew, or delete the folder {path.parent} to start anew"
        ) from error
    except ValueError as error:
        raise NasrankError(
            f"{path} cannot be read: {error}; copy it anew, or delete the folder {path.parent} to start anew"
        ) from error
    if not isinstance(value, dict):
        raise NasrankError(f"{path} is not a JSON object; delete the folder {path.parent} to start anew")
    return value


def parse_json(content: bytes) -> Any:
    """A value, as `read_json` reads it. Raises ValueError for what is none."""
    text = content.decode("utf-8")
    try:
        value = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_without_repetition)
    except RecursionError as error:
        raise ValueError(_TOO_DEEP) from error
    _check_depth(value)
    return value


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_JSON_DEPTH):
        level = [
            inner
            for item in level
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return
    raise ValueError(_TOO_DEEP)


def _without_repetition(members: list[tuple[str, Any]]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for name, value in members:
        if name in content:
            raise ValueError(f"an object has the name {name[:60]!r} twice")
        content[name] = value
    return content


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
