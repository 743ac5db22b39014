"""Parts of a page that keep themselves up to date, without fading while they do."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec

import streamlit as st

P = ParamSpec("P")

KEY = "refreshed"
# Streamlit fades what a run is about to replace, to a third within 1.5 seconds: on a busy server, such a part
# would pulse as long as it is looked at, and could hardly be read half of the time.
STYLE = f'<style>[class*="st-key-{KEY}-"] [data-stale="true"] {{opacity: 1; transition: none}}</style>'


def refreshed_every(seconds: float) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """A fragment that runs again every `seconds`; a page has each once, and `STYLE`."""

    def decorate(part: Callable[P, None]) -> Callable[P, None]:
        fragment = st.fragment(part, run_every=seconds)

        @functools.wraps(part)
        def show(*args: P.args, **kwargs: P.kwargs) -> None:
            with st.container(key=f"{KEY}-{part.__name__}"):
                fragment(*args, **kwargs)

        return show

    return decorate
