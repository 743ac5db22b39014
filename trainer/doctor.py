"""Checks of an installation, each with what was found and what to do."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import torch

from nasrank.db.errors import NasrankError
from nasrank.db.ingest.folders import ingested_runs
from nasrank.db.runs.reader import run_folders
from nasrank.db.runs.status import read_status
from nasrank.db.warehouse.file import INTEGRITY_CHECKS, Warehouse
from nasrank.db.warehouse.ground_truth import ground_truth_keys
from nasrank.trainer.environment import choose_device, computes_bfloat16
from nasrank.trainer.images.datasets import list_datasets


@dataclass(frozen=True, slots=True)
class Check:
    """`state` is good, todo (nothing is broken, something is to be done) or bad."""

    name: str
    state: str
    finding: str


def check_everything(warehouse: Warehouse, runs_dir: Path, data_dir: Path) -> list[Check]:
    """All checks; one that fails does not keep the others from being made."""
    groups: list[tuple[str, Callable[[], Iterator[Check]]]] = [
        ("versions", _versions),
        ("device", _device),
        ("warehouse", lambda: _warehouse(warehouse)),
        ("runs", lambda: _runs(warehouse, runs_dir)),
        ("images", lambda: _images(data_dir)),
    ]
    checks: list[Check] = []
    for name, group in groups:
        try:
            checks.extend(group())
        except NasrankError as error:
            checks.append(Check(name, "bad", str(error)))
    return checks


def _versions() -> Iterator[Check]:
    names = ("nasrank", "torch", "duckdb", "sqlalchemy", "alembic", "streamlit", "altair")
    found = ", ".join(f"{name} {version(name)}" for name in names)
    yield Check("versions", "good", f"Python {sys.version.split()[0]}, {found}")


def _device() -> Iterator[Check]:
    device = choose_device("auto")
    if device.type == "cuda":
        yield Check("device", "good", f"CUDA: {torch.cuda.get_device_name()}")
    else:
        threads = f"{torch.get_num_threads()} threads on {os.cpu_count()} processors"
        yield Check("device", "good", f"CPU only, {threads}; sizes S and M want a GPU")
    if computes_bfloat16(device):
        yield Check("device", "good", "has instructions for bfloat16: --precision bfloat16 is worth a try")
    else:
        yield Check("device", "good", "no instructions for bfloat16: --precision bfloat16 is slower here")


def _warehouse(warehouse: Warehouse) -> Iterator[Check]:
    if not warehouse.path.exists():
        yield Check("warehouse", "todo", f"none at {warehouse.path}; make one with `nasrank-train init`")
        return
    with warehouse.read() as connection:
        yield Check("warehouse", "good", f"{warehouse.path}, {warehouse.path.stat().st_size / 1e6:.1f} MB")
        for name, sql in INTEGRITY_CHECKS.items():
            row = connection.execute(sql).fetchone()
            if row is not None:
                yield Check("warehouse", "bad", f"{name}: {row}")
        keys = ground_truth_keys(connection)
    if keys:
        sources = sorted({key.source for key in keys})
        yield Check("ground truth", "good", f"{len(keys)} keys from {', '.join(sources)}")
    else:
        yield Check("ground truth", "todo", "none; import some with `nasrank-train import-bench`")


def _runs(warehouse: Warehouse, runs_dir: Path) -> Iterator[Check]:
    if not runs_dir.is_dir():
        yield Check("runs", "todo", f"none at {runs_dir}; start one with `nasrank-train run`")
        return
    known = ingested_runs(warehouse) if warehouse.path.exists() else {}
    folders = run_folders(runs_dir)
    ended, problems = [], []
    for folder in folders:
        try:
            status = read_status(folder)
        except NasrankError as error:
            problems.append(str(error))
            continue
        if status is not None and status.has_ended:
            ended.append(folder)
    waiting = [folder.name for folder in ended if folder.name not in known]
    yield Check("runs", "good", f"{len(folders)} in {runs_dir}, {len(ended)} ended, {len(known)} ingested")
    if problems:
        yield Check("runs", "bad", f"{len(problems)} cannot be read, such as: {problems[0]}")
    if waiting:
        yield Check("runs", "todo", f"{len(waiting)} to bring in with `nasrank-train ingest {runs_dir}`")


def _images(data_dir: Path) -> Iterator[Check]:
    for info in list_datasets(data_dir):
        state = "good" if info.prepared else "todo"
        yield Check("images", state, f"{info.name}: {info.origin}")
