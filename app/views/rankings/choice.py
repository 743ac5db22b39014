"""What a reader chooses on the page Rankings, all of it in the URL."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from nasrank.app import shared_queries
from nasrank.app.snapshot import Snapshot
from nasrank.app.widgets.filters import Filters
from nasrank.app.widgets.slice_bar import SliceBar
from nasrank.db.runs.experiment import TRAINED
from nasrank.db.warehouse.models import IMPORTED, UNTRAINED, WITHOUT_NETWORK
from nasrank.report import queries as report_queries
from nasrank.report.charts.labels import experiment_labels, given_name, in_order, set_name, size_position
from nasrank.report.charts.line_looks import COLOURS
from nasrank.report.charts.ranking_table import BANDS, POINTS, PREDICTED
from nasrank.report.headlines import baseline
from nasrank.report.metrics import CORRELATIONS, METRICS

METRIC_HELP = (
    "tau-b is Kendall's τ corrected for ties, as in the authors' code; Equation 2 is that of the paper's "
    "text. Equal size: τ among pairs with equally many parameters, what is known beyond counting them; given "
    "size: Kendall's partial τ. τa is that of A_N over N. At 10: of a search that looks at the 10 best "
    "predicted of the random sample. Share: τ by that of an oracle."
)
# By what the address has: what the reader can see.
METRIC_NAMES = {name: metric.short for name, metric in METRICS.items()}
SETS = {name: name for name in (*POINTS, PREDICTED)}
PLAIN_HELP = (
    "None chosen means all. Where there are more experiments than colours for their lines, the page begins "
    "with the masks: baselines without LT."
)
UNTRAINED_HELP = (
    "What an architecture's size alone says, larger for better. A network that ranks no better has learned "
    "nothing that is worth its training."
)
SEEDS = "single seeds"
KINDS = ["trained", IMPORTED]
BAND_HELP = (
    "One sample deviation over the seeds; the 95 % interval of their mean, by Student's t; or each seed."
)


@dataclass(frozen=True, slots=True)
class RankingChoice:
    """What the reader chose to see.

    metric: a key of `METRICS`; `architecture_set`: whose metric is looked at. reference: the `experiment_id`
    that others are held against; empty for none. referable: what it may be, names by
    `experiment_id`.
    """

    dataset: str
    key: pd.Series
    metric: str
    architecture_set: str
    band: str
    bn_mode: str
    experiments: pd.DataFrame
    reference: str
    referable: Mapping[str, str]

    @property
    def correlation(self) -> str:
        """What is drawn over N; τ where something else is looked at."""
        return self.metric if self.metric in CORRELATIONS else "tau"

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
    """The bar, each choice offering what the ones before it leave; at first it hides no picked experiment."""
    bar = SliceBar(filters)
    experiments, runs = contents.experiments, contents.runs
    imported = experiments[experiments["kind"] == IMPORTED]
    trained = experiments[experiments["kind"] == TRAINED]
    untrained = experiments[experiments["kind"] == UNTRAINED]
    dataset = bar.images(experiments)
    known = trained[trained["dataset"] == dataset]
    asked = runs[runs["experiment_id"].isin([*known["experiment_id"], *imported["experiment_id"]])]
    key = bar.key(contents.keys, list(asked["ground_truth_keys"]))
    metric = bar.one("metric", METRIC_NAMES, explanation=METRIC_HELP)
    architecture_set = bar.one("set", SETS, "random")
    band = filters.one("band", [*BANDS, SEEDS], next(iter(BANDS)))
    bar.more(lambda: st.radio("Around the means", [*BANDS, SEEDS], key="band", help=BAND_HELP))
    sizes = sorted(set(known["size"]), key=size_position)
    chosen_sizes = bar.some("size", sizes, sizes[:1]) if sizes else []
    measured = in_order(pd.concat([known, imported]))
    masks = list(dict.fromkeys(measured["mask"].map(set_name)))
    untrained = untrained[untrained["mask"].isin(measured["mask"])]
    chosen = in_order(pd.concat([known[known["size"].isin(chosen_sizes)], imported, untrained]))
    chosen = chosen[chosen["mask"].map(set_name).isin(bar.some("mask", masks))]
    beginning = _plain(known[known["size"].isin(sizes[:1])])
    if not set(picked) <= {*beginning["experiment_id"], *untrained["experiment_id"]}:
        beginning = beginning[:0]
    for column in ("lt", "variant"):
        # `known` is in order, and so is what it offers. What is no network has neither.
        if options := list(dict.fromkeys(known[column].map(set_name))):
            begins_with = list(beginning[column].map(set_name).unique())
            wanted = bar.some(column, options, begins_with, PLAIN_HELP)
            is_chosen = chosen[column].map(set_name).isin(wanted)
            chosen = chosen[is_chosen | chosen["kind"].isin(WITHOUT_NETWORK)]
    if not imported.empty:
        kinds = filters.some("kind", KINDS)
        bar.more(lambda: st.pills("Kind", KINDS, selection_mode="multi", key="kind"))
        offered_names = sorted(set(imported["name"]))
        names = filters.some("imported", offered_names)
        bar.more(
            lambda: st.multiselect("Imported predictions", offered_names, key="imported", placeholder="All")
        )
        is_named = chosen["name"].isin(names) | (chosen["kind"] != IMPORTED)
        chosen = chosen[chosen["kind"].isin([*kinds, UNTRAINED]) & is_named]
    if not untrained.empty:
        offered = {name: given_name(UNTRAINED, name) for name in dict.fromkeys(untrained["name"])}
        offered |= {"all": "all of these", "none": "none"}
        name = filters.one("untrained", list(offered), next(iter(offered)))
        bar.more(
            lambda: st.selectbox(
                "Needs no training",
                list(offered),
                key="untrained",
                format_func=offered.__getitem__,
                help=UNTRAINED_HELP,
            )
        )
        is_shown = (chosen["name"] == name) | (name == "all")
        chosen = chosen[is_shown | (chosen["kind"] != UNTRAINED)]
    evaluations = shared_queries.evaluations(snapshot)
    of_known = evaluations["experiment_id"].isin(known["experiment_id"])
    bn_mode = bar.bn_mode(evaluations[of_known])
    bar.show()
    everything = in_order(pd.concat([known, imported, untrained]))
    referable = experiment_labels(everything)
    reference = ""
    if referable:
        of_slice = chosen[chosen["kind"] == TRAINED]
        usual = baseline(next((rows for rows in (of_slice, known) if not rows.empty), everything))
        reference = filters.one(
            "reference", list(referable), usual, elsewhere=list(experiments["experiment_id"])
        )
    return RankingChoice(dataset, key, metric, architecture_set, band, bn_mode, chosen, reference, referable)


def set_in_words(name: str) -> str:
    """A set as sentences have it: `top-50`, `random sample`, `whatever was predicted`."""
    words = {"random": "random sample", PREDICTED: "whatever was predicted", "all": "all architectures"}
    return words.get(name, name)


def _plain(experiments: pd.DataFrame) -> pd.DataFrame:
    """Of many experiments the masks alone, with which the page begins; nothing of few."""
    plain = experiments[(experiments["lt"] == "") & (experiments["variant"] == "baseline")]
    return plain if len(experiments) > COLOURS and plain["mask"].nunique() > 1 else plain[:0]
