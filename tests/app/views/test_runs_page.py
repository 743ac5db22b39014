"""The page Runs as Streamlit runs it, without a browser."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from nasrank.app.views.runs.files import content_of, files_of
from nasrank.app.views.runs.table import COLUMNS, METRIC
from nasrank.db.errors import NasrankError
from nasrank.db.ingest.folders import ingest
from nasrank.db.predictions.importing import import_predictions
from nasrank.db.predictions.reading import PredictionOptions
from nasrank.db.runs.holders import Holder
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.models import IMPORTED
from nasrank.db.warehouse.seed import seed_warehouse
from nasrank.report.metrics import METRICS, SEARCHES, SHARE
from nasrank.report.overview import OF_RUNS
from tests.app.dashboard_data import KEY
from tests.samples import begin_run, random_predictions, write_run_folder


@pytest.fixture
def runs_dir(filled_file: Path) -> Path:
    """The folders of the filled warehouse's runs."""
    return filled_file.parent / "runs"


def text(elements: Any) -> str:
    return "\n".join(str(element.value) for element in elements)


def table(test: AppTest) -> pd.DataFrame:
    return test.dataframe[0].value


def charts(test: AppTest) -> int:
    return len(test.get("vega_lite_chart"))


def test_all_runs_are_there_the_newest_first(own: Warehouse, open_runs: Any, tmp_path: Path) -> None:
    newer = write_run_folder(
        tmp_path / "runs", random_predictions("Zero+Pool", 3), seed=3, mask="Zero+Pool",
        status={"started_at": "2026-11-02T10:00:00+00:00", "finished_at": "2026-11-02T10:30:00+00:00",
                "git_commit": "0123456789abcdef", "git_dirty": True},
    )  # fmt: skip
    ingest(own, [newer])
    test = open_runs(own.path, tmp_path / "runs", column=["status", "minutes", "commit", "versions", "seed"])
    shown = table(test)
    assert list(shown["run"]) == list(
        own.query("SELECT run_id FROM run WHERE seed IS NOT NULL ORDER BY started_at DESC, run_id")["run_id"]
    )
    assert list(shown.columns) == ["run", "status", "seed", "minutes", "commit", "versions"]
    first = shown.iloc[0]
    assert (first["run"], first["status"], first["seed"]) == (newer.name, "✔ finished", 3)
    assert first["minutes"] == 30
    assert first["commit"] == "0123456789 (dirty)"
    assert first["versions"] == "nasrank 0.1.0, python 3.11.7, torch 2.13.0, numpy 2.4.6"
    assert shown["minutes"].iloc[1] == 5
    assert pd.isna(shown["commit"].iloc[1])
    assert "Nothing is running" in text(test.markdown)
    assert not test.warning


def test_filters_and_search_narrow_and_are_in_the_address(
    filled: Warehouse, open_runs: Any, runs_dir: Path
) -> None:
    test = open_runs(filled.path, runs_dir, mask="Zero", size="S")
    assert len(table(test)) == 1
    assert test.header[0].value == "1 of 8 runs"
    test.button_group(key="size").set_value([]).run()
    assert set(table(test)["mask"]) == {"Zero"}
    assert len(table(test)) == 3
    test.button_group(key="mask").set_value([]).run()
    test.text_input(key="search").set_value("DIGITS -s0").run()
    assert set(table(test)["dataset"]) == {"digits"}
    test.text_input(key="search").set_value("(nothing[").run()
    assert not test.exception
    assert "No run fits the filters." in text(test.info)


