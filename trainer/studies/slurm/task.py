"""What a Slurm job does: some runs of a study side by side, saved and requeued before the job's time is over.

submitit calls the task on the node. At the signal that Slurm sends before the limit, submitit calls
`SlurmTask.checkpoint` and requeues the job, which then goes on where the runs were saved. A job that is
preempted gets SIGTERM instead, also one that is cancelled; Slurm tells which.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from types import FrameType
from typing import TYPE_CHECKING, Final

from nasrank.db.errors import NasrankError
from nasrank.db.runs.holders import BEAT_SECONDS, STALE_SECONDS, slurm_job_id
from nasrank.trainer.messages import say
from nasrank.trainer.studies.plan import available_cpus
from nasrank.trainer.studies.process import Worker, least_used
from nasrank.trainer.studies.slurm.queue import queued_jobs
from nasrank.trainer.studies.worker import Job

if TYPE_CHECKING:
    from submitit.helpers import DelayedSubmission

_LOOK_SECONDS: Final = 0.2


class SlurmTask:
    """Does `jobs`, each in a process of its own, all at once. Exits with 1 where one failed."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = tuple(jobs)
        self._workers: list[Worker] = []
        self._terminated = False

    def __call__(self) -> None:
        """Called by submitit, on the node."""
        signal.signal(signal.SIGTERM, self._terminate)
        threads = max(1, _cpus() // len(self._jobs))
        for job in self._jobs:
            # Where the node of an earlier attempt died, its claim is still there for a while.
            job = replace(job, threads=threads, patience=STALE_SECONDS + 2 * BEAT_SECONDS)
            self._workers.append(Worker(job, least_used(_gpus(), self._workers)))
        try:
            self._wait()
        finally:
            self._stop()
        if self._terminated and _is_running():
            # Preempted: there is time to requeue, so that nobody waits for what is saved already.
            from submitit import JobEnvironment

            os.kill(os.getpid(), getattr(signal, f"SIG{JobEnvironment.USR_SIG}"))
        self._conclude()

    def checkpoint(self) -> DelayedSubmission | None:
        """Called by submitit in the middle of `__call__`: save all runs, and say how the job goes on.

        None where it was cancelled meanwhile: Slurm would bring it back if it was requeued now.
        """
        from submitit.helpers import DelayedSubmission

        self._stop()
        return DelayedSubmission(SlurmTask(self._jobs)) if _is_running() else None

    def _terminate(self, number: int, frame: FrameType | None) -> None:
        self._terminated = True

    def _wait(self) -> None:
        while not self._terminated and not all(worker.has_ended for worker in self._workers):
            time.sleep(_LOOK_SECONDS)

    def _stop(self) -> None:
        """Let every run save, and wait for that."""
        for worker in self._workers:
            worker.stop()
        for worker in self._workers:
            worker.process.wait()

    def _conclude(self) -> None:
        for worker in self._workers:
            worker.close()
            say(f"{worker.job.run_id}: {worker.last_words}")
        if any(worker.process.returncode != 0 for worker in self._workers):
            sys.exit(1)  # no exception, whose traceback would say nothing more


def _cpus() -> int:
    """Of this job: also where Slurm does not bind its processes to them."""
    return int(os.environ.get("SLURM_CPUS_PER_TASK") or available_cpus())


def _gpus() -> list[str]:
    """As Slurm names those of this job."""
    return [gpu for gpu in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if gpu]


def _is_running() -> bool:
    """Whether Slurm means this job to run: not where it is being cancelled or requeued."""
    try:
        job = queued_jobs().get(slurm_job_id() or "")
    except NasrankError as error:
        say(f"{error}; it is taken to run")
        return True
    return job is not None and job.state == "RUNNING"
