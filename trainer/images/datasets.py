"""The images a super-network learns from: CIFAR-10 and scikit-learn's digits.

CIFAR-10 is prepared once from what the user has (the official archive, its folder, or Parquet) into
`<data_dir>/cifar10.npz`, and loaded from there by every run. The digits come with scikit-learn.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from nasrank.db.errors import NasrankError, in_a_line, nearest
from nasrank.db.files.opening import open_regular
from nasrank.db.files.writing import replacing
from nasrank.trainer.images import cifar10
from nasrank.trainer.images.cifar10 import HOW_TO_PREPARE
from nasrank.trainer.images.process import read_in_process
from nasrank.trainer.images.sources import find_cifar10

DATASETS: Final = ("cifar10", "digits")

_PREPARED_FORMAT = 1
_MAX_PREPARED_BYTES: Final = 256 * 2**20  # the images and labels have 154 MB


@dataclass(frozen=True, eq=False)
class ImageDataset:
    """Labelled images, as they are before any augmentation.

    `images`: uint8 [n, channels, height, width]; `labels`: int64 [n], from 0 to `num_classes` - 1.
    `mean`, `std`: one a channel, in units of 0..255. `sha256` is over the bytes of the images, then of the
    labels. `origin`: a sentence that says where the images come from, and what they are not.
    """

    name: str
    images: torch.Tensor
    labels: torch.Tensor
    num_classes: int
    class_names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    sha256: str
    origin: str


@dataclass(frozen=True, eq=False)
class Split:
    """Which images to train on and which to withhold, as ascending, disjoint int64 indices.

    `valid_sha256` is over the bytes of the validation images, then of their labels, in the order of `valid`.
    """

    train: torch.Tensor
    valid: torch.Tensor
    valid_sha256: str


@dataclass(frozen=True)
class DatasetInfo:
    """What `list_datasets` tells of a dataset; of one that is not prepared, `origin` says how to get it."""

    name: str
    images: int
    prepared: bool
    origin: str
    sha256: str | None


def prepare_dataset(
    name: str,
    data_dir: Path,
    *,
    source: Path | None = None,
    download: cifar10.Archive | None = None,
    progress: cifar10.Progress = cifar10.no_progress,
) -> ImageDataset:
    """Read a dataset from `source`, check it, and write it where `load_dataset` finds it.

    Without `source`, an archive, folder or Parquet file in `data_dir` is used; where there is none,
    `download`, such as `cifar10.OFFICIAL_ARCHIVE`, is fetched into it. The digits need no preparation.

    Raises `NasrankError` where there is no source, or its images or labels are not those of CIFAR-10.
    """
    _check_name(name)
    if name == "digits":
        if source is not None:
            raise NasrankError(f"digits come with scikit-learn; leave out the source {str(source)!r}")
        return load_dataset(name, data_dir)
    if source is None:
        source = find_cifar10(data_dir)
    if source is None and download is not None:
        source = cifar10.download(data_dir, download, progress=progress)
    if source is None:
        raise NasrankError(f"no CIFAR-10 in {str(data_dir)!r} and no source given; run {HOW_TO_PREPARE}")
    images, labels, origin = read_in_process(source, progress)
    cifar10.check_images(images, labels, str(source))
    dataset = _cifar10(images, labels, _sha256(images, labels), origin)
    _write_prepared(_prepared_file(name, data_dir), dataset)
    return dataset


def load_dataset(name: str, data_dir: Path) -> ImageDataset:
    """A prepared dataset, or the digits.

    Raises `NasrankError` for an unknown name, and where the prepared file is missing or its content is not
    what was written.
    """
    _check_name(name)
    return _load_digits() if name == "digits" else _load_prepared(_prepared_file(name, data_dir))


def list_datasets(data_dir: Path) -> tuple[DatasetInfo, ...]:
    """Every dataset there is, prepared in `data_dir` or not; reads no images but the digits."""
    digits = _load_digits()
    return (
        _cifar10_info(_prepared_file("cifar10", data_dir)),
        DatasetInfo("digits", len(digits.labels), prepared=True, origin=digits.origin, sha256=digits.sha256),
    )


def split_dataset(
    dataset: ImageDataset, *, train_images: int | None, valid_images: int, split_seed: int
) -> Split:
    """Withhold `valid_images` random images; train on `train_images` of the others, or on all of them (None).

    The validation images depend on the dataset, their number and the seed only, so that runs with fewer
    training images are validated on the same ones. Of two numbers of training images, the smaller set is part
    of the larger. Raises `NasrankError` where the dataset has too few images.
    """
    n = len(dataset.labels)
    if valid_images < 1 or (train_images is not None and train_images < 1) or split_seed < 0:
        raise NasrankError(
            f"cannot split into {train_images} training and {valid_images} validation images with split seed "
            f"{split_seed}; at least one image of each and a seed from 0 are needed"
        )
    if valid_images + (train_images or 1) > n:
        raise NasrankError(
            f"cannot split {dataset.name} into {train_images or 'at least 1'} training and {valid_images} "
            f"validation images: it has {n:,}; ask for fewer"
        )
    # Sorted by the raw stream of PCG64, which NumPy promises never to change, unlike its permutations.
    order = np.argsort(np.random.PCG64(split_seed).random_raw(n), kind="stable")
    end = n if train_images is None else valid_images + train_images
    valid = torch.from_numpy(np.sort(order[:valid_images]))
    train = torch.from_numpy(np.sort(order[valid_images:end]))
    return Split(
        train=train,
        valid=valid,
        valid_sha256=_sha256(dataset.images[valid].numpy(), dataset.labels[valid].numpy()),
    )


def resize_dataset(dataset: ImageDataset, size: int | None) -> ImageDataset:
    """The same images and labels with `size` pixels a side; None: as they are.

    Only `images` and `origin` change: `sha256` stays that of the originals, and mean and deviation those that
    the field normalizes this data set by.
    """
    if size is None:
        return dataset
    return replace(
        dataset,
        images=average_blocks(dataset.images, size),
        origin=f"{dataset.origin}; averaged to {size}x{size} pixels",
    )


def average_blocks(images: torch.Tensor, size: int) -> torch.Tensor:
    """Each pixel the mean of a square block, halves rounded to the even neighbour.

    Args:
        images: uint8 [n, channels, height, width], height and width equal and a multiple of `size`.

    Returns uint8 [n, channels, size, size].
    """
    side = images.shape[-1] // size
    total = torch.zeros((*images.shape[:2], size, size), dtype=torch.int32)
    # Pixel by pixel of the blocks, so that never more than the small images is held in four bytes.
    for row in range(side):
        for column in range(side):
            total += images[:, :, row::side, column::side]
    # The sums are small enough to divide exactly where a half comes out, and `round` takes halves to even.
    return torch.round(total / side**2).to(torch.uint8)


def _cifar10(images: NDArray[np.uint8], labels: NDArray[np.int64], sha256: str, origin: str) -> ImageDataset:
    return ImageDataset(
        name="cifar10",
        images=torch.from_numpy(images),
        labels=torch.from_numpy(labels),
        num_classes=len(cifar10.CLASSES),
        class_names=cifar10.CLASSES,
        mean=cifar10.MEAN,
        std=cifar10.STD,
        sha256=sha256,
        origin=origin,
    )


def _load_digits() -> ImageDataset:
    from sklearn.datasets import load_digits  # takes a second to import

    digits = load_digits()
    # Values are 0..16, in float64 [n, 8, 8].
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)[:, None]
    labels = digits.target.astype(np.int64)
    return ImageDataset(
        name="digits",
        images=torch.from_numpy(images),
        labels=torch.from_numpy(labels),
        num_classes=10,
        class_names=tuple("0123456789"),
        mean=(float(images.mean(dtype=np.float64)),),
        std=(float(images.std(dtype=np.float64)),),
        sha256=_sha256(images, labels),
        origin="scikit-learn's handwritten digits (8x8, one channel), which are not CIFAR-10",
    )


def _prepared_file(name: str, data_dir: Path) -> Path:
    return data_dir / f"{name}.npz"


def _write_prepared(file: Path, dataset: ImageDataset) -> None:
    provenance = {
        "format": _PREPARED_FORMAT,
        "name": dataset.name,
        "images": len(dataset.labels),
        "origin": dataset.origin,
        "sha256": dataset.sha256,
    }
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file) as temporary, temporary.open("wb") as stream:
            np.savez(
                stream,
                provenance=np.array(json.dumps(provenance)),
                images=dataset.images.numpy(),
                labels=dataset.labels.numpy(),
            )
    except OSError as error:
        raise NasrankError(f"cannot write {str(file)!r}: {error.strerror or error}") from error


def _load_prepared(file: Path) -> ImageDataset:
    with _open_prepared(file) as (provenance, arrays):
        images, labels = arrays["images"], arrays["labels"]
    if _sha256(images, labels) != provenance["sha256"]:
        raise _damaged(file, "its images are not those that were prepared")
    if not (
        images.dtype == np.uint8
        and images.shape[1:] == (3, 32, 32)
        and labels.dtype == np.int64
        and labels.shape == (len(images),)
        and np.isin(labels, range(len(cifar10.CLASSES))).all()
    ):
        raise _damaged(file, f"its images are {images.dtype} {images.shape}, its labels {labels.dtype}")
    return _cifar10(images, labels, provenance["sha256"], provenance["origin"])


def _cifar10_info(file: Path) -> DatasetInfo:
    if not os.path.lexists(file):
        return DatasetInfo("cifar10", cifar10.NUM_IMAGES, False, f"not prepared: run {HOW_TO_PREPARE}", None)
    with _open_prepared(file) as (provenance, _):
        return DatasetInfo("cifar10", provenance["images"], True, provenance["origin"], provenance["sha256"])


@contextmanager
def _open_prepared(file: Path) -> Iterator[tuple[dict[str, Any], Mapping[str, NDArray[Any]]]]:
    """The provenance and the arrays, which are read as they are asked for."""
    if not os.path.lexists(file):
        raise NasrankError(f"CIFAR-10 is not prepared: no {str(file)!r}; run {HOW_TO_PREPARE}")
    try:
        with open_regular(file, _MAX_PREPARED_BYTES) as stream, np.load(stream, allow_pickle=False) as arrays:
            unpacked = sum(info.file_size for info in arrays.zip.infolist())
            if unpacked > _MAX_PREPARED_BYTES:
                raise _damaged(file, f"it unpacks to {unpacked:,} bytes")
            provenance = json.loads(str(arrays["provenance"]))
            if provenance["format"] != _PREPARED_FORMAT:
                raise NasrankError(
                    f"{str(file)!r} has the format {provenance['format']}, and this version of nasrank reads "
                    f"{_PREPARED_FORMAT}; prepare it again: {HOW_TO_PREPARE}"
                )
            yield provenance, arrays
    except NasrankError:
        raise
    except Exception as error:  # of which a damaged file can cause nearly any
        raise _damaged(file, in_a_line(f"{type(error).__name__}: {error}", 300)) from error


def _damaged(file: Path, why: str) -> NasrankError:
    return NasrankError(f"{str(file)!r} cannot be read ({why}); prepare it again: {HOW_TO_PREPARE}")


def _sha256(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> str:
    digest = hashlib.sha256(np.ascontiguousarray(images).data)
    digest.update(np.ascontiguousarray(labels).data)
    return digest.hexdigest()


def _check_name(name: str) -> None:
    if name not in DATASETS:
        raise NasrankError(
            f"unknown dataset {name!r}{nearest(name, DATASETS)}; there are {' and '.join(DATASETS)}"
        )
