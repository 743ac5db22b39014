"""Rankings: A_N and τ over N for each experiment, as the paper's Figures 4 to 9, then side by side."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from nasrank.app.serve import warehouse_path
from nasrank.app.snapshot import Snapshot
from nasrank.app.views.rankings.choice import (
    METRIC_NAMES,
    SEEDS,
    Contents,
    RankingChoice,
    choose,
    set_in_words,
)
from nasrank.app.views.rankings.first_sight import measure, show_dots, show_headlines, slice_of
from nasrank.app.views.rankings.notes import notes
from nasrank.app.widgets.address import shared_parameters
from nasrank.app.widgets.csv_file import csv_file
from nasrank.app.widgets.figure import show_figure
from nasrank.app.widgets.filters import Filters
from nasrank.app.widgets.ground_truth import describe_key
from nasrank.app.widgets.linked_selection import LinkedSelection
from nasrank.app.widgets.origins import describe_origins
from nasrank.app.widgets.table import Columns, show_table
from nasrank.app.widgets.text import as_text
from nasrank.db.warehouse.models import IMPORTED
from nasrank.report import queries as report_queries
from nasrank.report.charts import ranking_chart
from nasrank.report.charts.labels import set_name
from nasrank.report.charts.line_looks import COLOURS, looks_of
from nasrank.report.charts.ranking_matrix import (
    DIMENSIONS,
    TAU_A,
    HeatMap,
    matrix,
    matrix_chart,
    matrix_description,
)
from nasrank.report.charts.ranking_table import (
    BANDS,
    POINTS,
    PREDICTED,
    Ranking,
    RankingTables,
    rank,
    seed_points,
    with_values,
)
from nasrank.report.metrics import CORRELATIONS, METRICS

# Pixels, of a chart as a file.
PRINTED_WIDTH = 800
TABLE_ALT = "The numbers of the chart, one row an experiment, best τa first"
FIRST_RUN = "nasrank-train run --dataset digits --size tiny --mask Zero+Pool --epochs 20"
TAU_A_HELP = (
    "τa is Kendall's correlation of A_N with N over the eight points of the lower panel. It is −1, the "
    "best, where A_N falls all the way as N grows: where better architectures are predicted to be better."
)

# All others are kinds of τ.
METRIC_SIGNS = {"spearman": "ρ", "pearson": "r"}
BANDS_TOLD = {
    "deviation": "bands one deviation",
    "95 % interval": "bands the 95 % interval of the mean (Student's t)",
    SEEDS: "thin lines the single seeds",
}
# Chosen beside the matrix, below what the bar decides.
MATRIX_FILTERS = ("columns", "rows")
MATRIX_ROWS = 40
# Small panels: of a row, and of all.
MASKS_A_ROW = 2
MOST_MASKS = 12
# Values of cells by the name of the set.
SET_POINTS = {**POINTS, PREDICTED: PREDICTED}
# The parameter of the experiments that were clicked.
PICKED = "experiment"
PICK = "Click lines, their names or cells below; with Shift several"
CHANCE_CAPTION = (
    " Grey, around zero: where 95 % of random permutations are, with as few seeds as any line has. A line "
    "within it has not been told from chance."
)
INITIAL_CAPTION = (
    " Lighter grey, for each mask: where 95 % of networks are before training. A line within it has not been "
    "told from what the structure alone gives."
)
CEILING_CAPTION = (
    " “one training”: the correlation of one stand-alone training with the mean of its other trials. Where "
    "that is low, the benchmark itself can hardly tell the architectures apart."
)
ORACLE_CAPTION = (
    " “oracle”: what a predictor would reach that knew the expected accuracy of every architecture. The "
    "truth is a mean of few trainings, and no predictor can know their noise."
)
UNTRAINED_CAPTION = (
    " Dotted in grey: what needs no training. A network that is no better has learned nothing that is worth "
    "its training."
)
RANGES_CAPTION = " Grey ranges are from the lowest to the highest of the masks."


def page() -> None:
    """The whole page, from top to bottom."""
    snapshot = Snapshot.take(warehouse_path())
    contents = Contents.read(snapshot)
    experiments, runs = contents.experiments, contents.runs
    if contents.keys.empty or runs.loc[runs["status"] == "finished"].empty:
        show_first_steps(truth_is_missing=contents.keys.empty)
        return
    filters = Filters.of_page("rankings")
    problems = st.container()
    filters.check_known(PICKED, "experiment", experiments["experiment_id"])
    choice = choose(filters, snapshot, contents, filters.held(PICKED))
    gt_key = choice.key["gt_key"]
    runs = runs[runs["experiment_id"].isin(choice.experiments["experiment_id"])]
    ceilings = [
        report_queries.noise_ceiling(snapshot.benchmark, gt_key, mask)
        for mask in choice.experiments["mask"].unique()
    ]
    known = report_queries.rankings(snapshot, choice.dataset, gt_key)
    tables = RankingTables(
        known.ranking,
        known.tau_a,
        pd.concat(ceilings) if ceilings else report_queries.noise_ceiling(snapshot.benchmark, gt_key, ""),
        known.chance,
    )
    ranking = rank(
        choice.experiments,
        tables,
        choice.bn_mode,
        choice.correlation,
        BANDS.get(choice.band, "std"),
    )
    show_headlines(snapshot, choice, experiments, tables.ceiling)
    is_empty = ranking.rows["experiment_id"].isin(choice.untrained).all()
    if is_empty:
        st.info("No experiment that fits the filters has a set that was predicted wholly under this key.")
    else:
        selection = LinkedSelection(
            PICKED,
            dict(zip(ranking.rows["series"], ranking.rows["experiment_id"], strict=True)),
            f"{snapshot.identity} {filters.link}",
            filters,
        )
        overview = measure(snapshot, choice, experiments, tables.ceiling)
        if choice.metric not in (*CORRELATIONS, TAU_A):
            ranking = with_values(ranking, overview, choice.metric)
        show_picked(selection, ranking, choice)
        show_dots(choice, overview, ranking, tables.ceiling, selection)
        st.markdown(f":small[{describe_origins(runs)} {describe_key(choice.key)}]")
        st.header("Over N")
        show_chart(known.seeds, choice, ranking, selection)
        show_masks(choice, ranking, selection)
        show_matrix(filters, choice, ranking, selection)
    incomplete = known.incomplete
    incomplete = incomplete[incomplete["bn_mode"].isin((choice.bn_mode, IMPORTED))]
    for note in notes(choice.key, ranking, runs, incomplete):
        show = st.warning if note.is_warning else st.caption
        show(note.markdown)
    if not is_empty:
        show_numbers(choice, ranking)
    filters.finish(also=MATRIX_FILTERS)
    filters.show_problems(problems)


def show_picked(selection: LinkedSelection, ranking: Ranking, choice: RankingChoice) -> None:
    """What was clicked, what all are held against, and where to go with it."""
    # At the right a chart has its own buttons, which would cover the link.
    place, reference, link, _ = st.columns([5, 3, 1.2, 0.8], vertical_alignment="bottom")
    with place:
        selection.choose("Picked experiments", ranking.labels, PICK)
    labels = {**choice.referable, **ranking.labels}
    reference.selectbox(
        "Reference",
        list(choice.referable),
        key="reference",
        format_func=labels.__getitem__,
        help="What the others are held against, here and on Compare.",
    )
    if len(selection.picked) > 1:
        link.page_link(
            "views/compare/compare.py",
            label="Compare",
            icon=":material/compare_arrows:",
            query_params=[*shared_parameters(), *(("experiment", one) for one in selection.picked)],
            help="What differs in their configuration, and by how much they differ.",
        )


def show_chart(
    runs: pd.DataFrame, choice: RankingChoice, ranking: Ranking, selection: LinkedSelection
) -> None:
    """Both panels, and how to read them; `runs` as in `report.queries.RankingAnswers.seeds`."""
    names = dict(zip(ranking.rows["experiment_id"], ranking.rows["series"], strict=True))
    is_untrained = ranking.points["experiment_id"].isin(choice.untrained)
    points, references = ranking.points[~is_untrained], ranking.points[is_untrained]
    untrained = choice.experiments.set_index("experiment_id")["name"]
    references = references.assign(name=references["experiment_id"].map(untrained))
    rows = ranking.rows[ranking.rows["series"].isin(points["series"])]
    if rows.empty:
        st.info("None of these experiments predicted a whole set of those that the lines are drawn over.")
        return
    best = rows.sort_values(column_of(choice, ranking), ascending=False, na_position="last")
    drawn = rows
    if len(rows) > COLOURS:
        first = [*rows.index[rows["experiment_id"].isin(selection.picked)], *best.index]
        drawn = rows[rows.index.isin(list(dict.fromkeys(first))[:COLOURS])]
        st.caption(
            f"Of {len(rows)} experiments {COLOURS} are drawn, those picked first, then the best by "
            f"{METRIC_NAMES[ranking.metric]} ({as_text(set_in_words(choice.architecture_set))}): more lines "
            "could not be told apart. The panels, cells and table below have all."
        )
    series = list(drawn["series"])
    looks = looks_of(choice.experiments, {key: name for key, name in names.items() if name in series})
    points = points[points["series"].isin(series)]
    seeds = None
    if choice.band == SEEDS:
        seeds = seed_points(points, ranking.bn_mode, runs)
    draw = partial(
        ranking_chart.ranking_chart,
        ranking_chart.Lines(points, series, looks, seeds, references),
        (ranking.metric, "a_n"),
        picked=selection.already("lines"),
    )
    show_figure(
        draw(),
        name=f"rankings-{choice.dataset}",
        alt=ranking_chart.ranking_description(series, METRIC_NAMES[choice.correlation]),
        data=points.drop(columns="series") if seeds is None else seeds,
        printed=partial(draw, width=PRINTED_WIDTH),
        **selection.options("lines"),
    )
    st.markdown(
        f":small[Lines are means over seeds, {BANDS_TOLD[choice.band]}. τa is best at −1, where A_N falls "
        "all the way from the best architectures to the random ones."
        + (CHANCE_CAPTION if ranking.points["permutations_low"].notna().any() else "")
        + (INITIAL_CAPTION if ranking.points["initial_low"].notna().any() else "")
        + (CEILING_CAPTION if ranking.points[f"{ranking.metric}_ceiling"].notna().any() else "")
        + (ORACLE_CAPTION if ranking.points[f"{ranking.metric}_oracle"].notna().any() else "")
        + (UNTRAINED_CAPTION if len(references) else "")
        + (RANGES_CAPTION if ranking.points["mask"].nunique() > 1 else "")
        + "]",
        help=TAU_A_HELP,
    )


def show_masks(choice: RankingChoice, ranking: Ranking, selection: LinkedSelection) -> None:
    """More lines than one chart can tell apart: the chosen metric in a small panel for each mask."""
    is_line = ranking.points["experiment_id"].isin(ranking.rows["experiment_id"])
    points = ranking.points[is_line & ~ranking.points["experiment_id"].isin(choice.untrained)]
    masks = list(dict.fromkeys(choice.experiments["mask"]))
    masks = [mask for mask in masks if mask in set(points["mask"])]
    if points["series"].nunique() <= COLOURS or len(masks) < 2:
        return
    st.header("By mask")
    order = ranking.rows.sort_values(column_of(choice, ranking), ascending=False, na_position="last")
    names = dict(zip(order["experiment_id"], order["series"], strict=True))
    everything = ranking_chart.Lines(points, list(names.values()), {})
    ends = ranking_chart.extent(everything, ranking.metric)
    told = [
        f"{METRIC_NAMES[ranking.metric]} of every mask, between the same ends.",
        f"Of a mask that has more than {COLOURS} experiments, its best {COLOURS}."
        if points.groupby("mask")["series"].nunique().max() > COLOURS
        else "",
        f"The first {MOST_MASKS} of {len(masks)} masks." if len(masks) > MOST_MASKS else "",
    ]
    st.caption(" ".join(filter(None, told)))
    columns = st.columns(MASKS_A_ROW)
    for place, mask in enumerate(masks[:MOST_MASKS]):
        of_mask = points[points["mask"] == mask]
        series = [name for name in names.values() if name in set(of_mask["series"])][:COLOURS]
        of_mask = of_mask[of_mask["series"].isin(series)]
        looks = looks_of(choice.experiments, {key: name for key, name in names.items() if name in series})
        shown = set_name(mask)
        short = of_mask["label"].str.removeprefix(shown).str.removeprefix(" · ")
        lines = ranking_chart.Lines(of_mask.assign(label=short.replace("", "baseline")), series, looks)
        chart = f"mask {mask}"
        with columns[place % MASKS_A_ROW]:
            show_figure(
                ranking_chart.mask_chart(
                    lines, ranking.metric, ends, f"mask {shown}", picked=selection.already(chart)
                ),
                name=f"rankings-{choice.dataset}-mask-{shown}",
                alt=ranking_chart.ranking_description(series, METRIC_NAMES[ranking.metric]),
                data=of_mask.drop(columns="series"),
                **selection.options(chart),
            )


def show_matrix(
    filters: Filters, choice: RankingChoice, ranking: Ranking, selection: LinkedSelection
) -> None:
    """Experiments side by side, and what of them the reader wants to see there."""
    st.header("Side by side")
    shown = choice.experiments[choice.experiments["experiment_id"].isin(ranking.rows["experiment_id"])]
    differing = [name for name, column in DIMENSIONS.items() if shown[column].nunique() > 1]
    measured_set = slice_of(choice, choice.metric, choice.architecture_set).measured_set
    value = column_of(choice, ranking) if choice.metric in CORRELATIONS else choice.metric
    columns, rows_place = st.columns(2)
    with columns:
        by = filters.choose_one("columns", "Columns", list(DIMENSIONS), [*differing, *DIMENSIONS][0])
    with rows_place:
        order = filters.choose_one("rows", "Rows", ["by mask", "best first"], "by mask")
    table = matrix(ranking, shown, DIMENSIONS[by], value, best_first=order == "best first")
    rows = list(dict.fromkeys(table["row"]))
    if len(rows) > MATRIX_ROWS:
        st.info(f"The first {MATRIX_ROWS} of {len(rows)} rows are drawn; the CSV has all.")
    drawn = table[table["row"].isin(rows[:MATRIX_ROWS])]
    title = METRICS[choice.metric].header
    if choice.metric != TAU_A:
        title += f", {set_in_words(measured_set)}"
    shown_cells = HeatMap(drawn, by, choice.metric, title)
    # With the choices in its name: what was drawn for others is another chart.
    chart = f"cells {by} {value} {order}"
    draw = partial(matrix_chart, shown_cells, picked=selection.already(chart))
    show_figure(
        draw(),
        name=f"side-by-side-{choice.dataset}",
        alt=matrix_description(shown_cells),
        data=table.drop(columns="series"),
        printed=partial(draw, width=PRINTED_WIDTH),
        **selection.options(chart),
    )
    st.markdown(
        ":small[A cell is an experiment: its value, its number n of seeds, and what the paper prints. Blue "
        "is better. Pale, with the word chance: what random permutations give, too, or networks before "
        "training, in 95 % of cases.]"
    )


def column_of(choice: RankingChoice, ranking: Ranking) -> str:
    """The column of `ranking.rows` that has the drawn correlation of the chosen set."""
    return f"{ranking.metric}_{SET_POINTS[choice.architecture_set]}"


def show_numbers(choice: RankingChoice, ranking: Ranking) -> None:
    """The same numbers, and their CSV."""
    heading, button = st.columns([3, 1], vertical_alignment="bottom")
    heading.header("The same numbers")
    button.download_button(
        "Download CSV",
        csv_file(ranking.with_key(choice.key["gt_key"])),
        file_name=f"rankings-{choice.dataset}.csv",
        mime="text/csv",
        on_click="ignore",
        width="stretch",
        help="In full precision, with the deviations over seeds and the ground-truth key.",
    )
    number = st.column_config.NumberColumn
    shown: Columns = {
        "experiment": st.column_config.TextColumn("Experiment", pinned=True, width="medium"),
        "tau_a": number("τa", format="%.2f", help=TAU_A_HELP),
        "tau_a_mean": number("τa of seeds", format="%.2f", help="Mean of the τa of the single seeds"),
        "tau_a_std": number("± seeds", format="%.2f", help="Deviation of the τa of the single seeds"),
        "reported_tau_a": number("τa in paper", format="%.2f", help="What the paper prints, on CIFAR-10"),
        "seeds": number("Seeds", format="%d"),
    }
    sign = METRIC_SIGNS.get(ranking.metric, "τ")
    for point in POINTS.values():
        shown[f"{ranking.metric}_{point}"] = number(
            f"{sign} {point}", format="%.3f", help=f"Mean over seeds, {as_text(METRIC_NAMES[ranking.metric])}"
        )
    for point in POINTS.values():
        shown[f"a_{point}_percent"] = number(f"A {point}", format="%.1f %%", help="Mean predicted accuracy")
    shown["n_predicted"] = number("Predicted", format="%d", help="Architectures, the fewest of the seeds")
    shown[f"{ranking.metric}_{PREDICTED}"] = number(
        f"{sign} predicted", format="%.3f", help="Over whatever was predicted, be it a part of every set"
    )
    show_table(ranking.rows, shown, alt=TABLE_ALT)


def show_first_steps(*, truth_is_missing: bool) -> None:
    """What a new warehouse needs before there is anything to see."""
    if truth_is_missing:
        st.info("This warehouse has no ground truth yet. Import NAS-Bench-201's, then train a super-network:")
        commands = ["nasrank-train import-bench", FIRST_RUN]
    else:
        st.info("This warehouse has no finished runs yet. Train one, or ingest the folders of runs you have:")
        commands = [FIRST_RUN, "nasrank-train ingest runs/"]
    st.code("\n".join(commands), language=None)


page()
