"""A run from beginning to end: train, checkpoint, predict, and leave everything in its folder.

The same call begins a run, continues one that was interrupted or killed, adds predictions to a finished
one, and has nothing to do where all is there.
"""

from __future__ import annotations

import json
import os
import socket
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import torch
from nasrank.db.errors import NasrankError
from nasrank.db.nb201.architectures import NUM_ARCHITECTURES
from nasrank.db.runs.claims import Claim
from nasrank.db.runs.folder import RunFolder
from nasrank.db.runs.status import RunStatus
from nasrank.trainer.config import ExperimentConfig, run_id
from nasrank.trainer.environment import choose_device, device_description, git_state, versions
from nasrank.trainer.evaluation.evaluator import EvaluationOptions, check_available, random_sample
from nasrank.trainer.evaluation.predicting import Predictor, missing_predictions
from nasrank.trainer.images.augment import DeviceImages
from nasrank.trainer.images.datasets import (
    ImageDataset,
    Split,
    load_dataset,
    resize_dataset,
    split_dataset,
)
from nasrank.trainer.messages import say
from nasrank.trainer.network.supernet import build_supernet
from nasrank.trainer.progress import Progress, stderr_progress
from nasrank.trainer.stopping import StopSignal
from nasrank.trainer.training.checkpoint import load_checkpoint, save_checkpoint
from nasrank.trainer.training.recording import record_on_cuda
from nasrank.trainer.training.training import WATCHED_IMAGES, Diverged, Training
from torch import Tensor

_CHECKPOINT_SECONDS: Final = 30.0
_STATUS_SECONDS: Final = 2.0


@dataclass(frozen=True)
class RunResult:
    """`already_finished`: every prediction asked for was there, and nothing was done."""

    run_id: str
    folder: Path
    status: str
    already_finished: bool


def run_experiment(
    config: ExperimentConfig,
    seed: int,
    *,
    runs_dir: Path,
    data_dir: Path,
    arch_ids: Sequence[int],
    ground_truth_keys: Sequence[str],
    evaluation: EvaluationOptions | None = None,
    device: str = "auto",
    threads: int | None = None,
    progress: Progress | None = None,
    patience: float = 0.0,
) -> RunResult:
    """Train a super-network and predict architectures with it, in `runs_dir/<run_id>`.

    Args:
        arch_ids: the architectures to predict; those that the run has noted earlier stay.
        ground_truth_keys: recorded with the run: by which rankings they were chosen.
        evaluation: under which BN modes, and whether during training, too; None: the defaults.
        device: `auto`, `cpu` or `cuda`.
        threads: of PyTorch on the CPU, for the whole process; None leaves PyTorch's choice.
        progress: None: on stderr.
        patience: seconds to wait for the claim of another process on the run's folder to end.

    Raises `Interrupted` after SIGINT or SIGTERM (everything is saved), `Diverged` where the loss became
    infinite or NaN, and `NasrankError` for images, architectures or folders that do not fit.
    """
    name = run_id(config, seed)
    check_available(arch_ids, config.operations)
    if threads is not None and threads < 1:
        raise NasrankError(f"threads is {threads}; give at least 1")
    torch_device = choose_device(device)
    options = evaluation or EvaluationOptions()
    folder = RunFolder(runs_dir / name)
    stop = StopSignal()
    with folder.claimed(patience=patience, on_loss=stop.request) as claim, stop:
        folder.write_config(
            json.loads(config.to_json()),
            seed,
            config_hash=config.config_hash,
            size=config.size,
            variant=config.variant,
        )
        previous = folder.read_status()
        if previous is not None and previous.status == "failed":
            raise NasrankError(
                f"run {name} failed before: {previous.message}; "
                f"delete {folder.path} to try it again, or run another seed"
            )
        if options.architectures == "all":
            arch_ids = [*arch_ids, *random_sample(config.operations, NUM_ARCHITECTURES)]
        wanted, keys = folder.add_architectures(arch_ids, ground_truth_keys)
        if previous is not None and _is_complete(folder, config, previous, wanted, options):
            if keys != previous.ground_truth_keys:
                folder.write_status(replace(previous, ground_truth_keys=keys, updated_at=_now()))
            return RunResult(name, folder.path, previous.status, already_finished=True)
        if threads is not None:
            torch.set_num_threads(threads)
        shown = progress or stderr_progress()
        try:
            session = _Session(
                config, seed, folder, claim, data_dir, torch_device, previous, keys, options, shown, stop
            )
            session.work(wanted)
        finally:
            if progress is None:
                shown.close()
        return RunResult(name, folder.path, session.status.status, already_finished=False)


