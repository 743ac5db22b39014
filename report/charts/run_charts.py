"""How runs went, over their epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import altair as alt
import pandas as pd

from nasrank.report.charts.labels import listed
from nasrank.report.charts.line_looks import line_styles, looks_by_place
from nasrank.report.charts.theme import fit_container

# Column and title of a panel, as `epochs_chart` takes them; accuracies are in percent.
CURVES: Final = {
    "train_loss": "training loss of the sampled paths (nats)",
    "valid_accuracy": "validation accuracy of a few fixed paths (%)",
    "train_accuracy": "training accuracy of the sampled paths (%)",
    "learning_rate": "learning rate",
}
METRICS: Final = {
    "a_n": "mean predicted accuracy (%)",
    "tau": "τ of prediction and ground truth (tau-b)",
}
# Marks tell lines apart; more of them on a line would hide each other.
_MARKS: Final = 12
_HEIGHT: Final = 150
_AXIS_WIDTH: Final = 46


def epochs_chart(
    points: pd.DataFrame, series: Sequence[str], panels: Mapping[str, str], width: int | None = None
) -> alt.VConcatChart:
    """A panel for each column of `panels` that has values, one above the other, over the completed epochs.

    `points`: series, epoch, and the columns. `series` are the lines in the order of the legend. `width` in
    pixels; None for that of the container.
    """
    styles = line_styles(series, looks_by_place(series), width)
    shown = {column: title for column, title in panels.items() if points[column].notna().any()}
    last = int(points["epoch"].max())
    charts = [
        _panel(points, column, styles, last, is_last=column == list(shown)[-1]).properties(
            title=alt.TitleParams(title, anchor="start", fontSize=14, offset=8),
            height=_HEIGHT,
            **({} if width is None else {"width": width}),
        )
        for column, title in shown.items()
    ]
    chart = alt.vconcat(*charts, spacing=20)
    if width is None:
        fit_container(chart)
    chart.resolve = alt.Resolve(scale=dict.fromkeys(("stroke", "fill", "strokeDash"), "shared"))
    return chart


def epochs_description(points: pd.DataFrame, series: Sequence[str], panels: Mapping[str, str]) -> str:
    """The chart for those who do not see it."""
    shown = [title for column, title in panels.items() if points[column].notna().any()]
    return (
        f"{listed(shown)} over epochs to {int(points['epoch'].max())}, {len(series)} lines: {listed(series)}"
    )


def _panel(
    points: pd.DataFrame, column: str, styles: dict[str, object], last: int, *, is_last: bool
) -> alt.LayerChart | alt.FacetChart:
    known = points[["series", "epoch", column]].dropna()
    step = -(-known.groupby("series").size().max() // _MARKS)
    place = known.groupby("series").cumcount(ascending=False)
    marked = known[place % step == 0]
    x = (
        alt.X("epoch:Q", title="completed epochs" if is_last else None)
        .scale(domain=[0, last], nice=False)
        .axis(format="d", tickMinStep=1)
    )
    y = (
        alt.Y(f"{column}:Q", title=None)
        .scale(zero=column == "tau", nice=True)
        .axis(minExtent=_AXIS_WIDTH, maxExtent=_AXIS_WIDTH, tickCount=5)
    )
    tooltip = [
        alt.Tooltip("series:N", title="run"),
        alt.Tooltip("epoch:Q", title="completed epochs"),
        alt.Tooltip(f"{column}:Q", title=column.replace("_", " "), format=".4~g"),
    ]
    line = alt.Chart(known).mark_line(strokeWidth=2)
    marks = alt.Chart(marked).mark_point(size=60, filled=True)
    targets = alt.Chart(known).mark_circle(size=250, opacity=0)
    return alt.layer(
        line.encode(x=x, y=y, stroke=styles["stroke"], strokeDash=styles["strokeDash"]),
        marks.encode(x=x, y=y, fill=styles["fill"]),
        targets.encode(x=x, y=y, fill=styles["fill"], tooltip=tooltip),
    )
