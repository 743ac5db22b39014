"""The page as Streamlit runs it, without a browser."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import duckdb
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from nasrank.db.ingest.folders import ingest
from nasrank.db.nb201.architectures import Architecture, parse_mask
from nasrank.db.predictions.importing import import_predictions
from nasrank.db.predictions.reading import PredictionOptions
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.seed import seed_warehouse
from tests.app.dashboard_data import DIGITS, KEY, OTHER_KEY, RE_ENCODED, add_run
from tests.samples import ROOT, write_run_folder

MAIN = ROOT / "app" / "main.py"


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Opens the dashboard on a warehouse, with URL parameters."""

    def opened(path: Path, **parameters: str | list[str]) -> AppTest:
        monkeypatch.setenv("NASRANK_WAREHOUSE", str(path))
        test = AppTest.from_file(MAIN, default_timeout=60)
        test.query_params.update(parameters)
        test.run()
        assert not test.exception
        return test

    return opened


def table(test: AppTest) -> pd.DataFrame:
    return test.dataframe[0].value


def networks(test: AppTest) -> pd.DataFrame:
    """The rows of the table but those of predictors that need no training, which have no seeds."""
    return table(test).dropna(subset="seeds")


def experiments(test: AppTest) -> set[str]:
    return set(networks(test)["experiment"])


def text(elements: Any) -> str:
    return "\n".join(str(element.value) for element in elements)


def gt_key(test: AppTest) -> str:
    """As the popover of the bar shows it."""
    return str(next(element.value for element in test.code if "@" in str(element.value)))


def charts(test: AppTest) -> int:
    return len(test.get("vega_lite_chart"))


def test_the_first_look_shows_all_masks_of_the_studys_images(filled: Warehouse, open_page: Any) -> None:
    test = open_page(filled.path)
    assert test.title[0].value == "Rankings"
    assert experiments(test) == {"none", "Zero", "Zero+Pool"}
    assert gt_key(test) == KEY
    assert RE_ENCODED in text(test.markdown)
    assert charts(test) == 3
    assert not test.warning
    known = filled.query(
        "SELECT mask, tau_a FROM experiment_tau_a WHERE size = 'tiny' AND dataset = 'cifar10' AND gt_key = ?",
        [KEY],
    )
    assert dict(zip(networks(test)["mask"], networks(test)["tau_a"], strict=True)) == dict(
        zip(known["mask"], known["tau_a"], strict=True)
    )


def test_what_needs_no_training_stands_beside_the_networks(filled: Warehouse, open_page: Any) -> None:
    test = open_page(filled.path)
    untrained = table(test)[table(test)["seeds"].isna()].set_index("experiment")
    assert list(untrained["name"]) == ["params"] * 3
    taus = filled.query(
        """SELECT mask, tau FROM run_ranking
        WHERE kind = 'untrained' AND name = 'params' AND gt_key = ? AND architecture_set = 'random'""",
        [KEY],
    )
    for row in taus.itertuples():
        assert untrained.loc[f"{row.mask or 'none'} · number of parameters", "tau_random"] == row.tau
    assert "Dotted in grey: what needs no training" in text(test.markdown)
    assert "number of parameters" not in text(test.caption), "it has no seed to tell, nor a scale"
    chosen = test.selectbox(key="untrained")
    assert chosen.options == [
        "number of parameters", "FLOPs", "number of C3x3", "most convolutions on a path",
        "all of these", "none",
    ]  # fmt: skip
    chosen.set_value("none").run()
    assert table(test)["seeds"].notna().all()
    assert "Dotted in grey" not in text(test.markdown)
    restored = open_page(filled.path, untrained="flops", mask="Zero")
    assert set(table(restored)["experiment"]) == {"Zero", "Zero · FLOPs"}
    assert len(table(open_page(filled.path, untrained="all", mask="Zero"))) == 1 + 4


def test_digits_are_said_to_be_digits(filled: Warehouse, open_page: Any) -> None:
    test = open_page(filled.path, dataset="digits")
    assert DIGITS in text(test.markdown)
    assert experiments(test) == {"Zero+Pool"}
    assert "One seed, and so without a band: Zero+Pool" in text(test.caption)


