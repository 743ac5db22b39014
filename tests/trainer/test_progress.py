"""What is said while a run proceeds."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from nasrank.trainer.progress import (
    BarProgress,
    EvaluationProgress,
    LineProgress,
    SilentProgress,
    TrainingClock,
    TrainingProgress,
    TrainingSize,
)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Recorder(SilentProgress):
    def __init__(self) -> None:
        self.shown: list[object] = []

    def show(self, state: object) -> None:
        self.shown.append(state)


def state(epoch: int, batch: int) -> TrainingProgress:
    return TrainingProgress(epoch, 3, batch, 10, 2.25, 1234.5, 3_725)


def test_lines_are_ten_seconds_apart_and_the_last_always_comes() -> None:
    lines: list[str] = []
    clock = Clock()
    progress = LineProgress(lines.append, clock)
    for second, (epoch, batch) in enumerate([(e, b) for e in (1, 2, 3) for b in range(1, 11)]):
        clock.now = float(second)
        progress.show(state(epoch, batch))
    assert lines[0] == "epoch 1/3, batch 1/10, loss 2.250, 1,234 images/s, 1:02:05 left"
    assert [line.split(", loss")[0] for line in lines] == [
        "epoch 1/3, batch 1/10",
        "epoch 2/3, batch 1/10",
        "epoch 3/3, batch 1/10",
        "epoch 3/3, batch 10/10",
    ]
    progress.show(EvaluationProgress(1_500, 1_500, 2_700, 65.4))
    assert lines[-1] == "evaluated 1,500/1,500 architectures, 2,700 architecture images/s, 1:05 left"


def test_a_bar_shows_the_same_text() -> None:
    output = io.StringIO()
    progress = BarProgress(Console(file=output, force_terminal=True, width=140))
    assert output.getvalue() == ""
    progress.show(state(2, 5))
    progress.close()
    assert "epoch 2/3, batch 5/10, loss 2.250" in output.getvalue()


def test_the_clock_measures_this_session_only() -> None:
    """A run continued at step 30 of 100 tells the speed of now, and asks for the loss only to report it."""
    recorder, clock = Recorder(), Clock()
    timer = TrainingClock(
        recorder, TrainingSize(epochs=10, batches=10, batch_size=64), first_step=30, clock=clock
    )
    asked = []
    for step in range(31, 41):
        clock.now += 0.2
        timer.tick(step, lambda: asked.append(None) or 1.5)
    assert len(asked) == len(recorder.shown) == 4  # after 0.6, 1.2, 1.8 and, as the epoch ends, 2.0 seconds
    last = recorder.shown[-1]
    assert isinstance(last, TrainingProgress)
    assert (last.epoch, last.batch, last.done, last.total) == (4, 10, 40, 100)
    assert last.images_per_second == pytest.approx(320)
    assert last.seconds_left == pytest.approx(12)
