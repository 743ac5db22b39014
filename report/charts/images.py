"""Charts as files, drawn by vl-convert: no browser, no network."""

from __future__ import annotations

import io
from threading import Lock
from typing import Any, Final

import altair as alt
import vl_convert

from nasrank.report.charts.theme import CONFIG

# Altair keeps its theme, and how it treats data, in one place for all threads: who changes them holds this.
ALTAIR_SETTINGS: Final = Lock()

_PIXELS_A_POINT: Final = 2


def as_svg(chart: Any) -> str:
    """Any Altair chart with a width of its own, in the report's theme, as an SVG document."""
    image = io.StringIO()
    _save(chart, image, format="svg")
    return image.getvalue()


def as_png(chart: Any) -> bytes:
    """As `as_svg`, as a PNG of twice as many pixels as the chart has points."""
    image = io.BytesIO()
    _save(chart, image, format="png", scale_factor=_PIXELS_A_POINT)
    return image.getvalue()


def svg_as_png(svg: str) -> bytes:
    """An SVG document as a PNG of twice as many pixels as it has points."""
    return bytes(vl_convert.svg_to_png(svg, scale=_PIXELS_A_POINT))


def _save(chart: Any, image: io.StringIO | io.BytesIO, **options: Any) -> None:
    # Altair's limit of 5,000 rows is for notebooks, which keep them.
    with ALTAIR_SETTINGS, alt.data_transformers.enable("default", max_rows=None):
        chart.configure(**CONFIG).save(image, **options)
