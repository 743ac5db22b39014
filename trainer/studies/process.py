"""The side of a worker that starts it: its process, telling it to stop, reading why it ended."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Sequence

from nasrank.db.errors import NasrankError
from nasrank.db.processes import module_command
from nasrank.db.runs import layout
from nasrank.trainer.stopping import Interrupted
from nasrank.trainer.studies.worker import Job, work


class InProcess:
    """As `Worker`, but the run is done here and now, so that a debugger and tracebacks reach it.

    Raises `Interrupted`, and whatever is no `NasrankError`.
    """

    gpu = None
    was_stopped = False
    has_ended = True

    def __init__(self, job: Job, gpu: str | None = None) -> None:
        self.job = job
        self.last_words = ""
        started = time.monotonic()
        try:
            work(job)
        except Interrupted:
            raise
        except NasrankError as error:
            self.last_words = str(error)
        self.seconds = time.monotonic() - started

    def stop(self) -> None:
        """It has ended."""

    def close(self) -> None:
        """It has ended."""


class Worker:
    """A process that works on a run, and its log. Raises `NasrankError` where its folder cannot be made.

    `gpu` is the only one that it sees, as CUDA_VISIBLE_DEVICES names it; None changes nothing.
    `last_words`, once it is closed: why it ended.
    """

    def __init__(self, job: Job, gpu: str | None = None) -> None:
        self.job, self.gpu = job, gpu
        self.folder = folder = job.folder
        self.was_stopped = False
        self.last_words = ""
        self._started = time.monotonic()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._log = (folder / layout.WORKER_LOG).open("a+b")
        except OSError as error:
            raise NasrankError(
                f"cannot write in the run folder {folder}: {error.strerror}; give another runs directory"
            ) from error
        self._log_begin = self._log.seek(0, os.SEEK_END)
        # A session of its own: Ctrl-C in a terminal reaches the study's process only, which then lets every
        # run save.
        self.process = subprocess.Popen(
            module_command("nasrank.trainer.studies.worker"),
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
            env={**os.environ, "OMP_NUM_THREADS": str(job.threads), **_seeing(gpu)},
        )
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # its end and its log then tell why
            self.process.stdin.write(job.to_json().encode() + b"\n")
            self.process.stdin.flush()

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self.process.poll() is not None

    @property
    def seconds(self) -> float:
        """Since the process was started."""
        return time.monotonic() - self._started

    def stop(self) -> None:
        """Tell the process to save and end; it does not wait."""
        self._close_stdin()
        self.was_stopped = True

    def close(self) -> None:
        """After the process has ended: give its pipe and its log back, and note its `last_words`."""
        self._close_stdin()
        self._log.seek(self._log_begin)
        lines = self._log.read().decode(errors="replace").splitlines()
        self._log.close()
        code = self.process.returncode
        if code < 0:
            self.last_words = f"its process was killed by {signal.Signals(-code).name}"
        else:
            spoken = [line.strip() for line in lines if line.strip()]
            self.last_words = spoken[-1].removeprefix("error: ") if spoken else f"exit code {code}"

    def _close_stdin(self) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # a job that it ended without reading
            self.process.stdin.close()


def least_used(gpus: Sequence[str], workers: Sequence[Worker | InProcess]) -> str | None:
    """The GPU that the fewest workers have, the first of several; None where there is none."""
    used = Counter(worker.gpu for worker in workers)
    return min(gpus, key=lambda gpu: used[gpu], default=None)


def _seeing(gpu: str | None) -> dict[str, str]:
    return {} if gpu is None else {"CUDA_VISIBLE_DEVICES": gpu}
