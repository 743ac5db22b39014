"""The loop against a plain one, the schedule, and continuing exactly where it stopped."""

from __future__ import annotations

import copy
import io
import itertools
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from nasrank.db.errors import NasrankError
from nasrank.trainer.config import ExperimentConfig
from nasrank.trainer.images.augment import Augmentation, draw_epoch
from nasrank.trainer.network.paths import path_sampler
from nasrank.trainer.progress import SilentProgress, TrainingClock, TrainingProgress, TrainingSize
from nasrank.trainer.stopping import Interrupted, StopSignal
from nasrank.trainer.training.optimization import clip_gradients, learning_rate, make_optimizer
from nasrank.trainer.training.training import Diverged, Training, watched_paths
from tests.trainer.conftest import MakeTraining, new_training, small_config, small_images, small_supernet
from tests.trainer.host_waits import META, host_waits


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


def doubled(training: Training) -> Training:
    """In double precision: float32 rounds otherwise on every processor, and steps make much of a little."""
    training.supernet.double()
    for parameter in training.supernet.parameters():
        parameter.grad = torch.zeros_like(parameter)
    train, watched = training._train_images, training._watched_images
    augmented = train.augmented
    train.augmented = lambda *arguments: in_double(augmented(*arguments))
    for images in (train, watched):
        images.plain = lambda *arguments, plain=images.plain: in_double(plain(*arguments))
    return training


def in_double(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    return batch[0].double(), batch[1]


def plain_training(config: ExperimentConfig, seed: int, images: int) -> dict[str, Tensor]:
    """As the study words it: sum the gradients of |O| batches, then one step of SGD, written out.

    With uniform sampling a step a batch; with gradient_batches `same` all |O| gradients are of each batch.
    In double precision.
    """
    supernet, train = small_supernet(config, seed).double(), small_images(images, max_shift=config.max_shift)
    sampler = path_sampler(config, seed, 3)
    batches = images // config.batch_size
    paths_of_a_batch = len(config.operations) if config.gradient_batches == "same" else 1
    undecayed = {
        f"{n}.{p}"
        for n, m in supernet.named_modules()
        if isinstance(m, nn.BatchNorm2d)
        for p in ("weight", "bias")
    }
    parameters = dict(supernet.named_parameters())
    summed = {name: torch.zeros_like(parameter) for name, parameter in parameters.items()}
    velocity: dict[str, Tensor] = {}
    step = 0
    supernet.train()
    for epoch in range(config.epochs):
        draws = draw_epoch(
            images,
            Augmentation(
                max_shift=config.max_shift, horizontal_flip=config.horizontal_flip, policy=config.augmentation
            ),
            seed=seed,
            epoch=epoch,
        )
        rate = plain_rate(config, epoch)
        for start in range(0, batches * config.batch_size, config.batch_size):
            pixels, labels = in_double(train.augmented(draws, start, start + config.batch_size))
            for _ in range(paths_of_a_batch):
                log_probabilities = supernet(pixels, sampler.path(step)).log_softmax(1)
                step += 1
                of_label = log_probabilities[range(len(labels)), labels]
                smoothing = config.label_smoothing
                loss = -((1 - smoothing) * of_label + smoothing * log_probabilities.mean(1)).mean()
                gradients = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True)
                for name, gradient in zip(parameters, gradients, strict=True):
                    summed[name] += 0 if gradient is None else gradient
            if config.path_sampling != "uniform" and step % len(config.operations):
                continue
            clip(summed, undecayed, config)
            with torch.no_grad():
                for name, parameter in parameters.items():
                    decay = 0 if name in undecayed else config.weight_decay
                    gradient = summed[name] + decay * parameter
                    velocity[name] = 0.9 * velocity[name] + gradient if name in velocity else gradient
                    parameter -= rate * velocity[name]
                    summed[name] = torch.zeros_like(parameter)
    return supernet.state_dict()


def plain_rate(config: ExperimentConfig, epoch: int) -> float:
    if epoch < config.warmup_epochs:
        return config.learning_rate * (epoch + 1) / (config.warmup_epochs + 1)
    share = (epoch - config.warmup_epochs) / (config.epochs - config.warmup_epochs)
    return 1e-5 + (config.learning_rate - 1e-5) * (1 + math.cos(math.pi * share)) / 2


def clip(summed: dict[str, Tensor], undecayed: set[str], config: ExperimentConfig) -> None:
    """To the norm: all together, or those with and those without weight decay, as the optimizer has them."""
    if config.grad_clip_norm is None:
        return
    groups = [summed.keys() - undecayed, summed.keys() & undecayed]
    for names in [set(summed)] if config.grad_clip_scope == "global" else groups:
        norm = math.sqrt(sum(float(summed[name].square().sum()) for name in names))
        for name in names:
            summed[name] *= min(1, config.grad_clip_norm / (norm + 1e-6))  # with PyTorch's margin


