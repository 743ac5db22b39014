"""Search space: one architecture, what the best are made of, and how many of them differ."""

from __future__ import annotations

import random
from functools import partial

import pandas as pd
import streamlit as st

from app.figure import show_figure
from app.filters import Filters
from app.ground_truth import choose_key, describe_key
from app.queries import search_space, shared
from app.serve import warehouse_path
from app.snapshot import Snapshot
from db.architectures import NUM_ARCHITECTURES, Architecture, all_masks, parse_mask
from db.errors import NasrankError
from db.notations import arch_id_of
from report import queries
from report.cell_drawing import describe_cell, draw_cell
from report.charts import usage_panel
from report.labels import experiment_labels, in_order, listed, set_name
from report.neighbour_chart import neighbour_chart, neighbours
from report.picking import FIELD, PICKED
from report.ranking_table import POINTS

ARCH_HELP = (
    "Its index in NAS-Bench-201 (0 to 15624), six digits from 0 to 4, the benchmark's string, or its tuples."
)
# Pixels, of charts as files.
PRINTED_WIDTH = 620
# So many equal architectures are named; the CSV has all.
NAMED = 12
SENSES = {
    "stand_alone": "trained alone",
    "running": "in a super-network, running statistics",
    "batch": "in a super-network, batch statistics",
}
SENSES_HELP = (
    "Trained alone: isomorphic cells, as NAS-Bench-201 counts them. In a super-network every edge has "
    "weights of its own, so fewer are equal; by running statistics a convolution of zeros is not zero."
)
MEASURES = {"usage": "Architectures that use it (%)", "share": "Share of all edges (%)"}


def page() -> None:
    """The whole page, from top to bottom."""
    snapshot = Snapshot.take(warehouse_path())
    keys = shared.ground_truth_keys(snapshot)
    if keys.empty:
        st.info("This warehouse has no ground truth yet. Import NAS-Bench-201's:")
        st.code("nasrank-train import-bench", language=None)
        return
    filters = Filters()
    with st.sidebar:
        key = choose_key(filters, keys, list(shared.runs(snapshot)["ground_truth_keys"]))
        gt_key = str(key["gt_key"])
        masks = [set_name(str(mask)) for mask in all_masks()]
        chosen = filters.choose_one("mask", "Mask", masks, masks[0], "What is left of the search space.")
        mask = "" if chosen == masks[0] else chosen
    problems = st.empty()
    st.markdown(describe_key(key))
    ranked = search_space.ranked(snapshot, gt_key, mask)
    architecture = choose_architecture(filters, ranked)
    show_architecture(snapshot, architecture, gt_key, mask, ranked)
    show_truths(snapshot, architecture, mask)
    show_predictions(snapshot, architecture, gt_key)
    show_usage(snapshot, gt_key, mask)
    show_spaces(snapshot)
    filters.check_names()
    with st.sidebar:
        st.markdown(f"[Link to exactly this choice]({filters.link})")
    if filters.problems:
        problems.warning("  \n".join(filters.problems))


def choose_architecture(filters: Filters, ranked: pd.DataFrame) -> Architecture:
    """The one that the reader typed or stepped to; the best one until then."""
    st.header("One architecture")
    best = int(ranked["arch_id"].iloc[0]) if len(ranked) else 0
    if "arch" not in st.session_state:
        st.session_state["arch"] = st.query_params.get("arch", str(best))
    st.text_input("Architecture", key="arch", help=ARCH_HELP)
    try:
        arch_id = arch_id_of(st.session_state["arch"])
    except NasrankError as error:
        st.warning(f"{error}. Shown: {best}, the best one.".replace("|", "\\|"))
        arch_id = best
    filters.keep("arch", str(arch_id))
    places = {known: place for place, known in enumerate(ranked["arch_id"])}
    order = list(ranked["arch_id"])
    place = places.get(arch_id, -1)
    targets = {
        "Best": best,
        "Better": order[place - 1] if place > 0 else None,
        "Worse": order[place + 1] if 0 <= place < len(order) - 1 else None,
        "Random": random.choice(order) if order else None,
    }
    with st.container(horizontal=True):
        for label, target in targets.items():
            st.button(label, disabled=target is None, on_click=go_to, args=(target,))
    return Architecture.from_id(arch_id)


def go_to(arch_id: int) -> None:
    """Show another architecture."""
    st.session_state["arch"] = str(arch_id)


def show_architecture(
    snapshot: Snapshot, architecture: Architecture, gt_key: str, mask: str, ranked: pd.DataFrame
) -> None:
    """Its cell, its place, its names, what equals it, and what one change makes of it."""
    left, right = st.columns([1, 1], gap="large")
    arch_id = architecture.arch_id
    with left:
        st.image(draw_cell(architecture), alt=describe_cell(architecture), width="stretch")
        st.markdown(f":small[{describe_cell(architecture)}]")
        own = ranked[ranked["arch_id"] == arch_id]
        if own.empty:
            is_removed = architecture.used.bits & parse_mask(mask).bits
            why = f"mask {mask} removes it" if is_removed else "the key lacks it"
            st.markdown(f"No rank here: {why}.")
        else:
            accuracy, rank = st.columns(2)
            accuracy.metric("Ground truth", f"{own['accuracy'].iloc[0]:.2%}")
            rank.metric(f"Rank of {len(ranked):,}", f"{own['gt_rank'].iloc[0]:,}")
        st.markdown(
            f"Index **{arch_id}**, digits `{architecture.digits}`  \n`{architecture.string}`  \n"
            + equals_told(search_space.equals(snapshot, arch_id))
        )
    with right:
        table = neighbours(architecture, search_space.ranked(snapshot, gt_key, ""))
        st.markdown("**One operation changed**: what that does to the ground truth, in points of a percent")
        chart_key = f"neighbours {arch_id} {gt_key}"
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


