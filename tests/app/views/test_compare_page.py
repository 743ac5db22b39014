"""The page Compare as Streamlit runs it, without a browser: differences, configurations, few seeds."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from nasrank.app.snapshot import Snapshot
from nasrank.app.views.compare import queries as compare_queries
from nasrank.app.views.compare.comparison import configurations, differing, with_bands
from nasrank.db.warehouse.file import Warehouse
from nasrank.report import queries
from tests.app.dashboard_data import KEY, OTHER_KEY
from tests.db.views.test_views_of_experiments import holm
from tests.errors_of_means import errors_of


@pytest.fixture
def open_compare(open_view: Any) -> Any:
    def opened(path: Path, **parameters: str | list[str]) -> AppTest:
        test: AppTest = open_view("compare", path, **parameters)
        assert test.title[0].value == "Compare"
        return test

    return opened


def text(elements: Any) -> str:
    return "\n".join(str(element.value) for element in elements)


def charts(test: AppTest) -> int:
    return len(test.get("vega_lite_chart"))


def experiment(warehouse: Warehouse, where: str) -> str:
    found = warehouse.query(f"SELECT experiment_id FROM experiment WHERE {where}")["experiment_id"]  # noqa: S608
    assert len(found) == 1
    return str(found[0])


def test_the_differences_are_the_views_and_scipys(studied: Warehouse, open_compare: Any) -> None:
    """Three seeds: the interval by all that vary alike, and Holm's correction for three comparisons."""
    s = "size = 'S' AND mask = '' AND epochs = 20 AND "
    baseline = experiment(studied, s + "lt = '' AND variant = 'baseline'")
    others = [
        experiment(studied, s + what)
        for what in ("lt = 'Skip'", "variant = 'warmup'", "variant = 'grad-clipping'")
    ]
    test = open_compare(studied.path, experiment=[baseline, *others], metric="spearman")
    told = test.dataframe[2].value
    assert len(told) == 3 * 8
    assert set(told["experiment_id"]) == set(others)
    runs = studied.query(
        """SELECT experiment_id, architecture_set, variance_group, spearman
        FROM run_ranking
        JOIN variance_group USING (experiment_id)
        WHERE gt_key = ? AND is_final""",
        [KEY],
    )
    for row in told.itertuples():
        of_set = runs[runs["architecture_set"] == row.architecture_set]
        one, other = (errors_of(of_set, identity, "spearman") for identity in (row.experiment_id, baseline))
        known = one.minus(other)
        half = known.half(has_one_deviation=row.architecture_set == "random")
        assert row.difference == pytest.approx(known.mean, abs=1e-12)
        assert row.high - row.low == pytest.approx(2 * half, rel=1e-5)
        assert (row.seeds, row.other_seeds) == (3, 3)
        is_told = row.verdict.startswith("told apart")
        assert is_told == (abs(known.mean) > half)
    answers = [element.value for element in test.markdown if ", random sample: " in element.value]
    assert len(answers) == 1
    in_sample = told[told["architecture_set"] == "random"]
    for row, line in zip(in_sample.itertuples(), answers[0].splitlines(), strict=True):
        assert line.startswith("- **none")
        assert row.verdict.split(";")[0] in line
    for _, family in told.groupby("architecture_set"):
        assert sorted(family["p_holm"]) == pytest.approx(holm(family["p_value"].tolist()))
    views = studied.query("SELECT * FROM experiment_effect WHERE gt_key = ? AND metric = 'spearman'", [KEY])
    views = views[views["baseline_id"] == baseline]
    both = told.merge(views, on=["experiment_id", "architecture_set"], suffixes=("", "_view"))
    assert len(both) == len(told)
    assert both["half_interval"].tolist() == pytest.approx(both["difference_interval"].tolist())
    assert charts(test) == 3


def test_another_reference_and_metric_turn_the_signs(studied: Warehouse, open_compare: Any) -> None:
    pair = [experiment(studied, f"size = 'S' AND mask = '{mask}' AND lt = ''") for mask in ("Zero", "Skip")]
    forward = open_compare(studied.path, experiment=pair, metric="a_n").dataframe[2].value
    test = open_compare(studied.path, experiment=pair, metric="a_n", reference=pair[1])
    backward = test.dataframe[2].value
    assert backward["difference"].tolist() == pytest.approx((-forward["difference"]).tolist())
    assert forward["mean"].between(10, 100).all()  # percent
    assert test.query_params["reference"] == pair[1]
    assert "Their masks differ" in text(test.markdown)
    test.radio(key="metric").set_value("tau_a").run()
    assert not test.exception
    assert test.dataframe[2].value["architecture_set"].tolist() == ["random"]
    assert "Less is better" in text(test.markdown)


