"""Stages of the check: processes with limits, what they said, and how they ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("app", "db", "migrations", "report", "trainer")
_LAST_LINES = 15
_GRACE = 5.0  # seconds between SIGINT and SIGKILL
_POLL = 0.2  # seconds


@dataclass(frozen=True)
class Stage:
    """What Python is to run; its standard output is the result: JSON, or text whose last line counts."""

    name: str
    command: list[str]
    seconds: float  # at most
    is_json: bool = True
    least: float = 10.0  # with fewer seconds left it is not begun
    saves: float = 0.0  # seconds that it may take to end well after SIGINT, which then is no failure
    lacks: str | None = None  # why it cannot be run
    is_enough: Callable[[], bool] = lambda: False  # whether it may be ended before its time


class Runner:
    """Runs stages one after the other and notes how they end in `results`, by name.

    Args:
        environment: of the processes.
        log: gets what they write, as they write it.
        ends: when everything must have ended, by `time.monotonic`.
    """

    def __init__(
        self,
        environment: dict[str, str],
        log: Path,
        scratch: Path,
        ends: float,
        results: dict[str, dict[str, Any]],
    ) -> None:
        self._environment, self._log, self._scratch = environment, log, scratch
        self._ends, self._results = ends, results
        self.interrupted = False

    def run(self, stage: Stage, kept: float) -> None:
        """Run a stage, in the time that is left but for the seconds that are `kept`."""
        left = min(stage.seconds, self._ends - time.monotonic() - kept) - stage.saves
        if stage.lacks or left < stage.least:
            why = stage.lacks or f"only {max(left, 0):.0f} s were left"
            self._results[stage.name] = {"outcome": "skipped", "why": why}
            self._say(f"{stage.name}: skipped, {why}")
            return
        self._say(f"{stage.name}: at most {left:.0f} s")
        started = time.monotonic()
        printed = self._scratch / "printed"
        with self._log.open("ab") as log, printed.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, *stage.command],
                stdout=output,
                stderr=log,
                cwd=self._scratch,
                env=self._environment,
                start_new_session=True,  # Ctrl-C is this program's alone
            )
            ended = self._wait(process, left, stage)
        text = printed.read_text(errors="replace")
        result = self._result(stage, text, process.returncode, ended)
        self._results[stage.name] = result | {"seconds": round(time.monotonic() - started, 1)}
        self._log_text(text)
        self._say(f"{stage.name}: {result['outcome']}")
        for line in result.get("last_lines", []):
            print(f"    {line}", file=sys.stderr)

    def _wait(self, process: subprocess.Popen[bytes], seconds: float, stage: Stage) -> bool:
        """Whether the process ended by itself."""
        ends = time.monotonic() + seconds
        try:
            while process.poll() is None and time.monotonic() < ends and not stage.is_enough():
                time.sleep(_POLL)
        except KeyboardInterrupt:
            self.interrupted = True
        if process.poll() is not None:
            return True
        process.send_signal(signal.SIGINT)
        try:
            process.wait(stage.saves or _GRACE)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            process.kill()
            process.wait()
        return False

    def _result(self, stage: Stage, text: str, code: int, ended: bool) -> dict[str, Any]:
        if code == 0 and (ended or stage.saves):
            lines = text.strip().splitlines()
            try:
                return {"outcome": "ok", "result": json.loads(text) if stage.is_json else lines[-1]}
            except (ValueError, IndexError):
                why = "it printed no result"
        else:
            why = f"exit code {code}" if ended else "it took too long"
        said = (text + self._log.read_text(errors="replace")).splitlines()
        if not stage.is_json:
            said = text.splitlines()
        return {"outcome": "failed", "why": why, "last_lines": said[-_LAST_LINES:]}

    def _say(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)
        self._log_text(f"{time.strftime('%H:%M:%S')} {line}")

    def _log_text(self, text: str) -> None:
        with self._log.open("a") as log:
            log.write(text.rstrip("\n") + "\n")


def make_links(folder: Path) -> None:
    """`nasrank` as it is when installed: its rooms are the folders at the top of the checkout."""
    package = folder / "nasrank"
    package.mkdir(parents=True)
    for name in ROOMS:
        (package / name).symlink_to(ROOT / name)
    (package / "__init__.py").symlink_to(ROOT / "nasrank/__init__.py")


def python_path(links: Path, unpacked: Path | None) -> str:
    """`PYTHONPATH` of the stages: nasrank, the benchmarks' common files, what was packed, what was there."""
    there = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    return os.pathsep.join(map(str, [links, ROOT / "scripts", *([unpacked] if unpacked else []), *there]))
