"""Who works on a run folder: one process at a time, also where several machines share the file system.

A claim is a file `claim-<n>.json` that names its holder. The highest number counts, and a process claims a
folder by creating the next one, which the file system lets one process do (`O_EXCL`, on NFS too; its locks
are not relied upon). A claim ends when

- its holder releases it;
- its holder's process is gone, which another process on the same machine can see; or
- it has not been touched for `STALE_SECONDS`: its holder touches it every `BEAT_SECONDS`.

Numbers only rise, so that of several processes that find the same stale claim one gets the next number. A
holder that was only paused, and taken over, finds that before it writes a checkpoint or its status.
"""

from __future__ import annotations

import json
import os
import re
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from db.errors import NasrankError
from trainer.files import write_json

BEAT_SECONDS: Final = 15.0
STALE_SECONDS: Final = 120.0
_NAME: Final = re.compile(r"claim-(\d+)\.json")


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A process, as its claim names it."""

    host: str
    machine: str  # its boot and its process namespace: where `pid` can be looked up
    pid: int
    started: str  # of the process, in the kernel's ticks since the boot; empty where /proc is missing
    slurm_job: str | None  # such as 4711_3

    @classmethod
    def this_process(cls) -> Holder:
        """The holder that this process is."""
        return cls(
            host=socket.gethostname(),
            machine=_machine(),
            pid=os.getpid(),
            started=_started(os.getpid()),
            slurm_job=slurm_job_id(),
        )

    def is_gone(self) -> bool:
        """Whether its process is known to have ended; of one on another machine nothing is known."""
        return self.machine == _machine() and _started(self.pid) != self.started

    def __str__(self) -> str:
        job = f", Slurm job {self.slurm_job}" if self.slurm_job else ""
        return f"process {self.pid} on {self.host}{job}"


class Claim:
    """A folder's claim, held by this process from `take` to `release`."""

    def __init__(self, folder: Path, number: int, on_loss: Callable[[], None]) -> None:
        self._path = _path(folder, number)
        self._folder, self._number, self._on_loss = folder, number, on_loss
        self._released = threading.Event()
        self._beat = threading.Thread(target=self._keep_fresh, name="claim", daemon=True)
        self._beat.start()

    @classmethod
    def take(
        cls, folder: Path, *, patience: float = 0.0, on_loss: Callable[[], None] = lambda: None
    ) -> Claim:
        """Claim an existing folder.

        Args:
            patience: seconds to wait for a claim of another process to end.
            on_loss: called in another thread once the claim is found taken over.

        Raises `NasrankError` where another process holds it, or where the folder cannot be written.
        """
        deadline = time.monotonic() + patience
        while True:
            number = _newest(folder)
            holder = _live_holder(folder, number, lambda: _now_at(folder))
            if holder is None and _create(folder, number + 1):
                return cls(folder, number + 1, on_loss)
            if holder is not None and time.monotonic() >= deadline:
                raise NasrankError(
                    f"another process works on {folder}: {holder}; wait for it to finish, or stop it first"
                )
            time.sleep(min(1.0, max(0.0, deadline - time.monotonic())))

    def check(self) -> None:
        """Raise `NasrankError` if another process has taken the claim over. Before anything is written."""
        newest = _newest(self._folder)
        if newest == 0:
            raise NasrankError(f"{self._folder} was deleted while this process worked on it")
        if newest != self._number:
            raise NasrankError(
                f"another process took {self._folder} over, because this one was not heard of for "
                f"{STALE_SECONDS:.0f} seconds; nothing further was written"
            )

    def release(self) -> None:
        """Let others claim the folder."""
        self._released.set()
        self._beat.join()
        if _newest(self._folder) == self._number:
            write_json(self._path, _content(released=True))

    def _keep_fresh(self) -> None:
        while not self._released.wait(BEAT_SECONDS):
            try:
                if _newest(self._folder) != self._number:
                    self._on_loss()
                    return
                os.utime(self._path)
            except OSError:
                continue  # the file server is away; the next beat may reach it


def live_holder(folder: Path) -> str | None:
    """Who works on a folder now, or None. By this machine's clock, as nothing is written."""
    return _live_holder(folder, _newest(folder), time.time)


def slurm_job_id() -> str | None:
    """Of the Slurm job that this process belongs to, as `squeue` shows it."""
    array, task = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
    return f"{array}_{task}" if array and task else os.environ.get("SLURM_JOB_ID")


def _live_holder(folder: Path, number: int, now: Callable[[], float]) -> str | None:
    if number == 0:
        return None
    path = _path(folder, number)
    try:
        touched = path.stat().st_mtime
        content: dict[str, Any] = json.loads(path.read_bytes())
        holder: Holder | None = Holder(**content["holder"])
        released = bool(content["released"])
    except FileNotFoundError:
        return None  # a newer one replaced it just now; creating the next number then fails
    except (ValueError, KeyError, TypeError):
        holder, released = None, False  # created a moment ago, and not yet filled
    if released or (holder is not None and holder.is_gone()) or now() - touched > STALE_SECONDS:
        return None
    return str(holder or "a process that is just beginning")


def _create(folder: Path, number: int) -> bool:
    """Make claim `number`, unless another process did, and remove those before it."""
    path = _path(folder, number)
    try:
        with path.open("x", encoding="utf-8") as file:
            json.dump(_content(released=False), file, indent=2)
    except FileExistsError:
        return False
    except OSError as error:
        raise NasrankError(
            f"cannot write in the run folder {folder}: {error.strerror}; give another runs directory"
        ) from error
    if _newest(folder) != number:  # this process was asleep between looking and creating
        path.unlink(missing_ok=True)
        return False
    for older in _numbers(folder):
        if older < number:
            _path(folder, older).unlink(missing_ok=True)
    return True


def _content(*, released: bool) -> dict[str, Any]:
    return {"holder": asdict(Holder.this_process()), "released": released}


def _newest(folder: Path) -> int:
    """The highest number of a claim; 0 where there is none."""
    return max(_numbers(folder), default=0)


def _numbers(folder: Path) -> list[int]:
    try:
        return [int(match[1]) for name in os.listdir(folder) if (match := _NAME.fullmatch(name))]
    except FileNotFoundError:
        return []


def _path(folder: Path, number: int) -> Path:
    return folder / f"claim-{number}.json"


def _now_at(folder: Path) -> float:
    """The time by the clock that the folder's files are dated with: a file server's, on many clusters."""
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"\0")
        file.flush()
        return os.fstat(file.fileno()).st_mtime


def _machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return socket.gethostname()


def _started(pid: int) -> str:
    """When a process began; empty for one that has ended, also where its parent has not noticed yet."""
    try:
        # After the command in brackets, which may hold anything: the state, and 19 fields on, the start.
        state, *fields = Path(f"/proc/{pid}/stat").read_text(encoding="latin-1").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if state in "ZX" else fields[18]
