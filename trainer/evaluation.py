"""Predicting architectures: how many validation images each one's path in the super-network gets right."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from db.architectures import OPERATIONS, Architecture, OperationSet
from db.errors import NasrankError
from trainer.augment import DeviceImages
from trainer.paths import Path
from trainer.progress import REPORT_SECONDS, EvaluationProgress, Progress
from trainer.stopping import StopSignal
from trainer.supernet import SuperNet

BN_MODES: Final = ("running",)


@dataclass(frozen=True)
class Prediction:
    """What a run says of an architecture. `status` is `ok`, or `non-finite`: then nothing was counted."""

    arch_id: int
    correct: int | None
    images: int
    status: str

    @property
    def accuracy(self) -> float | None:
        """Fraction of the validation images in 0..1, or None where the logits were not finite."""
        return None if self.correct is None else self.correct / self.images


class Evaluator:
    """Counts what paths get right on fixed images, computing the stem, which all paths share, once.

    Puts the super-network into evaluation mode: BatchNorm uses its running statistics, mixed over all
    paths that training sampled, as in the study. Holds the stem's output for all images, float32
    [n, channels, height, width]: 5,000 CIFAR-10 images at 32 channels take 655 MB.
    """

    def __init__(self, supernet: SuperNet, images: DeviceImages, batch_size: int) -> None:
        self._supernet = supernet.eval()
        self._batches: list[tuple[Tensor, Tensor]] = []
        with torch.inference_mode():
            for start in range(0, len(images), batch_size):
                pixels, labels = images.plain(start, start + batch_size)
                self._batches.append((supernet.stem(pixels), labels))

    @torch.inference_mode()
    def correct(self, path: Path) -> int | None:
        """The number of images whose largest logit is their label's, or None if any logit is not finite."""
        counts = []
        for features, labels in self._batches:
            logits = self._supernet.from_stem(features, path)
            counts.append(torch.stack([(logits.argmax(1) == labels).sum(), (~logits.isfinite()).sum()]))
        correct, non_finite = torch.stack(counts).sum(0).tolist()
        return None if non_finite else int(correct)


def evaluate(
    supernet: SuperNet,
    arch_ids: Sequence[int],
    images: DeviceImages,
    *,
    bn_mode: str = "running",
    batch_size: int = 100,
    progress: Progress,
    stop: StopSignal,
) -> Iterator[Prediction]:
    """Predict architectures one after the other; ends early once `stop` is requested.

    Raises `NasrankError`, before any work, for an architecture with an operation that the super-network
    does not have, or an unknown `bn_mode`.
    """
    if bn_mode not in BN_MODES:
        raise NasrankError(f"bn_mode is {bn_mode!r}; choose {' or '.join(map(repr, BN_MODES))}")
    check_available(arch_ids, supernet.operations)
    paths = [Architecture.from_id(arch_id).operations for arch_id in arch_ids]
    return _predictions(Evaluator(supernet, images, batch_size), arch_ids, paths, len(images), progress, stop)


def check_available(arch_ids: Sequence[int], operations: Sequence[int]) -> None:
    """Raises `NasrankError` if an architecture uses another operation than these."""
    available = OperationSet(frozenset(operations))
    for arch_id in arch_ids:
        architecture = Architecture.from_id(arch_id)
        masked = [OPERATIONS[number] for number in architecture.used if number not in available]
        if masked:
            raise NasrankError(
                f"architecture {arch_id} ({architecture.digits}) uses {' and '.join(masked)}, which this "
                f"mask removes; give architectures of {str(available).replace('+', ', ')} only"
            )


def _predictions(
    evaluator: Evaluator,
    arch_ids: Sequence[int],
    paths: Sequence[Path],
    images: int,
    progress: Progress,
    stop: StopSignal,
) -> Iterator[Prediction]:
    started = reported = time.monotonic()
    for done, (arch_id, path) in enumerate(zip(arch_ids, paths, strict=True), 1):
        if stop.requested:
            return
        correct = evaluator.correct(path)
        now = time.monotonic()
        if now - reported >= REPORT_SECONDS or done == len(paths):
            reported = now
            rate = done / max(now - started, 1e-9)
            progress.show(EvaluationProgress(done, len(paths), rate * images, (len(paths) - done) / rate))
        yield Prediction(arch_id, correct, images, "ok" if correct is not None else "non-finite")
