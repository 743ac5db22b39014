from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from nasrank.app import shared_queries
from nasrank.app.snapshot import Snapshot, WarehouseReplacedError, opened_once
from nasrank.app.widgets.csv_file import csv_file
from nasrank.db.errors import NasrankError
from nasrank.db.ingest.folders import ingest
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.reading import Limits
from nasrank.report import queries
from nasrank.report.charts.labels import in_order
from nasrank.report.charts.line_looks import COLOURS, looks_by_place
from nasrank.report.charts.ranking_chart import Lines, ranking_chart
from nasrank.report.charts.ranking_table import METRICS, POINTS, Ranking, RankingTables, rank
from tests.app.dashboard_data import KEY, OTHER_KEY, add_run


def ranking_of(warehouse: Warehouse, metric: str = "tau", key: str = KEY) -> Ranking:
    snapshot = Snapshot.take(warehouse.path)
    experiments = in_order(queries.experiments(snapshot))
    experiments = experiments[(experiments["dataset"] == "cifar10") & (experiments["size"] == "tiny")]
    known = queries.rankings(snapshot, "cifar10", key)
    return rank(
        experiments,
        RankingTables(
            known.ranking,
            known.tau_a,
            pd.concat([queries.noise_ceiling(snapshot, key, mask) for mask in experiments["mask"].unique()]),
            known.chance,
        ),
        "running",
        metric,
    )


@pytest.mark.parametrize("metric", METRICS.values())
def test_every_number_is_the_views(filled: Warehouse, metric: str) -> None:
    rows = ranking_of(filled, metric).rows.set_index("mask")
    assert sorted(rows.index) == ["", "Zero", "Zero+Pool"]
    seen = filled.query(
        """SELECT * FROM experiment_ranking
        WHERE dataset = 'cifar10' AND size = 'tiny' AND gt_key = ?
            AND architecture_set IN (SELECT unnest(?))""",
        [KEY, list(POINTS)],
    )
    assert len(seen) == 3 * len(POINTS)
    for view in seen.itertuples():
        point, row = POINTS[view.architecture_set], rows.loc[view.mask]
        told = [row[f"a_{point}_percent"], row[f"a_{point}_std_percent"], row[f"{metric}_{point}"]]
        assert told == pytest.approx(
            [100 * view.a_n_mean, 100 * view.a_n_std, getattr(view, f"{metric}_mean")], nan_ok=True
        )
        assert row[f"{metric}_{point}_std"] == pytest.approx(getattr(view, f"{metric}_std"), nan_ok=True)
        assert row["seeds"] == view.seeds == 2
    tau_a = filled.query(
        "SELECT * FROM experiment_tau_a WHERE dataset = 'cifar10' AND size = 'tiny' AND gt_key = ?", [KEY]
    )
    for view in tau_a.itertuples():
        assert rows.loc[view.mask, "tau_a"] == view.tau_a
        assert rows.loc[view.mask, "tau_a_mean"] == view.tau_a_mean


def test_the_best_tau_a_is_first_and_the_legend_tells_it(filled: Warehouse) -> None:
    ranking = ranking_of(filled)
    assert list(ranking.rows["tau_a"]) == sorted(ranking.rows["tau_a"])
    for row in ranking.rows.itertuples():
        assert row.series == f"{row.experiment} · τa {row.tau_a:.2f}".replace("-", "−")


def test_the_csv_is_the_table_in_full_precision_with_its_key(filled: Warehouse) -> None:
    ranking = ranking_of(filled)
    read = pd.read_csv(io.StringIO(csv_file(ranking.with_key(KEY))), keep_default_na=False, na_values=[""])
    assert set(read["gt_key"]) == {KEY}
    assert "tau_10" in read
    numbers = ranking.rows.select_dtypes("number").columns
    assert len(numbers) > 32
    for column in numbers:
        assert list(read[column].dropna()) == list(ranking.rows[column].dropna())


def test_one_seed_has_neither_deviation_nor_band(own: Warehouse, tmp_path: Path) -> None:
    ingest(own, [add_run(own, tmp_path / "more", "Pool", 0)])
    ranking = ranking_of(own)
    points = ranking.points[ranking.points["label"] == "Pool"]
    assert len(points) == 8
    assert points[["a_n_std", "a_n_low", "tau_high"]].isna().all(axis=None)
    assert points[["a_n", "tau"]].notna().all(axis=None)


