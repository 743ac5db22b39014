"""Watching run folders: each once, when it is whole, by few looks at files, whatever happens meanwhile."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import filelock
import pytest

from nasrank.db.errors import NasrankError
from nasrank.db.ingest import watch as watch_module
from nasrank.db.ingest.folders import ingested_runs
from nasrank.db.ingest.watch import Round, Watch, watch
from nasrank.db.warehouse import file as warehouse_module
from nasrank.db.warehouse.file import Warehouse
from tests.conftest import RunWriter
from tests.hostile_folders import BREAKS, KIND_BREAKS, hostile_folders, in_time
from tests.samples import random_predictions

MASK = "Zero+Skip+Pool"
PREDICTIONS = random_predictions(MASK, 0)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def runs_dir(tmp_path: Path) -> Path:
    path = tmp_path / "runs"
    path.mkdir()
    return path


@pytest.fixture
def write(write_run: RunWriter) -> Callable[..., Path]:
    return lambda seed, **changes: write_run(PREDICTIONS, mask=MASK, seed=seed, **changes)


def test_a_run_is_ingested_once_as_it_ends(
    warehouse: Warehouse, runs_dir: Path, write: Callable[..., Path]
) -> None:
    watched = Watch(warehouse, runs_dir)
    assert watched.look().report.ingested == []
    running = write(0, status={"status": "running"})
    ended = write(1)
    first = watched.look()
    assert (first.report.ingested, first.report.unfinished) == ([ended.name], [running.name])
    assert (first.folders, first.ended, first.has_more) == (2, 1, False)
    identity = warehouse.identity
    assert watched.look().report.unfinished == []
    assert warehouse.identity == identity, "nothing new, nothing written"
    shutil.rmtree(running)
    write(0)
    assert watched.look().report.ingested == [running.name]
    assert sorted(ingested_runs(warehouse)) == sorted([running.name, ended.name])
    # One that begins anew finds them there.
    assert sorted(Watch(warehouse, runs_dir).look().report.unchanged) == sorted([running.name, ended.name])


def test_only_folders_whose_status_changed_are_read(
    warehouse: Warehouse, runs_dir: Path, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(4):
        write(seed, status={"status": "running" if seed else "finished"})
    watched = Watch(warehouse, runs_dir)
    watched.look()
    asked: list[list[Path]] = []
    original = watch_module.ingest

    def recorded(target: Warehouse, folders: list[Path], on_wait: Callable[[], None]) -> object:
        asked.append(folders)
        return original(target, folders, on_wait)

    monkeypatch.setattr(watch_module, "ingest", recorded)
    watched.look()
    folder = sorted(runs_dir.iterdir())[2]
    status = json.loads((folder / "status.json").read_text())
    (folder / "new").write_text(json.dumps(status | {"message": "another epoch"}))
    (folder / "new").rename(folder / "status.json")
    watched.look()
    assert asked == [[folder]]


def test_a_half_written_folder_is_left_for_later(
    warehouse: Warehouse, runs_dir: Path, write: Callable[..., Path], tmp_path: Path
) -> None:
    """Copied file by file, the status before the predictions; the others do not wait for it."""
    whole = write(0)
    copied = runs_dir / write(1, runs_dir=tmp_path / "elsewhere").name
    copied.mkdir()
    clock = Clock()
    watched = Watch(warehouse, runs_dir, clock)
    source = tmp_path / "elsewhere" / copied.name
    shutil.copy(source / "status.json", copied)
    assert watched.look().report.ingested == [whole.name]
    shutil.copy(source / "config.json", copied)
    assert watched.look().report.problems == {}, "not looked at again at once"
    clock.now = 2.0
    done = watched.look()
    assert list(done.report.problems) == [copied.name]
    assert done.problems == {}, "nothing that a person should hear of yet"
    for name in ("epochs.parquet", "predictions-20-running.parquet"):
        shutil.copy(source / name, copied)
    clock.now = 5.9
    assert watched.look().report.ingested == []
    clock.now = 6.0
    assert watched.look().report.ingested == [copied.name]


def test_what_stays_unusable_is_told_once_and_seldom_tried(
    warehouse: Warehouse, runs_dir: Path, write: Callable[..., Path]
) -> None:
    folder = write(0)
    (folder / "config.json").write_text("{}")
    clock = Clock()
    watched = Watch(warehouse, runs_dir, clock)
    tried, told = [], []
    while clock.now < 2000:
        done = watched.look()
        if done.report.problems:
            tried.append(clock.now)
        told += [(clock.now, problem) for problem in done.problems.values()]
        clock.now += 1
    assert tried == [0, 2, 6, 14, 30, 62, 126, 254, 510, 810, 1110, 1410, 1710]
    [(at, problem)] = told
    assert at == 30
    assert f"{folder / 'config.json'}: format is missing; this nasrank reads 1" in problem
    shutil.rmtree(folder)
    clock.now = 3000
    assert watched.look().report.problems == {}


def test_what_stays_unusable_is_told_again_if_the_folder_changes(
    warehouse: Warehouse, runs_dir: Path, write: Callable[..., Path]
) -> None:
    folder = write(0)
    (folder / "config.json").write_text("{}")
    clock = Clock()
    watched = Watch(warehouse, runs_dir, clock)
    told = []
    for now in range(400):
        clock.now = now
        if now == 200:
            status = (folder / "status.json").read_text()
            (folder / "new").write_text(status)
            (folder / "new").rename(folder / "status.json")
        told += [now for _ in watched.look().problems]
    assert told == [30, 200]
    shutil.rmtree(folder)
    write(0)
    clock.now += 1
    assert watched.look().report.ingested == [folder.name], "a changed folder is tried at once"


def test_a_watch_goes_on_beside_hostile_folders(
    warehouse: Warehouse, runs_dir: Path, write: Callable[..., Path]
) -> None:
    names = hostile_folders(runs_dir, {**BREAKS, **KIND_BREAKS})
    clock = Clock()
    watched = Watch(warehouse, runs_dir, clock)
    told: list[str] = []
    for now in (0, 10, 40, 80, 400):
        clock.now = now
        done = in_time(watched.look)
        told += done.problems
        assert done.not_published is None
    assert len(told) == len(set(told)), "each problem once"
    assert {names[name] for name in told} >= {"status.json: a FIFO", "an epoch with a zero", "900 lists"}
    assert in_time(watched.look).report.problems == {}
    good = write(0)
    assert watched.look().report.ingested == [good.name]


def test_many_folders_are_published_in_parts(
    warehouse: Warehouse, runs_dir: Path, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_module, "MOST_FOLDERS", 3)
    names = sorted(write(seed).name for seed in range(7))
    rounds: list[Round] = []
    pauses: list[float] = []

    def pause(seconds: float) -> bool:
        pauses.append(seconds)
        return len(rounds) == 4

    watch(warehouse, runs_dir, tell=rounds.append, pause=pause)
    assert [done.report.ingested for done in rounds] == [names[:3], names[3:6], names[6:], []]
    assert pauses[:2] == [0, 0], "there is more"
    assert min(pauses[2:]) >= watch_module.LOOK_SECONDS
    assert sorted(ingested_runs(warehouse)) == names


def test_a_busy_warehouse_loses_nothing(
    warehouse: Warehouse, runs_dir: Path, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warehouse_module, "LOCK_TIMEOUT", 0.1)
    folder = write(0)
    watched = Watch(warehouse, runs_dir)
    with filelock.FileLock(warehouse.path.with_name(warehouse.path.name + ".lock")):
        done = watched.look()
    assert done.not_published is not None
    assert "another process has been writing" in done.not_published
    assert watched.look().report.ingested == [folder.name]


def test_a_runs_folder_that_goes_away_may_come_back(
    warehouse: Warehouse, runs_dir: Path, write: Callable[..., Path]
) -> None:
    watched = Watch(warehouse, runs_dir)
    runs_dir.rename(runs_dir.with_name("away"))
    done = watched.look()
    assert done.not_published is not None
    assert "No such file" in done.not_published
    folder = write(0)
    assert watched.look().report.ingested == [folder.name]


def test_what_is_missing_at_first_is_said(warehouse: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(NasrankError, match="no folder of runs"):
        watch(warehouse, tmp_path / "none", tell=print, pause=lambda seconds: True)
    with pytest.raises(NasrankError, match="no warehouse at"):
        watch(Warehouse(tmp_path / "none"), tmp_path, tell=print, pause=lambda seconds: True)