def test_rankings_are_the_views(whole: Warehouse) -> None:
    """Also under a key that nothing is stored for, and of an imported score."""
    ids = whole.query("SELECT experiment_id FROM experiment WHERE epochs = 7 OR name = 'synflow'")
    snapshot = Snapshot.take(whole.path)
    for key in (KEY, OTHER_KEY):
        own = compare_queries.rankings(snapshot, tuple(ids["experiment_id"]), key, "running")
        view = whole.query(
            """SELECT ranking.*, measured.tau_a, measured.tau_a_mean, measured.tau_a_std
            FROM experiment_ranking AS ranking
            LEFT JOIN experiment_tau_a AS measured USING (experiment_id, epoch, bn_mode, gt_key)
            WHERE ranking.gt_key = ? AND ranking.bn_mode IN ('running', 'imported') AND NOT one_per_class
                AND set_kind IN ('top', 'random', 'all') AND is_whole
                AND ranking.experiment_id IN (SELECT unnest(?))""",
            [key, ids["experiment_id"].tolist()],
        )
        both = own.merge(view, on=["experiment_id", "epoch", "architecture_set"], suffixes=("", "_view"))
        assert len(both) == len(own) == len(view) == 9 * 3
        for column in ("a_n_mean", "tau_mean", "tau_std", "pearson_mean", "tau_a", "tau_a_mean", "tau_a_std"):
            assert both[column].tolist() == pytest.approx(both[f"{column}_view"].tolist(), nan_ok=True)


def test_what_needs_no_training_is_compared_with_every_seed(studied: Warehouse, open_compare: Any) -> None:
    network = experiment(
        studied, "size = 'S' AND mask = '' AND lt = '' AND variant = 'baseline' AND epochs = 20"
    )
    params, depth = (
        experiment(studied, f"mask = '' AND name = '{name}'") for name in ("params", "convolution_depth")
    )
    test = open_compare(studied.path, experiment=[network, params, depth])
    told = test.dataframe[2].value
    taus = studied.query(
        """SELECT run_id, tau FROM run_ranking
        WHERE gt_key = ? AND architecture_set = 'random' AND is_final AND bn_mode IN ('running', 'untrained')
            AND experiment_id IN (SELECT unnest(?))""",
        [KEY, [network, params]],
    ).set_index("run_id")["tau"]
    difference = taus["untrained-params-none"] - taus.drop("untrained-params-none")
    row = told[(told["architecture_set"] == "random") & (told["experiment_id"] == params)].iloc[0]
    assert (row["seeds"], row["other_seeds"]) == (1, 3)
    assert row["difference"] == pytest.approx(difference.mean())
    runs = studied.query(
        """SELECT experiment_id, variance_group, tau
        FROM run_ranking
        JOIN variance_group USING (experiment_id)
        WHERE gt_key = ? AND architecture_set = 'random' AND is_final""",
        [KEY],
    )
    half = errors_of(runs, network, "tau").half(has_one_deviation=True)
    assert row["high"] - row["difference"] == pytest.approx(half)
    both = open_compare(studied.path, experiment=[params, depth])
    assert "have no seeds, as nothing in them is random: no interval" in text(both.markdown)
    assert both.dataframe[2].value["low"].isna().all()
    names = open_compare(studied.path).multiselect(key="experiment").value
    assert not {params, depth} & set(names), "a page begins with networks"


def test_trainings_of_different_length_are_compared_at_their_ends(
    whole: Warehouse, open_compare: Any
) -> None:
    """They have no seed in common, and need none."""
    short = experiment(whole, "epochs = 7")
    other = experiment(whole, "mask = '' AND epochs = 20")
    test = open_compare(whole.path, experiment=[short, other])
    told = test.dataframe[2].value
    assert {(row.seeds, row.other_seeds) for row in told.itertuples()} == {(2, 2)}
    assert told["low"].notna().all()
    assert test.dataframe[0].value.index.tolist() == ["epochs"]
    imported = experiment(whole, "name = 'synflow'")
    zero = experiment(whole, "mask = 'Zero' AND size = 'S'")
    test = open_compare(whole.path, experiment=[zero, imported])
    assert "have too few seeds, and nothing that varies alike has more: a difference, but no" in text(
        test.markdown
    )
    told = test.dataframe[2].value
    assert told["low"].isna().all()
    assert told["seeds"].unique().tolist() == [1]
    assert told.set_index("architecture_set")["mean"]["random"] == pytest.approx(1)