def test_only_the_end_of_training_counts(own: Warehouse, tmp_path: Path) -> None:
    folder = add_run(own, tmp_path / "more", "Pool", 0)
    (folder / "predictions-20-running.parquet").rename(folder / "predictions-10-running.parquet")
    assert not ingest(own, [folder]).problems
    ranking = ranking_of(own)
    assert "Pool" in ranking.labels.values()
    assert "Pool" not in set(ranking.rows["experiment"])


def test_sets_that_no_run_predicted_wholly_are_left_out(filled: Warehouse) -> None:
    ranking = ranking_of(filled, key=OTHER_KEY)
    points = ranking.points[ranking.points["label"] == "none"]
    assert "random" in set(points["point"])
    assert "500" not in set(points["point"])
    assert pd.isna(ranking.rows.set_index("mask").loc["", "tau_500"])
    assert pd.isna(ranking.rows.set_index("mask").loc["", "tau_a"])


@pytest.mark.parametrize("metric", METRICS.values())
def test_the_noise_ceiling_stands_beside_every_tau(filled: Warehouse, metric: str) -> None:
    ranking = ranking_of(filled, metric)
    seen = filled.query(
        "SELECT * FROM noise_ceiling WHERE gt_key = ? AND architecture_set IN (SELECT unnest(?))",
        [KEY, list(POINTS)],
    ).set_index(["mask", "architecture_set"])
    assert len(ranking.points) == 3 * len(POINTS)
    names = {point: name for name, point in POINTS.items()}
    for row in ranking.points.itertuples():
        expected = seen.loc[(row.mask, names[row.point]), f"{metric}_to_others"]
        assert getattr(row, f"{metric}_ceiling") == pytest.approx(expected, abs=1e-12, nan_ok=True)
        told = ranking.rows.set_index("experiment_id").loc[row.experiment_id]
        assert told[f"ceiling_{metric}_{row.point}"] == pytest.approx(expected, abs=1e-12, nan_ok=True)
    order = list(ranking.rows["series"])
    spec = ranking_chart(Lines(ranking.points, order, looks_by_place(order)), ("a_n", metric)).to_dict()
    [drawn] = limits_of(spec, "one training")
    of_masks = ranking.points.groupby("point")[f"{metric}_ceiling"]
    for row in drawn.itertuples():
        assert row.low == pytest.approx(of_masks.min()[row.point])
        assert row.high == pytest.approx(of_masks.max()[row.point])
    one = ranking.points[ranking.points["mask"] == "Zero"]
    spec = ranking_chart(
        Lines(one, list(one["series"].unique()), looks_by_place(order)), ("a_n", metric)
    ).to_dict()
    [drawn] = limits_of(spec, "one training")
    assert (drawn["low"] == drawn["high"]).all(), "of one mask it is a line, and no range"
    assert not any(layer["mark"].get("opacity") == 0.13 for layer in layers(spec))


def limits_of(spec: dict[str, Any], name: str) -> list[pd.DataFrame]:
    """What is drawn in grey under a name, once each: point, low, high."""
    lines = [one for one in layers(spec) if one["encoding"].get("y", {}).get("field") == "high"]
    tables = {one["data"]["name"]: pd.DataFrame(spec["datasets"][one["data"]["name"]]) for one in lines}
    return [table for table in tables.values() if set(table["name"]) == {name} and len(table) > 1]


def test_a_single_trial_has_no_noise_ceiling(filled: Warehouse) -> None:
    ranking = ranking_of(filled, key=f"{KEY}#0")
    assert not ranking.points.empty
    assert ranking.points["tau_ceiling"].isna().all()
    order = list(ranking.rows["series"])
    assert (
        limits_of(
            ranking_chart(Lines(ranking.points, order, looks_by_place(order))).to_dict(), "one training"
        )
        == []
    )


def test_nothing_chosen_is_an_empty_table(filled: Warehouse) -> None:
    snapshot = Snapshot.take(filled.path)
    empty = queries.experiments(snapshot).iloc[:0]
    known = queries.rankings(snapshot, "cifar10", KEY)
    ranking = rank(
        empty,
        RankingTables(
            known.ranking,
            known.tau_a,
            queries.noise_ceiling(snapshot, KEY, ""),
            known.chance,
        ),
        "running",
    )
    assert ranking.rows.empty
    assert ranking.points.empty


