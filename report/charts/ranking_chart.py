"""The charts, in Altair. Colours come from the theme, so that light and dark each have their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import altair as alt
import pandas as pd

from nasrank.report.charts.labels import UNTRAINED_NAMES, listed
from nasrank.report.charts.line_looks import (
    AXIS_WIDTH,
    COLOURS,
    LETTER,
    SHAPES,
    Looks,
    line_styles,
    spread_out,
)
from nasrank.report.charts.picking import emphasis, picking
from nasrank.report.charts.ranking_table import POINTS
from nasrank.report.charts.theme import fit_container

# Pixels: of a panel; of a name at a line's end, of the piece of line before it, and of the longest name.
_HEIGHT: Final = 300
_SMALL_HEIGHT: Final = 220
_NAME_HEIGHT: Final = 16
_LEADER: Final = (8, 30)
_LONGEST: Final = 270
# And which part of a chart's width that may be.
_NAMES_SHARE: Final = 0.36
_GREY: Final = "#8A929C"
# Of panels: in tooltips, and above them.
_TITLES: Final = {
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
_X_TITLE: Final = "N best by ground truth, or a random sample"


@dataclass(frozen=True, slots=True)
class Lines:
    """What the panels show.

    points: as of `ranking_table.Ranking`. series: the lines in the order of the legend, which there is where
        they are more than can be named at their ends.
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
    """A column of the points, how its tooltips call it, and whether the axis of all panels is below it.

    domain: the ends of its axis; height in pixels; width of the chart, None for that of the container.
    """

    value: str
    title: str
    is_last: bool
    domain: tuple[float, float]
    height: int = _HEIGHT
    width: int | None = None

    @property
    def longest_name(self) -> float | alt.ExprRef:
        """Pixels that a name at a line's end may take."""
        if self.width is not None:
            return min(_LONGEST, _NAMES_SHARE * self.width)
        return alt.ExprRef(f"min({_LONGEST}, {_NAMES_SHARE} * containerSize()[0])")


def ranking_chart(
    lines: Lines,
    values: Sequence[str] = ("a_n", "tau"),
    *,
    picked: Sequence[str] = (),
    width: int | None = None,
) -> alt.VConcatChart:
    """The paper's two panels (its Figures 4 to 9): A_N above, τ below, over N.

    `values` are the panels: `a_n` or a column of `METRICS`. `width` in pixels, with the names at the lines'
    ends; None for that of the container. A click on a line or its name (selection `picked`) lets the
    others fade; those of the series `picked` do so from the start.
    """
    lines = replace(lines, points=with_gaps(lines.points))
    # Not bound to a legend: Vega-Lite then does nothing on the first click on a name.
    selection = picking(on="click")
    fade = partial(emphasis, selection, picked)
    are_named = len(lines.series) <= COLOURS
    styles = line_styles(lines.series, lines.looks, width, has_legend=not are_named)
    panels = []
    for value in values:
        short, long = _TITLES[value]
        panel = _Panel(value, short, value == values[-1], extent(lines, value), _HEIGHT, width)
        size = {"height": panel.height}
        if width is not None:
            size["width"] = width - (_room_for_names(lines.series, width) if are_named else 0)
        panels.append(_draw(lines, panel, styles, fade).properties(title=_title(long), **size))
    panels[0] = panels[0].add_params(selection)
    chart = alt.vconcat(*panels, spacing=28)
    if width is None:
        fit_container(chart)
    chart.resolve = alt.Resolve(scale=dict.fromkeys(("stroke", "fill", "strokeDash"), "shared"))
    return chart


def mask_chart(
    lines: Lines, value: str, ends: tuple[float, float], title: str, *, picked: Sequence[str] = ()
) -> alt.LayerChart | alt.FacetChart:
    """One small panel of `ranking_chart` with the lines of one mask, and the ends that all masks share."""
    lines = replace(lines, points=with_gaps(lines.points))
    selection = picking(on="click")
    styles = line_styles(lines.series, lines.looks, None, has_legend=False)
    panel = _Panel(value, _TITLES[value][0], False, ends, _SMALL_HEIGHT)
    drawn = _draw(lines, panel, styles, partial(emphasis, selection, picked)).add_params(selection)
    return fit_container(drawn.properties(title=_title(title), height=panel.height))


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
    height = alt.Y(f"{value}:Q", title=None).scale(domain=list(panel.domain), nice=False, zero=False)
    height = height.axis(minExtent=AXIS_WIDTH, maxExtent=AXIS_WIDTH, tickCount=6, format=_format(value))
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
    layers = [spread, line, *marks, targets, *_names(lines, panel, styles, faded)]
    if is_correlation:
        rule = alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(strokeWidth=1, color=_GREY)
        below = [
            *_chance(points, value, base.encoding.x),
            *_ceilings(points, value, base.encoding.x, height),
            *_references(lines, value, base.encoding.x, height),
        ]
        layers = [rule.encode(y=alt.Y("zero:Q")), *below, *layers]
    return alt.layer(*layers)


