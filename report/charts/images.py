"""Charts as files, made by vl-convert: no browser, no network."""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import Any, Final

import altair as alt
import vl_convert

from nasrank.report.charts.theme import CONFIG
from nasrank.report.templates import template

# Altair keeps its theme, and how it treats data, in one place for all threads: who changes them holds this.
ALTAIR_SETTINGS: Final = Lock()

_PIXELS_A_POINT: Final = 2
# Stands for one that cannot be shown.
NO_CHARACTER: Final = "\ufffd"
# It looks like a backslash, and means nothing.
_NO_BACKSLASH: Final = "\u2216"
# What a reader may do with an interactive chart: nothing that would leave the machine.
_ACTIONS: Final = {"export": True, "source": False, "compiled": False, "editor": False}
_VEGA_LITE: Final = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])


def as_svg(chart: Any) -> str:
    """Any Altair chart with a width of its own, in the report's theme, as an SVG document."""
    return str(vl_convert.vegalite_to_svg(_specification(chart), vl_version=_VEGA_LITE))


def as_png(chart: Any) -> bytes:
    """As `as_svg`, as a PNG of twice as many pixels as the chart has points."""
    drawn = vl_convert.vegalite_to_png(_specification(chart), vl_version=_VEGA_LITE, scale=_PIXELS_A_POINT)
    return bytes(drawn)


def as_html(chart: Any, title: str) -> str:
    """As `as_svg`, as a page on which marks tell their numbers; it has all that it needs in it."""
    return template("chart.html.j2").render(
        title=title,
        # Its own code, and no text of others.
        script=_vega_embed(),
        specification=_specification(chart.properties(title=title)),
        options={"actions": _ACTIONS},
    )


@cache
def _vega_embed() -> str:
    """What draws charts in a browser; making it takes seconds."""
    return str(vl_convert.javascript_bundle("globalThis.vegaEmbed = vegaEmbed", vl_version=_VEGA_LITE))


def with_plain_titles(part: Any) -> Any:
    """A specification whose titles are nothing but text.

    Vega-Lite writes titles of axes and tooltips into expressions, in which it escapes quotation marks alone:
    a backslash or a line break would let an expression go on with what the title says. So no title has them.
    """
    if isinstance(part, list):
        return [with_plain_titles(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {
        name: value if name in _DATA else _plain(value) if name == "title" else with_plain_titles(value)
        for name, value in part.items()
    }


# Where a specification keeps rows, in which a column may be called anything.
_DATA: Final = ("datasets", "values")


def _plain(title: Any) -> Any:
    if isinstance(title, list):
        return [_plain(line) for line in title]
    if isinstance(title, str):
        return _printable(title).replace("\\", _NO_BACKSLASH)
    return with_plain_titles(title)


def svg_as_png(svg: str) -> bytes:
    """An SVG document as a PNG of twice as many pixels as it has points."""
    return bytes(vl_convert.svg_to_png(svg, scale=_PIXELS_A_POINT))


def _specification(chart: Any) -> dict[str, Any]:
    # Altair's limit of 5,000 rows is for notebooks, which keep them.
    with ALTAIR_SETTINGS, alt.data_transformers.enable("default", max_rows=None):
        spec: dict[str, Any] = chart.configure(**CONFIG).to_dict(context={"pre_transform": False})
    return dict(_printable(with_plain_titles(spec)))


def _printable(part: Any) -> Any:
    """A part of a chart without characters that XML does not have: one ends vl-convert with its process."""
    if isinstance(part, dict):
        return {_printable(name): _printable(value) for name, value in part.items()}
    if isinstance(part, list):
        return [_printable(value) for value in part]
    if not isinstance(part, str) or part.isprintable():
        return part
    return "".join(character if character.isprintable() else NO_CHARACTER for character in part)