def test_filters_narrow_and_names_tell_what_differs(filled: Warehouse, open_page: Any) -> None:
    test = open_page(filled.path)
    test.button_group(key="mask").set_value(["Zero"]).run()
    assert experiments(test) == {"Zero"}
    test.button_group(key="size").set_value([]).run()
    assert experiments(test) == {"Zero · tiny", "Zero · S"}
    test.radio(key="metric").set_value("tau_eq2").run()
    assert not test.exception


def test_many_experiments_begin_with_the_plain_masks(shipped: Warehouse, open_page: Any) -> None:
    path = shipped.path
    test = open_page(path)
    masks = {"none", "Zero", "Skip", "C1x1", "C3x3", "Pool", "Zero+Pool", "Zero+Skip"}
    assert experiments(test) == masks
    assert not test.info
    test.button_group(key="lt").set_value([]).run()
    assert {"none · LT Skip", "none · LT Skip+Pool"} < experiments(test)
    test.button_group(key="variant").set_value([]).run()
    everything = experiments(test)
    assert len(everything) == 27
    [link] = [one.value for one in test.markdown if "exactly this choice" in one.value]
    query = parse_qs(link.partition("?")[2].rstrip(")"), keep_blank_values=True)
    assert experiments(open_page(path, **query)) == everything


def test_what_is_picked_in_the_address_is_not_hidden_at_first(shipped: Warehouse, open_page: Any) -> None:
    picked = dict(shipped.query(
        "SELECT variant, experiment_id FROM experiment WHERE mask = 'Zero+Pool' AND lt = '' AND epochs = 20"
    ).itertuples(index=False))  # fmt: skip
    assert len(experiments(open_page(shipped.path, experiment=picked["baseline"]))) == 8
    test = open_page(shipped.path, experiment=[picked["baseline"], picked["warmup"]])
    assert len(experiments(test)) == 27
    assert len(test.multiselect(key="experiment list").value) == 2


def test_a_filter_that_leaves_nothing_is_explained(filled: Warehouse, open_page: Any) -> None:
    test = open_page(filled.path, size="S", mask="Zero+Pool")
    assert "No experiment that fits" in text(test.info)
    assert charts(test) == 0
    assert not test.dataframe


def test_other_images_drop_the_choices_that_they_do_not_have(filled: Warehouse, open_page: Any) -> None:
    test = open_page(filled.path, size="S", mask=["Zero", "Zero+Pool"])
    test.radio(key="dataset").set_value("digits").run()
    assert not test.exception
    assert experiments(test) == {"Zero+Pool"}
    test.radio(key="dataset").set_value("cifar10").run()
    assert not test.exception
    assert charts(test) == 3


def test_the_url_restores_a_choice(filled: Warehouse, open_page: Any) -> None:
    test = open_page(
        filled.path, ground_truth=OTHER_KEY, size=["tiny", "S"], mask="Zero", metric="tau_eq2", lt="none"
    )
    assert gt_key(test) == OTHER_KEY
    assert test.radio(key="metric").value == "tau_eq2"
    assert experiments(test) == {"Zero · tiny", "Zero · S"}


def test_wrong_url_values_are_explained_and_replaced(filled: Warehouse, open_page: Any) -> None:
    test = open_page(
        filled.path,
        dataset="mnist",
        ground_truth="no:such/key@1",
        size="XL",
        mask=["Zero", "Nought"],
        metric="rho",
        variant="warmup",
        colour="red",
        experiment="nobody",
        set="top-7",
    )
    told = text(test.warning).replace("\\", "")
    for given, shown in {
        "dataset=mnist": "Shown: cifar10.",
        "ground_truth=no:such/key@1": f"Shown: {KEY}.",
        "size=XL": "Shown: tiny.",
        "mask=Nought": "Shown: Zero.",
        "metric=rho": "Shown: tau.",
        "variant=warmup": "Shown: all.",
    }.items():
        line = next(line for line in told.splitlines() if f"`{given}`" in line)
        assert shown in line
    assert "`colour`, which is no filter of this page" in told
    assert "`experiment=nobody`; there is no such experiment here" in told
    assert "`set=top-7`" in told
    assert experiments(test) == {"Zero"}


