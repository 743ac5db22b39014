"""The files of a run's folder, for a reader in a browser: their list, and the small known ones.

A run's name may come from an address. So it must be one name, no path, and only ordinary files with the
names below are opened, never through a link.
"""

from __future__ import annotations

import datetime as dt
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nasrank.db.errors import NasrankError, as_unicode, printable
from nasrank.db.files.opening import read_regular
from nasrank.db.runs import layout
from nasrank.db.runs.status import read_status

OFFERED: Final = (layout.CONFIG, layout.ARCHITECTURES, layout.STATUS, layout.EPOCHS, layout.WORKER_LOG)
MOST_BYTES: Final = 10_000_000
_YEAR_2200: Final = dt.datetime(2200, 1, 1, tzinfo=dt.UTC).timestamp()


@dataclass(frozen=True, slots=True)
class FolderFile:
    """`size` in bytes, `changed` in UTC, None before 1970 and after 2199.

    `is_offered`: its content may be asked for.
    """

    name: str
    size: int
    changed: dt.datetime | None
    is_offered: bool


def files_of(runs_dir: Path, run_id: str) -> list[FolderFile] | str:
    """The ordinary files of a run's folder by name, or a sentence that says why there are none."""
    folder = runs_dir / run_id
    if not is_name(run_id) or not folder.is_dir():
        return f"This server has no folder of that name in {runs_dir.absolute()}."
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                about = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(about.st_mode):
                    is_offered = entry.name in OFFERED and about.st_size <= MOST_BYTES
                    found.append(
                        FolderFile(as_unicode(entry.name), about.st_size, _time(about.st_mtime), is_offered)
                    )
    except OSError as error:
        return f"{printable(str(folder.absolute()))} cannot be read: {error.strerror}."
    return sorted(found, key=lambda file: file.name)


def content_of(runs_dir: Path, run_id: str, name: str) -> bytes:
    """A file of `OFFERED`, as it is now; raises NasrankError for any other, and where it cannot be read."""
    if not is_name(run_id) or name not in OFFERED:
        raise NasrankError(f"{name!r} of the run {run_id!r} is not offered")
    return read_regular(runs_dir / run_id / name, MOST_BYTES, follow_links=False)


def last_lines(runs_dir: Path, run_id: str, count: int = 12) -> str:
    """The end of what a study's process printed; empty where nothing is to be read."""
    try:
        content = content_of(runs_dir, run_id, layout.WORKER_LOG)
    except NasrankError:
        return ""  # runs that no study trained have none
    lines = content.decode(errors="replace").splitlines()[-count:]
    return "\n".join(printable(line) for line in lines)


def command_of(runs_dir: Path, run_id: str) -> str:
    """What continues a run, as its status says; empty where it does not."""
    if not is_name(run_id):
        return ""
    try:
        status = read_status(runs_dir / run_id)
    except NasrankError:
        return ""
    return printable(status.command) if status is not None and status.command else ""


def _time(seconds: float) -> dt.datetime | None:
    """Seconds since 1970 as a time; None for one that tables cannot show."""
    return dt.datetime.fromtimestamp(seconds, tz=dt.UTC) if 0 <= seconds < _YEAR_2200 else None


def is_name(run_id: str) -> bool:
    """Whether it names something in a folder, not beside or above it."""
    return run_id not in ("", ".", "..") and Path(run_id).name == run_id and "\0" not in run_id
