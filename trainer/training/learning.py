"""What a batch teaches: the gradients of its loss, along one path or along all paths of a fair group."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from nasrank.trainer.config import ExperimentConfig
from nasrank.trainer.network.fair_group import group_logits
from nasrank.trainer.network.paths import CellPaths, Path
from nasrank.trainer.network.supernet import SuperNet


class Learner:
    """Adds up gradients, in the super-network's parameters, and how batches fare; never waits for the device.

    `loss_sum`, float64 [], has the mean loss of each batch along each of its paths; `correct`, int64 [], the
    number of images that the largest logit was right for.

    Args:
        supernet: on the device; its gradients are there already, and stay the same tensors.
    """

    def __init__(self, supernet: SuperNet, config: ExperimentConfig, device: torch.device) -> None:
        self.supernet = supernet
        self.loss_sum = torch.zeros((), dtype=torch.float64, device=device)
        self.correct = torch.zeros((), dtype=torch.int64, device=device)
        self._label_smoothing = config.label_smoothing
        self._is_bfloat16 = config.precision == "bfloat16"

    def along_paths(self, images: Tensor, labels: Tensor, paths: Sequence[Path | CellPaths]) -> None:
        """Images [b, image_channels, height, width] and labels [b] along one path after the other."""
        for path in paths:
            self._add(partial(self.supernet, images, path), labels, 1)

    def along_group(self, images: Tensor, labels: Tensor, routes: Tensor) -> None:
        """The paths of a strictly fair group at once, each with a batch of its own.

        Args as of `group_logits`; labels likewise.
        """
        paths = len(self.supernet.operations)
        self._add(partial(group_logits, self.supernet, images, routes), labels, paths)

    def _add(self, forward: Callable[[], Tensor], labels: Tensor, paths: int) -> None:
        # Autocast keeps weights, BatchNorm's statistics and the loss in float32.
        with torch.autocast(labels.device.type, torch.bfloat16, enabled=self._is_bfloat16):
            logits = forward()
            loss = functional.cross_entropy(logits, labels, label_smoothing=self._label_smoothing)
            loss = paths * loss  # the sum of the paths' means
        loss.backward()  # type: ignore[no-untyped-call]
        self.loss_sum += loss.detach()
        self.correct += (logits.detach().argmax(1) == labels).sum()

    @contextmanager
    def nothing_learned(self) -> Iterator[None]:
        """However the block ends, nothing that was learned in it is left: all tensors are set back."""
        gradients = [p.grad for p in self.supernet.parameters() if p.grad is not None]
        moved = [self.loss_sum, self.correct, *self.supernet.buffers(), *gradients]
        before = [tensor.clone() for tensor in moved]
        try:
            yield
        finally:
            for tensor, value in zip(moved, before, strict=True):
                tensor.copy_(value)
