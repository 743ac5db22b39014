"""A run's record: `status.json` and `epochs.parquet` in its folder, kept true to how its training stands."""

from __future__ import annotations

import os
import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from nasrank.db.errors import NasrankError
from nasrank.db.processes import remembered_command
from nasrank.db.runs.claims import Claim
from nasrank.db.runs.experiment import RunConfig
from nasrank.db.runs.folder import RunFolder
from nasrank.db.runs.status import RunStatus
from nasrank.trainer.config import ExperimentConfig, run_id
from nasrank.trainer.environment import device_description, git_state, versions
from nasrank.trainer.images.run_images import RunImages
from nasrank.trainer.training.training import Training

_STATUS_SECONDS: Final = 2.0


class RunRecord:
    """Says in the folder how the run stands. The folder must be claimed."""

    def __init__(self, folder: RunFolder, claim: Claim, training: Training, status: RunStatus) -> None:
        self.status = status
        self._folder, self._claim, self._training = folder, claim, training
        self._written_at = time.monotonic()

    @property
    def is_due(self) -> bool:
        """Whether the last mark is old enough for another in the middle of the training."""
        return time.monotonic() - self._written_at >= _STATUS_SECONDS

    def mark(
        self,
        status: str,
        *,
        message: str | None = None,
        failed_epoch: int | None = None,
        finished_at: str | None = None,
    ) -> None:
        """Write both files as things stand. Raises `NasrankError` where another process has the folder."""
        self._claim.check()
        training = self._training
        speeds = [row.images_per_second for row in training.rows]
        self.status = replace(
            self.status,
            status=status,
            message=message,
            updated_at=now(),
            finished_at=finished_at,
            epoch=training.epoch,
            failed_epoch=failed_epoch,
            seconds_training=training.seconds,
            optimizer_updates=training.optimizer_updates,
            images_per_second=statistics.median(speeds) if speeds else None,
        )
        self._folder.write_epochs(training.rows)
        self._folder.write_status(self.status)
        self._written_at = time.monotonic()

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """Count the block's seconds as the evaluation's; the next mark writes them."""
        started = time.monotonic()
        try:
            yield
        finally:
            seconds = self.status.seconds_evaluation + time.monotonic() - started
            self.status = replace(self.status, seconds_evaluation=seconds)


def run_config(config: ExperimentConfig, seed: int) -> RunConfig:
    """What `config.json` says of a run."""
    return RunConfig(
        run_id=run_id(config, seed),
        seed=seed,
        config_hash=config.config_hash,
        config=config.values,
        size=config.size,
        variant=config.variant,
    )


def new_status(run_id: str, epochs: int, images: RunImages, ground_truth_keys: list[str]) -> RunStatus:
    """The status of a run that this process begins."""
    commit, dirty = git_state()
    started_at = now()
    return RunStatus(
        run_id=run_id,
        status="running",
        started_at=started_at,
        updated_at=started_at,
        epochs=epochs,
        device=device_description(images.device),
        git_commit=commit,
        git_dirty=dirty,
        versions=versions(),
        dataset_sha256=images.dataset.sha256,
        valid_sha256=images.split.valid_sha256,
        dataset_origin=images.dataset.origin,
        ground_truth_keys=ground_truth_keys,
        pid=os.getpid(),
        host=socket.gethostname(),
        command=remembered_command(),
    )


def continued_status(status: RunStatus, previous: RunStatus | None) -> RunStatus:
    """As `new_status` has it, keeping what earlier processes did.

    Raises `NasrankError` where the run began with other images.
    """
    if previous is None:
        return status
    for name in ("dataset_sha256", "valid_sha256"):
        before, current = getattr(previous, name), getattr(status, name)
        if before != current:
            raise NasrankError(
                f"run {status.run_id} began with images whose {name} is {before}, but it is now {current}; "
                "give it back the images it began with, or another runs directory"
            )
    return replace(
        status,
        status=previous.status,
        started_at=previous.started_at,
        finished_at=previous.finished_at,
        seconds_evaluation=previous.seconds_evaluation,
    )


def now() -> str:
    """The time as `status.json` has it: ISO 8601, UTC, whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")
