"""The chosen runs of the page Runs: curves, rankings over epochs, and all that is known of each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st

from nasrank.app.snapshot import Snapshot
from nasrank.app.views.runs import queries
from nasrank.app.views.runs.files import (
    MOST_BYTES,
    FolderFile,
    command_of,
    content_of,
    files_of,
    last_lines,
)
from nasrank.app.views.runs.live import REFRESH_SECONDS
from nasrank.app.widgets.address import page_address
from nasrank.app.widgets.figure import show_figure
from nasrank.app.widgets.refreshing import refreshed_every
from nasrank.app.widgets.table import show_text_table
from nasrank.app.widgets.text import as_code, as_text
from nasrank.db.errors import NasrankError
from nasrank.db.runs.reader import read_begun_run
from nasrank.db.warehouse.models import IMPORTED
from nasrank.report.charts.labels import listed, set_name, signed
from nasrank.report.charts.run_charts import CURVES, METRICS, epochs_chart, epochs_description

# Pixels, of a chart as a file.
PRINTED_WIDTH = 800
# States of runs that the command which began them continues.
GOES_ON = ("dead", "interrupted")
PERCENT = ["train_accuracy", "valid_accuracy"]


@dataclass(frozen=True, slots=True)
class Chosen:
    """Rows of the page's table, with the names that they have in charts by `run_id`."""

    rows: pd.DataFrame
    labels: Mapping[str, str]
    runs_dir: Path


@dataclass(frozen=True, slots=True)
class RunsChoice:
    """What the reader chose to see: of the rows those that are left, columns, and what rankings are of."""

    rows: pd.DataFrame
    columns: list[str]
    gt_key: str | None
    architecture_set: str
    metric: str


def show_details(snapshot: Snapshot, chosen: Chosen, choice: RunsChoice) -> None:
    """Charts of all chosen runs, then each by itself."""
    st.header("Chosen runs" if len(chosen.rows) > 1 else as_text(chosen.rows["run_id"].iloc[0]))
    known = chosen.rows[chosen.rows["is_ingested"]]
    begun = chosen.rows.loc[~chosen.rows["is_ingested"], "run_id"]
    curves = [
        queries.epochs(snapshot, run_id).assign(series=chosen.labels[run_id]) for run_id in known["run_id"]
    ]
    fixed = pd.concat(curves) if curves else None
    if begun.empty:
        show_curves(fixed, {}, chosen.runs_dir)
    else:
        follow_curves(fixed, {run_id: chosen.labels[run_id] for run_id in begun}, chosen.runs_dir)
    show_rankings(snapshot, chosen, known, choice)
    for _, row in chosen.rows.iterrows():
        with st.expander(as_text(row["run_id"]), expanded=len(chosen.rows) == 1):
            show_run(snapshot, row, chosen.runs_dir)


def show_curves(fixed: pd.DataFrame | None, begun: Mapping[str, str], runs_dir: Path) -> None:
    """Training curves: `fixed` of the warehouse, those of `begun` (labels by `run_id`) of their folders."""
    frames = [] if fixed is None else [fixed]
    for run_id, label in begun.items():
        try:
            frames.append(read_begun_run(runs_dir / run_id).epochs.to_pandas().assign(series=label))
        except (NasrankError, OSError) as error:
            st.warning(as_text(f"{run_id}: {error}"))
    points = pd.concat(frames) if frames else pd.DataFrame()
    if points.empty:
        st.markdown(
            "No epochs were recorded: predictions that were imported have none, and a run that has "
            "just begun has none yet."
        )
        return
    points[PERCENT] = 100 * points[PERCENT].astype(float)
    draw_epochs("training-curves", points, CURVES)


@refreshed_every(REFRESH_SECONDS)
def follow_curves(fixed: pd.DataFrame | None, begun: Mapping[str, str], runs_dir: Path) -> None:
    """`show_curves`, again and again: the warehouse is not asked."""
    show_curves(fixed, begun, runs_dir)


def show_rankings(snapshot: Snapshot, chosen: Chosen, known: pd.DataFrame, choice: RunsChoice) -> None:
    """A_N and τ over the epochs at which the runs were evaluated, where one was at several."""
    evaluations = {run_id: queries.evaluations(snapshot, run_id) for run_id in known["run_id"]}
    several = [run_id for run_id, rows in evaluations.items() if rows["epoch"].nunique() > 1]
    gt_key = choice.gt_key
    if not several or gt_key is None:
        return
    st.subheader("Ranking over epochs")
    frames = []
    for run_id in several:
        metrics = queries.metrics(snapshot, run_id, gt_key)
        modes = metrics["bn_mode"].nunique() > 1
        label = chosen.labels[run_id]
        frames.append(metrics.assign(series=label + (" · " + metrics["bn_mode"] if modes else "")))
    points = pd.concat(frames)
    repeated = points.groupby("architecture_set")["epoch"].nunique()
    sets = list(repeated[repeated > 1].sort_values(ascending=False, kind="stable").index)
    if not sets:
        st.markdown(
            "Under this key, no set of architectures was predicted wholly at more than one epoch; "
            "`--evaluate-sample 1000` predicts the whole random sample during training."
        )
        return
    sets.sort(key=lambda name: (name != "random", len(name), name))
    chosen_set = choice.architecture_set if choice.architecture_set in sets else sets[0]
    st.markdown(f":small[Of {as_text(chosen_set)}; predicted at several epochs: {as_text(listed(sets))}.]")
    shown = points[points["architecture_set"] == chosen_set].assign(a_n=lambda rows: 100 * rows["a_n"])
    draw_epochs("ranking-over-epochs", shown, METRICS)
    by_parameters = queries.parameters(snapshot, gt_key, chosen_set).set_index("mask")["tau"]
    told = [
        f"{as_text(signed(by_parameters[mask]))} (mask {as_text(set_name(mask))})"
        for mask in known["mask"].unique()
        if mask in by_parameters.index
    ]
    if told:
        st.markdown(f":small[Without any training, counting parameters has τ {listed(told)} in this set.]")


