"""Files are the old one or the new one, whole, whatever happens while one is written."""

from __future__ import annotations

import ast
import math
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nasrank.db.errors import NasrankError
from nasrank.db.files.reading import read_json
from nasrank.db.files.writing import atomic_write, replacing, write_json, write_parquet
from tests.samples import ROOT

# A folder of a report, which no single rename of a file can replace.
RENAMES_A_FOLDER = {"report/write.py"}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "it's a\nfile ü"
    atomic_write(path, b"content")
    assert path.read_bytes() == b"content"
    write_json(path, {"a": [1, None]})
    assert read_json(path) == {"a": [1, None]}
    table = pa.table({"a": [1, 2]})
    write_parquet(path, table)
    assert pq.read_table(path).equals(table)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("error", [OSError("disk"), KeyboardInterrupt(), NasrankError("why")])
def test_a_block_that_ends_badly_leaves_the_old_file(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def replace_half() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(type(error)):
        replace_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    atomic_write(path, b"old")
    (tmp_path / f"file.{os.getpid()}.tmp").mkdir()  # so that the temporary file cannot be opened
    with pytest.raises(NasrankError, match="cannot write"):
        atomic_write(path, b"new")
    assert path.read_bytes() == b"old"


def test_the_file_is_on_the_disk_before_its_name_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[str, bool]] = []
    path = tmp_path / "file"
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append((Path(f"/proc/self/fd/{descriptor}").resolve().name, path.exists()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    atomic_write(path, b"new")
    assert synced == [(f"file.{os.getpid()}.tmp", False), (tmp_path.name, True)]


def test_what_json_has_not_is_neither_written_nor_read(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(path, {"a": math.nan})
    assert not path.exists()
    for text in ('{"a": NaN}', '{"a": -Infinity}', "[" * 100_000, '{"a": ' + "9" * 5_000 + "}"):
        path.write_text(text)
        with pytest.raises(NasrankError, match="cannot be read"):
            read_json(path)


def renames(path: Path) -> list[int]:
    """Lines that rename a file, such as `a.replace(b)` and `os.replace(a, b)`, or make a temporary one."""
    lines = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        owner = node.func.value.id if isinstance(node.func.value, ast.Name) else ""
        call = f"{owner}.{node.func.attr}"
        of_path = node.func.attr in ("replace", "rename") and len(node.args) == 1 and not node.keywords
        if of_path or call in ("os.replace", "os.rename", "shutil.move", "tempfile.mkstemp"):
            lines.append(node.lineno)
    return lines


@pytest.mark.parametrize("folder", ["app", "report", "trainer", "db"])
def test_nothing_else_writes_and_renames(folder: str) -> None:
    found = {
        path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*.py") if renames(path)
    } - RENAMES_A_FOLDER
    assert found == ({"db/files/writing.py"} if folder == "db" else set())


def test_a_rename_is_found(tmp_path: Path) -> None:
    file = tmp_path / "file.py"
    file.write_text('part.replace(path)\nos.replace(a, b)\ntext.replace("a", "b")\nreplace(row, a=1)\n')
    assert renames(file) == [1, 2]
