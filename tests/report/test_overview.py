"""Every experiment by one number: against the views, another way of comparing, and scipy."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

from nasrank.app.snapshot import Snapshot
from nasrank.app.views.compare.queries import differences
from nasrank.db.warehouse.file import Warehouse
from nasrank.report import queries
from nasrank.report.charts.labels import experiment_labels
from nasrank.report.charts.line_looks import looks_of
from nasrank.report.charts.overview_chart import (
    REFERENCE,
    Dots,
    Held,
    dot_rows,
    overview_chart,
    overview_description,
)
from nasrank.report.effects import holm
from nasrank.report.headlines import baseline
from nasrank.report.metrics import COMPARED, METRICS, SEARCHES
from nasrank.report.overview import Slice, as_share, overview, pairs_with, pairs_with_parameters
from tests.study_data import KEY


def slice_of(metric: str, architecture_set: str = "random") -> Slice:
    return Slice("cifar10", KEY, "running", metric, architecture_set)


def measured(warehouse: Warehouse, of: Slice) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """The overview of all networks, the experiments, and the reference."""
    snapshot = Snapshot.take(warehouse.path)
    experiments = queries.experiments(snapshot)
    networks = experiments[experiments["kind"] == "trained"]
    reference = baseline(networks)
    pairs = [
        *pairs_with(reference, list(networks["experiment_id"])),
        *pairs_with_parameters(experiments),
    ]
    return overview(snapshot, of, pairs), experiments, reference


@pytest.mark.parametrize("architecture_set", ["random", "top-50"])
def test_means_are_those_of_the_seeds_and_intervals_the_wider(
    shipped: Warehouse, architecture_set: str
) -> None:
    """By the rule of docs/method.md: of a mean of τ the wider of the pooled deviation's and its own."""
    known, _, _ = measured(shipped, slice_of("tau", architecture_set))
    values = shipped.query(
        """SELECT experiment_id, variance_group, tau
        FROM run_ranking LEFT JOIN variance_group USING (experiment_id)
        WHERE gt_key = ? AND bn_mode IN ('running', 'untrained') AND is_final AND is_whole AND tau IS NOT NULL
            AND architecture_set = ? AND (dataset = 'cifar10' OR dataset IS NULL)""",
        [KEY, architecture_set],
    )
    assert set(known["experiment_id"]) == set(values["experiment_id"])
    of_experiment = values.groupby("experiment_id")["tau"]
    squares = of_experiment.transform(lambda taus: (taus - taus.mean()) ** 2)
    groups = values.assign(squares=squares).groupby("variance_group")
    degrees = groups.size() - groups["experiment_id"].nunique()
    pooled = groups["squares"].sum() / degrees
    group = values.drop_duplicates("experiment_id").set_index("experiment_id")["variance_group"]
    for row in known.itertuples():
        taus = of_experiment.get_group(row.experiment_id)
        assert row.seeds == len(taus)
        assert row.mean == pytest.approx(taus.mean())
        own = group[row.experiment_id]
        if pd.isna(own):
            assert math.isnan(row.half_interval), "nothing in it is random"
            continue
        halves = [
            t.ppf(0.975, degrees[own]) * math.sqrt(pooled[own] / len(taus)),
            t.ppf(0.975, len(taus) - 1) * taus.std() / math.sqrt(len(taus)),
        ]
        assert row.half_interval == pytest.approx(max(halves), rel=1e-4)


@pytest.mark.parametrize("metric", ["tau", "tau_a", "a_n", "gap_std", "tau_same_size"])
def test_differences_are_those_of_the_page_compare(shipped: Warehouse, metric: str) -> None:
    known, experiments, reference = measured(shipped, slice_of(metric))
    networks = experiments.loc[experiments["kind"] == "trained", "experiment_id"]
    snapshot = Snapshot.take(shipped.path)
    compared = differences(snapshot, tuple(networks), reference, KEY, "running")
    compared = compared[(compared["metric"] == metric) & (compared["architecture_set"] == "random")]
    compared = compared.set_index("experiment_id")
    told = known.dropna(subset="difference").set_index("experiment_id")
    assert set(told.index) == set(compared.index)
    for column in ("difference", "difference_interval", "p_holm", "seeds_to_tell"):
        expected = compared.loc[told.index, column].astype(float)
        assert told[column].astype(float).to_numpy() == pytest.approx(expected.to_numpy(), nan_ok=True)
    p_values = compared.loc[told.index, "p_value"]
    assert told["p_holm"].to_numpy() == pytest.approx(holm(list(p_values)), nan_ok=True)


def test_parameters_are_those_of_the_same_mask(shipped: Warehouse) -> None:
    known, experiments, _ = measured(shipped, slice_of("tau"))
    means = known.set_index("experiment_id")
    counts = experiments[(experiments["kind"] == "untrained") & (experiments["name"] == "params")]
    of_mask = counts.set_index("mask")["experiment_id"]
    networks = experiments[experiments["kind"] == "trained"].set_index("experiment_id")
    told = means.dropna(subset="parameters_difference")
    assert set(told.index) == set(networks.index)
    for experiment_id, row in told.iterrows():
        other = means.loc[of_mask[networks.loc[experiment_id, "mask"]], "mean"]
        assert row["parameters_difference"] == pytest.approx(row["mean"] - other)
        assert row["parameters_interval"] <= row["half_interval"] + 1e-12, "the number itself is exact"


