"""How a run stands: what its folder's `status.json` says, and what follows from who works on it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Final

from nasrank.db.runs import layout
from nasrank.db.runs.holders import FoundClaim
from nasrank.db.runs.schema import INT32, INT64, Field, read_file, stored_values

ENDED: Final = ("finished", "failed")
WRITTEN: Final = ("running", "interrupted", *ENDED)
# begun: claimed, without a status yet; running: a process works on it; dead: its process was killed, or is
# not heard of; interrupted: saved, and goes on where it is; failed: it diverged; finished.
STATES: Final = ("begun", "running", "dead", "interrupted", "failed", "finished")


@dataclass(frozen=True, kw_only=True)
class RunStatus:
    """`status.json`, beside its `format`: how a run stands, and what it was made with."""

    run_id: Annotated[str, Field("name of the run and of its folder")]
    status: Annotated[str, Field("a killed run stays at running", choices=WRITTEN)]
    message: Annotated[str | None, Field("why it failed, or does not go on")] = None
    started_at: Annotated[str, Field("when it was begun", is_time=True)]
    updated_at: Annotated[str, Field("when this was written", is_time=True, stored=False)]
    finished_at: Annotated[str | None, Field("when it was finished", is_time=True)] = None
    epoch: Annotated[int, Field("completed epochs", "epochs", least=0, most=INT32, stored=False)] = 0
    epochs: Annotated[int, Field("of the whole run", "epochs", least=0, most=INT32, stored=False)]
    failed_epoch: Annotated[
        int | None,
        Field("epoch in which the loss was not finite, from 1; null unless it failed", least=1, most=INT32),
    ] = None
    seconds_training: Annotated[float, Field("without evaluation", "seconds", least=0)] = 0.0
    seconds_evaluation: Annotated[float, Field("of evaluation", "seconds", least=0)] = 0.0
    optimizer_updates: Annotated[int, Field("of the optimizer", "steps", least=0, most=INT64)] = 0
    images_per_second: Annotated[
        float | None, Field("trained, median over the epochs", "images/s", least=0)
    ] = None
    device: Annotated[str, Field("processor or GPU, and threads")]
    git_commit: Annotated[str | None, Field("commit of the program, where it ran from a checkout")]
    git_dirty: Annotated[bool | None, Field("whether that checkout had uncommitted changes")]
    versions: Annotated[dict[str, str | None], Field("of the program, Python and libraries, by name")]
    dataset_sha256: Annotated[str, Field("of all images and labels")]
    valid_sha256: Annotated[str, Field("of the validation images and labels")]
    dataset_origin: Annotated[str, Field("where the images come from")]
    ground_truth_keys: Annotated[
        list[str], Field("keys whose top-N the run predicts, and under which metrics are stored")
    ] = field(default_factory=list)
    pid: Annotated[int, Field("process that wrote this", least=0, most=INT64, stored=False)]
    host: Annotated[str, Field("machine of that process", stored=False)]
    command: Annotated[
        str | None, Field("what continues the run, in a shell on that machine", stored=False, optional=True)
    ] = None

    @property
    def has_ended(self) -> bool:
        """Whether it is finished or failed: what is ingested."""
        return self.status in ENDED

    @property
    def columns(self) -> dict[str, Any]:
        """Columns of the warehouse's table `run`; one that failed ended when that was written."""
        return stored_values(replace(self, finished_at=self.finished_at or self.updated_at))


def read_status(folder: Path) -> RunStatus | None:
    """The status of a run, or None where none was written yet.

    Raises `NasrankError` where it cannot be read, or is of another version.
    """
    return read_file(folder / layout.STATUS, RunStatus)


def state_of(status: RunStatus | None, claim: FoundClaim | None) -> str:
    """Which of `STATES` a run is in, by its status (None: there is none yet) and its claim."""
    if claim is not None and claim.is_live():
        return "begun" if status is None else "running"
    if status is None:
        return "interrupted" if claim is None or claim.released else "dead"
    return "dead" if status.status == "running" else status.status
