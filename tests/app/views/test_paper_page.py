"""The page Paper as Streamlit runs it, without a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from nasrank.app.snapshot import Snapshot
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.seed import seed_warehouse
from nasrank.report import queries
from nasrank.report.charts.paper_charts import reported_chart
from nasrank.report.findings import STATEMENTS
from tests.samples import ROOT
from tests.study_data import KEY

KINDS = ["figure", "size", "mask", "lt", "variant"]
APP = ROOT / "app"


@pytest.fixture
def open_paper(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Opens the page on a warehouse, with URL parameters."""

    def opened(path: Path, **parameters: str) -> AppTest:
        monkeypatch.setenv("NASRANK_WAREHOUSE", str(path))
        test = AppTest.from_file(APP / "main.py", default_timeout=60)
        test.query_params.update(parameters)
        test.switch_page("views/paper/paper.py").run()
        assert not test.exception
        assert test.title[0].value == "Paper"
        return test

    return opened


def text(elements: Any) -> str:
    return "\n".join(str(element.value) for element in elements)


def test_findings_have_the_views_verdicts(studied: Warehouse, open_paper: Any) -> None:
    test = open_paper(studied.path)
    table = test.table[0].value.set_index("Finding")
    assert list(table.index) == [rf"{number}\. {told}" for number, told in STATEMENTS.items()]
    known = studied.query(
        """SELECT
            finding, dataset || ', ' || size AS scale, verdict, coalesce(verdict_by_tau_a, '') AS by_tau_a
        FROM finding
        WHERE gt_key = ?""",
        [KEY],
    )
    for row in known.dropna().itertuples():
        finding = rf"{row.finding}\. {STATEMENTS[row.finding]}"
        assert table.loc[finding, row.scale].endswith(row.verdict)
        assert table.loc[finding, f"{row.scale} by τa"].endswith(row.by_tau_a)
    assert table.loc[rf"6\. {STATEMENTS[6]}", "cifar10, S"] == "– not asked"
    better, well = test.table[1].value, test.table[2].value
    assert list(better["Of"])[:2] == ["mask Zero − none", "mask Zero+Pool − none"]
    assert better["Measure"].str.startswith("beside: ").tolist() == [False, False, True, True]
    assert better["Verdict"].tolist()[:2] == ["✔ supported, p 0.000 of 5"] * 2
    assert "after correction for 5" in better["Meaning"].iloc[0]
    assert "in the paper −1.00" in well["Claimed"].iloc[-1]
    assert well["Here"].str.endswith(", n 3").all()
    assert "Holm's correction" in text(test.markdown)
    assert "CIFAR-10, with five seeds" in text(test.markdown)


def test_the_121_values_stand_beside_ours(studied: Warehouse, open_paper: Any) -> None:
    test = open_paper(studied.path)
    table = test.dataframe[-1].value
    measured = table.dropna(subset="tau_a")
    assert len(table.drop_duplicates(["figure", "size", "mask", "lt", "variant"])) == 121
    assert (
        f"**{len(measured.drop_duplicates(['figure', 'size', 'mask', 'lt', 'variant']))} of the 121**"
        in text(test.markdown)
    )
    ours = studied.query(
        """SELECT experiment_id, tau_a, tau_a - reported_tau_a AS difference FROM experiment_tau_a
        JOIN experiment USING (experiment_id)
        WHERE gt_key = ? AND reported_tau_a IS NOT NULL AND epoch = epochs""",
        [KEY],
    )
    both = measured.merge(ours, on="experiment_id", suffixes=("", "_view"))
    assert set(both["experiment_id"]) == set(ours["experiment_id"])
    assert both["tau_a"].tolist() == pytest.approx(both["tau_a_view"].tolist())
    assert both["difference"].tolist() == pytest.approx(both["difference_view"].tolist())
    assert len(test.get("vega_lite_chart")) == table["figure"].nunique()
    assert f"differ by {measured['difference'].abs().mean():.2f} on average" in text(test.markdown)


def test_what_chance_gives_stands_beside_the_121_values(shipped: Warehouse, open_paper: Any) -> None:
    test = open_paper(shipped.path)
    printed = shipped.query("SELECT figure, size, mask, lt, variant, tau_a FROM reported_result")
    chance = shipped.query(
        """SELECT mask, low, high FROM chance
        WHERE gt_key = ? AND metric = 'tau_a' AND architecture_set = 'random' AND seeds = 5""",
        [KEY],
    ).set_index("mask")
    known = printed[printed["mask"].isin(chance.index)]
    # To the two digits that are printed.
    low, high = (known["mask"].map(chance[end]).round(2) for end in ("low", "high"))
    within = ((known["tau_a"] >= low) & (known["tau_a"] <= high)).sum()
    assert f"**{within} of {len(known)}** printed values" in text(test.markdown)
    assert within > 70, "eight points say little"


def test_ours_of_other_sizes_are_shown_once(shipped: Warehouse) -> None:
    snapshot = Snapshot.take(shipped.path)
    reported = queries.reported(snapshot, KEY, "running")
    charts = [
        reported_chart(
            of_figure.assign(experiment=of_figure["mask"] + of_figure["lt"] + of_figure["variant"]),
            pd.DataFrame({"experiment": ["baseline"], "size": ["tiny"], "tau_a": [0.5], "seeds": [3]}),
            width=400,
        ).to_dict()
        for _, of_figure in reported.groupby("figure")
    ]
    rings = [
        layer
        for chart in charts
        for layer in chart["layer"]
        if layer["encoding"]["x"]["field"] == "reported_tau_a"
    ]
    assert {layer["mark"]["shape"] for layer in rings} == {"circle", "cross"}, "two values can be no τa"
    drawn = sum(
        len(chart["datasets"][layer["data"]["name"]])
        for chart in charts
        for layer in chart["layer"]
        if layer in rings
    )
    assert drawn == len(reported)


def test_other_choices_are_in_the_address(studied: Warehouse, open_paper: Any) -> None:
    other = KEY.replace("cifar10-valid", "cifar100")
    test = open_paper(studied.path, ground_truth=other, bn_mode="batch")
    assert other in text(test.code)
    assert "**0 of the 121**" in text(test.markdown)
    assert "No experiments here can be compared for it." in text(test.markdown)
    wrong = open_paper(studied.path, bn_mode="none", colour="red", size="S")
    assert "bn_mode=none" in text(wrong.warning)
    assert "`colour`, which is no filter of this page" in text(wrong.warning)
    assert "size" not in text(wrong.warning), "other pages have it, and the address keeps it"
    assert wrong.query_params["size"] in ("S", ["S"])


def test_without_ground_truth_or_runs(ground_truth_file: Path, open_paper: Any, tmp_path: Path) -> None:
    test = open_paper(ground_truth_file)
    assert "**0 of the 121**" in text(test.markdown)
    assert "mixed" in test.table[0].value.to_string() or "supported" in test.table[0].value.to_string()
    empty = Warehouse(tmp_path / "nasrank.duckdb")
    empty.create(seed_warehouse)
    assert "no ground truth yet" in text(open_paper(empty.path).info)
