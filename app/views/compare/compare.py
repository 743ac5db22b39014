"""Compare: how experiments are configured, by how much they differ, and how they trained."""

from __future__ import annotations

import shlex
from functools import partial

import pandas as pd
import streamlit as st

from nasrank.app import shared_queries
from nasrank.app.serve import warehouse_path
from nasrank.app.snapshot import Snapshot
from nasrank.app.views.compare import queries
from nasrank.app.views.compare.choice import BANDS, EACH_SEED, ComparisonChoice, choose
from nasrank.app.views.compare.comparison import (
    answers,
    configurations,
    differing,
    seed_notes,
    told_differences,
    with_bands,
)
from nasrank.app.widgets.csv_file import csv_file
from nasrank.app.widgets.figure import show_figure
from nasrank.app.widgets.filters import Filters
from nasrank.app.widgets.ground_truth import describe_key
from nasrank.app.widgets.origins import describe_origins
from nasrank.app.widgets.table import Columns, show_table
from nasrank.app.widgets.text import as_text
from nasrank.db.runs.experiment import TRAINED
from nasrank.db.warehouse.models import UNTRAINED, WITHOUT_NETWORK
from nasrank.report import queries as report_queries
from nasrank.report.charts.comparison_charts import curves_chart, forest_chart
from nasrank.report.charts.labels import in_order, listed
from nasrank.report.charts.line_looks import looks_of
from nasrank.report.charts.ranking_chart import Lines, ranking_chart, ranking_description
from nasrank.report.charts.ranking_table import NO_CHANCE, RankingTables, rank
from nasrank.report.metrics import COMPARED, CORRELATIONS

PRINTED_WIDTH = 800
# What `rank` needs where no ceiling is drawn.
NO_CEILING = pd.DataFrame(
    columns=[
        "mask",
        "architecture_set",
        *CORRELATIONS,
        *(f"{name}_oracle" for name in CORRELATIONS),
    ]
)
METHOD = (
    "The means over the seeds of both, at the end of their training. The interval is Student's t with the "
    "deviation of all experiments that vary alike (they differ in mask, LT, variant and split only) and, "
    "where these differ in how much they vary, the wider of that and their own. Holm's correction counts the "
    "comparisons of one metric in one set. None of them knows that architectures are a sample, too: "
    "`nasrank-train intervals` does."
)


def page() -> None:
    """The whole page, from top to bottom."""
    snapshot = Snapshot.take(warehouse_path())
    keys, evaluations = shared_queries.ground_truth_keys(snapshot), shared_queries.evaluations(snapshot)
    experiments = in_order(report_queries.experiments(snapshot))
    if keys.empty or (experiments["kind"] == UNTRAINED).all():
        st.info("There is nothing to compare yet: this warehouse has no ground truth, or no experiments.")
        st.code("nasrank-train import-bench\nnasrank-train study run small", language=None)
        return
    filters = Filters.of_page("compare")
    problems = st.container()
    choice = choose(filters, snapshot, keys, experiments, evaluations)
    filters.show_problems(problems)
    if choice is None:
        st.info("Choose at least two experiments.")
        return
    runs = shared_queries.runs(snapshot)
    origins = describe_origins(runs[runs["experiment_id"].isin(choice.labels)])
    st.markdown(f":small[{origins} {describe_key(choice.key)}]")
    show_configurations(choice)
    evaluated = evaluations[evaluations["bn_mode"].isin((choice.bn_mode, *WITHOUT_NETWORK))]
    show_differences(snapshot, choice, evaluated)
    rankings = queries.rankings(snapshot, choice.ids, choice.key["gt_key"], choice.bn_mode)
    show_rankings(choice, rankings[rankings["is_final"]])
    show_training(snapshot, choice)
    if choice.epoch_set:
        show_over_epochs(choice, rankings)


def show_configurations(choice: ComparisonChoice) -> None:
    """What differs, and everything folded away."""
    st.header("Configuration")
    table = configurations(choice.experiments, choice.labels)
    different = differing(table)
    if different.empty:
        st.markdown("They are configured alike.")
    else:
        st.dataframe(different, alt="The settings in which the experiments differ, a column an experiment")
    with st.expander("Everything"):
        identities = pd.DataFrame([list(choice.labels)], index=["experiment_id"], columns=choice.series)
        whole = pd.concat([identities, table])
        st.dataframe(whole, alt="All settings of the experiments, a column an experiment")
        st.download_button(
            "Download configurations",
            csv_file(whole.reset_index(names="setting")),
            file_name="configurations.csv",
            mime="text/csv",
            on_click="ignore",
        )


