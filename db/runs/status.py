"""How a run stands: what its folder's `status.json` says, and what follows from who works on it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from nasrank.db.errors import NasrankError
from nasrank.db.files.reading import read_json
from nasrank.db.runs.format import FORMAT
from nasrank.db.runs.holders import FoundClaim

ENDED: Final = ("finished", "failed")
# begun: claimed, without a status yet; running: a process works on it; dead: its process was killed, or is
# not heard of; interrupted: saved, and goes on where it is; failed: it diverged; finished.
STATES: Final = ("begun", "running", "dead", "interrupted", "failed", "finished")


@dataclass(frozen=True, kw_only=True)
class RunStatus:
    """`status.json`: how a run stands, and what it was made with. Times of day are ISO 8601 in UTC."""

    run_id: str
    status: str  # running | interrupted | failed | finished; a killed run stays at running
    message: str | None = None
    started_at: str
    updated_at: str
    finished_at: str | None = None
    epoch: int = 0  # completed
    epochs: int
    failed_epoch: int | None = None  # the one that diverged, from 1
    seconds_training: float = 0.0
    seconds_evaluation: float = 0.0
    optimizer_updates: int = 0
    images_per_second: float | None = None  # in training, median over the epochs
    device: str
    git_commit: str | None
    git_dirty: bool | None
    versions: dict[str, str | None]
    dataset_sha256: str
    valid_sha256: str
    dataset_origin: str
    ground_truth_keys: list[str] = field(default_factory=list)
    pid: int
    host: str


def read_status(folder: Path) -> RunStatus | None:
    """The status of a run, or None where none was written yet.

    Raises `NasrankError` where it cannot be read, or is of another version.
    """
    path = folder / "status.json"
    content = read_json(path)
    if content is None:
        return None
    names = {item.name for item in fields(RunStatus)}
    if content.pop("format", None) != FORMAT or content.keys() != names:
        raise NasrankError(
            f"{path} is not of this version's format {FORMAT}; use the version of nasrank that wrote it"
        )
    if not _is_sound(content):
        raise NasrankError(f"{path} is no run's status; copy it anew, or delete the folder to start anew")
    return RunStatus(**content)


def _is_sound(content: Mapping[str, Any]) -> bool:
    """Whether what is computed with has its type: the file may have been edited by hand."""
    try:
        dt.datetime.fromisoformat(content["updated_at"])
    except (TypeError, ValueError):
        return False
    types: dict[str, Any] = {
        "status": str,
        "message": str | None,
        "epoch": int,
        "epochs": int,
        "images_per_second": float | int | None,
        "device": str,
    }
    return all(isinstance(content[name], expected) for name, expected in types.items())


def run_state(written: str | None, claim: FoundClaim | None) -> str:
    """Which of `STATES` a run is in, by the `status` in its file (None: there is no file) and its claim.

    Raises ValueError for a status that no run has.
    """
    if claim is not None and claim.is_live():
        return "begun" if written is None else "running"
    match written:
        case "finished" | "failed" | "interrupted":
            return written
        case "running":
            return "dead"
        case None:
            return "interrupted" if claim is None or claim.released else "dead"
    raise ValueError(f"status {written!r}")