def test_a_longer_training_is_compared_with_a_shorter_one(studied: Warehouse, open_compare: Any) -> None:
    pair = [
        experiment(studied, f"size = 'S' AND mask = '' AND lt = '' AND variant = 'baseline' AND epochs = {n}")
        for n in (20, 7)
    ]
    told = open_compare(studied.path, experiment=pair).dataframe[2].value
    tau = studied.query(
        """SELECT experiment_id, tau FROM run_ranking
        WHERE gt_key = ? AND architecture_set = 'top-50' AND is_final""",
        [KEY],
    )
    tau = tau.groupby("experiment_id")["tau"].mean()
    assert told.set_index("architecture_set")["difference"]["top-50"] == pytest.approx(
        tau[pair[1]] - tau[pair[0]]
    )


def test_curves_over_epochs_where_several_were_evaluated(whole: Warehouse, open_compare: Any) -> None:
    pair = [experiment(whole, "epochs = 7"), experiment(whole, "mask = '' AND epochs = 20")]
    test = open_compare(whole.path, experiment=pair, set="top-50", curves="each seed")
    assert "Ranking over epochs" in text(test.header)
    assert charts(test) == 4
    assert not test.warning


def test_configurations_tell_only_what_differs(studied: Warehouse) -> None:
    with studied.reading() as reading:
        known = queries.experiments(reading)
    known = known[known["variant"].isin(["warmup", "grad-clipping"])]
    labels = dict(zip(known["experiment_id"], known["variant"], strict=True))
    table = configurations(known, labels)
    assert table.loc["mask", "warmup"] == "none"
    assert table.loc["train_images", "warmup"] == "20,000"
    different = differing(table)
    assert set(different.index) == {"variant", "grad_clip_norm", "warmup_epochs"}
    assert different.loc["warmup_epochs"].to_dict() == {"warmup": "5", "grad-clipping": "–"}


def test_bands_go_from_the_lowest_to_the_highest() -> None:
    curves = pd.DataFrame(
        {"series": "a", "epoch": [1, 1, 1, 2], "loss": [1.0, 2.0, 6.0, 5.0], "other": [None, None, None, 1.0]}
    )
    bands = with_bands(curves, ["loss", "other"])
    assert bands[["loss", "loss_low", "loss_high"]].to_numpy().tolist() == [[3, 1, 6], [5, 5, 5]]
    assert bands["other"].isna().tolist() == [True, False]


def test_a_wrong_address_and_too_few_or_too_many(
    studied: Warehouse, ground_truth_file: Path, open_compare: Any
) -> None:
    test = open_compare(studied.path, experiment=["nought", "naught"], metric="rho", colour="red")
    told = text(test.warning)
    for problem in ("experiment=nought", "experiment=naught", "metric=rho", "colour"):
        assert f"`{problem}`" in told
    assert charts(test) == 3
    one = experiment(studied, "size = 'M' AND mask = '' AND variant = 'baseline'")
    test = open_compare(studied.path, experiment=one)
    assert "Choose at least two experiments." in text(test.info)
    every = studied.query("SELECT experiment_id FROM experiment WHERE kind <> 'untrained' ORDER BY 1")[
        "experiment_id"
    ]
    test = open_compare(studied.path, experiment=list(every))
    assert "8 experiments are compared at most. Left out: " in text(test.warning)
    assert "nothing to compare yet" in text(open_compare(ground_truth_file).info)


def test_the_command_that_plans_seeds_does(studied: Warehouse, open_compare: Any) -> None:
    pair = [
        experiment(
            studied, f"size = 'S' AND mask = '{mask}' AND lt = '' AND variant = 'baseline' AND epochs = 20"
        )
        for mask in ("", "Zero")
    ]
    test = open_compare(studied.path, experiment=pair)
    [command] = [str(code.value) for code in test.code if "nasrank-train power" in str(code.value)]
    assert command.startswith(f"nasrank-train power {pair[0]} {pair[1]} --ground-truth {KEY}")
    program = Path(sys.executable).with_name("nasrank-train")
    done = subprocess.run([program, *shlex.split(command)[1:]], check=True, capture_output=True, text=True)
    assert "seeds_to_tell" in done.stdout