def follow(chart_key: str) -> None:
    """To the architecture that was clicked."""
    selected = st.session_state[chart_key]["selection"].get(PICKED) or []
    if selected:
        go_to(int(selected[0][FIELD]))


def equals_told(equals: pd.DataFrame) -> str:
    """Which others are equal, in each sense, with links."""
    lines = []
    for sense, told in SENSES.items():
        members = list(equals.loc[equals[sense], "arch_id"])
        links = listed([f"[{arch_id}](/search_space?arch={arch_id})" for arch_id in members], NAMED)
        lines.append(f"Equal to it {told}: {links or 'none'}.")
    return "  \n".join(lines)


def show_truths(snapshot: Snapshot, architecture: Architecture, mask: str) -> None:
    """Its accuracy under every key, with its ranks."""
    truths = search_space.truths(snapshot, architecture.arch_id, mask)
    table = truths.assign(
        accuracy=100 * truths["accuracy"],
        averaged=truths["averaged_epochs"].map(lambda epochs: f"last {epochs}" if epochs > 1 else ""),
    )
    st.subheader("Its ground truth")
    number = st.column_config.NumberColumn
    left = f"of the {truths['mask_architectures'].max():,} that mask {mask} leaves" if mask else ""
    shown = {
        "source": "Source",
        "dataset": "Data set",
        "split": "Split",
        "epochs": number("Epochs", format="%d"),
        "averaged": st.column_config.TextColumn("Mean over epochs"),
        "trial": "Trial",
        "accuracy": number("Accuracy", format="%.2f %%"),
        "gt_rank": number("Rank", format="%d", help="Of all that the key has; equal ones by index"),
        **({"mask_rank": number("Rank in mask", format="%d", help=left)} if mask else {}),
    }
    st.dataframe(
        table,
        hide_index=True,
        column_order=list(shown),
        column_config=shown,
        height="content" if len(table) <= 12 else 460,
        alt=f"Ground truth of architecture {architecture.arch_id} by data set, split, epochs and trial",
    )
    download("Download ground truth", truths, f"ground-truth-{architecture.arch_id}.csv")


def show_predictions(snapshot: Snapshot, architecture: Architecture, gt_key: str) -> None:
    """What every run predicts for it."""
    st.subheader("What super-networks predict for it")
    predictions = search_space.predictions(snapshot, architecture.arch_id, gt_key)
    if predictions.empty:
        st.markdown("No run predicted it at the end of its training.")
        return
    labels = experiment_labels(in_order(queries.experiments(snapshot)))
    predictions.insert(0, "experiment", predictions["experiment_id"].map(labels))
    table = predictions.assign(
        accuracy=100 * predictions["accuracy"], off=predictions["place"] - predictions["true_place"]
    )
    number = st.column_config.NumberColumn
    shown = {
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
    st.dataframe(
        table,
        hide_index=True,
        column_order=list(shown),
        column_config=shown,
        placeholder="–",
        alt=f"Predictions of architecture {architecture.arch_id}, a row a run",
    )
    download("Download predictions", predictions, f"predictions-{architecture.arch_id}.csv")


def show_usage(snapshot: Snapshot, gt_key: str, mask: str) -> None:
    """Figure 3 for the chosen mask."""
    st.header("What the best are made of")
    names = {**POINTS, "all": "all"}
    usage = search_space.operation_usage(snapshot, gt_key, mask)
    if usage.empty:
        st.markdown("This mask leaves no operations to compare.")
        return
    usage = usage.assign(point=usage["architecture_set"].map(names))
    points = [point for point in names.values() if point != "random" and point in set(usage["point"])]
    for column, (measure, told) in zip(st.columns(len(MEASURES)), MEASURES.items(), strict=True):
        data = usage.assign(percent=100 * usage[measure])
        with column:
            st.markdown(f"**{told}**")
            show_figure(
                usage_panel(data, points),
                name=f"operation-{measure}",
                alt=f"{told} over the N best, mask {set_name(mask)}",
                data=usage[["architecture_set", "n", "operation", measure]],
                printed=partial(usage_panel, data, points, PRINTED_WIDTH),
            )
    st.markdown(":small[From the benchmark alone: no super-network is in it.]")


def show_spaces(snapshot: Snapshot) -> None:
    """How many architectures each mask leaves, and how many of those differ."""
    st.header("How many differ")
    spaces = search_space.spaces(snapshot)
    spaces["removed"] = spaces["mask"].map(lambda mask: mask.count("+") + bool(mask))
    spaces = spaces.sort_values(["removed", "architectures"], ascending=[True, False], kind="stable")
    spaces["mask"] = spaces["mask"].map(set_name)
    st.markdown(f"Of {NUM_ARCHITECTURES:,} architectures, by mask.", help=SENSES_HELP)
    number = st.column_config.NumberColumn
    shown = {
        "mask": "Mask",
        "architectures": number("Architectures", format="localized"),
        **{sense: number(told[0].upper() + told[1:], format="localized") for sense, told in SENSES.items()},
    }
    st.dataframe(
        spaces,
        hide_index=True,
        column_order=list(shown),
        column_config=shown,
        alt="Architectures that each mask leaves, and how many of them differ",
    )
    download("Download counts", spaces.drop(columns="removed"), "search-spaces.csv")


def download(label: str, rows: pd.DataFrame, file_name: str) -> None:
    """The rows of a table as CSV, in full precision."""
    st.download_button(
        label,
        rows.to_csv(index=False, lineterminator="\n"),
        file_name=file_name,
        mime="text/csv",
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
    )


page()
