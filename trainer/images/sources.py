"""CIFAR-10's training images from what the user has: the official archive, its folder, or Parquet."""

from __future__ import annotations

import hashlib
import io
import lzma
import math
import os
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from nasrank.db.errors import NasrankError, in_a_line
from nasrank.db.errors import shown as shown_value
from nasrank.db.files.opening import open_regular, read_regular
from nasrank.db.files.pickles import Globals, load_pickle
from nasrank.trainer.images import cifar10

_PARQUET = ("train.parquet", "train-00000-of-00001.parquet")  # the second as on Hugging Face
# The MD5 of each training batch inside the official archive: how official images are known.
_BATCH_MD5 = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
}
_META = "batches.meta"
_MEMBERS = (*_BATCH_MD5, _META)
_REFETCH = f"fetch the archive again, from {cifar10.OFFICIAL_ARCHIVE.url}"
# Of an archive, also unpacked, and of Parquet: the official archive has 170 MB, Parquet of PNG 120 MB.
MAX_BYTES: Final = 512 * 2**20
_MAX_MEMBER_BYTES = 64 * 2**20

Source = tuple[NDArray[np.uint8], NDArray[np.int64], str]


def read_cifar10(source: Path, *, progress: cifar10.Progress = cifar10.no_progress) -> Source:
    """The training images uint8 [n, 3, 32, 32], their labels int64 [n], and a sentence on their origin.

    `source` is told by its content: a tar archive, a Parquet file, or a folder that holds either or the
    official batches. Raises `NasrankError` for anything else, and where a file is damaged.
    """
    if source.is_dir():
        found = find_cifar10(source)
        if found is None:
            raise NasrankError(
                f"no CIFAR-10 in the folder {str(source)!r}; it must hold data_batch_1 to data_batch_5 and "
                f"{_META}, {cifar10.ARCHIVE}, or {' or '.join(_PARQUET)}"
            )
        return _read_folder(source, progress) if found == source else read_cifar10(found, progress=progress)
    with open_regular(source, MAX_BYTES) as stream:
        start = stream.read(4)
        stream.seek(0)
        if start == b"PAR1":
            return _read_parquet(source, stream, progress)
        if _is_tar(stream):
            return _read_archive(source, stream, progress)
    raise NasrankError(
        f"{str(source)!r} is neither a tar archive nor Parquet; give {cifar10.ARCHIVE}, its unpacked folder "
        f"{cifar10.FOLDER}, or Parquet with the columns image and label"
    )


def find_cifar10(folder: Path) -> Path | None:
    """What `read_cifar10` reads in a folder: the folder itself where it holds the official batches."""
    # Path.exists would raise for some names.
    if os.path.exists(folder / "data_batch_1"):  # noqa: PTH110
        return folder
    candidates = (folder / name for name in (cifar10.ARCHIVE, cifar10.FOLDER, *_PARQUET))
    return next((candidate for candidate in candidates if os.path.exists(candidate)), None)  # noqa: PTH110


def _is_tar(stream: BinaryIO) -> bool:
    try:
        return tarfile.is_tarfile(stream)
    except (OSError, EOFError, ValueError, zlib.error):  # of what begins as a packed archive does
        return False
    finally:
        stream.seek(0)


