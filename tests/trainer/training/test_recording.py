"""A group at once against its steps one by one; recorded, against both; and when it is played."""

from __future__ import annotations

import copy
import io
import time
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from nasrank.trainer.network.fair_group import group_logits, group_routes
from nasrank.trainer.run import _record_groups
from nasrank.trainer.stopping import Interrupted
from nasrank.trainer.training.learning import Learner
from nasrank.trainer.training.recording import RecordedGroup, Recorder
from nasrank.trainer.training.training import Training
from tests.trainer.conftest import (
    MakeTraining,
    fewer_examples,
    randomize_norms,
    small_config,
    small_supernet,
)
from tests.trainer.groups import batches, group, learned, step_by_step, with_gradients
from tests.trainer.host_waits import META, host_waits
from tests.trainer.training.tape import record_on_tape
from tests.trainer.training.test_training import VARIATIONS, StopAfter, doubled, run, waits_of_an_epoch

FAIR: list[dict[str, Any]] = [
    {},
    {"mask": "Zero"},
    {"mask": "Skip"},
    {"mask": "Zero+Pool"},
    {"mask": "Skip+C1x1+Pool"},  # Zero and C3x3
    {"lt": "Skip+Pool"},
    {"node_inputs": "sum", "pool_counts_padding": False},
    {"topology_shared": False, "cells_per_stage": 2},
    {"label_smoothing": 0.1},
]
each_fair = pytest.mark.parametrize("changes", FAIR, ids=str)


def double_learner(config: Any) -> Learner:
    supernet = small_supernet(config).double().train()
    randomize_norms(supernet)
    return with_gradients(supernet, config)


def assert_learned_the_same(one: Learner, other: Learner) -> None:
    # Threads add in any order: where much cancels, 2e-11 were seen.
    for found, expected in zip(learned(one), learned(other), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-10)


@fewer_examples
@given(st.data())
def test_routes_send_each_operation_the_path_that_has_it(data: st.DataObject) -> None:
    config = small_config(
        mask=data.draw(st.sampled_from(["", "Zero", "Skip+Pool"])), topology_shared=data.draw(st.booleans())
    )
    paths = group(config, data.draw(st.integers(0, 1000)))
    routes = group_routes(paths, small_supernet(config))
    assert routes.shape == (3, 6, len(config.operations))
    for cell in range(3):
        for edge in range(6):
            for position, operation in enumerate(config.operations):
                path = paths[routes[cell, edge, position]]
                assert (path if config.topology_shared else path[cell])[edge] == operation


@each_fair
def test_a_group_at_once_learns_what_its_steps_do(changes: dict[str, Any]) -> None:
    """In double precision: gradients, running statistics, losses and counts."""
    config = small_config(**changes)
    steps = double_learner(config)
    at_once = with_gradients(copy.deepcopy(steps.supernet), config)
    for number in range(3):
        paths = group(config, number)
        images, labels = batches(len(paths), seed=number)
        step_by_step(steps, images, labels, paths)
        at_once.along_group(images, labels, group_routes(paths, at_once.supernet))
        assert_learned_the_same(at_once, steps)
    assert steps.correct > 0


@each_fair
def test_what_is_recorded_follows_the_paths_it_is_given(changes: dict[str, Any]) -> None:
    """Other images, labels and paths than it was recorded with, which no Python code sees."""
    config = small_config(**changes)
    played = double_learner(config)
    paths = group(config, 99)
    with played.nothing_learned():
        recorded = RecordedGroup(record_on_tape, played, *batches(1, seed=99), paths)
    steps = with_gradients(copy.deepcopy(played.supernet), config)
    played.supernet.forward = played.supernet.stem.forward = None  # not called again
    for number in range(3):
        paths = group(config, number)
        images, labels = batches(len(paths), seed=number)
        recorded.play(images, labels, paths)
        step_by_step(steps, images, labels, paths)
        assert_learned_the_same(played, steps)


def test_in_bfloat16_what_is_recorded_is_what_was_done() -> None:
    """Bit for bit: weights are cast anew each time, not once while recording."""
    config = small_config(precision="bfloat16")
    at_once = with_gradients(small_supernet(config).train(), config)
    played = with_gradients(copy.deepcopy(at_once.supernet), config)
    images, labels = batches(1)
    with played.nothing_learned():
        recorded = RecordedGroup(record_on_tape, played, images.float(), labels, group(config, 99))
    for number in range(2):
        paths = group(config, number)
        images, labels = batches(5, seed=number)
        images = images.float().contiguous(memory_format=torch.channels_last)
        recorded.play(images, labels, paths)
        at_once.along_group(images, labels, group_routes(paths, at_once.supernet))
        for found, expected in zip(learned(played), learned(at_once), strict=True):
            assert torch.equal(found, expected)
        with torch.no_grad():
            for learner in (played, at_once):
                for parameter in learner.supernet.parameters():
                    parameter -= 0.1 * parameter.grad


def test_a_group_asks_nothing_of_its_tensors() -> None:
    """On the device that has no values: nothing waits for one, and nothing depends on one."""
    supernet = small_supernet(small_config()).to("meta").train()
    images = torch.empty(40, 3, 8, 8, device="meta")
    routes = torch.empty(3, 6, 5, dtype=torch.int64, device="meta")
    functional.cross_entropy(
        group_logits(supernet, images, routes), torch.empty(40, dtype=torch.int64, device="meta")
    ).backward()
    assert all(parameter.grad is not None for parameter in supernet.parameters())


def recording(training: Training) -> Training:
    """Whether it pays or not."""
    assert training.record_groups(record_on_tape, least_gain=0) is not None
    return training


