"""A run from beginning to end: train, checkpoint, predict, and leave everything in its folder.

The same call begins a run, continues one that was interrupted or killed, adds predictions to a finished
one, and has nothing to do where all is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from nasrank.db.errors import NasrankError
from nasrank.db.nb201.architectures import NUM_ARCHITECTURES
from nasrank.db.runs.claims import Claim
from nasrank.db.runs.folder import RunFolder
from nasrank.db.runs.status import RunStatus
from nasrank.trainer.config import ExperimentConfig, run_id
from nasrank.trainer.environment import choose_device
from nasrank.trainer.evaluation.evaluator import EvaluationOptions, check_available, random_sample
from nasrank.trainer.images.augment import DeviceImages, Normalization
from nasrank.trainer.images.datasets import (
    ImageDataset,
    Split,
    load_dataset,
    resize_dataset,
    split_dataset,
)
from nasrank.trainer.messages import say
from nasrank.trainer.network.supernet import build_supernet
from nasrank.trainer.predicting import Predictor, missing_predictions
from nasrank.trainer.progress import Progress, stderr_progress
from nasrank.trainer.record import RunRecord, now, taken_up, write_config
from nasrank.trainer.stopping import StopSignal
from nasrank.trainer.training.checkpoint import Checkpointer
from nasrank.trainer.training.recording import record_on_cuda
from nasrank.trainer.training.training import WATCHED_IMAGES, Diverged, Training


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
        write_config(folder, config, seed)
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
                folder.write_status(replace(previous, ground_truth_keys=keys, updated_at=now()))
            return RunResult(name, folder.path, previous.status, already_finished=True)
        if threads is not None:
            torch.set_num_threads(threads)
        shown = progress or stderr_progress()
        try:
            work = _take_up(
                config,
                seed,
                folder,
                claim=claim,
                data_dir=data_dir,
                device=torch_device,
                previous=previous,
                ground_truth_keys=keys,
                options=options,
                progress=shown,
                stop=stop,
            )
            work.do(wanted)
        finally:
            if progress is None:
                shown.close()
        return RunResult(name, folder.path, work.record.status.status, already_finished=False)


@dataclass(frozen=True)
class _Work:
    """One process's work on a run, whose parts stand where its files say: trains, predicts, goes on."""

    folder: RunFolder
    training: Training
    checkpointer: Checkpointer
    predictor: Predictor
    record: RunRecord
    progress: Progress
    stop: StopSignal

    def do(self, wanted: Sequence[int]) -> None:
        """Train what is left and predict what is missing; the record says throughout how it stands."""
        record, was_finished = self.record, self.record.status.status == "finished"
        try:
            if was_finished and self.training.finished:
                # As it was, but written now: who watches the folder sees that somebody works on it again.
                record.mark("finished", finished_at=record.status.finished_at)
            else:
                record.mark("running")
            # Only on the CPU is it sure that training again ends with the very same weights.
            self.folder.drop_predictions(after=self.training.epoch)
            self._train()
            with record.evaluating():
                self.predictor.predict(wanted)
        except Diverged as error:
            record.mark("failed", message=str(error), failed_epoch=error.epoch)
            raise
        except Exception as error:
            # A finished run stays one: what was to be added to it is missing, nothing that it had.
            if record.status.status != "finished":
                record.mark("interrupted", message=str(error) or type(error).__name__)
            raise
        record.mark("finished", finished_at=record.status.finished_at or now())

    def _train(self) -> None:
        if self.training.finished:
            return
        if self.training.batch == 0:
            self._predict_if_due()  # what was cut short
        if self.training.device.type == "cuda":
            _record_groups(self.training)
        self.training.run(
            after_epoch=self._after_epoch,
            save=self.checkpointer.save,
            progress=self.progress,
            stop=self.stop,
        )

    def _after_epoch(self) -> None:
        is_last = self.training.finished
        if is_last or self.predictor.is_due or self.checkpointer.is_due:
            self.checkpointer.save()
        if is_last or self.record.is_due:
            self.record.mark("running")
        self._predict_if_due()

    def _predict_if_due(self) -> None:
        if self.predictor.is_due:
            with self.record.evaluating():
                self.predictor.predict_sample()


def _take_up(
    config: ExperimentConfig,
    seed: int,
    folder: RunFolder,
    *,
    claim: Claim,
    data_dir: Path,
    device: torch.device,
    previous: RunStatus | None,
    ground_truth_keys: list[str],
    options: EvaluationOptions,
    progress: Progress,
    stop: StopSignal,
) -> _Work:
    """Bring a run to where its files say it stands."""
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
    training = _training(config, seed, dataset, split, train_images)
    predictor = Predictor(folder, training, train_images, valid_images, options, progress, stop)
    status = taken_up(
        folder.path.name,
        previous,
        config=config,
        dataset=dataset,
        split=split,
        device=device,
        ground_truth_keys=ground_truth_keys,
    )
    checkpointer = Checkpointer(folder.path, claim, training)
    if not checkpointer.resume() and status.status == "finished":
        raise NasrankError(
            f"run {folder.path.name} is finished, but its checkpoint is gone, so it can predict no "
            f"further architectures; delete {folder.path} to train it again"
        )
    record = RunRecord(folder, claim, training, status)
    return _Work(folder, training, checkpointer, predictor, record, progress, stop)


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
        Normalization(dataset.mean, dataset.std),
        device=device,
        max_shift=max_shift,
    )
