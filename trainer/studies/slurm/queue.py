"""What Slurm says of nasrank's jobs, by its own commands: all that works without its accounting (`sacct`).

submitit learns of jobs from sacct alone, so this asks squeue. A job that has ended is soon in neither: what
it left in its runs' folders tells the rest.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from nasrank.db.errors import NasrankError

JOB_NAME: Final = "nasrank"
_FORMAT: Final = "%i|%T|%L|%r"


@dataclass(frozen=True)
class QueuedJob:
    """A job that waits, runs or is ending. `time_left` until its limit, as Slurm writes it."""

    job_id: str  # such as 4711_3
    state: str  # Slurm's, such as PENDING, RUNNING, COMPLETING
    time_left: str
    reason: str  # why it waits, such as Resources; None as text where it does not

    @property
    def has_begun(self) -> bool:
        """Whether it has left the queue's waiting part."""
        return self.state != "PENDING"


def queued_jobs() -> dict[str, QueuedJob]:
    """All jobs that nasrank submitted and that have not ended, by their ids."""
    # By name, because squeue refuses ids that it does not know any more.
    lines = _slurm("squeue", "--noheader", "--array", f"--name={JOB_NAME}", f"--format={_FORMAT}")
    jobs = [QueuedJob(*line.strip().split("|", 3)) for line in lines.splitlines() if line.strip()]
    return {job.job_id: job for job in jobs}


def cancel_jobs(job_ids: Sequence[str]) -> None:
    """End jobs; their runs save first."""
    _slurm("scancel", *job_ids)


def _slurm(*command: str) -> str:
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NasrankError(
            f"Slurm does not answer: {error}; give the command on a machine from which jobs are submitted"
        ) from error
    if result.returncode != 0:
        raise NasrankError(f"{command[0]} failed: {' '.join(result.stderr.split())}")
    return result.stdout
