"""What the benchmarks have in common: images, first weights, timing, and how a figure is given."""

import statistics
import time
from collections.abc import Callable, Sequence

import torch

from trainer.config import ExperimentConfig
from trainer.supernet import SuperNet, build_supernet

MEAN, STD = (125.3, 123.0, 113.9), (63.0, 62.1, 66.7)  # CIFAR-10's
SEED = 0


def initial_supernet(config: ExperimentConfig) -> SuperNet:
    return build_supernet(config, SEED, image_shape=(3, 32, 32), num_classes=10)


def timed(work: Callable[[], None], device: torch.device) -> float:
    """Seconds; on CUDA between events of the device, which waits for what came before."""
    if device.type != "cuda":
        started = time.perf_counter()
        work()
        return time.perf_counter() - started
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize(device)
    start.record()
    work()
    end.record()
    torch.cuda.synchronize(device)
    return start.elapsed_time(end) / 1000


def spread(name: str, values: Sequence[float]) -> dict[str, object]:
    """The median as `name`, and the least and the greatest as its range."""
    return {name: statistics.median(values), f"{name}_range": [min(values), max(values)]}
