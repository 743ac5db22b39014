"""Search space: one architecture, what the best are made of, and how many of them differ."""

from __future__ import annotations

from functools import partial

import streamlit as st

from nasrank.app import shared_queries
from nasrank.app.serve import warehouse_path
from nasrank.app.snapshot import Snapshot
from nasrank.app.views.search_space import queries
from nasrank.app.views.search_space.cell_explorer import PREDICTION_FILTERS, SENSES, Space, explore
from nasrank.app.widgets.figure import show_download, show_figure
from nasrank.app.widgets.filters import Filters
from nasrank.app.widgets.ground_truth import describe_key, say_how_to_import, warn_of_train
from nasrank.app.widgets.slice_bar import SliceBar
from nasrank.app.widgets.table import Columns, show_table
from nasrank.db.nb201.architectures import NUM_ARCHITECTURES, all_masks
from nasrank.report.charts.labels import set_name
from nasrank.report.charts.paper_charts import usage_panel
from nasrank.report.charts.ranking_table import POINTS

# Pixels, of charts as files.
PRINTED_WIDTH = 620
SENSES_HELP = (
    "Trained alone: isomorphic cells, as NAS-Bench-201 counts them. In a super-network every edge has "
    "weights of its own, so fewer are equal; by running statistics a convolution of zeros is not zero."
)
MEASURES = {"usage": "Architectures that use it (%)", "share": "Share of all edges (%)"}


def page() -> None:
    """The whole page, from top to bottom."""
    snapshot = Snapshot.take(warehouse_path())
    keys = shared_queries.ground_truth_keys(snapshot)
    if keys.empty:
        say_how_to_import()
        return
    filters = Filters.of_page("search space")
    problems = st.container()
    bar = SliceBar(filters)
    key = bar.key(keys, list(shared_queries.runs(snapshot)["ground_truth_keys"]))
    gt_key = str(key["gt_key"])
    masks = [set_name(str(mask)) for mask in all_masks()]
    chosen = bar.one("mask", masks, explanation="What is left of the search space.")
    mask = "" if chosen == masks[0] else chosen
    bar.show()
    st.markdown(describe_key(key))
    warn_of_train(key)
    explore(filters, Space(snapshot, gt_key, mask, queries.ranked(snapshot, gt_key, mask)))
    show_usage(snapshot, gt_key, mask)
    show_spaces(snapshot)
    filters.finish(also=PREDICTION_FILTERS)
    filters.show_problems(problems)


def show_usage(snapshot: Snapshot, gt_key: str, mask: str) -> None:
    """Figure 3 for the chosen mask."""
    st.header("What the best are made of")
    names = {**POINTS, "all": "all"}
    usage = queries.operation_usage(snapshot, gt_key, mask)
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
    spaces = queries.spaces(snapshot)
    spaces["removed"] = spaces["mask"].map(lambda mask: mask.count("+") + bool(mask))
    spaces = spaces.sort_values(["removed", "architectures"], ascending=[True, False], kind="stable")
    spaces["mask"] = spaces["mask"].map(set_name)
    st.markdown(f"Of {NUM_ARCHITECTURES:,} architectures, by mask.", help=SENSES_HELP)
    number = st.column_config.NumberColumn
    shown: Columns = {
        "mask": "Mask",
        "architectures": number("Architectures", format="localized"),
        **{sense: number(told[0].upper() + told[1:], format="localized") for sense, told in SENSES.items()},
    }
    show_table(spaces, shown, alt="Architectures that each mask leaves, and how many of them differ")
    show_download("Download counts", spaces.drop(columns="removed"), "search-spaces.csv")


page()