class _Session:
    """One process's work on a run: brings it to where its files say it stands, and goes on."""

    def __init__(
        self,
        config: ExperimentConfig,
        seed: int,
        folder: RunFolder,
        claim: Claim,
        data_dir: Path,
        device: torch.device,
        previous: RunStatus | None,
        ground_truth_keys: list[str],
        options: EvaluationOptions,
        progress: Progress,
        stop: StopSignal,
    ) -> None:
        self._config, self._seed, self._folder, self._claim = config, seed, folder, claim
        self._options, self._progress, self._stop, self._device = options, progress, stop, device
        dataset = load_dataset(config.dataset, data_dir)
        split = split_dataset(
            dataset,
            train_images=config.train_images,
            valid_images=config.valid_images,
            split_seed=config.split_seed_of(seed),
        )
        dataset = resize_dataset(dataset, config.image_size)
        train_images = _on_device(dataset, split.train, device, config.max_shift)
        valid_images = _on_device(dataset, split.valid, device)
        self.training = _training(config, seed, dataset, split, train_images)
        self._predictor = Predictor(
            folder, self.training, train_images, valid_images, options, progress, stop
        )
        self.status = _status(folder.path.name, config, dataset, split, device, previous, ground_truth_keys)
        _check_same_images(previous, self.status)
        self._resume()
        self._saved_at = self._status_at = time.monotonic()

    def work(self, wanted: Sequence[int]) -> None:
        """Train what is left, predict what is missing, and keep `status.json` true throughout."""
        try:
            if self.status.status == "finished" and self.training.finished:
                # As it was, but written now: who watches the folder sees that somebody works on it again.
                self._mark("finished", finished_at=self.status.finished_at)
            else:
                self._mark("running")
            # Only on the CPU is it sure that training again ends with the very same weights.
            self._folder.drop_predictions(after=self.training.epoch)
            self._train()
            self._predict(wanted)
        except Diverged as error:
            self._mark("failed", message=str(error), failed_epoch=error.epoch)
            raise
        except Exception as error:
            # A finished run stays one: what was to be added to it is missing, nothing that it had.
            if self.status.status != "finished":
                self._mark("interrupted", message=str(error) or type(error).__name__)
            raise
        finished_at = self.status.finished_at or _now()
        self._mark("finished", finished_at=finished_at)

    def _resume(self) -> None:
        state = load_checkpoint(self._folder.path, config_hash=self._config.config_hash, seed=self._seed)
        if state is not None:
            self.training.load_state(state)
        elif self.status.status == "finished":
            raise NasrankError(
                f"run {self._folder.path.name} is finished, but its checkpoint is gone, so it can predict no "
                f"further architectures; delete {self._folder.path} to train it again"
            )

    def _train(self) -> None:
        if not self.training.finished:
            if self.training.batch == 0:
                self._predict_if_due()  # what was cut short
            if self._device.type == "cuda":
                _record_groups(self.training)
            self.training.run(
                after_epoch=self._after_epoch, save=self._save, progress=self._progress, stop=self._stop
            )

    def _after_epoch(self) -> None:
        now = time.monotonic()
        if self.training.finished or self._is_due() or now - self._saved_at >= _CHECKPOINT_SECONDS:
            self._save()
        if self.training.finished or now - self._status_at >= _STATUS_SECONDS:
            self._mark("running")
        self._predict_if_due()

    def _is_due(self) -> bool:
        """Whether an evaluation during training belongs after the completed epochs."""
        every, epoch = self._options.every, self.training.epoch
        return every is not None and 0 < epoch < self._config.epochs and epoch % every == 0

    def _predict_if_due(self) -> None:
        if self._is_due():
            self._predict(random_sample(self._config.operations, self._options.sample))

    def _save(self) -> None:
        self._claim.check()
        save_checkpoint(
            self._folder.path,
            self.training.state(),
            config_hash=self._config.config_hash,
            seed=self._seed,
        )
        self._saved_at = time.monotonic()

    def _predict(self, wanted: Sequence[int]) -> None:
        started = time.monotonic()
        try:
            self._predictor.predict(wanted)
        finally:
            seconds = self.status.seconds_evaluation + time.monotonic() - started
            self.status = replace(self.status, seconds_evaluation=seconds)

    def _mark(
        self,
        status: str,
        *,
        message: str | None = None,
        failed_epoch: int | None = None,
        finished_at: str | None = None,
    ) -> None:
        """Write `epochs.parquet` and `status.json` as things stand."""
        self._claim.check()
        training = self.training
        speeds = [row.images_per_second for row in training.rows]
        self.status = replace(
            self.status,
            status=status,
            message=message,
            updated_at=_now(),
            finished_at=finished_at,
            epoch=training.epoch,
            failed_epoch=failed_epoch,
            seconds_training=training.seconds,
            optimizer_updates=training.optimizer_updates,
            images_per_second=statistics.median(speeds) if speeds else None,
        )
        self._folder.write_epochs(training.rows)
        self._folder.write_status(self.status)
        self._status_at = time.monotonic()


