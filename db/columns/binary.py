"""Pickles and files of PyTorch: plain numbers, lists, dictionaries, arrays and tensors.

Nothing of theirs runs (`db.files.pickles`): a class that is none of these is refused by name.
"""

from __future__ import annotations

import io
import math
import sys
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.lib.stride_tricks import as_strided

from nasrank.db.errors import NasrankError
from nasrank.db.files.foreign_tables import MAX_BYTES
from nasrank.db.files.pickles import Globals, load_limited
from nasrank.db.files.stand_ins import NDArray, numpy_arrays, numpy_scalars, plain_types
from nasrank.db.files.torch_files import is_torch_file, limited

Array = np.ndarray[Any, Any]

ADVICE: Final = (
    "save the numbers as JSON from architecture to number, or with numpy.save in the benchmark's order"
)
# PyTorch's kinds of storage, as NumPy calls them; bfloat16 is the upper half of a float32.
_STORAGES: Final = {
    "Float": "f4",
    "Double": "f8",
    "Half": "f2",
    "BFloat16": "bfloat16",
    "Long": "i8",
    "Int": "i4",
    "Short": "i2",
    "Char": "i1",
    "Byte": "u1",
    "Bool": "?",
}
_MOST_NESTED: Final = 16


def is_pickle(content: bytes) -> bool:
    """Whether it begins as a pickle of protocol 2 or later, and is none of PyTorch's old files."""
    return content[:1] == b"\x80" and not is_torch_file(content)


def is_torch(content: bytes) -> bool:
    """Whether it is a file of `torch.save`, and not NumPy's ZIP file."""
    if not is_torch_file(content):
        return False
    if not content.startswith(b"PK"):
        return True
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return any(name.endswith("/data.pkl") for name in archive.namelist())
    except Exception:  # of which a damaged directory can cause nearly any: then it is none
        return False


def read_pickle(content: bytes) -> Any:
    """What a pickle holds, as JSON would: arrays stay arrays of NumPy.

    Raises:
        NasrankError: it holds something else, or is damaged.
    """
    return _loaded(io.BytesIO(content), {}, _no_reference)


def read_torch(content: bytes) -> Any:
    """What `torch.save` wrote, likewise; tensors become arrays.

    Raises:
        NasrankError: it is of the form before PyTorch 1.6, holds something else, or is damaged.
    """
    if not content.startswith(b"PK"):
        raise NasrankError(f"it was saved by PyTorch before 1.6, which is not read; {ADVICE}")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            [pickled] = [name for name in archive.namelist() if name.endswith("/data.pkl")]
            folder = pickled.removesuffix("data.pkl")
            is_big = (
                f"{folder}byteorder" in archive.namelist() and archive.read(f"{folder}byteorder") == b"big"
            )
            if is_big or sys.byteorder == "big":
                raise NasrankError(f"its numbers are of another byte order; {ADVICE}")
            storages = _Storages(archive, folder)
            with archive.open(pickled) as stream:
                return _loaded(limited(stream, MAX_BYTES, "it"), _tensors(), storages.open)
    except (NasrankError, MemoryError):
        raise
    except Exception as error:  # of which a damaged ZIP file can cause nearly any
        raise NasrankError(f"it is damaged ({type(error).__name__}: {error}); fetch it again") from error


class _Storages:
    """The numbers of tensors, which a pickle refers to by name."""

    def __init__(self, archive: zipfile.ZipFile, folder: str) -> None:
        self._archive, self._folder, self._left = archive, folder, MAX_BYTES

    def open(self, reference: Any) -> Array:
        _, kind, key, _, _ = reference
        name = f"{self._folder}data/{key}"
        self._left -= self._archive.getinfo(name).file_size
        if self._left < 0:
            raise NasrankError(f"its tensors unpack to more than {MAX_BYTES:,} bytes, which is refused")
        content = self._archive.read(name)
        if kind == "bfloat16":
            return (np.frombuffer(content, "u2").astype("u4") << 16).view("f4")
        return np.frombuffer(content, kind)


def _tensors() -> Globals:
    def rebuild(storage: Array, offset: int, size: Sequence[int], stride: Sequence[int], *_: object) -> Array:
        steps = [(length - 1) * step for length, step in zip(size, stride, strict=True)]
        is_within = all(length >= 0 for length in size) and all(step >= 0 for step in stride)
        last = offset + sum(steps)
        if math.prod(size) > MAX_BYTES:
            raise ValueError(f"a tensor of {math.prod(size):,} numbers")
        if math.prod(size) and not (is_within and 0 <= offset <= last < len(storage)):
            raise ValueError("a tensor that lies outside of its storage")
        if not math.prod(size):
            return np.empty(tuple(size), storage.dtype)
        bytes_a_step = [step * storage.itemsize for step in stride]
        return as_strided(storage[offset:], tuple(size), bytes_a_step, writeable=False).copy()

    def parameter(tensor: Array, *_: object) -> Array:
        return tensor

    return {
        ("torch._utils", "_rebuild_tensor_v2"): rebuild,
        ("torch._utils", "_rebuild_parameter"): parameter,
        **{("torch", f"{name}Storage"): kind for name, kind in _STORAGES.items()},
    }


def _loaded(stream: BinaryIO, others: Globals, persistent: Any) -> Any:
    # Of a defaultdict, what it makes of missing keys is not needed.
    allowed: dict[tuple[str, str], object] = {
        **plain_types(),
        **numpy_scalars(),
        **numpy_arrays(),
        ("collections", "defaultdict"): lambda *_: {},
        **{("builtins", name): None for name in ("list", "dict", "int", "float")},
        **others,
    }
    try:
        value = load_limited(stream, allowed=allowed, name="it", persistent=persistent)
        return _plain(value, 0)
    except NasrankError as error:
        raise NasrankError(f"{str(error).partition('; only built-in')[0]}; {ADVICE}") from error


def _no_reference(_: Any) -> Any:
    raise ValueError("it refers to something outside of it")


def _plain(value: Any, depth: int) -> Any:
    """As JSON has it, but for arrays: keys are texts."""
    if depth > _MOST_NESTED:
        raise NasrankError(f"it has objects within objects, more than {_MOST_NESTED} deep")
    if isinstance(value, NDArray):
        value = np.array(list(value.values)).reshape(value.shape)
    if isinstance(value, np.ndarray):
        return value.item() if value.ndim == 0 else value.tolist() if depth else value
    if isinstance(value, Mapping):
        return {
            key if isinstance(key, str) else str(key): _plain(inner, depth + 1)
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_plain(inner, depth + 1) for inner in value]
    if value is None or isinstance(value, str | int | float):
        return value
    raise NasrankError(f"it holds a {type(value).__name__}")
