"""One warehouse under several names: links, a linked folder, relative paths, hard links."""

from __future__ import annotations

import lzma
import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path

import pytest

import nasrank.db.warehouse.file
from nasrank.db.errors import NasrankError
from nasrank.db.ingest.folders import ingest
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.models import SCHEMA_REVISION
from nasrank.db.warehouse.seed import create_warehouse, seed_warehouse
from tests.conftest import RunWriter
from tests.samples import random_predictions, write_run_folder

OLD_FILE = Path(__file__).parent / "files" / "0001.duckdb.xz"
RUNS = "SELECT count(*) AS n FROM run WHERE seed IS NOT NULL"


def link(path: Path, target: Path | str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(target)
    return path


def through_a_folder(file: Path, elsewhere: Path) -> Path:
    return link(elsewhere / "folder", file.parent) / file.name


NAMES: dict[str, Callable[[Path, Path], Path]] = {
    "a link": lambda file, elsewhere: link(elsewhere / "other.duckdb", file),
    "a relative link": lambda file, elsewhere: link(elsewhere / "other.duckdb", f"../{file.name}"),
    "a link beside it": lambda file, elsewhere: link(file.with_name("other.duckdb"), file.name),
    "a link to a link": lambda file, elsewhere: link(
        elsewhere / "third.duckdb", link(elsewhere / "other.duckdb", file)
    ),
    "a linked folder": through_a_folder,
    "a relative path": lambda file, elsewhere: Path(os.path.relpath(file)),
    "dots": lambda file, elsewhere: file.parent / "elsewhere" / ".." / file.name,
}


@pytest.fixture(params=NAMES)
def other(request: pytest.FixtureRequest, warehouse: Warehouse, tmp_path: Path) -> Warehouse:
    """The same file under another name."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    return Warehouse(NAMES[request.param](warehouse.path, elsewhere))


def run_folder(tmp_path: Path, seed: int) -> Path:
    return write_run_folder(
        tmp_path / "runs", random_predictions("Zero+Pool", seed), seed=seed, mask="Zero+Pool"
    )


def test_every_name_stays_a_name_of_the_file(warehouse: Warehouse, other: Warehouse, tmp_path: Path) -> None:
    before = {path for path in tmp_path.rglob("*") if path.is_symlink()}
    assert other.identity == warehouse.identity
    ingest(other, [run_folder(tmp_path, 0)])
    ingest(warehouse, [run_folder(tmp_path, 1)])
    for name in (warehouse, other):
        assert name.query(RUNS).n[0] == 2
    assert other.identity == warehouse.identity
    assert {path for path in tmp_path.rglob("*") if path.is_symlink()} == before, "no link was replaced"
    assert len(list(tmp_path.rglob("*.lock"))) == 1


def test_all_names_have_one_lock(
    warehouse: Warehouse, other: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nasrank.db.warehouse.file, "LOCK_TIMEOUT", 0.1)
    for first, second in ((warehouse, other), (other, warehouse)):
        with (
            first.write(),
            pytest.raises(NasrankError, match="another process has been writing"),
            second.write(),
        ):
            pass


def _ingest(path: Path, folder: Path) -> None:
    ingest(Warehouse(path), [folder])


def test_writers_of_two_names_take_turns(warehouse: Warehouse, tmp_path: Path) -> None:
    other = link(tmp_path / "elsewhere" / "other.duckdb", warehouse.path)
    context = multiprocessing.get_context("spawn")
    writers = [
        context.Process(target=_ingest, args=(path, run_folder(tmp_path, seed)))
        for seed, path in enumerate((warehouse.path, other))
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert warehouse.query(RUNS).n[0] == 2


def test_a_reader_through_a_link_keeps_its_state(warehouse: Warehouse, tmp_path: Path) -> None:
    other = Warehouse(link(tmp_path / "elsewhere" / "other.duckdb", warehouse.path))
    with other.read() as before:
        ingest(warehouse, [run_folder(tmp_path, 0)])
        assert before.execute("SELECT count(*) FROM run WHERE seed IS NOT NULL").fetchone() == (0,)
    assert other.query(RUNS).n[0] == 1


def test_a_warehouse_is_made_where_a_link_leads(tmp_path: Path) -> None:
    file = tmp_path / "data" / "real.duckdb"
    name = link(tmp_path / "elsewhere" / "other.duckdb", file)
    create_warehouse(name)
    assert name.is_symlink()
    assert sorted(os.listdir(file.parent)) == ["real.duckdb", "real.duckdb.lock"]
    assert os.listdir(name.parent) == ["other.duckdb"]
    create_warehouse(name)
    assert name.is_symlink()


def test_the_backup_of_an_upgrade_lies_beside_the_file(tmp_path: Path) -> None:
    file = tmp_path / "data" / "real.duckdb"
    file.parent.mkdir()
    file.write_bytes(lzma.decompress(OLD_FILE.read_bytes()))
    name = link(tmp_path / "elsewhere" / "other.duckdb", file)
    created = Warehouse(name).create(seed_warehouse)
    assert created.upgraded_from == "0001"
    assert created.backup == file.with_name("real.schema-0001.duckdb")
    assert os.listdir(name.parent) == ["other.duckdb"]
    assert Warehouse(file).query("SELECT version_num AS n FROM alembic_version").n[0] == SCHEMA_REVISION


def test_hard_links_are_read_but_not_written(
    warehouse: Warehouse, tmp_path: Path, write_run: RunWriter
) -> None:
    name = tmp_path / "other.duckdb"
    name.hardlink_to(warehouse.path)
    folder = write_run(random_predictions("Zero+Pool", 0), mask="Zero+Pool")
    for path in (warehouse.path, name):
        assert Warehouse(path).query(RUNS).n[0] == 0
        with pytest.raises(NasrankError, match=r"has 2 names \(hard links\).*nothing was changed") as error:
            ingest(Warehouse(path), [folder])
        assert len(str(error.value).splitlines()) == 1
        with pytest.raises(NasrankError, match="hard links"):
            create_warehouse(path)
    assert name.samefile(warehouse.path)
    name.unlink()
    assert ingest(warehouse, [folder]).ingested == [folder.name]


@pytest.mark.parametrize("where", ["file", "link"])
def test_a_log_beside_any_name_is_seen(warehouse: Warehouse, tmp_path: Path, where: str) -> None:
    """DuckDB has its log beside the name under which it opened the file."""
    other = link(tmp_path / "elsewhere" / "other.duckdb", warehouse.path)
    path = warehouse.path if where == "file" else other
    path.with_name(path.name + ".wal").touch()
    with pytest.raises(NasrankError, match=rf"which left .*{path.name}.wal"):
        Warehouse(other).query("SELECT 1")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("n" * 300, "no warehouse at|was not changed"),
        ("a\0b", "no warehouse at|cannot be a warehouse's path"),
        ("loop", "no warehouse at|leads back to itself"),
        ("fifo", "no warehouse at|cannot be opened"),
    ],
)
def test_a_path_that_can_be_none_is_told(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "fifo")
    for use in (lambda w: w.query("SELECT 1"), lambda w: w.identity, lambda w: create_warehouse(w.path)):
        with pytest.raises(NasrankError, match=message):
            use(Warehouse(tmp_path / name))
