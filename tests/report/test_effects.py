"""Effects of mask, LT, variant and size: by least squares over the runs, and by hand."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t
from typer.testing import CliRunner

from nasrank.db.ingest.folders import ingest
from nasrank.db.warehouse.file import Warehouse
from nasrank.report.effects import METRICS, effects, holm
from nasrank.trainer.cli.main import app
from tests.conftest import RunWriter
from tests.samples import random_predictions
from tests.study_data import KEY

MASK = "Zero+Pool"
WARMUP = {"variant": "warmup", "warmup_epochs": 5}


def of(warehouse: Warehouse) -> pd.DataFrame:
    with warehouse.reading() as reading:
        return effects(reading, KEY, "running")


def one(rows: pd.DataFrame, metric: str, factor: str, level: str) -> pd.Series[Any]:
    found = rows[(rows["metric"] == metric) & (rows["factor"] == factor) & (rows["level"] == level)]
    assert len(found) == 1
    return found.iloc[0]


def test_effects_are_those_of_least_squares_over_all_runs(studied: Warehouse) -> None:
    """Over the runs of all sizes, with the deviation of each size: those of one setting, 20 epochs."""
    rows = of(studied)
    runs = studied.query(
        """SELECT run_ranking.*, experiment.* EXCLUDE (experiment_id), variance_group
        FROM run_ranking
        JOIN experiment USING (experiment_id)
        JOIN variance_group USING (experiment_id)
        WHERE gt_key = ? AND architecture_set = 'random' AND epochs = 20 AND experiment.kind = 'trained'""",
        [KEY],
    )
    # Of a single seed nobody knows how much it varies.
    several = runs.groupby("variance_group")["seed"].transform("nunique") > 1
    assert set(runs.loc[~several, "size"]) == {"depth-3"}
    runs = runs[several].reset_index(drop=True)
    sizes = runs.groupby("size")["experiment_id"].count()
    reference = {"mask": "", "lt": "", "variant": "baseline", "size": sizes.idxmax()}
    terms = [
        (factor, level) for factor, base in reference.items() for level in sorted(set(runs[factor]) - {base})
    ]
    design = np.column_stack(
        [np.ones(len(runs)), *((runs[factor] == level).to_numpy(float) for factor, level in terms)]
    )
    solved = np.linalg.pinv(design)
    for metric in ("tau", "a_n"):
        of_metric = rows[(rows["metric"] == metric) & (rows["epochs"] == 20)]
        assert len(of_metric) == len(terms)
        within = runs[metric] - runs.groupby("experiment_id")[metric].transform("mean")
        for place, (factor, level) in enumerate(terms, start=1):
            row = one(of_metric, metric, factor, level)
            weights = solved[place]
            assert row["estimate"] == pytest.approx(weights @ runs[metric], abs=1e-12)
            variances, degrees = [], []
            for _, group in runs.groupby("variance_group"):
                own = within[group.index]
                rest = len(group) - group["experiment_id"].nunique()
                variances.append((weights[group.index] ** 2).sum() * (own**2).sum() / rest)
                degrees.append(rest)
            joint = sum(variances) ** 2 / sum(v**2 / d for v, d in zip(variances, degrees, strict=True))
            half = t.ppf(0.975, joint) * math.sqrt(sum(variances))
            assert row["half_interval"] == pytest.approx(half)
            assert row["deviation"] == "pooled"
            assert row["p_value"] == pytest.approx(
                2 * t.sf(abs(row["estimate"]) / math.sqrt(sum(variances)), joint), abs=1e-12
            )


@pytest.fixture
def two_by_two(warehouse: Warehouse, write_run: RunWriter) -> Warehouse:
    """With and without LT, with and without warm-up, three seeds each."""
    changes: list[dict[str, Any]] = [{}, {"lt": "Skip"}, WARMUP, {"lt": "Skip", **WARMUP}]
    folders = [
        write_run(random_predictions(MASK, 10 * place + seed), mask=MASK, seed=seed, **change)
        for place, change in enumerate(changes)
        for seed in range(3)
    ]
    assert not ingest(warehouse, folders).problems
    return warehouse


def test_of_two_by_two_an_effect_is_the_mean_of_two_differences(two_by_two: Warehouse) -> None:
    """And the lack of fit is what the two differences differ by."""
    rows = of(two_by_two)
    assert list(dict.fromkeys(rows["metric"])) == list(METRICS)
    runs = two_by_two.query(
        """SELECT experiment.lt, experiment.variant, run_ranking.tau
        FROM run_ranking JOIN experiment USING (experiment_id)
        WHERE gt_key = ? AND architecture_set = 'random' AND experiment.kind = 'trained'""",
        [KEY],
    )
    cells = runs.groupby(["lt", "variant"])["tau"]
    means, deviation = cells.mean(), math.sqrt(cells.var().mean())
    lt = [means["Skip", variant] - means["", variant] for variant in ("baseline", "warmup")]
    row = one(rows, "tau", "lt", "Skip")
    assert row["estimate"] == pytest.approx(sum(lt) / 2)
    assert row["half_interval"] == pytest.approx(t.ppf(0.975, 8) * deviation / math.sqrt(3))
    assert (row["degrees"], row["runs"], row["experiments"]) == (pytest.approx(8), 6, 4)
    interaction = abs(lt[0] - lt[1]) / (deviation * math.sqrt(4 / 3))
    assert row["lack_of_fit"] == pytest.approx(2 * t.sf(interaction, 8))
    of_tau = rows[rows["metric"] == "tau"]
    assert sorted(of_tau["p_holm"]) == sorted(holm(of_tau["p_value"].tolist()))


def test_what_cannot_be_told_apart_is_left_out(warehouse: Warehouse, write_run: RunWriter) -> None:
    """Where LT and warm-up come together only, neither is told; a mask that only one has is not, either."""
    changes: list[dict[str, Any]] = [
        {"mask": MASK},
        {"mask": MASK, "lt": "Skip", **WARMUP},
        {"mask": "Zero+Skip"},
    ]
    folders = [
        write_run(random_predictions(change["mask"], 10 * place + seed), seed=seed, **change)
        for place, change in enumerate(changes)
        for seed in range(2)
    ]
    assert not ingest(warehouse, folders).problems
    rows = of(warehouse)
    assert set(zip(rows["factor"], rows["level"], rows["reference"], strict=True)) == {
        ("mask", "Zero+Skip", MASK)
    }
    assert set(rows["metric"]) == {"tau", "a_n", "tau_a"}, "gaps are not compared across masks"


def test_lts_on_average(warehouse: Warehouse, write_run: RunWriter) -> None:
    folders = [
        write_run(random_predictions("Zero", 10 * place + seed), mask="Zero", seed=seed, lt=lt)
        for place, lt in enumerate(("", "Skip", "Skip+Pool"))
        for seed in range(2)
    ]
    assert not ingest(warehouse, folders).problems
    rows = of(warehouse)
    levels = [one(rows, "tau", "lt", level)["estimate"] for level in ("Skip", "Skip+Pool")]
    average = one(rows, "tau", "lt", "any")
    assert average["estimate"] == pytest.approx(sum(levels) / 2)
    assert average["runs"] == 4
    assert rows["lack_of_fit"].isna().all(), "three experiments and three terms leave nothing to test"


def test_holm_keeps_the_order_and_leaves_out_what_is_not_known() -> None:
    assert holm([0.04, math.nan, 0.01, 0.03])[0::2] == [0.06, 0.03]
    assert holm([0.04, 0.01, 0.03]) == [0.06, 0.03, 0.06]
    assert math.isnan(holm([0.04, math.nan])[1])


def test_the_command(two_by_two: Warehouse) -> None:
    def run(*arguments: str) -> tuple[int, str, str]:
        result = CliRunner().invoke(app, ["effects", *arguments, "--warehouse", str(two_by_two.path)])
        return result.exit_code, result.stdout, result.stderr + str(result.exception or "")

    code, out, _ = run("--json", "--metric", "tau")
    assert code == 0
    assert {(row["factor"], row["level"]) for row in json.loads(out)} == {
        ("lt", "Skip"),
        ("variant", "warmup"),
    }
    code, _, error = run("--metric", "rho")
    assert code == 2
    assert "metric is 'rho'; give one of tau, gap_std, a_n, tau_a" in " ".join(error.split())
    code, out, error = run("--bn-mode", "batch")
    assert code == 0
    assert "no experiments that differ in mask, LT, variant or size" in error
