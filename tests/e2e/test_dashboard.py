"""What only a browser shows: drawing, the URL, downloads, accessibility, a file replaced while open."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from nasrank.db.ingest.folders import ingest
from nasrank.db.nb201.architectures import Architecture
from nasrank.report.charts.ranking_table import POINTS
from tests.app.dashboard_data import DIGITS, KEY, add_run
from tests.e2e.browsing import chart, choose, expect_parameters, lines, parameters, settle, visit
from tests.e2e.conftest import Dashboard, serve


def test_both_panels_are_drawn_and_nothing_else_is_asked(page: Page, dashboard: Dashboard) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    visit(page, dashboard.url)
    expect(lines(page)).to_be_visible()
    expect(lines(page)).to_have_accessible_name(re.compile(r"3 lines: .*Zero\+Pool · τa −?\d\.\d\d"))
    box = lines(page).bounding_box()
    assert box is not None
    assert box["width"] > 800
    assert box["height"] > 600
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert errors == []
    assert {urlsplit(url).netloc for url in asked if not url.startswith(("data:", "blob:"))} == {
        urlsplit(dashboard.url).netloc
    }


def test_a_filter_changes_chart_and_url_and_the_url_restores_it(
    page: Page, browser: Browser, dashboard: Dashboard
) -> None:
    visit(page, dashboard.url)
    expect(lines(page)).to_have_accessible_name(re.compile("3 lines"))
    choose(page, "Mask", "Zero+Pool")
    expect(lines(page)).to_have_accessible_name(re.compile(r"1 lines: Zero\+Pool"))
    choose(page, "Metric", "Equation 2")
    expect(lines(page)).to_have_accessible_name(re.compile(r"and Equation 2 over N"))
    expect_parameters(page, {"mask": ["Zero+Pool"], "metric": ["tau_eq2"]})

    other = browser.new_context().new_page()
    visit(other, page.url)
    expect(lines(other)).to_have_accessible_name(re.compile(r"and Equation 2 over N, 1 lines: Zero\+Pool"))
    other.get_by_test_id("stPopover").last.click()
    link = other.get_by_role("link", name="Link to exactly this choice").get_attribute("href")
    assert link is not None
    [zero_pool] = dashboard.warehouse.query(
        """SELECT experiment_id FROM experiment
        WHERE mask = 'Zero+Pool' AND dataset = 'cifar10' AND kind = 'trained' AND size = 'tiny'"""
    )["experiment_id"]
    assert parse_qs(urlsplit(link).query) == {
        "dataset": ["cifar10"],
        "ground_truth": [KEY],
        "metric": ["tau_eq2"],
        "set": ["random"],
        "band": ["deviation"],
        "size": ["tiny"],
        "mask": ["Zero+Pool"],
        "columns": ["variant"],
        "rows": ["by mask"],
        "untrained": ["params"],
        "bn_mode": ["running"],
        "reference": [zero_pool],
    }
    other.context.close()


def test_back_undoes_one_choice_and_pages_share_what_is_chosen(page: Page, dashboard: Dashboard) -> None:
    visit(page, dashboard.url)
    choose(page, "Mask", "Zero")
    expect_parameters(page, {"mask": ["Zero"]})
    choose(page, "Metric", "Equation 2")
    expect_parameters(page, {"mask": ["Zero"], "metric": ["tau_eq2"]})
    choose(page, "Truth", "cifar100")
    told = {"mask": ["Zero"], "metric": ["tau_eq2"]}
    expect_parameters(page, told | {"ground_truth": [KEY.replace("cifar10-valid", "cifar100")]})
    steps = page.evaluate("history.length")
    page.go_back()
    expect(page.get_by_text("accuracy on cifar10-valid after 200 epochs")).to_be_visible()
    expect_parameters(page, told)
    page.go_back()
    expect(lines(page)).to_have_accessible_name(re.compile("and τ tau-b over N, 1 lines: Zero"))
    page.go_back()
    expect(lines(page)).to_have_accessible_name(re.compile("and τ tau-b over N, 3 lines"))
    expect_parameters(page, {})
    page.go_forward()
    expect(lines(page)).to_have_accessible_name(re.compile("1 lines: Zero"))
    assert page.evaluate("history.length") == steps, "one choice is one step"

    for title in ("Compare", "Runs", "Search space", "Scatter"):
        page.get_by_role("link", name=title, exact=True).click()
        expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
        settle(page)
        assert parameters(page)["mask"] == ["Zero"], title
        bar = page.get_by_test_id("stPopover")
        expect(bar.get_by_role("button", name=re.compile(r"^Mask Zero\b"))).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", level=1, name="Search space")).to_be_visible()


def test_a_click_picks_an_experiment_on_every_chart_and_in_the_url(
    page: Page, browser: Browser, dashboard: Dashboard
) -> None:
    page.set_viewport_size({"width": 1440, "height": 3000})  # both charts in sight
    visit(page, f"{dashboard.url}/?mask=Zero&mask=Zero%2BPool")
    cells = page.get_by_test_id("stVegaLiteChart").nth(2)
    expect(cells).to_have_accessible_name(
        re.compile(r"τ tau-b, random sample as a heat map, a row each for Zero, Zero\+Pool")
    )
    # Where it is, once the chart above has its height.
    expect(lines(page).locator("svg.marks")).to_be_visible()
    expect(cells.locator("svg.marks")).to_be_visible()
    page.wait_for_timeout(1_000)
    box = cells.bounding_box()
    assert box is not None
    # The second of two rows of 46 pixels below the columns' names.
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 95)
    picked = page.get_by_test_id("stMultiSelect").filter(has_text="Picked experiments")
    expect(picked).to_contain_text("Zero+Pool")
    settle(page)
    [zero_pool] = dashboard.warehouse.query(
        "SELECT experiment_id FROM experiment WHERE mask = 'Zero+Pool' AND dataset = 'cifar10'"
    )["experiment_id"]
    assert parameters(page)["experiment"] == [zero_pool]

    other = browser.new_context().new_page()
    visit(other, page.url)
    picked = other.get_by_test_id("stMultiSelect").filter(has_text="Picked experiments")
    expect(picked).to_contain_text("Zero+Pool")
    settle(page)
    picked.get_by_role("button", name="Clear all").click()
    expect(picked).not_to_contain_text("Zero+Pool")
    expect(other).not_to_have_url(re.compile("experiment="))
    other.context.close()


def test_the_first_click_on_a_name_picks_its_line(page: Page, dashboard: Dashboard) -> None:
    page.set_viewport_size({"width": 1440, "height": 2200})
    visit(page, dashboard.url)
    name = lines(page).locator("text").filter(has_text=re.compile(r"^Zero\+Pool$")).first
    expect(name).to_be_visible()
    page.wait_for_timeout(1_000)
    name.click(force=True)
    picked = page.get_by_test_id("stMultiSelect").filter(has_text="Picked experiments")
    expect(picked).to_contain_text("Zero+Pool")
    # What is said of it, above the dots.
    expect(page.get_by_text(re.compile(r"Mask Zero\+Pool: τ tau-b 0\.\d\d"))).to_be_visible()


def test_charts_are_files_too(page: Page, dashboard: Dashboard, tmp_path: Path) -> None:
    visit(page, dashboard.url)
    for ending, start in {"svg": b"<svg", "png": b"\x89PNG", "csv": b"experiment_id,label,"}.items():
        with page.expect_download() as download:
            page.locator(f".st-key-rankings-cifar10-{ending} button").click()
        assert download.value.suggested_filename == f"rankings-cifar10.{ending}"
        assert Path(download.value.path()).read_bytes().startswith(start)


def test_a_wrong_url_is_explained(page: Page, dashboard: Dashboard) -> None:
    visit(page, f"{dashboard.url}/?mask=Nought&dataset=digits")
    expect(page.get_by_role("alert")).to_contain_text("mask=Nought")
    expect(page.get_by_text(DIGITS)).to_be_visible()
    expect_parameters(page, {"dataset": ["digits"]})


def test_the_csv_holds_the_views_numbers(page: Page, dashboard: Dashboard, tmp_path: Path) -> None:
    visit(page, f"{dashboard.url}/?mask=none&mask=Zero%2BPool")
    expect(chart(page)).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    download.value.save_as(tmp_path / "rankings.csv")
    read = pd.read_csv(tmp_path / "rankings.csv", keep_default_na=False, na_values=[""]).set_index(
        "experiment"
    )
    assert sorted(read.index) == [
        "Zero+Pool", "Zero+Pool · number of parameters", "none", "none · number of parameters"
    ]  # fmt: skip
    view = dashboard.warehouse.query(
        """SELECT * FROM experiment_ranking
        WHERE dataset = 'cifar10' AND size = 'tiny' AND gt_key = ? AND mask IN ('', 'Zero+Pool')
            AND architecture_set IN (SELECT unnest(?))""",
        [KEY, list(POINTS)],
    )
    assert len(view) == 2 * len(POINTS)
    for row in view.itertuples():
        told = read.loc[row.mask or "none"]
        point = POINTS[row.architecture_set]
        assert told[f"a_{point}_percent"] == pytest.approx(100 * row.a_n_mean)
        assert told[f"tau_{point}"] == pytest.approx(row.tau_mean)
        assert told["gt_key"] == KEY


def test_a_run_that_is_ingested_meanwhile_shows_after_reload(page: Page, dashboard: Dashboard) -> None:
    visit(page, dashboard.url)
    expect(lines(page)).to_have_accessible_name(re.compile("3 lines"))
    report = ingest(dashboard.warehouse, [add_run(dashboard.warehouse, dashboard.runs_dir, "Skip", 0)])
    assert not report.problems
    expect(page.get_by_text("The warehouse has new data.")).to_be_visible()
    page.get_by_role("button", name="Reload").click()
    expect(lines(page)).to_have_accessible_name(re.compile("4 lines.*Skip · τa"))
    settle(page)
    expect(page.get_by_text("The warehouse has new data.")).to_have_count(0)


def test_a_missing_warehouse_is_explained(page: Page, tmp_path: Path) -> None:
    with serve(tmp_path / "missing.duckdb") as url:
        visit(page, url)
        expect(page.get_by_role("alert")).to_contain_text("nasrank-train init")


def test_the_paper_is_held_against_the_runs(page: Page, dashboard: Dashboard) -> None:
    """From the first page to the findings, and the numbers that they rest on as a file."""
    visit(page, dashboard.url)
    page.get_by_role("link", name="Paper").click()
    expect(page.get_by_role("heading", name="Reported τa")).to_be_visible()
    assert "/paper" in page.url
    row = page.get_by_role("row").filter(has_text="Many M networks fail to generalize.")
    expect(row).to_contain_text("not asked")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download comparisons").click()
    rows = pd.read_csv(download.value.path())
    evidence = dashboard.warehouse.query(
        "SELECT verdict FROM finding_evidence WHERE gt_key = ? AND coalesce(bn_mode, 'running') = 'running'",
        [KEY],
    )
    assert sorted(rows["verdict"]) == sorted(evidence["verdict"])


def test_an_architecture_is_looked_up_and_one_operation_changed(page: Page, dashboard: Dashboard) -> None:
    page.set_viewport_size({"width": 1440, "height": 1600})
    visit(page, dashboard.url)
    page.get_by_role("link", name="Search space").click()
    box = page.get_by_role("textbox", name="Architecture")
    expect(box).to_be_visible()
    box.fill("301004")
    box.press("Enter")
    drawing = page.get_by_role("img", name=re.compile("^Node 1 gets C3x3 of the input; node 2 gets Zero"))
    expect(drawing).to_be_visible()
    expect(page).to_have_url(re.compile(rf"arch={Architecture.from_digits('301004').arch_id}$"))
    cells = page.get_by_test_id("stVegaLiteChart").first
    expect(cells.locator("svg.marks")).to_be_visible()
    settle(page)
    # The last column of the first row: Pool from the input to node 1.
    label = cells.locator("svg.marks text", has_text="Pool").first.bounding_box()
    row = cells.locator("svg.marks text", has_text="in → 1").first.bounding_box()
    assert label is not None
    assert row is not None
    page.mouse.click(label["x"] + label["width"] / 2 + 15, row["y"] + 4)
    changed = page.get_by_role("img", name=re.compile("^Node 1 gets Pool of the input; node 2 gets Zero"))
    expect(changed).to_be_visible()
    expect(page).to_have_url(re.compile(rf"arch={Architecture.from_digits('401004').arch_id}$"))
    with page.expect_download() as download:
        page.locator(f".st-key-cell-{Architecture.from_digits('401004').arch_id}-svg button").click()
    assert Path(download.value.path()).read_text(encoding="utf-8").startswith("<svg")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download ground truth").click()
    rows = pd.read_csv(download.value.path())
    known = dashboard.warehouse.query(
        "SELECT count(*) AS n FROM ground_truth WHERE arch_id = ?",
        [Architecture.from_digits("401004").arch_id],
    )
    assert len(rows) == known["n"][0]
    rank = page.get_by_role("spinbutton", name="True rank")
    rank.fill("300")
    rank.press("Enter")
    at_300 = dashboard.warehouse.query(
        "SELECT arch_id FROM architecture_rank WHERE gt_key = ? AND mask = '' AND NOT one_per_class "
        "AND gt_rank = 300",
        [KEY],
    )
    expect(page).to_have_url(re.compile(rf"arch={at_300['arch_id'][0]}$"))
    expect(box).to_have_value(str(at_300["arch_id"][0]))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("", None),
        ("/scatter", "The same numbers"),
        ("/compare", "Training"),
        ("/search_space", "How many differ"),
        ("/datasets", "Data sets against each other"),
        ("/paper", "Reported τa"),
    ],
)
def test_pages_are_accessible(
    browser: Browser, dashboard: Dashboard, path: str, seen: str | None, scheme: Any
) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1440, "height": 1000})
    page = context.new_page()
    visit(page, dashboard.url + path)
    landmark = page.get_by_role("heading", name=seen) if seen else chart(page)
    expect(landmark).to_be_visible()
    settle(page)
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    context.close()


@pytest.mark.parametrize("path", ["", "/scatter", "/compare", "/search_space", "/datasets"])
def test_a_phone_needs_no_sideways_scrolling(browser: Browser, dashboard: Dashboard, path: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    visit(page, dashboard.url + path)
    expect(chart(page).first).to_be_visible()
    settle(page)
    for figure in chart(page).all():
        box = figure.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    context.close()
