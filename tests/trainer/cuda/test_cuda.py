"""On a GPU: the same results as on the CPU, and no wait for it where none belongs."""

from __future__ import annotations

import contextlib
import copy
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from nasrank.db.nb201.architectures import NUM_ARCHITECTURES, Architecture, sample_order
from nasrank.trainer.environment import choose_device
from nasrank.trainer.evaluation.evaluator import BN_MODES
from nasrank.trainer.evaluation.fast_evaluation import EvaluationMode, FastEvaluator, evaluate
from nasrank.trainer.images.augment import Augmentation, draw_epoch
from nasrank.trainer.images.autoaugment import apply_policy, draw_policy
from nasrank.trainer.network.fair_group import group_routes
from nasrank.trainer.progress import SilentProgress
from nasrank.trainer.session import Session
from nasrank.trainer.stopping import StopSignal
from nasrank.trainer.training.learning import Learner
from nasrank.trainer.training.recording import RecordedGroup, record_on_cuda
from tests.trainer.conftest import (
    CPU,
    new_training,
    randomize_norms,
    small_config,
    small_images,
    small_supernet,
)
from tests.trainer.groups import batches, group, learned, step_by_step, with_gradients

pytestmark = pytest.mark.cuda


@pytest.fixture
def cuda() -> torch.device:
    return choose_device("cuda")


@contextlib.contextmanager
def waiting_is_an_error() -> Iterator[None]:
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_products_are_tf32_in_convolutions_only(cuda: torch.device) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        choose_device("cuda")
    assert torch.backends.cudnn.conv.fp32_precision == "tf32"
    assert torch.backends.cuda.matmul.fp32_precision == "ieee"
    one, other = (torch.randn(256, 256, dtype=torch.float64, device=cuda) for _ in range(2))
    assert distance(one.float() @ other.float(), one @ other) < 1e-6


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_cuda_graph_learns_what_steps_do(cuda: torch.device, precision: str) -> None:
    config = small_config(precision=precision, channels=8)
    supernet = small_supernet(config).to(cuda).train()
    steps = with_gradients(supernet, config, cuda)
    played = with_gradients(copy.deepcopy(supernet), config, cuda)
    images, labels = batches(1, seed=99)
    with played.nothing_learned():
        recorded = RecordedGroup(
            record_on_cuda, played, images.float().to(cuda), labels.to(cuda), group(config, 99)
        )
    for number in range(3):
        paths = group(config, number)
        images, labels = batches(len(paths), seed=number)
        images, labels = images.float().to(cuda), labels.to(cuda)
        recorded.play(images, labels, paths)
        step_by_step(steps, images, labels, paths)
        for found, expected in zip(learned(played), learned(steps), strict=True):
            assert distance(found, expected) <= (1e-3 if precision == "float32" else 5e-2)


def test_a_group_learns_what_it_does_on_the_cpu(cuda: torch.device) -> None:
    """In double precision: what is brought from path to path is exact."""
    config = small_config(channels=4)
    supernet = small_supernet(config).double().train()
    paths, (images, labels) = group(config, 0), batches(5)
    learners: list[Learner] = []
    for device in (CPU, cuda):
        learner = with_gradients(copy.deepcopy(supernet).to(device), config, device)
        learner.along_group(images.to(device), labels.to(device), group_routes(paths, supernet).to(device))
        learners.append(learner)
    for found, expected in zip(learned(learners[1]), learned(learners[0]), strict=True):
        assert distance(found.cpu(), expected) < 1e-9


TRAININGS: list[dict[str, Any]] = [
    {},
    {"grad_clip_norm": 0.5},
    {"grad_clip_norm": 0.5, "grad_clip_scope": "parameter-group"},
    {"gradient_batches": "same"},
    {"augmentation": "autoaugment", "label_smoothing": 0.1},
    {"topology_shared": False},
    {"path_sampling": "uniform"},
    {"precision": "bfloat16"},
]


