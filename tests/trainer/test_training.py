"""The loop against a plain one, the schedule, and continuing exactly where it stopped."""

from __future__ import annotations

import io
import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from db.errors import NasrankError
from tests.trainer.conftest import MakeTraining, small_config, small_images, small_supernet
from trainer.augment import draw_epoch
from trainer.config import ExperimentConfig
from trainer.paths import StrictlyFair
from trainer.progress import SilentProgress, TrainingProgress
from trainer.stopping import Interrupted, StopSignal
from trainer.training import Diverged, Training, learning_rate, make_optimizer, watched_paths


def run(
    training: Training,
    *,
    progress: SilentProgress | None = None,
    save: Callable[[], None] = lambda: None,
    stop: StopSignal | None = None,
) -> Training:
    training.run(
        after_epoch=lambda: None,
        save=save,
        progress=progress or SilentProgress(),
        stop=stop or StopSignal(),
    )
    return training


class StopAfter(StopSignal):
    """As Ctrl-C pressed during a certain step of this session."""

    def __init__(self, training: Training, step: int) -> None:
        self._training, self._step = training, step

    @property
    def requested(self) -> bool:
        return self._training.step >= self._step


def plain_training(config: ExperimentConfig, seed: int, images: int) -> dict[str, Tensor]:
    """As the study words it: sum the gradients of |O| batches, then one step of SGD, written out."""
    supernet, train = small_supernet(config, seed), small_images(images, max_shift=config.max_shift)
    sampler = StrictlyFair(config.operations, seed)
    batches = images // config.batch_size
    undecayed = {
        f"{n}.{p}"
        for n, m in supernet.named_modules()
        if isinstance(m, nn.BatchNorm2d)
        for p in ("weight", "bias")
    }
    parameters = dict(supernet.named_parameters())
    summed = {name: torch.zeros_like(parameter) for name, parameter in parameters.items()}
    velocity: dict[str, Tensor] = {}
    supernet.train()
    for step in range(config.epochs * batches):
        epoch, batch = divmod(step, batches)
        draws = draw_epoch(
            images,
            max_shift=config.max_shift,
            horizontal_flip=config.horizontal_flip,
            seed=seed,
            epoch=epoch,
        )
        pixels, labels = train.augmented(draws, batch * config.batch_size, (batch + 1) * config.batch_size)
        loss = functional.cross_entropy(supernet(pixels, sampler.path(step)), labels)
        gradients = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True)
        for name, gradient in zip(parameters, gradients, strict=True):
            summed[name] += 0 if gradient is None else gradient
        if (step + 1) % len(config.operations):
            continue
        rate = 1e-5 + (config.learning_rate - 1e-5) * (1 + math.cos(math.pi * epoch / config.epochs)) / 2
        with torch.no_grad():
            for name, parameter in parameters.items():
                decay = 0 if name in undecayed else config.weight_decay
                gradient = summed[name] + decay * parameter
                velocity[name] = 0.9 * velocity[name] + gradient if name in velocity else gradient
                parameter -= rate * velocity[name]
                summed[name] = torch.zeros_like(parameter)
    return supernet.state_dict()


@pytest.mark.parametrize("mask", ["", "Zero+Pool", "Skip"])
def test_training_is_the_studys(make_training: MakeTraining, mask: str) -> None:
    training = run(make_training(seed=3, mask=mask, weight_decay=0.01))
    expected = plain_training(training.config, seed=3, images=60)
    for name, tensor in training.supernet.state_dict().items():
        torch.testing.assert_close(tensor, expected[name], rtol=1e-3, atol=1e-4, msg=name)
    initial = small_supernet(training.config, 3).state_dict()
    assert all(not torch.equal(initial[name], expected[name]) for name in initial if name.endswith("weight"))


def test_learning_rate_is_half_a_cosine() -> None:
    config = small_config(epochs=250, learning_rate=0.025)
    rates = [learning_rate(config, epoch) for epoch in range(250)]
    assert rates[0] == 0.025
    assert rates[125] == pytest.approx((0.025 + 1e-5) / 2)
    assert 1e-5 < rates[-1] < 1.2e-5
    assert rates == sorted(rates, reverse=True)


def test_weight_decay_spares_batch_norm_only() -> None:
    supernet = small_supernet(small_config())
    decayed, spared = make_optimizer(supernet, small_config()).param_groups
    assert (decayed["weight_decay"], spared["weight_decay"]) == (3e-4, 0)
    names = {parameter: name for name, parameter in supernet.named_parameters()}
    assert len(decayed["params"]) + len(spared["params"]) == len(names)
    norms = {name for name, module in supernet.named_modules() if isinstance(module, nn.BatchNorm2d)}
    assert {names[p].rpartition(".")[0] for p in spared["params"]} <= norms
    assert not {names[p].rpartition(".")[0] for p in decayed["params"]} & norms
    assert "head.4.bias" in {names[p] for p in decayed["params"]}


