"""Scatter: what super-networks predict against the truth, as the paper's Figure 2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.figure import show_figure
from app.filters import Filters
from app.ground_truth import choose_key, describe_key
from app.queries import shared
from app.scatter_panels import (
    AT_THE_END,
    Limits,
    Range,
    Shown,
    Subject,
    panels,
    points_inside,
    subjects,
    with_strings,
)
from app.serve import warehouse_path
from app.snapshot import Snapshot
from db.models import IMPORTED
from report import queries
from report.cell_drawing import cell_expression
from report.labels import counted, experiment_labels, in_order, listed
from report.ranking_table import POINTS
from report.scatter_chart import BRUSH, COLOURINGS, DRAWN, EQUAL, NOTHING, TRUE_RANK, panel_chart

# The paper's Figure 2.
FIRST_SETS = ("top-50", "top-250", "random")
PANELS_A_ROW = 3
# More would take the browser long; the page says what it leaves out.
MOST_PANELS = 12
MOST_ROWS = 1_000
PRINTED_WIDTH = 420
LIMITS = ("truth_from", "truth_to", "predicted_from", "predicted_to")
COLOUR_HELP = (
    "An operation: how many of the six edges have it. "
    f"{TRUE_RANK.capitalize()}: where an architecture stands by ground truth within the mask. "
    f"{EQUAL.capitalize()}: whether it is the first of those that NAS-Bench-201 trains as the same network, "
    "equal to an earlier one, or has no way from input to output and so says the same of every image."
)
NUMBERS_HELP = (
    "τ is Kendall's tau-b, ρ Spearman's and r Pearson's correlation of prediction and ground truth, always "
    "of the whole set, whatever part of it is looked at."
)


@dataclass(frozen=True, slots=True)
class Choice:
    """What the reader chose to see; `absent` are names of what was not evaluated so."""

    key: pd.Series
    subjects: Sequence[Subject]
    absent: Sequence[str]
    sets: Sequence[str]
    colour: str
    limits: Limits


def page() -> None:
    """The whole page, from top to bottom."""
    snapshot = Snapshot.take(warehouse_path())
    keys, evaluations = shared.ground_truth_keys(snapshot), shared.evaluations(snapshot)
    if keys.empty or evaluations.empty:
        st.info("This warehouse has no predictions with a ground truth to set them against. Make some:")
        st.code("nasrank-train import-bench\nnasrank-train run --size tiny --mask none", language=None)
        return
    filters = Filters()
    with st.sidebar:
        choice = choose(filters, snapshot, keys, evaluations)
    if filters.problems:
        st.warning("  \n".join(filters.problems))
    st.markdown(describe_key(choice.key))
    if choice.absent:
        st.info(f"Not evaluated at this epoch with these BatchNorm statistics: {listed(choice.absent)}.")
    if not choice.subjects:
        st.info("Choose a run, or an experiment for the mean over its seeds.")
        return
    shown, brushed = show_panels(snapshot, choice)
    if shown:
        st.markdown(f":small[{NUMBERS_HELP} {told_of(choice, shown)}]")
        show_architectures(choice, shown, brushed)
        show_numbers(choice, shown)


def choose(filters: Filters, snapshot: Snapshot, keys: pd.DataFrame, evaluations: pd.DataFrame) -> Choice:
    """The filters, each offering what the ones before it leave."""
    names = experiment_labels(in_order(queries.experiments(snapshot)))
    evaluated = set(evaluations["experiment_id"])
    experiments = {key: name for key, name in names.items() if key in evaluated}
    place = {experiment_id: number for number, experiment_id in enumerate(names)}
    known = evaluations.drop_duplicates("run_id").sort_values(
        ["experiment_id", "seed", "run_id"], key=lambda c: c.map(place) if c.name == "experiment_id" else c
    )
    runs = run_names(known, names)
    asks_for_means = bool(st.query_params.get_all("experiment"))
    run_ids = filters.choose_named("run", "Runs", runs, [] if asks_for_means else list(runs)[:1])
    experiment_ids = filters.choose_named(
        "experiment", "Experiments", experiments, explanation="The mean over the seeds of each."
    )
    chosen = evaluations[
        evaluations["run_id"].isin(run_ids) | evaluations["experiment_id"].isin(experiment_ids)
    ]
    asked = shared.runs(snapshot)
    key = choose_key(filters, keys, list(asked["ground_truth_keys"]))
    sets = [*POINTS, *(["all"] if chosen["is_whole_space"].any() else [])]
    wanted = filters.choose_some(
        "set", "Architectures", sets, FIRST_SETS, "Those best by ground truth, a random sample, or all."
    )
    colour = filters.choose_one("colour", "Colour by", list(COLOURINGS), NOTHING, COLOUR_HELP)
    trained = chosen[chosen["bn_mode"] != IMPORTED]
    bn_mode, epoch = "running", AT_THE_END
    bn_modes = sorted(trained["bn_mode"].unique(), key=lambda mode: (mode != "running", mode))
    if len(bn_modes) > 1:
        bn_mode = filters.choose_one("bn_mode", "BatchNorm statistics", bn_modes, bn_modes[0])
    elif bn_modes:
        bn_mode = bn_modes[0]
    if (trained["epoch"] != trained["last_epoch"]).any():
        epochs = [AT_THE_END, *map(str, sorted(trained["epoch"].unique()))]
        epoch = filters.choose_one("epoch", "Epoch", epochs, AT_THE_END)
    limits = choose_limits(filters)
    filters.check_names()
    st.markdown(f"[Link to exactly this choice]({filters.link})")
    wanted_names = {key: runs[key] for key in run_ids} | {key: experiments[key] for key in experiment_ids}
    found = list(subjects(evaluations, wanted_names, bn_mode, epoch))
    return Choice(
        key,
        [one for one in found if isinstance(one, Subject)],
        [one for one in found if isinstance(one, str)],
        wanted,
        colour,
        limits,
    )


def run_names(runs: pd.DataFrame, names: dict[str, str]) -> dict[str, str]:
    """By run_id, in the order of `runs`: its experiment's name and its seed."""
    told = runs["experiment_id"].map(names) + " · seed " + runs["seed"].astype(str)
    told = told.mask(told.duplicated(keep=False), told + " · " + runs["run_id"])
    return dict(zip(runs["run_id"], told, strict=True))


