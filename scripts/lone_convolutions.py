"""The convolutions of nasrank's training steps and nothing between them: a floor for their time."""

from dataclasses import dataclass

import torch
from benchmarking import SEED, initial_supernet
from torch import Tensor, nn

from nasrank.trainer.config import ExperimentConfig
from nasrank.trainer.network.paths import CellPaths, Path, path_sampler
from nasrank.trainer.network.supernet import NUM_STAGES, SuperNet


class ConvolutionsAlone:
    """The convolutions of the first steps, each as nasrank float32 has it, and nothing else.

    Forward and, where a gradient reaches it, backward, on inputs of their own.
    """

    def __init__(self, config: ExperimentConfig, device: torch.device, steps: int) -> None:
        supernet = initial_supernet(config).to(device).train()
        images = torch.randn(config.batch_size, 3, 32, 32, device=device)
        sampler = path_sampler(config, SEED, NUM_STAGES * config.cells_per_stage)
        self._steps = [convolutions(supernet, channels_last(images), sampler.path(n)) for n in range(steps)]
        self._made = {one: one.make(device) for step in self._steps for one in step}

    def prepare(self, steps: int) -> None:
        """Nothing more."""

    def advance(self, steps: int) -> None:
        for step in self._steps[:steps]:
            for one in step:
                module, features, gradient = self._made[one]
                output = module(features)
                if one.is_reached:
                    inputs = [module.weight, features] if one.needs_gradient else [module.weight]
                    torch.autograd.grad(output, inputs, gradient)


@dataclass(frozen=True)
class Convolution:
    """One of a step: what it is given, what it is, and whether a gradient reaches it."""

    shape: tuple[int, ...]
    needs_gradient: bool
    outputs: int
    kernel: int
    stride: int
    is_reached: bool

    def make(self, device: torch.device) -> tuple[nn.Conv2d, Tensor, Tensor]:
        """A module, an input and a gradient of its output."""
        module = nn.Conv2d(
            self.shape[1], self.outputs, self.kernel, self.stride, self.kernel // 2, bias=False
        )
        module.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        features = channels_last(torch.randn(self.shape, device=device)).requires_grad_(self.needs_gradient)
        return module, features, torch.randn_like(module(features))


def convolutions(supernet: SuperNet, images: Tensor, path: Path | CellPaths) -> list[Convolution]:
    """Those of one step."""
    calls: list[tuple[nn.Conv2d, Tensor]] = []
    reached: set[int] = set()

    def note(module: nn.Conv2d, inputs: tuple[Tensor], output: Tensor) -> None:
        number = len(calls)
        calls.append((module, inputs[0]))
        output.register_hook(lambda _: reached.add(number))  # type: ignore[no-untyped-call]

    hooks = [m.register_forward_hook(note) for m in supernet.modules() if isinstance(m, nn.Conv2d)]
    supernet(images, path).sum().backward()
    for hook in hooks:
        hook.remove()
    return [
        Convolution(
            tuple(given.shape),
            given.requires_grad,
            m.out_channels,
            m.kernel_size[0],
            m.stride[0],
            n in reached,
        )
        for n, (m, given) in enumerate(calls)
    ]


def channels_last(images: Tensor) -> Tensor:
    return images.contiguous(memory_format=torch.channels_last)