VARIATIONS: list[dict[str, Any]] = [
    {},
    {"mask": "Zero+Pool"},
    {"mask": "Skip"},
    {"lt": "Skip+Pool"},
    {"lt": "Skip", "mask": "Zero+Pool"},
    {"path_sampling": "uniform"},
    {"topology_shared": False},
    {"topology_shared": False, "path_sampling": "uniform", "mask": "Zero"},
    {"warmup_epochs": 2},
    {"grad_clip_norm": 0.5},
    {"grad_clip_norm": 0.5, "grad_clip_scope": "parameter-group"},
    {"augmentation": "autoaugment", "label_smoothing": 0.1},
    {"gradient_batches": "same"},
    {"gradient_batches": "same", "topology_shared": False, "mask": "Pool"},
    {"precision": "bfloat16"},  # last: autocast leaves double precision alone
]
each_variation = pytest.mark.parametrize("changes", VARIATIONS, ids=str)


@pytest.mark.parametrize("changes", VARIATIONS[:-1], ids=str)
def test_training_is_the_studys(make_training: MakeTraining, changes: dict[str, Any]) -> None:
    training = run(doubled(make_training(seed=3, weight_decay=0.01, **changes)))
    expected = plain_training(training.config, seed=3, images=60)
    for name, tensor in training.supernet.state_dict().items():
        torch.testing.assert_close(tensor, expected[name], rtol=1e-6, atol=1e-9, msg=name)
    initial = small_supernet(training.config, 3).double().state_dict()
    assert all(not torch.equal(initial[name], expected[name]) for name in initial if name.endswith("weight"))


@each_variation
def test_every_variation_trains_other_weights(make_training: MakeTraining, changes: dict[str, Any]) -> None:
    """An option that was read but not obeyed would leave the baseline's."""
    weights = [run(make_training(**c)).supernet.stem[0].weight for c in ({}, changes)]
    assert torch.equal(*weights) == (not changes)


@pytest.mark.parametrize("changes", [{}, {"gradient_batches": "same"}, {"topology_shared": False}], ids=str)
def test_the_accumulated_gradient_is_the_sum_of_the_separate_ones(
    make_training: MakeTraining, changes: dict[str, Any]
) -> None:
    """In double precision; the first group is all that is trained at the initial weights."""
    training = doubled(make_training(**changes))
    original, train = copy.deepcopy(training.supernet), small_images(60, max_shift=1)
    accumulated: list[list[Tensor]] = []
    take_step = training.optimizer.step

    def step() -> None:
        accumulated.append([parameter.grad.clone() for parameter in training.supernet.parameters()])
        take_step()

    training.optimizer.step = step
    with pytest.raises(Interrupted):
        run(training, stop=StopAfter(training, 5))
    draws = draw_epoch(60, Augmentation(max_shift=1, horizontal_flip=True), seed=0, epoch=0)
    sampler = path_sampler(training.config, 0, 3)
    separate = []
    for position in range(5):
        start = 0 if training.config.gradient_batches == "same" else 8 * position
        pixels, labels = in_double(train.augmented(draws, start, start + 8))
        alone = copy.deepcopy(original).train()  # BatchNorm in training does not look at what was before
        loss = functional.cross_entropy(alone(pixels, sampler.path(position)), labels)
        gradients = torch.autograd.grad(loss, list(alone.parameters()), allow_unused=True)
        separate.append([torch.zeros(()) if gradient is None else gradient for gradient in gradients])
    for found, *parts in zip(accumulated[0], *separate, strict=True):
        torch.testing.assert_close(found, sum(parts) + torch.zeros_like(found), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("gradient_batches", ["successive", "same"])
def test_each_operation_of_each_edge_is_trained_once_an_update(
    make_training: MakeTraining, gradient_batches: str
) -> None:
    """As the super-network is called, not as the sampler says."""
    training = make_training(gradient_batches=gradient_batches)
    seen: list[tuple[int, ...]] = []
    training.supernet.register_forward_pre_hook(lambda _module, arguments: seen.append(arguments[1]))
    counts: list[int] = []
    take_step = training.optimizer.step

    def step() -> None:
        counts.append(len(seen))
        take_step()

    training.optimizer.step = step
    while training.batch < training.batches:
        training._run_epoch(TrainingClock(SilentProgress(), TrainingSize(3, 7, 8), 0), StopSignal())
    assert counts == [5 * update for update in range(1, len(counts) + 1)]
    assert len(counts) == training.optimizer_updates == (7 if gradient_batches == "same" else 1)
    for group in range(len(counts)):
        for edge in range(6):
            assert sorted(path[edge] for path in seen[5 * group : 5 * group + 5]) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(("scope", "norms"), [("global", 1), ("parameter-group", 2)])
def test_only_long_gradients_are_clipped(scope: str, norms: int) -> None:
    config = small_config(grad_clip_norm=5.0, grad_clip_scope=scope)
    for scale in (1e-4, 1e4):
        supernet = small_supernet(config)
        optimizer = make_optimizer(supernet, config)
        for parameter in supernet.parameters():
            parameter.grad = torch.randn_like(parameter) * scale
        before = {parameter: parameter.grad.clone() for parameter in supernet.parameters()}
        clip_gradients(optimizer, config)
        groups = [group["params"] for group in optimizer.param_groups]
        for group in [[*groups[0], *groups[1]]] if norms == 1 else groups:
            after = torch.cat([parameter.grad.flatten() for parameter in group])
            given = torch.cat([before[parameter].flatten() for parameter in group])
            factor = min(1.0, 5 / float(given.norm()))
            torch.testing.assert_close(after, given * factor, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(("epochs", "warmup"), [(250, 0), (250, 5), (10, 9), (1, 0)])
def test_the_learning_rate_of_every_epoch(epochs: int, warmup: int) -> None:
    """Against PyTorch's own schedulers, an epoch at a time."""
    config = small_config(epochs=epochs, warmup_epochs=warmup, learning_rate=0.025)
    rates = [learning_rate(config, epoch) for epoch in range(epochs)]
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.025)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs - warmup, eta_min=1e-5)
    for rate in rates[warmup:]:
        assert rate == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-9)
        optimizer.step()
        cosine.step()
    rise = [0, *rates[: warmup + 1]]
    assert [later - earlier for earlier, later in itertools.pairwise(rise)] == pytest.approx(
        [0.025 / (warmup + 1)] * (warmup + 1)
    )


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


