"""`nasrank-train ingest --watch`: what a person sees of it, and stopping it."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from nasrank.db.errors import printable
from nasrank.db.ingest.watch import Round, watch
from nasrank.db.warehouse.file import Warehouse
from nasrank.trainer.messages import say, say_waiting
from nasrank.trainer.progress import LINE_SECONDS
from nasrank.trainer.stopping import StopSignal

_LOOK_SECONDS: Final = 0.1


def watch_and_tell(warehouse: Warehouse, runs_dir: Path, json_output: bool) -> None:
    """Ingest until SIGINT, SIGTERM or SIGHUP; a publish under way is finished first."""
    with StopSignal() as stop:

        def pause(seconds: float) -> bool:
            end = time.monotonic() + seconds
            while not stop.requested and (left := end - time.monotonic()) > 0:
                time.sleep(min(left, _LOOK_SECONDS))
            return stop.requested

        teller = _Teller(json_output)
        teller.begin(runs_dir)
        with Console(stderr=True).status(Text(f"looking at {printable(str(runs_dir))}")) as line:
            show = line.update if sys.stderr.isatty() else _now_and_then()
            watch(
                warehouse,
                runs_dir,
                tell=lambda done: show(teller.tell(done)),
                pause=pause,
                on_wait=say_waiting,
            )
    teller.conclude()


class _Teller:
    """Prints what happened, and sums it up in a line."""

    def __init__(self, json_output: bool) -> None:
        self._json_output = json_output
        self._ingested = 0
        self._problem: str | None = None

    def begin(self, runs_dir: Path) -> None:
        """What appears there from now on is found."""
        self._event("watching", folder=str(runs_dir))

    def tell(self, done: Round) -> str:
        """Print the news of a round; returns how all stands."""
        self._ingested += len(done.report.ingested)
        if done.report.ingested:
            self._event("ingested", runs=done.report.ingested, seconds=round(done.seconds, 3))
        for name, problem in done.problems.items():
            self._event("problem", run=name, problem=problem)
            say(f"{name}: {problem}; it is tried again")
        if done.not_published is not None and done.not_published != self._problem:
            self._event("not published", problem=done.not_published)
            say(f"not ingested: {done.not_published}; it is tried again")
        self._problem = done.not_published
        speed = len(done.report.ingested) / done.seconds
        return (
            f"{done.folders:,} runs begun, {done.ended:,} in the warehouse"
            + (f", {speed:,.0f} runs/s" if done.report.ingested else "")
            + (f"; {len(done.report.unfinished):,} have changed" if done.report.unfinished else "")
        )

    def conclude(self) -> None:
        """What was done in all."""
        self._event("stopped", ingested=self._ingested)
        say(f"stopped; runs ingested: {self._ingested:,}")

    def _event(self, name: str, **content: object) -> None:
        if self._json_output:
            print(json.dumps({"event": name, **content}), flush=True)


def _now_and_then() -> Callable[[str], None]:
    """Says a line where it differs from the last one, at most every `LINE_SECONDS`."""
    last, said_at = "", -LINE_SECONDS

    def show(line: str) -> None:
        nonlocal last, said_at
        if line != last and time.monotonic() - said_at >= LINE_SECONDS:
            last, said_at = line, time.monotonic()
            say(line)

    return show
