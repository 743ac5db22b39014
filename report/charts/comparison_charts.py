"""The charts of experiments beside each other: differences with their intervals, and curves over epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import altair as alt
import pandas as pd

from nasrank.report.charts.line_looks import Looks, line_styles
from nasrank.report.charts.theme import GREY, fit_container, sized

_ROW: Final = 20  # pixels a line of the forest
_AXIS_WIDTH: Final = 46
_HEIGHT: Final = 240


def forest_chart(
    differences: pd.DataFrame,
    series: Sequence[str],
    looks: Looks,
    title: str,
    width: int | None = None,
) -> alt.LayerChart | alt.FacetChart:
    """Differences to a reference with 95 % intervals, a band for each set, a line for each experiment in it.

    `differences`: series, set, difference, low, high (missing without an interval), seeds, p_value, p_holm.
    Sets are drawn in the order of the rows; `looks` are of the lines. Without an interval, the
    mark is hollow.
    """
    shown = list(dict.fromkeys(differences["set"]))
    styles = line_styles(series, looks, width)
    base = alt.Chart(differences.assign(certain=differences["low"].notna())).encode(
        y=alt.Y("set:N", title=None, sort=shown)
        .axis(labelOverlap=False)
        .axis(grid=True, bandPosition=0, ticks=False, labelOverlap=False)
        .scale(paddingInner=0.35),
        yOffset=alt.YOffset("series:N", sort=list(series)),
        stroke=styles["stroke"],
    )
    x = alt.X("difference:Q", title=title).axis(tickCount=7)
    tooltip = [
        alt.Tooltip("series:N", title="experiment"),
        alt.Tooltip("set:N", title="architectures"),
        alt.Tooltip("difference:Q", format="+.3f"),
        alt.Tooltip("low:Q", title="95 % from", format="+.3f"),
        alt.Tooltip("high:Q", title="to", format="+.3f"),
        alt.Tooltip("seeds:Q"),
        alt.Tooltip("p_value:Q", title="p", format=".3f"),
        alt.Tooltip("p_holm:Q", title="p after Holm", format=".3f"),
    ]
    zero = (
        alt.Chart(pd.DataFrame({"difference": [0]}))
        .mark_rule(color=GREY, strokeDash=[4, 4], strokeWidth=1.5)
        .encode(x=x)
    )
    interval = base.mark_rule(strokeWidth=2.5).encode(x=alt.X("low:Q", title=title), x2=alt.X2("high:Q"))
    points = base.mark_point(size=70, strokeWidth=2, opacity=1).encode(
        x=x,
        fillOpacity=alt.FillOpacityValue(**alt.condition("datum.certain", alt.value(1), alt.value(0))),
        fill=styles["fill"],
        tooltip=tooltip,
    )
    height = max(90, len(shown) * (10 + _ROW * len(series)))
    return sized(alt.layer(zero, interval, points), height, width)


def curves_chart(
    curves: pd.DataFrame,
    panels: Mapping[str, str],
    series: Sequence[str],
    looks: Looks,
    width: int | None = None,
) -> alt.VConcatChart:
    """Lines over epochs, a panel for each column in `panels` (with its title), one below the other.

    `curves`: series, line (what is joined: a run, or an experiment), epoch, the columns, and the ends of
    their bands as `…_low` and `…_high`, where there are any. `series` and `looks`: as of `ranking_chart`.
    """
    styles = line_styles(series, looks, width)
    drawn = []
    for column, title in panels.items():
        known = curves.dropna(subset=[column])
        base = alt.Chart(known).encode(
            x=alt.X("epoch:Q", title="epoch" if column == list(panels)[-1] else None)
            .scale(nice=False, zero=False)
            .axis(tickMinStep=1),
            detail=alt.Detail("line:N"),
        )
        y = alt.Y(f"{column}:Q", title=None).scale(zero=False, nice=True)
        y = y.axis(minExtent=_AXIS_WIDTH, maxExtent=_AXIS_WIDTH, tickCount=5)
        tooltip = [
            alt.Tooltip("line:N", title="of"),
            alt.Tooltip("epoch:Q"),
            alt.Tooltip(f"{column}:Q", title=title, format=".3f"),
        ]
        few = known["epoch"].nunique() <= 30
        layers: list[Any] = [
            base.mark_line(strokeWidth=2).encode(
                y=y, stroke=styles["stroke"], strokeDash=styles["strokeDash"], tooltip=tooltip
            )
        ]
        if few:
            layers.append(
                base.mark_point(size=30, filled=True).encode(y=y, fill=styles["fill"], tooltip=tooltip)
            )
        if f"{column}_low" in known:
            band = base.mark_area(opacity=0.15).encode(
                y=alt.Y(f"{column}_low:Q", title=None),
                y2=alt.Y2(f"{column}_high:Q"),
                fill=styles["fill"],
                tooltip=alt.TooltipValue(None),
            )
            layers.insert(0, band)
        size = {"height": _HEIGHT} | ({} if width is None else {"width": width})
        drawn.append(
            alt.layer(*layers).properties(
                title=alt.TitleParams(title, anchor="start", fontSize=14, offset=10), **size
            )
        )
    chart = alt.vconcat(*drawn, spacing=24)
    if width is None:
        fit_container(chart)
    chart.resolve = alt.Resolve(scale=dict.fromkeys(("stroke", "fill", "strokeDash"), "shared"))
    return chart
