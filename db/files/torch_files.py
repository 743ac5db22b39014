"""What PyTorch saved, without PyTorch and without running anything: everything but the numbers of tensors.

`torch.save` writes pickles in which a tensor's numbers are a reference. Since 1.6 the pickle is `data.pkl` in
a ZIP file; before, it is the fourth of several that follow each other in the file, after a magic number, a
version and a description of the machine. What comes after it are the tensors' numbers.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Final

from nasrank.db.errors import NasrankError, in_a_line

_MAGIC_NUMBER: Final = 0x1950A86A20F9469CFC6C
_ZIP: Final = b"PK\x03\x04"
# Loads the next pickle of a stream.
LoadPickle = Callable[[BinaryIO], Any]
# How the magic number begins as a pickle, of protocol 2 as PyTorch writes it.
_LEGACY: Final = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."


def is_torch_file(start: bytes) -> bool:
    """Whether a file that starts so can be PyTorch's: a ZIP file, or the form before 1.6."""
    return start.startswith((_ZIP, _LEGACY))


def load_torch(file: BinaryIO, load: LoadPickle, name: str, max_bytes: int) -> Any:
    """The object in a file that is open, buffered and seekable; tensors are what `load` makes of them.

    Raises NasrankError for another file, or where its pickle is longer than `max_bytes`.
    """
    with _pickle_stream(file, load, name, max_bytes) as stream:
        return load(stream)


def start_of_pickle(file: BinaryIO, size: int) -> bytes:
    """The first bytes of the object's pickle, in the old form with what is before it; nothing is loaded."""
    start = file.read(size)
    if not start.startswith(_ZIP):
        return start if start.startswith(_LEGACY) else b""
    file.seek(0)
    try:
        with _zip_member(file, "it") as stream:
            return bytes(stream.read(size))
    except NasrankError:
        return b""


@contextmanager
def _pickle_stream(file: BinaryIO, load: LoadPickle, name: str, max_bytes: int) -> Iterator[BinaryIO]:
    start = file.read(len(_LEGACY))
    file.seek(0)
    if start.startswith(_ZIP):
        with _zip_member(file, name) as stream:
            yield limited(stream, max_bytes, name)
    elif start == _LEGACY:
        if load(file) != _MAGIC_NUMBER or load(file) != 1001:
            raise NasrankError(f"{name} has another version of PyTorch's old format than 1001")
        load(file)
        yield file
    else:
        raise NasrankError(f"{name} was not saved by PyTorch")


@contextmanager
def _zip_member(file: BinaryIO, name: str) -> Iterator[Any]:
    try:
        with zipfile.ZipFile(file) as archive:
            found = [info for info in archive.infolist() if info.filename.endswith("/data.pkl")]
            if len(found) != 1:
                raise NasrankError(f"{name} is a ZIP file, but none of PyTorch's: it has no data.pkl")
            with archive.open(found[0]) as stream:
                yield stream
    except (NasrankError, MemoryError):
        raise
    except Exception as error:  # of which a damaged directory of a ZIP file can cause nearly any
        problem = in_a_line(f"{type(error).__name__}: {error}", 200)
        raise NasrankError(f"{name} is damaged: {problem}; fetch it again") from error


class _Limited(io.RawIOBase):
    def __init__(self, stream: Any, limit: int, name: str) -> None:
        self._stream, self._left, self._limit, self._name = stream, limit, limit, name

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._stream.read(len(buffer))
        self._left -= len(content)
        if self._left < 0:
            raise NasrankError(f"{self._name} unpacks to more than {self._limit:,} bytes, which is refused")
        buffer[: len(content)] = content
        return len(content)


def limited(stream: Any, limit: int, name: str) -> BinaryIO:
    """Reads from a stream that unpacks, buffered, and refuses to read more than `limit` bytes."""
    return io.BufferedReader(_Limited(stream, limit, name), 2**20)
