"""The cell explorer: one architecture, what equals it, its truth everywhere, and what runs say of it."""

from __future__ import annotations

import random
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from nasrank.app import shared_queries
from nasrank.app.snapshot import Snapshot
from nasrank.app.views.search_space import queries
from nasrank.app.views.search_space.architecture_facts import is_of_key, told_predictions, truth_matrix
from nasrank.app.widgets.address import page_address
from nasrank.app.widgets.figure import show_download, show_figure, show_files
from nasrank.app.widgets.filters import Filters
from nasrank.app.widgets.origins import describe_origins
from nasrank.app.widgets.table import Columns, show_table, show_text_table
from nasrank.app.widgets.text import as_code, as_text
from nasrank.db.errors import NasrankError
from nasrank.db.nb201.architectures import Architecture, parse_mask
from nasrank.db.nb201.notations import arch_id_of, naslib_numbers
from nasrank.report import queries as report_queries
from nasrank.report.charts.cell_drawing import describe_cell, draw_cell
from nasrank.report.charts.images import svg_as_png
from nasrank.report.charts.labels import experiment_labels, in_order, listed, set_name
from nasrank.report.charts.neighbour_chart import neighbour_chart, neighbours
from nasrank.report.charts.picking import FIELD, PICKED

ARCH_HELP = (
    "Its index in NAS-Bench-201 (0 to 15624), six digits from 0 to 4, the benchmark's string, or its tuples."
)
# Pixels, of charts as files.
PRINTED_WIDTH = 620
# So many equal architectures are named; the CSV has all.
NAMED = 12
PREDICTION_FILTERS = ("run_mask", "run_bn_mode")
# Ways to be equal, by columns of `queries.equals` and `queries.spaces`.
SENSES = {
    "stand_alone": "trained alone",
    "running": "in a super-network, running statistics",
    "batch": "in a super-network, batch statistics",
}


@dataclass(frozen=True, slots=True)
class Space:
    """What is explored: the architectures that a mask leaves, under a key.

    `ranked` as `queries.ranked` has them.
    """

    snapshot: Snapshot
    gt_key: str
    mask: str
    ranked: pd.DataFrame


def explore(filters: Filters, space: Space) -> None:
    """The section, from top to bottom."""
    architecture = choose_architecture(filters, space)
    show_architecture(space, architecture)
    show_truths(space, architecture)
    show_predictions(filters, space, architecture)


def choose_architecture(filters: Filters, space: Space) -> Architecture:
    """The one that the reader typed or went to by its rank or by steps; the best one until then."""
    st.header("One architecture")
    order = list(space.ranked["arch_id"])
    best = order[0] if order else 0
    if "arch" not in st.session_state or filters.address.is_new:
        st.session_state["arch"] = next(iter(filters.address.values("arch")), str(best))
    entry, by_rank = st.columns([3, 1])
    with entry:
        st.text_input("Architecture", key="arch", help=ARCH_HELP)
    try:
        arch_id = arch_id_of(st.session_state["arch"])
    except NasrankError as error:
        st.warning(as_text(f"{error}. Shown: {best}, the best one."))
        arch_id = best
    filters.keep("arch", str(arch_id))
    place = order.index(arch_id) if arch_id in order else -1
    if order:
        # Follows what is shown, however the reader came there.
        st.session_state["true_rank"] = place + 1 if place >= 0 else None
        with by_rank:
            st.number_input(
                "True rank",
                min_value=1,
                max_value=len(order),
                value=None,
                step=1,
                key="true_rank",
                on_change=lambda: go_to_rank(order),
                placeholder="none here",
                help=f"1 to {len(order):,}: of all that the mask leaves, by the chosen ground truth.",
            )
    targets = {
        "Best": best,
        "Better": order[place - 1] if place > 0 else None,
        "Worse": order[place + 1] if 0 <= place < len(order) - 1 else None,
        "Random": random.choice(order) if order else None,
    }
    with st.container(horizontal=True):
        for label, target in targets.items():
            st.button(as_text(label), disabled=target is None, on_click=go_to, args=(target,))
    return Architecture.from_id(arch_id)


