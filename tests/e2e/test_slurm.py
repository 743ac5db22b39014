"""Studies on a real Slurm: disturbed in every way that clusters do, they end as a local study does."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from nasrank.db.warehouse.file import Warehouse
from nasrank.trainer.studies.file import load_study
from nasrank.trainer.studies.slurm.submission import slurm_states
from nasrank.trainer.studies.status import RunState
from tests.e2e.slurm import CPUS
from tests.e2e.studies import nasrank, start, status, wait_for, write_study

STUDY = "my study.toml"
ON_SLURM = (STUDY, "--launcher", "slurm", "--cpus", "1")

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("slurm")]


def said_by(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def queue_is_empty() -> bool:
    return not said_by("squeue", "--noheader")


def states(folder: Path) -> dict[str, RunState]:
    """As `study status` says, without its process, by the id of the run."""
    found = slurm_states(load_study(str(folder / STUDY)), folder / "runs")
    return {state.run.run_id: state for state in found}


def count(folder: Path, state: str) -> int:
    return sum(found.state == state for found in states(folder).values())


def worker_pid(folder: Path, run_id: str) -> int:
    """Of the process that does a run, as its claim says."""
    [claim] = folder.glob(f"runs/{run_id}/claim-*.json")
    holder = json.loads(claim.read_text())["holder"]
    assert holder["slurm_job"]
    return int(holder["pid"])


def log(folder: Path, job_id: str) -> str:
    [path] = folder.glob(f"runs/slurm/*/{job_id}_0_log.out")
    return path.read_text()


def limit_soon(job_id: str) -> None:
    """Set the job's limit so that Slurm tells it to save at once, well before that limit."""
    minutes = int(said_by("squeue", f"--jobs={job_id}", "--noheader", "--Format=TimeUsed").split(":")[-2])
    said_by("scontrol", "update", f"JobId={job_id}", f"TimeLimit={minutes + 3}")


def content(path: Path) -> dict[str, pd.DataFrame]:
    """What runs left in a warehouse, but for times, and where they ran."""
    warehouse = Warehouse(path)
    return {
        "runs": warehouse.query(
            """SELECT run_id, experiment_id, seed, status, optimizer_updates, valid_sha256, ground_truth_keys
            FROM run WHERE seed IS NOT NULL ORDER BY ALL"""
        ),
        "epochs": warehouse.query(
            "SELECT * EXCLUDE (seconds, images_per_second) FROM epoch_metric ORDER BY ALL"
        ),
        "predictions": warehouse.query("SELECT * FROM prediction WHERE bn_mode <> 'untrained' ORDER BY ALL"),
    }


