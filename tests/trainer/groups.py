"""Groups of paths, batches for them, and what a learner learns of them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from nasrank.trainer.network.paths import path_sampler
from nasrank.trainer.network.supernet import SuperNet
from nasrank.trainer.training.learning import Learner
from tests.trainer.conftest import CPU


def group(config: Any, number: int) -> list[Any]:
    sampler = path_sampler(config, 0, 3 * config.cells_per_stage)
    return [sampler.path(len(config.operations) * number + step) for step in range(len(config.operations))]


def with_gradients(supernet: SuperNet, config: Any, device: torch.device = CPU) -> Learner:
    for parameter in supernet.parameters():
        parameter.grad = torch.zeros_like(parameter)
    return Learner(supernet, config, device)


def batches(n: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Of 8 images."""
    source = torch.Generator().manual_seed(seed)
    images = torch.randn(8 * n, 3, 8, 8, dtype=torch.float64, generator=source)
    return images, torch.randint(10, (8 * n,), generator=source)


def step_by_step(learner: Learner, images: Tensor, labels: Tensor, paths: list[Any]) -> None:
    """A batch of 8 along each path."""
    for path, some_images, some_labels in zip(paths, images.split(8), labels.split(8), strict=True):
        learner.along_paths(some_images, some_labels, [path])


def learned(learner: Learner) -> list[Tensor]:
    """All that a step moves."""
    gradients = [parameter.grad for parameter in learner.supernet.parameters()]
    assert all(gradient is not None for gradient in gradients)
    return [*gradients, *learner.supernet.buffers(), learner.loss_sum, learner.correct]
