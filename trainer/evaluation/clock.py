"""How far an evaluation is, and whether it is to stop."""

from __future__ import annotations

import time

from nasrank.trainer.progress import REPORT_SECONDS, EvaluationProgress
from nasrank.trainer.session import Session


class Stopped(Exception):  # noqa: N818, says what happened
    """The evaluation was asked to stop."""


class EvaluationClock:
    """Shows progress in architectures, those predicted along with others included.

    Args:
        images: that each architecture is predicted on.
        todo: images that go along paths, all together.
    """

    def __init__(self, architectures: int, images: int, todo: int, session: Session) -> None:
        self._architectures, self._images = architectures, images
        self._todo, self._done = todo, 0
        self._progress, self._stop = session.progress, session.stop
        self._started = self._reported = time.monotonic()

    def advance(self, images: int) -> None:
        """So many images more went along a path. Raises `Stopped` once that is requested."""
        if self._stop.requested:
            raise Stopped
        self._done += images
        now = time.monotonic()
        if now - self._reported >= REPORT_SECONDS or self._done == self._todo:
            self._reported = now
            share = self._done / self._todo
            done = int(share * self._architectures)
            seconds = max(now - self._started, 1e-9)
            self._progress.show(
                EvaluationProgress(
                    done, self._architectures, done * self._images / seconds, seconds / share - seconds
                )
            )