def _room_for_names(series: Sequence[str], width: int) -> int:
    """Pixels beside a panel of a given width for the longest name, and what leads to it."""
    longest = min(_LONGEST, _NAMES_SHARE * width)
    return round(_LEADER[1] + min(longest, 1.2 * LETTER * max(map(len, series), default=0)))


def extent(lines: Lines, value: str) -> tuple[float, float]:
    """From the least to the greatest of what the panel draws, of a correlation with zero, and some air."""
    ends = ["", "_low", "_high", "_ceiling", "_oracle"]
    drawn = [lines.points.get(f"{value}{end}") for end in ends]
    if value != "a_n":
        chance = ["permutations_low", "permutations_high", "initial_low", "initial_high"]
        drawn += [lines.points.get(column) for column in chance]
        drawn.append(None if lines.references is None else lines.references[value])
        drawn.append(pd.Series([0.0]))
    if lines.seeds is not None:
        drawn.append(lines.seeds[value])
    known = pd.concat([one.astype(float) for one in drawn if one is not None]).dropna()
    if known.empty:
        return (0.0, 1.0)
    low, high = float(known.min()), float(known.max())
    air = 0.03 * (high - low) or 0.5
    return (low - air, high + air)


def _names(lines: Lines, panel: _Panel, styles: dict[str, Any], faded: Any) -> list[alt.Chart]:
    """Every line's name at its end, and a piece of the line that leads there; none of too many lines."""
    if len(lines.series) > COLOURS:
        return []
    order = list(POINTS.values())
    known = lines.points.dropna(subset=[panel.value])
    known = known.assign(place=known["point"].map(order.index)).sort_values("place")
    ends = known.groupby("series", sort=False).tail(1)[["series", "label", "point", panel.value]]
    low, high = panel.domain
    gap = _NAME_HEIGHT * (high - low) / panel.height
    ends = ends.assign(
        name_at=spread_out(list(ends[panel.value].astype(float)), gap, low, high),
        name=ends["series" if panel.value == "a_n" else "label"],
    )
    # Where it ends is not the end of the axis for all, and the names are in a column.
    base = alt.Chart(ends.assign(last=order[-1])).encode(
        opacity=faded, tooltip=alt.Tooltip("name:N", title="experiment")
    )
    leader = base.mark_rule(strokeWidth=2.25, xOffset=_LEADER[0], x2Offset=_LEADER[1]).encode(
        x=alt.X("last:N"),
        x2=alt.X2("last"),
        y=alt.Y(f"{panel.value}:Q", title=None),
        y2=alt.Y2("name_at"),
        stroke=styles["stroke"],
        strokeDash=styles["strokeDash"],
    )
    text = base.mark_text(
        align="left",
        baseline="middle",
        dx=_LEADER[1] + 4,
        fontSize=12,
        fontWeight=600,
        limit=panel.longest_name,
    ).encode(
        x=alt.X("last:N"), y=alt.Y("name_at:Q", title=None), text=alt.Text("name:N"), fill=styles["fill"]
    )
    return [leader, text]


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


def with_gaps(points: pd.DataFrame) -> pd.DataFrame:
    """With empty rows for the points that a line lacks, so that it breaks there instead of bridging them."""
    full = pd.MultiIndex.from_product([points["series"].unique(), POINTS.values()], names=["series", "point"])
    return points.set_index(["series", "point"]).reindex(full).reset_index()


def _by_shape(series: Sequence[str], looks: Looks) -> dict[str, list[str]]:
    """The lines by their mark. No scale: its legend would have marks in place of line swatches."""
    found: dict[str, list[str]] = {}
    for name in series:
        found.setdefault(SHAPES[looks[name].shape], []).append(name)
    return found


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
