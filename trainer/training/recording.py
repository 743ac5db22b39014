"""A strictly fair group recorded once and played again: for a GPU that is done before Python asks for more.

A step of a small super-network is hundreds of short operations. A CUDA graph asks for all those of a group at
once, which `network/fair_group.py` makes possible. It moves more memory for it, so whether it pays depends on
network, batch and GPU: that is tried.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Final

import torch
from torch import Tensor

from nasrank.trainer.network.fair_group import group_routes
from nasrank.trainer.network.paths import CellPaths, Path
from nasrank.trainer.training.learning import Learner

# Takes work on the very same tensors each time, which it may do, and returns what does it again.
Recorder = Callable[[Callable[[], None]], Callable[[], None]]

_WARM_UPS: Final = 3  # libraries choose their algorithms, and take memory, in the first calls
_TRIALS: Final = 5


def record_on_cuda(work: Callable[[], None]) -> Callable[[], None]:
    """A CUDA graph of the work. Raises `RuntimeError` where there can be none, such as for want of memory."""
    # Autograd and the libraries remember streams: warm up on the one that is recorded.
    stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(_WARM_UPS):
            work()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        work()
    return graph.replay


class RecordedGroup:
    """What a learner does along a group, recorded with one group and played with any of the same shapes.

    Args:
        images, labels: of one batch.
        paths: of a group.
    """

    def __init__(
        self,
        record: Recorder,
        learner: Learner,
        images: Tensor,
        labels: Tensor,
        paths: Sequence[Path | CellPaths],
    ) -> None:
        self._supernet = learner.supernet
        self._images = torch.cat([images] * len(paths))
        self._labels = torch.cat([labels] * len(paths))
        self._routes = group_routes(paths, learner.supernet).to(labels.device)
        self._replay = record(lambda: learner.along_group(self._images, self._labels, self._routes))

    def play(self, images: Tensor, labels: Tensor, paths: Sequence[Path | CellPaths]) -> None:
        """Learn along another group, from a batch for each path or from one for all."""
        for held, given in ((self._images, images), (self._labels, labels)):
            held.copy_(torch.cat([given] * (len(held) // len(given))))
        self._routes.copy_(group_routes(paths, self._supernet), non_blocking=True)
        self._replay()


def try_recording(
    record: Recorder,
    learner: Learner,
    images: Tensor,
    labels: Tensor,
    paths: Sequence[Path | CellPaths],
) -> tuple[RecordedGroup, float]:
    """A recorded group, and how many times as fast as its steps one by one it is: the median of some trials.

    Args as of `RecordedGroup`. Nothing is learned. Raises what `record` raises.
    """
    with learner.nothing_learned():
        group = RecordedGroup(record, learner, images, labels, paths)
        ratios = []
        for _ in range(1 + _TRIALS):
            steps = _seconds(learner, lambda: learner.along_paths(images, labels, paths))
            ratios.append(steps / _seconds(learner, lambda: group.play(images, labels, paths)))
    return group, statistics.median(ratios[1:])


def _seconds(learner: Learner, work: Callable[[], None]) -> float:
    """Of the device, which is waited for before and after."""
    learner.loss_sum.item()
    started = time.monotonic()
    work()
    learner.loss_sum.item()
    return time.monotonic() - started
