"""Scatter and Compare in a browser: a rectangle drawn with the mouse, hovering, zooming, files, addresses."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pandas as pd
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from nasrank.db.nb201.architectures import OPERATIONS, Architecture
from tests.app.dashboard_data import KEY
from tests.e2e.browsing import chart, choose, draw_rectangle, expect_parameters, parameters, settle, visit
from tests.e2e.conftest import Dashboard


def test_a_rectangle_lists_what_is_inside_and_zooms_to_it(
    page: Page, browser: Browser, dashboard: Dashboard, tmp_path: Path
) -> None:
    visit(page, f"{dashboard.url}/scatter?set=random&colour=C3x3")
    expect(chart(page)).to_have_accessible_name(re.compile(r"random: 1,000 points; τ"))
    draw_rectangle(page, chart(page))
    expect(page.get_by_text(re.compile(r"^\d+ architectures, best truth first"))).to_be_visible()
    settle(page)
    found = downloaded(page, "Download architectures", tmp_path)
    run_id = found["predictor"].unique().tolist()
    points = dashboard.warehouse.query(
        """SELECT arch_id, arch_str, 100 * truth AS truth, 100 * predicted AS predicted
        FROM prediction_point JOIN architecture USING (arch_id)
        WHERE run_id = ? AND gt_key = ? AND architecture_set = 'random' ORDER BY gt_rank""",
        [run_id[0], KEY],
    )
    inside = points[
        points["truth"].between(found["truth_percent"].min(), found["truth_percent"].max())
        & points["predicted"].between(found["predicted"].min(), found["predicted"].max())
    ]
    assert 1 < len(found) < 900
    assert found["arch_id"].tolist() == inside["arch_id"].tolist()
    assert found["arch_str"].tolist() == inside["arch_str"].tolist()
    assert found["predicted"].tolist() == pytest.approx(inside["predicted"].tolist())

    page.get_by_role("button", name="Zoom into the rectangle").click()
    name = re.compile(rf"random: {len(found)} points")
    expect(chart(page).and_(page.get_by_label(name))).to_be_visible()
    settle(page)
    limits = {"truth_from", "truth_to", "predicted_from", "predicted_to"}
    assert set(parameters(page)) == {*limits, "set", "colour"}
    other = browser.new_context().new_page()
    visit(other, page.url)
    expect(chart(other)).to_have_accessible_name(name)
    expect(other.get_by_text(f"{len(found)} architectures, best truth first")).to_be_visible()
    other.context.close()


def test_hovering_draws_the_architecture(page: Page, dashboard: Dashboard) -> None:
    visit(page, f"{dashboard.url}/scatter?set=top-500")
    expect(chart(page)).to_be_visible()
    tooltip = page.locator("#vg-tooltip-element.visible")
    hover_until(page, chart(page), tooltip)
    arch_id = int(tooltip.locator("tr", has_text="architecture").locator("td.value").inner_text())
    architecture = Architecture.from_id(arch_id)
    expect(tooltip).to_contain_text(architecture.string)
    picture = tooltip.get_by_role("img")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 100
    drawn = unquote(picture.get_attribute("src") or "").removeprefix("data:image/svg+xml,")
    for operation in architecture.used:
        assert drawn.count(f">{OPERATIONS[operation]}<") == architecture.operations.count(operation)


def test_differences_are_downloaded_as_the_views_have_them(
    page: Page, dashboard: Dashboard, tmp_path: Path
) -> None:
    ids = dashboard.warehouse.query(
        """SELECT experiment_id FROM experiment
        WHERE dataset = 'cifar10' AND size = 'tiny' AND mask IN ('', 'Zero+Pool') ORDER BY mask"""
    )["experiment_id"].tolist()
    visit(page, f"{dashboard.url}/compare?experiment={ids[0]}&experiment={ids[1]}")
    expect(page.get_by_role("heading", name="Difference to none")).to_be_visible()
    choose(page, "Metric", "Spearman")
    forest = page.get_by_role("figure", name=re.compile("Differences in Spearman to none")).or_(
        page.get_by_label(re.compile("^Differences in Spearman to none"))
    )
    expect(forest.first).to_be_visible()
    expect_parameters(page, {"experiment": ids, "metric": ["spearman"]})
    found = downloaded(page, "Download differences", tmp_path)
    view = dashboard.warehouse.query(
        """WITH pair AS (SELECT $one AS experiment_id, $other AS other_id)
        SELECT differences.*
        FROM compare_means('run_ranking', 'pair') AS differences
        JOIN set_definition USING (architecture_set)
        WHERE gt_key = $key AND is_paper_set""",
        {"one": ids[1], "other": ids[0], "key": KEY},
    )
    both = found.merge(view, on=["architecture_set", "metric"], suffixes=("", "_view"))
    assert len(both) == len(found) == len(view) == 8 * 9 + 1
    for row in both.itertuples():
        scale = 100 if row.metric == "a_n" else 1
        assert row.difference == pytest.approx(scale * row.difference_view)
        assert row.high - row.low == pytest.approx(2 * scale * row.difference_interval)


def hover_until(page: Page, panel: Locator, seen: Locator) -> None:
    """Over the panel line by line, until the pointer meets a point."""
    box = panel.bounding_box()
    assert box is not None
    for down in range(30, 70, 3):
        for across in range(20, 90, 2):
            page.mouse.move(box["x"] + across / 100 * box["width"], box["y"] + down / 100 * box["height"])
            if seen.count():
                return
    pytest.fail("no point was met")


def downloaded(page: Page, button: str, folder: Path) -> pd.DataFrame:
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    download.value.save_as(folder / "file.csv")
    return pd.read_csv(folder / "file.csv", dtype={"digits": str})