def go_to(arch_id: int) -> None:
    """Show another architecture."""
    st.session_state["arch"] = str(arch_id)


def go_to_rank(order: list[int]) -> None:
    """Show the one whose rank was typed; nothing typed stays."""
    rank = st.session_state["true_rank"]
    if rank is not None:
        go_to(order[rank - 1])


def show_architecture(space: Space, architecture: Architecture) -> None:
    """Its cell, its place, its names, what equals it, and what one change makes of it."""
    left, right = st.columns([1, 1], gap="large")
    arch_id = architecture.arch_id
    with left:
        drawing = draw_cell(architecture)
        st.image(drawing, alt=describe_cell(architecture), width="stretch")
        st.markdown(f":small[{describe_cell(architecture)}]")
        show_files(f"cell-{arch_id}", {"SVG": lambda: drawing, "PNG": lambda: svg_as_png(drawing)})
        show_place(space, architecture)
        equals = queries.equals(space.snapshot, arch_id)
        st.markdown(
            f"Index **{arch_id:d}**, digits {as_code(architecture.digits)}  \n"
            f"{as_code(architecture.string)}  \n"
            f"As tuples {as_code(str(architecture.nested))}  \n"
            f"For NASLib {as_code(str(naslib_numbers(architecture)))}  \n" + equals_told(equals)
        )
        show_download("Download equal architectures", equals, f"equal-to-{arch_id}.csv")
    with right:
        table = neighbours(architecture, queries.ranked(space.snapshot, space.gt_key, ""))
        st.markdown("**One operation changed**: what that does to the ground truth, in percentage points")
        chart_key = f"neighbours {arch_id} {space.gt_key}"
        show_figure(
            neighbour_chart(table),
            name=f"neighbours-{arch_id}",
            alt=f"Accuracies of the 24 architectures that differ from {arch_id} in one operation",
            data=table.drop(columns="series"),
            printed=lambda: neighbour_chart(table, PRINTED_WIDTH),
            key=chart_key,
            on_select=lambda: follow(chart_key),
            selection_mode=[PICKED],
        )


def show_place(space: Space, architecture: Architecture) -> None:
    """Its accuracy and rank, or why it has none."""
    own = space.ranked[space.ranked["arch_id"] == architecture.arch_id]
    if own.empty:
        is_removed = architecture.used.bits & parse_mask(space.mask).bits
        st.markdown(
            f"No rank here: {f'mask {as_text(space.mask)} removes it' if is_removed else 'the key lacks it'}."
        )
        return
    accuracy, rank = st.columns(2)
    accuracy.metric("Ground truth", f"{own['accuracy'].iloc[0]:.2%}")
    rank.metric(f"Rank of {len(space.ranked):,}", f"{own['gt_rank'].iloc[0]:,}")


def follow(chart_key: str) -> None:
    """To the architecture that was clicked."""
    selected = st.session_state[chart_key]["selection"].get(PICKED) or []
    if selected:
        go_to(int(selected[0][FIELD]))


def link_to(arch_id: int) -> str:
    """The page on another architecture, in Markdown."""
    return f"[{arch_id:d}]({page_address('search_space', {'arch': arch_id})})"


def equals_told(equals: pd.DataFrame) -> str:
    """Which others are equal, in each sense, with links."""
    lines = []
    for sense, told in SENSES.items():
        members = list(equals.loc[equals[sense], "arch_id"])
        links = listed([link_to(arch_id) for arch_id in members], NAMED)
        lines.append(f"Equal to it {told}: {links or 'none'}.")
    return "  \n".join(lines)