def test_every_column_can_be_shown(own: Warehouse, open_runs: Any, runs_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "synflow.csv"
    rows = own.query(
        "SELECT arch_str AS arch, sqrt(arch_id) AS score FROM architecture ORDER BY arch_id LIMIT 50"
    )
    rows.to_csv(path, index=False)
    import_predictions(own, path, "synflow", PredictionOptions())
    test = open_runs(own.path, runs_dir, column=list(COLUMNS), kind=IMPORTED)
    shown = table(test).iloc[0]
    names = {**{name: name for name in COLUMNS}, METRIC: "τ tau-b"}
    assert list(table(test).columns) == ["run", *names.values()]
    assert (shown["name"], shown["kind"], shown["predictions"], shown["mask"]) == (
        "synflow",
        IMPORTED,
        50,
        "none",
    )
    assert pd.isna(shown["started"])
    chosen = open_runs(own.path, runs_dir, run=shown["run"])
    assert "No epochs were recorded" in text(chosen.markdown)
    assert "Imported from `synflow.csv`" in text(chosen.markdown)
    assert charts(chosen) == 0


def test_chosen_runs_show_curves_configuration_predictions_and_links(
    filled: Warehouse, open_runs: Any, runs_dir: Path
) -> None:
    rows = filled.query("SELECT run_id, experiment_id FROM run WHERE seed = 0 ORDER BY run_id LIMIT 2")
    first, second = rows["run_id"]
    test = open_runs(filled.path, runs_dir, run=[first, second])
    assert test.header[1].value == "Chosen runs"
    assert charts(test) == 1
    assert {first, second} <= {expander.label for expander in test.expander}
    one = open_runs(filled.path, runs_dir, run=first)
    assert one.header[1].value == first
    told = text(one.markdown)
    assert f"scatter?run={first}".replace("+", "%2B") in told
    assert f"compare?experiment={rows['experiment_id'][0]}" in told
    assert '"learning_rate": 0.1' in text(one.code)
    assert str(runs_dir.absolute() / first) in text(one.code)
    assert set(one.dataframe[1].value["name"]) >= {"config.json", "status.json", "epochs.parquet"}
    predicted = one.table[0].value
    assert list(predicted["After epoch"]) == [20]
    assert predicted["Not finite"].sum() == 0
    assert one.query_params["run"] == first


def test_failures_and_unusable_predictions_are_told(own: Warehouse, open_runs: Any, tmp_path: Path) -> None:
    message = "the loss became *infinite* in epoch 2\nand `stayed` so"
    failed = write_run_folder(
        tmp_path, {}, seed=7, mask="Zero",
        status={"status": "failed", "failed_epoch": 2, "message": message},
    )  # fmt: skip
    infinite = write_run_folder(tmp_path, random_predictions("Pool", 0) | {0: None}, seed=0, mask="")
    assert not ingest(own, [failed, infinite]).problems
    test = open_runs(own.path, tmp_path, run=failed.name)
    assert message in text(test.code)
    assert "None: the run failed" in text(test.markdown)
    test = open_runs(own.path, tmp_path, run=infinite.name)
    assert list(test.table[0].value["Not finite"]) == [1]


def test_rankings_over_epochs(own: Warehouse, open_runs: Any, tmp_path: Path) -> None:
    """Of the sets that were predicted wholly at several epochs, as the view has them."""
    folder = write_run_folder(tmp_path, random_predictions("Zero", 1), seed=9, mask="Zero")
    earlier = pd.read_parquet(folder / "predictions-20-running.parquet")
    for epoch in (5, 10):
        source = (folder / "predictions-20-running.parquet").read_bytes()
        (folder / f"predictions-{epoch}-running.parquet").write_bytes(source)
    assert len(earlier) > 1000
    assert not ingest(own, [folder]).problems
    test = open_runs(own.path, tmp_path, run=folder.name)
    assert [header.value for header in test.subheader] == ["Ranking over epochs"]
    assert charts(test) == 2
    assert "Of random; predicted at several epochs: random" in text(test.markdown).replace("\\", "")
    assert KEY in text(test.code)
    other = open_runs(own.path, tmp_path, run=folder.name, set="top-50")
    assert "Of top-50; predicted at several epochs" in text(other.markdown).replace("\\", "")
    assert not other.warning


CONTINUES = "cd /somewhere && nasrank-train run --dataset digits --seed 1"


def test_a_run_that_does_not_go_on_says_what_continues_it(
    own: Warehouse, open_runs: Any, tmp_path: Path
) -> None:
    holder = dataclasses.replace(Holder.this_process(), started="1")
    dead = begin_run(tmp_path, holder, command=CONTINUES)
    ended = begin_run(tmp_path, holder, 1, command=CONTINUES, status="finished")
    older = begin_run(tmp_path, holder, 2)
    for name, expected in ((dead, 2), (ended, 1), (older, 1)):  # once in the card of the dead one
        test = open_runs(own.path, tmp_path, run=name)
        assert [str(code.value) for code in test.code].count(CONTINUES) == expected, name


def test_what_goes_on_is_shown(own: Warehouse, open_runs: Any, tmp_path: Path) -> None:
    living, dead = (
        begin_run(tmp_path),
        begin_run(tmp_path, dataclasses.replace(Holder.this_process(), started="1"), 1, command=CONTINUES),
    )
    waiting = write_run_folder(tmp_path, random_predictions("Zero", 1), seed=9, mask="Zero")
    (tmp_path / "slurm" / "1").mkdir(parents=True)
    (tmp_path / "slurm/1/jobs.json").write_text('{"jobs": {"7": ["waits"]}, "cancelled": []}')
    test = open_runs(own.path, tmp_path)
    told = text(test.markdown)
    assert "Submitted to Slurm and not begun: `waits` (1)." in told
    assert "**1 running**, **1 dead**; 1 ended" in told
    assert f"▶ **running** `{living}`" in told
    assert f"✘ **dead** `{dead}`" in told
    assert "was killed; last heartbeat" in told
    assert CONTINUES in [str(code.value) for code in test.code]
    bars = test.get("progress")
    assert [bar.proto.value for bar in bars] == [25, 25]
    assert "epoch 5 of 20 · 1,600 images/s · about " in bars[0].proto.text
    assert "of training left, by its recent epochs" in bars[0].proto.text
    assert "left" not in bars[1].proto.text
    assert waiting.name in text(test.info)
    assert f"nasrank-train ingest {tmp_path} --warehouse {own.path}" in text(test.code)
    states = dict(table(test)[["run", "status"]].itertuples(index=False))
    assert [states[name] for name in (living, dead, waiting.name)] == ["▶ running", "✘ dead", "• to ingest"]
    ingest(own, [waiting])
    test.run()
    assert not test.exception
    assert not test.info


def test_a_run_is_followed_before_it_is_in_the_warehouse(
    own: Warehouse, open_runs: Any, tmp_path: Path
) -> None:
    living = begin_run(tmp_path)
    test = open_runs(own.path, tmp_path, run=living)
    assert test.header[1].value == living
    assert charts(test) == 1
    assert "other pages do not have it" in text(test.markdown)
    assert '"mask": "Skip"' in text(test.code)


def test_bad_folders_are_explained(own: Warehouse, open_runs: Any, tmp_path: Path) -> None:
    test = open_runs(own.path, tmp_path / "nowhere")
    assert "There is no folder" in text(test.markdown)
    assert "nasrank-train dashboard --runs FOLDER" in text(test.markdown)
    assert len(table(test)) == 8
    living = begin_run(tmp_path)
    (tmp_path / living / "status.json").write_text('{"status": "runn')
    hostile = tmp_path / "a`b *c* [d](e) <f>"
    hostile.mkdir()
    (hostile / "status.json").write_text("{}")
    test = open_runs(own.path, tmp_path)
    assert "**2 unreadable**" in text(test.markdown)
    rows = table(test).set_index("run")
    assert rows.loc[living, "status"] == "? unreadable"
    assert "status.json cannot be read" in rows.loc[living, "message"]
    assert not open_runs(own.path, tmp_path, run=[living, hostile.name]).exception


def test_wrong_addresses_are_told(filled: Warehouse, open_runs: Any, runs_dir: Path) -> None:
    known = next(path.name for path in sorted(runs_dir.iterdir()) if "Zero+Pool" in path.name)
    test = open_runs(
        filled.path, runs_dir, run=["../../etc", known], mask="none", status="merry", colour="red"
    )
    told = text(test.warning)
    assert "`run=../../etc`, which is no run" in told
    assert f"The filters hide `{known}`" in told
    assert "`status=merry`" in told
    assert "`colour`, which is no filter of this page" in told
    assert len(test.header) == 1


def test_a_new_warehouse_says_how_to_begin_run(open_runs: Any, tmp_path: Path) -> None:
    bare = Warehouse(tmp_path / "bare.duckdb")
    bare.create(seed_warehouse)
    test = open_runs(bare.path, tmp_path / "runs")
    assert "There are no runs yet" in text(test.info)
    begun = begin_run(tmp_path / "runs")
    test = open_runs(bare.path, tmp_path / "runs", run=begun)
    assert list(table(test)["run"]) == [begun]
    assert charts(test) == 1


def test_only_the_known_files_of_a_run_are_given(tmp_path: Path) -> None:
    runs_dir = tmp_path / "runs"
    name = begin_run(runs_dir)
    (tmp_path / "config.json").write_text("outside")
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (runs_dir / name / "worker.log").symlink_to(secret)
    files = files_of(runs_dir, name)
    assert not isinstance(files, str)
    assert {file.name for file in files if file.is_offered} == {
        "config.json",
        "status.json",
        "epochs.parquet",
    }
    assert {file.name for file in files} >= {"claim-1.json"}
    assert b'"seed": 0' in content_of(runs_dir, name, "config.json")
    for run_id, file in (
        (name, "worker.log"),
        (name, "claim-1.json"),
        ("..", "config.json"),
        (f"{name}/..", "config.json"),
        ("", "config.json"),
        (".", "config.json"),
        (str(runs_dir / name), "config.json"),
        ("a\0b", "config.json"),
    ):
        with pytest.raises(NasrankError):
            content_of(runs_dir, run_id, file)
    for run_id in ("..", "", "missing", f"{name}/..", "a\0b"):
        assert "no folder of that name" in str(files_of(runs_dir, run_id))


@pytest.mark.parametrize("architecture_set", ["random", "top-50"])
@pytest.mark.parametrize("metric", [name for name in METRICS if name != SHARE])
def test_the_table_has_the_metric_in_the_chosen_set(
    metric: str, architecture_set: str, filled: Warehouse, open_runs: Any, tmp_path: Path
) -> None:
    told = METRICS[metric]
    name = told.short + (" (%)" if told.is_percent else "")
    test = open_runs(filled.path, tmp_path, set=architecture_set, metric=metric)
    shown = test.dataframe[0].value.set_index("run")[name]
    if metric in SEARCHES:
        rows = filled.query(
            """SELECT * FROM run_search
            WHERE gt_key = ? AND pool = 'random' AND top_k = 'top-10' AND is_final AND bn_mode = 'running'""",
            [KEY],
        )
    else:
        of_set = "random" if metric in OF_RUNS else architecture_set
        rows = filled.query(
            """SELECT * FROM run_ranking
            WHERE gt_key = ? AND architecture_set = ? AND is_whole AND is_final AND bn_mode = 'running'""",
            [KEY, of_set],
        )
    known = rows.set_index("run_id")[SEARCHES.get(metric, metric)].dropna()
    assert len(known) > 3
    assert shown.dropna().to_dict() == pytest.approx((told.scale * known).to_dict())


@pytest.mark.parametrize("view", ["runs", "scatter"])
def test_the_reference_is_shown_beside_what_was_picked(
    view: str, filled: Warehouse, open_view: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NASRANK_RUNS", str(tmp_path))
    picked, reference = filled.query(
        """SELECT experiment_id FROM experiment
        WHERE kind = 'trained' AND dataset = 'cifar10' ORDER BY 1 LIMIT 2"""
    )["experiment_id"]
    test = open_view(view, filled.path, experiment=picked, reference=reference)
    assert not test.warning
    assert test.query_params["reference"] == reference
    if view == "runs":
        known = filled.query("SELECT run_id, experiment_id FROM run").set_index("run_id")["experiment_id"]
        assert set(known[test.dataframe[0].value["run"]]) == {picked, reference}
    else:
        below = ["Errors of prediction", "Architectures inside", "The same numbers"]
        assert [header.value for header in test.header][2:] == below


def test_the_runs_of_picked_experiments_are_shown(filled: Warehouse, open_runs: Any, tmp_path: Path) -> None:
    [picked] = filled.query(
        "SELECT experiment_id FROM experiment WHERE mask = 'Zero' AND size = 'tiny' AND kind = 'trained'"
    )["experiment_id"]
    test = open_runs(filled.path, tmp_path, experiment=picked)
    runs = filled.query("SELECT run_id FROM run WHERE experiment_id = ?", [picked])["run_id"]
    assert set(test.dataframe[0].value["run"]) == set(runs)
    test.multiselect(key="experiment").set_value([]).run()
    assert len(test.dataframe[0].value) > len(runs)


def test_a_failed_run_shows_the_end_of_its_log(own: Warehouse, tmp_path: Path, open_runs: Any) -> None:
    failed = write_run_folder(
        tmp_path, {}, seed=7, mask="Zero", status={"status": "failed", "failed_epoch": 2}
    )
    lines = [f"line {number}" for number in range(40)] + ["out of \x1b[31mmemory"]
    (failed / "worker.log").write_text("\n".join(lines))
    assert not ingest(own, [failed]).problems
    test = open_runs(own.path, tmp_path, run=failed.name)
    [shown] = [str(code.value) for code in test.code if "line 39" in str(code.value)]
    assert shown.splitlines()[0] == "line 29"
    assert "\x1b" not in shown
