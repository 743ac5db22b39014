"""Scatter: what super-networks predict against the truth, as the paper's Figure 2."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from nasrank.app import shared_queries
from nasrank.app.serve import warehouse_path
from nasrank.app.snapshot import Snapshot
from nasrank.app.views.scatter.choice import ScatterChoice, choose, zoom
from nasrank.app.views.scatter.errors import FILTERS as ERROR_FILTERS
from nasrank.app.views.scatter.errors import show_errors
from nasrank.app.views.scatter.panels import (
    AxisLimits,
    Shown,
    Subject,
    inside_of,
    panels,
    points_inside,
    with_strings,
)
from nasrank.app.widgets.address import page_address
from nasrank.app.widgets.csv_file import csv_file
from nasrank.app.widgets.figure import show_figure
from nasrank.app.widgets.filters import Filters
from nasrank.app.widgets.ground_truth import describe_key
from nasrank.app.widgets.origins import describe_origins
from nasrank.app.widgets.table import Columns, show_table
from nasrank.app.widgets.text import as_code, as_text
from nasrank.db.warehouse.models import UNTRAINED, WITHOUT_NETWORK
from nasrank.report.charts.cell_drawing import cell_expression
from nasrank.report.charts.labels import counted, listed
from nasrank.report.charts.scatter_chart import BRUSH, DRAWN, EQUAL, TRUE_RANK, panel_chart

PANELS_A_ROW = 3
# More would take the browser long; the page says what it leaves out.
MOST_PANELS = 12
MOST_ROWS = 1_000
PRINTED_WIDTH = 420
NUMBERS_HELP = (
    "τ is Kendall's tau-b, ρ Spearman's and r Pearson's correlation of prediction and ground truth, always "
    "of the whole set, whatever part of it is looked at."
)


def page() -> None:
    """The whole page, from top to bottom."""
    snapshot = Snapshot.take(warehouse_path())
    keys, evaluations = shared_queries.ground_truth_keys(snapshot), shared_queries.evaluations(snapshot)
    if keys.empty or (evaluations["kind"] == UNTRAINED).all():
        st.info("This warehouse has no predictions with a ground truth to set them against. Make some:")
        st.code("nasrank-train import-bench\nnasrank-train run --size tiny --mask none", language=None)
        return
    filters = Filters.of_page("scatter")
    problems = st.container()
    choice = choose(filters, snapshot, keys, evaluations)
    runs = shared_queries.runs(snapshot)
    predictors = [subject.predictor for subject in choice.subjects]
    shown_runs = runs[runs["run_id"].isin(predictors) | runs["experiment_id"].isin(predictors)]
    st.markdown(f":small[{describe_origins(shown_runs)} {describe_key(choice.key)}]")
    if choice.absent:
        absent = as_text(listed(choice.absent))
        st.info(f"Not evaluated at this epoch with these BatchNorm statistics: {absent}.")
    shown: list[Shown] = []
    if choice.subjects:
        shown, brushed = show_panels(snapshot, choice)
    else:
        st.info("Choose a run, or an experiment for the mean over its seeds.")
    if shown:
        st.markdown(f":small[{NUMBERS_HELP} {told_of(choice, shown)}]")
        show_errors(filters, str(choice.key["gt_key"]), shown)
        show_architectures(choice, shown, brushed)
        show_numbers(choice, shown)
    filters.finish(also=ERROR_FILTERS)
    filters.show_problems(problems)


def show_panels(snapshot: Snapshot, choice: ScatterChoice) -> tuple[list[Shown], list[AxisLimits | None]]:
    """The panels, a heading for each run or experiment; and what the reader brushed in each."""
    shown: list[Shown] = []
    brushed: list[AxisLimits | None] = []
    most = max(1, MOST_PANELS // len(choice.sets))
    for subject in choice.subjects[:most]:
        st.header(as_text(subject.label))
        st.markdown(f":small[{origin(subject)}]")
        drawn: list[Shown] = []
        for one in panels(snapshot, subject, choice.look):
            if isinstance(one, str):
                st.markdown(as_text(one))
            else:
                drawn.append(one)
        for start in range(0, len(drawn), PANELS_A_ROW):
            columns = st.columns(min(PANELS_A_ROW, len(drawn)))
            for column, one in zip(columns, drawn[start : start + PANELS_A_ROW], strict=False):
                with column:
                    brushed.append(brushed_part(show_panel(choice, one)))
        shown += drawn
    if more := choice.subjects[most:]:
        left_out = as_text(listed([one.label for one in more]))
        st.info(
            f"{MOST_PANELS} panels are drawn at most. Left out: {left_out}. "
            "Choose fewer sets of architectures to see more runs."
        )
    return shown, brushed


def show_panel(choice: ScatterChoice, one: Shown) -> Any:
    """One panel; what is selected in it."""
    draw = partial(panel_chart, one.panel, choice.colour)
    return show_figure(
        draw(image=cell_expression()),
        name=one.name,
        alt=one.alt,
        data=as_told(inside_of(choice.limits, one), one.subject.predicts),
        printed=partial(draw, width=PRINTED_WIDTH),
        on_select="rerun",
        selection_mode=[BRUSH],
        # Another part has no brush yet.
        key=f"{one.name}-{choice.limits}-{choice.by_rank}",
    )


def as_told(points: pd.DataFrame, predicts: str) -> pd.DataFrame:
    """The points of a panel with their units, as a file has them, whatever its axes are."""
    columns = points[["arch_id", "digits", "gt_rank", "truth", "predicted"]]
    return columns.rename(
        columns={
            "truth": "truth_percent",
            "predicted": "predicted_percent" if predicts == "accuracy" else "predicted_score",
        }
    )


def brushed_part(selected: Any) -> AxisLimits | None:
    """The rectangle that was drawn with the mouse, if there is one."""
    brush = selected["selection"].get(BRUSH) if selected else None
    if not brush or not {"truth", "predicted"} <= set(brush):
        return None
    truth, predicted = (tuple(sorted(brush[axis])) for axis in ("truth", "predicted"))
    return AxisLimits((truth[0], truth[1]), (predicted[0], predicted[1]))


def origin(subject: Subject) -> str:
    """Which predictions these are."""
    if subject.bn_mode == UNTRAINED:
        return "as the architecture says, without any training"
    seeds = f"mean over {as_text(counted('seed', subject.seeds))}"
    told = [seeds if subject.seeds else f"run {as_code(subject.predictor)}"]
    if subject.bn_mode not in WITHOUT_NETWORK:
        told.append(f"after {subject.epoch:d} epochs, BatchNorm {as_text(subject.bn_mode)}")
    return ", ".join(told)


def told_of(choice: ScatterChoice, shown: Sequence[Shown]) -> str:
    """How to read what is special about these panels."""
    notes = []
    if any(len(one.subject.seeds) > 1 for one in shown):
        notes.append("Of a mean over seeds, they are the means of the seeds' own, ± their deviation.")
    if any(len(one.panel.points) > DRAWN for one in shown):
        notes.append(f"More than {DRAWN:,} architectures are counted in bins; zoom in to see each.")
        if choice.colour in (TRUE_RANK, EQUAL):
            notes.append(f"Bins show counts: “{as_text(choice.colour)}” is for single points.")
    return " ".join(notes)


def show_architectures(
    choice: ScatterChoice, shown: Sequence[Shown], brushed: Sequence[AxisLimits | None]
) -> None:
    """The architectures inside the rectangles, else inside the limits."""
    heading, button = st.columns([3, 1], vertical_alignment="bottom")
    heading.header("Architectures inside")
    inside = list(brushed)
    if not any(inside):
        if not choice.limits.given:
            st.markdown(
                "Draw a rectangle in a panel with the mouse, or set limits under Zoom, to list the "
                "architectures inside."
            )
            return
        inside = [choice.limits] * len(shown)
    found = points_inside(shown, inside)
    drawn = next((limits for limits in brushed if limits), None)
    if drawn:
        st.button("Zoom into the rectangle", on_click=zoom, args=[rounded(drawn)], icon=":material/zoom_in:")
    button.download_button(
        "Download architectures",
        lambda: csv_file(with_strings(found)),
        file_name="architectures.csv",
        mime="text/csv",
        on_click="ignore",
        width="stretch",
    )
    cut = f", the first {MOST_ROWS:,} below, all in the file" if len(found) > MOST_ROWS else ""
    st.markdown(f"**{len(found):,} architectures**{cut}, best truth first in each panel.")
    table = with_strings(found.head(MOST_ROWS))
    number = st.column_config.NumberColumn
    columns: Columns = {
        "link": st.column_config.LinkColumn("Architecture", display_text=r"arch=(\d+)", width="small"),
        "arch_str": st.column_config.TextColumn("String", width="large"),
        "gt_rank": number("True rank", format="%d"),
        "truth_percent": number("Ground truth (%)", format="%.2f"),
        "predicted": number("Predicted", format="%.4g", help="Percent, or a score"),
        "architecture_set": "Of",
        "predicted_by": "Predicted by",
    }
    show_table(
        table.assign(
            link=[
                page_address("search_space", {"arch": arch_id, "ground_truth": choice.key["gt_key"]})
                for arch_id in table["arch_id"]
            ]
        ),
        columns,
        alt="The architectures inside the rectangle or limits, with truth and prediction",
    )


def rounded(limits: AxisLimits) -> AxisLimits:
    """To three decimals, outwards enough for an address."""
    truth, predicted = (
        tuple(None if end is None else round(end, 3) for end in ends)
        for ends in (limits.truth, limits.predicted)
    )
    return AxisLimits((truth[0], truth[1]), (predicted[0], predicted[1]))


def show_numbers(choice: ScatterChoice, shown: Sequence[Shown]) -> None:
    """The numbers of all panels, as a table and CSV."""
    rows = pd.DataFrame(
        {
            "predicted_by": one.subject.label,
            "predictor": one.subject.predictor,
            "gt_key": choice.key["gt_key"],
            "bn_mode": one.subject.bn_mode,
            "epoch": one.subject.epoch,
            "architecture_set": one.architecture_set,
            **one.numbers,
        }
        for one in shown
    )
    heading, button = st.columns([3, 1], vertical_alignment="bottom")
    heading.header("The same numbers")
    button.download_button(
        "Download numbers",
        csv_file(rows),
        file_name="scatter.csv",
        mime="text/csv",
        on_click="ignore",
        width="stretch",
    )
    number = st.column_config.NumberColumn
    columns: Columns = {
        "predicted_by": st.column_config.TextColumn("Predicted by", width="medium"),
        "architecture_set": "Of",
        "n": number("Architectures", format="%d"),
        "n_predicted": number("Predicted", format="%d"),
        "tau": number("τ", format="%.3f", help="Kendall's tau-b"),
        "tau_std": number("± seeds", format="%.3f", help="Deviation of τ over seeds"),
        "tau_eq2": number("τ Equation 2", format="%.3f", help="Without correction for ties"),
        "spearman": number("Spearman", format="%.3f"),
        "pearson": number("Pearson", format="%.3f"),
        "tau_same_size": number("τ equal size", format="%.3f", help="Among pairs of equal parameters"),
        "tau_partial": number("τ given size", format="%.3f", help="Kendall's partial τ"),
        "tau_sparse": number("τ rounded", format="%.3f", help="With the truth in tenths of a point"),
        "tau_weighted": number("τ weighted", format="%.3f", help="Pairs weigh 1/i + 1/j by true rank"),
    }
    show_table(rows, columns, alt="Correlations of prediction and ground truth, a row a panel")


page()
