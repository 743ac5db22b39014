"""What the benchmarks have in common: images, first weights, timing, and how a figure is given."""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from nasrank.trainer.config import ExperimentConfig
from nasrank.trainer.network.supernet import SuperNet, build_supernet

MEAN, STD = (125.3, 123.0, 113.9), (63.0, 62.1, 66.7)  # CIFAR-10's
SEED = 0


def initial_supernet(config: ExperimentConfig) -> SuperNet:
    return build_supernet(config, SEED, image_shape=(3, 32, 32), num_classes=10)


def timed(work: Callable[[], object], device: torch.device) -> float:
    """Seconds; on CUDA between events of the device, which waits for what came before."""
    if device.type != "cuda":
        started = time.perf_counter()
        work()
        return time.perf_counter() - started
    start, end = (
        torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        for _ in range(2)
    )
    torch.cuda.synchronize(device)
    start.record()
    work()
    end.record()
    torch.cuda.synchronize(device)
    milliseconds: float = start.elapsed_time(end)
    return milliseconds / 1000


def spread(name: str, values: Sequence[float]) -> dict[str, object]:
    """The median as `name`, and the least and the greatest as its range."""
    return {name: statistics.median(values), f"{name}_range": [min(values), max(values)]}


def tensors_in(value: Any) -> Iterator[Tensor]:
    """In sequences and mappings, however deep."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        yield from tensors_in(tuple(value.values()))
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from tensors_in(part)


class Traffic(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts operations, and the bytes of what they read and write if nothing stays in a cache."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operations = 0
        self.bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if func.is_view or "empty" in name or name in ("detach", "_local_scalar_dense"):
            return made
        match name:
            case "index" | "index_select":  # not all of what they choose from
                moved = [made, made]
            case "index_copy_":
                moved = [args[3], args[3]]
            case "index_fill_":
                moved = [made[: len(args[2])]]
            case _:
                moved = list(tensors_in((args, kwargs, made)))
        self.operations += 1
        self.bytes += sum(tensor.numel() * tensor.itemsize for tensor in moved)
        return made


def copying_speed(device: torch.device) -> float:
    """Bytes a second, read and written, of a copy too large for any cache: the median of some."""
    source = torch.zeros(2**28, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    seconds = [timed(lambda: target.copy_(source), device) for _ in range(6)]
    return 2 * len(source) / statistics.median(seconds[1:])
