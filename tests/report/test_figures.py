from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from nasrank.db.warehouse.file import Warehouse
from nasrank.report.figures import TITLES, Figure, NotDrawn, ReportKey, draw_figures
from tests.study_data import KEY

REPORT_KEY = ReportKey(KEY, "running")


@pytest.fixture(scope="module")
def drawn(studied: Warehouse) -> dict[str, Figure | NotDrawn]:
    with studied.reading() as reading:
        figures = list(draw_figures(reading, REPORT_KEY))
    return {figure.name if isinstance(figure, Figure) else figure.number: figure for figure in figures}


def figure(drawn: dict[str, Figure | NotDrawn], name: str) -> Figure:
    found = drawn[name]
    assert isinstance(found, Figure)
    return found


def test_every_figure_is_drawn_or_says_why_not(drawn: dict[str, Figure | NotDrawn]) -> None:
    assert list(dict.fromkeys(figure.number for figure in drawn.values())) == list(TITLES)
    assert {name for name, found in drawn.items() if isinstance(found, Figure)} == {
        *(f"figure-02-cifar10-{size}" for size in ("S", "M", "depth-3")),
        "figure-03",
        *(f"figure-{number:02}-cifar10-{size}" for number in (4, 5, 6, 11, 12) for size in ("S", "M")),
        "figure-04-cifar10-depth-3",
        "figure-09-cifar10-S",
        "figure-11-cifar10-depth-3",
        "figure-10-datasets",
        "figure-10-agreement",
        "figure-14-cifar10",
    }
    lacking = drawn["7"]
    assert isinstance(lacking, NotDrawn)
    assert "no finished run with mask Skip+C1x1; mask Skip+C3x3; mask C1x1+C3x3 has" in lacking.reason


def test_lines_are_the_views(studied: Warehouse, drawn: dict[str, Figure | NotDrawn]) -> None:
    """Figure 4 shows the four masks of S, each point as the view has it, and nothing else."""
    shown = figure(drawn, "figure-04-cifar10-S").data
    known = studied.query(
        """SELECT mask, architecture_set, a_n_mean, tau_mean, tau_std, seeds FROM experiment_ranking
        WHERE gt_key = ? AND size = 'S' AND lt = '' AND variant = 'baseline' AND epoch = 20
            AND is_paper_set""",
        [KEY],
    )
    assert len(shown) == len(known) == 4 * 8
    known["point"] = known["architecture_set"].str.removeprefix("top-")
    both = shown.merge(known, on=["mask", "point"], suffixes=("", "_view"))
    assert len(both) == len(shown)
    assert both["a_n"].to_numpy() == pytest.approx(100 * both["a_n_mean"].to_numpy())
    assert both["tau"].to_numpy() == pytest.approx(both["tau_mean"].to_numpy())
    assert both["tau_low"].to_numpy() == pytest.approx((both["tau_mean"] - both["tau_std_view"]).to_numpy())


def test_experiments_with_other_settings_are_left_out_and_counted(
    drawn: dict[str, Figure | NotDrawn],
) -> None:
    """The run of seven epochs is in no figure of S; baselines stand beside what is compared with them."""
    told = "1 experiments with other settings and fewer runs are left out."
    for name in ("figure-02-cifar10-S", "figure-04-cifar10-S", "figure-06-cifar10-S"):
        assert figure(drawn, name).caption.endswith(told)
        assert "left out" not in figure(drawn, name.replace("-S", "-M")).caption
    variants = figure(drawn, "figure-06-cifar10-S").data
    labels = set(variants["label"])
    assert labels == {
        "none",
        "none · grad-clipping",
        "none · uniform-sampling",
        "none · warmup",
        "Zero",
    }


def test_depths_stand_side_by_side(drawn: dict[str, Figure | NotDrawn]) -> None:
    depths = figure(drawn, "figure-14-cifar10").data
    assert {label.split(" · ")[-1].split()[0] for label in depths["label"]} == {"S", "M", "depth-3"}


def test_points_are_those_of_the_first_seed(studied: Warehouse, drawn: dict[str, Figure | NotDrawn]) -> None:
    points = figure(drawn, "figure-02-cifar10-S").data
    assert set(points["label"]) == {f"mask {mask}, seed 0" for mask in ("none", "Zero", "Zero+Pool")}
    assert points["architecture_set"].value_counts().to_dict() == {
        "random": 1000 + 1000 + 729,
        "top-250": 3 * 250,
        "top-50": 3 * 50,
    }
    predicted = studied.query(
        "SELECT run_id, arch_id, 100 * accuracy AS known FROM prediction WHERE bn_mode <> 'untrained'"
    )
    both = points.merge(predicted, on=["run_id", "arch_id"])
    assert both["predicted"].to_numpy() == pytest.approx(both["known"].to_numpy())


def test_operations_add_up(drawn: dict[str, Figure | NotDrawn]) -> None:
    usage = figure(drawn, "figure-03").data
    shares = usage[usage["measure"] == "share of all edges (%)"].groupby(["mask", "point"])["percent"].sum()
    assert len(shares) == 6 * 8
    assert shares.to_numpy() == pytest.approx(100)


def test_data_sets_of_all_architectures(drawn: dict[str, Figure | NotDrawn]) -> None:
    found = figure(drawn, "figure-10-datasets")
    assert list(found.data.columns) == ["arch_id", "ImageNet16-120", "cifar10-valid", "cifar100"]
    counted = sum(
        sum(row["architectures"] for row in rows) for rows in found.chart.to_dict()["datasets"].values()
    )
    assert counted == 3 * 15_625
    agreement = figure(drawn, "figure-10-agreement").data
    assert set(agreement["series"]) == {"ImageNet16-120 valid", "cifar100 valid"}
    assert set(agreement["point"]) == {"10", "25", "50", "100", "150", "250", "500", "all"}


def test_a_warehouse_without_runs(ground_truth_file: Path) -> None:
    with Warehouse(ground_truth_file).reading() as reading:
        figures = list(draw_figures(reading, REPORT_KEY))
    assert {figure.number for figure in figures if isinstance(figure, Figure)} == {"3", "10"}
    assert {figure.number for figure in figures if isinstance(figure, NotDrawn)} == set(TITLES) - {"3", "10"}


def test_charts_have_the_numbers_of_their_data(drawn: dict[str, Figure | NotDrawn]) -> None:
    spec = figure(drawn, "figure-12-cifar10-S").chart.to_dict()
    assert len(spec["vconcat"]) == 4  # A_N, τ, Spearman, Pearson
    rows = pd.concat(pd.DataFrame(rows) for rows in spec["datasets"].values() if "pearson" in rows[0])
    shown = figure(drawn, "figure-12-cifar10-S").data
    assert set(rows["pearson"].dropna()) == set(shown["pearson"].dropna())
