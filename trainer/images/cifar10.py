"""What CIFAR-10 is, how to recognize it, and the download of its official archive.

Format and checksum: https://www.cs.toronto.edu/~kriz/cifar.html
"""

from __future__ import annotations

import hashlib
import http.client
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from nasrank.db.errors import NasrankError
from nasrank.db.files.writing import replacing

NUM_IMAGES: Final = 50_000  # of the training set, the only one used: the study trains and validates on it
CLASSES: Final = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
# Of the official training images, a channel, in units of 0..255.
MEAN: Final = (125.307, 122.950, 113.865)
STD: Final = (62.993, 62.089, 66.705)

ARCHIVE: Final = "cifar-10-python.tar.gz"
FOLDER: Final = "cifar-10-batches-py"

HOW_TO_PREPARE: Final = (
    f"`nasrank-train data cifar10 --source PATH` with the official {ARCHIVE}, its unpacked folder {FOLDER} "
    "or Parquet, or `nasrank-train data cifar10 --download`"
)

# Called with what is being done, how much of it is done, and how much there is (0 where that is unknown).
Progress = Callable[[str, int, int], None]

_CHUNK_BYTES = 2**20
_TIMEOUT_SECONDS = 60
_ALTERNATIVES = (
    "fetch it elsewhere and give the archive, its folder or Parquet with --source, or use --dataset digits"
)


@dataclass(frozen=True)
class Archive:
    """A file that a server has, and its MD5 in hexadecimal."""

    url: str
    md5: str


OFFICIAL_ARCHIVE: Final = Archive(
    f"https://www.cs.toronto.edu/~kriz/{ARCHIVE}", "c58f30108f718f92721af3b95e74349a"
)


def no_progress(what: str, done: int, total: int) -> None:
    """Report nothing."""


def check_images(images: NDArray[np.uint8], labels: NDArray[np.int64], source: str) -> None:
    """Raise `NasrankError` unless these are 50,000 RGB images, 5,000 of each of the ten classes."""
    if images.shape != (len(labels), 3, 32, 32):
        raise NasrankError(
            f"{source!r} has images of shape {images.shape} and {len(labels):,} labels; "
            "one label each for images of 3 x 32 x 32 is needed"
        )
    check_count(len(labels), source)
    if labels.min() < 0 or labels.max() >= len(CLASSES):
        raise NasrankError(
            f"{source!r} has labels from {labels.min()} to {labels.max()}; CIFAR-10 has 0 to 9"
        )
    expected = NUM_IMAGES // len(CLASSES)
    for name, size in zip(CLASSES, np.bincount(labels, minlength=len(CLASSES)), strict=True):
        if size != expected:
            raise NasrankError(
                f"{source!r} has {size:,} images labelled {name}; CIFAR-10 has {expected:,} of each class"
            )


def check_count(count: int, source: str) -> None:
    """Raise `NasrankError` unless there are as many images as CIFAR-10 has to train on."""
    if count != NUM_IMAGES:
        raise NasrankError(
            f"{source!r} has {count:,} images; the {NUM_IMAGES:,} training images of CIFAR-10 are needed"
        )


def download(data_dir: Path, archive: Archive, *, progress: Progress = no_progress) -> Path:
    """Fetch an archive into `data_dir` and return its path; it appears there whole or not at all.

    Raises `NasrankError` where there is no network, the server refuses, or the checksum is another.
    """
    target = data_dir / ARCHIVE
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NasrankError(f"cannot write to {str(data_dir)!r}: {error.strerror or error}") from error
    try:
        with replacing(target) as temporary:
            with temporary.open("wb") as stream:
                received = _fetch(archive.url, stream, progress)
            if received != archive.md5:
                raise NasrankError(
                    f"what {archive.url} sent has the MD5 {received}, not {archive.md5}: it is incomplete or "
                    f"another file; try again, or {_ALTERNATIVES}"
                )
    except (OSError, http.client.HTTPException) as error:
        reason = str(error) or type(error).__name__
        raise NasrankError(
            f"cannot download {archive.url} to {str(data_dir)!r}: {reason}; {_ALTERNATIVES}"
        ) from error
    return target


def _fetch(url: str, stream: BinaryIO, progress: Progress) -> str:
    """Copy what the server sends, and return its MD5."""
    digest = hashlib.md5(usedforsecurity=False)
    with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as response:
        total = int(response.headers.get("Content-Length") or 0)
        done = 0
        while chunk := response.read(_CHUNK_BYTES):
            stream.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            progress("downloading CIFAR-10 (bytes)", done, total)
    return digest.hexdigest()
