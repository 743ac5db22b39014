"""What a reader chooses on the page Rankings, all of it in the URL."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import pandas as pd

from nasrank.app import shared_queries
from nasrank.app.snapshot import Snapshot
from nasrank.app.widgets.bn_mode import choose_bn_mode
from nasrank.app.widgets.filters import Filters
from nasrank.app.widgets.ground_truth import choose_key
from nasrank.db.runs.experiment import TRAINED
from nasrank.db.warehouse.models import IMPORTED, UNTRAINED, WITHOUT_NETWORK
from nasrank.report import queries as report_queries
from nasrank.report.charts.labels import given_name, in_order, set_name, size_position
from nasrank.report.charts.ranking_chart import COLOURS
from nasrank.report.charts.ranking_table import BANDS, METRICS

# The study's own images before all others.
DATASETS = ("cifar10", "digits")
METRIC_HELP = (
    "Of predictions with ground truth. tau-b is Kendall's τ corrected for ties, as in the authors' code; "
    "Equation 2 is that of the paper's text. τa is always by Equation 2. Equal size: τ among pairs with "
    "equally many parameters, what is known beyond counting them; given size: Kendall's partial τ."
)
PLAIN_HELP = (
    "None chosen means all. Where there are more experiments than colours for their lines, the page begins "
    "with the masks: baselines without LT."
)
UNTRAINED_HELP = (
    "What an architecture's size alone says, larger for better. A network that ranks no better has learned "
    "nothing that is worth its training."
)
SEEDS = "single seeds"
BAND_HELP = (
    "One sample deviation over the seeds; the 95 % interval of their mean, by Student's t; or each seed."
)


@dataclass(frozen=True, slots=True)
class RankingChoice:
    """What the reader chose to see. `others` are the experiments of the same images and sizes."""

    dataset: str
    key: pd.Series
    metric: str
    band: str
    bn_mode: str
    experiments: pd.DataFrame
    others: pd.DataFrame

    @property
    def untrained(self) -> pd.Series:
        """The `experiment_id`s of the chosen predictors that need no training."""
        return self.experiments.loc[self.experiments["kind"] == UNTRAINED, "experiment_id"]


@dataclass(frozen=True, slots=True)
class Contents:
    """What the warehouse has to choose from; the experiments are in the order of all pages."""

    keys: pd.DataFrame
    experiments: pd.DataFrame
    runs: pd.DataFrame

    @classmethod
    def read(cls, snapshot: Snapshot) -> Contents:
        """All keys, experiments and runs."""
        return cls(
            shared_queries.ground_truth_keys(snapshot),
            in_order(report_queries.experiments(snapshot)),
            shared_queries.runs(snapshot),
        )


def choose(
    filters: Filters, snapshot: Snapshot, contents: Contents, picked: Collection[str]
) -> RankingChoice:
    """The filters, each offering what the ones before it leave; at first they hide no picked experiment."""
    experiments, runs = contents.experiments, contents.runs
    imported = experiments[experiments["kind"] == IMPORTED]
    trained = experiments[experiments["kind"] == TRAINED]
    untrained = experiments[experiments["kind"] == UNTRAINED]
    datasets = [name for name in DATASETS if name in set(trained["dataset"])]
    datasets += sorted(set(trained["dataset"]) - set(datasets))
    dataset = filters.choose_one("dataset", "Images trained on", datasets, datasets[0]) if datasets else ""
    known = trained[trained["dataset"] == dataset]
    asked = runs[runs["experiment_id"].isin([*known["experiment_id"], *imported["experiment_id"]])]
    key = choose_key(filters, contents.keys, list(asked["ground_truth_keys"]))
    metric = filters.choose_side_by_side("metric", "Correlation", list(METRICS), explanation=METRIC_HELP)
    band = filters.choose_side_by_side("band", "Around the means", [*BANDS, SEEDS], explanation=BAND_HELP)
    sizes = sorted(set(known["size"]), key=size_position)
    chosen_sizes = filters.choose_some("size", "Size", sizes, sizes[:1]) if sizes else []
    measured = in_order(pd.concat([known, imported]))
    masks = list(dict.fromkeys(measured["mask"].map(set_name)))
    untrained = untrained[untrained["mask"].isin(measured["mask"])]
    others = in_order(pd.concat([known[known["size"].isin(chosen_sizes)], imported]))
    chosen = in_order(pd.concat([others, untrained]))
    chosen = chosen[chosen["mask"].map(set_name).isin(filters.choose_some("mask", "Mask", masks))]
    beginning = _plain(known[known["size"].isin(sizes[:1])])
    if not beginning.empty and not set(picked) <= {*beginning["experiment_id"], *untrained["experiment_id"]}:
        filters.begin_with_all(["lt", "variant"])
    for column, label in (("lt", "Linear transformers (LT)"), ("variant", "Variant")):
        # `known` is in order, and so is what it offers. What is no network has neither.
        if options := list(dict.fromkeys(known[column].map(set_name))):
            begins_with = list(beginning[column].map(set_name).unique())
            wanted = filters.choose_some(column, label, options, begins_with, PLAIN_HELP)
            is_chosen = chosen[column].map(set_name).isin(wanted)
            chosen = chosen[is_chosen | chosen["kind"].isin(WITHOUT_NETWORK)]
    if not imported.empty:
        kinds = filters.choose_some("kind", "Kind", ["trained", IMPORTED])
        names = filters.choose_some("imported", "Imported predictions", sorted(set(imported["name"])))
        is_named = chosen["name"].isin(names) | (chosen["kind"] != IMPORTED)
        chosen = chosen[chosen["kind"].isin([*kinds, UNTRAINED]) & is_named]
    if not untrained.empty:
        offered = {name: given_name(UNTRAINED, name) for name in dict.fromkeys(untrained["name"])}
        offered |= {"all": "all of these", "none": "none"}
        name = filters.choose_one_named("untrained", "Needs no training", offered, UNTRAINED_HELP)
        is_shown = (chosen["name"] == name) | (name == "all")
        chosen = chosen[is_shown | (chosen["kind"] != UNTRAINED)]
    evaluations = shared_queries.evaluations(snapshot)
    of_known = evaluations["experiment_id"].isin(known["experiment_id"])
    bn_mode = choose_bn_mode(filters, evaluations[of_known])
    return RankingChoice(dataset, key, metric, band, bn_mode, chosen, others)


def _plain(experiments: pd.DataFrame) -> pd.DataFrame:
    """Of many experiments the masks alone, with which the page begins; nothing of few."""
    plain = experiments[(experiments["lt"] == "") & (experiments["variant"] == "baseline")]
    return plain if len(experiments) > COLOURS and plain["mask"].nunique() > 1 else plain[:0]
