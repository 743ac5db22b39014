"""Images from every source they can come from, with an archive in exactly the official form."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import io
import json
import struct
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from nasrank.db.errors import NasrankError
from nasrank.trainer.images import cifar10, sources
from nasrank.trainer.images.cifar10 import OFFICIAL_ARCHIVE, Archive
from nasrank.trainer.images.datasets import (
    ImageDataset,
    average_blocks,
    list_datasets,
    load_dataset,
    prepare_dataset,
    resize_dataset,
    split_dataset,
)
from tests.trainer.conftest import fewer_examples

COMMAND = "nasrank-train data cifar10 --source PATH"
BATCHES = [f"data_batch_{number}" for number in range(1, 6)]
Arrays = tuple[np.ndarray, np.ndarray]


def make_images(n: int) -> Arrays:
    """Images [n, 3, 32, 32] that differ, compress well, and show if axes are confused; their labels [n]."""
    random = np.random.default_rng(0)
    colors = random.integers(0, 200, (n, 3, 1, 1))
    images = (colors + np.arange(32)[:, None] + (np.arange(32) // 16)[None, :]).astype(np.uint8)
    return images, random.permutation(np.arange(n) % 10)


# Pickles as Python 2 wrote the official files: protocol 2, strings as bytes, arrays by numpy.core.multiarray.


def text(value: str) -> bytes:
    return b"U" + bytes([len(value)]) + value.encode()


def integer(value: int) -> bytes:
    return b"K" + bytes([value]) if 0 <= value < 256 else b"J" + struct.pack("<i", value)


def listed(items: list[bytes]) -> bytes:
    return b"](" + b"".join(items) + b"e"


def array(values: np.ndarray) -> bytes:
    rows, columns = values.shape
    start = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n"
        + integer(0)
        + b"\x85"
        + text("b")
        + b"\x87R"
    )
    kind = b"cnumpy\ndtype\n" + text("u1") + integer(0) + integer(1) + b"\x87R"
    state = b"(" + integer(3) + text("|") + b"NNN" + integer(-1) * 2 + integer(0) + b"tb"
    content = b"T" + struct.pack("<i", values.size) + values.tobytes()
    return (
        start
        + b"("
        + integer(1)
        + integer(rows)
        + integer(columns)
        + b"\x86"
        + kind
        + state
        + b"\x89"
        + content
        + b"tb"
    )


def dictionary(**items: bytes) -> bytes:
    return b"\x80\x02}(" + b"".join(text(key) + value for key, value in items.items()) + b"u."


def batch(images: np.ndarray, labels: np.ndarray) -> bytes:
    return dictionary(
        batch_label=text("training batch 1 of 5"),
        labels=listed([integer(int(label)) for label in labels]),
        data=array(images.reshape(len(images), 3072)),
        filenames=listed([text(f"{number}.png") for number in range(len(images))]),
    )


def meta(names: tuple[str, ...] = cifar10.CLASSES) -> bytes:
    return dictionary(
        num_cases_per_batch=integer(10000),
        label_names=listed([text(name) for name in names]),
        num_vis=integer(3072),
    )


def write_archive(file: Path, contents: dict[str, bytes], *, folder: str = "cifar-10-batches-py/") -> Path:
    with gzip.open(file, "wb", compresslevel=1) as stream, tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(folder + name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file


NUM_IMAGES = 500


@pytest.fixture(autouse=True)
def fewer_images(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """CIFAR-10 with fewer images, so that tests are quick; the test on real data has all of them."""
    if "shared" not in request.fixturenames:
        monkeypatch.setattr(cifar10, "NUM_IMAGES", NUM_IMAGES)


@pytest.fixture(scope="module")
def made() -> Arrays:
    return make_images(NUM_IMAGES)


@pytest.fixture(scope="module")
def contents(made: Arrays) -> dict[str, bytes]:
    images, labels = (np.split(values, 5) for values in made)
    batches = {name: batch(images[i], labels[i]) for i, name in enumerate(BATCHES)}
    return {"batches.meta": meta(), **dict(reversed(batches.items())), "readme.html": b"<p>"}


@pytest.fixture(scope="module")
def archive(contents: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_archive(tmp_path_factory.mktemp("official") / "cifar-10-python.tar.gz", contents)


def small(**changes: bytes) -> dict[str, bytes]:
    """The files of an archive with a few images a batch."""
    images, labels = make_images(10)
    return {"batches.meta": meta()} | dict.fromkeys(BATCHES, batch(images, labels)) | changes


def refused(call: Any, *arguments: Any, **options: Any) -> str:
    with pytest.raises(NasrankError) as error:
        call(*arguments, **options)
    assert len(str(error.value).splitlines()) == 1
    return str(error.value)


def assert_is(dataset: ImageDataset, made: Arrays) -> None:
    images, labels = made
    assert dataset.images.dtype == torch.uint8
    assert dataset.labels.dtype == torch.int64
    np.testing.assert_array_equal(dataset.images.numpy(), images)
    np.testing.assert_array_equal(dataset.labels.numpy(), labels)
    assert dataset.sha256 == hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()
    assert dataset.class_names == cifar10.CLASSES
    assert dataset.num_classes == 10
    assert dataset.mean == (125.307, 122.950, 113.865)
    assert dataset.std == (62.993, 62.089, 66.705)


# The official form


def test_a_folder_is_known_as_official_by_its_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = small(data_batch_2=batch(make_images(20)[0][10:], np.arange(10)))
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    images, labels, origin = sources.read_cifar10(tmp_path)
    np.testing.assert_array_equal(images[10:20], make_images(20)[0][10:])
    np.testing.assert_array_equal(labels[10:20], np.arange(10))
    assert "MD5s are not the official ones" in origin
    # Stands in for the official archive, which a test cannot carry.
    md5s = {name: hashlib.md5(contents[name]).hexdigest() for name in BATCHES}
    monkeypatch.setattr(sources, "_BATCH_MD5", md5s)
    assert sources.read_cifar10(folder)[2].startswith("the official CIFAR-10 images")


def test_members_without_the_folder_are_found(tmp_path: Path) -> None:
    file = write_archive(tmp_path / "a.tgz", small(), folder="./")
    images, labels, _ = sources.read_cifar10(file)
    assert images.shape == (50, 3, 32, 32)
    assert labels.shape == (50,)


ARRAY_OF_OBJECTS = array(np.zeros((1, 3072), np.uint8)).replace(text("u1"), text("O8"))


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"data_batch_3": b"cos\nsystem\n(S'exit'\ntR."}, "data_batch_3 in '.*a.tgz' asks for 'os.system'"),
        ({"data_batch_3": b"cnumpy\nload\n(S'x'\ntR."}, "asks for 'numpy.load'"),
        ({"data_batch_1": batch(*make_images(10))[:-200]}, "data_batch_1 in .* is not a readable pickle"),
        ({"data_batch_1": b"]."}, "holds a list, not a dictionary"),
        ({"data_batch_1": dictionary(labels=listed([]))}, "has data of NoneType"),
        (
            {"data_batch_1": dictionary(data=array(np.zeros((2, 3071), np.uint8)))},
            r"data of uint8 \(2, 3071\)",
        ),
        ({"data_batch_1": dictionary(data=ARRAY_OF_OBJECTS)}, "data_batch_1 in "),
        (
            {"data_batch_1": batch(make_images(10)[0], np.arange(9))},
            "one whole number in labels for each of 10",
        ),
        ({"batches.meta": meta(cifar10.CLASSES[::-1])}, "names the classes .*; CIFAR-10 has"),
    ],
)
def test_batches_that_are_not_right_are_refused(changes: dict[str, bytes], line: str, tmp_path: Path) -> None:
    file = write_archive(tmp_path / "a.tgz", small(**changes))
    with pytest.raises(NasrankError, match=line):
        sources.read_cifar10(file)


def test_incomplete_sources_say_what_they_lack(tmp_path: Path) -> None:
    contents = small()
    del contents["data_batch_2"], contents["batches.meta"]
    message = refused(sources.read_cifar10, write_archive(tmp_path / "a.tgz", contents))
    assert "lacks data_batch_2, batches.meta" in message
    (tmp_path / "data_batch_1").write_bytes(contents["data_batch_1"])
    message = refused(sources.read_cifar10, tmp_path)
    assert "lacks data_batch_2, data_batch_3, data_batch_4, data_batch_5, batches.meta" in message


def test_archives_that_reach_elsewhere_are_refused(tmp_path: Path) -> None:
    for name, kind in [
        ("cifar-10-batches-py/data_batch_1", tarfile.SYMTYPE),
        ("cifar-10-batches-py/data_batch_1", tarfile.LNKTYPE),
        ("../data_batch_1", tarfile.REGTYPE),
        ("/data_batch_1", tarfile.REGTYPE),
        ("cifar-10-batches-py/x", tarfile.CHRTYPE),
    ]:
        file = tmp_path / "a.tar"
        with tarfile.open(file, "w") as archive:
            member = tarfile.TarInfo(name)
            member.type = kind
            member.linkname = "/etc/passwd"
            archive.addfile(member)
        assert "a link or a path to elsewhere" in refused(sources.read_cifar10, file)


def test_repeated_and_huge_members_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.tar"
    with tarfile.open(file, "w") as archive:
        for _ in range(2):
            archive.addfile(tarfile.TarInfo("cifar-10-batches-py/data_batch_1"))
    assert "twice, or far too large" in refused(sources.read_cifar10, file)
    with tarfile.open(file, "w") as archive:
        member = tarfile.TarInfo("data_batch_1")
        member.size = 2**40
        archive.fileobj.write(member.tobuf())
    assert "twice, or far too large" in refused(sources.read_cifar10, file)


def test_damaged_archives_are_refused(tmp_path: Path) -> None:
    whole = write_archive(tmp_path / "whole.tgz", small()).read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0xFF
    for content in (
        whole[: len(whole) // 2],
        bytes(flipped),
        whole[:200],
        whole[:20],
        b"\x1f\x8b",
        b"",
        b"text",
    ):
        file = tmp_path / "a.tgz"
        file.write_bytes(content)
        message = refused(prepare_dataset, "cifar10", tmp_path / "data", source=file)
        assert "a.tgz" in message
    assert not (tmp_path / "data").exists()


def test_only_the_training_images_of_cifar10_pass(made: Arrays) -> None:
    images, labels = made
    cifar10.check_images(images, labels, "it")
    for wrong_images, wrong_labels, line in [
        (images[:100], labels[:100], "has 100 images; the 500 training images"),
        (images, np.where(labels == 3, 10, labels), "has labels from 0 to 10"),
        (images, np.where(labels == 3, -1, labels), "has labels from -1 to 9"),
        (images, np.where(np.arange(500) < 30, 3, labels), "CIFAR-10 has 50 of each class"),
        (images, labels[1:], "one label each"),
        (images[:, :1], labels, "3 x 32 x 32"),
    ]:
        assert line in refused(cifar10.check_images, wrong_images, wrong_labels, "it")


# The download


class Handler(http.server.BaseHTTPRequestHandler):
    content = b""
    claimed = 0

    def do_GET(self) -> None:
        if self.path != "/there":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(self.claimed))
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def server(archive: Path) -> Iterator[tuple[type[Handler], str]]:
    content = archive.read_bytes()
    handler = type("Serves", (Handler,), {"content": content, "claimed": len(content)})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield handler, f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()
        thread.join()


def test_the_archive_is_downloaded_prepared_and_loaded(
    server: tuple[type[Handler], str], archive: Path, made: Arrays, tmp_path: Path
) -> None:
    handler, url = server
    data = tmp_path / "odd 'data'\n"
    reported: list[tuple[str, int, int]] = []
    dataset = prepare_dataset(
        "cifar10",
        data,
        download=Archive(f"{url}/there", hashlib.md5(archive.read_bytes()).hexdigest()),
        progress=lambda *at: reported.append(at),
    )
    assert_is(dataset, made)
    assert ("downloading CIFAR-10 (bytes)", handler.claimed, handler.claimed) in reported
    assert reported[-1] == ("reading CIFAR-10 (files)", 6, 6)
    assert {file.name for file in data.iterdir()} == {"cifar10.npz", "cifar-10-python.tar.gz"}
    # What was downloaded is found from now on.
    assert sources.find_cifar10(data) == data / "cifar-10-python.tar.gz"
    loaded = load_dataset("cifar10", data)
    assert_is(loaded, made)
    assert loaded.origin == dataset.origin
    info, _ = list_datasets(data)
    assert (info.prepared, info.images) == (True, NUM_IMAGES)
    assert (info.sha256, info.origin) == (dataset.sha256, dataset.origin)


def test_a_failed_download_names_the_alternatives_and_leaves_nothing(
    server: tuple[type[Handler], str], tmp_path: Path
) -> None:
    handler, url = server
    data = tmp_path / "data"
    for address, line in [
        (f"{url}/absent", "404"),
        (f"{url}/there", "not c58f30108f718f92721af3b95e74349a"),
        ("http://127.0.0.1:9/there", "refused"),
        ("http://no-such-host.invalid/x", "cannot download"),
    ]:
        other = replace(OFFICIAL_ARCHIVE, url=address)
        message = refused(prepare_dataset, "cifar10", data, download=other)
        assert line in message
        assert "--source, or use --dataset digits" in message
        assert list(data.iterdir()) == []
    # The last of these tests that uses the server, which now promises more than it sends.
    handler.claimed += 1000
    cut_short = replace(OFFICIAL_ARCHIVE, url=f"{url}/there")
    assert "it is incomplete" in refused(prepare_dataset, "cifar10", data, download=cut_short)
    assert list(data.iterdir()) == []


# Parquet


def png(image: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def write_parquet(file: Path, images: list[Any], labels: Any, name: str = "image") -> Path:
    pq.write_table(pa.table({name: images, "label": labels}), file)
    return file


def test_parquet_as_on_hugging_face_is_read(tmp_path: Path) -> None:
    images, labels = make_images(100)
    images, labels = np.tile(images, (5, 1, 1, 1)), np.tile(labels, 5)
    encoded = [png(image) for image in images[:100].transpose(0, 2, 3, 1)]
    rows = [{"bytes": content, "path": None} for content in encoded] * 5
    (tmp_path / "hub").mkdir()
    write_parquet(tmp_path / "hub/train-00000-of-00001.parquet", rows, labels, "img")
    read_images, read_labels, origin = sources.read_cifar10(tmp_path / "hub")
    np.testing.assert_array_equal(read_images, images)
    np.testing.assert_array_equal(read_labels, labels)
    assert origin == "CIFAR-10 decoded from PNG in train-00000-of-00001.parquet"


def test_the_real_images_are_read(shared: Path) -> None:
    file = shared / "data/cifar10/train.parquet"
    images, labels, origin = sources.read_cifar10(file.parent)
    cifar10.check_images(images, labels, "it")
    assert origin.endswith("JPEG in train.parquet: re-encoded, not bit-identical to the official archive")
    np.testing.assert_allclose(images.mean(axis=(0, 2, 3)), cifar10.MEAN, atol=0.1)
    table = pq.read_table(file)
    np.testing.assert_array_equal(labels, table["label"].to_numpy())
    for row in (0, 777, 49_999):
        image = Image.open(io.BytesIO(table["image"][row].as_py()))
        for x in range(32):
            assert image.getpixel((x, 5)) == tuple(images[row, :, 5, x])
    message = refused(sources.read_cifar10, file.with_name("test.parquet"))
    assert "has 10,000 images; the 50,000 training images of CIFAR-10 are needed" in message


GOOD = png(np.zeros((32, 32, 3), np.uint8))


@pytest.mark.parametrize(
    ("bad", "line"),
    [
        (b"GIF89a", "has in row 321 no readable JPEG or PNG"),
        (GOOD[:-30], "has in row 321 no readable JPEG or PNG"),
        (None, "has in row 321 no readable JPEG or PNG"),
        (png(np.zeros((28, 28, 3), np.uint8)), "has in row 321 an image of 28 x 28 pixels, mode RGB"),
        (png(np.zeros((32, 32), np.uint8)), "has in row 321 an image of 32 x 32 pixels, mode L"),
    ],
)
def test_a_bad_image_is_named(bad: bytes | None, line: str, tmp_path: Path) -> None:
    images: list[bytes | None] = [GOOD] * NUM_IMAGES
    images[321] = bad
    file = write_parquet(tmp_path / "train.parquet", images, np.arange(NUM_IMAGES) % 10)
    assert line in refused(sources.read_cifar10, file)


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        ({"image": [GOOD]}, "has the columns image; image (or img) and label are needed"),
        ({"pixels": [GOOD], "label": [1]}, "has the columns pixels, label"),
        ({"image": ["text"], "label": [1]}, "has image of type string"),
        ({"image": [{"path": "a.png"}], "label": [1]}, "has image of type struct<path: string>"),
        ({"image": [GOOD], "label": ["cat"]}, "label of type string"),
        ({"image": [GOOD], "label": [1]}, "has 1 images"),
        (
            {"image": [GOOD] * NUM_IMAGES, "label": [None] + [1] * (NUM_IMAGES - 1)},
            "has empty labels near row 0",
        ),
    ],
)
def test_other_parquet_is_refused(columns: dict[str, list[Any]], line: str, tmp_path: Path) -> None:
    file = tmp_path / "it.parquet"
    pq.write_table(pa.table(columns), file)
    assert line in refused(sources.read_cifar10, file)


def test_damaged_parquet_is_refused(tmp_path: Path) -> None:
    file = write_parquet(tmp_path / "train.parquet", [GOOD] * NUM_IMAGES, np.arange(NUM_IMAGES) % 10)
    file.write_bytes(file.read_bytes()[:-50])
    assert "not readable Parquet" in refused(sources.read_cifar10, file)


# Prepared files


def test_what_is_missing_or_unknown_says_what_to_run(tmp_path: Path) -> None:
    assert COMMAND in refused(load_dataset, "cifar10", tmp_path)
    assert COMMAND in refused(prepare_dataset, "cifar10", tmp_path / "absent")
    assert "unknown dataset 'mnist'; there are cifar10 and digits" in refused(load_dataset, "mnist", tmp_path)
    assert "leave out the source" in refused(prepare_dataset, "digits", tmp_path, source=tmp_path)
    assert "cannot read" in refused(prepare_dataset, "cifar10", tmp_path, source=tmp_path / "absent")
    assert "no CIFAR-10 in the folder" in refused(prepare_dataset, "cifar10", tmp_path, source=tmp_path)
    info, digits = list_datasets(tmp_path)
    assert (info.name, info.images, info.prepared, info.sha256) == ("cifar10", NUM_IMAGES, False, None)
    assert COMMAND in info.origin
    assert (digits.name, digits.images, digits.prepared) == ("digits", 1797, True)


def test_a_damaged_prepared_file_is_refused(tmp_path: Path) -> None:
    images, labels = make_images(10)
    sha256 = hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()
    provenance = {"format": 1, "name": "cifar10", "images": 10, "origin": "a test", "sha256": sha256}
    file = tmp_path / "cifar10.npz"

    def write(labels: np.ndarray = labels, **changes: Any) -> None:
        np.savez(file, provenance=np.array(json.dumps(provenance | changes)), images=images, labels=labels)

    write()
    whole = file.read_bytes()
    assert load_dataset("cifar10", tmp_path).origin == "a test"
    write(labels=labels[::-1])
    message = refused(load_dataset, "cifar10", tmp_path)
    assert "its images are not those that were prepared); prepare it again" in message
    write(format=2)
    message = refused(load_dataset, "cifar10", tmp_path)
    assert "has the format 2, and this version of nasrank reads 1; prepare it again" in message
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    for content in (whole[: len(whole) // 2], bytes(flipped), b"", b"\x93NUMPY", b"text"):
        file.write_bytes(content)
        assert COMMAND in refused(load_dataset, "cifar10", tmp_path)


def test_an_object_array_is_never_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "cifar10.npz", provenance=np.array([{}], dtype=object), images=0, labels=0)
    assert "cannot be read (ValueError: Object arrays" in refused(load_dataset, "cifar10", tmp_path)


def test_a_place_that_cannot_be_written_is_one_line(archive: Path, tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("")
    assert "cannot write" in refused(prepare_dataset, "cifar10", occupied, source=archive)
    assert "cannot write" in refused(prepare_dataset, "cifar10", occupied, download=True)


# Digits, and splits


@pytest.fixture(scope="module")
def digits() -> ImageDataset:
    return load_dataset("digits", Path("unused"))


def test_digits_are_those_of_scikit_learn(digits: ImageDataset) -> None:
    from sklearn.datasets import load_digits

    raw = load_digits()
    assert digits.images.shape == (1797, 1, 8, 8)
    assert digits.images.dtype == torch.uint8
    np.testing.assert_allclose(digits.images[:, 0].numpy(), raw.images * 255 / 16, atol=0.5)
    np.testing.assert_array_equal(digits.labels.numpy(), raw.target)
    values = [float(value) for value in digits.images.flatten()]
    mean = sum(values) / len(values)
    assert digits.mean == pytest.approx((mean,))
    assert digits.std == pytest.approx(((sum((value - mean) ** 2 for value in values) / len(values)) ** 0.5,))
    assert "not CIFAR-10" in digits.origin
    # The same on every machine, or runs could not be compared.
    assert digits.sha256 == "0b7e9c3202d7bcd255d6a19a238d3743bf5e320ba74812a6679958a017c55382"
    assert prepare_dataset("digits", Path("unused")).sha256 == digits.sha256


@given(st.integers(1, 1796), st.integers(1, 1796), st.integers(0, 2**32))
def test_splits(valid_images: int, train_images: int, split_seed: int) -> None:
    dataset = load_digits_once()
    everything = split_dataset(dataset, train_images=None, valid_images=valid_images, split_seed=split_seed)
    valid, train = everything.valid.tolist(), everything.train.tolist()
    assert sorted(valid + train) == list(range(1797))
    assert len(valid) == valid_images
    assert valid == sorted(valid)
    assert train == sorted(train)
    content = (
        dataset.images[everything.valid].numpy().tobytes()
        + dataset.labels[everything.valid].numpy().tobytes()
    )
    assert everything.valid_sha256 == hashlib.sha256(content).hexdigest()
    if valid_images + train_images > 1797:
        with pytest.raises(NasrankError, match="it has 1,797; ask for fewer"):
            split_dataset(
                dataset, train_images=train_images, valid_images=valid_images, split_seed=split_seed
            )
        return
    part = split_dataset(dataset, train_images=train_images, valid_images=valid_images, split_seed=split_seed)
    assert part.valid.tolist() == valid
    assert part.valid_sha256 == everything.valid_sha256
    assert len(part.train) == train_images
    assert set(part.train.tolist()) <= set(train)
    if train_images > 1:
        fewer = split_dataset(
            dataset, train_images=train_images - 1, valid_images=valid_images, split_seed=split_seed
        )
        assert set(fewer.train.tolist()) < set(part.train.tolist())


@cache
def load_digits_once() -> ImageDataset:
    return load_dataset("digits", Path("unused"))


def test_the_split_of_a_seed_never_changes(digits: ImageDataset) -> None:
    split = split_dataset(digits, train_images=None, valid_images=300, split_seed=0)
    assert split.valid[:5].tolist() == [2, 3, 11, 13, 20]
    other = split_dataset(digits, train_images=None, valid_images=300, split_seed=1)
    assert other.valid.tolist() != split.valid.tolist()
    # No class is missing from a random tenth.
    assert set(digits.labels[split.valid].tolist()) == set(range(10))


@pytest.mark.parametrize(
    ("train_images", "valid_images", "split_seed"), [(None, 0, 0), (0, 5, 0), (-1, 5, 0), (None, 5, -1)]
)
def test_splits_need_images_and_a_seed(
    digits: ImageDataset, train_images: int | None, valid_images: int, split_seed: int
) -> None:
    with pytest.raises(NasrankError, match="at least one image of each and a seed from 0 are needed"):
        split_dataset(digits, train_images=train_images, valid_images=valid_images, split_seed=split_seed)
    with pytest.raises(NasrankError, match="at least 1 training and 1797 validation"):
        split_dataset(digits, train_images=None, valid_images=1797, split_seed=0)


# Smaller images


def slow_average(image: np.ndarray, size: int) -> list[list[int]]:
    """One channel [side, side], one block at a time; Python rounds a fraction's half to even."""
    block = len(image) // size
    return [
        [
            round(
                Fraction(
                    sum(
                        int(image[row * block + down, column * block + right])
                        for down in range(block)
                        for right in range(block)
                    ),
                    block**2,
                )
            )
            for column in range(size)
        ]
        for row in range(size)
    ]


