"""What a researcher comes with, answered in words on a page, in three clicks from home at most."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from nasrank.db.ingest.folders import ingest
from nasrank.db.runs.holders import Holder
from nasrank.db.warehouse.file import Warehouse
from tests.e2e.browsing import settle, visit
from tests.e2e.conftest import Dashboard, serve
from tests.samples import begin_run, write_run_folder
from tests.study_data import KEY

NASRANK = Path(sys.executable).with_name("nasrank-train")
MOST_CLICKS = 3


@pytest.fixture(scope="session")
def asked(shipped: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """The shipped runs, a made-up test accuracy, a run that failed, and one that goes on."""
    folder = tmp_path_factory.mktemp("questions")
    warehouse = Warehouse(folder / "nasrank.duckdb")
    shutil.copyfile(shipped.path, warehouse.path)
    # Noise by the index: another order of the best, and nearly the same of all.
    warehouse.query(
        """SELECT
            arch_str AS arch, 100 * accuracy + (CAST(arch_id AS INTEGER) * 7919 % 101 - 50) / 500 AS accuracy
        FROM ground_truth JOIN architecture USING (arch_id) WHERE gt_key = ?""",
        [KEY],
    ).to_csv(folder / "made.csv", index=False)
    subprocess.run(
        [
            NASRANK, "import-bench", folder / "made.csv", "--split", "cifar10-valid/test", "--epochs", "100",
            "--other-benchmark", "--warehouse", warehouse.path,
        ],
        check=True,
    )  # fmt: skip
    runs = folder / "runs"
    failed = write_run_folder(runs, {}, seed=7, mask="Zero", status={"status": "failed", "failed_epoch": 2})
    assert not ingest(warehouse, [failed]).problems
    begin_run(runs, Holder.this_process())
    with serve(warehouse.path) as url:
        yield Dashboard(url, warehouse, runs)


class Reader:
    """Who begins at home, and clicks."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.clicks = page, 0
        page.set_viewport_size({"width": 1440, "height": 1400})
        visit(page, url)

    def click(self, what: Locator) -> None:
        self.clicks += 1
        assert self.clicks <= MOST_CLICKS
        what.click()
        settle(self.page)

    def open_bar(self, label: str) -> None:
        """What has this label in the slice bar."""
        popover = self.page.get_by_test_id("stPopover").get_by_role("button", name=re.compile(rf"^{label}\b"))
        self.click(popover)

    def choose(self, option: str) -> None:
        """In what was opened."""
        self.click(self.page.get_by_test_id("stPopoverBody").get_by_text(option, exact=True))

    def pick(self, name: str) -> None:
        """A dot of the first chart."""
        dot = self.page.get_by_test_id("stVegaLiteChart").first.locator(
            f'[aria-roledescription="point"][aria-label*="experiment: {name};"]'
        )
        self.page.keyboard.press("Escape")
        expect(self.page.get_by_test_id("stPopoverBody")).to_have_count(0)
        self.click(dot.first)

    def reads(self, pattern: str) -> None:
        expect(self.page.get_by_text(re.compile(pattern)).first).to_be_visible()


def test_which_mask_ranks_best_under_test_accuracy(page: Page, asked: Dashboard) -> None:
    reader = Reader(page, asked.url)
    reader.open_bar("Truth")
    reader.choose("test")
    reader.reads(r"(No mask|Mask \S+) ranks certainly better than mask none.*τ 0\.\d\d")
    reader.reads(r"validation accuracy|test accuracy on cifar10-valid")


def test_does_uniform_sampling_help_without_a_mask(page: Page, asked: Dashboard) -> None:
    reader = Reader(page, asked.url)
    reader.open_bar("Variant")
    reader.choose("uniform-sampling")
    reader.pick("none · uniform-sampling")
    reader.reads(
        r"Mask none · uniform-sampling: τ tau-b 0\.\d\d \(.*\); "
        r"(cannot be told from|differs from) none"
    )


def test_how_near_the_ceiling_is_the_top_50_with_zero_and_pool_masked(page: Page, asked: Dashboard) -> None:
    reader = Reader(page, asked.url)
    reader.open_bar("Set")
    reader.choose("top-50")
    reader.pick("Zero+Pool")
    reader.reads(r"Mask Zero\+Pool: .*\d+ % of what an oracle reaches \(0\.\d\d\), one training has 0\.\d\d")


def test_does_any_network_beat_counting_parameters(page: Page, asked: Dashboard) -> None:
    reader = Reader(page, asked.url)
    reader.reads("No network here ranks certainly better than counting parameters")
    reader.click(page.get_by_role("link", name="All experiments"))
    reader.reads(r"Best τ tau-b of 27 here: mask Zero\+Pool · not-shared")


def test_which_architectures_does_a_run_overestimate_most(page: Page, asked: Dashboard) -> None:
    reader = Reader(page, asked.url)
    reader.click(page.get_by_role("link", name="Scatter", exact=True))
    reader.reads(r"Most overestimated: architecture \d+, predicted to be [\d.]+(st|nd|rd|th) and truly \d+")


def test_which_experiment_has_the_best_regret_at_10(page: Page, asked: Dashboard) -> None:
    reader = Reader(page, asked.url)
    reader.open_bar("Metric")
    reader.choose("regret at 10")
    reader.reads(r"Best regret at 10 of 8 here: mask Pool, \d\.\d \(.*\)\.")


def test_are_two_experiments_different(page: Page, asked: Dashboard) -> None:
    reader = Reader(page, asked.url)
    reader.click(page.get_by_role("link", name="Compare both"))
    expect(page.get_by_role("heading", level=1, name="Compare")).to_be_visible()
    reader.reads(r"Pool, random sample: 0\.\d\d\d \(.*\), (cannot be told apart with 3 seeds|told apart)")


def test_which_runs_failed_or_still_go(page: Page, asked: Dashboard) -> None:
    reader = Reader(page, asked.url)
    reader.click(page.get_by_role("link", name="Runs", exact=True))
    reader.reads(r"1 running; 1 ended")
    reader.reads(r"1 failed: cifar10-tiny-Zero-\w+-s7")