# Of 7 batches an epoch, groups of 5 or 3: mid-group, end of a group, end of an epoch, end of both, the last.
STOPS = [[1], [5], [6], [7], [9], [15], [20], [2, 3, 8, 14, 16]]


@pytest.mark.parametrize(
    ("changes", "stops"),
    [(changes, stops) for changes in VARIATIONS[:2] for stops in STOPS]
    + [(changes, stops) for changes in VARIATIONS[2:] for stops in ([7], [2, 3, 8, 14, 16])],
    ids=str,
)
def test_continued_training_is_bit_for_bit_the_same(
    uninterrupted: MakeTraining, make_training: MakeTraining, changes: dict[str, Any], stops: list[int]
) -> None:
    expected = uninterrupted(**changes)
    training = make_training(**changes)
    for stop in stops:
        saved = io.BytesIO()
        with pytest.raises(Interrupted, match="the same command continues"):
            run(
                training,
                save=lambda t=training, file=saved: torch.save(t.state(), file),
                stop=StopAfter(training, stop),
            )
        assert training.step == stop
        training = make_training(**changes)
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
    assert training.optimizer_updates == expected.optimizer_updates == 21 // training.steps_per_update


@pytest.fixture(scope="module")
def uninterrupted() -> MakeTraining:
    """Trainings to the end, one for each variation. Not to be changed."""
    trained: dict[str, Training] = {}

    def train(**changes: object) -> Training:
        if str(changes) not in trained:
            trained[str(changes)] = run(new_training(**changes))
        return trained[str(changes)]

    return train


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


def waits_of_an_epoch(training: Training) -> list[str]:
    clock = TrainingClock(SilentProgress(), TrainingSize(3, training.batches, 8), 0, clock=lambda: 0.0)
    with host_waits(training._train_images.device) as places:
        training._run_epoch(clock, StopSignal())
    assert training.batch == training.batches
    return places


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"grad_clip_norm": 0.5},
        {"grad_clip_norm": 0.5, "grad_clip_scope": "parameter-group"},
        {"gradient_batches": "same"},
        {"augmentation": "autoaugment", "label_smoothing": 0.1},
        {"topology_shared": False},
        {"path_sampling": "uniform"},
        {"lt": "Skip+Pool"},
    ],
    ids=str,
)
def test_the_device_is_waited_for_at_the_end_of_an_epoch_only(
    make_training: MakeTraining, changes: dict[str, Any]
) -> None:
    waits = waits_of_an_epoch(make_training(device=META, **changes))
    assert len(waits) == 2, waits  # the epoch's last report, and its time


def test_in_bfloat16_nothing_else_is_read_from_the_device(make_training: MakeTraining) -> None:
    """Copies are not seen here: autocast is for devices that have values."""
    assert len(waits_of_an_epoch(make_training(precision="bfloat16"))) == 2


def test_bfloat16_is_that_of_features_only(make_training: MakeTraining) -> None:
    training, exact = make_training(precision="bfloat16"), make_training()
    features: set[tuple[bool, torch.dtype]] = set()
    for cell in training.supernet.cells:
        cell.register_forward_hook(lambda m, _inputs, output: features.add((m.training, output.dtype)))
    run(training)
    assert features == {(True, torch.bfloat16), (False, torch.float32)}  # False: the watched images
    assert {t.dtype for t in training.supernet.state_dict().values()} == {torch.float32, torch.int64}
    assert {parameter.grad.dtype for parameter in training.supernet.parameters()} == {torch.float32}
    losses = [[row.train_loss for row in t.rows] for t in (training, run(exact))]
    assert losses[0] == pytest.approx(losses[1], rel=0.02)
    assert losses[0] != losses[1]


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
