"""Reading pickles from others without running what they ask for.

A pickle is a program: a hostile one imports any function and calls it while it loads. Here it may build
the types that need no import (None, bool, int, float, str, bytes, list, tuple, dict, set, frozenset)
and use the globals that the caller names, nothing else.
"""

from __future__ import annotations

import io
import pickle
import struct
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Final

from nasrank.db import errors
from nasrank.db.errors import NasrankError, in_a_line
from nasrank.db.files.opening import read_regular

MAX_BYTES: Final = 256 * 2**20

Globals = Mapping[tuple[str, str], object]
Persistent = Callable[[Any], object]


def load_pickle(
    file: BinaryIO | Path,
    *,
    allowed: Globals | None = None,
    encoding: str = "ASCII",
    max_bytes: int = MAX_BYTES,
    name: str | None = None,
) -> Any:
    """The object in a pickle file. One that refers to something outside of it is refused.

    `allowed` maps a global's `(module, name)` in the pickle to the object that stands for it, so that
    reading a pickle never imports anything. `encoding` is that of Python 2 strings, `"bytes"` to leave
    them as they are. `name` is how errors call the file, by default its own name.

    Raises `NasrankError` for any other global, for a truncated or damaged file, and for one of more than
    `max_bytes`. A pickle can still waste time and memory in proportion to what it builds.
    """
    shown = name if name is not None else _name_of(file)
    content = io.BytesIO(_read(file, max_bytes, shown))
    with _readable(shown):
        return _Unpickler(content, allowed or {}, encoding, shown).load()


def load_next(stream: BinaryIO, *, allowed: Globals, name: str) -> Any:
    """As `load_pickle`, the next of several pickles in a stream that the caller has limited."""
    with _readable(name):
        return _Unpickler(stream, allowed, "ASCII", name).load()


def load_limited(stream: BinaryIO, *, allowed: Globals, name: str, persistent: Persistent) -> Any:
    """As `load_pickle`, ten times faster, and only for a process whose memory and time are limited.

    It reads one pickle of the stream, which is buffered; `persistent` stands for what that has by reference.
    Hand it objects in `allowed` that were made for this call: a hostile pickle can set attributes of what
    Python allows to change.
    """
    with _readable(name):
        return _LimitedUnpickler(stream, allowed, name, persistent).load()


@contextmanager
def _readable(shown: str) -> Iterator[None]:
    try:
        # Any garbage may raise nearly any exception here, as the documentation of pickle warns.
        yield
    except NasrankError:
        raise
    except Exception as error:
        is_memory = isinstance(error, MemoryError)
        problem = "it asks for too much memory" if is_memory else in_a_line(error, 200)
        raise NasrankError(
            f"{shown} is not a readable pickle: {type(error).__name__}: {problem}; "
            "it may be truncated or of another format: fetch it again"
        ) from error


# The one in Python, not the faster one in C: that one allocates whatever size the file claims, and writes
# to it for a memo index, so that ten bytes can take 32 GiB.
#
# It is also ten times slower. `load_limited` has the fast one, for processes whose memory and time the
# operating system limits (`benchmarks/official/reader_process.py`): what a file claims ends in a MemoryError
# there.
class _Unpickler(pickle._Unpickler):
    dispatch: ClassVar = dict(pickle._Unpickler.dispatch)

    def __init__(self, stream: BinaryIO, allowed: Globals, encoding: str, shown: str) -> None:
        super().__init__(stream, encoding=encoding)
        self._allowed = allowed
        self._shown = shown

    def load_bytearray8(self) -> None:
        # Python's own fills as much memory as is claimed before the file is seen to be shorter.
        (length,) = struct.unpack("<Q", self.read(8))  # type: ignore[attr-defined]
        if length > sys.maxsize:
            raise pickle.UnpicklingError(f"a bytearray of {length} bytes")
        self.append(bytearray(self.read(length)))  # type: ignore[attr-defined]

    dispatch[pickle.BYTEARRAY8[0]] = load_bytearray8  # type: ignore[assignment]

    def find_class(self, module: str, name: str) -> Any:
        return _find_class(module, name, self._allowed, self._shown)

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError("it refers to something outside of it")

    def get_extension(self, code: int) -> None:
        # Would otherwise hand out objects that this process registered, without asking find_class.
        raise NasrankError(f"{self._shown} asks for the copyreg extension {code}, which is refused")


class _LimitedUnpickler(pickle.Unpickler):
    def __init__(self, stream: BinaryIO, allowed: Globals, shown: str, keep: Persistent) -> None:
        super().__init__(stream)
        self._allowed = allowed
        self._shown = shown
        self._keep = keep

    def find_class(self, module: str, name: str) -> Any:
        return _find_class(module, name, self._allowed, self._shown)

    def persistent_load(self, pid: Any) -> Any:
        return self._keep(pid)


def _find_class(module: str, name: str, allowed: Globals, shown: str) -> Any:
    try:
        return allowed[module, name]
    except KeyError:
        names = ", ".join(f"{module}.{name}" for module, name in allowed)
        wanted = errors.shown(f"{module}.{name}")
        others = f" and {names}" if names else ""
        raise NasrankError(
            f"{shown} asks for {wanted}, which is refused; only built-in types{others} are "
            "allowed: use this file only if you trust its source, and convert it there"
        ) from None


def _read(file: BinaryIO | Path, max_bytes: int, shown: str) -> bytes:
    if isinstance(file, Path):
        return read_regular(file, max_bytes)
    try:
        content = file.read(max_bytes + 1)
    except OSError as error:
        raise NasrankError(f"cannot read {shown}: {error.strerror or error}") from error
    if len(content) > max_bytes:
        raise NasrankError(f"{shown} has more than the {max_bytes:,} bytes that are read of a pickle")
    return content


def _name_of(file: BinaryIO | Path) -> str:
    return repr(str(file)) if isinstance(file, Path) else repr(getattr(file, "name", "the pickle"))
