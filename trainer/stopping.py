"""Stopping on request: Ctrl-C, SIGTERM and SIGHUP end a run after its current step, with everything saved."""

from __future__ import annotations

import os
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
    """While entered, SIGINT, SIGTERM and SIGHUP only set `requested`; a second SIGINT acts as usual.

    SIGTERM never does: Slurm, and a study that stops, may send it several times while a run saves. SIGHUP
    comes when a terminal is closed; `nohup` has it ignored, and it stays so.

    Outside the main thread, where Python allows no handlers, only `request` sets it.
    """

    def __init__(self) -> None:
        self.requested = False
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            numbers = [signal.SIGINT, signal.SIGTERM]
            if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
                numbers.append(signal.SIGHUP)
            for number in numbers:
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
        if number == signal.SIGHUP:
            _leave_closed_terminal()


def _leave_closed_terminal() -> None:
    """Where a terminal is closed, each write to it fails: what is said from now on has no reader."""
    for stream in (1, 2):
        try:
            os.write(stream, b"")
        except OSError:
            with open(os.devnull, "wb") as nothing:  # noqa: PTH123 - in a handler of a signal, no more than needed
                os.dup2(nothing.fileno(), stream)
