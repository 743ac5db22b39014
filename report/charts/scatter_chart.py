"""Predicted against true accuracy: points, or bins where points would hide each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import altair as alt
import pandas as pd

from nasrank.db.nb201.architectures import BENCHMARK_OPERATIONS, EDGES, OPERATIONS
from nasrank.report.charts.paper_charts import COUNTS, binned
from nasrank.report.charts.theme import sized

# More points than this are counted in bins: a browser still answers at once, and they can be told apart.
DRAWN: Final = 2_000
# What points can be coloured by, besides how many edges have an operation.
NOTHING: Final = "nothing"
TRUE_RANK: Final = "true rank"
EQUAL: Final = "equal networks"
COLOURINGS: Final = (NOTHING, *OPERATIONS, TRUE_RANK, EQUAL)
# The name of the selection that a rectangle drawn with the mouse makes.
BRUSH: Final = "brush"

_CATEGORIES: Final = {
    TRUE_RANK: ("10 best", "50 best", "500 best", "others"),
    EQUAL: ("first of its class", "equal to another", "constant output"),
}
_SHAPES: Final = ("circle", "triangle-up", "square", "diamond")
# Neither end is lost on a white or a dark page.
_SEQUENCE: Final = alt.SchemeParams(name="viridis", extent=[0.2, 0.9])
_HEIGHT: Final = 250
_AXIS_WIDTH: Final = 36


@dataclass(frozen=True, slots=True)
class Panel:
    """What one panel shows: points in their units, and what is told of them.

    points: arch_id, digits, gt_rank, truth, predicted, constant, first_of_class.
    title: its lines. unit: of the predictions, `%`, or empty for scores; `rank` where both axes are ranks.
    domains: of truth and of prediction; None for what the points have.
    """

    points: pd.DataFrame
    title: Sequence[str]
    unit: str = "%"
    domains: tuple[Sequence[float] | None, Sequence[float] | None] = (None, None)

    @property
    def is_by_rank(self) -> bool:
        """Whether its axes are ranks, 1 for the best."""
        return self.unit == "rank"


def panel_chart(panel: Panel, colour: str, width: int | None = None, image: str | None = None) -> alt.Chart:
    """One panel, coloured by one of `COLOURINGS`; `width` in pixels, None for that of the container.

    `image` is a Vega expression of `datum.digits`: the address of a picture to show beside a point.
    """
    chart = _bins(panel, colour) if len(panel.points) > DRAWN else _points(panel, colour, image)
    brush = alt.selection_interval(name=BRUSH, encodings=["x", "y"])
    title = alt.TitleParams(list(panel.title), fontSize=13, fontWeight="normal", offset=8)
    drawn: alt.Chart = chart.add_params(brush).properties(title=title)
    # Names the mark of the brush, which has no description of its own.
    named: alt.Chart = drawn.configure_mark(description="selected range")
    return sized(named, _HEIGHT, width)


def coloured(points: pd.DataFrame, colour: str) -> pd.Series[Any]:
    """What `colour` says of each point: a number of edges, or a category."""
    if colour in OPERATIONS:
        return points["digits"].str.count(str(OPERATIONS.index(colour)))
    if colour == TRUE_RANK:
        cuts = [0, 10, 50, 500, float("inf")]
        return pd.cut(points["gt_rank"], cuts, labels=list(_CATEGORIES[TRUE_RANK])).astype(str)
    if colour == EQUAL:
        first, equal, constant = _CATEGORIES[EQUAL]
        told = points["first_of_class"].map({True: first, False: equal})
        return told.mask(points["constant"].astype(bool), constant)
    return pd.Series("", index=points.index)


def _points(panel: Panel, colour: str, image: str | None) -> alt.Chart:
    # The best are drawn last, above all others.
    panel_points = panel.points.iloc[::-1]
    points = panel_points[["arch_id", "digits", "gt_rank", "truth", "predicted"]]
    points = points.assign(value=coloured(panel_points, colour))
    few = len(points) <= 100
    chart = alt.Chart(points).mark_point(filled=True, size=60 if few else 28, opacity=0.75 if few else 0.55)
    chart = chart.transform_calculate(string=_STRING, **({"image": image} if image else {}))
    x_domain, y_domain = panel.domains
    encodings: dict[str, Any] = {
        "x": _axis(alt.X("truth:Q"), _true(panel), x_domain, reverse=panel.is_by_rank),
        "y": _axis(
            alt.Y("predicted:Q"), _predicted(panel), y_domain, reverse=panel.is_by_rank, minExtent=_AXIS_WIDTH
        ),
        "tooltip": [
            *([alt.Tooltip("image:N")] if image else []),
            alt.Tooltip("arch_id:Q", title="architecture"),
            alt.Tooltip("string:N", title="string"),
            alt.Tooltip("gt_rank:Q", title="true rank"),
            alt.Tooltip("truth:Q", title=_true(panel), format=".2f"),
            alt.Tooltip("predicted:Q", title=_predicted(panel), format=".4~g" if not panel.unit else ".2f"),
        ],
    }
    legend = alt.Legend(title=None, orient="bottom", symbolOpacity=1, columns=2)
    if colour in OPERATIONS:
        encodings["color"] = (
            alt.Color("value:Q", title=f"edges with {colour}")
            .scale(domain=[0, len(EDGES)], scheme=_SEQUENCE)
            .legend(orient="bottom", tickCount=6, format="d", gradientLength=160)
        )
    elif colour in _CATEGORIES:
        domain = list(_CATEGORIES[colour])
        encodings["color"] = alt.Color("value:N", legend=legend).scale(domain=domain)
        encodings["shape"] = alt.Shape("value:N", legend=legend).scale(
            domain=domain, range=list(_SHAPES[: len(domain)])
        )
    drawn: alt.Chart = chart.encode(**encodings)
    return drawn


def _bins(panel: Panel, colour: str) -> alt.Chart:
    """Counts on a scale of logarithms, or how many edges have the operation, on average."""
    points = panel.points
    of_operation = colour in OPERATIONS
    value = coloured(points, colour) if of_operation else None
    # A brush tells the fields of x and y: the same as of points.
    bins = binned(points["truth"], points["predicted"], value).rename(
        columns={"x_low": "truth", "y_low": "predicted"}
    )
    tooltip = [alt.Tooltip("architectures:Q", format=",d")]
    if of_operation:
        shade = (
            alt.Color("mean_value:Q", title=f"mean edges with {colour}")
            .scale(domain=[0, len(EDGES)], scheme=_SEQUENCE)
            .legend(orient="bottom", tickCount=6, format="d", gradientLength=160)
        )
        tooltip.append(alt.Tooltip("mean_value:Q", title=f"mean edges with {colour}", format=".2f"))
    else:
        shade = (
            alt.Color("architectures:Q", title="architectures")
            .scale(type="log", domain=[1, int(bins["architectures"].max())], scheme=COUNTS, nice=False)
            .legend(orient="bottom", tickCount=4, format="~s", gradientLength=160)
        )
    x_domain, y_domain = panel.domains
    drawn: alt.Chart = (
        alt.Chart(bins)
        .mark_rect()
        .encode(
            x=_axis(alt.X("truth:Q"), _true(panel), x_domain, reverse=panel.is_by_rank),
            x2=alt.X2("x_high:Q"),
            y=_axis(
                alt.Y("predicted:Q"),
                _predicted(panel),
                y_domain,
                reverse=panel.is_by_rank,
                minExtent=_AXIS_WIDTH,
            ),
            y2=alt.Y2("y_high:Q"),
            color=shade,
            tooltip=tooltip,
        )
    )
    return drawn


def _true(panel: Panel) -> str:
    return "true rank" if panel.is_by_rank else "ground truth (%)"


def _predicted(panel: Panel) -> str:
    return {"%": "predicted (%)", "rank": "predicted rank"}.get(panel.unit, "predicted score")


def _axis(channel: Any, title: str, domain: Sequence[float] | None, *, reverse: bool, **options: Any) -> Any:
    """Scaled to what is shown, not to zero; better is to the right, and up."""
    channel = channel.title(title).axis(tickCount=5, **options)
    if domain is None:
        return channel.scale(zero=False, nice=True, reverse=reverse)
    return channel.scale(zero=False, nice=False, domain=list(domain), clamp=True, reverse=reverse)


def _string_expression() -> str:
    """The benchmark's string of `datum.digits`, made in the browser: sent, it would be most of the data."""
    names = "[" + ",".join(f"'{name}'" for name in BENCHMARK_OPERATIONS) + "]"
    nodes = [
        "+".join(
            f"{names}[+datum.digits[{edge}]]+'~{source}|'"
            for edge, (source, target) in enumerate(EDGES)
            if target == node
        )
        for node in (1, 2, 3)
    ]
    return "'|'+" + "+'+|'+".join(nodes)


_STRING: Final = _string_expression()
