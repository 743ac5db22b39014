"""How wide a chart is: so many pixels, as a file, or as wide as what contains it, on a screen."""

from __future__ import annotations

from typing import TypeVar, cast

import altair as alt

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