def state_after(training: Training) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in training.supernet.state_dict().items()}


@pytest.mark.parametrize("mask", ["", "Zero+Pool"])
# Of 7 batches an epoch, groups of 5 or 3: mid-group, end of a group, end of an epoch, end of both, the last.
@pytest.mark.parametrize("stops", [[1], [5], [6], [7], [9], [15], [20], [2, 3, 8, 14, 16]])
def test_continued_training_is_bit_for_bit_the_same(
    make_training: MakeTraining, mask: str, stops: list[int]
) -> None:
    expected = run(make_training(mask=mask))
    training = make_training(mask=mask)
    for stop in stops:
        saved = io.BytesIO()
        with pytest.raises(Interrupted, match="the same command continues"):
            run(
                training,
                save=lambda t=training, file=saved: torch.save(t.state(), file),
                stop=StopAfter(training, stop),
            )
        assert training.step == stop
        training = make_training(mask=mask)
        saved.seek(0)
        training.load_state(torch.load(saved, weights_only=True))
        assert training.step == stop
    run(training)
    for name, tensor in expected.supernet.state_dict().items():
        assert torch.equal(tensor, training.supernet.state_dict()[name]), name
    untimed = [
        [(r.epoch, r.train_loss, r.train_accuracy, r.valid_accuracy, r.learning_rate) for r in t.rows]
        for t in (expected, training)
    ]
    assert untimed[0] == untimed[1]
    assert training.optimizer_updates == expected.optimizer_updates == 21 // (3 if mask else 5)


def test_seeds_train_other_networks(make_training: MakeTraining) -> None:
    one, again, other = (state_after(run(make_training(seed=seed, epochs=1))) for seed in (0, 0, 1))
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not torch.equal(one["head.4.weight"], other["head.4.weight"])


def test_an_incomplete_last_group_is_not_applied(make_training: MakeTraining) -> None:
    training = make_training(epochs=1)  # seven steps: one group of five, two left over
    weights = []
    original = training.optimizer.step

    def step() -> None:
        original()
        weights.append(state_after(training)["head.4.weight"])

    training.optimizer.step = step
    run(training)
    assert len(weights) == 1
    assert torch.equal(weights[0], training.supernet.state_dict()["head.4.weight"])


def test_rows_tell_of_every_epoch(make_training: MakeTraining) -> None:
    training = run(make_training(epochs=40))
    assert [row.epoch for row in training.rows] == list(range(1, 41))
    assert [row.epoch for row in training.rows if row.valid_accuracy is not None] == list(range(4, 41, 4))
    assert training.rows[0].learning_rate == 0.1
    assert training.rows[-1].train_loss < training.rows[0].train_loss
    assert all(0 <= row.train_accuracy <= 1 for row in training.rows)
    assert all(row.images_per_second == pytest.approx(56 / row.seconds) for row in training.rows)
    assert training.seconds == pytest.approx(sum(row.seconds for row in training.rows))


def test_divergence_is_named_with_its_epoch(make_training: MakeTraining) -> None:
    with pytest.raises(Diverged, match="the loss of epoch 1 is not finite") as caught:
        run(make_training(learning_rate=1e30))
    assert caught.value.epoch == 1
    assert "\n" not in str(caught.value)


def test_watched_paths_are_the_same_for_every_run_and_let_images_through() -> None:
    for mask in ("", "Zero", "Skip+Pool"):
        config = small_config(mask=mask)
        paths = watched_paths(config)
        assert paths == watched_paths(small_config(mask=mask, epochs=9))
        assert len(paths) == 3
        assert {operation for path in paths for operation in path} <= set(config.operations) - {0}


class Recorder(SilentProgress):
    def __init__(self) -> None:
        self.shown: list[TrainingProgress] = []

    def show(self, state: object) -> None:
        assert isinstance(state, TrainingProgress)
        self.shown.append(state)


def test_progress_reports_each_epochs_end(make_training: MakeTraining) -> None:
    recorder = Recorder()
    training = run(make_training(), progress=recorder)
    ends = [state for state in recorder.shown if state.batch == state.batches]
    assert [state.epoch for state in ends] == [1, 2, 3]
    assert [state.loss for state in ends] == pytest.approx([row.train_loss for row in training.rows])
    assert ends[-1].seconds_left == 0
    assert ends[-1].done == ends[-1].total == 21


@pytest.mark.parametrize(
    ("images", "changes", "reason"),
    [(7, {}, "batch_size 8 is more than the 7 training images"), (24, {"epochs": 1}, "fewer than the 5")],
)
def test_too_few_images_are_refused(
    make_training: MakeTraining, images: int, changes: dict[str, object], reason: str
) -> None:
    with pytest.raises(NasrankError, match=reason):
        make_training(images=images, **changes)
