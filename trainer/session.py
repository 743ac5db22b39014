"""What surrounds the work of a process on a run."""

from __future__ import annotations

from dataclasses import dataclass

from nasrank.trainer.progress import Progress
from nasrank.trainer.stopping import StopSignal


@dataclass(frozen=True)
class Session:
    """Where progress is shown, and what asks the process to stop."""

    progress: Progress
    stop: StopSignal