def choose_limits(filters: Filters) -> Limits:
    """The ends of both axes, and what the URL has wrong about them."""
    with st.expander("Zoom", expanded=any(name in st.query_params for name in LIMITS)):
        ends = [
            filters.choose_number(name, label)
            for name, label in zip(
                LIMITS,
                ("Ground truth from", "Ground truth to", "Predicted from", "Predicted to"),
                strict=True,
            )
        ]
        st.button("Show everything", on_click=zoom, args=[Limits()], width="stretch")
    return Limits(_in_order(filters, "ground truth", ends[:2]), _in_order(filters, "predicted", ends[2:]))


def _in_order(filters: Filters, axis: str, ends: Sequence[float | None]) -> Range:
    low, high = ends
    if low is not None and high is not None and low >= high:
        filters.problems.append(
            f"The limits of {axis} go from {low:g} to {high:g}; the first must be less. Shown: all."
        )
        return (None, None)
    return (low, high)


def zoom(limits: Limits) -> None:
    """Look at another part, which the address then has."""
    for name, end in zip(LIMITS, (*limits.truth, *limits.predicted), strict=True):
        st.session_state[name] = end


def show_panels(snapshot: Snapshot, choice: Choice) -> tuple[list[Shown], list[Limits | None]]:
    """The panels, a heading for each run or experiment; and what the reader brushed in each."""
    shown: list[Shown] = []
    brushed: list[Limits | None] = []
    most = max(1, MOST_PANELS // len(choice.sets))
    for subject in choice.subjects[:most]:
        st.header(subject.label)
        st.markdown(f":small[{origin(subject)}]")
        drawn: list[Shown] = []
        for one in panels(snapshot, subject, choice.key["gt_key"], choice.sets, choice.limits):
            if isinstance(one, str):
                st.markdown(one)
            else:
                drawn.append(one)
        for start in range(0, len(drawn), PANELS_A_ROW):
            columns = st.columns(min(PANELS_A_ROW, len(drawn)))
            for column, one in zip(columns, drawn[start : start + PANELS_A_ROW], strict=False):
                with column:
                    brushed.append(brushed_part(show_panel(choice, one)))
        shown += drawn
    if more := choice.subjects[most:]:
        st.info(
            f"{MOST_PANELS} panels are drawn at most. Left out: {listed([one.label for one in more])}. "
            "Choose fewer sets of architectures to see more runs."
        )
    return shown, brushed


def show_panel(choice: Choice, one: Shown) -> Any:
    """One panel; what is selected in it."""
    draw = partial(panel_chart, one.panel, choice.colour)
    return show_figure(
        draw(image=cell_expression()),
        name=one.name,
        alt=one.alt,
        data=as_told(one.panel.points, one.panel.unit),
        printed=partial(draw, width=PRINTED_WIDTH),
        on_select="rerun",
        selection_mode=[BRUSH],
        # Another part has no brush yet.
        key=f"{one.name}-{choice.limits}",
    )


def as_told(points: pd.DataFrame, unit: str) -> pd.DataFrame:
    """The points of a panel with their units, as a file has them."""
    columns = points[["arch_id", "digits", "gt_rank", "truth", "predicted"]]
    return columns.rename(
        columns={"truth": "truth_percent", "predicted": "predicted_percent" if unit else "predicted_score"}
    )


def brushed_part(selected: Any) -> Limits | None:
    """The rectangle that was drawn with the mouse, if there is one."""
    brush = selected["selection"].get(BRUSH) if selected else None
    if not brush or not {"truth", "predicted"} <= set(brush):
        return None
    truth, predicted = (tuple(sorted(brush[axis])) for axis in ("truth", "predicted"))
    return Limits((truth[0], truth[1]), (predicted[0], predicted[1]))


def origin(subject: Subject) -> str:
    """Which predictions these are."""
    told = [f"mean over {counted('seed', subject.seeds)}" if subject.seeds else f"run `{subject.predictor}`"]
    if subject.bn_mode != IMPORTED:
        told.append(f"after {subject.epoch} epochs, BatchNorm {subject.bn_mode}")
    return ", ".join(told)


def told_of(choice: Choice, shown: Sequence[Shown]) -> str:
    """How to read what is special about these panels."""
    notes = []
    if any(len(one.subject.seeds) > 1 for one in shown):
        notes.append("Of a mean over seeds, they are the means of the seeds' own, ± their deviation.")
    if any(len(one.panel.points) > DRAWN for one in shown):
        notes.append(f"More than {DRAWN:,} architectures are counted in bins; zoom in to see each.")
        if choice.colour in (TRUE_RANK, EQUAL):
            notes.append(f"Bins show counts: “{choice.colour}” is for single points.")
    return " ".join(notes)


def show_architectures(choice: Choice, shown: Sequence[Shown], brushed: Sequence[Limits | None]) -> None:
    """The architectures inside the rectangles, else inside the limits."""
    heading, button = st.columns([3, 1], vertical_alignment="bottom")
    heading.header("Architectures inside")
    inside = list(brushed)
    if not any(inside):
        if not choice.limits.given:
            st.markdown(
                "Draw a rectangle in a panel with the mouse, or set limits under Zoom, to list the "
                "architectures inside."
            )
            return
        inside = [choice.limits] * len(shown)
    found = points_inside(shown, inside)
    drawn = next((limits for limits in brushed if limits), None)
    if drawn:
        st.button("Zoom into the rectangle", on_click=zoom, args=[rounded(drawn)], icon=":material/zoom_in:")
    button.download_button(
        "Download architectures",
        lambda: with_strings(found).to_csv(index=False, lineterminator="\n"),
        file_name="architectures.csv",
        mime="text/csv",
        on_click="ignore",
        width="stretch",
    )
    cut = f", the first {MOST_ROWS:,} below, all in the file" if len(found) > MOST_ROWS else ""
    st.markdown(f"**{len(found):,} architectures**{cut}, best truth first in each panel.")
    table = with_strings(found.head(MOST_ROWS))
    number = st.column_config.NumberColumn
    columns = {
        "link": st.column_config.LinkColumn("Architecture", display_text=r"arch=(\d+)", width="small"),
        "arch_str": st.column_config.TextColumn("String", width="large"),
        "gt_rank": number("True rank", format="%d"),
        "truth_percent": number("Ground truth (%)", format="%.2f"),
        "predicted": number("Predicted", format="%.4g", help="Percent, or a score"),
        "architecture_set": "Of",
        "predicted_by": "Predicted by",
    }
    st.dataframe(
        table.assign(link="/search_space?arch=" + table["arch_id"].astype(str)),
        hide_index=True,
        column_order=list(columns),
        column_config=columns,
        alt="The architectures inside the rectangle or limits, with truth and prediction",
    )


def rounded(limits: Limits) -> Limits:
    """To three decimals, outwards enough for an address."""
    truth, predicted = (
        tuple(None if end is None else round(end, 3) for end in ends)
        for ends in (limits.truth, limits.predicted)
    )
    return Limits((truth[0], truth[1]), (predicted[0], predicted[1]))


def show_numbers(choice: Choice, shown: Sequence[Shown]) -> None:
    """The numbers of all panels, as a table and CSV."""
    rows = pd.DataFrame(
        {
            "predicted_by": one.subject.label,
            "predictor": one.subject.predictor,
            "gt_key": choice.key["gt_key"],
            "bn_mode": one.subject.bn_mode,
            "epoch": one.subject.epoch,
            "architecture_set": one.architecture_set,
            **one.numbers,
        }
        for one in shown
    )
    heading, button = st.columns([3, 1], vertical_alignment="bottom")
    heading.header("The same numbers")
    button.download_button(
        "Download numbers",
        rows.to_csv(index=False, lineterminator="\n"),
        file_name="scatter.csv",
        mime="text/csv",
        on_click="ignore",
        width="stretch",
    )
    number = st.column_config.NumberColumn
    columns = {
        "predicted_by": st.column_config.TextColumn("Predicted by", width="medium"),
        "architecture_set": "Of",
        "n": number("Architectures", format="%d"),
        "n_predicted": number("Predicted", format="%d"),
        "tau": number("τ", format="%.3f", help="Kendall's tau-b"),
        "tau_std": number("± seeds", format="%.3f", help="Deviation of τ over seeds"),
        "tau_eq2": number("τ Equation 2", format="%.3f", help="Without correction for ties"),
        "spearman": number("Spearman", format="%.3f"),
        "pearson": number("Pearson", format="%.3f"),
    }
    st.dataframe(
        rows,
        hide_index=True,
        column_order=list(columns),
        column_config=columns,
        placeholder="–",
        alt="Correlations of prediction and ground truth, a row a panel",
    )


page()
