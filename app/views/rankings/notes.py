"""What a reader must know before believing the numbers of the Rankings page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from nasrank.app.widgets.text import as_code, as_text
from nasrank.db.warehouse.models import IMPORTED
from nasrank.report.charts.labels import counted, listed
from nasrank.report.charts.ranking_table import Ranking


@dataclass(frozen=True, slots=True)
class Note:
    """Markdown of a sentence or two; a warning where numbers are missing or easily misread."""

    markdown: str
    is_warning: bool = False


def notes(key: pd.Series, ranking: Ranking, runs: pd.DataFrame, incomplete: pd.DataFrame) -> Iterator[Note]:
    """What holds of the shown experiments, the gravest first.

    `runs` as `shared_queries.runs` has them, `incomplete` as `report.queries.RankingAnswers`.
    """
    incomplete = incomplete[incomplete["experiment_id"].isin(ranking.labels)]
    unusable = set(runs.loc[runs["non_finite"] > 0, "run_id"])
    imported = set(runs.loc[runs["kind"] == IMPORTED, "run_id"])
    is_imported = incomplete["run_id"].isin(imported - unusable)
    evaluated = ~incomplete["run_id"].isin(unusable | imported)
    if not incomplete[evaluated].empty:
        command = f"nasrank-train run … --ground-truth {key['gt_key']}"
        yield Note(
            f"Not wholly predicted under {as_code(key['gt_key'])}, and left out: "
            f"{_sets(incomplete[evaluated], ranking)}. To evaluate only what is missing, give the run's own "
            f"options again with this key: {as_code(command)}",
            is_warning=True,
        )
    if is_imported.any():
        yield Note(
            f"Not wholly in the imported files, and left out: {_sets(incomplete[is_imported], ranking)}. "
            "What these files do have is the set “predicted”, in the cells and the table.",
            is_warning=True,
        )
    if incomplete["run_id"].isin(unusable).any():
        yield Note(
            "Predictions that are not finite numbers, so these sets are left out: "
            f"{_sets(incomplete[incomplete['run_id'].isin(unusable)], ranking)}.",
            is_warning=True,
        )
    failed = runs[runs["status"] == "failed"]
    if not failed.empty:
        yield Note(
            f"Failed, and in no number here: {listed([as_code(run_id) for run_id in failed['run_id']])}.",
            is_warning=True,
        )
    if key["split"] == "train":
        yield Note(
            "This key is **train** accuracy, as in the authors' code: it tells how well a network fits its "
            "training images, and the best ones differ by hundredths of a percent. A valid or test key "
            "tells how well they generalize.",
            is_warning=True,
        )
    rows = ranking.rows[ranking.rows["seeds"].notna()]  # the others need no training
    too_few = rows["tau_a"].isna() & ~rows["experiment_id"].isin(incomplete["experiment_id"])
    if too_few.any():
        yield Note(
            "The mask leaves fewer than 500 architectures, so not all eight points of τa exist: "
            f"{as_text(listed(list(rows.loc[too_few, 'experiment'])))}."
        )
    scores = [ranking.labels[i] for i in runs.loc[runs["predicts"] == "score", "experiment_id"].unique()]
    if scores:
        yield Note(
            f"Scores, not accuracies, and so without A_N: {as_text(listed(scores))}. Their τa is that of "
            "mean scores, which another scale of the same score may change; τ it does not."
        )
    single = rows.loc[rows["seeds"] == 1, "experiment"]
    if not single.empty:
        yield Note(f"One seed, and so without a band: {as_text(listed(list(single)))}.")


def _sets(incomplete: pd.DataFrame, ranking: Ranking) -> str:
    """Runs by the sets that they lack: `top-10, top-25 of **Zero** (seeds 0, 1), **none** (seed 0)`."""
    runs = incomplete.groupby(["experiment_id", "seed"], sort=False)["architecture_set"].agg(listed)
    told = []
    for sets, alike in runs.reset_index().groupby("architecture_set", sort=False):
        names = [
            f"**{as_text(ranking.labels[str(experiment_id)])}** ({as_text(counted('seed', list(seeds)))})"
            for experiment_id, seeds in alike.groupby("experiment_id", sort=False)["seed"]
        ]
        told.append(f"{as_text(sets)} of {listed(names)}")
    return "; ".join(told)