def draw_epochs(name: str, points: pd.DataFrame, panels: Mapping[str, str]) -> None:
    """A panel for each of `panels` over the epochs, with its files."""
    series = list(dict.fromkeys(points["series"]))
    draw = partial(epochs_chart, points, series, panels)
    show_figure(
        draw(),
        name=name,
        alt=epochs_description(points, series, panels),
        data=points[["series", *points.columns.drop("series")]],
        printed=partial(draw, width=PRINTED_WIDTH),
    )


def show_run(snapshot: Snapshot, row: pd.Series, runs_dir: Path) -> None:
    """What a run is, what became of it, and where it lies."""
    st.markdown(links(row))
    if isinstance(row["message"], str) and row["message"]:
        st.markdown("**Message**")
        st.code(row["message"], language=None, wrap_lines=True)
    if row["status"] == "failed" and (lines := last_lines(runs_dir, row["run_id"])):
        st.markdown("**The end of its log**")
        st.code(lines, language=None, wrap_lines=True)
    if row["status"] in GOES_ON and (command := command_of(runs_dir, row["run_id"])):
        st.markdown("**What continues it**")
        st.code(command, language=None, wrap_lines=True)
    if row["is_ingested"]:
        st.markdown("**Predictions**")
        show_predictions(queries.evaluations(snapshot, row["run_id"]), row)
    if isinstance(row["config"], str):
        st.markdown("**Configuration**")
        config = json.dumps(json.loads(row["config"]), indent=2, ensure_ascii=False)
        st.code(config, language="json", wrap_lines=True)
    if row["kind"] != IMPORTED:
        st.markdown("**Folder**")
        show_folder(row["run_id"], runs_dir)


def links(row: pd.Series) -> str:
    """To what other pages have of the run."""
    if not row["is_ingested"]:
        return "Not in the warehouse yet: other pages do not have it."
    scatter = page_address("scatter", {"run": row["run_id"]})
    compare = page_address("compare", {"experiment": row["experiment_id"]})
    return f"[Its predictions against the truth]({scatter}) · [its experiment among others]({compare})"


def show_predictions(evaluations: pd.DataFrame, row: pd.Series) -> None:
    """How many, and how many of them are no numbers."""
    if evaluations.empty:
        st.markdown("None: the run failed before it was evaluated.")
        return
    if row["kind"] == IMPORTED:
        st.markdown(f"Imported from {as_code(str(row['file_name']))}.")
    names = {
        "epoch": "After epoch",
        "bn_mode": "BN mode",
        "predictions": "Architectures",
        "non_finite": "Not finite",
    }
    show_text_table(
        evaluations.rename(columns=names),
        hide_index=True,
        width="content",
        alt=f"How many architectures {row['run_id']} predicted",
    )


def show_folder(run_id: str, runs_dir: Path) -> None:
    """The path to copy, and the files where this server reaches them."""
    folder = runs_dir.absolute() / run_id
    files = files_of(runs_dir, run_id)
    if isinstance(files, str):
        st.markdown(as_text(files))
        return
    st.code(str(folder), language=None, wrap_lines=True)
    st.dataframe(
        pd.DataFrame(files)[["name", "size", "changed"]],
        hide_index=True,
        width="content",
        column_config={
            "name": "File",
            "size": st.column_config.NumberColumn("Size", format="bytes"),
            "changed": st.column_config.DatetimeColumn("Changed (UTC)", format="YYYY-MM-DD HH:mm:ss"),
        },
        alt=f"The files of {run_id}",
    )
    show_downloads(run_id, runs_dir, files)


def show_downloads(run_id: str, runs_dir: Path, files: Sequence[FolderFile]) -> None:
    """Buttons for the small files that say how a run went."""
    with st.container(horizontal=True, gap="small"):
        for file in files:
            if file.is_offered:
                st.download_button(
                    as_text(file.name),
                    partial(content_of, runs_dir, run_id, file.name),
                    file_name=f"{run_id}-{file.name}",
                    key=f"file-{run_id}-{file.name}",
                    on_click="ignore",
                    type="tertiary",
                    icon=":material/download:",
                    help=f"As it is now, up to {MOST_BYTES / 1e6:.0f} MB of it",
                )
