"""Predictions against a plain forward pass, and what happens to numbers that are none."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from db.architectures import Architecture, OperationSet, sample_order
from db.errors import NasrankError
from tests.trainer.conftest import CPU, small_config, small_images, small_supernet
from trainer.augment import DeviceImages
from trainer.config import ExperimentConfig
from trainer.datasets import load_dataset, split_dataset
from trainer.evaluation import Evaluator, Prediction, evaluate
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


def test_evaluation_changes_nothing() -> None:
    supernet = small_supernet(small_config())
    before = {name: tensor.clone() for name, tensor in supernet.state_dict().items()}
    Evaluator(supernet, small_images(20), 8).correct((3, 3, 3, 3, 3, 3))
    assert all(torch.equal(tensor, before[name]) for name, tensor in supernet.state_dict().items())


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
    with pytest.raises(NasrankError, match="bn_mode is 'batch'"):
        evaluate(
            small_supernet(small_config()),
            [0],
            small_images(8),
            bn_mode="batch",
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
