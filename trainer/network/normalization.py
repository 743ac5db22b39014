"""Convolutions with the BatchNorm behind them, under each BN mode, without touching the super-network.

A mode says where BatchNorm's mean and variance come from: `KnownStatistics` (running ones, or calibrated),
`BatchStatistics` (the very batch) or `CalibrationStatistics` (the batch, and remembered).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, eq=False)
class Norm:
    """A BatchNorm whose output is multiplied by `share`, float32.

    `gain` and `shift` [channels] are its affine parameters with the share in them.
    """

    gain: Tensor
    shift: Tensor
    running_mean: Tensor
    running_var: Tensor
    eps: float

    @classmethod
    def of(cls, module: nn.Module, share: float = 1.0) -> Self:
        """A copy of the module's, as it stands."""
        assert isinstance(module, nn.BatchNorm2d)
        mean, var = module.running_mean, module.running_var
        assert mean is not None
        assert var is not None
        gain = torch.ones_like(mean) if module.weight is None else module.weight.detach()
        shift = torch.zeros_like(mean) if module.bias is None else module.bias.detach()
        return cls(gain * share, shift * share, mean.clone(), var.clone(), module.eps)


@dataclass(frozen=True, eq=False)
class ConvNorm:
    """A convolution without bias, padded to keep the size up to its stride, and the BatchNorm behind it."""

    weight: Tensor  # [out, in, kernel, kernel], float32 in channels_last
    stride: int
    norm: Norm

    @classmethod
    def of(cls, convolution: nn.Module, norm: nn.Module, share: float = 1.0) -> Self:
        """A copy of two modules that follow each other."""
        assert isinstance(convolution, nn.Conv2d)
        return cls(convolution.weight.detach().clone(), convolution.stride[0], Norm.of(norm, share))

    def convolve(self, features: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """With another weight of the same shape."""
        padding = self.weight.shape[-1] // 2
        return functional.conv2d(features, weight, bias, stride=self.stride, padding=padding)


Calibrated = dict[Norm, tuple[Tensor, Tensor]]  # mean and variance


class Statistics(Protocol):
    """What BatchNorm normalizes with."""

    def apply(self, block: ConvNorm, features: Tensor) -> Tensor:
        """Convolve and normalize: [b, in, height, width] to [b, out, height / stride, width / stride]."""

    def normalize(self, norm: Norm, features: Tensor) -> Tensor:
        """Normalize features [b, channels, height, width]."""

    def of_nothing(self, block: ConvNorm) -> Tensor | None:
        """What `apply` makes of zeros, for each channel; None for zeros."""


class KnownStatistics:
    """Means and variances that are known beforehand become part of the convolution.

    Args:
        precision: of convolutions.
        calibrated: mean and unbiased variance of each norm on the path; None: the running ones.
    """

    def __init__(self, precision: torch.dtype, calibrated: Calibrated | None = None) -> None:
        self._precision = precision
        self._calibrated = calibrated
        self._folded: dict[ConvNorm, tuple[Tensor, Tensor]] = {}

    def apply(self, block: ConvNorm, features: Tensor) -> Tensor:
        """One convolution with a bias."""
        return block.convolve(features, *self._fold(block))

    def normalize(self, norm: Norm, features: Tensor) -> Tensor:
        """One multiplication and addition, in float32."""
        gain, bias = self._line(norm)
        return torch.addcmul(bias.view(1, -1, 1, 1), features.float(), gain.view(1, -1, 1, 1))

    def of_nothing(self, block: ConvNorm) -> Tensor | None:
        """The bias; of a path's own statistics, zeros."""
        return self._fold(block)[1] if self._calibrated is None else None

    def _fold(self, block: ConvNorm) -> tuple[Tensor, Tensor]:
        if block not in self._folded:
            gain, bias = self._line(block.norm)
            weight = (block.weight * gain.view(-1, 1, 1, 1)).to(self._precision)
            self._folded[block] = weight, bias.to(self._precision)
        return self._folded[block]

    def _line(self, norm: Norm) -> tuple[Tensor, Tensor]:
        """Normalizing is gain · features + bias."""
        if self._calibrated is None:
            mean, var = norm.running_mean, norm.running_var
        else:
            mean, var = self._calibrated[norm]
        gain = norm.gain * (var + norm.eps).rsqrt()
        return gain, norm.shift - mean * gain


class BatchStatistics:
    """Mean and variance of the features themselves."""

    def __init__(self, precision: torch.dtype) -> None:
        self._precision = precision
        self._weights: dict[ConvNorm, Tensor] = {}

    def apply(self, block: ConvNorm, features: Tensor) -> Tensor:
        """A convolution and a normalization."""
        if block not in self._weights:
            self._weights[block] = block.weight.to(self._precision)
        return self.normalize(block.norm, block.convolve(features, self._weights[block]))

    def normalize(self, norm: Norm, features: Tensor) -> Tensor:
        """In the precision of the features."""
        return functional.batch_norm(features, None, None, norm.gain, norm.shift, training=True, eps=norm.eps)

    def of_nothing(self, block: ConvNorm) -> None:
        """Zeros."""


class CalibrationStatistics(BatchStatistics):
    """Mean and variance of the features themselves, which `calibrated` collects over the batches.

    As in PyTorch, what is kept is the mean of the batches' means and that of their unbiased variances.
    """

    def __init__(self, precision: torch.dtype) -> None:
        super().__init__(precision)
        self.calibrated: Calibrated = {}
        self.batch = 1  # the number of the batch that is seen

    def normalize(self, norm: Norm, features: Tensor) -> Tensor:
        """In the precision of the features."""
        if norm not in self.calibrated:
            self.calibrated[norm] = torch.zeros_like(norm.gain), torch.ones_like(norm.gain)
        mean, var = self.calibrated[norm]
        return functional.batch_norm(
            features, mean, var, norm.gain, norm.shift, training=True, momentum=1 / self.batch, eps=norm.eps
        )