def _read_archive(file: Path, content: BinaryIO, progress: cifar10.Progress) -> Source:
    """Read the members as a stream; nothing is ever extracted to disk."""
    contents: dict[str, bytes] = {}
    unpacked = 0
    try:
        with tarfile.open(fileobj=content, mode="r|*") as archive:
            for member in archive:
                name = _member_name(member, file)
                if name in contents or (name in _MEMBERS and member.size > _MAX_MEMBER_BYTES):
                    raise NasrankError(
                        f"{str(file)!r} holds {member.name!r} twice, or far too large; {_REFETCH}"
                    )
                unpacked += member.size
                if unpacked > MAX_BYTES:
                    raise NasrankError(f"{str(file)!r} unpacks to more than {MAX_BYTES:,} bytes; {_REFETCH}")
                if name not in _MEMBERS:
                    continue
                stream = archive.extractfile(member)
                contents[name] = stream.read() if stream is not None else b""
                progress("reading CIFAR-10 (files)", len(contents), len(_MEMBERS))
    except (tarfile.TarError, OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
        raise NasrankError(f"{str(file)!r} is damaged: {error}; {_REFETCH}") from error
    return _read_batches(contents, file)


def _member_name(member: tarfile.TarInfo, file: Path) -> str:
    """The name inside the official folder; refuses whatever the official archive has none of."""
    if (
        not (member.isfile() or member.isdir())
        or member.name.startswith("/")
        or ".." in member.name.split("/")
    ):
        raise NasrankError(
            f"{str(file)!r} holds {member.name!r}, a link or a path to elsewhere: refused; {_REFETCH}"
        )
    return member.name.removeprefix("./").removeprefix(f"{cifar10.FOLDER}/")


def _read_folder(folder: Path, progress: cifar10.Progress) -> Source:
    contents = {}
    for name in _MEMBERS:
        if not os.path.lexists(folder / name):
            continue
        contents[name] = read_regular(folder / name, _MAX_MEMBER_BYTES)
        progress("reading CIFAR-10 (files)", len(contents), len(_MEMBERS))
    return _read_batches(contents, folder)


def _read_batches(contents: Mapping[str, bytes], source: Path) -> Source:
    missing = [name for name in _MEMBERS if name not in contents]
    if missing:
        raise NasrankError(f"{str(source)!r} lacks {', '.join(missing)}; {_REFETCH}")
    names = _load_batch(contents[_META], f"{_META} in {str(source)!r}").get(b"label_names")
    if names != [name.encode() for name in cifar10.CLASSES]:
        raise NasrankError(
            f"{_META} in {str(source)!r} names the classes {shown_value(names)}; "
            f"CIFAR-10 has {cifar10.CLASSES}"
        )
    images, labels = [], []
    for name in _BATCH_MD5:
        shown = f"{name} in {str(source)!r}"
        batch = _load_batch(contents[name], shown)
        images.append(_batch_images(batch.get(b"data"), shown))
        labels.append(_batch_labels(batch.get(b"labels"), len(images[-1]), shown))
    official = all(
        hashlib.md5(contents[name], usedforsecurity=False).hexdigest() == md5
        for name, md5 in _BATCH_MD5.items()
    )
    origin = (
        "the official CIFAR-10 images (every training batch has the known MD5)"
        if official
        else f"CIFAR-10 in the official format from {source.name}, whose MD5s are not the official ones"
    )
    return np.concatenate(images), np.concatenate(labels), origin


def _load_batch(content: bytes, shown: str) -> dict[bytes, Any]:
    batch = load_pickle(io.BytesIO(content), allowed=_array_globals(), encoding="bytes", name=shown)
    if not isinstance(batch, dict):
        raise NasrankError(f"{shown} holds a {type(batch).__name__}, not a dictionary; {_REFETCH}")
    return batch


def _batch_images(data: object, shown: str) -> NDArray[np.uint8]:
    """From rows of 1,024 red values, 1,024 green and 1,024 blue, each 32 x 32."""
    if not isinstance(data, _Pixels) or len(data.shape) != 2 or data.shape[1] != 3072:
        found = f"uint8 {shown_value(data.shape)}" if isinstance(data, _Pixels) else type(data).__name__
        raise NasrankError(f"{shown} has data of {found}; uint8 [images, 3072] is needed; {_REFETCH}")
    return np.frombuffer(data.content, np.uint8).reshape(-1, 3, 32, 32)


def _batch_labels(labels: object, count: int, shown: str) -> NDArray[np.int64]:
    if (
        not isinstance(labels, list)
        or len(labels) != count
        or not all(type(label) is int and 0 <= label < len(cifar10.CLASSES) for label in labels)
    ):
        raise NasrankError(
            f"{shown} does not have one whole number in labels for each of {count:,} images, from 0 "
            f"to 9; {_REFETCH}"
        )
    return np.array(labels, dtype=np.int64)


class _Pixels:
    """Stands for a NumPy array of bytes: its shape and what it holds, in C order."""

    shape: tuple[int, ...] = ()
    content: bytes = b""

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, is_fortran, content = state
        is_of_bytes = isinstance(dtype, _Kind) and dtype.code == b"u1" and isinstance(content, bytes)
        if not is_of_bytes or is_fortran:
            raise ValueError("it has an array that is not of bytes in C order")
        if not isinstance(shape, tuple) or len(shape) > 2 or math.prod(shape) != len(content):
            raise ValueError("it has an array whose shape is not that of its bytes")
        self.shape, self.content = shape, content


class _Kind:
    """Stands for NumPy's type of an array."""

    def __init__(self, code: object, *_: object) -> None:
        self.code = code

    def __setstate__(self, _: object) -> None:
        pass


def _array_globals() -> Globals:
    """What the batches need to rebuild an array. Made anew, for a pickle may change what it gets."""

    class OfPickle(_Pixels):
        pass

    class KindOfPickle(_Kind):
        pass

    return {
        ("numpy.core.multiarray", "_reconstruct"): lambda *_: OfPickle(),
        ("numpy", "ndarray"): OfPickle,
        ("numpy", "dtype"): KindOfPickle,
    }


def _read_parquet(file: Path, content: BinaryIO, progress: cifar10.Progress) -> Source:
    """Decode the column `image` (or `img`): bytes, or struct{bytes, path} as on Hugging Face."""
    formats: set[str] = set()
    try:
        with pq.ParquetFile(content) as parquet:
            image_column = _image_column(parquet.schema_arrow, file)
            count = parquet.metadata.num_rows
            cifar10.check_count(count, str(file))
            images = np.empty((count, 32, 32, 3), np.uint8)
            labels = np.empty(count, np.int64)
            row = 0
            for batch in parquet.iter_batches(1000, columns=[image_column, "label"]):
                cifar10.check_count(max(count, row + len(batch)), str(file))  # the footer may say less
                column, label = batch.column(image_column), batch.column("label")
                if pa.types.is_struct(column.type):
                    column = column.field("bytes")
                if label.null_count:
                    raise NasrankError(f"{str(file)!r} has empty labels near row {row}")
                labels[row : row + len(label)] = label.to_numpy(zero_copy_only=False)
                for encoded in column.to_pylist():
                    formats.add(_decode(encoded, images[row], row, file))
                    row += 1
                progress("decoding CIFAR-10 (images)", row, count)
    except MemoryError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        raise NasrankError(f"{str(file)!r} is not readable Parquet: {in_a_line(error, 300)}") from error
    cifar10.check_count(row, str(file))
    origin = f"CIFAR-10 decoded from {' and '.join(sorted(formats))} in {file.name}"
    if formats != {"PNG"}:
        origin += ": re-encoded, not bit-identical to the official archive"
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2)), labels, origin


