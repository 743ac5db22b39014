"""Fast predictions against the plain modules: every architecture, and every option of the network."""

from __future__ import annotations

import random

import pytest
import torch

from nasrank.db.errors import NasrankError
from nasrank.db.nb201.architectures import NUM_ARCHITECTURES, Architecture, OperationSet, sample_order
from nasrank.db.nb201.equivalence import CellRules, representatives
from nasrank.db.runs.format import Prediction
from nasrank.trainer.evaluation import fast_evaluation
from nasrank.trainer.evaluation.evaluator import BN_MODES, Evaluator
from nasrank.trainer.evaluation.fast_evaluation import EvaluationMode, FastEvaluator, evaluate, images_at_once
from nasrank.trainer.evaluation.fetching import Counts
from nasrank.trainer.images.augment import DeviceImages, Normalization
from nasrank.trainer.network.supernet import SuperNet
from nasrank.trainer.progress import EvaluationProgress, SilentProgress
from nasrank.trainer.session import Session
from nasrank.trainer.stopping import StopSignal
from tests.trainer.conftest import randomize_norms, small_config, small_images, small_supernet
from tests.trainer.evaluation.test_evaluation import evaluator_of
from tests.trainer.host_waits import META, host_waits


class Recorder(SilentProgress):
    def __init__(self) -> None:
        self.shown: list[object] = []

    def show(self, state: object) -> None:
        self.shown.append(state)


NETWORKS = [
    {},
    {"node_inputs": "sum", "pool_counts_padding": False},
    {"lt": "Skip", "cells_per_stage": 2},
    {"lt": "Skip+Pool", "node_inputs": "sum"},
]


def network(**changes: object) -> SuperNet:
    torch.manual_seed(0)
    supernet = small_supernet(small_config(channels=4, **changes))
    randomize_norms(supernet)
    return supernet


def calibration(images: DeviceImages) -> list[torch.Tensor]:
    """As `evaluator_of` has it."""
    return [images.plain(0, 50)[0], images.plain(50, 100)[0]]


def fast_logits(evaluator: FastEvaluator, path: tuple[int, ...]) -> torch.Tensor:
    with torch.inference_mode():
        return torch.cat([logits for _, logits, _ in evaluator.logits([path])])


def silent() -> Session:
    """One that nobody sees or stops."""
    return Session(SilentProgress(), StopSignal())


def plain_logits(evaluator: Evaluator, path: tuple[int, ...]) -> torch.Tensor:
    with torch.inference_mode():
        evaluator._prepare(path)
        return torch.cat(
            [evaluator._supernet.from_stem(features, path) for features, _ in evaluator._batches]
        )


@pytest.mark.parametrize("mode", BN_MODES)
def test_merged_architectures_are_equal_in_a_trained_network(
    trained: tuple[SuperNet, DeviceImages], mode: str
) -> None:
    """By the plain modules alone: the architecture and the one that is predicted in its place."""
    supernet, images = trained
    plain = evaluator_of(supernet, mode, images)
    found = representatives(CellRules(zero_stays_zero=mode != "running"))
    merged = [arch_id for arch_id, other in enumerate(found) if arch_id != other]
    for arch_id in random.Random(1).sample(merged, 40):
        expected = plain_logits(plain, Architecture.from_id(arch_id).operations)
        logits = plain_logits(plain, Architecture.from_id(found[arch_id]).operations)
        torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("mode", BN_MODES)