TRAININGS: list[dict[str, Any]] = [
    changes for changes in VARIATIONS if "uniform" not in changes.values() and "precision" not in changes
]


@pytest.mark.parametrize("changes", TRAININGS, ids=str)
def test_training_plays_groups_and_ends_with_the_same_weights(
    make_training: MakeTraining, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    """Groups of 5, 4 or 3 of 7 batches: those that run over the end of an epoch go step by step."""
    played: list[int] = []
    play = RecordedGroup.play
    monkeypatch.setattr(RecordedGroup, "play", lambda self, *group: (played.append(1), play(self, *group)))
    stepped = run(doubled(make_training(seed=3, weight_decay=0.01, **changes)))
    assert not played
    training = recording(doubled(make_training(seed=3, weight_decay=0.01, **changes)))
    trials = len(played)
    run(training)
    n = training.steps_per_update
    whole = [first for first in range(0, 21 - n + 1, n) if first // 7 == (first + n - 1) // 7]
    assert len(played) - trials == len(whole) > 1
    expected = stepped.supernet.state_dict()
    for name, tensor in training.supernet.state_dict().items():
        torch.testing.assert_close(tensor, expected[name], rtol=1e-6, atol=1e-9, msg=name)
    for one, other in zip(training.rows, stepped.rows, strict=True):
        assert one.train_loss == pytest.approx(other.train_loss, rel=1e-6)
        assert one.train_accuracy == other.train_accuracy


@pytest.mark.parametrize("stops", [[3], [5], [2, 6, 14, 16]], ids=str)
def test_recorded_training_continues_bit_for_bit(make_training: MakeTraining, stops: list[int]) -> None:
    expected = run(recording(make_training()))
    training = recording(make_training())
    for stop in stops:
        saved = io.BytesIO()
        with pytest.raises(Interrupted):
            run(
                training,
                save=lambda t=training, file=saved: torch.save(t.state(), file),
                stop=StopAfter(training, stop),
            )
        training = make_training()
        saved.seek(0)
        training.load_state(torch.load(saved, weights_only=True))
        assert stop <= training.step < stop + 5
        recording(training)
    run(training)
    for name, tensor in expected.supernet.state_dict().items():
        assert torch.equal(tensor, training.supernet.state_dict()[name]), name


def does_not_record(work: Callable[[], None]) -> Callable[[], None]:
    work()
    raise RuntimeError("operation not permitted when stream is capturing")


def records_slowly(work: Callable[[], None]) -> Callable[[], None]:
    play = record_on_tape(work)
    return lambda: (time.sleep(0.3), play())[1]


@pytest.mark.parametrize("record", [does_not_record, records_slowly])
def test_what_does_not_pay_leaves_no_trace(make_training: MakeTraining, record: Recorder) -> None:
    """Bit for bit, also in the middle of a group, whose gradients are there already."""
    expected, training = run(make_training()), make_training()
    with pytest.raises(Interrupted):
        run(training, stop=StopAfter(training, 3))
    if record is does_not_record:
        with pytest.raises(RuntimeError, match="not permitted"):
            training.record_groups(record)
    else:
        assert 0 < training.record_groups(record) < 1
    run(training)
    for name, tensor in expected.supernet.state_dict().items():
        assert torch.equal(tensor, training.supernet.state_dict()[name]), name
    assert [row.train_loss for row in training.rows] == [row.train_loss for row in expected.rows]


def test_what_pays_is_played(make_training: MakeTraining, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU that waits for Python: a step takes longer than what is recorded of it."""
    along_paths = Learner.along_paths

    def slowly(self: Learner, images: Tensor, labels: Tensor, paths: list[Any]) -> None:
        time.sleep(0.1 * len(paths))
        along_paths(self, images, labels, paths)

    monkeypatch.setattr(Learner, "along_paths", slowly)
    training = make_training()
    assert training.record_groups(record_on_tape) > 1
    monkeypatch.setattr(Learner, "along_paths", None)
    with pytest.raises(Interrupted):
        run(training, stop=StopAfter(training, 5))
    assert training.step == 5


@pytest.mark.parametrize(
    ("images", "changes"), [(60, {"path_sampling": "uniform"}), (39, {})], ids=["uniform", "four batches"]
)
def test_where_there_are_no_whole_groups_nothing_is_tried(
    make_training: MakeTraining, images: int, changes: dict[str, Any]
) -> None:
    assert make_training(images=images, **changes).record_groups(does_not_record) is None


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (does_not_record, "cannot be recorded on this GPU: operation not permitted when stream is capturing"),
        (records_slowly, "trained path by path: recorded, they take"),
    ],
)
def test_a_run_says_how_it_trains(
    make_training: MakeTraining,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    record: Recorder,
    said: str,
) -> None:
    monkeypatch.setattr("nasrank.trainer.run.record_on_cuda", record)
    _record_groups(make_training())
    line = capsys.readouterr().err
    assert said in line
    assert line.count("\n") == 1


@pytest.mark.parametrize(
    "changes",
    [{"grad_clip_norm": 0.5}, {"augmentation": "autoaugment"}, {"topology_shared": False}],
    ids=str,
)
def test_recorded_groups_do_not_make_the_host_wait(
    make_training: MakeTraining, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    """What is recorded is done once, and what a group needs beside it for each."""
    monkeypatch.setattr("nasrank.trainer.training.recording._TRIALS", 1)
    training = make_training(device=META, **changes)
    with host_waits(META):  # a trial reads the loss, which has no value here
        training.record_groups(lambda work: (work(), lambda: None)[1], least_gain=0)
    assert training.plays_groups
    waits = waits_of_an_epoch(training)
    assert len(waits) == 2, waits  # the epoch's last report, and its time
