"""What a monitor sees of runs that begin, train, predict, die, end or are damaged; it reads little."""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nasrank.db.runs import monitor as runs_monitor
from nasrank.db.runs.format import EPOCH_SCHEMA
from nasrank.db.runs.holders import STALE_SECONDS, Holder
from nasrank.db.runs.monitor import RunsMonitor, RunsSeen, SeenRun
from nasrank.db.runs.status import RunStatus
from tests.samples import write_run_folder

ELSEWHERE = replace(Holder.this_process(), host="node7", machine="another boot", slurm_job="4711_3")
GONE = replace(Holder.this_process(), started="1")


class Clock:
    """The time, as the test has it."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


class Watched:
    """A monitor whose every look is a new one."""

    def __init__(self, runs_dir: Path) -> None:
        self.clock = Clock()
        self.monitor = RunsMonitor(runs_dir, self.clock)

    def look(self, ingested: dict[str, float] | None = None) -> RunsSeen:
        self.clock.now += 10
        return self.monitor.look(ingested or {})

    def run(self, ingested: dict[str, float] | None = None) -> SeenRun:
        [run] = self.look(ingested).runs
        return run


def write_run(runs_dir: Path, seed: int = 0, **changes: Any) -> Path:
    """A run of 20 epochs that stands as `changes` to its status say."""
    folder = write_run_folder(runs_dir, {}, seed=seed)
    for path in folder.glob("predictions-*"):
        path.unlink()
    change_status(folder, **{"finished_at": None, "status": "running", "epoch": 5} | changes)
    return folder


def change_status(folder: Path, **changes: Any) -> None:
    path = folder / "status.json"
    status = json.loads(path.read_text()) | changes
    written = path.with_name("status.json.tmp")
    written.write_text(json.dumps(status))
    written.replace(path)


def write_claim(
    folder: Path, holder: Holder | None = None, *, age: float = 0.0, released: bool = False, number: int = 1
) -> None:
    path = folder / f"claim-{number}.json"
    about = {"holder": asdict(holder or Holder.this_process()), "released": released}
    path.write_text(json.dumps(about))
    os.utime(path, (time.time() - age,) * 2)


def write_request(folder: Path, architectures: int) -> None:
    request = {"format": 1, "arch_ids": list(range(architectures)), "ground_truth_keys": []}
    (folder / "architectures.json").write_text(json.dumps(request))


def test_a_run_that_trains(tmp_path: Path) -> None:
    folder = write_run(tmp_path, message=None)
    write_claim(folder, age=7)
    watched = Watched(tmp_path)
    run = watched.run()
    assert (run.run_id, run.state, run.message) == (folder.name, "running", None)
    assert isinstance(run.status, RunStatus)
    assert (run.status.epoch, run.status.epochs, run.status.images_per_second) == (5, 20, 1600)
    assert run.holder == str(Holder.this_process())
    assert run.silent_seconds == pytest.approx(7 + 10, abs=3)
    assert run.evaluating is None


def test_the_time_left_is_that_of_the_recent_epochs(tmp_path: Path) -> None:
    folder = write_run(tmp_path)
    write_claim(folder)
    seconds = [100.0, 100.0, 10.0, 12.0, 11.0, 13.0, 9.0]
    rows = [
        dict.fromkeys(EPOCH_SCHEMA.names, 0.5) | {"epoch": epoch, "seconds": took}
        for epoch, took in enumerate(seconds, 1)
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=EPOCH_SCHEMA), folder / "epochs.parquet")
    watched = Watched(tmp_path)

    def left(**changes: Any) -> float | None:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(watched.clock.now + 10))
        change_status(folder, **{"epoch": 7, "updated_at": stamp} | changes)
        return watched.run().training_seconds_left

    assert left() == pytest.approx(13 * 11, abs=1.1)
    assert watched.run().training_seconds_left == pytest.approx(13 * 11 - 10, abs=1.1)
    watched.clock.now += 1000  # in an epoch that takes longer, its end is no more than expected
    assert watched.run().training_seconds_left == pytest.approx(12 * 11)
    assert left(epoch=20) == 0
    (folder / "epochs.parquet").write_bytes(b"PAR1")
    assert left() is None


def test_predicting_is_counted_and_its_end_estimated(tmp_path: Path) -> None:
    folder = write_run(tmp_path, epoch=20)
    write_claim(folder)
    write_request(folder, 50)
    partial = folder / "predictions-20-batch.partial.jsonl"
    partial.write_text("{}\n" * 10)
    watched = Watched(tmp_path)
    first = watched.run().evaluating
    assert first is not None
    assert (first.epoch, first.bn_mode, first.done, first.total) == (20, "batch", 10, 50)
    assert first.seconds_left is None
    with partial.open("a") as file:
        file.write("{}\n" * 10 + '{"torn')
    second = watched.run().evaluating
    assert second is not None
    assert second.done == 20
    assert second.seconds_left == pytest.approx(30 * 10 / 10)


def test_during_training_nobody_knows_how_many_there_will_be(tmp_path: Path) -> None:
    folder = write_run(tmp_path)
    write_claim(folder)
    write_request(folder, 50)
    (folder / "predictions-5-running.partial.jsonl").write_text("{}\n" * 3)
    evaluating = Watched(tmp_path).run().evaluating
    assert evaluating is not None
    assert (evaluating.done, evaluating.total, evaluating.seconds_left) == (3, None, None)


def test_dead_runs_are_told_apart(tmp_path: Path) -> None:
    """Killed here; silent elsewhere; living elsewhere, of which nothing else can be known; copied."""
    folders = [write_run(tmp_path, seed) for seed in range(4)]
    write_claim(folders[0], GONE)
    write_claim(folders[1], ELSEWHERE, age=STALE_SECONDS + 1)
    write_claim(folders[2], ELSEWHERE, age=STALE_SECONDS - 60)
    seen = {run.run_id: run for run in Watched(tmp_path).look().runs}
    killed, silent, living, copied = (seen[folder.name] for folder in folders)
    assert (killed.state, killed.message) == ("dead", f"{GONE} was killed")
    assert killed.training_seconds_left is None
    assert silent.state == "dead"
    assert silent.message == f"{ELSEWHERE} was not heard of for more than 120 seconds"
    assert silent.silent_seconds == pytest.approx(STALE_SECONDS + 11, abs=3)
    assert (living.state, living.holder) == ("running", str(ELSEWHERE))
    assert copied.state == "dead"
    assert "nobody works on it" in str(copied.message)


def test_before_the_first_status(tmp_path: Path) -> None:
    for name in ("begun", "killed", "refused", "slurm"):
        (tmp_path / name).mkdir()
    (tmp_path / "notes.txt").write_text("no folder")
    write_claim(tmp_path / "begun")
    write_claim(tmp_path / "killed", GONE)
    write_claim(tmp_path / "refused", released=True)
    seen = {run.run_id: run.state for run in Watched(tmp_path).look().runs}
    assert seen == {"begun": "begun", "killed": "dead", "refused": "interrupted"}


def test_ended_runs_are_only_counted_and_those_to_ingest_named(tmp_path: Path) -> None:
    finished, failed, ingested = (write_run(tmp_path, seed) for seed in range(3))
    change_status(finished, status="finished")
    change_status(failed, status="failed", failed_epoch=3)
    change_status(ingested, status="finished")
    watched = Watched(tmp_path)
    seen = watched.look({ingested.name: time.time() + 1})
    assert seen.runs == ()
    assert seen.ended == 3
    assert seen.to_ingest == tuple(sorted([finished.name, failed.name]))
    shutil.rmtree(failed)
    assert watched.look({ingested.name: time.time() + 1}).to_ingest == (finished.name,)


def test_an_interrupted_run_says_why(tmp_path: Path) -> None:
    write_claim(write_run(tmp_path, status="interrupted", message="stopped, and saved"), released=True)
    run = Watched(tmp_path).run()
    assert (run.state, run.message) == ("interrupted", "stopped, and saved")


def test_a_run_that_was_deleted_and_begun_again_counts_as_it_is(tmp_path: Path) -> None:
    folder = write_run(tmp_path)
    write_claim(folder)
    before = (folder / "status.json").stat().st_mtime - 60
    assert Watched(tmp_path).run({folder.name: before}).state == "running"


def test_a_finished_run_to_which_predictions_are_added_is_running(tmp_path: Path) -> None:
    folder = write_run(tmp_path, status="finished", epoch=20)
    write_claim(folder, released=True)
    watched = Watched(tmp_path)
    ingested = {folder.name: time.time()}
    assert watched.look(ingested).runs == ()
    time.sleep(0.02)  # longer than the file system's clock ticks
    write_claim(folder, number=2)
    change_status(folder, seconds_evaluation=51.0)
    assert watched.run(ingested).state == "running"
    write_claim(folder, number=2, released=True)
    assert watched.look(ingested).runs == ()


@pytest.mark.parametrize("content", [b"", b'{"status": "runn', b"[]", b"\xff\xfe", b'{"format": 2}'])
def test_a_half_written_status_is_said_and_read_again(tmp_path: Path, content: bytes) -> None:
    folder = write_run(tmp_path)
    write_claim(folder)
    whole = (folder / "status.json").read_bytes()
    (folder / "status.json").write_bytes(content)
    watched = Watched(tmp_path)
    run = watched.run()
    assert run.state == "unreadable"
    assert "status.json" in str(run.message)
    (folder / "status.json").write_bytes(whole)
    assert watched.run().state == "running"


@pytest.mark.parametrize(
    "change",
    [
        {"epoch": "5"},
        {"epochs": None},
        {"updated_at": "noon"},
        {"updated_at": 5},
        {"images_per_second": "fast"},
        {"message": ["why"]},
        {"status": None},
        {"pid_of": 3},
    ],
)
def test_a_status_that_was_edited_wrongly_is_said(tmp_path: Path, change: dict[str, Any]) -> None:
    write_claim(write_run(tmp_path, **change))
    run = Watched(tmp_path).run()
    assert run.state == "unreadable"
    [field] = change
    assert f"status.json: {field} is " in str(run.message) or f'"{field}" is unknown' in str(run.message)


def test_a_status_that_no_run_has_is_said(tmp_path: Path) -> None:
    write_run(tmp_path, status="merry")
    run = Watched(tmp_path).run()
    assert run.state == "unreadable"
    assert '"merry"; it must be running or interrupted or finished or failed;' in str(run.message)


def test_runs_that_were_submitted_to_slurm_and_have_not_begun(tmp_path: Path) -> None:
    begun = write_run(tmp_path)

    def submit(name: str, jobs: dict[str, list[str]], cancelled: list[str]) -> None:
        (tmp_path / "slurm" / name).mkdir(parents=True, exist_ok=True)
        path = tmp_path / "slurm" / name / "jobs.json"
        path.write_text(json.dumps({"jobs": jobs, "cancelled": cancelled}))

    submit("1", {"7_0": [begun.name, "waits"], "7_1": ["cancelled", "again"]}, ["7_1"])
    submit("2", {"8": ["again"], "9": ["ingested"]}, [])
    (tmp_path / "slurm" / "3").mkdir()
    (tmp_path / "slurm" / "3" / "jobs.json").write_text("{")
    watched = Watched(tmp_path)
    seen = watched.look({"ingested": 0.0})
    assert seen.submitted == ("again", "waits")
    assert [run.run_id for run in seen.runs] == [begun.name]
    submit("2", {"8": ["again"], "9": ["ingested"]}, ["8"])
    assert watched.look({"ingested": 0.0}).submitted == ("waits",)


def test_a_missing_folder_is_said_and_seen_when_it_comes(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "runs")
    assert watched.look().problem == f"there is no folder {tmp_path / 'runs'}"
    write_run(tmp_path / "runs")
    assert watched.look().problem is None
    assert watched.run().state == "dead"
    no_folder = tmp_path / "file"
    no_folder.write_text("")
    assert "cannot be read: Not a directory" in str(Watched(no_folder).look().problem)


def test_only_what_changed_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [write_run(tmp_path, seed) for seed in range(5)]
    for folder in folders[:3]:
        change_status(folder, status="finished")
    read: list[str] = []
    monkeypatch.setattr(
        runs_monitor,
        "read_status",
        lambda folder, whole=runs_monitor.read_status: read.append(folder.name) or whole(folder),
    )
    watched = Watched(tmp_path)
    watched.look({folders[0].name: time.time() + 1})
    assert sorted(read) == sorted(folder.name for folder in folders[1:])
    read.clear()
    watched.look()
    assert read == []
    change_status(folders[4], epoch=6)
    watched.look()
    assert read == [folders[4].name]


def test_looks_rest_as_long_as_they_took_and_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    looks: list[float] = []

    def slow(runs_dir: Path) -> dict[str, Any]:
        looks.append(clock.now)
        clock.now += 5
        return {}

    monkeypatch.setattr(runs_monitor, "status_files", slow)
    monitor = RunsMonitor(tmp_path, clock)
    while len(looks) < 3:
        monitor.look({})
        clock.now += 1
    assert [later - earlier for earlier, later in pairwise(looks)] == [50, 50]
