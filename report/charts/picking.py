"""Marks that a reader picks by a click, by their field `series`; the others fade."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import altair as alt

# Of the selection, for those who listen to it.
PICKED: Final = "picked"
FIELD: Final = "series"


def picking(**options: Any) -> alt.Parameter:
    """The selection; `options` go to `alt.selection_point`."""
    return alt.selection_point(name=PICKED, fields=[FIELD], **options)


def emphasis(selection: alt.Parameter, already: Sequence[str], full: float, faint: float) -> alt.OpacityValue:
    """An opacity: `full` for what is picked, for all where nothing is, else `faint`.

    `already` are series that were picked elsewhere; they count until the reader picks here. They are no
    initial value of the selection, because Streamlit does not hear when a reader clears that.
    """
    if not already:
        return alt.OpacityValue(**alt.condition(selection, alt.value(full), alt.value(faint)))
    is_already = f"!{PICKED}.{FIELD} && indexof({json.dumps(list(already))}, datum.{FIELD}) >= 0"
    condition = (
        alt.when(selection, empty=False)
        .then(alt.value(full))
        .when(is_already)
        .then(alt.value(full))
        .otherwise(alt.value(faint))
    )
    return alt.OpacityValue(**condition)
