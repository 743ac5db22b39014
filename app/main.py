"""Streamlit's entry: what every page shares, then the page itself.

Start it with `nasrank-train dashboard`; `serve.command` has the options it needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st
from altair.utils.schemapi import disable_debug_mode
from streamlit.delta_generator import DeltaGenerator

from nasrank.app.serve import warehouse_path
from nasrank.app.snapshot import Snapshot, WarehouseReplacedError, opened_once
from nasrank.app.widgets.address import shared_parameters
from nasrank.app.widgets.refreshing import STYLE as STYLE_OF_REFRESHED
from nasrank.app.widgets.refreshing import refreshed_every
from nasrank.app.widgets.text import as_code, as_text
from nasrank.db.errors import NasrankError

ICON = Path(__file__).with_name("icon.svg")
LOGO = Path(__file__).with_name("logo.svg")
# Pixels: the names of the pages fit.
SIDEBAR_WIDTH = 210
STYLE = (
    "<style>"
    '[data-testid="stMainBlockContainer"] {padding: 2.5rem 3rem 4rem}'
    '@media (max-width: 640px) {[data-testid="stMainBlockContainer"] {padding: 2.5rem 1rem 3rem}}'
    '[data-testid="stSidebarHeader"] {margin-bottom: 0.25rem}'
    "</style>"
)
# Seconds between two looks at whether the file was replaced.
LOOK_EVERY = 5


def main() -> None:
    """Run the page that the URL names; what a reader can mend is said in a line, on any page."""
    # Altair would check every part of a chart as it is made, which takes as long again; tests check them all.
    disable_debug_mode()
    st.set_page_config(
        page_title="nasrank", page_icon=str(ICON), layout="wide", initial_sidebar_state=SIDEBAR_WIDTH
    )
    st.html(STYLE)
    st.html(STYLE_OF_REFRESHED)
    st.logo(str(LOGO), size="large")
    pages = [
        st.Page("views/rankings/rankings.py", title="Rankings", default=True),
        st.Page("views/scatter/scatter.py", title="Scatter", url_path="scatter"),
        st.Page("views/compare/compare.py", title="Compare", url_path="compare"),
        st.Page("views/search_space/search_space.py", title="Search space", url_path="search_space"),
        st.Page("views/datasets/datasets.py", title="Datasets", url_path="datasets"),
        st.Page("views/runs/runs.py", title="Runs", url_path="runs"),
        st.Page("views/paper/paper.py", title="Paper", url_path="paper"),
        st.Page("views/sql/sql.py", title="SQL", url_path="sql"),
    ]
    page = st.navigation(pages, position="hidden")
    with st.sidebar:
        links = st.empty()
    show_links(links, pages)
    st.title(as_text(page.title))
    try:
        with opened_once():
            page.run()
        show_links(links, pages)
        show_freshness(Snapshot.take(warehouse_path()))
    except NasrankError as error:
        st.error(as_text(str(error)), title="The warehouse cannot be shown")
        st.button("Try again")
    except WarehouseReplacedError:
        st.rerun()


def show_links(place: DeltaGenerator, pages: Sequence[Any]) -> None:
    """The pages, each with what they share of this one's address."""
    shared = shared_parameters()
    with place.container(gap="xxsmall"):
        for page in pages:
            st.page_link(page, width="stretch", query_params=shared or None)


def show_freshness(snapshot: Snapshot) -> None:
    """Below the page's own filters: which file this is and since when, kept up to date."""
    with st.sidebar:
        st.divider()
        _watch(snapshot)
        # Not in the fragment: a click there is lost while another fragment refreshes itself.
        st.button("Reload", width="stretch")


@refreshed_every(LOOK_EVERY)
def _watch(snapshot: Snapshot) -> None:
    st.caption(f"{as_code(snapshot.path.name)}  \nupdated {snapshot.updated_at:%Y-%m-%d %H:%M} UTC")
    try:
        now = Snapshot.take(snapshot.path)
    except NasrankError as error:
        st.warning(as_text(str(error)))
        return
    if now != snapshot:
        st.info("The warehouse has new data.")


main()
