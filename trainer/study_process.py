"""The study's side of a worker: starting its process, telling it to stop, reading why it ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from db.errors import NasrankError
from trainer.study import StudyRun
from trainer.study_worker import Job


class Worker:
    """A process that works on a run, and its log. Raises `NasrankError` where its folder cannot be made.

    `last_words`, once it is closed: why it ended.
    """

    def __init__(self, run: StudyRun, folder: Path, job: Job) -> None:
        self.run, self.folder = run, folder
        self.was_stopped = False
        self.last_words = ""
        self._started = time.monotonic()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._log = (folder / "worker.log").open("a+b")
        except OSError as error:
            raise NasrankError(
                f"cannot write in the run folder {folder}: {error.strerror}; give another runs directory"
            ) from error
        self._log_begin = self._log.seek(0, os.SEEK_END)
        # -P: a folder `trainer` where the command is given is not this package. A session of its own: Ctrl-C
        # in a terminal reaches the study's process only, which then lets every run save.
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "trainer.study_worker", job.to_json()],
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
            env={**os.environ, "OMP_NUM_THREADS": str(job.threads)},
        )

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
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.was_stopped = True

    def close(self) -> None:
        """After the process has ended: give its pipe and its log back, and note its `last_words`."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self._log.seek(self._log_begin)
        lines = self._log.read().decode(errors="replace").splitlines()
        self._log.close()
        code = self.process.returncode
        if code < 0:
            self.last_words = f"its process was killed by {signal.Signals(-code).name}"
        else:
            spoken = [line.strip() for line in lines if line.strip()]
            self.last_words = spoken[-1].removeprefix("error: ") if spoken else f"exit code {code}"
