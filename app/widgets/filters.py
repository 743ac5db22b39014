"""What a reader chose: widgets whose values the page's address has, and a check of what it says."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from nasrank.app.widgets.address import FOREIGN, SHARED, Address
from nasrank.app.widgets.text import as_code, as_text
from nasrank.report.charts.labels import listed

_HELD: Final = "held {}"
_USUAL: Final = "usual {}"
_SHOWN_CHARACTERS: Final = 60


@dataclass(slots=True)
class Filters:
    """The choices of one page, each a parameter of its address.

    `warnings` say in Markdown what the address had wrong.
    """

    address: Address
    warnings: list[str] = field(default_factory=list)
    _told: dict[str, Sequence[str]] = field(default_factory=dict)
    _at_the_end: list[Callable[[], None]] = field(default_factory=list)

    @classmethod
    def of_page(cls, page: str) -> Filters:
        """Those of the page of this name."""
        return cls(Address.of_page(page))

    def one(self, name: str, options: Sequence[str], default: str, elsewhere: Collection[str] = ()) -> str:
        """The option that is chosen, of a widget with this key that is made later in the same run.

        `elsewhere` are what other pages have for it: no mistake, and not chosen here.
        """
        usual = _USUAL.format(name)
        if self._must_adopt(name):
            given = self.address.values(name)
            wrong = [value for value in given if value not in elsewhere]
            self.warnings += url_problems(name, wrong, options, default)
            st.session_state[name] = next((value for value in given if value in options), default)
        elif st.session_state[name] not in options or st.session_state[name] == st.session_state.get(usual):
            # What was the usual choice stays so, whatever that is now: the address does not name it.
            st.session_state[name] = default
        st.session_state[usual] = default
        chosen: str = st.session_state[name]
        self._tell(name, [chosen], [] if chosen == default else [chosen])
        return chosen

    def some(self, name: str, options: Sequence[str], default: Sequence[str] = ()) -> list[str]:
        """The options that are chosen, in the order of `options`; none means all. As `one`, made later.

        Where there is a default, an empty value in the address is none, and no value the default.
        """
        if self._must_adopt(name):
            given = self.address.values(name)
            self.warnings += url_problems(name, given, options, listed(default) or "all")
            left = [value for value in given if value in options]
            st.session_state[name] = left if left or "" in given else list(default)
        picked = [option for option in options if option in (st.session_state[name] or [])]
        st.session_state[name] = picked
        in_address = picked or ([""] if default else [])
        self._tell(name, in_address, [] if picked == list(default) else in_address)
        return picked or list(options)

    def choose_one(
        self, name: str, label: str, options: Sequence[str], default: str, explanation: str | None = None
    ) -> str:
        """The one option chosen; `name` is the parameter."""
        self.one(name, options, default)
        chosen: str = st.selectbox(label, options, key=name, help=explanation)
        return chosen

    def choose_side_by_side(
        self, name: str, label: str, options: Sequence[str], explanation: str | None = None
    ) -> str:
        """As `choose_one` for a few options side by side, the first one the default."""
        self.one(name, options, options[0])
        chosen: str = st.radio(
            label, options, key=name, help=explanation, format_func=as_text, horizontal=True
        )
        return chosen

    def choose_some(
        self,
        name: str,
        label: str,
        options: Sequence[str],
        default: Sequence[str] = (),
        explanation: str | None = None,
    ) -> list[str]:
        """The options chosen, in the order of `options`; none chosen means all."""
        picked = self.some(name, options, default)
        st.multiselect(
            label,
            options,
            key=name,
            help=explanation,
            placeholder="All" if len(options) != 1 else f"All ({options[0]})",
        )
        return picked

    def named(self, name: str, names: Mapping[str, str], default: Sequence[str] = ()) -> list[str]:
        """Those chosen of `names`, which the address tells by their key, in the order of the choosing.

        None chosen is none. As `one`, of a widget that is made later.
        """
        if self._must_adopt(name):
            given = self.address.values(name)
            self.warnings += url_problems(
                name, given, list(names), listed([names[k] for k in default]) or "none"
            )
            left = [key for key in dict.fromkeys(given) if key in names]
            st.session_state[name] = left if left or "" in given else list(default)
        chosen = [key for key in st.session_state[name] if key in names]
        st.session_state[name] = chosen
        in_address = chosen or ([""] if default else [])
        # What a page begins with changes as experiments come in: what an address named, it goes on to name.
        is_named = bool(self.address.values(name)) or chosen != list(default)
        self._tell(name, in_address, in_address if is_named else [])
        return chosen

    def asked(self, *names: str) -> set[str]:
        """What address and reader have for parameters: it stays offered, whatever else goes."""
        in_address = {value for name in names for value in self.address.values(name)}
        held = [st.session_state.get(name, ()) for name in names]
        return in_address.union(*([one] if isinstance(one, str) else one for one in held))

    def choose_number(self, name: str, label: str) -> float | None:
        """A number, or None where none is given."""
        if self._must_adopt(name):
            given_values = self.address.values(name)
            self.warnings += [
                f"The address has {given(f'{name}={value}')}, which is no number. Shown: all."
                for value in given_values
                if value and not _is_number(value)
            ]
            numbers = [float(value) for value in given_values if _is_number(value)]
            st.session_state[name] = numbers[0] if numbers else None
        chosen = st.number_input(label, value=None, format="%g", key=name, placeholder="all")
        number = chosen if chosen is not None and math.isfinite(chosen) else None
        told = [] if number is None else [repr(number)]
        self._tell(name, told, told)
        return number

    def choose_text(self, name: str, label: str, explanation: str | None = None) -> str:
        """What is searched for; empty for nothing."""
        if self._must_adopt(name):
            st.session_state[name] = next(iter(self.address.values(name)), "")
        text: str = st.text_input(label, key=name, help=explanation, placeholder="all")
        self._tell(name, [text] if text else [], [text] if text else [])
        return text

    def held(self, name: str) -> list[str]:
        """What `hold` put there in a callback, else what the address has: of what no widget of ours shows."""
        key = _HELD.format(name)
        if self._must_adopt(key) and name not in self._told:
            st.session_state[key] = self.address.values(name)
        values: list[str] = st.session_state[key]
        return values

    def keep(self, name: str, *values: str) -> None:
        """Hold what a widget of another kind has; an empty value needs no parameter."""
        told = [value for value in values if value]
        hold(name, told)
        self._tell(name, told, told)

    def check_known(self, name: str, noun: str, known: Iterable[str]) -> None:
        """Tell of values of a parameter that is no widget's, where the warehouse has no such thing."""
        if self.address.is_new:
            for value in sorted(set(self.address.values(name)) - set(known)):
                self.warnings.append(
                    f"The address has {given(f'{name}={value}')}; there is no such {noun} here."
                )

    def at_the_end(self, show: Callable[[], None]) -> None:
        """Have `finish` show something that depends on every choice."""
        self._at_the_end.append(show)

    def finish(self, also: Sequence[str] = ()) -> None:
        """Tell of parameters that nothing here has, and write the address: after the last choice is made.

        `also` are those of widgets that are not always there.
        """
        for name in self.address.given:
            if name not in self._told and name not in FOREIGN and name not in also and name not in SHARED:
                self.warnings.append(
                    f"The address has {given(name)}, which is no filter of this page; it has "
                    f"{as_text(listed(list(self._told), 12))}."
                )
        for show in self._at_the_end:
            show()
        self.address.write(also)

    def show_problems(self, place: DeltaGenerator | None = None) -> None:
        """A warning with a line for each, at `place`; nothing where there are none."""
        if self.warnings:
            (place or st).warning("  \n".join(self.warnings))

    @property
    def link(self) -> str:
        """The query part of an address that names every choice, defaults too."""
        return "?" + urlencode(self._told, doseq=True)

    def _must_adopt(self, key: str) -> bool:
        """Whether a widget takes its value from the address: that is new, or the widget is."""
        return self.address.is_new or key not in st.session_state

    def _tell(self, name: str, told: Sequence[str], in_address: Sequence[str]) -> None:
        self._told[name] = told
        self.address.put(name, in_address)


def hold(name: str, values: Sequence[str]) -> None:
    """Choose what no widget of ours shows: for callbacks, which run before the script."""
    st.session_state[_HELD.format(name)] = list(values)


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


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def given(part: str) -> str:
    """A part of the address as code in Markdown, and not too long."""
    return as_code(part, _SHOWN_CHARACTERS)
