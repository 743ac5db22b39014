from __future__ import annotations

import pandas as pd

from nasrank.report.charts.comparison_charts import curves_chart, forest_chart
from nasrank.report.charts.images import as_svg
from nasrank.report.charts.line_looks import looks_by_place


def differences() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "series": ["warm", "warm", "clipped"],
            "set": ["top-10", "random", "random"],
            "difference": [0.2, -0.1, 0.05],
            "low": [0.1, None, -0.4],
            "high": [0.3, None, 0.5],
            "seeds": [3, 1, 3],
            "p_value": [0.25, 1.0, 0.5],
            "p_holm": [0.5, 1.0, 0.5],
        }
    )


def test_the_forest_has_zero_sets_in_order_and_colours_of_all_experiments() -> None:
    order = ["baseline", "warm", "clipped"]
    chart = forest_chart(
        differences(), ["warm", "clipped"], looks_by_place(order), "difference in τ", width=500
    )
    spec = chart.to_dict()
    zero, interval, points = spec["layer"]
    assert spec["datasets"][zero["data"]["name"]] == [{"difference": 0}]
    assert (interval["encoding"]["x"]["field"], interval["encoding"]["x2"]["field"]) == ("low", "high")
    assert points["encoding"]["y"]["sort"] == ["top-10", "random"]
    assert points["encoding"]["fill"]["scale"]["domain"] == order
    assert points["encoding"]["fillOpacity"]["condition"]["test"] == "datum.certain"
    image = as_svg(chart)
    assert "difference in τ" in image
    # The one without an interval is hollow.
    assert image.count('fill-opacity="0"') == 1


def test_curves_have_a_panel_for_each_column_and_bands_where_there_are_ends() -> None:
    curves = pd.DataFrame(
        {
            "series": ["a", "a", "b", "b"],
            "line": ["a", "a", "b", "b"],
            "epoch": [1, 2, 1, 2],
            "loss": [2.0, 1.0, 2.5, 1.5],
            "loss_low": [1.9, 0.9, 2.4, 1.4],
            "loss_high": [2.1, 1.1, 2.6, 1.6],
            "accuracy": [None, 50.0, None, 40.0],
        }
    )
    titles = {"loss": "Training loss", "accuracy": "Accuracy (%)"}
    chart = curves_chart(curves, titles, ["a", "b"], looks_by_place(["z", "a", "b"]), width=400)
    loss, accuracy = chart.to_dict()["vconcat"]
    assert [layer["mark"]["type"] for layer in loss["layer"]] == ["area", "line", "point"]
    assert [layer["mark"]["type"] for layer in accuracy["layer"]] == ["line", "point"]
    assert loss["layer"][1]["encoding"]["stroke"]["scale"]["domain"] == ["z", "a", "b"]
    assert "Accuracy (%)" in as_svg(chart)