def layers(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [layer for panel in spec["vconcat"] for layer in panel["layer"]]


def test_hidden_lines_keep_their_colours_and_a_line_breaks_at_a_missing_point(filled: Warehouse) -> None:
    ranking = ranking_of(filled, key=OTHER_KEY)
    series = list(ranking.rows["series"])[:1]
    shown = ranking.points[ranking.points["series"].isin(series)]
    order = ["hidden", *series, "also hidden"]
    spec = ranking_chart(Lines(shown, series, looks_by_place(order))).to_dict()
    assert len(spec["vconcat"]) == 2
    for layer in layers(spec):
        for channel in {"stroke", "fill"} & layer["encoding"].keys():
            if "scale" in layer["encoding"][channel]:
                assert layer["encoding"][channel]["scale"]["domain"] == order
                assert layer["encoding"][channel]["legend"] is None
    named = [layer for layer in layers(spec) if layer["encoding"].get("y", {}).get("field") == "name_at"]
    assert len(named) == 2, "a line's name stands at its end, in each panel"
    for layer in named:
        assert [row["series"] for row in spec["datasets"][layer["data"]["name"]]] == series
    drawn = next(rows for rows in spec["datasets"].values() if len(rows) == len(POINTS))
    assert [row["point"] for row in drawn] == list(POINTS.values())
    assert [row["a_n"] is None for row in drawn] == [
        point not in set(shown["point"]) for point in POINTS.values()
    ]


def test_more_lines_than_colours_differ_in_their_dash(filled: Warehouse) -> None:
    ranking = ranking_of(filled)
    order = [f"line {number}" for number in range(3 * COLOURS)]
    spec = ranking_chart(Lines(ranking.points, order, looks_by_place(order))).to_dict()
    assert not [layer for layer in layers(spec) if layer["encoding"].get("y", {}).get("field") == "name_at"]
    line = next(layer for layer in layers(spec) if "strokeDash" in layer["encoding"])
    dashes = line["encoding"]["strokeDash"]["scale"]["range"]
    assert line["encoding"]["stroke"]["legend"]["values"] == order, "too many to be named at their ends"
    colours = [place % COLOURS for place in range(len(dashes))]
    assert line["encoding"]["stroke"]["scale"]["domain"] == line["encoding"]["strokeDash"]["scale"]["domain"]
    assert len({(str(dash), colour) for dash, colour in zip(dashes, colours, strict=True)}) == len(order)
    marked = [
        name
        for layer in layers(spec)
        if layer["mark"]["type"] == "point"
        for one in layer["transform"]
        for name in one["filter"]["oneOf"]
    ]
    assert sorted(set(marked)) == sorted(order)
    assert len(marked) == 2 * len(order), "each line has one kind of mark in each panel"


def test_a_page_never_mixes_two_files(own: Warehouse, tmp_path: Path) -> None:
    before = Snapshot.take(own.path)
    ingest(own, [add_run(own, tmp_path / "more", "Pool", 0)])
    with pytest.raises(WarehouseReplacedError):
        shared_queries.runs(before)
    assert "Pool" in set(queries.experiments(Snapshot.take(own.path))["mask"])
    assert Snapshot.take(own.path) != before


def test_a_page_opens_the_file_once_and_closes_it(
    own: Warehouse, open_view: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    attached = Warehouse._attached

    def counted(warehouse: Warehouse, *limits: Limits) -> Any:
        opened.append(warehouse.path)
        return attached(warehouse, *limits)

    monkeypatch.setattr(Warehouse, "_attached", counted)
    for view in ("rankings", "search_space"):
        opened.clear()
        test = open_view(view, own.path)
        assert opened == [own.path]
        test.run()
        assert opened == [own.path], "all answers are there"
        duckdb.connect(str(own.path)).close()  # to write, which DuckDB refuses while it is open


def test_what_is_open_is_never_mixed_with_another_file(own: Warehouse, tmp_path: Path) -> None:
    with opened_once():
        before = Snapshot.take(own.path)
        assert "Pool" not in set(queries.experiments(before)["mask"])
        ingest(own, [add_run(own, tmp_path / "more", "Pool", 0)])
        with pytest.raises(WarehouseReplacedError):
            shared_queries.runs(before)
        assert "Pool" in set(queries.experiments(Snapshot.take(own.path))["mask"])


def test_no_file_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NasrankError, match="nasrank-train init"):
        Snapshot.take(tmp_path / "none.duckdb")
