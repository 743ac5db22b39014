"""A chart on a page, told to those who do not see it, with its files below; files of other things."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import pandas as pd
import streamlit as st

from nasrank.app.widgets.csv_file import csv_file
from nasrank.app.widgets.specification import specification
from nasrank.app.widgets.text import as_text
from nasrank.report.charts.images import as_png, as_svg

MIME: Final = {"SVG": "image/svg+xml", "PNG": "image/png", "CSV": "text/csv"}


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
    screen has the width of its container. `options` go to `st.vega_lite_chart`, whose selection is returned.
    """
    # `st.altair_chart` would have Altair check the chart, and change Altair's settings without our lock.
    selection = st.vega_lite_chart(spec=specification(chart), alt=alt, **{"width": "stretch", **options})
    draw = printed or (lambda: chart)
    # Made only when asked for: an image takes as long as a page.
    files: dict[str, Callable[[], str | bytes]] = {
        "SVG": lambda: as_svg(draw()),
        "PNG": lambda: as_png(draw()),
    }
    if data is not None:
        files["CSV"] = lambda: csv_file(data)
    show_files(name, files)
    return selection


def show_files(name: str, files: Mapping[str, Callable[[], str | bytes]]) -> None:
    """Buttons for the files called `name`, by kind (a key of `MIME`), each made when asked for."""
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        for label, make in files.items():
            ending = label.lower()
            st.download_button(
                as_text(label),
                make,
                file_name=f"{name}.{ending}",
                mime=MIME[label],
                key=f"{name}-{ending}",
                on_click="ignore",
                type="tertiary",
                icon=":material/download:",
            )


def show_download(label: str, rows: pd.DataFrame, file_name: str) -> None:
    """A button for the rows of a table as CSV, in full precision."""
    st.download_button(
        label,
        lambda: csv_file(rows),
        file_name=file_name,
        mime="text/csv",
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
    )
