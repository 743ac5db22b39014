"""A chart on a page, told to those who do not see it, with its files below."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from report.images import as_png, as_svg


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
    selection = st.altair_chart(chart, alt=alt, **{"width": "stretch", **options})
    draw = printed or (lambda: chart)
    # Made only when asked for: an image takes as long as a page.
    files: list[tuple[str, str, Callable[[], str | bytes]]] = [
        ("SVG", "image/svg+xml", lambda: as_svg(draw())),
        ("PNG", "image/png", lambda: as_png(draw())),
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
