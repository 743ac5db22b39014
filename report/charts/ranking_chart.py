"""The charts, in Altair. Colours come from the theme, so that light and dark each have their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import altair as alt
import pandas as pd

from nasrank.report.charts.labels import UNTRAINED_NAMES, listed
from nasrank.report.charts.line_looks import DASHES, SHAPES, Looks, colour_domain
from nasrank.report.charts.picking import emphasis, picking
from nasrank.report.charts.ranking_table import POINTS
from nasrank.report.charts.theme import fit_container

# Pixels: of a panel, and of both panels' axis labels, so that the panels align.
_HEIGHT: Final = 300
_AXIS_WIDTH: Final = 46
# Of a letter in the legend, and of what surrounds a name there.
_LETTER: Final = 5.6
_SYMBOL: Final = 48
_GREY: Final = "#8A929C"
_X_TITLE: Final = "N best by ground truth, or a random sample"


@dataclass(frozen=True, slots=True)
class Lines:
    """What the panels show.

    points: as of `ranking_table.Ranking`. series: the lines in the order of the legend.
    looks: of each, and of others that are not shown.
    seeds: as of `ranking_table.seed_points`; a thin line for each instead of the band.
    references: further points of correlations, of what needs no training: by `name` and mask.
    """

    points: pd.DataFrame
    series: Sequence[str]
    looks: Looks
    seeds: pd.DataFrame | None = None
    references: pd.DataFrame | None = None


@dataclass(frozen=True, slots=True)
class _Panel:
    """A column of the points, how its tooltips call it, and whether the axis of all panels is below it."""

    value: str
    title: str
    is_last: bool


def ranking_chart(
    lines: Lines,
    values: Sequence[str] = ("a_n", "tau"),
    *,
    picked: Sequence[str] = (),
    width: int | None = None,
) -> alt.VConcatChart:
    """The paper's two panels (its Figures 4 to 9): A_N above, τ below, over N.

    `values` are the panels: `a_n` or a column of `METRICS`. `width` in pixels; None for that of the
    container. A click on a line or its name (selection `picked`) lets the others fade; those of the series
    `picked` do so from the start.
    """
    lines = replace(lines, points=_with_gaps(lines.points))
    selection = picking(bind="legend", on="click")
    fade = partial(emphasis, selection, picked)
    styles = line_styles(lines.series, lines.looks, width)
    titles = {
        "a_n": ("mean of A_N (%)", "A_N: mean predicted accuracy (%)"),
        "tau": ("mean of τ (tau-b)", "τ of prediction and ground truth (tau-b)"),
        "tau_eq2": ("mean of τ (Equation 2)", "τ of prediction and ground truth (Equation 2)"),
        "spearman": ("mean of Spearman's ρ", "Spearman's rank correlation of prediction and ground truth"),
        "pearson": ("mean of Pearson's r", "Pearson's correlation of prediction and ground truth"),
        "tau_same_size": ("mean of τ among equal sizes", "Kendall's τ among pairs of equal parameters"),
        "tau_partial": ("mean of τ given the size", "Kendall's partial τ given the number of parameters"),
        "tau_sparse": ("mean of τ of the rounded truth", "τ (tau-b) with the truth in tenths of a point"),
        "tau_weighted": ("mean of weighted τ", "Kendall's τ, weighted towards the truly best"),
    }
    panels = []
    for value in values:
        short, long = titles[value]
        panel = _draw(lines, _Panel(value, short, value == values[-1]), styles, fade)
        size = {"height": _HEIGHT} | ({} if width is None else {"width": width})
        panels.append(panel.properties(title=_title(long), **size))
    panels[0] = panels[0].add_params(selection)
    chart = alt.vconcat(*panels, spacing=28)
    if width is None:
        fit_container(chart)
    chart.resolve = alt.Resolve(scale=dict.fromkeys(("stroke", "fill", "strokeDash"), "shared"))
    return chart


def ranking_description(series: Sequence[str], metric: str) -> str:
    """The chart for those who do not see it; short, because Streamlit names its buttons by it too."""
    return f"A_N and {metric} over N, {len(series)} lines: {listed(series)}"


def _draw(
    lines: Lines, panel: _Panel, styles: dict[str, Any], fade: Callable[[float, float], Any]
) -> alt.LayerChart | alt.FacetChart:
    points, seeds, value = lines.points, lines.seeds, panel.value
    is_correlation = value != "a_n"
    faded = fade(1, 0.12)
    base = alt.Chart(points).encode(
        x=alt.X("point:N", title=_X_TITLE if panel.is_last else None)
        .scale(domain=list(POINTS.values()))
        .axis(labelAngle=0, grid=True, labelOverlap=False),
        fill=styles["fill"],
    )
    height = alt.Y(f"{value}:Q", title=None).scale(zero=is_correlation, nice=True)
    height = height.axis(minExtent=_AXIS_WIDTH, maxExtent=_AXIS_WIDTH, tickCount=6, format=_format(value))
    if seeds is None:
        spread = base.mark_area(line=False).encode(
            y=alt.Y(f"{value}_low:Q", title=None),
            y2=alt.Y2(f"{value}_high:Q"),
            opacity=fade(0.14, 0.02),
            tooltip=alt.TooltipValue(None),
        )
    else:
        spread = (
            alt.Chart(seeds[["series", "point", "seed", value]])
            .mark_line(strokeWidth=1)
            .encode(
                x=base.encoding.x,
                y=alt.Y(f"{value}:Q", title=None),
                stroke=styles["stroke"],
                detail=alt.Detail("seed:N"),
                opacity=fade(0.5, 0.04),
                tooltip=[alt.Tooltip("series:N", title="experiment"), alt.Tooltip("seed:N")],
            )
        )
    line = base.mark_line(strokeWidth=2.25).encode(
        y=height,
        stroke=styles["stroke"],
        fill=alt.FillValue(None),
        strokeDash=styles["strokeDash"],
        opacity=faded,
        tooltip=alt.Tooltip("label:N", title="experiment"),
    )
    marks = [
        base.mark_point(size=70, filled=True, shape=shape)
        .encode(y=height, opacity=faded, tooltip=alt.TooltipValue(None))
        .transform_filter(alt.FieldOneOfPredicate(field="series", oneOf=names))
        for shape, names in _by_shape(lines.series, lines.looks).items()
    ]
    # Unseen and larger than the marks, so that a pointer need not be exact.
    targets = base.mark_circle(size=450, opacity=0).encode(y=height, tooltip=_tooltip(value, panel.title))
    layers = [spread, line, *marks, targets]
    if is_correlation:
        rule = alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(strokeWidth=1, color=_GREY)
        below = [
            *_chance(points, value, base.encoding.x),
            *_ceilings(points, value, base.encoding.x, height),
            *_references(lines, value, base.encoding.x, height),
        ]
        layers = [rule.encode(y=alt.Y("zero:Q")), *below, *layers]
    return alt.layer(*layers)


def _chance(points: pd.DataFrame, value: str, x: alt.X) -> list[alt.Chart]:
    """Where values lie without information, for as few seeds as any line has; none where unknown."""
    drawn = []
    # Permutations differ by no more than ties from mask to mask.
    for reference, title, opacity, by in (
        ("permutations", "95 % of random permutations", 0.22, ["point"]),
        ("initial", "95 % of networks before training", 0.12, ["point", "mask"]),
    ):
        low, high = f"{reference}_low", f"{reference}_high"
        known = points[points[value].notna()].dropna(subset=[low, high])
        if known.empty:
            continue
        bands = known.astype({low: float, high: float}).groupby(by, sort=False)
        told = bands.agg({low: "min", high: "max"}).reset_index().assign(reference=title)
        tooltip = [
            alt.Tooltip("reference:N", title="without information"),
            alt.Tooltip("point:N", title="N"),
            alt.Tooltip(f"{low}:Q", title="from", format=_format(value, 1)),
            alt.Tooltip(f"{high}:Q", title="to", format=_format(value, 1)),
        ]
        drawn.append(
            alt.Chart(told)
            .mark_area(color=_GREY, opacity=opacity, line=False)
            .encode(
                x=x,
                y=alt.Y(f"{low}:Q", title=None),
                y2=alt.Y2(f"{high}:Q"),
                detail=alt.Detail(f"{by[-1]}:N") if len(by) > 1 else alt.Detail("reference:N"),
                tooltip=tooltip,
            )
        )
    return drawn


def _ceilings(points: pd.DataFrame, value: str, x: alt.X, height: alt.Y) -> list[alt.Chart | alt.LayerChart]:
    """How one training ranks the sets, and how an oracle would; none without trials."""
    drawn = []
    for kind, limit in (
        ("oracle", _Limit("oracle", [12, 3], "100")),
        ("ceiling", _Limit("one training", [4, 4], "250")),
    ):
        known = points[["mask", "point", f"{value}_{kind}"]].dropna().drop_duplicates()
        known.columns = pd.Index(["mask", "point", value])
        drawn += _limits(known, value, limit, x, height)
    return drawn


def _references(lines: Lines, value: str, x: alt.X, height: alt.Y) -> list[alt.Chart | alt.LayerChart]:
    """What needs no training, each predictor by itself."""
    if lines.references is None:
        return []
    drawn = []
    known = lines.references.dropna(subset=[value])
    for name, of_name in known.groupby("name", sort=False):
        told = UNTRAINED_NAMES.get(str(name), str(name))
        drawn += _limits(of_name[["mask", "point", value]], value, _Limit(told, [1, 4], "50"), x, height)
    return drawn


@dataclass(frozen=True, slots=True)
class _Limit:
    """What a value is held against, how its line is drawn, and at which point its name stands."""

    name: str
    dash: list[int]
    named_at: str


def _limits(
    known: pd.DataFrame, value: str, limit: _Limit, x: alt.X, height: alt.Y
) -> list[alt.Chart | alt.LayerChart]:
    """A grey line of one mask; of several, whose lines would be a tangle, their range."""
    if known.empty:
        return []
    ends = known.groupby("point", sort=False)[value].agg(low="min", high="max").reset_index()
    ends["name"] = limit.name
    tooltip = [
        alt.Tooltip("name:N", title="against"),
        alt.Tooltip("point:N", title="N"),
        alt.Tooltip("low:Q", title="from", format=_format(value, 1)),
        alt.Tooltip("high:Q", title="to", format=_format(value, 1)),
    ]
    base = alt.Chart(ends).encode(x=x, tooltip=tooltip)
    upper = height.copy()
    upper.shorthand = "high:Q"
    line = base.mark_line(strokeWidth=1.5, color=_GREY, strokeDash=limit.dash, strokeCap="round").encode(
        y=upper
    )
    place = ends["point"].eq(limit.named_at).idxmax()
    text = (
        alt.Chart(ends.loc[[place]])
        .mark_text(baseline="bottom", dy=-5, fontSize=11, color=_GREY)
        .encode(x=x, y=upper, text=alt.Text("name:N"), tooltip=alt.TooltipValue(None))
    )
    if (ends["low"] == ends["high"]).all():
        return [line, text]
    area = base.mark_area(color=_GREY, opacity=0.13, line=False).encode(
        y=alt.Y("low:Q", title=None), y2=alt.Y2("high:Q")
    )
    lower = height.copy()
    lower.shorthand = "low:Q"
    return [area, line, line.encode(y=lower), text]


def _with_gaps(points: pd.DataFrame) -> pd.DataFrame:
    """With empty rows for the points that a line lacks, so that it breaks there instead of bridging them."""
    full = pd.MultiIndex.from_product([points["series"].unique(), POINTS.values()], names=["series", "point"])
    return points.set_index(["series", "point"]).reindex(full).reset_index()


def _by_shape(series: Sequence[str], looks: Looks) -> dict[str, list[str]]:
    """The lines by their mark. No scale: its legend would have marks in place of line swatches."""
    found: dict[str, list[str]] = {}
    for name in series:
        found.setdefault(SHAPES[looks[name].shape], []).append(name)
    return found


def line_styles(series: Sequence[str], looks: Looks, chart_width: int | None) -> dict[str, Any]:
    """Colour and dash of every line, with a legend of line swatches, and the colour as a filling."""
    order = colour_domain(looks)
    width = round(max(map(len, series)) * _LETTER + _SYMBOL)
    legend = alt.Legend(
        title=None,
        orient="top",
        direction="horizontal",
        values=list(series),
        labelLimit=2 * width,  # fonts differ in width: no name is cut
        symbolLimit=0,  # all of them: Vega's own limit is 30
        symbolType="stroke",
        symbolSize=500,
        symbolStrokeWidth=2.5,
        symbolOpacity=1,
        labelFontSize=13,
        columns=alt.ExprRef(f"max(1, floor((containerSize()[0] - {_AXIS_WIDTH}) / {width}))")
        if chart_width is None
        else max(1, chart_width // width),
    )
    dashes = [DASHES[looks[name].dash] if name in looks else DASHES[0] for name in order]
    return {
        "stroke": alt.Stroke("series:N", legend=legend).scale(domain=order),
        "strokeDash": alt.StrokeDash("series:N", legend=legend).scale(domain=order, range=dashes),
        "fill": alt.Fill("series:N", legend=legend).scale(domain=order),
    }


def _tooltip(value: str, title: str) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("label:N", title="experiment"),
        alt.Tooltip("point:N", title="N"),
        alt.Tooltip(f"{value}:Q", title=title, format=_format(value, 1)),
        alt.Tooltip(f"{value}_std:Q", title="deviation over seeds", format=_format(value, 1)),
        alt.Tooltip("seeds:Q", title="seeds"),
        alt.Tooltip("n:Q", title="architectures"),
    ]


def _title(text: str) -> alt.TitleParams:
    return alt.TitleParams(text, anchor="start", fontSize=14, offset=10)


def _format(value: str, more_digits: int = 0) -> str:
    return f".{(0 if value == 'a_n' else 1) + 2 * more_digits}f"
