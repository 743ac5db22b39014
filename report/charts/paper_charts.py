"""The charts of single figures, in Altair: predictions against truth, operations, data sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import altair as alt
import numpy as np
import pandas as pd

from nasrank.db.nb201.architectures import OPERATIONS
from nasrank.report.charts.labels import signed, size_position
from nasrank.report.charts.theme import COLOURS, GREY, sized

# Counts: apart from white and from black, and in their order without colours.
COUNTS: Final = alt.SchemeParams(name="viridis", extent=[0.15, 1])
# Bins a side where 15,625 points would hide each other.
_BINS: Final = 70
# Pixels.
_PANEL_HEIGHT: Final = 230
_REPORTED_ROW: Final = 20
_LABEL_WIDTH: Final = 210
# Pixels, so that the panels of a row align.
_AXIS_WIDTH: Final = 36


def scatter_chart(points: pd.DataFrame, taus: pd.DataFrame) -> alt.VConcatChart:
    """Figure 2: predicted against true accuracy, a row for each experiment, a column for each set.

    `points`: label, architecture_set, arch_id, gt_rank, truth and predicted (percent). `taus`: label,
    architecture_set, n, tau; its order is that of rows and columns.
    """
    rows = []
    for label, sets in taus.groupby("label", sort=False):
        panels = [
            _scatter(
                points[(points["label"] == label) & (points["architecture_set"] == name)],
                f"{name}, {n} architectures, τ {signed(tau)}",
            )
            for name, n, tau in zip(sets["architecture_set"], sets["n"], sets["tau"], strict=True)
        ]
        rows.append(alt.hconcat(*panels, title=alt.TitleParams(str(label), fontSize=14, offset=8)))
    return alt.vconcat(*rows, spacing=32)


def _scatter(points: pd.DataFrame, title: str) -> alt.Chart:
    columns = ["arch_id", "gt_rank", "truth", "predicted"]
    chart: alt.Chart = (
        alt.Chart(points[columns], title=alt.TitleParams(title, fontWeight="normal"))
        .mark_circle(size=22, opacity=0.45, color=COLOURS[0])
        .encode(
            x=alt.X("truth:Q", title="ground truth (%)").scale(zero=False, nice=True).axis(tickCount=5),
            y=alt.Y("predicted:Q", title="predicted (%)")
            .scale(zero=False, nice=True)
            .axis(tickCount=5, minExtent=_AXIS_WIDTH),
            tooltip=[
                alt.Tooltip("arch_id:Q", title="architecture"),
                alt.Tooltip("gt_rank:Q", title="true rank"),
                alt.Tooltip("truth:Q", title="ground truth (%)", format=".2f"),
                alt.Tooltip("predicted:Q", title="predicted (%)", format=".2f"),
            ],
        )
        .properties(width=250, height=210)
    )
    return chart


def reported_chart(
    reported: pd.DataFrame, others: pd.DataFrame, width: int | None = None
) -> alt.LayerChart | alt.FacetChart:
    """The τa of a figure, a line an experiment: the paper's, ours of its size and of other sizes, and chance.

    `reported` as of `queries.reported`, in the order of the lines, with a column `experiment` for their
    names; a cross is what cannot be a τa. `others`: experiment, size, tau_a and seeds of networks of ours.
    `width` in pixels; None for that of the container.
    """
    order = list(dict.fromkeys(reported["experiment"]))
    y = alt.Y("experiment:N", sort=order, title=None).axis(
        labelLimit=_LABEL_WIDTH, labelOverlap=False, grid=True, ticks=False, domain=False
    )

    def x(column: str) -> alt.X:
        scale = alt.Scale(domain=[-1, 1], nice=False)
        return alt.X(f"{column}:Q", title="τa, best at −1", scale=scale).axis(tickCount=5)

    sizes = sorted(set(reported["size"]), key=size_position)
    size = alt.Scale(domain=sizes)
    legend = alt.Legend(title=None, orient="top", symbolType="circle")
    chance = (
        alt.Chart(reported.dropna(subset=["chance_low"]).drop_duplicates("experiment"))
        .mark_bar(color=GREY, opacity=0.2, height={"band": 0.8})
        .encode(
            y=y,
            x=x("chance_low"),
            x2=alt.X2("chance_high"),
            tooltip=[
                alt.Tooltip("experiment:N"),
                alt.Tooltip("chance_low:Q", title="95 % of chance from", format=".2f"),
                alt.Tooltip("chance_high:Q", title="to", format=".2f"),
            ],
        )
    )
    beside = (
        alt.Chart(others[["experiment", "size", "tau_a", "seeds"]])
        .mark_tick(color=GREY, thickness=2.5, height={"band": 0.6})
        .encode(
            y=y,
            x=x("tau_a"),
            tooltip=[
                alt.Tooltip("experiment:N"),
                alt.Tooltip("size:N"),
                alt.Tooltip("tau_a:Q", title="τa here", format=".2f"),
                alt.Tooltip("seeds:Q"),
            ],
        )
    )
    told = [
        alt.Tooltip("experiment:N"),
        alt.Tooltip("size:N"),
        alt.Tooltip("reported_tau_a:Q", title="τa in the paper", format=".2f"),
        alt.Tooltip("tau_a:Q", title="τa here", format=".2f"),
        alt.Tooltip("seeds:Q", title="seeds here"),
    ]
    columns = ["experiment", "size", "reported_tau_a", "is_possible", "tau_a", "seeds"]
    colour = alt.Stroke("size:N", legend=legend, sort=sizes).scale(size)
    papers = [
        alt.Chart(reported.loc[reported["is_possible"] == is_possible, columns])
        .mark_point(size=75, strokeWidth=2, shape=shape)
        .encode(y=y, x=x("reported_tau_a"), stroke=colour, tooltip=told)
        for is_possible, shape in ((True, "circle"), (False, "cross"))
        if (reported["is_possible"] == is_possible).any()
    ]
    ours = (
        alt.Chart(reported.dropna(subset=["tau_a"])[columns])
        .mark_point(size=75, filled=True)
        .encode(
            y=y, x=x("tau_a"), fill=alt.Fill("size:N", legend=legend, sort=sizes).scale(size), tooltip=told
        )
    )
    # A layer of nothing would be a picture without a name to screen readers.
    layers = [
        *([chance] if reported["chance_low"].notna().any() else []),
        *([] if others.empty else [beside]),
        *papers,
        *([ours] if reported["tau_a"].notna().any() else []),
    ]
    return sized(alt.layer(*layers), _REPORTED_ROW * len(order) + 20, width)


def usage_chart(usage: pd.DataFrame, points: Sequence[str]) -> alt.FacetChart:
    """Figure 3: which operations the best use, a row for each mask; left how many use it, right how often.

    `usage`: mask (as shown), point (one of `points`), operation, measure and percent.
    """
    measures = list(dict.fromkeys(usage["measure"]))
    legend = alt.Legend(title=None, orient="top")
    chart: alt.FacetChart = (
        alt.Chart(usage)
        .mark_line(strokeWidth=2, point=alt.OverlayMarkDef(size=40, filled=True))
        .encode(
            x=alt.X("point:N", title="N best by ground truth, or all")
            .scale(domain=list(points))
            .axis(labelAngle=0, labelOverlap=False),
            y=alt.Y("percent:Q", title=None).scale(domain=[0, 100]).axis(tickCount=5),
            color=alt.Color("operation:N", sort=list(OPERATIONS), legend=legend),
            shape=alt.Shape("operation:N", sort=list(OPERATIONS), legend=legend),
            row=alt.Row("mask:N", title=None, sort=list(dict.fromkeys(usage["mask"]))).header(
                labelAngle=0, labelAlign="left", labelPadding=8
            ),
            column=alt.Column("measure:N", title=None, sort=measures),
            tooltip=[
                alt.Tooltip("mask:N"),
                alt.Tooltip("operation:N"),
                alt.Tooltip("point:N"),
                alt.Tooltip("percent:Q", format=".1f"),
            ],
        )
        .properties(width=360, height=110)
    )
    return chart


def usage_panel(usage: pd.DataFrame, points: Sequence[str], width: int | None = None) -> alt.Chart:
    """One panel of Figure 3. `usage`: point (one of `points`), operation and percent.

    `width` in pixels; None for that of the container.
    """
    # An operation keeps its colour and shape where others are masked.
    scale = alt.Scale(domain=list(OPERATIONS))
    left = set(usage["operation"])
    legend = alt.Legend(title=None, orient="top", values=[name for name in OPERATIONS if name in left])
    chart: alt.Chart = (
        alt.Chart(usage)
        .mark_line(strokeWidth=2, point=alt.OverlayMarkDef(size=50, filled=True))
        .encode(
            x=alt.X("point:N", title="N best by ground truth, or all")
            .scale(domain=list(points))
            .axis(labelAngle=0, labelOverlap=False),
            y=alt.Y("percent:Q", title=None).scale(domain=[0, 100]).axis(tickCount=5),
            color=alt.Color("operation:N", scale=scale, legend=legend),
            shape=alt.Shape("operation:N", scale=scale, legend=legend),
            tooltip=[
                alt.Tooltip("operation:N"),
                alt.Tooltip("point:N"),
                alt.Tooltip("percent:Q", format=".1f"),
            ],
        )
    )
    return sized(chart, _PANEL_HEIGHT, width)


def dataset_chart(accuracies: pd.DataFrame, pairs: Sequence[tuple[str, str]]) -> alt.ConcatChart:
    """Figure 10: the panels of `dataset_panels`, beside each other."""
    return alt.concat(*dataset_panels(accuracies, pairs, width=260), columns=3, spacing=28)


def dataset_panels(
    accuracies: pd.DataFrame, pairs: Sequence[tuple[str, str]], width: int | None = None
) -> list[alt.Chart]:
    """The accuracies of all architectures on one data set against those on another, a panel a pair.

    `accuracies`: percent, a column for each name in `pairs` (x, y), a row for each architecture. Counted in
    bins, on one scale of logarithms. `width` in pixels; None for that of the container.
    """
    panels = [binned(accuracies[x], accuracies[y]) for x, y in pairs]
    highest = max(int(bins["architectures"].max()) for bins in panels)
    colour = (
        alt.Color("architectures:Q")
        .scale(type="log", domain=[1, highest], scheme=COUNTS, clamp=True)
        .legend(orient="bottom", tickCount=4, gradientLength=140)
    )
    charts = []
    for bins, (x, y) in zip(panels, pairs, strict=True):
        chart: alt.Chart = (
            alt.Chart(bins)
            .mark_rect()
            .encode(
                x=alt.X("x_low:Q", title=f"{x} (%)").scale(zero=False, nice=False),
                x2=alt.X2("x_high:Q"),
                y=alt.Y("y_low:Q", title=f"{y} (%)").scale(zero=False, nice=False),
                y2=alt.Y2("y_high:Q"),
                color=colour,
                tooltip=[alt.Tooltip("architectures:Q", format=",d")],
            )
        )
        charts.append(sized(chart, _PANEL_HEIGHT, width))
    return charts


def binned(x: pd.Series[float], y: pd.Series[float], value: pd.Series[float] | None = None) -> pd.DataFrame:
    """Points counted in bins: x_low, x_high, y_low, y_high, architectures; `mean_value` is of `value`."""
    counts, x_edges, y_edges = np.histogram2d(x, y, bins=_BINS)
    columns, rows = np.nonzero(counts)
    bins = pd.DataFrame(
        {
            "x_low": x_edges[columns],
            "x_high": x_edges[columns + 1],
            "y_low": y_edges[rows],
            "y_high": y_edges[rows + 1],
            "architectures": counts[columns, rows].astype(int),
        }
    )
    if value is not None:
        sums, _, _ = np.histogram2d(x, y, bins=[x_edges, y_edges], weights=value)
        bins["mean_value"] = sums[columns, rows] / counts[columns, rows]
    return bins


def agreement_chart(
    agreement: pd.DataFrame, points: Sequence[str], titles: Mapping[str, str]
) -> alt.HConcatChart:
    """The panels of `agreement_panel` beside each other, one for each measure in `titles`."""
    panels = [
        agreement_panel(agreement, points, measure, width=280).properties(title=title)
        for measure, title in titles.items()
    ]
    return alt.hconcat(*panels, spacing=28)


def agreement_panel(
    agreement: pd.DataFrame, points: Sequence[str], measure: str, width: int | None = None
) -> alt.LayerChart | alt.FacetChart:
    """Correlations of other rankings with one, over its top-N.

    `agreement`: series (the other ranking), point, n, and the column `measure`. `width` in pixels; None for
    that of the container.
    """
    order = list(dict.fromkeys(agreement["series"]))
    legend = alt.Legend(title=None, orient="top", columns=3, labelLimit=260)
    zero = (
        alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(strokeWidth=1, color=GREY).encode(y=alt.Y("zero:Q"))
    )
    lines = (
        alt.Chart(agreement[["series", "point", "n", measure]])
        .mark_line(strokeWidth=2, point=alt.OverlayMarkDef(size=45, filled=True))
        .encode(
            x=alt.X("point:N", title="N best by ground truth" + ", or all" * ("all" in points))
            .scale(domain=list(points))
            .axis(labelAngle=0, labelOverlap=False),
            y=alt.Y(f"{measure}:Q", title=None).axis(tickCount=5),
            color=alt.Color("series:N", sort=order, legend=legend),
            shape=alt.Shape("series:N", sort=order, legend=legend),
            tooltip=[
                alt.Tooltip("series:N"),
                alt.Tooltip("point:N"),
                alt.Tooltip("n:Q"),
                alt.Tooltip(f"{measure}:Q", format=".3f"),
            ],
        )
    )
    return sized(alt.layer(zero, lines), _PANEL_HEIGHT, width)
