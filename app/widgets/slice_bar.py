"""The slice bar above every page: the part of the warehouse that it looks at, the same on all of them.

A page says what it can choose from, most of it by what was chosen before; then the bar is shown. What a page
has no use for stays there in grey, and what was chosen of it goes on to other pages by the address.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from nasrank.app.widgets.filters import Filters
from nasrank.app.widgets.ground_truth import KEY_PARTS, default_key, key_with, part_in_words
from nasrank.app.widgets.text import as_text
from nasrank.db.runs.experiment import TRAINED
from nasrank.db.warehouse.models import WITHOUT_NETWORK
from nasrank.report.charts.labels import listed, set_name
from nasrank.report.charts.ranking_table import POINTS, PREDICTED
from nasrank.report.metrics import METRICS

# Parameters of the address in the order of the bar, and what they are called: the most used come first.
NAMES: Final[Mapping[str, str]] = {
    "mask": "Mask",
    "lt": "LT",
    "variant": "Variant",
    "size": "Size",
    "metric": "Metric",
    "set": "Set",
    "ground_truth": "Truth",
    "dataset": "Images",
    "bn_mode": "BatchNorm",
}
EXPLAINED: Final[Mapping[str, str]] = {
    "lt": "Linear transformers: operations that are never left out of training.",
    "metric": "Of predictions with ground truth.",
    "set": "The architectures that a metric is of: those best by ground truth, a random sample, or all.",
    "ground_truth": "What orders the architectures: stand-alone accuracies on images of a data set.",
    "dataset": "What the super-networks were trained on.",
    "bn_mode": "The statistics with which BatchNorm predicts.",
}
# What some pages have, and others not.
ELSEWHERE: Final[Mapping[str, Collection[str]]] = {
    "metric": METRICS.keys(),
    "set": (*POINTS, "all", PREDICTED),
}
# The study's own images before all others.
FIRST_DATASETS: Final = ("cifar10", "digits")
# More options than this are a list with a search.
_MOST_BUTTONS: Final = 26
_MOST_NAMED: Final = 2
_LONGEST: Final = 28


@dataclass(slots=True)
class SliceBar:
    """One page's bar: first what there is to choose, then `show`."""

    filters: Filters
    _shown: dict[str, tuple[str, Callable[[], Any]]] = field(default_factory=dict)
    _more: list[Callable[[], Any]] = field(default_factory=list)

    def one(
        self,
        name: str,
        options: Mapping[str, str] | Sequence[str],
        default: str | None = None,
        explanation: str | None = None,
    ) -> str:
        """The one option chosen; a mapping is from what the address has to what the screen has."""
        names = options if isinstance(options, Mapping) else {option: option for option in options}
        default = default or next(iter(names))
        chosen = self.filters.one(name, list(names), default, ELSEWHERE.get(name, ()))

        def show() -> None:
            st.radio(
                NAMES[name],
                list(names),
                key=name,
                format_func=lambda option: as_text(names[option]),
                help=explanation or EXPLAINED.get(name),
            )

        self._shown[name] = (names[chosen], show)
        return chosen

    def some(
        self, name: str, options: Sequence[str], default: Sequence[str] = (), explanation: str | None = None
    ) -> list[str]:
        """The options chosen; none chosen means all."""
        chosen = self.filters.some(name, options, default)

        def show() -> None:
            told = explanation or EXPLAINED.get(name)
            if len(options) > _MOST_BUTTONS:
                st.multiselect(NAMES[name], options, key=name, help=told, placeholder="All")
            else:
                st.pills(
                    NAMES[name], options, selection_mode="multi", key=name, help=told, format_func=as_text
                )
            st.markdown(":small[None chosen means all.]")

        self._shown[name] = (chosen_in_short(chosen, options), show)
        return chosen

    def images(self, experiments: pd.DataFrame) -> str:
        """The images trained on, the study's own before others; empty where nothing was trained."""
        known = set(experiments.loc[experiments["kind"] == TRAINED, "dataset"])
        datasets = [name for name in FIRST_DATASETS if name in known]
        datasets += sorted(known - {*datasets})
        return self.one("dataset", datasets) if datasets else ""

    def narrow(self, experiments: pd.DataFrame) -> pd.DataFrame:
        """Of `queries.experiments` those of the images, masks, LTs, variants and sizes that are chosen.

        What is no network has a mask, and nothing else of these.
        """
        is_network = ~experiments["kind"].isin(WITHOUT_NETWORK)
        dataset = self.images(experiments)
        shown = experiments[~is_network | (experiments["dataset"] == dataset)]
        for column in ("mask", "lt", "variant", "size"):
            names = shown[column].map(set_name, na_action="ignore")
            is_asked = names.notna() if column == "mask" else ~shown["kind"].isin(WITHOUT_NETWORK)
            if options := list(dict.fromkeys(names[is_asked])):
                shown = shown[~is_asked | names.isin(self.some(column, options))]
        return shown

    def key(self, keys: pd.DataFrame, asked: Sequence[str]) -> pd.Series:
        """The row of `shared_queries.ground_truth_keys` that is chosen, part by part.

        `asked` as for `ground_truth.default_key`.
        """
        default = default_key(keys, asked)
        gt_key = self.filters.one("ground_truth", list(keys["gt_key"]), default)
        row = keys[keys["gt_key"] == gt_key].iloc[0]
        usual = keys[keys["gt_key"] == default].iloc[0]

        def show() -> None:
            st.markdown("Ground truth", help=EXPLAINED["ground_truth"])
            for part, label in KEY_PARTS.items():
                _choose_part(keys, row, part, label)
            st.code(gt_key, language=None)

        self._shown["ground_truth"] = (key_in_short(row, str(usual["source"])), show)
        return row

    def bn_mode(self, evaluations: pd.DataFrame) -> str:
        """One of the modes of `evaluations` (rows of `shared_queries.evaluations`), `running` first.

        What no network of ours predicts has none.
        """
        known = set(evaluations["bn_mode"]) - {*WITHOUT_NETWORK}
        modes = sorted(known, key=lambda mode: (mode != "running", mode)) or ["running"]
        return self.one("bn_mode", modes)

    def more(self, show: Callable[[], Any]) -> None:
        """A choice of this page alone, behind the others."""
        self._more.append(show)

    def show(self) -> None:
        """The bar, with a link to exactly this choice at its end."""
        with st.container(horizontal=True, gap="xxsmall", key="slice-bar"):
            for name, label in NAMES.items():
                told, show = self._shown.get(name, ("", None))
                if show is None:
                    st.popover(as_text(label), disabled=True, key=f"slice {name}")
                    continue
                with st.popover(f"{as_text(label)} **{as_text(told)}**", key=f"slice {name}"):
                    show()
            if self._more:
                with st.popover("More", key="slice more"):
                    for show in self._more:
                        show()
            link = st.container(width="content")
        # Behind the page's last choice: the link names all of them.
        self.filters.at_the_end(lambda: self._show_link(link))

    def _show_link(self, place: DeltaGenerator) -> None:
        with place.popover("", icon=":material/link:", help="Link to exactly this choice", key="slice link"):
            st.code(self.filters.link, language=None, wrap_lines=True)
            st.markdown(f"[Link to exactly this choice]({self.filters.link})")