@pytest.mark.parametrize("changes", NETWORKS)
def test_logits_are_those_of_the_plain_modules(mode: str, changes: dict[str, object]) -> None:
    """Of merged architectures, too: the plain modules go along one path, the fast ones along its equal."""
    supernet, images = network(**changes), small_images(100)
    rules = CellRules(supernet.node_inputs, supernet.transformed, zero_stays_zero=mode != "running")
    plain = evaluator_of(supernet, mode, images)
    fast = FastEvaluator(
        supernet, images, EvaluationMode(bn_mode=mode, batch_size=64, calibration=calibration(images))
    )
    merged = [a for a, other in enumerate(representatives(rules)) if a != other]
    for arch_id in [*random.Random(0).sample(merged, 30), *sample_order()[:20], 0]:
        path = Architecture.from_id(arch_id).operations
        other = Architecture.from_id(representatives(rules)[arch_id]).operations
        expected = plain_logits(plain, path)
        assert expected.std() > 0.01
        for taken in (path, other):
            torch.testing.assert_close(fast_logits(fast, taken), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("mode", BN_MODES)
def test_all_architectures_of_a_trained_network(trained: tuple[SuperNet, DeviceImages], mode: str) -> None:
    """Counts are exact for 99.9 % of them: elsewhere, two logits are equal but for rounding."""
    supernet, images = trained
    plain = evaluator_of(supernet, mode, images, batch_size=200)
    found = {
        prediction.arch_id: prediction.correct
        for prediction in evaluate(
            supernet,
            range(NUM_ARCHITECTURES),
            images,
            EvaluationMode(bn_mode=mode, batch_size=200, calibration=calibration(images)),
            silent(),
        )
    }
    assert sorted(found) == list(range(NUM_ARCHITECTURES))
    chosen = sample_order()[: 15_625 if mode == "running" else 3_000]
    different = [a for a in chosen if plain.correct(Architecture.from_id(a).operations) != found[a]]
    assert len(different) <= len(chosen) / 1_000


@pytest.mark.parametrize("mode", BN_MODES)
@pytest.mark.parametrize("batch_size", [64, 1_000])
def test_counts_are_those_of_the_plain_modules(
    trained: tuple[SuperNet, DeviceImages], mode: str, batch_size: int
) -> None:
    supernet, images = trained
    before = {name: tensor.clone() for name, tensor in supernet.state_dict().items()}
    arch_ids = sample_order()[:60]
    found = {
        prediction.arch_id: prediction
        for prediction in evaluate(
            supernet,
            arch_ids,
            images,
            EvaluationMode(bn_mode=mode, batch_size=batch_size, calibration=calibration(images)),
            silent(),
        )
    }
    plain = evaluator_of(supernet, mode, images, batch_size)
    for arch_id in arch_ids:
        correct = plain.correct(Architecture.from_id(arch_id).operations)
        assert found[arch_id] == Prediction(arch_id, correct, 200, "ok")
    assert len({prediction.correct for prediction in found.values()}) > 3
    assert all(torch.equal(tensor, before[name]) for name, tensor in supernet.state_dict().items())


def test_bfloat16_counts_nearly_the_same(trained: tuple[SuperNet, DeviceImages]) -> None:
    supernet, images = trained
    counts = []
    for precision in ("float32", "bfloat16"):
        found = evaluate(supernet, sample_order()[:40], images, EvaluationMode(precision=precision), silent())
        counts.append(torch.tensor([float(prediction.correct or 0) for prediction in found]))
    assert not torch.equal(*counts)
    assert (counts[0] - counts[1]).abs().mean() < 5  # of 200 images


def test_images_at_once_fit_the_memory() -> None:
    supernet, images = network(), small_images(8)
    image = 22 * 4 * 8 * 8 * 4
    assert images_at_once(supernet, images, "float32", 1) == 2**20 // image
    assert images_at_once(supernet, images, "bfloat16", 1) == 2**20 // (image // 2)
    assert images_at_once(supernet, images, "float32", None) == 100


def test_small_networks_take_more_images_at_once_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each tensor has at least 32 million values, of CIFAR-10's images and widths as of tiny and S."""
    monkeypatch.setattr(fast_evaluation, "_free_bytes", lambda device: 100 * 2**30)
    for limits in (fast_evaluation._IMAGES_AT_ONCE, fast_evaluation._VALUES_AT_ONCE):
        monkeypatch.setitem(limits, "meta", limits["cuda"])
    images = DeviceImages(
        torch.zeros(1, 3, 32, 32, dtype=torch.uint8),
        torch.zeros(1),
        Normalization((0,) * 3, (1,) * 3),
        device=META,
    )
    for channels, expected in ((8, 4_096), (32, 1_024), (96, 1_000)):
        assert (
            images_at_once(small_supernet(small_config(channels=channels)), images, "float32", None)
            == expected
        )


def test_logits_that_are_not_finite_are_no_accuracy() -> None:
    """One broken weight on one edge: architectures that use it have no accuracy, all others have."""
    supernet = small_supernet(small_config())
    with torch.no_grad():
        supernet.cells[0].edges[3]["nor_conv_3x3"][1].weight[0, 0, 0, 0] = float("nan")
    broken, sound = (Architecture.from_digits(digits).arch_id for digits in ("222311", "222211"))
    found = evaluate(supernet, [broken, sound], small_images(20), EvaluationMode(), silent())
    first, second = sorted(found, key=lambda prediction: prediction.arch_id != broken)
    assert first == Prediction(broken, None, 20, "non-finite")
    assert first.accuracy is None
    assert second.status == "ok"


def test_masked_operations_are_refused_before_any_work() -> None:
    supernet = small_supernet(small_config(mask="Zero+Pool"))
    good, bad = (Architecture.from_digits(digits).arch_id for digits in ("111111", "104111"))
    with pytest.raises(NasrankError, match=rf"architecture {bad} \(104111\) uses Zero and Pool"):
        evaluate(supernet, [good, bad], small_images(8), EvaluationMode(), silent())


def test_every_architecture_that_the_mask_leaves_can_be_predicted() -> None:
    mask = OperationSet.parse("Zero+Skip+Pool")
    supernet = small_supernet(small_config(mask=str(mask)))
    arch_ids = [a for a in sample_order() if not Architecture.from_id(a).used.bits & mask.bits]
    assert len(arch_ids) == 2**6
    found = list(evaluate(supernet, arch_ids, small_images(8), EvaluationMode(), silent()))
    assert sorted(prediction.arch_id for prediction in found) == sorted(arch_ids)


def test_unknown_bn_mode_is_refused() -> None:
    with pytest.raises(NasrankError, match="bn_mode is 'batched'; choose 'running' or 'batch' or 'recal"):
        evaluate(
            small_supernet(small_config()), [0], small_images(8), EvaluationMode(bn_mode="batched"), silent()
        )


@pytest.mark.parametrize("mode", BN_MODES)
def test_progress_ends_at_all_architectures(trained: tuple[SuperNet, DeviceImages], mode: str) -> None:
    """Also where there are images to calibrate that this mode does not look at."""
    supernet, images = trained
    progress = Recorder()
    found = evaluate(
        supernet,
        sample_order()[:5],
        images,
        EvaluationMode(bn_mode=mode, calibration=calibration(images)),
        Session(progress, StopSignal()),
    )
    assert len(list(found)) == 5
    last = progress.shown[-1]
    assert isinstance(last, EvaluationProgress)
    assert (last.done, last.total, last.seconds_left) == (5, 5, 0)


def test_stops_between_architectures_and_tells_where_it_is() -> None:
    """What is predicted together, here the paths that begin with the same three operations, comes whole."""
    stop, progress = StopSignal(), Recorder()
    found = []
    supernet = small_supernet(small_config())
    arch_ids = [Architecture.from_digits(digits).arch_id for digits in ("333111", "333222", "222333")]
    for prediction in evaluate(
        supernet, arch_ids, small_images(8), EvaluationMode(), Session(progress, stop)
    ):
        found.append(prediction.arch_id)
        stop.requested = True
    assert found == [arch_ids[2]]
    list(evaluate(supernet, arch_ids, small_images(8), EvaluationMode(), Session(progress, StopSignal())))
    last = progress.shown[-1]
    assert isinstance(last, EvaluationProgress)
    assert (last.done, last.total, last.seconds_left) == (3, 3, 0)


def as_on_a_gpu(monkeypatch: pytest.MonkeyPatch, device: str) -> list[str]:
    """Groups of eight, two ahead, on a device without one; what is returned fills with what happens."""
    happened: list[str] = []
    counts, read = FastEvaluator.counts, Counts.read
    monkeypatch.setitem(fast_evaluation._GROUP_IMAGES, device, 1)
    monkeypatch.setitem(fast_evaluation._GROUPS_AHEAD, device, 2)
    monkeypatch.setattr(FastEvaluator, "counts", lambda *args: (counts(*args), happened.append("given"))[0])
    monkeypatch.setattr(Counts, "read", lambda self: (happened.append("read"), read(self))[1])
    return happened


@pytest.mark.parametrize("mode", BN_MODES)
def test_the_device_is_never_waited_for(monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    """But for counts of groups, after two further ones."""
    happened = as_on_a_gpu(monkeypatch, "meta")
    supernet, images = network().to(META), small_images(100, device=META)
    with host_waits(META) as places:
        found = evaluate(
            supernet,
            sample_order()[:20],
            images,
            EvaluationMode(bn_mode=mode, calibration=calibration(images)),
            silent(),
        )
        assert len(list(found)) == 20
    assert places == []
    groups = happened.count("given")
    assert groups > 4
    assert happened == ["given"] * 3 + ["read", "given"] * (groups - 3) + ["read"] * 3


@pytest.mark.parametrize("stops_in", [1, 4, 6])
def test_groups_under_way_are_kept(monkeypatch: pytest.MonkeyPatch, stops_in: int) -> None:
    """Predictions are those without any under way; what was whole as the evaluation stopped is not lost."""
    supernet, images, arch_ids = network(), small_images(20), sample_order()[:30]
    expected = list(evaluate(supernet, arch_ids, images, EvaluationMode(), silent()))
    happened = as_on_a_gpu(monkeypatch, "cpu")
    assert expected == list(evaluate(supernet, arch_ids, images, EvaluationMode(), silent()))
    happened.clear()
    stop = StopSignal()
    logits = FastEvaluator.logits

    def counted(self: FastEvaluator, *arguments: object) -> object:
        stop.requested = happened.count("given") == stops_in
        return logits(self, *arguments)

    monkeypatch.setattr(FastEvaluator, "logits", counted)
    found = list(evaluate(supernet, arch_ids, images, EvaluationMode(), Session(SilentProgress(), stop)))
    assert happened.count("given") == happened.count("read") == stops_in
    assert found == expected[: len(found)]
    assert len(found) >= stops_in
