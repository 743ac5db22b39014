"""Training a super-network: a batch a step, the gradients of a group summed, resumable at any step.

Paper, Table 1: SGD with momentum, cosine learning rate by epoch, weight decay on all but BatchNorm.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

import torch

from nasrank.db.errors import NasrankError
from nasrank.db.nb201.architectures import EDGES
from nasrank.db.runs.format import EpochRow
from nasrank.trainer.config import ExperimentConfig
from nasrank.trainer.evaluation.evaluator import Evaluator
from nasrank.trainer.images.augment import Augmentation, DeviceImages, EpochDraws, draw_epoch
from nasrank.trainer.network.paths import CellPaths, Path, path_sampler
from nasrank.trainer.network.supernet import NUM_STAGES, ZERO, SuperNet
from nasrank.trainer.progress import Progress, TrainingClock, TrainingSize
from nasrank.trainer.randomness import generator
from nasrank.trainer.stopping import Interrupted, Stopping
from nasrank.trainer.training.learning import Learner
from nasrank.trainer.training.optimization import clip_gradients, learning_rate, make_optimizer
from nasrank.trainer.training.recording import RecordedGroup, Recorder, try_recording

WATCHED_IMAGES: Final = 1_000  # validation images enough to follow the training by
_WATCHED_PATHS: Final = 3
_WATCHED_BATCH: Final = 100


class Diverged(NasrankError):  # noqa: N818, says what the training did
    """The loss became infinite or NaN in an epoch (counted from 1)."""

    def __init__(self, epoch: int) -> None:
        super().__init__(
            f"training diverged: the loss of epoch {epoch} is not finite; a loss must stay finite: "
            "lower the learning rate, or try another seed"
        )
        self.epoch = epoch


class Training:
    """A run's training: where it stands, how it goes on.

    Args:
        supernet: on the device of the images.
        train_images: augmented by up to `config.max_shift` pixels, which they must allow.
        watched_images: for `valid_accuracy`; they change nothing that is trained.

    Raises `NasrankError` where the images make no batch, or all epochs together no optimizer step.
    """

    def __init__(
        self,
        config: ExperimentConfig,
        seed: int,
        supernet: SuperNet,
        train_images: DeviceImages,
        watched_images: DeviceImages,
    ) -> None:
        self.config = config
        self.seed = seed
        self.supernet = supernet
        self.sampler = path_sampler(config, seed, NUM_STAGES * config.cells_per_stage)
        group = self.sampler.steps_per_update
        # A batch goes along one path of a group, and the next batch along the next; or along all of them.
        self.paths_per_step, self.steps_per_update = (
            (1, group) if config.gradient_batches == "successive" else (group, 1)
        )
        self.optimizer = make_optimizer(supernet, config)
        self.epoch = 0  # completed epochs
        self.batch = 0  # completed batches of the current epoch
        self.rows: list[EpochRow] = []
        self._train_images = train_images
        self._watched_images = watched_images
        self._learner = Learner(supernet, config, train_images.device)
        self._recorded: RecordedGroup | None = None
        self._epoch_seconds = 0.0
        self.batches = len(train_images) // config.batch_size
        self._check_enough_images()
        # Gradients start as zeros and are never dropped: a weight that a group's paths do not reach is
        # decayed and moved by its momentum like any other, as a sum of no gradients asks for.
        for parameter in supernet.parameters():
            parameter.grad = torch.zeros_like(parameter)

    @property
    def step(self) -> int:
        """Completed steps, which are batches, over all epochs."""
        return self.epoch * self.batches + self.batch

    @property
    def optimizer_updates(self) -> int:
        """Steps of the optimizer so far: one a group."""
        return self.step // self.steps_per_update

    @property
    def seconds(self) -> float:
        """Spent in training steps, those of the current epoch included."""
        return sum(row.seconds for row in self.rows) + self._epoch_seconds

    @property
    def device(self) -> torch.device:
        """Where the images are, and the network."""
        return self._train_images.device

    def mean_loss(self) -> float:
        """Over the batches of the current epoch so far, and their paths; waits for the device."""
        return self._learner.loss_sum.item() / max(self.batch * self.paths_per_step, 1)

    @property
    def finished(self) -> bool:
        """Whether the last epoch is done."""
        return self.epoch == self.config.epochs

    def run(
        self,
        *,
        after_epoch: Callable[[], None],
        save: Callable[[], None],
        progress: Progress,
        stop: Stopping,
    ) -> None:
        """Train until the last epoch is done.

        Calls `after_epoch` after every epoch, and `save` before it raises `Interrupted`, which it does
        after the current step once `stop` is requested. Raises `Diverged` at the end of an epoch whose
        loss is not finite. The last group's gradients are dropped if the group is incomplete.
        """
        images = self.config.batch_size * self.paths_per_step
        clock = TrainingClock(progress, TrainingSize(self.config.epochs, self.batches, images), self.step)
        while not self.finished:
            self._run_epoch(clock, stop)
            if self.batch < self.batches:
                save()
                raise Interrupted(
                    f"interrupted in epoch {self.epoch + 1} of {self.config.epochs} and saved; "
                    "the same command continues"
                )
            self._end_epoch()
            after_epoch()

    def record_groups(self, record: Recorder, *, least_gain: float = 1.0) -> float | None:
        """From now on play strictly fair groups within an epoch as `record` has them, if it pays here.

        Returns how many times as fast as step by step that is, which has to be more than `least_gain`; None
        where there are no such groups. Only rounding depends on it. Raises `RuntimeError` where none can be
        recorded; then nothing is changed.
        """
        group = self.steps_per_update * self.paths_per_step
        if group == 1 or self.batches < self.steps_per_update:
            return None
        self.supernet.train()
        images, labels = self._train_images.plain(0, self.config.batch_size)
        paths = [self.sampler.path(step) for step in range(group)]
        recorded, ratio = try_recording(record, self._learner, images, labels, paths)
        if ratio > least_gain:
            self._recorded = recorded
        return ratio

    @property
    def plays_groups(self) -> bool:
        """Whether recorded groups are played."""
        return self._recorded is not None

    def state(self) -> dict[str, Any]:
        """All that `load_state` needs to go on exactly here: tensors, numbers and containers of them."""
        gradients = [parameter.grad for parameter in self.supernet.parameters()]
        return {
            "epoch": self.epoch,
            "batch": self.batch,
            "step": self.step,
            "model": self.supernet.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "gradients": gradients if self.step % self.steps_per_update else None,
            "loss_sum": self._learner.loss_sum,
            "correct": self._learner.correct,
            "epoch_seconds": self._epoch_seconds,
            "rows": [asdict(row) for row in self.rows],
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken, by a training of the same configuration, seed and images."""
        self.epoch, self.batch = state["epoch"], state["batch"]
        self.supernet.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if state["gradients"] is not None:
            for parameter, gradient in zip(self.supernet.parameters(), state["gradients"], strict=True):
                assert parameter.grad is not None
                parameter.grad.copy_(gradient)
        self._learner.loss_sum.copy_(state["loss_sum"])
        self._learner.correct.copy_(state["correct"])
        self._epoch_seconds = state["epoch_seconds"]
        self.rows = [EpochRow(**row) for row in state["rows"]]

    def _run_epoch(self, clock: TrainingClock, stop: Stopping) -> None:
        """Train the rest of the current epoch, or up to the step after which `stop` is requested."""
        self.supernet.train()
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.config, self.epoch)
        config = self.config
        augmentation = Augmentation(
            max_shift=config.max_shift, horizontal_flip=config.horizontal_flip, policy=config.augmentation
        )
        draws = draw_epoch(len(self._train_images), augmentation, seed=self.seed, epoch=self.epoch)
        draws = draws.to(self._train_images.device)
        started = time.monotonic()
        while self.batch < self.batches and not stop.requested:
            self._train_next(draws)
            clock.tick(self.step, self.mean_loss)
        self.mean_loss()  # waits for the device, so that the time is all of the epoch's
        self._epoch_seconds += time.monotonic() - started

    def _train_next(self, draws: EpochDraws) -> None:
        """A batch; or the batches of a group at once, where that is recorded and all are of this epoch."""
        group = self.steps_per_update
        is_whole = self.step % group == 0 and self.batch + group <= self.batches
        recorded = self._recorded if is_whole else None
        steps = group if recorded else 1
        first, size = self.batch * self.config.batch_size, self.config.batch_size
        images, labels = self._train_images.augmented(draws, first, first + steps * size)
        paths = self._next_paths(steps)
        if recorded:
            recorded.play(images, labels, paths)
        else:
            self._learner.along_paths(images, labels, paths)
        self.batch += steps
        if self.step % group == 0:
            clip_gradients(self.optimizer, self.config)
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=False)

    def _next_paths(self, steps: int) -> list[Path | CellPaths]:
        """Those that the next batches are trained along."""
        first = self.step * self.paths_per_step
        return [self.sampler.path(first + position) for position in range(steps * self.paths_per_step)]

    def _end_epoch(self) -> None:
        """Record the epoch and stand at the beginning of the next."""
        images = self.batches * self.config.batch_size * self.paths_per_step
        loss = self.mean_loss()
        if not math.isfinite(loss):
            raise Diverged(self.epoch + 1)
        self.rows.append(
            EpochRow(
                epoch=self.epoch + 1,
                train_loss=loss,
                train_accuracy=self._learner.correct.item() / images,
                valid_accuracy=self._valid_accuracy() if self._validates() else None,
                learning_rate=learning_rate(self.config, self.epoch),
                seconds=self._epoch_seconds,
                images_per_second=images / max(self._epoch_seconds, 1e-9),
            )
        )
        self.epoch, self.batch = self.epoch + 1, 0
        self._learner.loss_sum.zero_()
        self._learner.correct.zero_()
        self._epoch_seconds = 0.0
        if self.finished:
            self._recorded = None  # the memory of its features is the evaluation's

    def _validates(self) -> bool:
        """About ten times a run, and after the last epoch."""
        every = max(1, self.config.epochs // 10)
        return (self.epoch + 1) % every == 0 or self.epoch + 1 == self.config.epochs

    def _valid_accuracy(self) -> float | None:
        evaluator = Evaluator(self.supernet, self._watched_images, _WATCHED_BATCH)
        counts = [evaluator.correct(path) for path in watched_paths(self.config)]
        correct = sum(count for count in counts if count is not None)
        return None if None in counts else correct / (len(counts) * len(self._watched_images))

    def _check_enough_images(self) -> None:
        config = self.config
        if self.batches == 0:
            raise NasrankError(
                f"batch_size {config.batch_size} is more than the {len(self._train_images)} training images; "
                "give a smaller batch_size"
            )
        if config.epochs and self.batches * config.epochs < self.steps_per_update:
            raise NasrankError(
                f"{config.epochs} epochs of {self.batches} batches are fewer than the "
                f"{self.steps_per_update} steps of one optimizer update; give more epochs or a "
                "smaller batch_size"
            )


def watched_paths(config: ExperimentConfig) -> list[Path]:
    """The random paths whose accuracy is followed during training: the same for every run of a mask.

    Without Zero, which can cut a path off from the images and would say nothing of the weights.
    """
    operations = [operation for operation in config.operations if operation != ZERO]
    source = generator("watched paths")
    choices = torch.randint(len(operations), (_WATCHED_PATHS, len(EDGES)), generator=source).tolist()
    return [tuple(operations[choice] for choice in path) for path in choices]