def show_differences(snapshot: Snapshot, choice: ComparisonChoice, evaluations: pd.DataFrame) -> None:
    """Of the chosen metric as forest and table; of all of them in the file."""
    heading, button = st.columns([3, 1], vertical_alignment="bottom")
    name = as_text(COMPARED[choice.metric].name)
    heading.header(f"Difference to {as_text(choice.labels[choice.reference])}")
    found = queries.differences(snapshot, choice.ids, choice.reference, choice.key["gt_key"], choice.bn_mode)
    at_the_end = evaluations[evaluations["is_final"]]
    seeds = {
        str(experiment_id): sorted(set(rows["seed"])) if rows["seed"].notna().all() else None
        for experiment_id, rows in at_the_end.groupby("experiment_id")
    }
    for note in seed_notes(found, seeds, choice.labels, choice.reference):
        st.markdown(note)
    if choice.experiments["mask"].nunique() > 1:
        st.markdown(
            "Their masks differ, and so do the architectures of each set: top-10 are the ten best that a "
            "mask leaves."
        )
    told = told_differences(found, choice.labels)
    of_metric = told[told["metric"] == choice.metric]
    if of_metric.empty:
        is_of_masks = choice.experiments["mask"].nunique() > 1
        if not told.empty and is_of_masks and choice.metric in queries.within_a_mask(snapshot):
            st.info(f"{name} is compared under one mask only: other masks have other gaps by themselves.")
        elif not told.empty:
            st.info(f"There is no {name} of a set that both predicted wholly. Other metrics may have one.")
        return
    button.download_button(
        "Download differences",
        csv_file(told.drop(columns="set")),
        file_name="differences.csv",
        mime="text/csv",
        on_click="ignore",
        width="stretch",
        help="Of every metric, in full precision; A_N and gap in percent.",
    )
    st.markdown("\n".join(answers(of_metric, 1 if COMPARED[choice.metric].is_percent else 3)))
    show_planning(choice)
    unit = " (percentage points)" if COMPARED[choice.metric].is_percent else ""
    others = [label for key, label in choice.labels.items() if key != choice.reference]
    draw = partial(forest_chart, of_metric, others, choice.looks, f"difference in {name}{unit}")
    show_figure(
        draw(),
        name="differences",
        alt=f"Differences in {name} to {choice.labels[choice.reference]}, with intervals: {listed(others)}",
        data=of_metric.drop(columns="set"),
        printed=partial(draw, width=PRINTED_WIDTH),
    )
    better = "Less is better: τa is best at −1. " if choice.metric == "tau_a" else ""
    st.markdown(f":small[{better}A hollow mark has no interval. {METHOD}]")
    number = st.column_config.NumberColumn
    digits = "%.2f" if COMPARED[choice.metric].is_percent else "%.3f"
    columns: Columns = {
        "series": st.column_config.TextColumn("Experiment", width="medium"),
        "set": "Of",
        "mean": number("Mean", format=digits),
        "other_mean": number("Reference", format=digits),
        "difference": number("Difference", format=digits.replace("%", "%+")),
        "low": number("95 % from", format=digits.replace("%", "%+")),
        "high": number("to", format=digits.replace("%", "%+")),
        "verdict": st.column_config.TextColumn("Verdict", width="large"),
        "seeds": number("Seeds", format="%d"),
        "other_seeds": number("of reference", format="%d", help="Seeds of the reference"),
        "p_value": number("p", format="%.3f"),
        "p_holm": number("p (Holm)", format="%.3f"),
        "comparisons": number("Compared", format="%d", help="The comparisons that Holm's correction counts"),
    }
    show_table(of_metric, columns, alt=f"Differences in {name}, a row an experiment and set")


def show_planning(choice: ComparisonChoice) -> None:
    """What a person gives in a shell to plan the seeds that would tell each pair apart."""
    networks = choice.experiments.loc[choice.experiments["kind"] == TRAINED, "experiment_id"]
    others = [key for key in networks if key != choice.reference]
    if choice.reference not in set(networks) or not others:
        return
    options = {
        "ground-truth": str(choice.key["gt_key"]),
        "bn-mode": choice.bn_mode,
        "warehouse": str(warehouse_path().absolute()),
    }
    told = " ".join(f"--{name} {shlex.quote(value)}" for name, value in options.items())
    with st.expander("How many seeds would tell them apart, and how long they take"):
        st.code(
            "\n".join(f"nasrank-train power {choice.reference} {other} {told}" for other in others),
            language=None,
            wrap_lines=True,
        )


