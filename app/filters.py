"""What a reader chose, kept in the URL: widgets bound to its parameters, and a check of what it says.

Streamlit restores a widget from the URL and drops what the widget does not offer, silently and only
with the reader's browser as its judge. So each parameter is checked here as well, and what was wrong
is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

import streamlit as st

from report.labels import listed

# Streamlit's own parameters.
_FOREIGN: Final = frozenset({"embed", "embed_options"})
_SHOWN_CHARACTERS: Final = 60


@dataclass(slots=True)
class Filters:
    """The widgets of one page, in the order of their making; `problems` says what the URL had wrong."""

    problems: list[str] = field(default_factory=list)
    _chosen: dict[str, Sequence[str]] = field(default_factory=dict)

    def choose_one(
        self, name: str, label: str, options: Sequence[str], default: str, explanation: str | None = None
    ) -> str:
        """The one option chosen; `name` is the URL parameter."""
        self._check(name, options, default)
        chosen = st.selectbox(
            label, options, index=options.index(default), key=name, help=explanation, bind="query-params"
        )
        self._chosen[name] = [chosen if chosen in options else default]
        return self._chosen[name][0]

    def choose_side_by_side(
        self, name: str, label: str, options: Sequence[str], explanation: str | None = None
    ) -> str:
        """As `choose_one` for a few options side by side, the first one the default."""
        self._check(name, options, options[0])
        chosen = st.radio(label, options, key=name, help=explanation, bind="query-params", horizontal=True)
        self._chosen[name] = [chosen if chosen in options else options[0]]
        return self._chosen[name][0]

    def choose_some(
        self,
        name: str,
        label: str,
        options: Sequence[str],
        default: Sequence[str] = (),
        explanation: str | None = None,
    ) -> list[str]:
        """The options chosen, in the order of `options`; none chosen means all."""
        self._check(name, options, listed(default) or "all")
        chosen = st.multiselect(
            label,
            options,
            default=list(default),
            key=name,
            help=explanation,
            bind="query-params",
            placeholder="All" if len(options) != 1 else f"All ({options[0]})",
        )
        self._chosen[name] = [option for option in options if option in chosen]
        return list(self._chosen[name] or options)

    def keep(self, name: str, value: str) -> None:
        """Hold what a widget that is not bound to the URL has; an empty value needs no parameter."""
        self._chosen[name] = [value] if value else []
        if value:
            st.query_params[name] = value
        else:
            st.query_params.pop(name, None)

    def write_text(self, name: str, label: str, explanation: str | None = None) -> str:
        """What is searched for; empty for nothing."""
        text = st.text_input(label, key=name, help=explanation, bind="query-params", placeholder="all")
        self._chosen[name] = [text] if text else []
        return text

    def keep_all(self, name: str, values: Sequence[str]) -> None:
        """As `keep`, for several values."""
        self._chosen[name] = list(values)
        if values:
            st.query_params[name] = list(values)
        else:
            st.query_params.pop(name, None)

    def check_names(self) -> None:
        """Tell of URL parameters that no widget has; call it after the last one is made."""
        for name in st.query_params:
            if name not in self._chosen and name not in _FOREIGN:
                self.problems.append(
                    f"The address has {quoted(name)}, which is no filter of this page; it has "
                    f"{listed(list(self._chosen), 12)}."
                )

    @property
    def link(self) -> str:
        """The query part of a URL that names every choice, defaults too."""
        return "?" + urlencode(self._chosen, doseq=True)

    def _check(self, name: str, options: Sequence[str], instead: str) -> None:
        # Once a widget exists the reader's choice counts, and Streamlit's copy of the URL may lag behind.
        if name not in st.session_state:
            self.problems += url_problems(name, st.query_params.get_all(name), options, instead)


def url_problems(name: str, given: Sequence[str], options: Sequence[str], instead: str) -> list[str]:
    """A line for each value of the URL parameter `name` that is not allowed.

    `instead` is what is shown where no value is left.
    """
    left = [value for value in given if value in options]
    shown = listed(left) if left else instead
    return [
        f"The address has {quoted(f'{name}={value}')}; there {'is' if len(options) == 1 else 'are'} "
        f"{listed(options, 12)}. Shown: {shown}."
        for value in given
        if value and value not in options
    ]


def quoted(text: str) -> str:
    """As code in Markdown, on one line and not too long, whatever `text` contains."""
    line = "".join(character if character.isprintable() else " " for character in text).replace("`", "'")
    return f"`{line[:_SHOWN_CHARACTERS]}{'…' if len(line) > _SHOWN_CHARACTERS else ''}`"
