"""Claims on run folders: of living, dead, silent and other machines' processes, and of many at once."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from nasrank.db.errors import NasrankError
from nasrank.db.runs import claims, holders
from nasrank.db.runs.claims import Claim
from nasrank.db.runs.holders import STALE_SECONDS, Holder, live_holder, slurm_job_id
from tests.samples import ROOT


def numbers(folder: Path) -> list[int]:
    return sorted(int(path.stem.removeprefix("claim-")) for path in folder.glob("claim-*.json"))


def write_claim(folder: Path, number: int, holder: Holder, *, age: float = 0.0) -> Path:
    """A claim as another process left it, last touched `age` seconds ago."""
    path = folder / f"claim-{number}.json"
    content = {"holder": asdict(holder), "released": False}
    path.write_text(json.dumps(content))
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def elsewhere() -> Holder:
    return replace(Holder.this_process(), host="node7", machine="another boot", slurm_job="4711_3")


def test_one_at_a_time_and_numbers_rise(tmp_path: Path) -> None:
    assert live_holder(tmp_path) is None
    first = Claim.take(tmp_path)
    assert live_holder(tmp_path) == f"process {os.getpid()} on {Holder.this_process().host}"
    with pytest.raises(NasrankError, match=f"another process works on .*: process {os.getpid()} on"):
        Claim.take(tmp_path)
    first.release()
    assert live_holder(tmp_path) is None
    assert numbers(tmp_path) == [1]
    second = Claim.take(tmp_path)
    assert numbers(tmp_path) == [2]
    second.check()
    second.release()


def test_a_process_that_died_on_this_machine_holds_nothing(tmp_path: Path) -> None:
    program = "import os, pathlib, nasrank.db.runs.claims as c; c.Claim.take(pathlib.Path.cwd()); os._exit(9)"
    paths = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=paths, check=False)
    assert numbers(tmp_path) == [1]
    assert live_holder(tmp_path) is None
    Claim.take(tmp_path).release()
    assert numbers(tmp_path) == [2]


def test_a_number_that_another_process_got_again_holds_nothing(tmp_path: Path) -> None:
    write_claim(tmp_path, 3, replace(Holder.this_process(), started="1"))
    assert live_holder(tmp_path) is None


def test_a_zombie_has_ended(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    started = holders._started(process.pid)
    deadline = time.monotonic() + 20
    while holders._started(process.pid) == started:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert holders._started(process.pid) == ""
    process.wait()


def test_another_machines_claim_ends_when_it_is_silent(tmp_path: Path) -> None:
    path = write_claim(tmp_path, 5, elsewhere(), age=STALE_SECONDS - 30)
    assert live_holder(tmp_path) == f"process {os.getpid()} on node7, Slurm job 4711_3"
    with pytest.raises(NasrankError, match="Slurm job 4711_3; wait"):
        Claim.take(tmp_path)
    os.utime(path, (time.time() - STALE_SECONDS - 1,) * 2)
    assert live_holder(tmp_path) is None
    claim = Claim.take(tmp_path)
    assert numbers(tmp_path) == [6]
    claim.release()


def test_patience_outlasts_a_silent_claim(tmp_path: Path) -> None:
    write_claim(tmp_path, 1, elsewhere(), age=STALE_SECONDS - 0.5)
    Claim.take(tmp_path, patience=30).release()
    assert numbers(tmp_path) == [2]


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"holder": {"host": 3}, "released": false}'])
def test_a_claim_without_its_content_counts_until_it_is_silent(tmp_path: Path, content: str) -> None:
    path = tmp_path / "claim-1.json"
    path.write_text(content)
    assert live_holder(tmp_path) == "a process that is just beginning"
    os.utime(path, (time.time() - STALE_SECONDS - 1,) * 2)
    assert live_holder(tmp_path) is None


def test_a_holder_touches_its_claim_and_notices_that_it_lost_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "BEAT_SECONDS", 0.02)
    losses: list[str] = []
    claim = Claim.take(tmp_path, on_loss=lambda: losses.append("lost"))
    path = tmp_path / "claim-1.json"
    os.utime(path, (0, 0))
    deadline = time.monotonic() + 20
    while path.stat().st_mtime < time.time() - STALE_SECONDS:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    claim.check()
    other = write_claim(tmp_path, 2, elsewhere())
    while not losses:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    with pytest.raises(NasrankError, match=f"took {tmp_path} over, because"):
        claim.check()
    before = other.read_text()
    claim.release()
    assert other.read_text() == before
    assert losses == ["lost"]


def _try(folder: Path, barrier: multiprocessing.synchronize.Barrier, won: multiprocessing.Queue[int]) -> None:
    barrier.wait()
    try:
        Claim.take(folder)
    except NasrankError:
        won.put(0)
    else:
        won.put(os.getpid())
    barrier.wait()  # nobody leaves, and so ends its claim, before all have tried


def test_of_many_that_see_the_same_stale_claim_one_gets_it(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    for round_number in range(10):
        folder = tmp_path / str(round_number)
        folder.mkdir()
        write_claim(folder, 4, elsewhere(), age=STALE_SECONDS + 1)
        barrier, won = context.Barrier(6), context.Queue()
        processes = [context.Process(target=_try, args=(folder, barrier, won)) for _ in range(6)]
        for process in processes:
            process.start()
        winners = [pid for _ in processes if (pid := won.get(timeout=30))]
        for process in processes:
            process.join()
        assert len(winners) == 1
        assert json.loads((folder / "claim-5.json").read_text())["holder"]["pid"] == winners[0]


def test_one_that_slept_between_looking_and_creating_gives_way(tmp_path: Path) -> None:
    """It saw claim 5 stale, others took 6, released it, and took 7 meanwhile; 6 is free to create."""
    write_claim(tmp_path, 7, Holder.this_process())
    assert not claims._create(tmp_path, 6)
    assert numbers(tmp_path) == [7]


def test_the_slurm_job_is_named_as_squeue_does(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLURM_JOB_ID", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID"):
        monkeypatch.delenv(name, raising=False)
    assert slurm_job_id() is None
    monkeypatch.setenv("SLURM_JOB_ID", "18")
    assert slurm_job_id() == "18"
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "17")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "1")
    assert slurm_job_id() == "17_1"


def test_a_folder_that_was_deleted_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    claim = Claim.take(folder)
    shutil.rmtree(folder)
    with pytest.raises(NasrankError, match="was deleted while this process worked on it"):
        claim.check()
    claim.release()
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(NasrankError, match="cannot write in the run folder"):
        Claim.take(tmp_path / "missing")
