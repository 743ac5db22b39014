"""Who works on a run folder, read from its claim; `db/runs/claims.py` takes claims and tells of them.

A claim is a file `claim-<n>.json` that names its holder; the highest number counts. It is live until its
holder released it, its holder's process is gone, which only the same machine can see, or it was not touched
for `STALE_SECONDS`.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from nasrank.db.errors import NasrankError
from nasrank.db.files.reading import read_json
from nasrank.db.runs.layout import claim_numbers, claim_path
from nasrank.db.runs.schema import INT64, Field, read_object

BEAT_SECONDS: Final = 15.0  # a holder touches its claim so often
STALE_SECONDS: Final = 120.0


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A process, as its claim names it."""

    host: Annotated[str, Field("name of the machine")]
    machine: Annotated[str, Field("its boot and process namespace: where pid can be looked up")]
    pid: Annotated[int, Field("of the process", least=0, most=INT64)]
    started: Annotated[
        str, Field("when the process began, since the boot; empty where /proc is missing", "kernel ticks")
    ]
    slurm_job: Annotated[str | None, Field("such as 4711_3")]

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


@dataclass(frozen=True, kw_only=True)
class ClaimContent:
    """A `claim-<n>.json`."""

    holder: Annotated[dict[str, Any], Field("the process that works on the folder")]
    released: Annotated[bool, Field("whether it has let others claim the folder")]


@dataclass(frozen=True, kw_only=True)
class FoundClaim:
    """The claim that counts on a folder, as it was found."""

    holder: Holder | None  # None: created a moment ago, and not yet filled
    released: bool
    touched: float  # seconds since 1970, by the clock that the folder's files are dated with

    def is_live(self, now: Callable[[], float] = time.time) -> bool:
        """Whether its holder still works; `now` is only asked where nothing else tells."""
        is_gone = self.holder is not None and self.holder.is_gone()
        return not (self.released or is_gone or now() - self.touched > STALE_SECONDS)

    @property
    def who(self) -> str:
        """Its holder in words."""
        return str(self.holder or "a process that is just beginning")


def find_claim(folder: Path, number: int | None = None) -> FoundClaim | None:
    """The claim of that number, or the newest; None where there is none, or was replaced just now."""
    number = newest_claim(folder) if number is None else number
    if number == 0:
        return None
    path = claim_path(folder, number)
    try:
        touched = path.stat().st_mtime
        found = read_json(path)
        if found is None:
            return None
        content = read_object(found, ClaimContent)
        holder = read_object(content.holder, Holder)
    except FileNotFoundError:
        return None
    except NasrankError:
        return FoundClaim(holder=None, released=False, touched=touched)
    return FoundClaim(holder=holder, released=content.released, touched=touched)


def live_holder(folder: Path) -> str | None:
    """Who works on a folder now, or None. By this machine's clock, as nothing is written."""
    claim = find_claim(folder)
    return claim.who if claim is not None and claim.is_live() else None


def newest_claim(folder: Path) -> int:
    """The highest number of a claim; 0 where there is none."""
    return max(claim_numbers(folder), default=0)


def slurm_job_id() -> str | None:
    """Of the Slurm job that this process belongs to, as `squeue` shows it."""
    array, task = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
    return f"{array}_{task}" if array and task else os.environ.get("SLURM_JOB_ID")


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
