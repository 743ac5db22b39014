"""What a reader chooses on the page Scatter, all of it in the URL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from nasrank.app import shared_queries
from nasrank.app.snapshot import Snapshot
from nasrank.app.views.scatter.panels import AT_THE_END, AxisLimits, Look, Range, Subject, subjects
from nasrank.app.widgets.filters import Filters
from nasrank.app.widgets.slice_bar import SliceBar
from nasrank.app.widgets.text import as_text
from nasrank.db.warehouse.models import UNTRAINED, WITHOUT_NETWORK
from nasrank.report import queries as report_queries
from nasrank.report.charts.labels import experiment_labels, in_order
from nasrank.report.charts.ranking_table import POINTS
from nasrank.report.charts.scatter_chart import COLOURINGS, EQUAL, NOTHING, TRUE_RANK

# The paper's Figure 2.
FIRST_SETS = ("top-50", "top-250", "random")
LIMITS = ("truth_from", "truth_to", "predicted_from", "predicted_to")
AXES_BY = ("by value", "by rank")
AXES_HELP = "Ranks are within the set, 1 for the best, and better is to the right and up."
COLOUR_HELP = (
    "An operation: how many of the six edges have it. "
    f"{TRUE_RANK.capitalize()}: where an architecture stands by ground truth within the mask. "
    f"{EQUAL.capitalize()}: whether it is the first of those that NAS-Bench-201 trains as the same network, "
    "equal to an earlier one, or has no way from input to output and so says the same of every image."
)


@dataclass(frozen=True, slots=True)
class ScatterChoice:
    """What the reader chose to see; `absent` are names of what was not evaluated so."""

    key: pd.Series
    subjects: Sequence[Subject]
    absent: Sequence[str]
    sets: Sequence[str]
    colour: str
    limits: AxisLimits
    by_rank: bool

    @property
    def look(self) -> Look:
        """The same of every subject."""
        return Look(str(self.key["gt_key"]), self.sets, self.limits, self.by_rank)


def choose(
    filters: Filters, snapshot: Snapshot, keys: pd.DataFrame, evaluations: pd.DataFrame
) -> ScatterChoice:
    """The filters, each offering what the ones before it leave."""
    bar = SliceBar(filters)
    experiments_known = in_order(report_queries.experiments(snapshot))
    narrowed = bar.narrow(experiments_known)
    everything = experiments_known["experiment_id"]
    asked = filters.asked("experiment", "run", "reference")
    is_offered = evaluations["experiment_id"].isin(narrowed["experiment_id"])
    is_asked = evaluations["experiment_id"].isin(asked) | evaluations["run_id"].isin(asked)
    evaluations = evaluations[is_offered | is_asked]
    is_evaluated = experiments_known["experiment_id"].isin(evaluations["experiment_id"])
    experiments = experiment_labels(experiments_known[is_evaluated])
    place = {experiment_id: number for number, experiment_id in enumerate(experiments)}
    known = evaluations[evaluations["kind"] != UNTRAINED].drop_duplicates("run_id")
    known = known.sort_values(
        ["experiment_id", "seed", "run_id"], key=lambda c: c.map(place) if c.name == "experiment_id" else c
    )
    runs = _run_names(known, experiments)
    experiment_ids = filters.named("experiment", experiments)
    run_ids = filters.named("run", runs, [] if experiment_ids else list(runs)[:1])
    # What others are held against on other pages is drawn below what is chosen here.
    reference = filters.one("reference", ["", *experiments], "", elsewhere=list(everything))
    drawn_ids = [*experiment_ids, *([reference] if reference not in ("", *experiment_ids) else [])]
    chosen = evaluations[evaluations["run_id"].isin(run_ids) | evaluations["experiment_id"].isin(drawn_ids)]
    key = bar.key(keys, list(shared_queries.runs(snapshot)["ground_truth_keys"]))
    sets = [*POINTS, *(["all"] if chosen["is_whole_space"].any() else [])]
    if not chosen["is_whole_space"].all():
        sets.append("predicted")
    wanted = bar.some(
        "set",
        sets,
        FIRST_SETS,
        "A panel each: those best by ground truth, a random sample, all, or predicted.",
    )
    colour = filters.one("colour", list(COLOURINGS), NOTHING)
    bar.more(lambda: st.selectbox("Colour by", list(COLOURINGS), key="colour", help=COLOUR_HELP))
    axes = filters.one("axes", AXES_BY, AXES_BY[0])
    bar.more(lambda: st.radio("Axes", AXES_BY, key="axes", help=AXES_HELP))
    trained = chosen[~chosen["kind"].isin(WITHOUT_NETWORK)]
    bn_mode, epoch, epochs = bar.bn_mode(trained), AT_THE_END, [AT_THE_END]
    if not trained["is_final"].all():
        epochs += map(str, sorted(trained["epoch"].unique()))
        epoch = filters.one("epoch", epochs, AT_THE_END)
        bar.more(lambda: st.selectbox("Epoch", epochs, key="epoch"))
    bar.show()
    left, middle, right = st.columns(3)
    left.multiselect("Runs", list(runs), key="run", format_func=runs.__getitem__, placeholder="None")
    middle.multiselect(
        "Experiments",
        list(experiments),
        key="experiment",
        format_func=experiments.__getitem__,
        placeholder="None",
        help="The mean over the seeds of each; and what needs no training.",
    )
    right.selectbox(
        "Reference",
        ["", *experiments],
        key="reference",
        format_func=lambda one: as_text(experiments[one] if one else "none"),
        help="Drawn below the others; what they are held against on other pages.",
    )
    limits = _choose_limits(filters)
    wanted_names = {key: runs[key] for key in run_ids} | {key: experiments[key] for key in drawn_ids}
    found = list(subjects(evaluations, wanted_names, bn_mode, epoch))
    return ScatterChoice(
        key,
        [one for one in found if isinstance(one, Subject)],
        [one for one in found if isinstance(one, str)],
        wanted,
        colour,
        limits,
        axes == AXES_BY[1],
    )


def _run_names(runs: pd.DataFrame, names: dict[str, str]) -> dict[str, str]:
    """By run_id, in the order of `runs`: its experiment's name and its seed."""
    told = runs["experiment_id"].map(names) + " · seed " + runs["seed"].astype(str)
    told = told.mask(told.duplicated(keep=False), told + " · " + runs["run_id"])
    return dict(zip(runs["run_id"], told, strict=True))


def _choose_limits(filters: Filters) -> AxisLimits:
    """The ends of both axes, and what the URL has wrong about them."""
    with st.expander("Zoom", expanded=any(filters.address.values(name) for name in LIMITS)):
        ends = [
            filters.choose_number(name, label)
            for name, label in zip(
                LIMITS,
                ("Ground truth from", "Ground truth to", "Predicted from", "Predicted to"),
                strict=True,
            )
        ]
        st.button("Show everything", on_click=zoom, args=[AxisLimits()], width="stretch")
    return AxisLimits(_in_order(filters, "ground truth", ends[:2]), _in_order(filters, "predicted", ends[2:]))


def _in_order(filters: Filters, axis: str, ends: Sequence[float | None]) -> Range:
    low, high = ends
    if low is not None and high is not None and low >= high:
        filters.warnings.append(
            f"The limits of {axis} go from {low:g} to {high:g}; the first must be less. Shown: all."
        )
        return (None, None)
    return (low, high)


def zoom(limits: AxisLimits) -> None:
    """Look at another part, which the address then has."""
    for name, end in zip(LIMITS, (*limits.truth, *limits.predicted), strict=True):
        st.session_state[name] = end
