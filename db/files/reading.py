"""Reading JSON of others, and making changes to our own last."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

from nasrank.db.errors import NasrankError
from nasrank.db.files.opening import read_if_there

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


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a file, or None where there is no file. Raises `NasrankError` for anything else.

    As in I-JSON (RFC 7493), it is UTF-8, and no object has a name twice.
    """
    try:
        content = read_if_there(path, MAX_JSON_BYTES)
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
