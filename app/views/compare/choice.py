"""What a reader chooses on the page Compare, all of it in the URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from nasrank.app import shared_queries
from nasrank.app.snapshot import Snapshot
from nasrank.app.views.compare.comparison import SETS
from nasrank.app.widgets.bn_mode import choose_bn_mode
from nasrank.app.widgets.filters import Filters
from nasrank.app.widgets.ground_truth import choose_key
from nasrank.app.widgets.text import as_text
from nasrank.db.warehouse.models import UNTRAINED, WITHOUT_NETWORK
from nasrank.report.charts.comparison_charts import METRICS
from nasrank.report.charts.labels import experiment_labels, listed
from nasrank.report.charts.ranking_chart import COLOURS

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
    names = experiment_labels(experiments)
    evaluated = set(evaluations["experiment_id"])
    untrained = set(experiments.loc[experiments["kind"] == UNTRAINED, "experiment_id"])
    first = [key for key in names if key in evaluated] or list(names)
    first.sort(key=untrained.__contains__)
    chosen = filters.choose_named("experiment", "Experiments", names, first[:2])
    if len(chosen) > COLOURS:
        filters.warnings.append(
            f"{COLOURS} experiments are compared at most. Left out: "
            f"{as_text(listed([names[key] for key in chosen[COLOURS:]]))}."
        )
        chosen = chosen[:COLOURS]
    of_chosen = experiments.set_index("experiment_id", drop=False).loc[chosen].reset_index(drop=True)
    labels = experiment_labels(of_chosen) if chosen else {}
    labels = {key: labels[key] for key in chosen}
    reference = ""
    if chosen:
        reference = filters.choose_one_named(
            "reference", "Reference", labels, "All others are compared with this one."
        )
    key = choose_key(filters, keys, list(shared_queries.runs(snapshot)["ground_truth_keys"]))
    own = evaluations[evaluations["experiment_id"].isin(chosen) & ~evaluations["kind"].isin(WITHOUT_NETWORK)]
    bn_mode = choose_bn_mode(filters, own)
    metric = filters.choose_one_named("metric", "Metric", METRICS)
    seeds_as = filters.choose_side_by_side("curves", "Curves show", [BANDS, EACH_SEED])
    epoch_set = ""
    if not own["is_final"].all():
        epoch_set = filters.choose_one("set", "Architectures over epochs", SETS, "random")
    filters.check_names()
    filters.show_link()
    if len(chosen) < 2:
        return None
    return ComparisonChoice(key, bn_mode, of_chosen, labels, reference, metric, seeds_as, epoch_set)
