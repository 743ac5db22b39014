"""Run folders that are broken in any way are read, or refused with a line; nothing waits for them."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from nasrank.db.errors import NasrankError
from nasrank.db.runs import monitor as runs_monitor
from nasrank.db.runs.monitor import RunsMonitor, RunsSeen
from nasrank.db.runs.reader import count_rows, folder_digest, read_begun_run, read_run_folder, status_files
from tests.hostile_folders import (
    BREAKS,
    FEW,
    FIELD_BREAKS,
    KIND_BREAKS,
    Break,
    breaks,
    good_folder,
    hostile_folders,
    in_time,
    running,
)
from tests.samples import begin_run


def read_all_of(path: Path) -> None:
    """Every way to read a folder; each may refuse it."""
    for read in (folder_digest, read_run_folder, read_begun_run):
        try:
            read(path)
        except NasrankError as error:
            assert str(error).isprintable()
    for file in path.glob("*.parquet"):
        count_rows(file)


@pytest.mark.parametrize("file", sorted({said.partition(":")[0] for said in FIELD_BREAKS}))
def test_a_hostile_value_of_a_field_is_read_or_refused(tmp_path: Path, file: str) -> None:
    folder = good_folder(tmp_path)
    names = ("config.json", "status.json")
    whole = {name: (folder / name).read_bytes() for name in names}
    for said, act in FIELD_BREAKS.items():
        if said.partition(":")[0] == file:
            act(folder)
            read_all_of(folder)
            for name in names:
                (folder / name).write_bytes(whole[name])


@FEW
@given(act=breaks)
def test_any_folder_is_read_or_refused(act: Break) -> None:
    with tempfile.TemporaryDirectory() as folder:
        runs_dir = Path(folder)
        [name] = hostile_folders(runs_dir, {"drawn": act})
        in_time(lambda: read_all_of(runs_dir / name))


def look_at(runs_dir: Path, looks: int = 2) -> RunsSeen:
    """What a new monitor sees, whose texts can be shown."""
    monitor = RunsMonitor(runs_dir)
    for _ in range(looks):
        seen: RunsSeen = in_time(lambda: monitor.look({}))
    for run in seen.runs:
        run.run_id.encode()
        assert (run.message or "").isprintable()
        assert run.state != "unreadable" or run.message
    return seen


@pytest.mark.parametrize(
    ("broken", "status"), [(BREAKS, "running"), (KIND_BREAKS, "running"), (KIND_BREAKS, "finished")]
)
def test_a_monitor_sees_the_good_runs_beside_any_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: Mapping[str, Break], status: str
) -> None:
    monkeypatch.setattr(runs_monitor, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(runs_monitor, "_REST", 0)
    living = begin_run(tmp_path)
    change = running if status == "running" else lambda act: act
    names = hostile_folders(tmp_path, {said: change(act) for said, act in broken.items()})
    seen = {run.run_id: run for run in look_at(tmp_path).runs}
    assert seen[living].state == "running"
    unreadable = {names.get(name, name) for name, run in seen.items() if run.state == "unreadable"}
    if broken is KIND_BREAKS:
        of_status = {said for said in broken if said.startswith("status.json: ")} - {"status.json: nothing"}
        assert unreadable - {"claim-1.json: a link to itself"} == of_status


@FEW
@given(act=breaks)
def test_a_monitor_looks_at_any_folder(act: Break) -> None:
    with tempfile.TemporaryDirectory() as folder:
        hostile_folders(Path(folder), {"drawn": act})
        living = begin_run(Path(folder))
        assert living in {run.run_id for run in look_at(Path(folder)).runs}


def test_only_one_thread_waits_for_a_file_system_that_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = begin_run(tmp_path)
    monkeypatch.setattr(runs_monitor, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(runs_monitor, "_REST", 0)
    monitor = RunsMonitor(tmp_path)
    assert [run.run_id for run in monitor.look({}).runs] == [name]
    begun, go_on = threading.Event(), threading.Event()

    def hang(runs_dir: Path) -> dict[str, Any]:
        begun.set()
        go_on.wait(30)
        return dict(status_files(runs_dir))

    monkeypatch.setattr(runs_monitor, "status_files", hang)
    looking = threading.Thread(target=monitor.look, args=({},))
    looking.start()
    try:
        assert begun.wait(10)
        assert [run.run_id for run in in_time(lambda: monitor.look({}), 5).runs] == [name]
    finally:
        go_on.set()
        looking.join()
