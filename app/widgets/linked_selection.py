"""What a reader picked by clicking: the same on several charts of a page, and in its URL.

A chart keeps its own clicks in the browser. One that must show another chart's clicks is made anew, with a
new key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from nasrank.app.widgets.filters import Filters, hold
from nasrank.report.charts.picking import FIELD, PICKED


@dataclass(frozen=True, slots=True)
class LinkedSelection:
    """The picked ones among `names`: what the URL calls a thing, by what a chart does.

    `parameter` is that of the URL, which `filters` keep. `state` tells everything else on which the charts
    depend: where it changes, they are made anew.
    """

    parameter: str
    names: Mapping[str, str]
    state: str
    filters: Filters

    def __post_init__(self) -> None:
        # Those that the other choices hide stay picked.
        self.filters.keep(self.parameter, *self.filters.held(self.parameter))

    @property
    def picked(self) -> list[str]:
        """What is picked and shown, in the order of `names`."""
        held = self.filters.held(self.parameter)
        return [identity for identity in self.names.values() if identity in held]

    def already(self, chart: str) -> list[str]:
        """The names that were picked when this chart's key was new."""
        memory = self._memory("already")
        key = self._key(chart)
        if memory.get(chart, ("",))[0] != key:
            picked = self.picked
            memory[chart] = (key, [name for name, identity in self.names.items() if identity in picked])
        return list(memory[chart][1])

    def options(self, chart: str) -> dict[str, Any]:
        """Those of `show_figure` for this chart."""
        key = self._key(chart)
        return {
            "key": key,
            "on_select": lambda: self._take(chart, key),
            "selection_mode": [PICKED],
        }

    def choose(self, label: str, labels: Mapping[str, str], placeholder: str) -> None:
        """A list of what is picked, for those who do not click; `labels` by what the URL calls a thing."""
        key = f"{self.parameter} list"
        st.session_state[key] = self.picked
        st.multiselect(
            label,
            list(self.names.values()),
            format_func=lambda identity: labels[identity],
            key=key,
            on_change=lambda: self._publish(st.session_state[key], by=""),
            placeholder=placeholder,
        )

    def _take(self, chart: str, key: str) -> None:
        selected = st.session_state[key]["selection"].get(PICKED) or []
        names = {entry.get(FIELD) for entry in selected}
        picked = [identity for name, identity in self.names.items() if name in names]
        # A chart that was cleared would show again what was picked already: it is made anew as well.
        self._publish(picked, by=chart if picked else "")

    def _publish(self, picked: Sequence[str], by: str) -> None:
        hold(self.parameter, picked)
        versions = self._memory("versions")
        for chart in versions:
            versions[chart] += chart != by

    def _key(self, chart: str) -> str:
        version = self._memory("versions").setdefault(chart, 0)
        return f"{chart} {version} {self.state}"

    def _memory(self, what: str) -> dict[str, Any]:
        memory: dict[str, Any] = st.session_state.setdefault(f"{self.parameter} {what}", {})
        return memory
