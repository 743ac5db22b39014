"""What machines do: terminals closed, disks full or read-only, memory used up, names that are no text.

Each ends in one line that says what to do, keeps what was saved, and the same command goes on.
"""

from __future__ import annotations

import json
import os
import pty
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nasrank.db.warehouse.file import Warehouse
from tests.e2e.studies import NASRANK, environment, write_study
from tests.samples import random_predictions, write_run_folder

RUN = (
    "run --dataset digits --size tiny --mask Zero+Skip+Pool --train-images 256 --valid-images 64 "
    "--batch-size 32"
)
PREDICTIONS = "predictions-{epochs}-running.parquet"


@pytest.fixture
def folder(ground_truth_file: Path, tmp_path: Path) -> Path:
    """A user's folder with a warehouse."""
    shutil.copy(ground_truth_file, tmp_path / "nasrank.duckdb")
    return tmp_path


def training(epochs: int, *more: str) -> list[str]:
    return [str(NASRANK), *RUN.split(), "--epochs", str(epochs), "--threads", "1", "--no-ingest", *more]


def run(folder: Path, command: list[str], code: int = 0) -> str:
    """What the command says on standard error."""
    told = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False)
    assert told.returncode == code, told.stderr
    assert "Traceback" not in told.stderr
    return told.stderr


def status_of(folder: Path) -> dict[str, Any]:
    """Of the only run; nothing where none was begun."""
    found = list(folder.glob("runs/*/status.json"))
    content: dict[str, Any] = json.loads(found[0].read_text()) if found else {}
    return content


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def has_trained(folder: Path) -> bool:
    return bool(status_of(folder).get("epoch", 0) >= 1)


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["run", "study run"])
def test_a_terminal_that_is_closed_saves_the_run(folder: Path, launcher: str) -> None:
    """The kernel sends SIGHUP, and refuses whatever is written from then on."""
    write_study(folder, epochs=150)
    study = [str(NASRANK), "study", "run", "my study.toml", "--threads", "1", "--no-ingest"]
    process, terminal = in_a_terminal(study if launcher == "study run" else training(150), folder)
    wait_for(lambda: has_trained(folder))
    os.close(terminal)
    _, how = os.waitpid(process, 0)
    assert os.waitstatus_to_exitcode(how) == 130
    status = status_of(folder)
    assert status["status"] == "interrupted"
    assert "saved; the same command continues" in status["message"]


def in_a_terminal(command: list[str], folder: Path) -> tuple[int, int]:
    """The process of a command whose streams are a terminal, and the terminal's other end."""
    process, terminal = pty.fork()
    if process == 0:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # which nohup has its children ignore
        os.chdir(folder)
        os.execve(command[0], command, environment())
    os.set_blocking(terminal, False)
    return process, terminal


@pytest.mark.slow
def test_a_full_disk_stops_a_run_that_goes_on_when_there_is_room(folder: Path) -> None:
    script = f"""
        mount -t tmpfs -o size=3m none runs
        head -c 2900000 /dev/zero > runs/other
        {" ".join(training(3))} && exit 1
        rm runs/other
        {" ".join(training(3))}
        cp runs/*/{PREDICTIONS.format(epochs=3)} found.parquet
    """
    told = with_mounts(folder, script)
    [problem] = [line for line in told.splitlines() if line.startswith("error: ")]
    assert "No space left on device; make room or permit it, then give the same command again" in problem
    run(folder, training(3))
    [undisturbed] = folder.glob(f"runs/*/{PREDICTIONS.format(epochs=3)}")
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "found.parquet"), pd.read_parquet(undisturbed))


@pytest.mark.slow
def test_on_a_read_only_disk_one_can_read_and_is_told_what_cannot_be_written(folder: Path) -> None:
    write_run_folder(folder / "runs", random_predictions("Zero+Skip+Pool", 0))
    commands = {
        "run": training(3)[1:],
        "ingest": ["ingest", "runs"],
        "init": ["init"],
        "report": ["report", "--out", "report"],
        "sql": ["sql", "SELECT count(*) FROM architecture"],
        "status": ["study", "status", "tiny"],
    }
    asked = "\n".join(
        f"echo '== {name}' >&2; {NASRANK} {shlex.join(command)} && code=0 || code=$?; echo exit $code >&2"
        for name, command in commands.items()
    )
    write_study(folder)
    shutil.move(folder / "my study.toml", folder / "tiny")
    script = f"""
        mount --bind . .
        mount -o remount,ro,bind . .
        cd "$PWD"
        {asked}
    """
    told = with_mounts(folder, script)
    said = dict(part.split("\n", 1) for part in told.split("== ")[1:])
    for name in ("run", "ingest", "init", "report"):
        *_, line, code = said[name].splitlines()
        assert line.startswith("error: "), said[name]
        assert "Read-only file system" in line
        assert code == "exit 1"
    assert said["sql"].endswith("exit 0\n")
    assert said["status"].endswith("exit 0\n")
    assert Warehouse(folder / "nasrank.duckdb").query("SELECT run_id FROM run WHERE seed IS NOT NULL").empty


def with_mounts(folder: Path, script: str) -> str:
    """What a script says that mounts file systems only it sees; skips where the system allows none."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rm", "true"], check=False).returncode:
        pytest.skip("mounting needs the program unshare, and a system that lets users have namespaces")
    (folder / "runs").mkdir(exist_ok=True)
    return run(folder, ["unshare", "-rm", "bash", "-eu", "-c", textwrap.dedent(script)])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of another process")
def test_memory_that_does_not_suffice_ends_a_run_in_a_line(folder: Path) -> None:
    """The limit comes while it trains: what the process has it keeps, and it gets no more."""
    process = subprocess.Popen(
        training(150), cwd=folder, env=environment(), stderr=subprocess.PIPE, text=True
    )
    wait_for(lambda: has_trained(folder))
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() - 2**28
    resource.prlimit(process.pid, resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
    _, told = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "Traceback" not in told
    assert told.splitlines()[-1].startswith("error: the memory does not suffice; what is saved stays")
    status = status_of(folder)
    assert status["status"] == "interrupted"
    assert status["message"].startswith("the memory does not suffice")


def test_names_that_are_no_unicode_are_read_and_written(folder: Path) -> None:
    """A folder copied from a system with another encoding, in the path of runs and as a run's own name."""
    good = write_run_folder(folder / "runs", random_predictions("Zero+Skip+Pool", 0))
    runs = good.parent.rename(folder / os.fsdecode(b"l\xe4ufe"))
    good = runs / good.name
    shutil.copytree(good, runs / os.fsdecode(b"l\xe4uft-" + os.fsencode(good.name)))
    ingest = [str(NASRANK), "ingest", str(runs)]
    told = run(folder, ingest, code=1)
    [problem] = [line for line in told.splitlines() if r"l\udce4uft-" in line]
    assert "a folder has the name of its run" in problem
    known = Warehouse(folder / "nasrank.duckdb").query("SELECT run_id FROM run WHERE seed IS NOT NULL")
    assert known.run_id.tolist() == [good.name]
    refused = run(folder, [str(NASRANK), "init", "--warehouse", os.fsdecode(b"h\xe4user.duckdb")], code=1)
    assert r"h\udce4user.duckdb' cannot be a warehouse's path" in refused