def chosen_in_short(chosen: Sequence[str], options: Sequence[str]) -> str:
    """`all`, the few that are chosen, or how many of how many."""
    if len(chosen) == len(options):
        return "all" if len(options) > 1 else options[0]
    if len(chosen) > _MOST_NAMED or sum(map(len, chosen)) > _LONGEST:
        return f"{len(chosen)} of {len(options)}"
    return listed(chosen)


def key_in_short(row: pd.Series, usual_source: str) -> str:
    """What is not as usual: `cifar10-valid · valid`, with the source where it is another one."""
    parts = [str(row["dataset"]), str(row["split"])]
    usual_parts = {"epochs": 200, "averaged_epochs": 1, "trial": "mean"}
    parts += [part_in_words(part, row[part]) for part, value in usual_parts.items() if row[part] != value]
    if row["source"] != usual_source:
        parts.append(str(row["source"]))
    return " · ".join(parts)


def _choose_part(keys: pd.DataFrame, row: pd.Series, part: str, label: str) -> None:
    """A part of the key; the others stay where a key has them."""
    options = list(dict.fromkeys(keys[part]))
    key = f"ground truth {part}"
    st.session_state[key] = row[part]

    def follow() -> None:
        st.session_state["ground_truth"] = key_with(keys, row, part, st.session_state[key])

    st.pills(
        label,
        options,
        key=key,
        format_func=lambda value: as_text(part_in_words(part, value)),
        required=True,
        on_change=follow,
        disabled=len(options) == 1,
    )
