"""Curves over epochs: which panels there are, what they hold, and that marks do not hide each other."""

from __future__ import annotations

from itertools import pairwise

import pandas as pd
import pytest

from nasrank.report.charts.images import as_svg
from nasrank.report.charts.run_charts import CURVES, METRICS, epochs_chart, epochs_description


def curves(series: str, epochs: int) -> pd.DataFrame:
    """Validated every tenth epoch, and without training accuracy."""
    numbers = range(1, epochs + 1)
    return pd.DataFrame(
        {
            "series": series,
            "epoch": numbers,
            "train_loss": [2.3 / number for number in numbers],
            "train_accuracy": [None] * epochs,
            "valid_accuracy": [float(number) if number % 10 == 0 else None for number in numbers],
            "learning_rate": 0.1,
        }
    )


def test_a_panel_for_each_column_that_has_values() -> None:
    points = pd.concat([curves("a", 250), curves("b", 30)])
    drawn = epochs_chart(points, ["a", "b"], CURVES, width=600).to_dict()
    titles = [panel["title"]["text"] for panel in drawn["vconcat"]]
    assert titles == [CURVES["train_loss"], CURVES["valid_accuracy"], CURVES["learning_rate"]]
    lines = [panel["layer"][0] for panel in drawn["vconcat"]]
    held = [drawn["datasets"][line["data"]["name"]] for line in lines]
    assert [len(rows) for rows in held] == [280, 28, 280]
    assert held[1][0] == {"series": "a", "epoch": 10, "valid_accuracy": 10}
    assert all(line["encoding"]["x"]["scale"]["domain"] == [0, 250] for line in lines)
    description = epochs_description(points, ["a", "b"], CURVES)
    assert "over epochs to 250, 2 lines: a, b" in description
    assert CURVES["train_accuracy"] not in description


@pytest.mark.parametrize("epochs", [1, 7, 12, 13, 250])
def test_marks_are_few_and_the_last_epoch_has_one(epochs: int) -> None:
    drawn = epochs_chart(curves("a", epochs), ["a"], {"train_loss": "loss"}).to_dict()
    marks = drawn["vconcat"][0]["layer"][1]
    marked = [row["epoch"] for row in drawn["datasets"][marks["data"]["name"]]]
    assert marked[-1] == epochs
    assert min(epochs, 6) <= len(marked) <= 12
    assert len({later - earlier for earlier, later in pairwise(marked)}) <= 1


def test_every_line_is_in_the_legend() -> None:
    """Vega's own legend would end at 30 with "…15 entries"."""
    series = [f"run {number:02}" for number in range(45)]
    points = pd.DataFrame({"series": series * 2, "epoch": [1] * 45 + [2] * 45, "train_loss": 1.5})
    svg = as_svg(epochs_chart(points, series, {"train_loss": "loss"}, width=700))
    assert [name for name in series if f">{name}<" not in svg] == []


def test_it_is_drawn_in_both_forms() -> None:
    points = pd.DataFrame(
        {"series": "a & b", "epoch": [5, 10], "a_n": [40.0, 60.0], "tau": [float("nan"), -0.25]}
    )
    svg = as_svg(epochs_chart(points, ["a & b"], METRICS, width=400))
    assert METRICS["tau"] in svg
    assert "a &amp; b" in svg
    assert epochs_chart(points, ["a & b"], METRICS).to_dict()["autosize"]["type"] == "fit-x"
