"""Run folders into the warehouse as runs end: of thousands, those that changed, and many with each publish.

A look costs one `stat` for each folder: of its `status.json`, which a run replaces whenever it stands
differently. Only folders where that changed are read. What cannot be used yet, such as a folder that is still
being copied, is tried again, each time after twice as long. Why it cannot be used is said once, and again if
its status changes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from nasrank.db.errors import NasrankError
from nasrank.db.ingest.folders import IngestReport, ingest, ingested_runs
from nasrank.db.runs.reader import State, status_files
from nasrank.db.warehouse.file import Warehouse

LOOK_SECONDS: Final = 2.0
MOST_FOLDERS: Final = 500  # a publish: as many as keep memory and lateness small
_FIRST_RETRY_SECONDS: Final = 2.0
_LAST_RETRY_SECONDS: Final = 300.0
_SETTLE_SECONDS: Final = 30.0  # for so long, a folder that cannot be used may be one that is being written


@dataclass(slots=True)
class Round:
    """What came of one look: `report` of the folders that had changed, and how all stand."""

    report: IngestReport
    folders: int  # with a status
    ended: int  # of those, what the warehouse has
    has_more: bool  # changed folders that did not fit in one publish
    seconds: float
    problems: dict[str, str] = field(
        default_factory=dict
    )  # not told before, and not of something half-written
    not_published: str | None = None  # why the warehouse could not be written; all is tried again


@dataclass(slots=True)
class _Failure:
    state: State  # of the folder, when it was tried last
    since: float
    delay: float
    next_try: float
    told: str | None = None


class Watch:
    """Brings the runs below a folder into the warehouse, look by look.

    Raises `NasrankError` at once where the warehouse cannot be read.
    """

    def __init__(
        self, warehouse: Warehouse, runs_dir: Path, clock: Callable[[], float] = time.monotonic
    ) -> None:
        ingested_runs(warehouse)
        self._warehouse, self._runs_dir, self._clock = warehouse, runs_dir, clock
        self._handled: dict[str, State] = {}
        self._ended: set[str] = set()
        self._failing: dict[str, _Failure] = {}

    def look(self, on_wait: Callable[[], None] = lambda: None) -> Round:
        """Ingest the folders that changed, up to `MOST_FOLDERS`."""
        started = self._clock()
        found: dict[str, State] = {}
        changed: list[str] = []
        report, not_published = IngestReport(), None
        try:
            found = {name: state for name, state in status_files(self._runs_dir).items() if state}
            changed = sorted(name for name, state in found.items() if self._is_due(name, state))
            batch = [self._runs_dir / name for name in changed[:MOST_FOLDERS]]
            if batch:
                report = ingest(self._warehouse, batch, on_wait)
        except (NasrankError, OSError) as error:
            not_published = str(error)
        self._ended.update(report.ingested, report.unchanged)
        for name in (*report.ingested, *report.unchanged, *report.unfinished):
            self._handled[name] = found[name]
            self._failing.pop(name, None)
        return Round(
            report,
            folders=len(found),
            ended=len(self._ended),
            has_more=not_published is None and len(changed) > MOST_FOLDERS,
            seconds=self._clock() - started,
            problems=self._failed(report, found),
            not_published=not_published,
        )

    def _is_due(self, name: str, state: State) -> bool:
        failure = self._failing.get(name)
        if failure is not None and failure.state == state:
            return self._clock() >= failure.next_try
        return self._handled.get(name) != state

    def _failed(self, report: IngestReport, found: Mapping[str, State]) -> dict[str, str]:
        """Note when to try folders again; returns what a person should hear of."""
        news, now = {}, self._clock()
        for name, problem in report.problems.items():
            failure = self._failing.setdefault(name, _Failure(found[name], now, _FIRST_RETRY_SECONDS, now))
            if failure.state != found[name]:
                failure.state, failure.delay, failure.told = found[name], _FIRST_RETRY_SECONDS, None
            failure.next_try = now + failure.delay
            failure.delay = min(2 * failure.delay, _LAST_RETRY_SECONDS)
            if now - failure.since >= _SETTLE_SECONDS and failure.told != problem:
                news[name] = failure.told = problem
        return news


def watch(
    warehouse: Warehouse,
    runs_dir: Path,
    *,
    tell: Callable[[Round], None],
    pause: Callable[[float], bool],
    on_wait: Callable[[], None] = lambda: None,
) -> None:
    """Look again and again.

    Args:
        tell: is given every round.
        pause: waits for so many seconds, and returns whether to stop.

    Publishing copies the whole warehouse: at most half of the time is spent on it, unless so much comes in
    that there is always more. Raises `NasrankError` where the warehouse or the folder is missing at first.
    """
    if not runs_dir.is_dir():
        raise NasrankError(f"no folder of runs at {runs_dir}; name it with --runs or NASRANK_RUNS")
    watched = Watch(warehouse, runs_dir)
    stop = False
    while not stop:
        done = watched.look(on_wait)
        tell(done)
        stop = pause(0.0 if done.has_more else max(LOOK_SECONDS, done.seconds))
