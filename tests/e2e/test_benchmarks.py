"""The benchmarks, at a size that takes seconds: whole results, and the same work on both sides."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nasrank.db.warehouse.untrained import PREDICTORS
from tests.samples import ROOT

SCRIPTS = ROOT / "scripts"


def bench(script: str, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, SCRIPTS / script, *arguments, "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_evaluation_is_compared_with_the_same_work() -> None:
    result = bench(
        "bench_evaluation.py",
        *["--channels", "2", "--images", "24", "--sample", "3", "--repetitions", "2", "--threads", "1"],
    )
    assert [row["name"] for row in result["rows"]] == [
        "baseline",
        "plain modules",
        "fast",
        "fast bfloat16",
        "plain modules, batch",
        "fast, batch",
        "plain modules, recalibrated",
        "fast, recalibrated",
    ]
    for row in result["rows"]:
        assert row["rate_range"][0] <= row["rate"] <= row["rate_range"][1]
        assert 0 < row["ratio_range"][0] <= row["ratio"] <= row["ratio_range"][1]
    assert result["rows"][0]["ratio"] == 1
    assert (result["architectures_compared"], result["different_counts"]) == (9, 0)
    assert result["peak_megabytes"] < 1_500


def test_the_baseline_trains_the_same_weights() -> None:
    options = "--channels 4 --batch-size 8 --steps 10 --repetitions 2 --device cpu --threads 1"
    result = bench("bench_training.py", *options.split())
    # After two updates; of the way that the weights went, another path or image would be a good part.
    assert 0 < result["weights_apart"] < 1e-3
    assert (result["threads"], result["channels"], result["batch_size"]) == (1, 4, 8)
    assert (result["steps"], result["repetitions"], result["cells_per_stage"]) == (10, 2, 1)
    assert result["torch"]
    assert result["device"].startswith("cpu: ")
    rows = {row["name"]: row for row in result["rows"]}
    assert list(rows) == [
        "baseline",
        "nasrank float32",
        "nasrank bfloat16",
        "groups float32",
        "groups bfloat16",
        "convolutions alone",
    ]
    for row in rows.values():
        for value in ("images_per_second", "ratio"):
            least, most = row[f"{value}_range"]
            assert 0 < least <= row[value] <= most
    assert rows["baseline"]["ratio_range"] == [1, 1]
    assert rows["groups float32"]["megabytes_a_step"] > rows["nasrank float32"]["megabytes_a_step"]
    assert rows["nasrank float32"]["megabytes_a_step"] > rows["convolutions alone"]["megabytes_a_step"] > 0
    assert result["copied_megabytes_per_second"] > 0


@pytest.mark.slow
def test_runs_at_a_time_are_added_up() -> None:
    options = "--jobs 2 --seconds 1 --repetitions 1 --batch-size 16 --device cpu"
    result = bench("bench_jobs.py", *options.split())
    assert (result["size"], result["batch_size"], result["repetitions"]) == ("tiny", 16, 1)
    [row] = result["rows"]
    assert (row["jobs"], row["ratio"]) == (2, 1)
    assert row["images_per_second"] > 0


@pytest.mark.slow
def test_the_warehouse_answers_for_all_that_was_ingested(tmp_path: Path) -> None:
    options = ("--runs", "5", "--whole", "5", "--repetitions", "1", "--folder", str(tmp_path))
    result = bench("bench_warehouse.py", *options)
    assert result["runs"] == [5, 5]
    assert result["predictions"] == 5 * 2_225 + 5 * 15_625
    rows = {name: row["rows"] for name, row in result["queries"].items()}
    untrained = len(PREDICTORS)
    assert rows["dashboard: experiments"] == 3 + untrained, "two, and one for the single publications"
    assert rows["dashboard: runs"] == 11
    assert rows["whole-space τ"] == rows["whole-space τ, another key"] == 5 + untrained
    assert rows["dashboard: incomplete sets"] == 0
    assert min(row["seconds"] for row in result["queries"].values()) > 0


@pytest.mark.slow
def test_all_folders_that_appear_are_collected_once() -> None:
    result = bench("bench_watch.py", "--folders", "20", "--seconds", "1", "--predictions", "100")
    assert (result["runs"], result["predictions"]) == (20, 2_000)
    assert result["publishes"] >= 2, "two arrive file by file, later than the others"
    assert result["runs a second"] > 0
    for name in ("seconds behind", "seconds of a publish", "page view meanwhile", "page view afterwards"):
        least, greatest = result[name]["seconds_range"]
        assert 0 < least <= result[name]["seconds"] <= greatest
