"""A chart on a page, told to those who do not see it, with its files below."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.elements import vega_charts

from report.images import as_png, as_svg

# Altair keeps how it treats data in one place for all threads, and Streamlit changes it for each chart.
_ALTAIR_LOCK = getattr(vega_charts, "_altair_globals_lock", None) or Lock()


def show_figure(
    chart: Any,
    *,
    name: str,
    alt: str,
    data: pd.DataFrame | None = None,
    printed: Callable[[], Any] | None = None,
    **options: Any,
) -> Any:
    """Draw an Altair chart, and offer it as SVG and PNG, with `data` as CSV.

    `name` is that of the files, once a page. `printed` makes the chart for the files where the one on the
    screen has the width of its container. `options` go to `st.altair_chart`, whose selection is returned.
    """
    # Streamlit would have Altair check the whole chart once more, a third of a page's time; tests check it.
    object.__setattr__(chart, "to_dict", partial(type(chart).to_dict, chart, validate=False))
    selection = st.altair_chart(chart, alt=alt, **{"width": "stretch", **options})
    draw = printed or (lambda: chart)
    # Made only when asked for: an image takes as long as a page.
    files: list[tuple[str, str, Callable[[], str | bytes]]] = [
        ("SVG", "image/svg+xml", lambda: _alone(as_svg, draw())),
        ("PNG", "image/png", lambda: _alone(as_png, draw())),
    ]
    if data is not None:
        files.append(("CSV", "text/csv", lambda: data.to_csv(index=False, lineterminator="\n")))
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        for label, mime, make in files:
            ending = label.lower()
            st.download_button(
                label,
                make,
                file_name=f"{name}.{ending}",
                mime=mime,
                key=f"{name}-{ending}",
                on_click="ignore",
                type="tertiary",
                icon=":material/download:",
            )
    return selection


def _alone(make: Callable[[Any], str | bytes], chart: Any) -> str | bytes:
    with _ALTAIR_LOCK:
        return make(chart)
