"""Queries of all visitors take turns: so many at once, in order, and who leaves lets others on."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from nasrank.app.views.sql import turns
from nasrank.app.views.sql.turns import Turns, queries_at_once
from nasrank.db.console import CONSOLE_LIMITS
from tests.samples import ROOT


class LeftError(Exception):
    """A visitor went away."""


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_no_more_at_once_and_in_order(at_once: int) -> None:
    shared = Turns(at_once)
    lock = threading.Lock()
    running, most, began = 0, 0, list[int]()
    asked = [threading.Event() for _ in range(8)]

    def ask(number: int) -> None:
        nonlocal running, most
        if number:
            asked[number - 1].wait()
        with shared.turn(lambda _: asked[number].set()):
            asked[number].set()
            with lock:
                running, most = running + 1, max(most, running + 1)
                began.append(number)
            time.sleep(0.15)
            with lock:
                running -= 1

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(ask, number) for number in range(8)]:
            done.result(timeout=30)
    assert most == at_once
    # Those that begin together may note it in any order.
    assert all(abs(place - number) < at_once for place, number in enumerate(began))


def test_who_waits_hears_how_many_come_first_and_may_leave() -> None:
    shared = Turns(1)
    told: list[int] = []

    def leave(before: int) -> None:
        told.append(before)
        raise LeftError

    with shared.turn(told.append), pytest.raises(LeftError), shared.turn(leave):
        pytest.fail("it had no turn yet")
    assert told == [1]
    with shared.turn(told.append):  # nobody is left in the queue
        assert told == [1]


def test_a_query_that_fails_ends_its_turn() -> None:
    shared = Turns(1)
    with pytest.raises(ZeroDivisionError), shared.turn(pytest.fail):
        raise ZeroDivisionError
    with shared.turn(pytest.fail):
        pass


@pytest.mark.parametrize(
    ("processors", "memory", "queries"),
    [(2, 24 * 10**9, 1), (16, 128 * 10**9, 8), (64, 8 * 10**9, 3), (1, 10**8, 1), (8, None, 4), (None, 0, 1)],
)
def test_they_fit_into_processors_and_memory(
    monkeypatch: pytest.MonkeyPatch, processors: int | None, memory: int | None, queries: int
) -> None:
    monkeypatch.setattr(turns.os, "cpu_count", lambda: processors)
    monkeypatch.setattr(turns, "available_memory", lambda: memory)
    assert CONSOLE_LIMITS.threads == 2
    assert queries_at_once() == queries


def test_the_documentation_has_these_limits() -> None:
    limits = CONSOLE_LIMITS
    assert limits.result_bytes is not None
    assert limits.process_bytes is not None
    each = 2 * (limits.process_bytes + turns.PROCESS_BYTES) / 10**9
    text = " ".join((ROOT / "docs" / "dashboard.md").read_text(encoding="utf-8").split())
    assert (
        f"A query may take {limits.seconds:.0f} seconds and {limits.memory} of memory, and its answer "
        f"{limits.rows:,} rows and {limits.result_bytes / 2**20:.0f} MiB"
    ) in text
    assert f"for each {limits.threads} processors and each {each:.1f} GB of free memory" in text
