"""What a reader chose, kept in the URL: widgets bound to its parameters, and a check of what it says.

Streamlit restores a widget from the URL and drops what the widget does not offer, silently and only
with the reader's browser as its judge. So each parameter is checked here as well, and what was wrong
is told.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from nasrank.app.widgets.text import as_code, as_text
from nasrank.report.charts.labels import listed

# Streamlit's own parameters.
_FOREIGN: Final = frozenset({"embed", "embed_options"})
_SHOWN_CHARACTERS: Final = 60


@dataclass(slots=True)
class Filters:
    """The widgets of one page, in the order of their making.

    `warnings` say in Markdown what the URL had wrong.
    """

    warnings: list[str] = field(default_factory=list)
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
        chosen = st.radio(
            label,
            options,
            key=name,
            help=explanation,
            format_func=as_text,
            bind="query-params",
            horizontal=True,
        )
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
        picked = [option for option in options if option in chosen]
        # An empty value in the URL is none, where a parameter that is not there is the default.
        self._chosen[name] = picked or ([""] if default else [])
        return picked or list(options)

    def begin_with_all(self, names: Sequence[str]) -> None:
        """Have these begin without their defaults, unless the URL or the reader says anything of them."""
        if not any(name in st.session_state or name in st.query_params for name in names):
            for name in names:
                st.session_state[name] = []
                st.query_params[name] = ""

    def choose_named(
        self,
        name: str,
        label: str,
        names: Mapping[str, str],
        default: Sequence[str] = (),
        explanation: str | None = None,
    ) -> list[str]:
        """Those chosen of `names`, which the URL tells by their key, and the screen by their value.

        They are in the order of the choosing. None chosen is none.
        """
        self._check(name, list(names), listed([names[key] for key in default]) or "none")
        known = st.session_state.get(name) if name in st.session_state else st.query_params.get_all(name)
        left = [key for key in known or [] if key in names]
        # Only what the URL begins with is in place of the default: a reader may take all away.
        st.session_state[name] = left if left or name in st.session_state else list(default)
        chosen: list[str] = st.multiselect(
            label, list(names), key=name, format_func=names.__getitem__, help=explanation, placeholder="None"
        )
        self._chosen[name] = chosen
        _put_in_address(name, chosen)
        return chosen

    def choose_one_named(
        self, name: str, label: str, names: Mapping[str, str], explanation: str | None = None
    ) -> str:
        """As `choose_named` for exactly one, the first one the default."""
        first = next(iter(names))
        self._check(name, list(names), names[first])
        known = st.session_state.get(name, st.query_params.get(name))
        st.session_state[name] = known if known in names else first
        chosen: str = st.selectbox(
            label, list(names), key=name, format_func=names.__getitem__, help=explanation
        )
        self._chosen[name] = [chosen]
        _put_in_address(name, [] if chosen == first else [chosen])
        return chosen

    def choose_number(self, name: str, label: str) -> float | None:
        """A number, or None where none is given."""
        if name not in st.session_state:
            self.warnings += [
                f"The address has {given(f'{name}={value}')}, which is no number. Shown: all."
                for value in st.query_params.get_all(name)
                if value and not _is_number(value)
            ]
        chosen = st.number_input(
            label, value=None, format="%g", key=name, bind="query-params", placeholder="all"
        )
        number = chosen if chosen is not None and math.isfinite(chosen) else None
        self._chosen[name] = [] if number is None else [repr(number)]
        return number

    def keep(self, name: str, *values: str) -> None:
        """Hold what a widget that is not bound to the URL has; an empty value needs no parameter."""
        self.tell(name, list(filter(None, values)))
        _put_in_address(name, self._chosen[name])

    def choose_text(self, name: str, label: str, explanation: str | None = None) -> str:
        """What is searched for; empty for nothing."""
        text = st.text_input(label, key=name, help=explanation, bind="query-params", placeholder="all")
        self._chosen[name] = [text] if text else []
        return text

    def tell(self, name: str, values: Sequence[str]) -> None:
        """Have the link name what something else keeps in the URL."""
        self._chosen[name] = list(values)

    def check_known(self, name: str, noun: str, known: Iterable[str]) -> None:
        """Tell of values of a parameter that is no widget's, where the warehouse has no such thing."""
        for value in set(st.query_params.get_all(name)) - set(known):
            self.warnings.append(f"The address has {given(f'{name}={value}')}; there is no such {noun} here.")

    def check_names(self, also: Sequence[str] = ()) -> None:
        """Tell of URL parameters that no widget has; call it after the last one is made.

        `also` are those of widgets that are not always there.
        """
        for name in st.query_params:
            if name not in self._chosen and name not in _FOREIGN and name not in also:
                self.warnings.append(
                    f"The address has {given(name)}, which is no filter of this page; it has "
                    f"{as_text(listed(list(self._chosen), 12))}."
                )

    def show_problems(self, place: DeltaGenerator | None = None) -> None:
        """A warning with a line for each, at `place`; nothing where there are none."""
        if self.warnings:
            (place or st).warning("  \n".join(self.warnings))

    def show_link(self) -> None:
        """The address that names every choice made so far."""
        st.markdown(f"[Link to exactly this choice]({self.link})")

    @property
    def link(self) -> str:
        """The query part of a URL that names every choice, defaults too."""
        return "?" + urlencode(self._chosen, doseq=True)

    def _check(self, name: str, options: Sequence[str], instead: str) -> None:
        # Once a widget exists the reader's choice counts, and Streamlit's copy of the URL may lag behind.
        if name not in st.session_state:
            self.warnings += url_problems(name, st.query_params.get_all(name), options, instead)


def url_problems(name: str, values: Sequence[str], options: Sequence[str], instead: str) -> list[str]:
    """A line for each value of the URL parameter `name` that is not allowed.

    `instead` is what is shown where no value is left.
    """
    left = [value for value in values if value in options]
    shown = listed(left) if left else instead
    return [
        f"The address has {given(f'{name}={value}')}; there {'is' if len(options) == 1 else 'are'} "
        f"{as_text(listed(options, 12))}. Shown: {as_text(shown)}."
        for value in values
        if value and value not in options
    ]


def _put_in_address(name: str, values: Sequence[str]) -> None:
    if values:
        st.query_params[name] = list(values)
    else:
        st.query_params.pop(name, None)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def given(part: str) -> str:
    """A part of the address as code in Markdown, and not too long."""
    return as_code(part, _SHOWN_CHARACTERS)