def _is_complete(
    folder: RunFolder,
    config: ExperimentConfig,
    status: RunStatus,
    wanted: Sequence[int],
    options: EvaluationOptions,
) -> bool:
    return status.status == "finished" and not any(
        missing_predictions(folder, wanted, config.epochs, bn_mode) for bn_mode in options.bn_modes
    )


def _training(
    config: ExperimentConfig, seed: int, dataset: ImageDataset, split: Split, train_images: DeviceImages
) -> Training:
    device = train_images.device
    watched_images = _on_device(dataset, split.valid[:WATCHED_IMAGES], device)
    supernet = build_supernet(
        config, seed, image_shape=dataset.images.shape[1:], num_classes=dataset.num_classes
    )
    return Training(config, seed, supernet.to(device), train_images, watched_images)


def _record_groups(training: Training) -> None:
    """Where groups can be recorded, and it pays; says which. No run fails for it."""
    try:
        ratio = training.record_groups(record_on_cuda)
    except RuntimeError as error:
        say(f"each path is trained by itself, as their groups cannot be recorded on this GPU: {error}")
        return
    if ratio is not None:
        how = "played as recorded" if training.plays_groups else "trained path by path"
        say(f"groups of paths are {how}: recorded, they take {1 / ratio:.2f} times as long as path by path")


def _on_device(
    dataset: ImageDataset, chosen: Tensor, device: torch.device, max_shift: int = 0
) -> DeviceImages:
    return DeviceImages(
        dataset.images[chosen],
        dataset.labels[chosen],
        mean=dataset.mean,
        std=dataset.std,
        device=device,
        max_shift=max_shift,
    )


def _status(
    name: str,
    config: ExperimentConfig,
    dataset: ImageDataset,
    split: Split,
    device: torch.device,
    previous: RunStatus | None,
    ground_truth_keys: list[str],
) -> RunStatus:
    """The status of a run as this process takes it up, keeping what earlier ones did."""
    commit, dirty = git_state()
    now = _now()
    return RunStatus(
        run_id=name,
        status=previous.status if previous else "running",
        started_at=previous.started_at if previous else now,
        updated_at=now,
        finished_at=previous.finished_at if previous else None,
        epochs=config.epochs,
        seconds_evaluation=previous.seconds_evaluation if previous else 0.0,
        device=device_description(device),
        git_commit=commit,
        git_dirty=dirty,
        versions=versions(),
        dataset_sha256=dataset.sha256,
        valid_sha256=split.valid_sha256,
        dataset_origin=dataset.origin,
        ground_truth_keys=ground_truth_keys,
        pid=os.getpid(),
        host=socket.gethostname(),
    )


def _check_same_images(previous: RunStatus | None, status: RunStatus) -> None:
    if previous is None:
        return
    for name in ("dataset_sha256", "valid_sha256"):
        before, now = getattr(previous, name), getattr(status, name)
        if before != now:
            raise NasrankError(
                f"run {status.run_id} began with images whose {name} is {before}, but it is now {now}; "
                "give it back the images it began with, or another runs directory"
            )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