def test_an_experiment_is_picked_from_the_list_and_by_the_url(filled: Warehouse, open_page: Any) -> None:
    test = open_page(filled.path)
    ids = dict(zip(table(test)["experiment"], table(test)["experiment_id"], strict=True))
    picked = test.multiselect(key="experiment list")
    assert picked.value == []
    picked.set_value([ids["Zero"]]).run()
    assert test.query_params["experiment"] == ids["Zero"]
    restored = open_page(filled.path, experiment=[ids["Zero"], ids["none"]])
    assert set(restored.multiselect(key="experiment list").value) == {ids["Zero"], ids["none"]}
    assert not restored.warning
    # A filter that hides what is picked is no mistake in the address.
    restored.button_group(key="mask").set_value(["Zero+Pool"]).run()
    assert not restored.exception
    assert not restored.warning


def test_the_matrix_shows_what_is_chosen_beside_it(filled: Warehouse, open_page: Any) -> None:
    test = open_page(filled.path, columns="size", set="top-50", rows="best first", band="single seeds")
    assert not test.warning
    assert [test.selectbox(key=key).value for key in ("columns", "rows")] == ["size", "best first"]
    assert test.radio(key="set").value == "top-50"
    assert charts(test) == 3
    assert "thin lines the single seeds" in text(test.markdown)


def test_sets_that_are_not_wholly_predicted_are_named_with_the_command(
    filled: Warehouse, open_page: Any
) -> None:
    test = open_page(filled.path, ground_truth=OTHER_KEY, mask="none")
    told = text(test.warning)
    assert "top-500 of **none** (seeds 0, 1)" in told
    assert f"nasrank-train run … --ground-truth {OTHER_KEY}" in told


def test_failed_runs_and_unusable_predictions_are_named(
    own: Warehouse, tmp_path: Path, open_page: Any
) -> None:
    failed = write_run_folder(
        tmp_path / "more", {}, seed=7, mask="Zero", status={"status": "failed", "failed_epoch": 2}
    )
    arch_ids = own.query("SELECT arch_id FROM top_n WHERE mask = 'Pool' AND gt_key = ?", [KEY])["arch_id"]
    infinite = write_run_folder(tmp_path / "more", dict.fromkeys(arch_ids.tolist()), seed=0, mask="Pool")
    assert not ingest(own, [failed, infinite]).problems
    told = text(open_page(own.path).warning)
    assert failed.name in told
    assert "not finite numbers" in told
    assert "**Pool** (seed 0)" in told


def test_new_runs_are_there_at_the_next_interaction(own: Warehouse, tmp_path: Path, open_page: Any) -> None:
    test = open_page(own.path)
    test.button_group(key="mask").set_value(["Zero"]).run()
    ingest(own, [add_run(own, tmp_path / "more", "Skip", 0)])
    test.run()
    test.button_group(key="mask").set_value(["Zero", "Skip"]).run()
    assert not test.exception
    assert experiments(test) == {"Zero", "Skip"}


def test_a_file_that_goes_while_the_page_is_open_is_explained(own: Warehouse, open_page: Any) -> None:
    test = open_page(own.path)
    own.path.unlink()
    test.radio(key="metric").set_value("tau_eq2").run()
    assert not test.exception
    assert "no warehouse at" in text(test.error)


def test_a_new_warehouse_says_how_to_fill_it(tmp_path: Path, warehouse: Warehouse, open_page: Any) -> None:
    bare = Warehouse(tmp_path / "bare.duckdb")
    bare.create(seed_warehouse)
    test = open_page(bare.path)
    assert "no ground truth" in text(test.info)
    assert "nasrank-train import-bench" in text(test.code)
    test = open_page(warehouse.path)
    assert "no finished runs" in text(test.info)
    assert "nasrank-train ingest" in text(test.code)


