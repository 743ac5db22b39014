"""The reference evaluators against plain forward passes, and which architectures a run predicts."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn

from nasrank.db.errors import NasrankError
from nasrank.db.nb201.architectures import Architecture
from nasrank.trainer.evaluation.evaluator import (
    BN_MODES,
    BatchEvaluator,
    EvaluationOptions,
    Evaluator,
    RecalibratedEvaluator,
    calibration_batches,
    random_sample,
)
from nasrank.trainer.images.augment import DeviceImages
from nasrank.trainer.network.supernet import SuperNet
from tests.trainer.conftest import small_config, small_images, small_supernet

if TYPE_CHECKING:
    from nasrank.db.warehouse.file import Warehouse


def evaluator_of(supernet: SuperNet, mode: str, images: DeviceImages, batch_size: int = 64) -> Evaluator:
    match mode:
        case "batch":
            return BatchEvaluator(supernet, images, batch_size)
        case "recalibrated":
            return RecalibratedEvaluator(
                supernet, images, batch_size, [images.plain(0, 50)[0], images.plain(50, 100)[0]]
            )
    return Evaluator(supernet, images, batch_size)


def with_weights(*paths: str, seed: int = 2) -> list[tuple[int, ...]]:
    """These paths, and some random ones: mistakes that carry over from path to path show."""
    source = torch.Generator().manual_seed(seed)
    random = torch.randint(5, (12, 6), generator=source).tolist()
    return [Architecture.from_digits(digits).operations for digits in paths] + [tuple(p) for p in random]


@pytest.mark.parametrize("batch_size", [64, 200, 1_000])
def test_counts_are_those_of_a_plain_forward_pass(
    trained: tuple[SuperNet, DeviceImages], batch_size: int
) -> None:
    supernet, images = trained
    evaluator = Evaluator(supernet, images, batch_size)
    pixels, labels = images.plain(0, 200)
    found = []
    for path in with_weights("333333"):
        with torch.no_grad():
            logits = supernet.eval()(pixels, path)
        found.append(evaluator.correct(path))
        assert found[-1] == int((logits.argmax(1) == labels).sum())
    assert len(set(found)) > 3


@pytest.mark.parametrize("mode", BN_MODES)
def test_evaluation_changes_nothing(trained: tuple[SuperNet, DeviceImages], mode: str) -> None:
    supernet, images = trained
    before = {name: tensor.clone() for name, tensor in supernet.state_dict().items()}
    for path in with_weights("333333"):
        evaluator_of(supernet, mode, images).correct(path)
    after = supernet.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(tensor, before[name]) for name, tensor in after.items())
    assert all(norm.momentum == 0.1 for norm in supernet.modules() if isinstance(norm, nn.BatchNorm2d))


@pytest.mark.parametrize("batch_size", [50, 64, 1_000])
def test_batch_statistics_are_those_of_each_batch(
    trained: tuple[SuperNet, DeviceImages], batch_size: int
) -> None:
    """As the network in training computes them; 200 images in batches of at most 64 are four of 50."""
    supernet, images = trained
    evaluator = BatchEvaluator(supernet, images, batch_size)
    size = {50: 50, 64: 50, 1_000: 200}[batch_size]
    for path in with_weights("333333", "321401"):
        plain = copy.deepcopy(supernet).train()
        expected = 0
        for start in range(0, 200, size):
            pixels, labels = images.plain(start, start + size)
            with torch.no_grad():
                expected += int((plain(pixels, path).argmax(1) == labels).sum())
        assert evaluator.correct(path) == expected


def test_recalibrated_statistics_are_those_of_the_training_images_along_the_path(
    trained: tuple[SuperNet, DeviceImages],
) -> None:
    """One path at a time, each on a fresh copy whose statistics begin from nothing."""
    supernet, images = trained
    evaluator = evaluator_of(supernet, "recalibrated", images)
    for path in with_weights("333333", "321401"):
        fresh = copy.deepcopy(supernet).train()
        for norm in fresh.modules():
            if isinstance(norm, nn.BatchNorm2d):
                norm.reset_running_stats()
                norm.momentum = None  # PyTorch's own cumulative mean
        with torch.no_grad():
            for start in (0, 50):
                fresh(images.plain(start, start + 50)[0], path)
            pixels, labels = images.plain(0, 200)
            expected = int((fresh.eval()(pixels, path).argmax(1) == labels).sum())
        assert evaluator.correct(path) == expected


def test_a_path_that_is_not_finite_spoils_no_other() -> None:
    supernet = small_supernet(small_config())
    with torch.no_grad():
        supernet.cells[0].edges[3]["nor_conv_3x3"][1].weight[0, 0, 0, 0] = float("nan")
    images = small_images(100)
    broken, sound = ((2, 2, 2, 3, 1, 1), (2, 2, 2, 2, 1, 1))
    for mode in BN_MODES:
        evaluator = evaluator_of(supernet, mode, images)
        assert evaluator.correct(broken) is None
        assert evaluator.correct(sound) == evaluator_of(supernet, mode, images).correct(sound) is not None


def test_the_modes_differ(trained: tuple[SuperNet, DeviceImages]) -> None:
    supernet, images = trained
    counts = [
        [evaluator_of(supernet, mode, images).correct(path) for path in with_weights()] for mode in BN_MODES
    ]
    assert counts[0] != counts[1] != counts[2] != counts[0]


def test_calibration_takes_training_images_as_they_are_once_for_a_run() -> None:
    images = small_images(60, max_shift=2)
    first, second = calibration_batches(images, batch_size=20, batches=2, seed=3)
    rows = {tuple(pixels.flatten().tolist()) for pixels in images.plain(0, 60)[0]}
    drawn = [tuple(pixels.flatten().tolist()) for pixels in [*first, *second]]
    assert len(set(drawn)) == 40
    assert set(drawn) <= rows
    again = calibration_batches(images, batch_size=20, batches=2, seed=3)
    assert torch.equal(again[0], first)
    assert not torch.equal(calibration_batches(images, batch_size=20, batches=2, seed=4)[0], first)
    with pytest.raises(NasrankError, match="4 batches of 20 images .* 60 training images; give at most 3"):
        calibration_batches(images, batch_size=20, batches=4, seed=3)


@pytest.mark.parametrize("mask", ["", "Pool", "Zero+Skip+Pool"])
def test_the_random_sample_is_that_of_the_warehouse(warehouse: Warehouse, mask: str) -> None:
    known = warehouse.query("SELECT arch_id FROM random_sample WHERE mask = ? ORDER BY arch_id", [mask])
    sample = random_sample(small_config(mask=mask).operations, 1_000)
    assert sorted(sample) == known.arch_id.tolist()
    assert random_sample(small_config(mask=mask).operations, 7) == sample[:7]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"bn_modes": ()}, "give at least one"),
        ({"bn_modes": ("batch", "batch")}, "each once"),
        ({"bn_modes": ("running", "stale")}, "bn_mode is 'stale'"),
        ({"recalibration_batches": 0}, "recalibration_batches is 0"),
        ({"every": 0}, "every is 0"),
        ({"sample": -1}, "sample is -1"),
    ],
)
def test_options_that_make_no_sense_are_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(NasrankError, match=reason):
        EvaluationOptions(**changes)
