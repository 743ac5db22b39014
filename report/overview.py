"""All experiments of a slice in one metric: how large it is, what chance gives, and from what it differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from nasrank.db.warehouse.models import UNTRAINED
from nasrank.db.warehouse.reading import Parameter, Reader
from nasrank.report.metrics import SEARCHES
from nasrank.report.queries import RANKED_SETS

# Metrics with one value a run, which stands with the random sample.
OF_RUNS: Final = ("tau_a", "gap", "gap_std", "gap_share", "auc")
_OF_RANKINGS: Final = """
WITH ranking AS (
    SELECT * FROM run_ranking_from('measured')
),
valued AS (
    -- They are matched by epoch, and the end is the same for all, however long each was trained.
    SELECT * REPLACE (0 AS epoch)
    FROM metric_values('ranking')
    WHERE metric = $metric AND architecture_set = $architecture_set
        AND (bn_mode = $bn_mode OR is_without_network(bn_mode))
),
asked AS (
    SELECT unnest($one) AS experiment_id, unnest($other) AS other_id, unnest($family) AS family
)
SELECT * FROM means_against('valued', '', 'asked') ORDER BY experiment_id
"""
_OF_SEARCHES: Final = """
WITH found AS (
    SELECT *
    FROM run_search
    WHERE gt_key = $gt_key AND is_final AND pool = $architecture_set AND top_k = 'top-10'
        AND (bn_mode = $bn_mode OR is_without_network(bn_mode))
        AND (dataset = $dataset OR dataset IS NULL)
),
valued AS (
    SELECT * EXCLUDE (top_k) REPLACE (0 AS epoch) FROM search_values('found') WHERE metric = $metric
),
asked AS (
    SELECT unnest($one) AS experiment_id, unnest($other) AS other_id, unnest($family) AS family
)
SELECT * FROM means_against('valued', 'top-10', 'asked') ORDER BY experiment_id
"""


@dataclass(frozen=True, slots=True)
class Slice:
    """Of what the numbers are: images trained on, ground truth, BN mode, metric and set.

    metric: a key of `COMPARED`, or of `SEARCHES`, of which the set is the pool.
    """

    dataset: str
    gt_key: str
    bn_mode: str
    metric: str = "tau"
    architecture_set: str = "random"

    @property
    def measured_set(self) -> str:
        """The set that the metric is of."""
        return measured_set(self.metric, self.architecture_set)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two experiments to compare; pairs of one family are corrected together."""

    experiment_id: str
    other_id: str
    family: str


def measured_set(metric: str, architecture_set: str) -> str:
    """The set that a metric is of where this one is asked for: not every metric is of every set."""
    if metric in OF_RUNS:
        return "random"
    if metric in SEARCHES:
        return "all" if architecture_set == "all" else "random"
    return architecture_set


def pairs_with(reference: str, experiment_ids: Sequence[str]) -> list[Pair]:
    """Each with the reference; without one, none."""
    return [Pair(one, reference, "reference") for one in experiment_ids if reference and one != reference]


def pairs_with_parameters(experiments: pd.DataFrame) -> list[Pair]:
    """Each network and each imported prediction with the number of parameters, under its own mask.

    `experiments` has the columns of `queries.experiments`.
    """
    counts = experiments[(experiments["kind"] == UNTRAINED) & (experiments["name"] == "params")]
    of_mask = dict(zip(counts["mask"], counts["experiment_id"], strict=True))
    others = experiments[experiments["kind"] != UNTRAINED]
    return [
        Pair(str(one), of_mask[mask], "parameters")
        for one, mask in zip(others["experiment_id"], others["mask"], strict=True)
        if mask in of_mask
    ]


def overview(warehouse: Reader, of: Slice, pairs: Sequence[Pair]) -> pd.DataFrame:
    """Of all experiments on the slice's images, and of all that are no networks of ours.

    A row an experiment: experiment_id, seeds, mean over them, half_interval of its 95 % interval (by
    `with_interval`; missing where nothing varies, and for one seed), and as in the view
    experiment_beside_chance permutations_low, permutations_high, initial_low, initial_high, leaves and
    is_within_chance. Of its pair with the reference difference, difference_interval, p_holm and
    seeds_to_tell, of that with the parameters parameters_difference, parameters_interval and
    parameters_p_holm. The deviation is that of all that vary alike, also of what is not
    compared.
    """
    values: dict[str, Parameter] = {
        "gt_key": of.gt_key,
        "bn_mode": of.bn_mode,
        "metric": SEARCHES.get(of.metric, of.metric),
        "architecture_set": of.measured_set,
        "dataset": of.dataset,
        "one": tuple(pair.experiment_id for pair in pairs),
        "other": tuple(pair.other_id for pair in pairs),
        "family": tuple(pair.family for pair in pairs),
    }
    if of.metric in SEARCHES:
        return warehouse.query(_OF_SEARCHES, **values)
    [rows] = warehouse.measured(
        "SELECT * FROM final_evaluations($dataset, $gt_key)", _OF_RANKINGS, sets=RANKED_SETS, **values
    )
    return rows


def as_share(known: pd.DataFrame, oracle: Mapping[str, float], masks: Mapping[str, str]) -> pd.DataFrame:
    """The τ of `overview` by that of an oracle, which differs from mask to mask; no differences are told.

    Args:
        oracle: τ by mask. masks: by `experiment_id`.
    """
    most = known["experiment_id"].map(masks).map(oracle).astype(float)
    told = known.copy()
    for column in (
        "mean",
        "half_interval",
        "permutations_low",
        "permutations_high",
        "initial_low",
        "initial_high",
    ):
        told[column] = told[column].astype(float) / most
    lost = ["difference", "difference_interval", "p_holm", "parameters_difference", "parameters_interval"]
    told[[*lost, "parameters_p_holm"]] = float("nan")
    return told[most.notna()].reset_index(drop=True)
