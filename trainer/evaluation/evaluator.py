"""Predicting architectures: how many validation images each one's path in the super-network gets right.

One path at a time through the plain modules: the reference for `fast_evaluation.py`, which predicts all
architectures of a run.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import torch
from torch import Tensor, nn

from nasrank.db.errors import NasrankError
from nasrank.db.nb201.architectures import OPERATIONS, Architecture, OperationSet, sample_order
from nasrank.trainer.images.augment import DeviceImages, unaugmented
from nasrank.trainer.network.paths import Path
from nasrank.trainer.network.supernet import SuperNet
from nasrank.trainer.randomness import generator

BN_MODES: Final = ("running", "batch", "recalibrated")
ARCHITECTURES: Final = ("sets", "all")
PRECISIONS: Final = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class EvaluationOptions:
    """How a run is evaluated, which changes nothing that is trained.

    Raises `NasrankError` for a value that is not allowed.
    """

    bn_modes: tuple[str, ...] = ("running",)
    recalibration_batches: int = 10  # of training images, for each architecture
    every: int | None = None  # epochs between evaluations during training; None: only at its end
    sample: int = 1_000  # architectures of those: so many of the mask's random sample
    architectures: str = "sets"  # at the end: those the caller gives; or all that the mask leaves
    precision: str = "float32"  # of features and weights
    memory_mb: int | None = None  # for the features of a batch; None: by what is free

    def __post_init__(self) -> None:
        if not self.bn_modes or len(set(self.bn_modes)) != len(self.bn_modes):
            raise NasrankError(f"bn_modes are {list(self.bn_modes)}; give at least one, and each once")
        for mode in self.bn_modes:
            check_bn_mode(mode)
        for name, allowed in (("architectures", ARCHITECTURES), ("precision", tuple(PRECISIONS))):
            if getattr(self, name) not in allowed:
                choice = " or ".join(map(repr, allowed))
                raise NasrankError(f"{name} is {getattr(self, name)!r}; choose {choice}")
        for name in ("recalibration_batches", "every", "sample", "memory_mb"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise NasrankError(f"{name} is {value}; give at least 1")


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
            for start, stop in even_parts(len(images), batch_size):
                pixels, labels = images.plain(start, stop)
                self._batches.append((supernet.stem(pixels), labels))

    @torch.inference_mode()
    def correct(self, path: Path) -> int | None:
        """The number of images whose largest logit is their label's, or None if any logit is not finite."""
        self._prepare(path)
        counts = []
        for features, labels in self._batches:
            logits = self._supernet.from_stem(features, path)
            counts.append(torch.stack([(logits.argmax(1) == labels).sum(), (~logits.isfinite()).sum()]))
        correct, non_finite = torch.stack(counts).sum(0).tolist()
        return None if non_finite else int(correct)

    def _prepare(self, path: Path) -> None:
        """Called before a path is evaluated."""


class BatchEvaluator(Evaluator):
    """BatchNorm uses the statistics of the evaluation batch itself, which `batch_size` therefore matters to.

    Works on a copy of the super-network.
    """

    def __init__(self, supernet: SuperNet, images: DeviceImages, batch_size: int) -> None:
        supernet = copy.deepcopy(supernet)
        for norm in _norms(supernet):
            norm.running_mean = norm.running_var = None
        super().__init__(supernet, images, batch_size)


class RecalibratedEvaluator(Evaluator):
    """BatchNorm uses statistics of training images along the very path that is evaluated.

    For each path all statistics are reset and become the mean over the calibration batches, which go
    through it as in training. Works on a copy of the super-network; holds the stem's output for the
    calibration images as well.

    Args:
        calibration: batches of images, float32 [b, channels, height, width]; at least one.
    """

    def __init__(
        self, supernet: SuperNet, images: DeviceImages, batch_size: int, calibration: Sequence[Tensor]
    ) -> None:
        supernet = copy.deepcopy(supernet)
        with torch.inference_mode():
            self._calibration = list(_recalibrated(calibration, _norms(supernet.stem), supernet.stem))
        super().__init__(supernet, images, batch_size)
        self._path_norms = [*_norms(supernet.cells), *_norms(supernet.head)]

    def _prepare(self, path: Path) -> None:
        along_path = partial(self._supernet.from_stem, path=path)
        for _ in _recalibrated(self._calibration, self._path_norms, along_path):
            pass


def calibration_batches(images: DeviceImages, *, batch_size: int, batches: int, seed: int) -> list[Tensor]:
    """Batches of a run's training images, drawn once for all architectures, and not augmented.

    Validation images are not augmented either: their statistics are to be met. Raises `NasrankError` where
    there are too few images.
    """
    needed = batches * batch_size
    if needed > len(images):
        raise NasrankError(
            f"{batches} batches of {batch_size} images to recalibrate BatchNorm are more than the "
            f"{len(images)} training images; give at most {len(images) // batch_size}"
        )
    chosen = torch.randperm(len(images), generator=generator("recalibration", seed))[:needed]
    draws = unaugmented(chosen, images.max_shift).to(images.device)
    return [images.augmented(draws, start, start + batch_size)[0] for start in range(0, needed, batch_size)]


def random_sample(operations: Sequence[int], n: int) -> list[int]:
    """The first `n` architectures, or all, of the random sample that is the same for every run of a mask."""
    available = OperationSet(frozenset(operations)).members
    admitted = (a for a in sample_order() if Architecture.from_id(a).used.members <= available)
    return list(itertools.islice(admitted, n))


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


def check_bn_mode(bn_mode: str) -> None:
    """Raises `NasrankError` if there is no such mode."""
    if bn_mode not in BN_MODES:
        raise NasrankError(f"bn_mode is {bn_mode!r}; choose {' or '.join(map(repr, BN_MODES))}")


def even_parts(n: int, size: int) -> Iterator[tuple[int, int]]:
    """(start, stop) of the fewest parts of at most `size`, as even as can be: no small one in the end."""
    parts = -(-n // size)
    bounds = [n * part // parts for part in range(parts + 1)]
    yield from itertools.pairwise(bounds)


def _norms(module: nn.Module) -> list[nn.BatchNorm2d]:
    return [part for part in module.modules() if isinstance(part, nn.BatchNorm2d)]


def _recalibrated(
    batches: Iterable[Tensor], norms: Sequence[nn.BatchNorm2d], forward: Callable[[Tensor], Tensor]
) -> Iterator[Tensor]:
    """What `forward` makes of each batch in training mode, while the statistics become the batches' mean."""
    for norm in norms:
        norm.reset_running_stats()
        norm.train()
    for number, batch in enumerate(batches, 1):
        for norm in norms:
            norm.momentum = 1 / number
        yield forward(batch)
    for norm in norms:
        norm.eval()
