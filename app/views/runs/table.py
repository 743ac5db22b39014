"""The table of all runs: those of the warehouse, and those that are only folders yet."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import pandas as pd
import streamlit as st

from nasrank.db.errors import NasrankError
from nasrank.db.runs import layout
from nasrank.db.runs.monitor import RunsSeen
from nasrank.db.runs.reader import read_begun_run
from nasrank.report.charts.labels import experiment_labels, set_name

# The column of the metric that is chosen, whose name it gets.
METRIC: Final = "metric"
TO_INGEST: Final = "to ingest"
# Folders beyond so many are only counted: each costs two files to read.
MOST_FOLDERS: Final = 500

# Columns that filter, as in the address: in the slice bar, and beside the table with what they are called.
IN_BAR: Final = ("dataset", "size", "mask", "lt", "variant")
BESIDE: Final = {"status": "Status", "kind": "Kind"}


@dataclass(frozen=True, slots=True)
class Column:
    """How a column of the table is made of the rows and shown."""

    values: Callable[[pd.DataFrame], pd.Series]
    config: Any = None


def _plain(name: str, config: Any = None) -> Column:
    return Column(lambda rows: rows[name], config)


def _number(name: str, format: str, factor: float = 1.0, explanation: str | None = None) -> Column:
    shown = st.column_config.NumberColumn(format=format, help=explanation)
    return Column(lambda rows: factor * pd.to_numeric(rows[name]), shown)


def _time(name: str) -> Column:
    shown = st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm", help="UTC")
    return _plain(name, shown)


def _set(name: str) -> Column:
    return Column(lambda rows: rows[name].map(lambda value: value if pd.isna(value) else set_name(value)))


def _commit(rows: pd.DataFrame) -> pd.Series:
    """Ten digits, and whether the checkout had changes that were not committed."""
    dirty = rows["git_dirty"].map({True: " (dirty)"}).fillna("")
    return rows["git_commit"].astype("str").str[:10].where(rows["git_commit"].notna()) + dirty


def _versions(rows: pd.DataFrame) -> pd.Series:
    def told(text: object) -> str:
        known = json.loads(text) if isinstance(text, str) else {}
        return ", ".join(f"{name} {version}" for name, version in known.items() if version)

    return rows["versions"].map(told)


COLUMNS: Final[Mapping[str, Column]] = {
    "status": _plain("status"),
    "dataset": _plain("dataset"),
    "size": _plain("size"),
    "mask": _set("mask"),
    "LT": _set("lt"),
    "variant": _plain("variant"),
    "seed": _number("seed", "%d"),
    METRIC: _number("value", "%.3f", explanation="In the chosen set, where it is stored"),
    "kind": _plain("kind"),
    "name": _plain("name"),
    "experiment": _plain("experiment_id"),
    "started": _time("started_at"),
    "finished": _time("finished_at"),
    "minutes": _number("seconds", "%.1f", 1 / 60, "From its start to its end, pauses included"),
    "training minutes": _number("seconds_training", "%.1f", 1 / 60),
    "evaluation minutes": _number("seconds_evaluation", "%.1f", 1 / 60),
    "images/s": _number("images_per_second", "%.0f", explanation="Trained, median over the epochs"),
    "device": _plain("device"),
    "commit": Column(_commit),
    "versions": Column(_versions),
    "images from": _plain("dataset_origin"),
    "epochs": _number("epochs", "%d"),
    "batch size": _number("batch_size", "%d"),
    "learning rate": _number("learning_rate", "%g"),
    "training images": _number(
        "train_images", "%d", explanation="Missing where all are that validation leaves"
    ),
    "validation images": _number("valid_images", "%d"),
    "image size": _number("image_size", "%d", explanation="Pixels a side, as the network sees them"),
    "cells a stage": _number("cells_per_stage", "%d"),
    "channels": _number("channels", "%d"),
    "path sampling": _plain("path_sampling"),
    "node inputs": _plain("node_inputs"),
    "predictions": _number("predictions", "%d", explanation="Architectures, over all epochs and BN modes"),
    "not finite": _number("non_finite", "%d", explanation="Of the predictions"),
    "message": _plain("message"),
}
DEFAULT_COLUMNS: Final = (
    "status",
    "dataset",
    "size",
    "mask",
    "LT",
    "variant",
    "seed",
    METRIC,
    "started",
    "minutes",
    "images/s",
    "predictions",
    "message",
)
# Where the words of a search are looked for.
_SEARCHED: Final = (
    "run_id",
    "status",
    "name",
    "message",
    "device",
    "git_commit",
    "experiment_id",
    "file_name",
)


def as_shown(rows: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """`rows` with the chosen columns of `COLUMNS`, the run first."""
    return pd.DataFrame({"run": rows["run_id"]} | {name: COLUMNS[name].values(rows) for name in columns})


def matching(rows: pd.DataFrame, search: str) -> pd.DataFrame:
    """The rows in which every word of `search` occurs somewhere, in capitals or not."""
    words = search.casefold().split()
    if not words or rows.empty:
        return rows
    columns = [rows[name].astype(object).where(rows[name].notna(), "") for name in _SEARCHED]
    texts = ["\n".join(map(str, values)).casefold() for values in zip(*columns, strict=True)]
    return rows[[all(word in text for word in words) for text in texts]]


def run_labels(rows: pd.DataFrame) -> dict[str, str]:
    """Names in charts by `run_id`: what tells the experiments apart, and the seed."""
    known = rows[rows["config"].notna()]
    experiments = experiment_labels(known.drop_duplicates("experiment_id"))
    labels = {
        run_id: f"{experiments[experiment_id]} · seed {seed:.0f}"
        for run_id, experiment_id, seed in known[["run_id", "experiment_id", "seed"]].itertuples(index=False)
    }
    return {run_id: labels.get(run_id, run_id) for run_id in rows["run_id"]}


def with_folders(ingested: pd.DataFrame, seen: RunsSeen, runs_dir: Path) -> pd.DataFrame:
    """`queries.runs`, and the runs that are only folders: newest first, `is_ingested` tells them apart.

    A run that is worked on again has that as its status.
    """
    rows = ingested.assign(is_ingested=True, value=float("nan"))
    states = {run.run_id: run.state for run in seen.runs}
    rows["status"] = [states.get(*pair) for pair in rows[["run_id", "status"]].itertuples(index=False)]
    known = set(rows["run_id"])
    others = [
        {"run_id": run.run_id, "message": run.message}
        | _folder_row(runs_dir, run.run_id)
        | {"status": run.state}
        for run in seen.runs
        if run.run_id not in known
    ]
    for run_id in seen.to_ingest[: max(0, MOST_FOLDERS - len(others))]:
        row = _folder_row(runs_dir, run_id)
        others.append(row | {"run_id": run_id, "status": TO_INGEST})
    if not others:
        return rows
    folders = pd.DataFrame(others).assign(is_ingested=False).reindex(columns=rows.columns)
    folders = folders.sort_values("started_at", ascending=False, na_position="first", kind="stable")
    return pd.concat([folders, rows], ignore_index=True) if len(rows) else folders.reset_index(drop=True)


def _folder_row(runs_dir: Path, run_id: str) -> dict[str, Any]:
    """As a row of the warehouse; what is wrong with the folder is its message."""
    try:
        changed = (runs_dir / run_id / layout.STATUS).stat().st_mtime_ns
    except OSError:
        return {}
    return _read_row(str(runs_dir), run_id, changed)


@lru_cache(maxsize=2 * MOST_FOLDERS)
def _read_row(runs_dir: str, run_id: str, changed: int) -> dict[str, Any]:
    try:
        folder = read_begun_run(Path(runs_dir, run_id))
    except (NasrankError, OSError) as error:
        return {"message": str(error)}
    row = {**folder.experiment, **folder.run}
    row |= {name: json.dumps(row[name]) for name in ("config", "versions", "ground_truth_keys")}
    return row | {"seconds": (row["finished_at"] - row["started_at"]).total_seconds()}