def test_disturbed_in_every_way_it_ends_as_a_local_study(folder: Path, ground_truth_file: Path) -> None:
    """One job is preempted, one reaches its limit, one is requeued by hand, one's worker is killed."""
    write_study(folder, seeds="[0, 1]", epochs=40, rates="[0.1, 0.05]")
    said = nasrank(folder, "study", "run", *ON_SLURM, "--setup", "export SAID=setup").stderr
    assert "4 runs (4 missing); 4 to submit" in said
    warehouse = folder / "nasrank.duckdb"
    away = warehouse.rename(folder / "away.duckdb")  # no worker needs it
    shutil.copyfile(ground_truth_file, folder / "local.duckdb")
    wait_for(lambda: all(run.epoch > 0 for run in states(folder).values()))
    runs = status(folder)["runs"]
    assert {run["state"] for run in runs} == {"running"}
    assert all("until the limit of Slurm job" in run["message"] for run in runs)
    jobs = {run["job"]: run["run_id"] for run in runs}
    for run_id in jobs.values():  # or they may end undisturbed; Slurm lets go on what it tells to end
        os.kill(worker_pid(folder, run_id), signal.SIGSTOP)

    assert len(jobs) == CPUS, "so that there is no room"
    said_by("sbatch", "--partition=urgent", "--output=/dev/null", "--wrap=sleep 1")
    wait_for(lambda: count(folder, "pending") == 1)
    others = [job for job, run_id in jobs.items() if states(folder)[run_id].state == "running"]
    preempted = (jobs.keys() - set(others)).pop()
    timed_out, requeued, killed = others
    limit_soon(timed_out)
    said_by("scontrol", "requeue", requeued)
    os.kill(worker_pid(folder, jobs[killed]), signal.SIGKILL)
    wait_for(lambda: count(folder, "lost") == 1)
    lost = states(folder)[jobs[killed]]
    assert lost.message == f"Slurm job {killed} has ended; its process was killed"
    assert f"{jobs[killed]}: its process was killed by SIGKILL" in log(folder, killed)
    table = nasrank(folder, "study", "status", STUDY).stderr
    assert f"{jobs[killed]} is lost, " in table

    here = ("--runs", "local", "--warehouse", "local.duckdb", "--jobs", "2", "--threads", "2")
    local = start(folder, "study", "run", STUDY, *here)  # while Slurm takes its time
    wait_for(lambda: f"Requeued job {timed_out}" in log(folder, timed_out))
    said_by("scontrol", "update", f"JobId={timed_out}", "TimeLimit=240")
    wait_for(lambda: count(folder, "finished") == 3)
    wait_for(queue_is_empty)
    for job in (preempted, timed_out):
        assert "Caught signal SIGUSR2" in log(folder, job)
        assert f"Requeued job {job}" in log(folder, job)
    for job in (preempted, timed_out, requeued):
        assert log(folder, job).count("Starting with JobEnvironment") == 2
        assert f"{jobs[job]}: {jobs[job]} is finished" in log(folder, job)
    assert "DUE TO JOB REQUEUE" in log(folder, requeued)

    away.rename(warehouse)
    said = nasrank(folder, "study", "resume", *ON_SLURM).stderr
    assert "4 runs (3 finished, 1 lost); 1 to submit" in said
    wait_for(lambda: count(folder, "finished") == 4)
    assert "4 finished); 0 to submit" in nasrank(folder, "study", "run", *ON_SLURM).stderr
    assert "export SAID=setup" in "".join(p.read_text() for p in folder.glob("runs/slurm/*/*_submission.sh"))
    nasrank(folder, "ingest", "runs")
    found = content(warehouse)
    assert len(found["runs"]) == 4
    _, errors = local.communicate(timeout=120)
    assert local.returncode == 0, errors
    for name, rows in content(folder / "local.duckdb").items():
        pd.testing.assert_frame_equal(found[name], rows)


def test_what_waits_is_pending_is_not_submitted_twice_and_is_cancelled(folder: Path) -> None:
    write_study(folder, seeds="[0, 1, 2]")
    nasrank(folder, "study", "run", *ON_SLURM, "--runs-per-job", "2", "--sbatch", "hold")
    assert count(folder, "pending") == 3
    run = status(folder)["runs"][0]
    assert run["message"] == f"Slurm job {run['job']} is pending (JobHeldUser)"
    assert len({run.job for run in states(folder).values()}) == 2
    assert "(3 pending); 0 to submit" in nasrank(folder, "study", "run", *ON_SLURM).stderr
    assert nasrank(folder, "study", "cancel", STUDY).stderr.startswith("cancelled 2 job(s): ")
    wait_for(lambda: count(folder, "missing") == 3)
    assert nasrank(folder, "study", "cancel", STUDY).stderr == "cancelled 0 job(s)\n"


def test_what_slurm_refuses_is_said_in_a_line(folder: Path) -> None:
    write_study(folder)
    lines = nasrank(folder, "study", "run", *ON_SLURM, "--partition", "none", code=1).stderr.splitlines()
    assert lines[-1].startswith("error: Slurm did not take the jobs: ")
    assert "Invalid partition name" in lines[-1]
    assert count(folder, "missing") == 1


def test_cancelled_runs_are_saved_also_where_their_time_was_over(folder: Path) -> None:
    """Two runs that share a job, which is told to save, and cancelled before it has."""
    write_study(folder, seeds="[0, 1]", epochs=2_000)
    nasrank(folder, "study", "run", *ON_SLURM, "--runs-per-job", "2")
    wait_for(lambda: all(run.epoch > 0 for run in states(folder).values()))
    [job] = {run.job for run in states(folder).values()}
    assert job is not None
    for run_id in states(folder):
        os.kill(worker_pid(folder, run_id), signal.SIGSTOP)
    said_by("scancel", "--signal=USR2", job)
    wait_for(lambda: "Calling checkpoint method" in log(folder, job))
    nasrank(folder, "study", "cancel", STUDY)
    wait_for(lambda: count(folder, "interrupted") == 2)
    for run in states(folder).values():
        assert run.message is not None
        assert "and saved" in run.message
    wait_for(queue_is_empty)
    assert "Requeued" not in log(folder, job)
