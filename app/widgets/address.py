"""The page's address as the one place where a reader's choices are: read when it is new, written once a run.

Streamlit runs a page's script after every click. The address then says what the last run wrote, and the
widgets say what was clicked. After Back, Forward, or a link, the address says something else, and counts: the
widgets take their values from it. A run writes the address at its end, and once, so that one choice is one
step back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

import streamlit as st

# What a page hands on to the others by their links, whether it has a widget for it or not.
SHARED: Final = (
    *("dataset", "ground_truth", "mask", "lt", "variant", "size", "bn_mode", "metric", "set"),
    *("kind", "imported", "experiment", "reference", "run"),
)
# Streamlit's own parameters.
FOREIGN: Final = frozenset({"embed", "embed_options"})
_WRITTEN: Final = "address as written"


@dataclass(slots=True)
class Address:
    """The parameters of one page's address, each with its values.

    Args:
        page: its name, which tells it from the page before.
        given: what the address has as the script begins.
        is_new: whether it is not what the last run wrote: a link was followed, or Back.
    """

    page: str
    given: Mapping[str, Sequence[str]]
    is_new: bool
    _chosen: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of_page(cls, page: str) -> Address:
        """That of the browser."""
        given = {name: st.query_params.get_all(name) for name in st.query_params}
        is_new = st.session_state.get(_WRITTEN) != (page, given)
        # At once: what is clicked while this run goes on is not taken back by the next.
        st.session_state[_WRITTEN] = (page, given)
        return cls(page, given, is_new)

    def values(self, name: str) -> list[str]:
        """Those of a parameter; empty where it has none."""
        return list(self.given.get(name, ()))

    def put(self, name: str, values: Sequence[str]) -> None:
        """What the address shall have for a parameter; no values where the page's usual choice is made."""
        self._chosen[name] = list(values)

    def write(self, also: Sequence[str] = ()) -> None:
        """Tell the browser; parameters of other pages, of Streamlit, and of `also` stay as they are."""
        others = {
            name: list(values)
            for name, values in self.given.items()
            if name not in self._chosen and name in (*SHARED, *FOREIGN, *also)
        }
        written = others | {name: values for name, values in self._chosen.items() if values}
        if written != self.given:
            st.query_params.from_dict(written)
        st.session_state[_WRITTEN] = (self.page, written)


def shared_parameters() -> list[tuple[str, str]]:
    """What links to other pages hand on of the browser's address."""
    names = [name for name in st.query_params if name in SHARED]
    return [(name, value) for name in names for value in st.query_params.get_all(name)]


def page_address(page: str, parameters: Mapping[str, object]) -> str:
    """Name a page with its choices, seen from any other page.

    It begins with no slash: the pages lie beside each other, at whatever path a proxy has them.
    """
    return f"{page}?{urlencode(parameters)}"
