"""Progress on stderr: a bar in a terminal, otherwise a line now and then."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from rich.console import Console

REPORT_SECONDS: Final = 0.5  # reading the loss makes the device wait: at most this often
LINE_SECONDS: Final = 10.0  # without a terminal, lines are at least this far apart


@dataclass(frozen=True)
class TrainingProgress:
    """Where training stands after a batch."""

    epoch: int  # the current one, from 1
    epochs: int
    batch: int  # done in this epoch
    batches: int  # an epoch
    loss: float  # mean over this epoch so far
    images_per_second: float
    seconds_left: float  # of training, validation and saving included; evaluation comes after

    @property
    def done(self) -> int:
        """Batches done, over all epochs."""
        return (self.epoch - 1) * self.batches + self.batch

    @property
    def total(self) -> int:
        """Batches of all epochs."""
        return self.epochs * self.batches

    def __str__(self) -> str:
        return (
            f"epoch {self.epoch}/{self.epochs}, batch {self.batch}/{self.batches}, loss {self.loss:.3f}, "
            f"{self.images_per_second:,.0f} images/s, {duration(self.seconds_left)} left"
        )


@dataclass(frozen=True)
class EvaluationProgress:
    """Where evaluation stands after an architecture."""

    done: int
    total: int  # architectures
    images_per_second: float  # architectures x images
    seconds_left: float

    def __str__(self) -> str:
        return (
            f"evaluated {self.done:,}/{self.total:,} architectures, "
            f"{self.images_per_second:,.0f} architecture images/s, {duration(self.seconds_left)} left"
        )


class Progress(Protocol):
    """Is told how a run proceeds."""

    def show(self, state: TrainingProgress | EvaluationProgress) -> None:
        """Called at most about twice a second, and as an epoch or the evaluation ends."""

    def close(self) -> None:
        """Called once, after the last `show`."""


class SilentProgress:
    """Says nothing."""

    def show(self, state: TrainingProgress | EvaluationProgress) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class LineProgress:
    """A line at most every `LINE_SECONDS`, and one as training or evaluation ends: for logs.

    Args:
        write: takes a line without its end.
        clock: seconds, rising.
    """

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._last = -math.inf

    def show(self, state: TrainingProgress | EvaluationProgress) -> None:
        """Write a line, unless one was written shortly before."""
        now = self._clock()
        if state.done == state.total or now - self._last >= LINE_SECONDS:
            self._last = now
            self._write(str(state))

    def close(self) -> None:
        """Nothing is left open."""


class BarProgress:
    """A bar over all of training, then the same bar over the evaluation: for terminals."""

    def __init__(self, console: Console) -> None:
        # Here, because training needs no rich, which a machine of a cluster may lack.
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as RichBar

        self._bar = RichBar(BarColumn(bar_width=30), TextColumn("{task.description}"), console=console)
        self._task = self._bar.add_task("")

    def show(self, state: TrainingProgress | EvaluationProgress) -> None:
        """Redraw the bar, which appears with the first call."""
        self._bar.start()
        self._bar.update(self._task, description=str(state), completed=state.done, total=state.total)

    def close(self) -> None:
        """Leave the bar as it is and give the terminal back."""
        self._bar.stop()


@dataclass(frozen=True)
class TrainingSize:
    """How much there is to train."""

    epochs: int
    batches: int  # an epoch
    batch_size: int  # images


class TrainingClock:
    """Measures a session of training and reports it, at most about twice a second and as an epoch ends.

    Rate and time left come from all the time since the session began, validation and saving included.

    Args:
        first_step: where the session begins, counted over all epochs.
        clock: seconds, rising.
    """

    def __init__(
        self,
        progress: Progress,
        size: TrainingSize,
        first_step: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._progress = progress
        self._size = size
        self._first_step = first_step
        self._clock = clock
        self._started = self._reported = clock()

    def tick(self, step: int, loss: Callable[[], float]) -> None:
        """After a step. `loss`, which may wait for the device, is only called for a report."""
        size = self._size
        epoch, batch = divmod(step - 1, size.batches)
        is_last = batch + 1 == size.batches
        if self._clock() - self._reported < REPORT_SECONDS and not is_last:
            return
        mean_loss = loss()
        self._reported = self._clock()
        seconds_per_step = max(self._reported - self._started, 1e-9) / (step - self._first_step)
        self._progress.show(
            TrainingProgress(
                epoch=epoch + 1,
                epochs=size.epochs,
                batch=batch + 1,
                batches=size.batches,
                loss=mean_loss,
                images_per_second=size.batch_size / seconds_per_step,
                seconds_left=seconds_per_step * (size.epochs * size.batches - step),
            )
        )


def stderr_progress() -> Progress:
    """A bar where stderr is a terminal, otherwise lines."""
    if sys.stderr.isatty():
        from rich.console import Console

        return BarProgress(Console(stderr=True))
    return LineProgress(lambda line: print(line, file=sys.stderr, flush=True))


def duration(seconds: float) -> str:
    """As `1:02:03`, or `2:03` below an hour."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
