from __future__ import annotations

import json

import altair as alt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasrank.db.nb201.architectures import OPERATIONS, Architecture
from nasrank.report.charts.images import as_svg
from nasrank.report.charts.paper_charts import binned
from nasrank.report.charts.scatter_chart import (
    COLOURINGS,
    DRAWN,
    EQUAL,
    TRUE_RANK,
    Panel,
    coloured,
    panel_chart,
)


def points(n: int) -> pd.DataFrame:
    architectures = [Architecture.from_id(arch_id) for arch_id in range(n)]
    generator = np.random.default_rng(n)
    return pd.DataFrame(
        {
            "arch_id": range(n),
            "digits": [architecture.digits for architecture in architectures],
            "gt_rank": range(1, n + 1),
            "truth": generator.normal(90, 1, n),
            "predicted": generator.normal(50, 5, n),
            "constant": [architecture.digits == "000000" for architecture in architectures],
            "first_of_class": [arch_id % 2 == 0 for arch_id in range(n)],
        }
    )


def drawn(chart: alt.Chart) -> dict[str, object]:
    with alt.data_transformers.enable("default", max_rows=None):
        told: dict[str, object] = chart.to_dict()
    return told


@given(st.text("01234", min_size=6, max_size=6))
def test_an_operation_colours_by_the_edges_that_have_it(digits: str) -> None:
    row = pd.DataFrame({"digits": [digits]})
    counts = [int(coloured(row, operation)[0]) for operation in OPERATIONS]
    assert counts == [Architecture.from_digits(digits).operations.count(number) for number in range(5)]
    assert sum(counts) == 6


def test_categories_are_of_rank_and_class() -> None:
    rows = points(600)
    ranks = coloured(rows, TRUE_RANK)
    assert ranks.value_counts().to_dict() == {"500 best": 450, "others": 100, "50 best": 40, "10 best": 10}
    assert ranks[[0, 9, 10, 49, 50, 499, 500]].tolist() == [
        *["10 best"] * 2,
        *["50 best"] * 2,
        *["500 best"] * 2,
        "others",
    ]
    rows["constant"] = [place == 4 for place in range(600)]
    assert coloured(rows, EQUAL)[:5].tolist() == [
        "first of its class",
        "equal to another",
        "first of its class",
        "equal to another",
        "constant output",
    ]


def test_bins_count_every_point_once_and_average_what_is_in_them() -> None:
    rows = points(5_000)
    value = coloured(rows, "C3x3")
    bins = binned(rows["truth"], rows["predicted"], value)
    assert bins["architectures"].sum() == 5_000
    assert (bins["mean_value"] * bins["architectures"]).sum() == pytest.approx(value.sum())
    one = bins.sample(1, random_state=0).iloc[0]
    inside = rows["truth"].between(one["x_low"], one["x_high"], inclusive="left")
    inside &= rows["predicted"].between(one["y_low"], one["y_high"], inclusive="left")
    assert inside.sum() == one["architectures"]
    assert value[inside].mean() == pytest.approx(one["mean_value"])


@pytest.mark.parametrize("colour", COLOURINGS)
@pytest.mark.parametrize("n", [1, 50, DRAWN, DRAWN + 1])
def test_few_are_points_and_many_are_bins(n: int, colour: str) -> None:
    chart = panel_chart(Panel(points(n), ["title", "τ 0.41"]), colour, width=300)
    spec = drawn(chart)
    assert spec["mark"]["type"] == ("point" if n <= DRAWN else "rect")  # type: ignore[index]
    assert [parameter["name"] for parameter in spec["params"]] == ["brush"]  # type: ignore[attr-defined]
    # Both tell a brush by the same fields.
    encoding = spec["encoding"]
    assert (encoding["x"]["field"], encoding["y"]["field"]) == ("truth", "predicted")  # type: ignore[index]
    assert "τ 0.41" in as_svg(chart)
    # The data of a panel stay small, whatever is drawn.
    assert len(json.dumps(spec)) < 400_000


def test_the_string_is_put_together_by_the_browser() -> None:
    """As the benchmark writes it, for an architecture with each operation."""
    architecture = Architecture.from_digits("012343")
    row = points(1).assign(digits=architecture.digits)
    chart = panel_chart(Panel(row, ["one"]), "nothing", width=300)
    calculated = chart.transform[0]
    told = alt.Chart(row).mark_text(limit=0).encode(text=alt.Text("string:N"))
    told.transform = [calculated]
    assert architecture.string.replace(">", "&gt;") in as_svg(told.properties(width=600))


def test_limits_are_the_ends_of_the_axes() -> None:
    chart = drawn(panel_chart(Panel(points(50), ["t"], "%", ([80, 95], None)), "nothing", width=300))
    scales = {axis: chart["encoding"][axis]["scale"] for axis in ("x", "y")}  # type: ignore[index]
    assert scales["x"]["domain"] == [80, 95]
    assert "domain" not in scales["y"]
    assert scales["y"]["zero"] is False
