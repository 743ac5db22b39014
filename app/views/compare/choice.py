"""What a reader chooses on the page Compare, all of it in the URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from nasrank.app import shared_queries
from nasrank.app.snapshot import Snapshot
from nasrank.app.views.compare.comparison import SETS
from nasrank.app.widgets.filters import Filters
from nasrank.app.widgets.slice_bar import SliceBar
from nasrank.app.widgets.text import as_text
from nasrank.db.runs.experiment import TRAINED
from nasrank.db.warehouse.models import UNTRAINED, WITHOUT_NETWORK
from nasrank.report import queries as report_queries
from nasrank.report.charts.labels import experiment_labels, listed
from nasrank.report.charts.line_looks import COLOURS, Look, looks_of
from nasrank.report.metrics import COMPARED

BANDS, EACH_SEED = "mean and range", "each seed"


@dataclass(frozen=True, slots=True)
class ComparisonChoice:
    """What the reader chose to see. `labels` and `experiments` are in the order of the choosing.

    epoch_set: whose metric is shown over epochs; empty where none was evaluated during its training.
    """

    key: pd.Series
    bn_mode: str
    experiments: pd.DataFrame
    labels: Mapping[str, str]
    reference: str
    metric: str
    seeds_as: str
    epoch_set: str

    @property
    def ids(self) -> tuple[str, ...]:
        """The experiment_ids."""
        return tuple(self.labels)

    @property
    def looks(self) -> dict[str, Look]:
        """How each is drawn, by its label."""
        return looks_of(self.experiments, self.labels)

    @property
    def series(self) -> list[str]:
        """The labels."""
        return list(self.labels.values())


def choose(
    filters: Filters,
    snapshot: Snapshot,
    keys: pd.DataFrame,
    experiments: pd.DataFrame,
    evaluations: pd.DataFrame,
) -> ComparisonChoice | None:
    """The filters; None where fewer than two experiments are chosen."""
    bar = SliceBar(filters)
    known_ids = list(experiments["experiment_id"])
    narrowed = bar.narrow(experiments)
    offered_ids = {*narrowed["experiment_id"], *filters.asked("experiment", "reference")}
    experiments = experiments[experiments["experiment_id"].isin(offered_ids)]
    names = experiment_labels(experiments)
    key = bar.key(keys, list(shared_queries.runs(snapshot)["ground_truth_keys"]))
    offered = experiments[experiments["experiment_id"].isin(evaluations["experiment_id"])]
    chosen = filters.named(
        "experiment", names, _first(snapshot, offered, str(key["gt_key"])) or list(names)[:2]
    )
    # What others are held against may be any of them, as on the other pages, and is then shown too.
    reference = filters.one("reference", list(names), chosen[0], elsewhere=known_ids) if chosen else ""
    if reference and reference not in chosen:
        chosen = [reference, *chosen]
    if len(chosen) > COLOURS:
        filters.warnings.append(
            f"{COLOURS} experiments are compared at most. Left out: "
            f"{as_text(listed([names[key] for key in chosen[COLOURS:]]))}."
        )
        chosen = chosen[:COLOURS]
    of_chosen = experiments.set_index("experiment_id", drop=False).loc[chosen].reset_index(drop=True)
    labels = experiment_labels(of_chosen) if chosen else {}
    labels = {key: labels[key] for key in chosen}
    own = evaluations[evaluations["experiment_id"].isin(chosen) & ~evaluations["kind"].isin(WITHOUT_NETWORK)]
    bn_mode = bar.bn_mode(own)
    metric = bar.one("metric", {name: metric.name for name, metric in COMPARED.items()})
    seeds_as = filters.one("curves", [BANDS, EACH_SEED], BANDS)
    bar.more(lambda: st.radio("Curves show", [BANDS, EACH_SEED], key="curves"))
    epoch_set = (
        "" if own["is_final"].all() else bar.one("set", SETS, "random", "Whose metric is shown over epochs.")
    )
    bar.show()
    left, right = st.columns([3, 1])
    left.multiselect(
        "Experiments", list(names), key="experiment", format_func=names.__getitem__, placeholder="None"
    )
    if labels:
        right.selectbox(
            "Reference",
            list(names),
            key="reference",
            format_func=names.__getitem__,
            help="All others are compared with this one, here and on Rankings.",
        )
    filters.finish()
    if len(chosen) < 2:
        return None
    return ComparisonChoice(key, bn_mode, of_chosen, labels, reference, metric, seeds_as, epoch_set)


def _first(snapshot: Snapshot, offered: pd.DataFrame, gt_key: str) -> list[str]:
    """What the page begins with: the baseline, and the other experiment that ranks the random sample best.

    `offered` are evaluated experiments in order. Where nothing was trained, the first two.
    """
    trained = offered[offered["kind"] == TRAINED]
    if len(trained) < 2:
        return list(
            offered.sort_values("kind", key=lambda kind: kind == UNTRAINED, kind="stable")["experiment_id"][
                :2
            ]
        )
    is_plain = (trained["lt"] == "") & (trained["variant"] == "baseline")
    baseline = str((trained[is_plain] if is_plain.any() else trained)["experiment_id"].iloc[0])
    [dataset] = trained["dataset"].unique()[:1]
    ranking = report_queries.rankings(snapshot, str(dataset), gt_key).ranking
    is_other = ranking["experiment_id"].isin(trained["experiment_id"]) & (
        ranking["experiment_id"] != baseline
    )
    known = ranking[is_other & (ranking["architecture_set"] == "random")].dropna(subset=["tau_mean"])
    if known.empty:
        return [baseline, next(one for one in trained["experiment_id"] if one != baseline)]
    return [baseline, str(known.sort_values("tau_mean", ascending=False)["experiment_id"].iloc[0])]
