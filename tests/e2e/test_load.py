"""Readers of one dashboard at once, then page loads; `scripts/load_dashboard.py` does it at full size."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest
from dashboard_process import served
from dashboard_visits import PAGES, Addresses, Tally
from load_dashboard import END, FIRST, Amount, Course, dashboard_command, visit

from nasrank.db.warehouse.file import Warehouse

AMOUNT: Final = Amount(sessions=4, tabs=1, seconds=15, loads=2 * len(PAGES), wait=2)


@pytest.mark.slow
@pytest.mark.usefixtures("chromium")
def test_nothing_fails_and_nothing_is_left(shipped: Warehouse, tmp_path: Path) -> None:
    # For so many seconds Streamlit keeps a session after its tab was closed; by default for two minutes.
    configuration = tmp_path / ".streamlit" / "config.toml"
    configuration.parent.mkdir()
    configuration.write_text("[server]\ndisconnectedSessionTTL = 1\n")
    tally = Tally()
    with (
        served(dashboard_command(shipped.path, tmp_path / "runs"), tmp_path) as server,
        ThreadPoolExecutor(1) as elsewhere,
    ):
        course = Course(server)
        # The browser of other tests has its event loop in this thread.
        visits = visit(course, Addresses.read(shipped.path), tally, AMOUNT)
        elsewhere.submit(asyncio.run, visits).result()
        said = server.problems()
    assert tally.problems == {}
    assert said == []
    assert len(tally.seconds["page loaded"]) == AMOUNT.loads + 2
    assert len(tally.seconds["address opened"]) >= AMOUNT.sessions
    first, last = course.held[FIRST], course.held[END]
    assert (last.connected_sessions, last.children, last.temporary_files) == (0, 0, 0)
    # A session holds three as long as anything refers to it.
    assert last.open_files <= first.open_files + 6
    assert server.temporary_files() == 0
