"""How charts look in the report, on white in the light theme's colours, and how wide any chart is.

A chart has so many pixels, as a file, or the width of what contains it, on a screen.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar, cast

import altair as alt

# Told apart with every kind of colour blindness; app/theme.toml says how.
COLOURS: Final = ("#0072B2", "#CF7B08", "#009E4D", "#C07EB3", "#6B4400", "#401E7B", "#009AF6", "#726A64")
# From the worst over zero to the best; in the dark, app/theme.toml has others, whose zero is dark.
DIVERGING: Final = (
    *("#9C4A00", "#C96F12", "#E69A4C", "#F3C698", "#F6EADD"),
    *("#E1ECF5", "#A6CCE6", "#67A5D2", "#2F7DB8", "#0B4F8A"),
)
GREY: Final = "#8A929C"

_FONT: Final = "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif"
TEXT: Final = "#1B2430"

CONFIG: Final[dict[str, Any]] = {
    "background": "white",
    "font": _FONT,
    "range": {"category": list(COLOURS), "diverging": list(DIVERGING)},
    "view": {"stroke": "#D5DAE1"},
    "axis": {
        "domainColor": "#D5DAE1",
        "gridColor": "#EDF0F3",
        "labelColor": TEXT,
        "labelFontSize": 12,
        "tickColor": "#D5DAE1",
        "titleColor": TEXT,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
    },
    "legend": {"labelColor": TEXT, "titleColor": TEXT, "labelFontSize": 12},
    "title": {"color": TEXT, "fontSize": 13, "fontWeight": 600, "anchor": "start"},
    "header": {"labelColor": TEXT, "labelFontSize": 13, "labelFontWeight": 600},
}


# Where black and white are read equally well: the relative luminance of what is below (WCAG 2.2).
_MIDDLE: Final = 0.215


def readable_ink(field: str) -> alt.ColorValue:
    """For text on cells that the scale `color` colours by `field`: white on dark ones, else black."""
    is_dark = f"luminance(scale('color', datum.{field})) < {_MIDDLE}"
    return alt.ColorValue(**alt.condition(is_dark, alt.value("white"), alt.value(TEXT)))


View = TypeVar("View", bound=alt.Chart | alt.LayerChart | alt.FacetChart | alt.VConcatChart)


def sized(chart: View, height: int, width: int | None) -> View:
    """A chart of one view with its size in pixels; a `width` of None is that of the container."""
    if width is None:
        return fit_container(cast("View", chart.properties(height=height)))
    return cast("View", chart.properties(height=height, width=width))


def fit_container(chart: View) -> View:
    """The chart, made to take its container's width, and to keep its height whatever legend is around."""
    chart.autosize = alt.AutoSizeParams(type="fit-x", contains="padding")
    return chart
