"""The page Search space, its numbers against slow code over plain tables."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nasrank.app.snapshot import Snapshot
from nasrank.app.views.search_space import queries as search_space_queries
from nasrank.db.benchmarks import read_benchmark
from nasrank.db.benchmarks.options import BenchmarkOptions
from nasrank.db.ingest.folders import ingest
from nasrank.db.nb201.architectures import OPERATIONS, Architecture, all_architectures, parse_mask
from nasrank.db.nb201.equivalence import CellRules, isomorphism_classes, supernet_classes
from nasrank.db.nb201.notations import read_column
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.ground_truth import import_benchmark
from nasrank.db.warehouse.seed import seed_warehouse
from nasrank.report.charts.cell_drawing import describe_cell
from nasrank.report.charts.neighbour_chart import EDGE_NAMES, neighbour_chart, neighbours
from nasrank.report.charts.paper_charts import usage_panel
from tests.app.dashboard_data import KEY, OTHER_KEY
from tests.app.test_pages import import_whole_space
from tests.samples import random_predictions, write_run_folder

ARCH = 1462


def text(elements: Any) -> str:
    return "\n".join(str(element.value) for element in elements)


def accuracies(warehouse: Warehouse, key: str) -> dict[int, float]:
    rows = warehouse.query("SELECT arch_id, accuracy FROM ground_truth WHERE gt_key = ?", [key])
    return dict(zip(rows["arch_id"].tolist(), rows["accuracy"].tolist(), strict=True))


@pytest.mark.parametrize("mask", ["", "Zero", "C3x3"])
def test_ranks_are_counted_in_the_space_and_in_the_mask(filled: Warehouse, mask: str) -> None:
    rows = search_space_queries.truths(Snapshot.take(filled.path), ARCH, mask).set_index("gt_key")
    removed = parse_mask(mask).bits
    for key in (KEY, OTHER_KEY, f"{KEY}#1"):
        truth = accuracies(filled, key)
        order = sorted(truth, key=lambda arch_id: (-truth[arch_id], arch_id))
        left = [arch_id for arch_id in order if not Architecture.from_id(arch_id).used.bits & removed]
        row = rows.loc[key]
        assert row["accuracy"] == truth[ARCH]
        assert row["gt_rank"] == order.index(ARCH) + 1
        assert row["architectures"] == len(order)
        assert row["mask_architectures"] == len(left)
        if ARCH in left:
            assert row["mask_rank"] == left.index(ARCH) + 1
        else:
            assert pd.isna(row["mask_rank"])


def test_places_among_predictions(filled: Warehouse) -> None:
    third = "SELECT arch_id FROM architecture_rank WHERE gt_key = ? AND mask = 'Zero+Pool' AND gt_rank = 3"
    arch_id = int(filled.query(third, [KEY])["arch_id"][0])
    rows = search_space_queries.predictions(Snapshot.take(filled.path), arch_id, KEY)
    predicted = filled.query(
        "SELECT run_id, bn_mode, arch_id, accuracy FROM prediction WHERE bn_mode <> 'untrained'"
    )
    known = predicted[predicted["arch_id"] == arch_id]
    assert sorted(rows["run_id"]) == sorted(known["run_id"])
    assert len(rows) > 4
    truth = accuracies(filled, KEY)
    for row in rows.itertuples():
        of_run = predicted[predicted["run_id"] == row.run_id]
        assert row.predicted == len(of_run)
        ranks = of_run["accuracy"].rank(ascending=False)
        assert row.place == ranks[of_run["arch_id"] == arch_id].item()
        better = sum(truth[other] > truth[arch_id] for other in of_run["arch_id"])
        assert row.true_place == better + 1


def test_equals_and_counts_are_those_of_the_definitions(filled: Warehouse) -> None:
    snapshot = Snapshot.take(filled.path)
    arch_id = Architecture.from_digits("301004").arch_id
    equals = search_space_queries.equals(snapshot, arch_id)
    for sense, classes in {
        "stand_alone": isomorphism_classes(),
        "running": supernet_classes(CellRules()),
        "batch": supernet_classes(CellRules(zero_stays_zero=True)),
    }.items():
        members = {other for other, number in enumerate(classes) if number == classes[arch_id]} - {arch_id}
        assert set(equals.loc[equals[sense], "arch_id"]) == members
    whole = search_space_queries.spaces(snapshot).set_index("mask").loc[""]
    assert list(whole) == [15_625, 6_466, 9_140, 8_206]


def test_neighbours_differ_in_one_operation(filled: Warehouse) -> None:
    own = Architecture.from_id(ARCH)
    truth = accuracies(filled, KEY)
    table = neighbours(own, pd.DataFrame(truth.items(), columns=["arch_id", "accuracy"]))
    assert len(table) == 30
    for row in table.itertuples():
        other = Architecture.from_id(row.arch_id)
        differing = [e for e in range(6) if own.operations[e] != other.operations[e]]
        assert differing == ([] if row.is_own else [EDGE_NAMES.index(row.edge)])
        assert row.accuracy == pytest.approx(100 * truth[row.arch_id])
        assert row.difference == pytest.approx(100 * (truth[row.arch_id] - truth[ARCH]))
    drawn = neighbour_chart(table).to_dict()
    told = next(rows for rows in drawn["datasets"].values() if len(rows) == 30)
    assert [row["text"] for row in told if row["is_own"]] == [f"{100 * truth[ARCH]:.2f}"] * 6
    # What the key lacks has no colour and no number.
    assert (
        neighbours(own, pd.DataFrame({"arch_id": [ARCH], "accuracy": [0.5]}))["difference"].isna().sum() == 24
    )


def test_the_best_is_shown_until_another_is_asked_for(filled: Warehouse, open_view: Any) -> None:
    test = open_view("search_space", filled.path)
    assert test.title[0].value == "Search space"
    truth = accuracies(filled, KEY)
    best = max(truth, key=lambda arch_id: (truth[arch_id], -arch_id))
    assert describe_cell(Architecture.from_id(best)) in text(test.markdown)
    assert test.metric[1].value == "1"
    next(button for button in test.button if button.label == "Worse").click().run()
    assert not test.exception
    assert test.metric[1].value == "2"
    assert not test.warning


@pytest.mark.parametrize(
    "notation", [str(ARCH), Architecture.from_id(ARCH).digits, Architecture.from_id(ARCH).string]
)
def test_the_url_takes_every_notation(filled: Warehouse, open_view: Any, notation: str) -> None:
    test = open_view("search_space", filled.path, arch=notation, mask="C3x3")
    assert not test.warning
    assert f"Index **{ARCH}**" in text(test.markdown)
    assert "mask C3x3 removes it" in text(test.markdown)


def test_what_is_no_architecture_is_told(filled: Warehouse, open_view: Any) -> None:
    test = open_view("search_space", filled.path, arch="99999", mask="Nought", colour="red")
    told = text(test.warning)
    assert "99999" in told
    assert "an index from 0 to 15624" in told
    assert "`mask=Nought`" in told
    assert "`colour`, which is no filter" in told


@pytest.mark.parametrize("given", ["15625", "-1", "301005", "|conv~0|", "a`b*c|d<script>", "9" * 500])
def test_whatever_is_typed_is_told_as_it_is(filled: Warehouse, open_view: Any, given: str) -> None:
    test = open_view("search_space", filled.path, arch=given)
    [told] = [element.value for element in test.warning]
    assert told.replace("\\", "").startswith(f"'{given[:40]}")
    assert len(told) < 700
    test.text_input(key="arch").set_value("7").run()
    assert not test.warning
    assert "Index **7**" in text(test.markdown)


def test_the_rank_leads_to_an_architecture_and_follows_it(filled: Warehouse, open_view: Any) -> None:
    truth = accuracies(filled, KEY)
    zero = parse_mask("Zero").bits
    left = [arch_id for arch_id in truth if not Architecture.from_id(arch_id).used.bits & zero]
    order = sorted(left, key=lambda arch_id: (-truth[arch_id], arch_id))
    test = open_view("search_space", filled.path, mask="Zero")
    assert test.number_input(key="true_rank").value == 1
    test.number_input(key="true_rank").set_value(300).run()
    assert not test.exception
    assert test.text_input(key="arch").value == str(order[299])
    next(button for button in test.button if button.label == "Random").click().run()
    assert test.number_input(key="true_rank").value == order.index(int(test.text_input(key="arch").value)) + 1
    test.text_input(key="arch").set_value("000000").run()
    assert test.number_input(key="true_rank").value is None


def test_the_ground_truth_is_a_matrix(filled: Warehouse, open_view: Any) -> None:
    test = open_view("search_space", filled.path, arch=str(ARCH), mask="Zero")
    means, trials = (element.value for element in test.table)
    known = search_space_queries.truths(Snapshot.take(filled.path), ARCH, "Zero").set_index("gt_key").loc[KEY]
    in_mask = "" if pd.isna(known["mask_rank"]) else f" ({known['mask_rank']:,})"
    assert list(means.columns) == ["cifar10-valid", "cifar100", "ImageNet16-120"]
    assert means.loc["valid, 200 epochs", "cifar10-valid"] == (
        f"**{100 * known['accuracy']:.2f} % · {known['gt_rank']:,}{in_mask}**"
    )
    assert list(trials.index) == [f"valid, 200 epochs, trial {trial}" for trial in range(3)]


def test_every_notation_is_shown(filled: Warehouse, open_view: Any) -> None:
    architecture = Architecture.from_id(ARCH)
    told = text(open_view("search_space", filled.path, arch=str(ARCH)).markdown)
    assert f"`{architecture.string}`" in told
    assert f"`{architecture.nested}`" in told
    [naslib] = re.findall(r"For NASLib `(\([\d, ]+\))`", told)
    assert read_column([naslib], "naslib")["naslib"].tolist() == [ARCH]


def test_scores_ties_and_numbers_that_are_not_finite(own: Warehouse, tmp_path: Path, open_view: Any) -> None:
    zero = parse_mask("Zero").bits
    left = [a.arch_id for a in all_architectures() if not a.used.bits & zero]
    arch_id, *others = left[40:43]
    tied = random_predictions("", 5)
    tied |= dict.fromkeys(others, tied[arch_id])
    broken = random_predictions("Zero", 6) | {arch_id: None}
    folders = [
        write_run_folder(tmp_path / "more", tied, seed=5),
        write_run_folder(tmp_path / "more", broken, seed=6, mask="Zero"),
    ]
    assert not ingest(own, folders).problems
    import_whole_space(own, tmp_path, "synflow", 1e6)
    truth = pd.Series(accuracies(own, KEY))
    raw = own.query(
        """SELECT run_id, arch_id, coalesce(accuracy, score) AS value
        FROM prediction WHERE bn_mode <> 'untrained'"""
    )
    rows = search_space_queries.predictions(Snapshot.take(own.path), arch_id, KEY).set_index("run_id")
    assert set(rows.index) == set(raw.loc[raw["arch_id"] == arch_id, "run_id"])
    assert len(rows) >= 3
    for run_id, row in rows.iterrows():
        values = raw[raw["run_id"] == run_id].dropna(subset="value").set_index("arch_id")["value"]
        assert row["predicted"] == len(values)
        if arch_id in values.index:
            assert row["place"] == values.rank(ascending=False)[arch_id]
            order = sorted(values.index, key=lambda other: (-truth[other], other))
            assert row["true_place"] == order.index(arch_id) + 1
        else:
            assert pd.isna(row["place"])
            assert pd.isna(row["true_place"])
    assert rows["place"].isna().sum() == 1
    test = open_view("search_space", own.path, arch=str(arch_id))
    table = test.dataframe[0].value
    assert set(table["run_id"]) == set(rows.index)
    assert table["score"].count() == 1
    assert f"**{len(rows)}** evaluations of {len(rows)} runs." in text(test.markdown)
    test.multiselect(key="run_mask").set_value(["none"]).run()
    assert not test.exception
    assert set(test.dataframe[0].value["mask"]) == {""}
    test = open_view("search_space", own.path, arch=str(arch_id), run_bn_mode="imported", run_mask="Zero")
    assert test.dataframe[0].value["experiment"].tolist() == ["Zero · synflow"]
    test.multiselect(key="run_mask").set_value(["none"]).run()
    assert "No run that fits these filters" in text(test.markdown)


def test_train_accuracy_is_warned_of(own: Warehouse, tmp_path: Path, open_view: Any) -> None:
    truth = accuracies(own, KEY)
    table = pd.DataFrame({"arch_str": [a.string for a in all_architectures()]})
    table["cifar10-valid/train"] = [100 * truth[arch_id] for arch_id in range(len(table))]
    table.to_csv(tmp_path / "table.csv", index=False)
    options = BenchmarkOptions(epochs=100, is_other_benchmark=True)
    import_benchmark(own, "table", read_benchmark(tmp_path / "table.csv", options=options))
    test = open_view("search_space", own.path, ground_truth="table:cifar10-valid/train@100")
    assert "This key is **train** accuracy" in text(test.warning)


def test_a_warehouse_without_runs_or_ground_truth_is_explained(
    warehouse: Warehouse, tmp_path: Path, open_view: Any
) -> None:
    assert "No run predicted it" in text(open_view("search_space", warehouse.path).markdown)
    bare = Warehouse(tmp_path / "bare.duckdb")
    bare.create(seed_warehouse)
    assert "no ground truth" in text(open_view("search_space", bare.path).info)


def test_a_file_that_is_replaced_is_read_anew(
    own: Warehouse, open_view: Any, ground_truth_file: Path
) -> None:
    test = open_view("search_space", own.path, arch=str(ARCH))
    shutil.copyfile(ground_truth_file, own.path)
    test.run()
    assert not test.exception
    assert "No run predicted it" in text(test.markdown)


def test_an_operation_keeps_its_colour_where_others_are_masked() -> None:
    usage = pd.DataFrame({"point": "10", "operation": ["Zero", "C3x3"], "percent": [10.0, 90.0]})
    encoding = usage_panel(usage, ["10"]).to_dict()["encoding"]
    for channel in ("color", "shape"):
        assert encoding[channel]["scale"]["domain"] == list(OPERATIONS)
        assert encoding[channel]["legend"]["values"] == ["Zero", "C3x3"]
