"""SQL: a read-only console on the warehouse, its answer as a table or a chart, and as CSV."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote

import pyarrow as pa
import streamlit as st

from nasrank.app.serve import warehouse_path
from nasrank.app.snapshot import Snapshot
from nasrank.app.views.sql import queries
from nasrank.app.views.sql.examples import EXAMPLES
from nasrank.app.views.sql.result_chart import (
    MARKS,
    axis_columns,
    colour_columns,
    number_columns,
    result_chart,
)
from nasrank.app.views.sql.schema_browser import show_schema
from nasrank.app.views.sql.turns import TURNS
from nasrank.app.widgets.csv_file import csv_file
from nasrank.app.widgets.figure import show_figure
from nasrank.app.widgets.filters import Filters
from nasrank.app.widgets.text import as_text
from nasrank.db.console import CONSOLE_LIMITS, ask
from nasrank.db.files.tables import for_screens
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.reading import QueryError

# Characters, percent-encoded: servers and messengers cut much longer addresses.
LONGEST_IN_ADDRESS = 4_000
LONGEST = 100_000
NONE = "none"
# Of a chart, which is not always there.
CHART_FILTERS = ("chart", "x", "y", "colour")
# Pixels, of a chart as a file.
PRINTED_WIDTH = 800
EDITOR_FONT = "<style>.st-key-sql textarea {font-family: monospace; font-size: 0.9rem}</style>"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A query and what became of it: `rows`, or a `problem` with an `excerpt`; neither: it was stopped."""

    sql: str
    seconds: float = 0.0
    rows: pa.Table | None = None
    is_cut: bool = False
    hints: tuple[str, ...] = ()
    problem: str = ""
    excerpt: str = ""


def page() -> None:
    """The whole page, from top to bottom."""
    snapshot = Snapshot.take(warehouse_path())
    with st.sidebar:
        show_schema(queries.relations(snapshot), queries.columns(snapshot), queries.macros(snapshot))
    limits = CONSOLE_LIMITS
    st.markdown(
        f"DuckDB's SQL, read-only, on this warehouse and nothing else: at most {limits.seconds:.0f} seconds, "
        f"{as_text(limits.memory)} of memory, {limits.rows:,} rows."
    )
    # A query that came with the address is shown, and asked only when someone says so: any page in the
    # browser could open an address here, and make this machine work half a minute for it.
    filters = Filters.of_page("sql")
    if "sql" not in st.session_state or (filters.address.is_new and filters.address.values("sql")):
        st.session_state["sql"] = next(iter(filters.address.values("sql")), "")[:LONGEST]
    is_asked = show_editor()
    # Here a running query is shown, then what became of it.
    place = st.empty()
    if is_asked:
        run_query(snapshot, st.session_state["sql"], place)
    with place.container():
        show_outcome(filters, st.session_state["sql"], st.session_state.get("outcome"))
    filters.finish(also=CHART_FILTERS)
    filters.show_problems()


def show_outcome(filters: Filters, sql: str, outcome: Outcome | None) -> None:
    """What became of the query that was asked last; `sql` is the one in the editor."""
    keep_in_address(filters, sql)
    if outcome is None:
        if sql:
            st.info("This query has not been run yet.")
        return
    if outcome.sql != sql:
        st.caption("Below is the outcome of the query before; this one has not been run yet.")
    if outcome.rows is not None:
        show_answer(filters, outcome, outcome.rows)
    elif outcome.problem:
        st.error(as_text(outcome.problem[0].upper() + outcome.problem[1:]))
        if outcome.excerpt:
            st.code(outcome.excerpt, language=None)
    else:
        st.info("The query was stopped before it had an answer.")


def show_editor() -> bool:
    """The editor, and the examples that fill it; whether to run what it holds."""
    st.html(EDITOR_FONT)
    st.selectbox(
        "Example queries",
        list(EXAMPLES),
        index=None,
        key="example",
        on_change=fill_editor,
        placeholder="Choose one to put it into the editor",
    )
    with st.form("console", border=False):
        st.text_area(
            "SQL",
            key="sql",
            height=230,
            max_chars=LONGEST,
            persist_state="session",
            placeholder="SELECT mask, tau_a FROM experiment_tau_a ORDER BY tau_a",
        )
        return st.form_submit_button("Run", type="primary", icon=":material/play_arrow:")


