"""Stopping on request: Ctrl-C and SIGTERM end a run after its current step, with everything saved."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Protocol, Self

from nasrank.db.errors import NasrankError


class Interrupted(NasrankError):  # noqa: N818, not an error
    """A run stopped because it was asked to; it is saved, and the same command continues it."""


class Stopping(Protocol):
    """What training asks after every step."""

    @property
    def requested(self) -> bool:
        """Whether to end after the current step."""


class StopSignal:
    """While entered, SIGINT and SIGTERM only set `requested`; a second SIGINT acts as usual.

    SIGTERM never does: Slurm, and a study that stops, may send it several times while a run saves.

    Outside the main thread, where Python allows no handlers, only `request` sets it.
    """

    def __init__(self) -> None:
        self.requested = False
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous[number] = signal.signal(number, self._request)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def request(self) -> None:
        """As the first signal does; from any thread."""
        self.requested = True

    def _request(self, number: int, frame: FrameType | None) -> None:
        self.request()
        if number == signal.SIGINT:
            signal.signal(number, signal.default_int_handler)
