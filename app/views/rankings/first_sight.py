"""The beginning of the page Rankings: findings in sentences, and every experiment by one number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from nasrank.app.snapshot import Snapshot
from nasrank.app.views.rankings.choice import METRIC_NAMES, RankingChoice, set_in_words
from nasrank.app.widgets.figure import show_figure
from nasrank.app.widgets.linked_selection import LinkedSelection
from nasrank.app.widgets.text import as_text
from nasrank.db.warehouse.models import UNTRAINED
from nasrank.report.charts.labels import signed
from nasrank.report.charts.line_looks import looks_of
from nasrank.report.charts.overview_chart import (
    REFERENCE,
    Dots,
    Held,
    dot_rows,
    overview_chart,
    overview_description,
)
from nasrank.report.charts.ranking_table import Ranking
from nasrank.report.headlines import headlines
from nasrank.report.metrics import CORRELATIONS, METRICS, SHARE
from nasrank.report.overview import Slice, as_share, overview, pairs_with

QUESTION = (
    "A super-network ranks architectures after one training. **Is its ranking that of training each alone?** "
    "NAS-Bench-201 knows, and so these networks can be asked."
)
CERTAIN_HELP = (
    "Certain: p < 0.05 after Holm's correction for all that is compared in a sentence. In brackets the 95 % "
    "interval of the mean over seeds."
)
MOST_ROWS = 40
PRINTED_WIDTH = 800


def show_headlines(
    snapshot: Snapshot, choice: RankingChoice, experiments: pd.DataFrame, ceiling: pd.DataFrame
) -> None:
    """What nasrank asks, and what this warehouse answers at first sight."""
    st.markdown(QUESTION, help=CERTAIN_HELP)
    oracle = limits_of(ceiling, "tau", "random")["oracle"]
    found = headlines(snapshot, experiments, slice_of(choice, "tau", "random"), oracle)
    for one in found:
        said, link = st.columns([5, 1], vertical_alignment="center", gap="small")
        said.markdown(f"- {as_text(one.sentence)}")
        link.page_link(
            "views/compare/compare.py" if one.page == "compare" else "views/rankings/rankings.py",
            label=as_text(one.more.capitalize()),
            icon=":material/arrow_forward:",
            query_params=[
                (name, value)
                for name, values in {**shared_of(choice), **one.parameters}.items()
                for value in values
            ],
        )


def shared_of(choice: RankingChoice) -> dict[str, Sequence[str]]:
    """What a link says of the slice, so that it shows what it was written beside."""
    return {
        "dataset": [choice.dataset],
        "ground_truth": [str(choice.key["gt_key"])],
        "bn_mode": [choice.bn_mode],
    }


def slice_of(choice: RankingChoice, metric: str, architecture_set: str) -> Slice:
    """The slice that the bar has, with another metric and set."""
    return Slice(choice.dataset, choice.key["gt_key"], choice.bn_mode, metric, architecture_set)


def limits_of(ceiling: pd.DataFrame, metric: str, architecture_set: str) -> dict[str, dict[str, float]]:
    """By mask what one training reaches in the set, and what an oracle would; nothing of other metrics."""
    known = ceiling[ceiling["architecture_set"] == architecture_set]
    columns = {"one_training": metric, "oracle": f"{metric}_oracle"}
    limits = {}
    for name, column in columns.items():
        values = known[["mask", column]].dropna() if column in known else known[["mask"]].iloc[:0]
        limits[name] = {str(row[0]): float(row[1]) for row in values.itertuples(index=False)}
    return limits


def measure(
    snapshot: Snapshot, choice: RankingChoice, experiments: pd.DataFrame, ceiling: pd.DataFrame
) -> pd.DataFrame:
    """`report.overview.overview` of the chosen metric and set, held against the reference."""
    # What needs no training is there to be held against, and makes no comparison less certain.
    compared = choice.experiments[choice.experiments["kind"] != UNTRAINED]
    pairs = pairs_with(choice.reference, list(compared["experiment_id"]))
    if choice.metric != SHARE:
        return overview(snapshot, slice_of(choice, choice.metric, choice.architecture_set), pairs)
    masks = dict(zip(experiments["experiment_id"], experiments["mask"], strict=True))
    known = overview(snapshot, slice_of(choice, "tau", choice.architecture_set), pairs)
    return as_share(known, limits_of(ceiling, "tau", choice.architecture_set)["oracle"], masks)


def show_dots(
    choice: RankingChoice,
    known: pd.DataFrame,
    ranking: Ranking,
    ceiling: pd.DataFrame,
    selection: LinkedSelection,
) -> None:
    """Every chosen experiment by the chosen metric, with what it is held against."""
    name = METRIC_NAMES[choice.metric]
    measured_set = slice_of(choice, choice.metric, choice.architecture_set).measured_set
    series = dict(zip(ranking.rows["experiment_id"], ranking.rows["series"], strict=True))
    limits = limits_of(ceiling, choice.metric, measured_set) if choice.metric in CORRELATIONS else {}
    held = Held(choice.reference, {**choice.referable, **ranking.labels}, limits)
    rows = dot_rows(known, choice.experiments, series, held, choice.metric)
    title = f"{METRICS[choice.metric].header}, {set_in_words(measured_set)}"
    if rows.empty:
        st.info(f"No experiment that fits the filters has {name} of {as_text(set_in_words(measured_set))}.")
        return
    st.markdown("  \n".join(map(as_text, in_words(choice, rows, selection.picked))))
    drawn = rows.head(MOST_ROWS)
    if len(rows) > MOST_ROWS:
        st.caption(f"The best {MOST_ROWS} of {len(rows)} experiments; the table below has all.")
    looks = looks_of(
        choice.experiments, {key: one for key, one in series.items() if one in set(drawn["series"])}
    )
    dots = Dots(drawn, choice.metric, title, looks)
    chart = f"dots {choice.metric} {choice.architecture_set} {choice.reference}"
    draw = partial(overview_chart, dots, picked=selection.already(chart))
    show_figure(
        draw(),
        name=f"overview-{choice.dataset}",
        alt=overview_description(dots),
        data=rows.drop(columns="series"),
        printed=partial(draw, width=PRINTED_WIDTH),
        **selection.options(chart),
    )
    st.markdown(f":small[{how_to_read(choice, rows)}]")


def in_words(choice: RankingChoice, rows: pd.DataFrame, picked: Sequence[str]) -> list[str]:
    """The best of what was trained, and what is to be said of each that was picked, a line each."""
    measured = rows[rows["kind"] != UNTRAINED]
    name = METRIC_NAMES[choice.metric]
    told = []
    if len(measured) > 1:
        first = measured.iloc[0]
        told.append(f"Best {name} of {len(measured)} here: mask {first['label']}, {first['interval']}.")
    for row in rows[rows["experiment_id"].isin(picked)].to_dict("records"):
        said = f"Mask {row['label']}: {name} {row['interval']}"
        if row["verdict"]:
            said += f"; {row['verdict']}"
        if not math.isnan(row["oracle"]) and row["oracle"] > 0:
            said += (
                f"; {max(0.0, 100 * row['mean'] / row['oracle']):.0f} % of what an oracle reaches "
                f"({signed(row['oracle'])}), one training has {signed(row['one_training'])}"
            )
        if row["is_faded"]:
            said += "; chance gives as much"
        told.append(f"{said}.")
    return told


def how_to_read(choice: RankingChoice, rows: pd.DataFrame) -> str:
    """How to read the chart, of what is in it."""
    told = ["Mean over seeds, with its 95 % interval."]
    if rows["is_certain"].any() or (rows["verdict"] == REFERENCE).any():
        told.append(
            "Filled: certainly different from the reference, a diamond (p < 0.05 after Holm's correction for "
            "all that is shown)."
        )
    if rows["chance_low"].notna().any():
        told.append("Grey band: 95 % of chance, for as many seeds; what it explains is pale.")
    if rows["initial_low"].notna().any():
        told.append("Lighter: 95 % of networks before training.")
    if rows["one_training"].notna().any():
        told.append(
            "Ticks: what one stand-alone training reaches, and, thicker, an oracle that knows every expected "
            "accuracy."
        )
    if (rows["kind"] == UNTRAINED).any():
        told.append("Squares need no training.")
    if choice.metric == "tau_a":
        told.append("τa is best at −1; here it is the mean of the τa of single runs.")
    elif METRICS[choice.metric].is_less_better:
        told.append("Less is better.")
    return " ".join(told)
