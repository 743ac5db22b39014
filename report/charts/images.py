"""Charts as files, drawn by vl-convert: no browser, no network."""

from __future__ import annotations

from threading import Lock
from typing import Any, Final

import altair as alt
import vl_convert

from nasrank.report.charts.theme import CONFIG

# Altair keeps its theme, and how it treats data, in one place for all threads: who changes them holds this.
ALTAIR_SETTINGS: Final = Lock()

_PIXELS_A_POINT: Final = 2
_NO_CHARACTER: Final = "\ufffd"
_VEGA_LITE: Final = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])


def as_svg(chart: Any) -> str:
    """Any Altair chart with a width of its own, in the report's theme, as an SVG document."""
    return str(vl_convert.vegalite_to_svg(_specification(chart), vl_version=_VEGA_LITE))


def as_png(chart: Any) -> bytes:
    """As `as_svg`, as a PNG of twice as many pixels as the chart has points."""
    drawn = vl_convert.vegalite_to_png(_specification(chart), vl_version=_VEGA_LITE, scale=_PIXELS_A_POINT)
    return bytes(drawn)


def svg_as_png(svg: str) -> bytes:
    """An SVG document as a PNG of twice as many pixels as it has points."""
    return bytes(vl_convert.svg_to_png(svg, scale=_PIXELS_A_POINT))


def _specification(chart: Any) -> dict[str, Any]:
    # Altair's limit of 5,000 rows is for notebooks, which keep them.
    with ALTAIR_SETTINGS, alt.data_transformers.enable("default", max_rows=None):
        spec: dict[str, Any] = chart.configure(**CONFIG).to_dict(context={"pre_transform": False})
    return dict(_printable(spec))


def _printable(part: Any) -> Any:
    r"""A part of a chart without characters that XML does not have: one ends vl-convert with its process.

    Backslashes would not do: Vega reads some labels as expressions, in which `\x1b` is the character again.
    """
    if isinstance(part, dict):
        return {_printable(name): _printable(value) for name, value in part.items()}
    if isinstance(part, list):
        return [_printable(value) for value in part]
    if not isinstance(part, str) or part.isprintable():
        return part
    return "".join(character if character.isprintable() else _NO_CHARACTER for character in part)
