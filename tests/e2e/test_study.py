"""Studies through the installed command: side by side, with a failure, killed, stopped and continued."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

import pandas as pd
import pytest

from nasrank.db.warehouse.file import Warehouse
from tests.e2e.studies import epochs_done, nasrank, run_statuses, start, status, wait_for, write_study


def locked(folder: Path) -> bool:
    """Whether a process works on some run."""
    return bool(status(folder)["counts"]["running"])


@pytest.mark.slow
def test_a_failed_run_does_not_stop_the_others(folder: Path) -> None:
    write_study(folder, seeds="[0, 1]", rates="[1e30, 0.1]")
    before = status(folder)
    assert before["counts"] == dict.fromkeys(before["counts"], 0) | {"missing": 4}
    assert before["seconds_left"] is None
    result = nasrank(folder, "study", "run", "my study.toml", "--jobs", "2", "--threads", "2", code=1)
    lines = result.stderr.splitlines()
    assert "(4 missing); 4 to do, 2 at a time with 1 CPU thread(s) each" in lines[0]
    assert sum(line.endswith(" begins") for line in lines) == 4
    assert sum(" failed: training diverged" in line for line in lines) == 2
    assert lines[-1].startswith("error: 2 of 4 runs finished, 2 failed; not done: digits-tiny-")
    after = status(folder)
    assert after["counts"] == dict.fromkeys(before["counts"], 0) | {"finished": 2, "failed": 2}
    assert after["seconds_left"] == 0
    for run in after["runs"]:
        if run["state"] == "failed":
            assert "the loss of epoch 1 is not finite" in run["message"]
        else:
            assert (run["epoch"], run["message"]) == (2, None)
            assert run["seconds"] > 0
    ingested = Warehouse(folder / "nasrank.duckdb").query(
        "SELECT run_id, status FROM run WHERE seed IS NOT NULL ORDER BY ALL"
    )
    assert list(ingested.itertuples(index=False, name=None)) == sorted(
        (run["run_id"], run["state"]) for run in after["runs"]
    )

    published = (folder / "nasrank.duckdb").read_bytes()
    files = {path: path.read_bytes() for path in folder.glob("runs/*/*")}
    again = nasrank(folder, "study", "run", "my study.toml", code=1).stderr
    assert "(2 finished, 2 failed); 0 to do" in again
    assert "begins" not in again
    assert {path: path.read_bytes() for path in folder.glob("runs/*/*")} == files
    assert (folder / "nasrank.duckdb").read_bytes() == published, "nothing new, nothing written"

    table = nasrank(folder, "study", "status", "my study.toml")
    assert table.stdout.splitlines()[1].split() == [
        "learning",
        "rates",
        "4",
        "2",
        "0",
        "0",
        "0",
        "2",
        "0",
        "0",
    ]
    assert table.stderr.count("is failed, 0 of 2 epochs done; training diverged") == 2


@pytest.mark.slow
def test_killed_stopped_and_resumed_it_ends_as_undisturbed(folder: Path) -> None:
    """SIGKILL to the study, after which its workers save; then Ctrl-C; then the rest."""
    write_study(folder, seeds="[0, 1]", epochs=150)
    command = ("my study.toml", "--jobs", "2", "--threads", "2")
    process = start(folder, "study", "run", *command)
    wait_for(lambda: len(epochs_done(folder)) == 2 and min(epochs_done(folder)) > 0)
    assert status(folder)["counts"]["running"] == 2
    process.kill()
    process.communicate()
    wait_for(lambda: not locked(folder))
    assert [content["status"] for content in run_statuses(folder)] == ["interrupted"] * 2
    assert all("saved" in content["message"] for content in run_statuses(folder))

    process = start(folder, "study", "resume", *command)
    wait_for(lambda: [content["status"] for content in run_statuses(folder)] == ["running"] * 2)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert errors.count(" goes on") == 2
    assert errors.count(" is stopped, with ") == 2
    assert errors.splitlines()[-1].startswith("error: interrupted: 0 of 2 runs finished")
    assert "Traceback" not in errors
    stopped = status(folder)
    assert stopped["counts"]["interrupted"] == 2
    assert all(0 < run["epoch"] < 150 for run in stopped["runs"])
    assert stopped["seconds_left"] > 0

    shutil.rmtree(folder / "runs" / stopped["runs"][1]["run_id"])
    resumed = nasrank(folder, "study", "resume", "my study.toml", "--threads", "1")
    assert "1 to do" in resumed.stderr
    assert status(folder)["counts"] | {"finished": 1, "missing": 1} == status(folder)["counts"]
    [run_id] = [run["run_id"] for run in status(folder)["runs"] if run["state"] == "finished"]
    found = pd.read_parquet(folder / "runs" / run_id / "predictions-150-running.parquet")

    shutil.rmtree(folder / "runs")
    write_study(folder, epochs=150)
    nasrank(folder, "study", "run", "my study.toml", "--threads", "1", "--no-ingest")
    undisturbed = pd.read_parquet(folder / "runs" / run_id / "predictions-150-running.parquet")
    pd.testing.assert_frame_equal(found, undisturbed)


def test_what_would_fail_every_run_is_said_at_once(folder: Path) -> None:
    write_study(folder)
    for said, arguments in {
        "no warehouse at missing.duckdb": ("--warehouse", "missing.duckdb"),
        "choose auto, cpu, cuda": ("--device", "tpu"),
    }.items():
        result = nasrank(folder, "study", "run", "my study.toml", *arguments, code=1)
        assert said in result.stderr.splitlines()[-1]
    assert "nasrank-train data cifar10" in nasrank(folder, "study", "run", "small", code=1).stderr
    text = (folder / "my study.toml").read_text()
    (folder / "my study.toml").write_text('ground_truth = ["cifar11/test"]\n' + text)
    assert (
        "'cifar11/test' is no ground-truth key"
        in nasrank(folder, "study", "run", "my study.toml", code=1).stderr
    )
    assert not (folder / "runs").exists()


def test_list_shows_what_is_shipped(folder: Path) -> None:
    rows = json.loads(nasrank(folder, "study", "list", "paper", "--json").stdout)
    assert len(rows) == 121
    assert {row["runs"] for row in rows} == {5}
    table = nasrank(folder, "study", "list", "small")
    assert "9 experiments, seeds 0, 1: 18 runs" in table.stderr
    assert len(table.stdout.splitlines()) == 10
    [line] = nasrank(folder, "study", "list", "big", code=1).stderr.splitlines()
    assert line.startswith("error: no study file big; ")


@pytest.mark.slow
def test_debug_does_the_runs_in_the_commands_own_process(folder: Path) -> None:
    write_study(folder, rates="[1e30, 0.1]")
    result = nasrank(folder, "study", "run", "my study.toml", "--launcher", "debug", code=1)
    assert "error: 1 of 2 runs finished, 1 failed; not done: digits-tiny-" in result.stderr
    assert not list(folder.glob("runs/*/worker.log"))
    holders = [json.loads(path.read_text())["holder"] for path in folder.glob("runs/*/claim-1.json")]
    assert len(holders) == 2
    assert holders[0] == holders[1], "one process"
    assert len(Warehouse(folder / "nasrank.duckdb").query("SELECT * FROM run WHERE seed IS NOT NULL")) == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--gpus", "1"), "options of Slurm are given; give --launcher slurm"),
        (("--launcher", "debug", "--runs-per-job", "2"), "options of Slurm are given"),
        (("--launcher", "slurm", "--jobs", "2"), "--jobs and --threads are of this machine"),
        (("--launcher", "slurm", "--sbatch", "=x"), "give name=value, such as qos=low"),
        (("--launcher", "slurm", "--time", "4"), "'--time': Input should be greater than or equal to 5"),
        (("--launcher", "pbs"), "'pbs' is not one of 'local', 'slurm', 'debug'"),
    ],
)
def test_options_that_do_not_fit_the_launcher_are_refused(
    folder: Path, options: tuple[str, ...], said: str
) -> None:
    write_study(folder)
    assert said in nasrank(folder, "study", "run", "my study.toml", *options, code=2).stderr
    assert not (folder / "runs").exists()
