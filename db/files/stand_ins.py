"""What stands for the types of NumPy and PyTorch in pickles from others, so that nothing of theirs runs.

Each function makes its objects anew, because a hostile pickle may change what it gets.
"""

from __future__ import annotations

import itertools
import math
import struct
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final

from nasrank.db.files.pickles import Globals

# Kinds and sizes of NumPy's scalars, as `struct` calls them; the sign of the byte order comes before.
_SCALARS: Final = {
    "f8": "d",
    "f4": "f",
    "f2": "e",
    "i8": "q",
    "i4": "i",
    "i2": "h",
    "i1": "b",
    "u8": "Q",
    "u4": "I",
    "u2": "H",
    "u1": "B",
    "b1": "?",
}

# NumPy's own limit, and more numbers than any file has that is read whole.
_MOST_DIMENSIONS: Final = 64
_MOST_NUMBERS: Final = 2**32


class DType:
    """Of NumPy: `code` such as `f8`, `order` of the bytes, `<` or `>`."""

    def __init__(self, code: str, *_: object) -> None:
        self.code = str(code)
        self.order = "<"

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = ">" if state[1] == ">" else "<"

    @property
    def format(self) -> str:
        """As `struct` calls it; raises ValueError for types that are no numbers."""
        if self.code not in _SCALARS:
            raise ValueError(f"a NumPy type {self.code!r} is not read")
        return self.order + _SCALARS[self.code]


def plain_types() -> Globals:
    """What Python itself needs for sets, ordered dictionaries and bytes in pickles of protocol 2."""

    def encode(text: str, encoding: str = "latin1") -> bytes:
        if encoding != "latin1":
            raise ValueError(f"bytes in {encoding!r} are not read")
        return text.encode("latin1")

    def no_bytes(*arguments: object) -> bytes:
        if arguments:  # a number would make so many
            raise ValueError("bytes are not read so")
        return b""

    return {
        ("collections", "OrderedDict"): OrderedDict,
        ("__builtin__", "bytes"): no_bytes,
        ("builtins", "set"): set,
        ("__builtin__", "set"): set,
        ("_codecs", "encode"): encode,
    }


def numpy_scalars() -> Globals:
    """NumPy's single numbers become Python's."""

    class OfPickle(DType):
        pass

    def scalar(dtype: DType, content: bytes = b"") -> float:
        return struct.unpack(dtype.format, content)[0]  # type: ignore[no-any-return]

    return {
        ("numpy", "dtype"): OfPickle,
        ("numpy.core.multiarray", "scalar"): scalar,
        ("numpy._core.multiarray", "scalar"): scalar,
    }


class NDArray:
    """Of NumPy: its shape, and its numbers or objects in C order."""

    shape: tuple[int, ...] = ()
    values: Sequence[Any] = ()

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        *_, shape, dtype, is_fortran, content = state
        if not isinstance(shape, tuple) or len(shape) > _MOST_DIMENSIONS:
            raise ValueError(f"an array whose shape is no tuple of up to {_MOST_DIMENSIONS} numbers")
        if not all(type(size) is int and 0 <= size < _MOST_NUMBERS for size in shape):
            raise ValueError(f"an array whose sizes are not from 0 to {_MOST_NUMBERS:,}")
        count = math.prod(shape)
        if isinstance(content, bytes | bytearray):
            if len(content) != count * struct.calcsize(dtype.format):
                raise ValueError(f"an array of {count} numbers has {len(content)} bytes")
            content = struct.unpack(f"{dtype.order}{count}{dtype.format[1:]}", content)
        if len(content) != count:
            raise ValueError(f"an array of {count} objects has {len(content)}")
        if is_fortran and len(shape) == 2 and count:
            rows, columns = shape
            content = [content[column * rows + row] for row in range(rows) for column in range(columns)]
        self.shape, self.values = shape, content


def numpy_arrays() -> Globals:
    """NumPy's arrays become `NDArray`."""

    class OfPickle(NDArray):
        pass

    def reconstruct(*_: object) -> NDArray:
        return OfPickle()

    def from_buffer(content: bytes | bytearray, dtype: DType, shape: tuple[int, ...], order: str) -> NDArray:
        array = OfPickle()
        array.__setstate__((shape, dtype, order == "F", content))
        return array

    return {
        ("numpy", "ndarray"): OfPickle,
        **{
            (f"numpy.{core}.{module}", name): function
            for core in ("core", "_core")
            for module, name, function in (
                ("multiarray", "_reconstruct", reconstruct),
                ("numeric", "_frombuffer", from_buffer),
            )
        },
    }


def arrow_texts() -> Globals:
    """Arrow's arrays of texts become lists."""

    def texts(state: tuple[Any, ...]) -> list[str | None]:
        kind, length, nulls, offset, (_, offsets, content), *_ = state
        if kind not in ("string", "large_string") or nulls > 0:
            raise ValueError(f"an Arrow array of {kind!r} with {nulls} missing is not read")
        width = "q" if kind == "large_string" else "i"
        size = struct.calcsize(width)
        ends = struct.unpack(f"<{length + 1}{width}", offsets[offset * size : (offset + length + 1) * size])
        return [bytes(content[start:end]).decode() for start, end in itertools.pairwise(ends)]

    def joined(chunks: list[list[str]], *_: object) -> list[str]:
        return [text for chunk in chunks for text in chunk]

    def same(value: Any, *_: object) -> Any:
        return value

    def array_of_bytes(content: bytes | str, encoding: str = "latin1") -> bytes:
        if not isinstance(content, bytes | str) or encoding not in ("latin1", "latin-1"):
            raise ValueError("a bytearray is not read so")
        return content if isinstance(content, bytes) else content.encode("latin1")

    return {
        ("pyarrow.lib", "_restore_array"): texts,
        ("pyarrow.lib", "chunked_array"): joined,
        ("pyarrow.lib", "type_for_alias"): same,
        ("pyarrow.lib", "py_buffer"): same,
        ("__builtin__", "bytearray"): array_of_bytes,
    }


def dropped_tensors() -> Globals:
    """PyTorch's tensors become None."""

    def nothing(*_: object) -> None:
        return None

    kinds = ("Float", "Double", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool", "Untyped")
    return {
        ("torch._utils", "_rebuild_tensor"): nothing,
        ("torch._utils", "_rebuild_tensor_v2"): nothing,
        ("torch._utils", "_rebuild_parameter"): nothing,
        ("torch.storage", "_load_from_bytes"): nothing,
        ("torch.storage", "UntypedStorage"): "storage",
    } | {("torch", f"{kind}Storage"): "storage" for kind in kinds}


def drop_reference(_: object) -> None:
    """For `persistent`: a tensor's numbers, which are not read."""