def show_rankings(choice: ComparisonChoice, rankings: pd.DataFrame) -> None:
    """A_N and τ over N, as on the page Rankings."""
    st.header("Over N")
    metric = choice.metric if choice.metric in CORRELATIONS else "tau"
    tau_a = rankings.drop_duplicates(["experiment_id", "bn_mode"])
    tau_a = tau_a[["experiment_id", "bn_mode", "tau_a", "tau_a_mean", "tau_a_std", "reported_tau_a"]]
    of_points = rankings[rankings["architecture_set"] != "all"]
    tables = RankingTables(of_points, tau_a, NO_CEILING, NO_CHANCE)
    ranking = rank(choice.experiments, tables, choice.bn_mode, metric)
    if ranking.rows.empty:
        st.markdown("None of them has a set that was predicted wholly under this key.")
        return
    names = dict(zip(ranking.points["experiment_id"], ranking.points["series"], strict=True))
    order = [names[key] for key in choice.labels if key in names]
    looks = looks_of(choice.experiments, names)
    draw = partial(ranking_chart, Lines(ranking.points, order, looks), (metric, "a_n"))
    show_figure(
        draw(),
        name="over-n",
        alt=ranking_description(order, COMPARED[metric].name),
        data=ranking.points.drop(
            columns=[
                "series",
                *(f"{c}_{kind}" for c in CORRELATIONS for kind in ("ceiling", "oracle")),
            ]
        ),
        printed=partial(draw, width=PRINTED_WIDTH),
    )


def show_training(snapshot: Snapshot, choice: ComparisonChoice) -> None:
    """Training loss and validation accuracy over epochs."""
    st.header("Training")
    curves = queries.curves(snapshot, choice.ids)
    if curves.empty:
        st.markdown("None of them was trained here: there are no curves.")
        return
    curves["valid_accuracy"] *= 100
    panels = {"train_loss": "Training loss (nats)", "valid_accuracy": "Validation accuracy (%)"}
    panels = {column: title for column, title in panels.items() if curves[column].notna().any()}
    curves["series"] = curves["experiment_id"].map(choice.labels)
    curves["line"] = curves["series"] + " · seed " + curves["seed"].astype(str)
    shown = curves if choice.seeds_as == EACH_SEED else with_bands(curves, list(panels))
    trained = [label for label in choice.series if label in set(curves["series"])]
    draw = partial(curves_chart, shown, panels, trained, choice.looks)
    show_figure(
        draw(),
        name="training",
        alt=f"Training loss and validation accuracy over epochs, {choice.seeds_as}: {listed(trained)}",
        data=shown,
        printed=partial(draw, width=PRINTED_WIDTH),
    )
    notes = []
    if "valid_accuracy" in panels:
        notes.append("Validation accuracy is the mean over a few fixed paths.")
    if choice.seeds_as == BANDS:
        notes.append("Lines are means over seeds, bands go from the lowest to the highest.")
    if notes:
        st.markdown(f":small[{' '.join(notes)}]")


def show_over_epochs(choice: ComparisonChoice, rankings: pd.DataFrame) -> None:
    """The metric of one set over epochs."""
    st.header("Ranking over epochs")
    column = "tau_a" if choice.metric == "tau_a" else f"{choice.metric}_mean"
    known = rankings[rankings["architecture_set"] == choice.epoch_set].dropna(subset=column)
    if known.empty:
        metric = as_text(COMPARED[choice.metric].name)
        st.markdown(f"None of them has {metric} of {as_text(choice.epoch_set)} at any epoch.")
        return
    scale = COMPARED[choice.metric].scale
    label = f"{COMPARED[choice.metric].name}{' (%)' if scale == 100 else ''}"
    spread = rankings[f"{choice.metric}_std"] * scale
    shown = pd.DataFrame(
        {
            "series": known["experiment_id"].map(choice.labels),
            "line": known["experiment_id"].map(choice.labels),
            "epoch": known["epoch"],
            "seeds": known["seeds"],
            choice.metric: known[column] * scale,
            f"{choice.metric}_low": known[column] * scale - spread,
            f"{choice.metric}_high": known[column] * scale + spread,
        }
    )
    series = [name for name in choice.series if name in set(shown["series"])]
    panels = {choice.metric: f"{label}, {choice.epoch_set}"}
    draw = partial(curves_chart, shown, panels, series, choice.looks)
    show_figure(
        draw(),
        name="over-epochs",
        alt=f"{label} of {choice.epoch_set} over epochs: {listed(series)}",
        data=shown,
        printed=partial(draw, width=PRINTED_WIDTH),
    )
    st.markdown(":small[Lines are means over seeds, bands one deviation.]")


page()
