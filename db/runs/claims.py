"""Claiming a run folder: one process works on it at a time, also where machines share the file system.

A claim is a file `claim-<n>.json` that names its holder. The highest number counts, and a process claims a
folder by creating the next one, which the file system lets one process do (`O_EXCL`, on NFS too; its locks
are not relied upon). A claim ends when

- its holder releases it;
- its holder's process is gone, which another process on the same machine can see; or
- it has not been touched for `STALE_SECONDS`: its holder touches it every `BEAT_SECONDS`.

Numbers only rise, so that of several processes that find the same stale claim one gets the next number. A
holder that was only paused, and taken over, finds that before it writes a checkpoint or its status.
`db/runs/holders.py` reads claims.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nasrank.db.errors import NasrankError
from nasrank.db.files.writing import write_json
from nasrank.db.runs.holders import (
    BEAT_SECONDS,
    STALE_SECONDS,
    ClaimContent,
    Holder,
    find_claim,
    newest_claim,
)
from nasrank.db.runs.layout import claim_numbers, claim_path


class Claim:
    """A folder's claim, held by this process from `take` to `release`."""

    def __init__(self, folder: Path, number: int, on_loss: Callable[[], None]) -> None:
        self._path = claim_path(folder, number)
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
            number = newest_claim(folder)
            claim = find_claim(folder, number)
            is_live = claim is not None and claim.is_live(lambda: _now_at(folder))
            if not is_live and _create(folder, number + 1):
                return cls(folder, number + 1, on_loss)
            if claim is not None and is_live and time.monotonic() >= deadline:
                raise NasrankError(
                    f"another process works on {folder}: {claim.who}; wait for it to finish, or stop it first"
                )
            time.sleep(min(1.0, max(0.0, deadline - time.monotonic())))

    def check(self) -> None:
        """Raise `NasrankError` if another process has taken the claim over. Before anything is written."""
        newest = newest_claim(self._folder)
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
        if newest_claim(self._folder) == self._number:
            write_json(self._path, _content(released=True))

    def _keep_fresh(self) -> None:
        while not self._released.wait(BEAT_SECONDS):
            try:
                if newest_claim(self._folder) != self._number:
                    self._on_loss()
                    return
                os.utime(self._path)
            except OSError:
                continue  # the file server is away; the next beat may reach it


def _create(folder: Path, number: int) -> bool:
    """Make claim `number`, unless another process did, and remove those before it."""
    path = claim_path(folder, number)
    try:
        with path.open("x", encoding="utf-8") as file:
            json.dump(_content(released=False), file, indent=2)
    except FileExistsError:
        return False
    except OSError as error:
        raise NasrankError(
            f"cannot write in the run folder {folder}: {error.strerror}; give another runs directory"
        ) from error
    if newest_claim(folder) != number:  # this process was asleep between looking and creating
        path.unlink(missing_ok=True)
        return False
    for older in claim_numbers(folder):
        if older < number:
            claim_path(folder, older).unlink(missing_ok=True)
    return True


def _content(*, released: bool) -> dict[str, Any]:
    return asdict(ClaimContent(holder=asdict(Holder.this_process()), released=released))


def _now_at(folder: Path) -> float:
    """The time by the clock that the folder's files are dated with: a file server's, on many clusters."""
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"\0")
        file.flush()
        return os.fstat(file.fileno()).st_mtime
