"""How a study on Slurm stands, from folders and what squeue says; here squeue is a script that says it.

tests/e2e/test_slurm.py has the real one.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from nasrank.db.errors import NasrankError
from nasrank.db.runs.submissions import TASK_FORMAT
from nasrank.db.warehouse.file import Warehouse
from nasrank.trainer.studies.file import Study, StudyRun
from nasrank.trainer.studies.plan import StudyOptions
from nasrank.trainer.studies.slurm.queue import QueuedJob, queued_jobs
from nasrank.trainer.studies.slurm.submission import SlurmOptions, cancel_study, slurm_states, submit_study
from tests.trainer.studies.test_study import a_run, a_study, write_status

Squeue = Callable[[str], None]


CURRENT: Mapping[str, int] = {"task_format": TASK_FORMAT}


@pytest.fixture
def squeue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Squeue:
    """Sets what squeue prints; scancel notes its arguments in `cancelled`."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")

    def script(name: str, text: str) -> None:
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)

    script("scancel", f'echo "$@" >> "{tmp_path}/cancelled"')
    script("squeue", "")
    return lambda text: script("squeue", text)


@pytest.fixture
def runs_dir(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def submit(
    runs_dir: Path, name: str, jobs: dict[str, list[StudyRun]], told: Mapping[str, int] = CURRENT
) -> Path:
    """What a submission leaves."""
    folder = runs_dir / "slurm" / name
    folder.mkdir(parents=True)
    content = {job: [run.run_id for run in runs] for job, runs in jobs.items()}
    (folder / "jobs.json").write_text(json.dumps({**told, "jobs": content, "cancelled": []}))
    return folder


def a_study_of(*runs: StudyRun) -> Study:
    return a_study(*runs, seeds=(0,))


def test_squeue_is_read(squeue: Squeue) -> None:
    assert queued_jobs() == {}
    lines = ("12_0|RUNNING|9:51|None", "12_1|PENDING|1-00:00:00|Resources", " 13|COMPLETING|0:00|None")
    squeue("\n".join(f"echo '{line}'" for line in lines))
    assert queued_jobs() == {
        "12_0": QueuedJob("12_0", "RUNNING", "9:51", "None"),
        "12_1": QueuedJob("12_1", "PENDING", "1-00:00:00", "Resources"),
        "13": QueuedJob("13", "COMPLETING", "0:00", "None"),
    }


def test_jobs_of_another_version_are_told_with_what_to_do(squeue: Squeue, runs_dir: Path) -> None:
    """What they load on their node has other names now: they end before they begin a run."""
    runs = [a_run(learning_rate=rate) for rate in (0.1, 0.2, 0.3, 0.4, 0.5)]
    ended, waits, begun, cancelled, newer = runs
    write_status(runs_dir, ended, "interrupted")
    jobs = {"7_0": [ended], "7_1": [waits], "7_2": [begun], "7_3": [cancelled]}
    folder = submit(runs_dir, "20260101T000000-a", jobs, told={})
    content = json.loads((folder / "jobs.json").read_text())
    (folder / "jobs.json").write_text(json.dumps({**content, "cancelled": ["7_3"]}))
    submit(runs_dir, "20260102T000000-b", {"8_0": [newer]})
    squeue("echo '7_1|PENDING|10:00|Priority'; echo '7_2|RUNNING|9:00|None'; echo '8_0|PENDING|10:00|None'")
    states = slurm_states(a_study_of(*runs), runs_dir)
    of_another = "is of another version of nasrank, and cannot begin;"
    assert [(state.state, state.message) for state in states] == [
        ("lost", f"Slurm job 7_0 {of_another} `study run` submits its runs again"),
        (
            "pending",
            f"Slurm job 7_1 {of_another} `nasrank-train study cancel` and then `study run` submit its runs "
            "again",
        ),
        ("pending", "Slurm job 7_2 is running"),
        ("missing", None),
        ("pending", "Slurm job 8_0 is pending (None)"),
    ]
    assert cancel_study(a_study_of(waits), runs_dir) == ["7_1"]
    assert json.loads((folder / "jobs.json").read_text())["task_format"] == 1, "it stays what it was"


def test_a_slurm_that_does_not_answer_is_said(
    squeue: Squeue, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    squeue("echo 'slurm_load_jobs error:\nUnable to contact controller' >&2; exit 1")
    with pytest.raises(NasrankError, match="squeue failed: slurm_load_jobs error: Unable to contact"):
        queued_jobs()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NasrankError, match="Slurm does not answer: .*squeue.*from which jobs are submitted"):
        queued_jobs()


def test_without_submissions_slurm_is_not_asked(squeue: Squeue, runs_dir: Path) -> None:
    squeue("exit 1")
    assert [state.state for state in slurm_states(a_study(), runs_dir)] == ["missing", "missing"]


def test_folders_and_queue_together_tell_the_state(squeue: Squeue, runs_dir: Path) -> None:
    rates = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
    runs = [a_run(learning_rate=rate) for rate in rates]
    waits, begins, requeued, lost, lost_early, failed, untouched = runs
    for run, written in ((requeued, "interrupted"), (lost, "running"), (failed, "failed")):
        write_status(runs_dir, run, written, message="it diverged" if written == "failed" else None)
    (runs_dir / lost.run_id / "worker.log").write_text("one\ntwo\n\nthree\nfour\n")
    folder = submit(
        runs_dir,
        "20260101T000000-a",
        {"7_0": [waits, begins], "7_1": [requeued], "7_2": [lost], "7_3": [lost_early], "7_4": [failed]},
    )
    (folder / "7_3_0_log.out").write_text("slurmstepd: error: oom_kill\n")
    squeue("echo '7_0|RUNNING|9:51|None'; echo '7_1|PENDING|10:00|BeginTime'")
    states = slurm_states(a_study_of(*runs), runs_dir)
    assert [(state.state, state.message, state.job) for state in states] == [
        ("pending", "Slurm job 7_0 is running", "7_0"),
        ("pending", "Slurm job 7_0 is running", "7_0"),
        ("pending", "Slurm job 7_1 is pending (BeginTime)", "7_1"),
        ("lost", "Slurm job 7_2 has ended; its process was killed", None),
        ("lost", "Slurm job 7_3 has ended", None),
        ("failed", "it diverged", None),
        ("missing", None, None),
    ]
    assert states[3].log == ("two", "three", "four")
    assert states[4].log == ("slurmstepd: error: oom_kill",)
    assert all(state.unfinished for state in states if state.state != "failed")
    assert untouched.run_id == states[6].run.run_id


def test_the_last_submission_counts(squeue: Squeue, runs_dir: Path) -> None:
    run = a_run()
    submit(runs_dir, "20260102T000000-b", {"9": [run]})
    submit(runs_dir, "20260101T000000-c", {"7": [run]})
    squeue("echo '9|PENDING|10:00|Priority'")
    [state] = slurm_states(a_study_of(run), runs_dir)
    assert (state.state, state.job) == ("pending", "9")


def test_cancelling_ends_the_jobs_of_this_study_only(squeue: Squeue, runs_dir: Path, tmp_path: Path) -> None:
    mine, ended, other = a_run(), a_run(learning_rate=0.2), a_run(learning_rate=0.3)
    submit(runs_dir, "20260101T000000-a", {"7_0": [mine], "7_1": [ended], "8": [other]})
    squeue("echo '7_0|RUNNING|9:51|None'; echo '8|PENDING|10:00|Priority'")
    assert cancel_study(a_study_of(mine, ended), runs_dir) == ["7_0"]
    assert (tmp_path / "cancelled").read_text() == "7_0\n"
    squeue("")
    states = slurm_states(a_study_of(mine, ended, other), runs_dir)
    assert [state.state for state in states] == ["missing", "lost", "lost"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"minutes": 4}, "a job's time is 4 minutes; give at least 5"),
        ({"extra": {"output": "x"}}, "nasrank sets sbatch's output itself"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(NasrankError, match=said):
        SlurmOptions(**options)  # type: ignore[arg-type]


def test_without_submitit_it_is_said_how_to_get_it(
    warehouse: Warehouse, squeue: Squeue, runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "submitit", None)
    options = StudyOptions(runs_dir=runs_dir, data_dir=runs_dir, warehouse=warehouse)
    with pytest.raises(NasrankError, match=r"pip install 'nasrank\[slurm\]'"):
        submit_study(a_study_of(a_run()), options, SlurmOptions(), lambda line: None)
    assert not runs_dir.exists()