def show_truths(space: Space, architecture: Architecture) -> None:
    """Its accuracy under every key, with its ranks: across the data sets, down all else."""
    arch_id = architecture.arch_id
    truths = queries.truths(space.snapshot, arch_id, space.mask)
    st.subheader("Its ground truth")
    in_mask = f"; in brackets, among those that mask {as_text(space.mask)} leaves" if space.mask else ""
    st.markdown(f":small[Accuracy · rank among all{in_mask}. The chosen key is bold.]")
    for source, known in truths.groupby("source", sort=False):
        is_mean = known["trial"] == "mean"
        told = f"Accuracies and ranks of architecture {arch_id} by {source}"
        is_masked = bool(space.mask)
        if is_mean.any():
            means = known[is_mean]
            show_text_table(
                truth_matrix(means, is_masked=is_masked),
                bold=is_of_key(means, space.gt_key),
                alt=f"{told}, means over trials",
            )
        if not is_mean.all():
            is_chosen = (known.loc[~is_mean, "gt_key"] == space.gt_key).any()
            is_open = bool(is_chosen) or not is_mean.any()
            with st.expander(f"Single trials of {as_text(source)}", expanded=is_open):
                trials = known[~is_mean]
                show_text_table(
                    truth_matrix(trials, is_masked=is_masked),
                    bold=is_of_key(trials, space.gt_key),
                    alt=f"{told}, single trials",
                )
    show_download("Download ground truth", truths, f"ground-truth-{arch_id}.csv")


def show_predictions(filters: Filters, space: Space, architecture: Architecture) -> None:
    """What every run predicts for it."""
    st.subheader("What super-networks predict for it")
    predictions = queries.predictions(space.snapshot, architecture.arch_id, space.gt_key)
    if predictions.empty:
        st.markdown(
            "No run predicted it at the end of its training. A run predicts the sets that its keys ask for; "
            "`nasrank-train run … --evaluate all` predicts all that its mask leaves."
        )
        return
    experiments = in_order(report_queries.experiments(space.snapshot))
    masks = list(dict.fromkeys(experiments["mask"].map(set_name)))
    of_mask, of_bn_mode = st.columns(2)
    with of_mask:
        run_masks = filters.choose_some("run_mask", "Mask of the runs", masks)
    with of_bn_mode:
        bn_modes = list(report_queries.bn_modes(space.snapshot)["bn_mode"])
        chosen_modes = filters.choose_some("run_bn_mode", "BatchNorm statistics", bn_modes)
    is_chosen = predictions["mask"].map(set_name).isin(run_masks) & predictions["bn_mode"].isin(chosen_modes)
    predictions = predictions[is_chosen]
    if predictions.empty:
        st.markdown("No run that fits these filters predicted it.")
        return
    labels = experiment_labels(experiments)
    predictions.insert(0, "experiment", predictions["experiment_id"].map(labels))
    runs = shared_queries.runs(space.snapshot)
    origins = describe_origins(runs[runs["run_id"].isin(predictions["run_id"])])
    st.markdown(f"{told_predictions(predictions)} {origins}")
    table = predictions.assign(
        accuracy=100 * predictions["accuracy"], off=predictions["place"] - predictions["true_place"]
    )
    number = st.column_config.NumberColumn
    shown: Columns = {
        "experiment": st.column_config.TextColumn("Experiment", width="medium", pinned=True),
        "seed": number("Seed", format="%d"),
        "bn_mode": "BatchNorm",
        "accuracy": number("Predicted", format="%.2f %%"),
        "score": number("Score", format="%.4g", help="Of imported predictions that are no accuracies"),
        "place": number("Predicted rank", format="%.1f", help="Among all it predicted; of equals the mean"),
        "true_place": number("True rank", format="%d", help="Of the same architectures by the ground truth"),
        "predicted": number("Of", format="%d", help="Architectures that the run predicted"),
        "off": number("Off by", format="%+.1f", help="Predicted rank less true rank"),
    }
    if predictions["score"].isna().all():
        del shown["score"]
    show_table(table, shown, alt=f"Predictions of architecture {architecture.arch_id}, a row a run")
    show_download("Download predictions", predictions, f"predictions-{architecture.arch_id}.csv")
