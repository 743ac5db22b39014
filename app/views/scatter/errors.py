"""Errors of prediction: which architectures a ranking has too high or too low, and what they are made of."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from urllib.parse import quote

import pandas as pd
import streamlit as st

from nasrank.app.views.scatter.panels import Shown, set_title
from nasrank.app.widgets.address import page_address
from nasrank.app.widgets.csv_file import csv_file
from nasrank.app.widgets.figure import show_figure
from nasrank.app.widgets.filters import Filters
from nasrank.app.widgets.table import Columns, show_table
from nasrank.app.widgets.text import as_text
from nasrank.db.nb201.architectures import OPERATIONS, Architecture
from nasrank.report.charts.cell_drawing import draw_cell
from nasrank.report.charts.neighbour_chart import EDGE_NAMES, errors_chart

# The parameters of this section, which is not there where nothing is drawn.
FILTERS = ("errors", "first")
ORDERS = ("overestimated", "underestimated")
# A drawing costs a page two thousand characters.
MOST_ROWS = 50
PRINTED_WIDTH = 500
OFF_BY_HELP = (
    "True rank minus predicted rank within the set, in places: above zero it is predicted to be better than "
    "it is. Equal predictions share their mean rank."
)


def show_errors(filters: Filters, gt_key: str, shown: Sequence[Shown]) -> None:
    """Of one of the panels: the worst errors as a list, and errors by operation and position."""
    st.header("Errors of prediction")
    names = {one.name: f"{one.subject.label}, {set_title(one.architecture_set)}" for one in shown}
    # Of what is drawn first the largest set: there the errors can be largest.
    first = [one for one in shown if one.subject == shown[0].subject]
    default = max(first, key=lambda one: len(one.points)).name
    left, right = st.columns([3, 2])
    with left:
        name = filters.one("errors", list(names), default)
        st.selectbox("Of", list(names), key="errors", format_func=names.__getitem__)
    with right:
        order = filters.choose_side_by_side("first", "First", ORDERS)
    chosen = next(one for one in shown if one.name == name)
    ranked = with_errors(chosen.points)
    st.markdown("  \n".join(map(as_text, worst_in_words(ranked))))
    table, chart = st.columns([3, 2], gap="large")
    with table:
        show_list(ranked, order, gt_key, chosen)
    with chart:
        by_place = errors_by_place(ranked)
        draw = partial(errors_chart, by_place)
        show_figure(
            draw(),
            name=f"errors-{chosen.name}",
            alt="Mean error of prediction by operation and edge; the numbers are in the file",
            data=by_place,
            printed=partial(draw, width=PRINTED_WIDTH),
        )
        st.markdown(
            f":small[Mean of “off by” over the architectures that have the operation on the edge, in percent "
            f"of the {len(ranked):,} of the set. Above zero: taken for better than they are.]"
        )


def with_errors(points: pd.DataFrame) -> pd.DataFrame:
    """The points with true_place and predicted_place among them, 1 for the best, and off_by.

    `points` as `queries.points` has them; off_by is the first less the other.
    """
    true_place = points["gt_rank"].rank(method="first")
    predicted_place = points["predicted"].rank(ascending=False, method="average")
    return points.assign(
        true_place=true_place, predicted_place=predicted_place, off_by=true_place - predicted_place
    )


def errors_by_place(ranked: pd.DataFrame) -> pd.DataFrame:
    """Mean of off_by by edge and operation, in percent of the set: edge, operation, n, off_by."""
    rows = []
    for place, edge in enumerate(EDGE_NAMES):
        operations = ranked["digits"].str[place].astype(int)
        for number, operation in enumerate(OPERATIONS):
            own = ranked.loc[operations == number, "off_by"]
            if len(own):
                rows.append((edge, operation, len(own), 100 * own.mean() / len(ranked)))
    return pd.DataFrame(rows, columns=["edge", "operation", "n", "off_by"])


def worst_in_words(ranked: pd.DataFrame) -> list[str]:
    """Both worst errors, a sentence each."""
    worst = {"over": ranked.nlargest(1, "off_by"), "under": ranked.nsmallest(1, "off_by")}
    return [
        f"Most {word}estimated: architecture {rows.iloc[0]['arch_id']:d}, predicted to be "
        f"{place_in_words(rows.iloc[0]['predicted_place'])} and truly "
        f"{place_in_words(rows.iloc[0]['true_place'])} of {len(ranked):,}."
        for word, rows in worst.items()
    ]


def place_in_words(place: float) -> str:
    """`12th`; a rank that equal ones share may be `12.5th`."""
    if place != int(place):
        return f"{place:,.1f}th"
    whole = int(place)
    ending = "th" if 10 <= whole % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(whole % 10, "th")
    return f"{whole:,}{ending}"


def show_list(ranked: pd.DataFrame, order: str, gt_key: str, chosen: Shown) -> None:
    """The worst errors of one kind, each with its cell drawn, and all of them in the file."""
    in_order = ranked.sort_values("off_by", ascending=order == "underestimated", kind="stable")
    first = in_order.head(MOST_ROWS)
    drawings = [
        "data:image/svg+xml," + quote(draw_cell(Architecture.from_digits(digits)))
        for digits in first["digits"]
    ]
    links = [
        page_address("search_space", {"arch": arch_id, "ground_truth": gt_key})
        for arch_id in first["arch_id"]
    ]
    number = st.column_config.NumberColumn
    columns: Columns = {
        "cell": st.column_config.ImageColumn("Cell", width="medium"),
        "link": st.column_config.LinkColumn(
            "Architecture", display_text=r"arch=(\d+)", width="small", help="What other runs predict of it"
        ),
        "off_by": number("Off by", format="%+.0f", help=OFF_BY_HELP),
        "predicted_place": number("Predicted rank", format="%.0f"),
        "true_place": number("True rank", format="%d"),
        "truth": number("Ground truth (%)", format="%.2f"),
        "predicted": number("Predicted", format="%.4g", help="Percent, or a score"),
    }
    show_table(
        first.assign(cell=drawings, link=links),
        columns,
        alt=f"The {len(first)} most {order} architectures, with their cells",
        row_height=90,
    )
    told = in_order[["arch_id", "digits", "true_place", "predicted_place", "off_by", "truth", "predicted"]]
    st.download_button(
        f"Download all {len(told):,}",
        lambda: csv_file(told),
        file_name=f"errors-{chosen.name}.csv",
        mime="text/csv",
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
    )
    if len(in_order) > MOST_ROWS:
        st.markdown(f":small[The {MOST_ROWS} most {as_text(order)} of {len(in_order):,}.]")
