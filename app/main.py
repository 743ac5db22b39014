"""Streamlit's entry: what every page shares, then the page itself.

Start it with `nasrank-train dashboard`; `serve.command` has the options it needs.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from altair.utils.schemapi import disable_debug_mode

from nasrank.app.serve import warehouse_path
from nasrank.app.snapshot import Snapshot, WarehouseReplacedError, opened_once
from nasrank.app.widgets.refreshing import STYLE, refreshed_every
from nasrank.app.widgets.text import as_code, as_text
from nasrank.db.errors import NasrankError

ICON = Path(__file__).with_name("icon.svg")
LOGO = Path(__file__).with_name("logo.svg")
# Pixels: a ground-truth key fits.
SIDEBAR_WIDTH = 375
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
    st.logo(str(LOGO), size="large")
    page = st.navigation(
        [
            st.Page("views/rankings/rankings.py", title="Rankings", default=True),
            st.Page("views/scatter/scatter.py", title="Scatter", url_path="scatter"),
            st.Page("views/compare/compare.py", title="Compare", url_path="compare"),
            st.Page("views/search_space/search_space.py", title="Search space", url_path="search_space"),
            st.Page("views/datasets/datasets.py", title="Datasets", url_path="datasets"),
            st.Page("views/runs/runs.py", title="Runs", url_path="runs"),
            st.Page("views/paper/paper.py", title="Paper", url_path="paper"),
            st.Page("views/sql/sql.py", title="SQL", url_path="sql"),
        ]
    )
    st.title(as_text(page.title))
    try:
        with opened_once():
            page.run()
        show_freshness(Snapshot.take(warehouse_path()))
    except NasrankError as error:
        st.error(as_text(str(error)), title="The warehouse cannot be shown")
        st.button("Try again")
    except WarehouseReplacedError:
        st.rerun()


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