def test_what_cannot_be_shown_is_explained(tmp_path: Path, warehouse: Warehouse, open_page: Any) -> None:
    test = open_page(tmp_path / "missing.duckdb")
    assert "nasrank-train init" in text(test.error)
    no_database = tmp_path / "notes.duckdb"
    no_database.write_text("not a database", encoding="utf-8")
    assert "not a valid DuckDB" in text(open_page(no_database).error)
    for revision, advice in (("0000", "nasrank-train init"), ("9999", "upgrade nasrank")):
        other = tmp_path / f"{revision}.duckdb"
        shutil.copyfile(warehouse.path, other)
        with duckdb.connect(other) as connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", [revision])
        told = text(open_page(other).error)
        assert revision in told
        assert advice in told


def import_whole_space(
    warehouse: Warehouse, folder: Path, name: str, scale: float, mask: str = "Zero"
) -> None:
    """Predictions of `name` for all that the mask leaves: the ground truth, in another unit."""
    rows = warehouse.query(
        """SELECT arch_id, accuracy FROM ground_truth JOIN search_space USING (arch_id)
        WHERE gt_key = ? AND mask = ? AND NOT one_per_class""",
        [KEY, mask],
    )
    numbers = zip(rows["arch_id"], rows["accuracy"], strict=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps({Architecture.from_id(i).string: scale * accuracy for i, accuracy in numbers}))
    import_predictions(warehouse, path, name, PredictionOptions(mask=parse_mask(mask)))


def test_imported_predictions_stand_beside_trained_ones(
    own: Warehouse, tmp_path: Path, open_page: Any
) -> None:
    import_whole_space(own, tmp_path, "their-net", 100)
    import_whole_space(own, tmp_path, "synflow", 1e6)
    test = open_page(own.path)
    assert experiments(test) == {"none", "Zero", "Zero+Pool", "Zero · their-net", "Zero · synflow"}
    rows = table(test).set_index("experiment")
    assert rows.loc[["Zero · their-net", "Zero · synflow"], "tau_a"].tolist() == [-1, -1]
    assert rows.loc[["Zero · their-net", "Zero · synflow"], "tau_500"].tolist() == pytest.approx([1, 1])
    assert rows.loc["Zero · their-net", "a_10_percent"] > 90
    assert pd.isna(rows.loc["Zero · synflow", "a_10_percent"])
    assert "Imported: **synflow** (synflow.json); **their-net** (their-net.json)." in text(test.markdown)
    assert RE_ENCODED in text(test.markdown)
    assert "Scores, not accuracies, and so without A_N: Zero · synflow." in text(test.caption)
    assert charts(test) == 3
    test.multiselect(key="imported").set_value(["their-net"]).run()
    assert experiments(test) == {"none", "Zero", "Zero+Pool", "Zero · their-net"}
    assert "synflow" not in text(test.caption)
    test.button_group(key="kind").set_value(["trained"]).run()
    assert experiments(test) == {"none", "Zero", "Zero+Pool"}
    digits = open_page(own.path, dataset="digits", mask="Zero", imported="synflow")
    assert experiments(digits) == {"Zero · synflow"}


def test_imported_predictions_alone(warehouse: Warehouse, tmp_path: Path, open_page: Any) -> None:
    import_whole_space(warehouse, tmp_path, "synflow", 1e6, mask="")
    part = tmp_path / "part.csv"
    best = warehouse.query(
        """SELECT arch_str AS arch, 0.1 * gt_rank AS score FROM top_n JOIN architecture USING (arch_id)
        WHERE gt_key = ? AND mask = '' AND n = 50""",
        [KEY],
    )
    best.to_csv(part, index=False)
    import_predictions(warehouse, part, "part", PredictionOptions())
    test = open_page(warehouse.path)
    assert experiments(test) == {"none · synflow", "none · part"}
    assert "trained on" not in text(test.markdown)
    assert "Not wholly in the imported files, and left out: top-100, top-150, " in text(test.warning)
    assert "nasrank-train run" not in text(test.warning)
    assert "random of **none · part** (seed 0)" in text(test.warning)