def fill_editor() -> None:
    """Put the chosen example into the editor."""
    if st.session_state["example"]:
        st.session_state["sql"] = EXAMPLES[st.session_state["example"]]


def run_query(snapshot: Snapshot, sql: str, place: st.delta_generator.DeltaGenerator) -> None:
    """Ask when it is this query's turn, while `place` shows for how long and a button that stops it."""
    # What holds where the script is stopped meanwhile, by the button or anything else that runs it anew.
    st.session_state["outcome"] = Outcome(sql)
    with place.container(horizontal=True, vertical_alignment="center"):
        st.button("Cancel", icon=":material/stop:")
        clock = st.empty()
    started = time.monotonic()

    def show_waiting(before: int) -> None:
        others = "1 query of another visitor has" if before == 1 else f"{before:,} queries of others have"
        clock.text(f"Waiting until {others} ended, for {time.monotonic() - started:.0f} seconds now")

    def show_time() -> None:
        # Streamlit ends this run of the script in here once there is another one; `ask` kills the query then.
        clock.text(
            f"Running for {time.monotonic() - started:.0f} of at most {CONSOLE_LIMITS.seconds:.0f} seconds"
        )

    try:
        with TURNS.turn(show_waiting):
            started = time.monotonic()
            answer = ask(Warehouse(snapshot.path), sql, on_wait=show_time)
    except QueryError as error:
        outcome = Outcome(sql, problem=str(error), excerpt=error.excerpt)
    else:
        outcome = Outcome(sql, time.monotonic() - started, answer.rows, answer.is_cut, answer.hints)
    st.session_state["outcome"] = outcome


def keep_in_address(filters: Filters, sql: str) -> None:
    """The query as a parameter of the address, if it is not too long for one."""
    if len(quote(sql)) > LONGEST_IN_ADDRESS:
        st.caption("This query is too long for an address: a link to this page does not hold it.")
        sql = ""
    filters.keep("sql", sql)


def show_answer(filters: Filters, outcome: Outcome, rows: pa.Table) -> None:
    """How many rows in what time, the rows as a table or a chart, and their CSV."""
    count = (
        f"**{rows.num_rows:,} {'row' if rows.num_rows == 1 else 'rows'}** in {outcome.seconds:.1f} seconds"
    )
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    with left:
        st.markdown(count)
        shown_as = filters.choose_side_by_side("chart", "Show as", ["Table", *MARKS])
    right.download_button(
        "Download CSV",
        partial(csv_file, rows),  # only once it is asked for
        file_name="nasrank-query.csv",
        mime="text/csv",
        on_click="ignore",
        width="stretch",
        help="The rows that are shown, in full precision; an apostrophe stands before what a spreadsheet "
        "would take for a formula.",
    )
    if outcome.is_cut:
        st.warning(
            f"There are more rows: the answer was cut after {rows.num_rows:,}, and so are chart and CSV. "
            "`nasrank-train sql` gives all of them."
        )
    for hint in outcome.hints:
        st.info(as_text(hint[0].upper() + hint[1:]))
    if shown_as == "Table":
        st.dataframe(for_screens(rows), hide_index=True, placeholder="–", alt="The answer of the query")
    else:
        show_chart(filters, for_screens(rows), shown_as)


def show_chart(filters: Filters, rows: pa.Table, mark: str) -> None:
    """What goes where, and the chart."""
    numbers, axes = number_columns(rows), axis_columns(rows)
    if not numbers or not rows.num_rows:
        st.info("A chart needs rows and a column of numbers; this answer has none.")
        return
    for_x, for_y, for_colour = st.columns(3)
    with for_x:
        x = filters.choose_one("x", "Across (x)", axes, axes[0])
    with for_y:
        y = filters.choose_one("y", "Up (y)", numbers, next((name for name in numbers if name != x), x))
    with for_colour:
        colour = filters.choose_one("colour", "Colour", [NONE, *colour_columns(rows)], NONE)
    try:
        chart = result_chart(rows, mark, x, y, None if colour == NONE else colour)
    except (ValueError, OverflowError) as error:  # such as the date infinity
        st.error(f"These columns cannot be drawn: {as_text(str(error))}")
        return
    of_colour = "" if colour == NONE else f", coloured by {colour}"
    show_figure(
        chart,
        name="query",
        alt=f"{mark} of {y} over {x}{of_colour}, {rows.num_rows:,} rows",
        printed=lambda: chart.properties(width=PRINTED_WIDTH),
    )


page()