@fewer_examples
@given(
    shape=st.sampled_from([(32, 8), (32, 16), (32, 32), (8, 8), (24, 8), (24, 12), (48, 8)]),
    channels=st.sampled_from([1, 3]),
    # Of few values many blocks lie halfway between two numbers.
    values=st.sampled_from([(0, 2), (0, 256), (253, 256)]),
    seed=st.integers(0, 2**32 - 1),
)
def test_averages_agree_with_the_loop(
    shape: tuple[int, int], channels: int, values: tuple[int, int], seed: int
) -> None:
    side, size = shape
    images = np.random.default_rng(seed).integers(*values, (2, channels, side, side)).astype(np.uint8)
    averaged = average_blocks(torch.from_numpy(images), size)
    assert averaged.dtype == torch.uint8
    assert averaged.tolist() == [[slow_average(channel, size) for channel in image] for image in images]


@pytest.mark.parametrize(
    ("block", "mean"),
    [
        ([[0, 0], [1, 1]], 0),
        ([[1, 2], [1, 2]], 2),
        ([[2, 2], [3, 3]], 2),
        ([[254, 255], [255, 254]], 254),
        ([[255, 255], [255, 255]], 255),
        ([[0, 1], [1, 1]], 1),
        ([[0, 0], [0, 1]], 0),
    ],
)
def test_halves_go_to_the_even_neighbour(block: list[list[int]], mean: int) -> None:
    image = np.tile(np.array(block, np.uint8), (8, 8))[None, None]
    assert average_blocks(torch.from_numpy(image), 8).unique().tolist() == [mean]


def test_smaller_images_are_the_same_data_set(tmp_path: Path) -> None:
    """Labels, digest, mean and deviation stay; the origin says that they are not what they were."""
    images, labels = make_images(100)
    whole = ImageDataset(
        "cifar10",
        torch.from_numpy(images),
        torch.from_numpy(labels),
        10,
        cifar10.CLASSES,
        cifar10.MEAN,
        cifar10.STD,
        hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest(),
        "made for a test",
    )
    assert resize_dataset(whole, None) is whole
    small = resize_dataset(whole, 16)
    assert small.images.shape == (100, 3, 16, 16)
    assert small.origin == "made for a test; averaged to 16x16 pixels"
    for field in ("name", "labels", "num_classes", "class_names", "mean", "std", "sha256"):
        assert getattr(small, field) is getattr(whole, field)
    assert torch.equal(resize_dataset(whole, 32).images, whole.images)
