"""Predictions against a plain forward pass, and what happens to numbers that are none."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from db.architectures import Architecture, OperationSet, sample_order
from db.errors import NasrankError
from db.warehouse import Warehouse
from tests.trainer.conftest import CPU, small_config, small_images, small_supernet
from trainer.augment import DeviceImages
from trainer.config import ExperimentConfig
from trainer.datasets import load_dataset, split_dataset
from trainer.evaluation import (
    BN_MODES,
    BatchEvaluator,
    EvaluationOptions,
    Evaluator,
    Prediction,
    RecalibratedEvaluator,
    calibration_batches,
    evaluate,
    random_sample,
)
from trainer.progress import EvaluationProgress, SilentProgress
from trainer.stopping import StopSignal
from trainer.supernet import SuperNet, build_supernet
from trainer.training import Training


@pytest.fixture(scope="module")
def trained() -> tuple[SuperNet, DeviceImages]:
    """A super-network that has seen the digits, however briefly, and 200 digits it has not seen."""
    digits = load_dataset("digits", Path())
    config = ExperimentConfig.preset(
        "digits", "tiny", channels=4, epochs=4, batch_size=32, learning_rate=0.1, train_images=1_000
    )
    split = split_dataset(digits, train_images=1_000, valid_images=200, split_seed=0)
    train, valid = (
        DeviceImages(
            digits.images[chosen],
            digits.labels[chosen],
            mean=digits.mean,
            std=digits.std,
            device=CPU,
            max_shift=config.max_shift,
        )
        for chosen in (split.train, split.valid)
    )
    supernet = build_supernet(config, 0, image_shape=(1, 8, 8), num_classes=10)
    training = Training(config, 0, supernet, train, valid)
    training.run(after_epoch=lambda: None, save=lambda: None, progress=SilentProgress(), stop=StopSignal())
    return supernet, valid


class Recorder(SilentProgress):
    def __init__(self) -> None:
        self.shown: list[object] = []

    def show(self, state: object) -> None:
        self.shown.append(state)


@pytest.mark.parametrize("batch_size", [64, 200, 1_000])
def test_counts_are_those_of_a_plain_forward_pass(
    trained: tuple[SuperNet, DeviceImages], batch_size: int
) -> None:
    supernet, images = trained
    arch_ids = sample_order()[:20]
    found = list(
        evaluate(
            supernet, arch_ids, images, batch_size=batch_size, progress=SilentProgress(), stop=StopSignal()
        )
    )
    pixels, labels = images.plain(0, 200)
    expected = []
    for arch_id in arch_ids:
        with torch.no_grad():
            logits = supernet.eval()(pixels, Architecture.from_id(arch_id).operations)
        expected.append(Prediction(arch_id, int((logits.argmax(1) == labels).sum()), 200, "ok"))
    assert found == expected
    assert len({prediction.correct for prediction in found}) > 3
    assert found[0].accuracy == found[0].correct / 200


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


def test_logits_that_are_not_finite_are_no_accuracy() -> None:
    """One broken weight on one edge: architectures that use it have no accuracy, all others have."""
    supernet = small_supernet(small_config())
    with torch.no_grad():
        supernet.cells[0].edges[3]["nor_conv_3x3"][1].weight[0, 0, 0, 0] = float("nan")
    broken, sound = (Architecture.from_digits(digits).arch_id for digits in ("222311", "222211"))
    found = evaluate(
        supernet, [broken, sound], small_images(20), progress=SilentProgress(), stop=StopSignal()
    )
    first, second = found
    assert first == Prediction(broken, None, 20, "non-finite")
    assert first.accuracy is None
    assert second.status == "ok"


def test_masked_operations_are_refused_before_any_work() -> None:
    supernet = small_supernet(small_config(mask="Zero+Pool"))
    good, bad = (Architecture.from_digits(digits).arch_id for digits in ("111111", "104111"))
    with pytest.raises(NasrankError, match=rf"architecture {bad} \(104111\) uses Zero and Pool"):
        evaluate(supernet, [good, bad], small_images(8), progress=SilentProgress(), stop=StopSignal())


def test_every_architecture_that_the_mask_leaves_can_be_predicted() -> None:
    mask = OperationSet.parse("Zero+Skip+Pool")
    supernet = small_supernet(small_config(mask=str(mask)))
    arch_ids = [a for a in sample_order() if not Architecture.from_id(a).used.bits & mask.bits]
    assert len(arch_ids) == 2**6
    found = list(evaluate(supernet, arch_ids, small_images(8), progress=SilentProgress(), stop=StopSignal()))
    assert [prediction.arch_id for prediction in found] == arch_ids


def test_unknown_bn_mode_is_refused() -> None:
    with pytest.raises(NasrankError, match="bn_mode is 'batched'; choose 'running' or 'batch' or 'recal"):
        evaluate(
            small_supernet(small_config()),
            [0],
            small_images(8),
            bn_mode="batched",
            progress=SilentProgress(),
            stop=StopSignal(),
        )


def test_stops_between_architectures_and_tells_where_it_is() -> None:
    stop, progress = StopSignal(), Recorder()
    found = []
    supernet = small_supernet(small_config())
    for prediction in evaluate(supernet, [3, 2, 1], small_images(8), progress=progress, stop=stop):
        found.append(prediction.arch_id)
        stop.requested = len(found) == 2
    assert found == [3, 2]
    list(evaluate(supernet, [3, 2, 1], small_images(8), progress=progress, stop=StopSignal()))
    last = progress.shown[-1]
    assert isinstance(last, EvaluationProgress)
    assert (last.done, last.total, last.seconds_left) == (3, 3, 0)