@pytest.mark.parametrize("metric", SEARCHES)
@pytest.mark.parametrize("architecture_set", ["random", "top-50"])
def test_searches_are_of_the_ten_best_predicted(
    shipped: Warehouse, metric: str, architecture_set: str
) -> None:
    known, _, _ = measured(shipped, slice_of(metric, architecture_set))
    column = f"{SEARCHES[metric]}_mean"
    expected = shipped.query(
        """SELECT * FROM experiment_search
        WHERE gt_key = ? AND bn_mode IN ('running', 'untrained') AND pool = 'random' AND top_k = 'top-10'
            AND is_final""",
        [KEY],
    ).set_index("experiment_id")
    assert len(known) > 50
    for row in known.itertuples():
        assert row.mean == pytest.approx(expected.loc[row.experiment_id, column])
        assert row.seeds == expected.loc[row.experiment_id, "seeds"]


@pytest.mark.parametrize("metric", COMPARED)
def test_chance_is_that_of_the_views(shipped: Warehouse, metric: str) -> None:
    known, _, _ = measured(shipped, slice_of(metric))
    name = "tau_a_mean" if metric == "tau_a" else metric
    expected = shipped.query(
        """SELECT * FROM experiment_beside_chance
        WHERE gt_key = ? AND metric = ? AND architecture_set = 'random'
            AND bn_mode IN ('running', 'untrained')""",
        [KEY, name],
    ).set_index("experiment_id")
    for row in known.itertuples():
        if row.experiment_id in expected.index:
            view = expected.loc[row.experiment_id]
            assert row.mean == pytest.approx(view["value"])
            assert row.permutations_high == pytest.approx(view["permutations_high"], nan_ok=True)
            assert row.leaves == view["leaves"] or pd.isna(view["leaves"])


def test_a_share_is_by_the_oracle_of_the_mask() -> None:
    numbers = [
        "mean",
        "half_interval",
        "permutations_low",
        "permutations_high",
        "initial_low",
        "initial_high",
    ]
    known = pd.DataFrame({"experiment_id": ["a", "b", "c"], **{name: [0.4, 0.4, 0.4] for name in numbers}})
    known[["difference", "difference_interval", "p_holm", "parameters_difference"]] = 0.01
    known[["parameters_interval", "parameters_p_holm"]] = 0.01
    share = as_share(known, {"": 0.8, "Zero": 0.5}, {"a": "", "b": "Zero", "c": "Pool"})
    assert list(share["experiment_id"]) == ["a", "b"], "nothing is known of another mask"
    for name in numbers:
        assert share[name].tolist() == pytest.approx([0.5, 0.8])
    assert share[["difference", "p_holm", "parameters_p_holm"]].isna().all(axis=None)


@pytest.mark.parametrize("metric", ["tau", "tau_a", "regret_at_10", "a_n"])
def test_dots_are_in_order_in_their_unit_and_say_what_differs(shipped: Warehouse, metric: str) -> None:
    known, experiments, reference = measured(shipped, slice_of(metric))
    labels = experiment_labels(experiments)
    limits = {"one_training": {"": 0.9}, "oracle": {"": 0.95}}
    rows = dot_rows(known, experiments, labels, Held(reference, labels, limits), metric)
    told = METRICS[metric]
    assert (
        rows["mean"].is_monotonic_increasing if told.is_less_better else rows["mean"].is_monotonic_decreasing
    )
    means = known.set_index("experiment_id")
    scale = 100 if told.is_percent else 1
    for row in rows.itertuples():
        own = means.loc[row.experiment_id]
        assert row.mean == pytest.approx(scale * own["mean"])
        assert row.high - row.low == pytest.approx(2 * scale * own["half_interval"], nan_ok=True)
        assert row.is_certain == (own["p_holm"] < 0.05)
        assert (row.verdict == REFERENCE) == (row.experiment_id == reference)
        assert ("differs from" in row.verdict) == row.is_certain
        assert row.oracle == pytest.approx(scale * 0.95 if row.mask == "" else np.nan, nan_ok=True)
    looks = looks_of(experiments, labels)
    dots = Dots(rows, metric, "title", looks)
    spec = overview_chart(dots, width=700).to_dict()
    drawn = [spec["datasets"][layer["data"]["name"]] for layer in spec["layer"]]
    kinds = [{row["kind"] for row in one} for one in drawn]
    # Scores have no accuracy to tell.
    assert ({"untrained"} in kinds) == (metric != "a_n")
    assert sum(kind == {"trained"} for kind in kinds) >= 3, "intervals, dots and the reference"
    assert overview_description(dots).startswith(f"{told.name} of {len(rows)} experiments")
