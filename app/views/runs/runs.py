"""Runs: what goes on now, every run with filters and columns to choose, and the chosen ones in full."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from nasrank.app import shared_queries
from nasrank.app.serve import runs_path, warehouse_path
from nasrank.app.snapshot import Snapshot
from nasrank.app.views.runs import queries
from nasrank.app.views.runs.details import Chosen, RunsChoice, show_details
from nasrank.app.views.runs.live import SIGNS, monitor, show_live_runs, states
from nasrank.app.views.runs.table import (
    BESIDE,
    COLUMNS,
    DEFAULT_COLUMNS,
    IN_BAR,
    METRIC,
    as_shown,
    matching,
    run_labels,
    with_folders,
)
from nasrank.app.widgets.csv_file import csv_file
from nasrank.app.widgets.filters import Filters, given
from nasrank.app.widgets.slice_bar import SliceBar
from nasrank.app.widgets.text import as_code, as_text
from nasrank.report.charts.labels import experiment_labels, listed
from nasrank.report.charts.ranking_table import POINTS
from nasrank.report.metrics import METRICS, SHARE
from nasrank.report.overview import measured_set

# So many lines can be told apart in a chart, and so many runs are described below.
MOST_CHOSEN = 8
SETS = (*POINTS, "all")
# Pixels: as many rows as a screen has room for below what is chosen.
TABLE_HEIGHT = 560
FEW_ROWS = 14
# A share is of a mean over seeds.
METRIC_NAMES = {name: metric.short for name, metric in METRICS.items() if name != SHARE}


def page() -> None:
    """The whole page, from top to bottom."""
    snapshot = Snapshot.take(warehouse_path())
    runs_dir = runs_path()
    ingested, keys = queries.runs(snapshot), shared_queries.ground_truth_keys(snapshot)
    microseconds = ingested["ingested_at"].astype("datetime64[us]").astype("int64")
    ingested_at = dict(zip(ingested["run_id"], microseconds / 1e6, strict=True))
    seen = monitor(runs_dir).look(ingested_at)
    show_live_runs(runs_dir, ingested_at, states(seen))
    rows = with_folders(ingested, seen, runs_dir)
    if rows.empty:
        st.info("There are no runs yet. Train one:")
        st.code("nasrank-train run --dataset digits --size tiny --mask Zero+Pool --epochs 20", language=None)
        return
    filters = Filters.of_page("runs")
    place = st.container()
    choice = choose(filters, rows, keys)
    shown = with_value(snapshot, choice)
    chosen = show_table(filters, rows, shown, choice)
    if not chosen.empty:
        show_details(snapshot, Chosen(chosen, run_labels(chosen), runs_dir), choice)
    filters.finish()
    filters.show_problems(place)


def with_value(snapshot: Snapshot, choice: RunsChoice) -> pd.DataFrame:
    """The rows with the chosen metric under the key that is chosen, missing where there is none."""
    if choice.gt_key is None:
        return choice.rows.assign(value=float("nan"))
    of_set = measured_set(choice.metric, choice.architecture_set)
    known = queries.values(snapshot, choice.gt_key, choice.metric, of_set).set_index("run_id")["value"]
    scale = METRICS[choice.metric].scale
    return choice.rows.assign(value=scale * choice.rows["run_id"].map(known).astype(float))


def choose(filters: Filters, rows: pd.DataFrame, keys: pd.DataFrame) -> RunsChoice:
    """The bar and what is beside it."""
    shown = rows
    bar = SliceBar(filters)
    gt_key = None if keys.empty else str(bar.key(keys, list(rows["ground_truth_keys"].dropna()))["gt_key"])
    metric = bar.one("metric", METRIC_NAMES, explanation="In the table, at the end of each run.")
    architecture_set = bar.one("set", SETS, "random", "What the table and the curves over epochs are of.")
    for column in IN_BAR:
        options = _options(rows, column)
        chosen = bar.some(column, options) if options else []
        if len(chosen) < len(options):
            shown = shown[shown[column].map(str).replace("", "none").isin(chosen)]
    bar.show()
    shown = _of_experiments(filters, rows, shown)
    places = iter(st.columns([2, 1, 1, 3]))
    with next(places):
        search = filters.choose_text(
            "search", "Search", "Words that all occur in a run's name, message, device, commit or experiment."
        )
    shown = matching(shown, search)
    for column, label in BESIDE.items():
        options = _options(rows, column)
        with next(places):
            chosen = filters.choose_some(column, label, options)
        if len(chosen) < len(options):
            shown = shown[shown[column].map(str).replace("", "none").isin(chosen)]
    with next(places):
        columns = filters.choose_some("column", "Columns", list(COLUMNS), DEFAULT_COLUMNS)
    return RunsChoice(shown, columns, gt_key, architecture_set, metric)


def _of_experiments(filters: Filters, rows: pd.DataFrame, shown: pd.DataFrame) -> pd.DataFrame:
    """The runs of the experiments picked on other pages, and of the reference; all where none was."""
    labels = experiment_labels(rows[rows["config"].notna()].drop_duplicates("experiment_id"))
    if not filters.named("experiment", labels):
        return shown
    reference = [one for one in filters.address.values("reference") if one in labels]
    st.multiselect(
        "Experiments",
        list(labels),
        key="experiment",
        format_func=labels.__getitem__,
        help=f"Beside them the reference: {as_text(labels[reference[0]])}" if reference else None,
    )
    return shown[shown["experiment_id"].isin([*st.session_state["experiment"], *reference])]


def _options(rows: pd.DataFrame, column: str) -> list[str]:
    """What the rows have in a column."""
    return list(dict.fromkeys(rows[column].dropna().map(str).replace("", "none").sort_values()))


def show_table(filters: Filters, rows: pd.DataFrame, shown: pd.DataFrame, choice: RunsChoice) -> pd.DataFrame:
    """The table with its CSV; returns the rows that the reader, or the address, chose."""
    heading, button = st.columns([3, 1], vertical_alignment="bottom")
    heading.header(f"{len(shown):,} of {len(rows):,} runs")
    st.markdown(ended_badly(rows))
    columns, metric = choice.columns, METRICS[choice.metric]
    of_set = measured_set(choice.metric, choice.architecture_set)
    name = metric.header
    table = as_shown(shown, columns).rename(columns={METRIC: name})
    button.download_button(
        "Download CSV",
        lambda: csv_file(table),
        file_name="runs.csv",
        mime="text/csv",
        on_click="ignore",
        width="stretch",
        help="The rows and columns that the table shows, in full precision",
    )
    if shown.empty:
        st.info("No run fits the filters.")
    ids = list(shown["run_id"])
    asked = filters.held("run")
    if filters.address.is_new:
        filters.warnings += problems(asked, set(rows["run_id"]), set(ids))
    place = {run_id: number for number, run_id in enumerate(ids)}
    # Another selection of rows is another table: what was chosen then stays chosen, wherever it is now.
    digest = hashlib.sha256("\n".join([*ids, *columns, name]).encode()).hexdigest()[:16]
    event: Any = st.dataframe(
        table.assign(status=table["status"].map(told)) if "status" in table else table,
        hide_index=True,
        key=f"runs-{digest}",
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": [place[run_id] for run_id in asked if run_id in place]}},
        column_config={
            "run": st.column_config.TextColumn("run", pinned=True, width="medium"),
            **{one: COLUMNS[one].config for one in columns if COLUMNS[one].config is not None},
            name: st.column_config.NumberColumn(
                format=f"%.{metric.digits + 1}f",
                help=f"{as_text(metric.name)}, {as_text(of_set)}",
            ),
        },
        placeholder="–",
        height=TABLE_HEIGHT if len(table) > FEW_ROWS else "auto",
        alt=f"{len(shown):,} runs, newest first; choose rows to see more of them below",
    )
    chosen = [ids[row] for row in event.selection.rows if row < len(ids)]
    filters.keep("run", *chosen)
    if not chosen:
        st.markdown(":small[Choose rows, by the boxes at their left, to see their curves and folders here.]")
    if len(chosen) > MOST_CHOSEN:
        st.markdown(f":small[{len(chosen)} runs are chosen; below are the first {MOST_CHOSEN}.]")
    return shown.set_index("run_id", drop=False).loc[chosen[:MOST_CHOSEN]]


def ended_badly(rows: pd.DataFrame) -> str:
    """Which runs failed, in words; those that go on are told above."""
    failed = list(rows.loc[rows["status"] == "failed", "run_id"])
    if not failed:
        return ":small[No run failed.]"
    return f"**{len(failed):,} failed**: {listed([as_code(run_id) for run_id in failed], 3)}."


def problems(asked: Sequence[str], known: set[str], shown: set[str]) -> list[str]:
    """Lines on the runs of the address that cannot be chosen."""
    lines = []
    for run_id in asked:
        if run_id not in known:
            lines.append(
                f"The address has {given(f'run={run_id}')}, which is no run of this warehouse or folder."
            )
        elif run_id not in shown:
            lines.append(f"The filters hide {as_code(run_id)}, which the address names.")
    return lines


def told(status: str) -> str:
    """With its sign."""
    return f"{SIGNS.get(status, '•')} {status}"


page()
