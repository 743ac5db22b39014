"""Who may ask now: queries of all visitors share the server's memory and processors."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from nasrank.db.console import CONSOLE_LIMITS
from nasrank.db.memory import available_memory

# Seconds between two calls of `on_wait`.
_WAIT: Final = 0.1
# Bytes of a process before it asks anything.
PROCESS_BYTES: Final = 200 * 10**6


def queries_at_once() -> int:
    """How many fit into the processors, and into half of the memory that is free; at least one."""
    by_processors = (os.cpu_count() or 1) // (CONSOLE_LIMITS.threads or 1)
    memory = available_memory()
    a_query = (CONSOLE_LIMITS.process_bytes or 0) + PROCESS_BYTES
    by_memory = by_processors if memory is None else memory // 2 // a_query
    return max(1, min(by_processors, by_memory))


class Turns:
    """Turns in the order in which they were asked for, so many at once."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._lock = threading.Lock()
        self._tickets: list[object] = []  # the first `at_once` of them have their turn

    @contextmanager
    def turn(self, on_wait: Callable[[int], None]) -> Iterator[None]:
        """Wait for a turn, and have it in the block.

        `on_wait` is called ten times a second until then, with how many are to end before; what it raises
        ends the waiting.
        """
        ticket = object()
        with self._lock:
            self._tickets.append(ticket)
        try:
            while (before := self._before(ticket)) > 0:
                on_wait(before)
                time.sleep(_WAIT)
            yield
        finally:
            with self._lock:
                self._tickets.remove(ticket)

    def _before(self, ticket: object) -> int:
        with self._lock:
            return self._tickets.index(ticket) - self._at_once + 1


# Of this server: a page's script runs anew for each visitor, a module once.
TURNS: Final = Turns(queries_at_once())
