"""The matrix of experiments, against the rows of the table that it shows."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from nasrank.app.snapshot import Snapshot
from nasrank.db.warehouse.file import Warehouse
from nasrank.report import queries
from nasrank.report.charts.images import as_png, as_svg
from nasrank.report.charts.labels import UNTRAINED_NAMES, in_order
from nasrank.report.charts.line_looks import looks_by_place
from nasrank.report.charts.ranking_chart import Lines, ranking_chart
from nasrank.report.charts.ranking_matrix import TAU_A, HeatMap, matrix, matrix_chart
from nasrank.report.charts.ranking_table import METRICS, POINTS, Ranking, RankingTables, rank, seed_points
from tests.study_data import KEY


def ranking_of(warehouse: Warehouse, **choice: str) -> tuple[Ranking, pd.DataFrame]:
    snapshot = Snapshot.take(warehouse.path)
    experiments = in_order(queries.experiments(snapshot))
    known = queries.rankings(snapshot, "cifar10", KEY)
    ranking = rank(
        experiments,
        RankingTables(
            known.ranking,
            known.tau_a,
            queries.noise_ceiling(snapshot, KEY, ""),
            known.chance,
        ),
        "running",
        **choice,
    )
    return ranking, experiments


def seeds_of(warehouse: Warehouse, ranking: Ranking) -> pd.DataFrame:
    runs = queries.rankings(Snapshot.take(warehouse.path), "cifar10", KEY).seeds
    return seed_points(ranking.points, "running", runs)


@pytest.mark.parametrize("dimension", ["variant", "lt", "size"])
@pytest.mark.parametrize("value", [TAU_A, "50", "random"])
def test_every_experiment_has_one_cell_with_its_own_number(
    studied: Warehouse, dimension: str, value: str
) -> None:
    ranking, experiments = ranking_of(studied, metric="spearman")
    column = TAU_A if value == TAU_A else f"spearman_{value}"
    cells = matrix(ranking, experiments, dimension, column)
    assert sorted(cells["experiment_id"]) == sorted(ranking.rows["experiment_id"])
    assert not cells.duplicated(["row", "column"]).any()
    known = ranking.rows.set_index("experiment_id")
    for cell in cells.itertuples():
        row = known.loc[cell.experiment_id]
        if pd.isna(row["size"]):
            assert (cell.row, cell.column) == (row["mask"] or "none", UNTRAINED_NAMES[row["name"]])
            assert pd.isna(cell.seeds)
        else:
            assert cell.column == (row[dimension] or "none")
            assert cell.seeds == row["seeds"]
        assert cell.value == pytest.approx(row[column], abs=0, nan_ok=True)
        if value == TAU_A:
            assert cell.reported == row["reported_tau_a"] or pd.isna(row["reported_tau_a"])
        else:
            assert pd.isna(cell.reported)
    assert cells["reported"].notna().any() == (value == TAU_A)


def test_rows_come_by_mask_or_the_best_first(studied: Warehouse) -> None:
    ranking, experiments = ranking_of(studied)
    assert matrix(ranking, experiments, "variant", TAU_A)["row"][0].startswith("none")
    for value, best in ((TAU_A, min), ("tau_100", max)):
        cells = matrix(ranking, experiments, "variant", value, best_first=True)
        means = cells.groupby("row", sort=False)["value"].mean()
        assert means.iloc[0] == best(means)
        assert means.is_monotonic_increasing if best is min else means.is_monotonic_decreasing


def test_the_heat_map_tells_seeds_and_the_papers_value(studied: Warehouse) -> None:
    ranking, experiments = ranking_of(studied)
    cells = matrix(ranking, experiments, "variant", TAU_A)
    spec = matrix_chart(HeatMap(cells, "variant", TAU_A, "τa")).to_dict()
    told = {row["experiment_id"]: row for rows in spec["datasets"].values() for row in rows}
    reported = cells.dropna(subset="reported").iloc[0]
    paper = f"{reported['reported']:.2f}".replace("-", "−")
    chance = " · chance" if reported["is_within_chance"] else ""
    assert told[reported["experiment_id"]]["note"] == f"n {reported['seeds']}{chance} · paper {paper}"
    at_ten = matrix_chart(
        HeatMap(matrix(ranking, experiments, "variant", "tau_10"), "variant", "tau", "tau-b at 10")
    ).to_dict()
    notes = {row["note"] for rows in at_ten["datasets"].values() for row in rows}
    assert {note.removesuffix(" · chance") for note in notes} == {"n 1", "n 3", "untrained"}
    assert any(note.endswith("chance") for note in notes)
    # The scale goes from orange to blue. Blue is better: low τa, but a high correlation.
    scales = [
        matrix_chart(HeatMap(cells, "variant", metric, metric)).to_dict()["layer"][0]["encoding"]["color"][
            "scale"
        ]["reverse"]
        for metric in (TAU_A, "tau")
    ]
    assert scales == [True, False]


@pytest.mark.parametrize("metric", METRICS.values())
def test_the_interval_band_is_the_views(studied: Warehouse, metric: str) -> None:
    ranking, _ = ranking_of(studied, metric=metric, band="interval")
    rows = studied.query(
        "SELECT * FROM experiment_ranking WHERE gt_key = ? AND architecture_set IN (SELECT unnest(?))",
        [KEY, list(POINTS)],
    ).set_index(["experiment_id", "architecture_set"])
    names = {point: name for name, point in POINTS.items()}
    several = ranking.points[ranking.points["seeds"] > 1]
    assert len(several) > 50
    for point in several.itertuples():
        row = rows.loc[(point.experiment_id, names[point.point])]
        half = (getattr(point, f"{metric}_high") - getattr(point, f"{metric}_low")) / 2
        assert half == pytest.approx(row[f"{metric}_interval"], abs=1e-12, nan_ok=True)
        assert point.a_n_high - point.a_n == pytest.approx(100 * row["a_n_interval"], abs=1e-9)


def test_single_seeds_average_to_the_line(studied: Warehouse) -> None:
    ranking, _ = ranking_of(studied)
    seeds = seeds_of(studied, ranking)
    assert len(seeds) == ranking.points["seeds"].sum()
    means = seeds.groupby(["series", "point"])[["a_n", *METRICS.values()]].mean()
    for point in ranking.points.itertuples():
        mean = means.loc[(point.series, point.point)]
        assert mean["a_n"] == pytest.approx(point.a_n, nan_ok=True)
        assert mean["tau"] == pytest.approx(point.tau, nan_ok=True)


def layers(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [layer for panel in spec["vconcat"] for layer in panel["layer"]]


def test_a_chart_with_single_seeds_has_a_line_for_each_and_no_band(studied: Warehouse) -> None:
    ranking, _ = ranking_of(studied)
    seeds = seeds_of(studied, ranking)
    order = list(ranking.rows["series"])
    drawn = layers(ranking_chart(Lines(ranking.points, order, looks_by_place(order), seeds)).to_dict())
    bands = [layer["encoding"]["y"]["field"] for layer in drawn if layer["mark"]["type"] == "area"]
    assert bands == ["permutations_low"], "but that of chance"
    assert sum(layer["encoding"].get("detail", {}).get("field") == "seed" for layer in drawn) == 2


def test_picked_elsewhere_counts_until_something_is_picked_here(studied: Warehouse) -> None:
    ranking, experiments = ranking_of(studied)
    cells = matrix(ranking, experiments, "variant", TAU_A)
    name = cells["series"][0]
    box = matrix_chart(HeatMap(cells, "variant", TAU_A, "τa"), picked=[name]).to_dict()["layer"][0]
    here, elsewhere = box["encoding"]["opacity"]["condition"]
    assert here == {"param": "picked", "empty": False, "value": 1}
    assert elsewhere["test"].startswith("!picked.series && ")
    assert json.dumps([name]) in elsewhere["test"]
    assert box["encoding"]["opacity"]["value"] < 0.5


def test_what_an_image_needs_is_in_it(studied: Warehouse) -> None:
    """Drawn with a width of its own, offline."""
    ranking, experiments = ranking_of(studied)
    cells = matrix(ranking, experiments, "variant", TAU_A)
    chart = matrix_chart(HeatMap(cells, "variant", TAU_A, "τa"), width=800)
    assert "paper" in as_svg(chart)
    assert as_png(chart).startswith(b"\x89PNG")


@pytest.mark.parametrize("value", [TAU_A, "50", "random"])
def test_what_chance_gives_too_is_pale(studied: Warehouse, value: str) -> None:
    """As the warehouse tells it, for every cell; under a key that no run was asked for, nothing is."""
    ranking, experiments = ranking_of(studied)
    column = TAU_A if value == TAU_A else f"tau_{value}"
    cells = matrix(ranking, experiments, "variant", column).set_index("experiment_id")
    told = studied.query(
        """SELECT experiment_id, leaves, is_within_chance FROM experiment_beside_chance
        WHERE gt_key = ? AND metric = ? AND architecture_set = ? AND bn_mode IN ('running', 'untrained')""",
        [
            KEY,
            "tau_a" if value == TAU_A else "tau",
            "random" if value in (TAU_A, "random") else f"top-{value}",
        ],
    ).set_index("experiment_id")
    assert value == "random" or set(cells["is_within_chance"]) == {True, False}
    for experiment_id, cell in cells.iterrows():
        assert cell["is_within_chance"] == told.loc[experiment_id, "is_within_chance"]
        assert cell["leaves"] == told.loc[experiment_id, "leaves"]
    metric = TAU_A if value == TAU_A else "tau"
    spec = matrix_chart(HeatMap(cells.reset_index(), "variant", metric, value)).to_dict()
    assert spec["layer"][0]["encoding"]["color"]["field"] == "shown"
    drawn = {row["experiment_id"]: row["shown"] for rows in spec["datasets"].values() for row in rows}
    for experiment_id, cell in cells.iterrows():
        part = 0.2 if cell["is_within_chance"] else 1
        assert drawn[experiment_id] == pytest.approx(part * cell["value"], nan_ok=True)
