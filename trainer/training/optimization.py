"""How weights move: the learning rate of each epoch, the optimizer, and clipping of its gradients."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from nasrank.trainer.config import ExperimentConfig


def learning_rate(config: ExperimentConfig, epoch: int) -> float:
    """The learning rate of an epoch, counted from 0.

    Half a cosine from the first to the final rate. Before it, with `warmup_epochs` W, epoch e has
    (e + 1) / (W + 1) of the first rate, as in the authors' code: never zero, and the cosine's first epoch
    is the next step of the line.
    """
    first, last = config.learning_rate, config.final_learning_rate
    warmup = config.warmup_epochs
    if epoch < warmup:
        return first * (epoch + 1) / (warmup + 1)
    fall = (1 + math.cos(math.pi * (epoch - warmup) / (config.epochs - warmup))) / 2
    return last + (first - last) * fall


def make_optimizer(supernet: nn.Module, config: ExperimentConfig) -> torch.optim.SGD:
    """SGD with momentum; BatchNorm's parameters, and only they, are not decayed."""
    norm: list[Tensor] = []
    others: list[Tensor] = []
    for module in supernet.modules():
        group = norm if isinstance(module, nn.BatchNorm2d) else others
        group.extend(module.parameters(recurse=False))
    return torch.optim.SGD(
        [
            {"params": others, "weight_decay": config.weight_decay},
            {"params": norm, "weight_decay": 0.0},
        ],
        lr=config.learning_rate,
        momentum=config.momentum,
    )


def clip_gradients(optimizer: torch.optim.Optimizer, config: ExperimentConfig) -> None:
    """Scale gradients whose L2 norm is above `grad_clip_norm` down to it.

    The norm is that of all gradients together, or of each of the optimizer's parameter groups.
    """
    if config.grad_clip_norm is None:
        return
    groups = [group["params"] for group in optimizer.param_groups]
    if config.grad_clip_scope == "global":
        groups = [[parameter for group in groups for parameter in group]]
    for group in groups:
        nn.utils.clip_grad_norm_(group, config.grad_clip_norm)
