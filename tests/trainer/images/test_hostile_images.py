"""Images that are made to do harm, or are damaged: each is refused in one line, and soon."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given

from nasrank.db.files.foreign import ForeignReader
from nasrank.trainer.images import process
from nasrank.trainer.images.datasets import load_dataset, prepare_dataset
from tests import hostile_files as hostile
from tests.fuzzing import cases, damaged, fuzzed, refused_or_read

MEMBERS = [*(f"data_batch_{number}" for number in range(1, 6)), "batches.meta"]


@pytest.fixture(scope="module")
def read() -> Iterator[Callable[[Path], object]]:
    # What never ends is ended sooner than a user's file would be.
    with ForeignReader(process.PROCESS, 10 * process.BYTES_A_SECOND) as reader:
        yield lambda path: reader.read(path, process.SIZE, {})


@pytest.mark.parametrize("place", hostile.PLACES)
def test_a_place_without_a_file_is_told(read: Callable[[Path], object], tmp_path: Path, place: str) -> None:
    assert refused_or_read(read, hostile.PLACES[place](tmp_path)) is not None


@pytest.mark.parametrize("place", ["a FIFO", "an endless device", "a name of 300 bytes", "a name with NUL"])
def test_nothing_is_prepared_of_no_file(tmp_path: Path, place: str) -> None:
    path = hostile.PLACES[place](tmp_path)
    line = refused_or_read(lambda path: prepare_dataset("cifar10", tmp_path / "data", source=path), path)
    assert line is not None
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("make", cases({**hostile.ARCHIVES, **hostile.PARQUET}))
def test_a_hostile_file_is_refused(
    read: Callable[[Path], object], tmp_path: Path, make: Callable[[], bytes]
) -> None:
    path = tmp_path / "file"
    path.write_bytes(make())
    assert refused_or_read(read, path) is not None


@pytest.mark.parametrize("make", cases(hostile.PICKLES))
def test_hostile_batches_are_refused(
    read: Callable[[Path], object], tmp_path: Path, make: Callable[[], bytes]
) -> None:
    (tmp_path / MEMBERS[-1]).write_bytes(make())
    for name in MEMBERS[:-1]:
        os.link(tmp_path / MEMBERS[-1], tmp_path / name)
    assert refused_or_read(read, tmp_path) is not None


@pytest.mark.parametrize("place", ["a FIFO", "a link to a FIFO", "an endless device", "a folder"])
def test_a_batch_that_is_no_file_is_told(read: Callable[[Path], object], tmp_path: Path, place: str) -> None:
    for name in MEMBERS:
        (tmp_path / name).touch()
    (tmp_path / MEMBERS[0]).unlink()
    hostile.PLACES[place](tmp_path).rename(tmp_path / MEMBERS[0])
    line = refused_or_read(read, tmp_path)
    assert line is not None
    assert "data_batch_1" in line


@pytest.mark.parametrize("place", sorted(set(hostile.PLACES) - {"a name of 300 bytes", "a name with NUL"}))
def test_prepared_images_in_no_file_are_told(tmp_path: Path, place: str) -> None:
    (tmp_path / "cifar10.npz").symlink_to(hostile.PLACES[place](tmp_path))
    line = refused_or_read(lambda _: load_dataset("cifar10", tmp_path), tmp_path / "cifar10.npz")
    assert line is not None


@pytest.mark.parametrize("make", cases(hostile.PREPARED))
def test_hostile_prepared_images_are_refused(tmp_path: Path, make: Callable[[], bytes]) -> None:
    (tmp_path / "cifar10.npz").write_bytes(make())
    line = refused_or_read(lambda _: load_dataset("cifar10", tmp_path), tmp_path / "cifar10.npz")
    assert line is not None
    assert "prepare it again" in line or "at most" in line


@fuzzed
@given(damaged([hostile.PREPARED["other images"]()]))
def test_damaged_prepared_images_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "cifar10.npz").write_bytes(content)
    line = refused_or_read(lambda _: load_dataset("cifar10", tmp_path), tmp_path / "cifar10.npz")
    assert line is not None


@fuzzed
@given(damaged([hostile.tar_of(data_batch_1=b"\x80\x02}.", readme=b"x" * 2000)]))
def test_a_damaged_archive_is_refused(read: Callable[[Path], object], tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    assert refused_or_read(read, tmp_path / "file") is not None