@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("changes", TRAININGS, ids=str)
def test_steps_do_not_wait(cuda: torch.device, changes: dict[str, Any], recorded: bool) -> None:
    """After a first epoch, in which libraries choose their algorithms."""
    training = new_training(device=cuda, **changes)
    if recorded and training.record_groups(record_on_cuda, least_gain=0) is None:
        pytest.skip("no groups")
    for epoch in range(2):
        config, n = training.config, 60
        draws = draw_epoch(
            n,
            Augmentation(max_shift=config.max_shift, horizontal_flip=True, policy=config.augmentation),
            seed=0,
            epoch=epoch,
        ).to(cuda)
        training.batch = 0
        training.supernet.train()
        with waiting_is_an_error() if epoch else contextlib.nullcontext():
            while training.batch < training.batches:
                training._train_next(draws)


def test_autoaugment_is_that_of_the_cpu(cuda: torch.device) -> None:
    images = torch.randint(0, 256, (2_000, 3, 32, 32), dtype=torch.uint8)
    draws = draw_policy(2_000, seed=1, epoch=2)
    expected = apply_policy(images, draws)
    moved, on_device = images.to(cuda), draws.to(cuda)
    apply_policy(moved, on_device)
    with waiting_is_an_error():
        found = apply_policy(moved, on_device)
    assert torch.equal(found.cpu(), expected)


@pytest.mark.parametrize("augmentation", ["standard", "autoaugment"])
def test_batches_are_those_of_the_cpu(cuda: torch.device, augmentation: str) -> None:
    draws = draw_epoch(
        60, Augmentation(max_shift=1, horizontal_flip=True, policy=augmentation), seed=0, epoch=0
    )
    expected, labels = small_images(60, max_shift=1).augmented(draws, 3, 50)
    images = small_images(60, max_shift=1, device=cuda)
    found, same_labels = images.augmented(draws.to(cuda), 3, 50)
    assert torch.equal(same_labels.cpu(), labels)
    torch.testing.assert_close(found.cpu(), expected)


@pytest.mark.parametrize("mode", BN_MODES)
def test_predictions_are_those_of_the_cpu(cuda: torch.device, mode: str) -> None:
    """But for rounding, which TF32 does earlier: of 200 images, few are between two classes."""
    supernet = small_supernet(small_config(channels=8))
    randomize_norms(supernet)
    arch_ids = sample_order()[:60]
    counts = []
    for device in (CPU, cuda):
        images = small_images(200, device=device)
        found = evaluate(
            copy.deepcopy(supernet).to(device),
            arch_ids,
            images,
            EvaluationMode(bn_mode=mode, calibration=[images.plain(0, 100)[0]]),
            Session(SilentProgress(), StopSignal()),
        )
        correct = {prediction.arch_id: prediction.correct or 0 for prediction in found}
        counts.append(torch.tensor([correct[arch_id] for arch_id in arch_ids], dtype=torch.float64))
    assert (counts[0] - counts[1]).abs().mean() < 2


@pytest.mark.parametrize("mode", BN_MODES)
def test_predicting_a_group_does_not_wait(cuda: torch.device, mode: str) -> None:
    supernet, images = small_supernet(small_config(channels=8)).to(cuda), small_images(200, device=cuda)
    evaluator = FastEvaluator(
        supernet, images, EvaluationMode(bn_mode=mode, batch_size=100, calibration=[images.plain(0, 100)[0]])
    )
    paths = [Architecture.from_id(arch_id).operations for arch_id in range(NUM_ARCHITECTURES)]
    alike = [path for path in paths if path[:3] == (3, 2, 4)][:20]
    first = evaluator.counts(alike).read()
    with waiting_is_an_error():
        counts = evaluator.counts(alike)
    assert counts.read() == first


def distance(found: Tensor, expected: Tensor) -> float:
    """L2, as a share of one more than the expected length."""
    return float((found.double() - expected.double()).norm() / (1 + expected.double().norm()))