def _image_column(schema: pa.Schema, file: Path) -> str:
    image = next((name for name in ("image", "img") if name in schema.names), None)
    if image is None or "label" not in schema.names:
        raise NasrankError(
            f"{str(file)!r} has the columns {in_a_line(', '.join(schema.names), 300)}; image (or img) and "
            "label are needed"
        )
    kind, label = schema.field(image).type, schema.field("label").type
    if pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
        kind = kind.field("bytes").type
    if not (pa.types.is_binary(kind) or pa.types.is_large_binary(kind)) or not pa.types.is_integer(label):
        raise NasrankError(
            f"{str(file)!r} has {image} of type {schema.field(image).type} and label of type {label}; "
            "the bytes of JPEG or PNG files, and whole numbers from 0 to 9, are needed"
        )
    return image


def _decode(encoded: bytes | None, out: NDArray[np.uint8], row: int, file: Path) -> str:
    """Decode one image into `out`, uint8 [32, 32, 3], and return its format."""
    from PIL import Image  # here, because images that are prepared need no Pillow

    try:
        with Image.open(io.BytesIO(encoded or b""), formats=("JPEG", "PNG")) as image:
            if image.size != (32, 32) or image.mode != "RGB":
                raise NasrankError(
                    f"{str(file)!r} has in row {row} an image of {image.size[0]} x {image.size[1]} pixels, "
                    f"mode {image.mode}; CIFAR-10 has 32 x 32, RGB"
                )
            out[:] = np.asarray(image)
            return str(image.format)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise NasrankError(
            f"{str(file)!r} has in row {row} no readable JPEG or PNG: {in_a_line(error, 300)}"
        ) from error
