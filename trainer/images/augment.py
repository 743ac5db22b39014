"""Images on the training device: kept as uint8, shifted, flipped and normalized a batch at a time.

Paper, section on training: shift by up to `max_shift` pixels, horizontal flip, normalize; validation
only normalizes. A shift moves the image over a border of zeros (black), before normalization. The
regularized variant's AutoAugment comes between flip and normalization.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from nasrank.db.errors import NasrankError
from nasrank.trainer.images.autoaugment import PolicyDraws, apply_policy, draw_policy
from nasrank.trainer.randomness import generator


@dataclass(frozen=True)
class EpochDraws:
    """One epoch's random choices, one for each of its `n` training images, in the order they are seen."""

    order: Tensor  # int64 [n]: a permutation of the images
    top: Tensor  # int64 [n], 0..2 max_shift: first row of the window into the padded image
    left: Tensor  # int64 [n], likewise the first column
    flip: Tensor  # bool [n]: mirror left and right
    policy: PolicyDraws | None = None  # AutoAugment's

    def to(self, device: torch.device) -> EpochDraws:
        """The same choices on another device."""
        order, top, left, flip = (
            tensor.to(device, non_blocking=True) for tensor in (self.order, self.top, self.left, self.flip)
        )
        policy = None if self.policy is None else self.policy.to(device)
        return EpochDraws(order, top, left, flip, policy)


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """What is drawn for each image: `policy` `autoaugment` draws in addition, and changes no other choice."""

    max_shift: int  # pixels
    horizontal_flip: bool
    policy: str = "standard"


def draw_epoch(n: int, augmentation: Augmentation, *, seed: int, epoch: int) -> EpochDraws:
    """The choices of a run's epoch: the same for the same seed and epoch, whatever was drawn before."""
    source = generator("epoch", seed, epoch)
    order = torch.randperm(n, generator=source)
    top, left = torch.randint(0, 2 * augmentation.max_shift + 1, (2, n), generator=source)
    flip = torch.rand(n, generator=source) < 0.5
    policy = draw_policy(n, seed=seed, epoch=epoch) if augmentation.policy == "autoaugment" else None
    return EpochDraws(order, top, left, flip & augmentation.horizontal_flip, policy)


def unaugmented(order: Tensor, max_shift: int) -> EpochDraws:
    """Draws that take these images (int64 [n]) as they are, from images held with that `max_shift`."""
    middle = torch.full_like(order, max_shift)
    return EpochDraws(order, middle, middle, torch.zeros_like(order, dtype=torch.bool))


@dataclass(frozen=True)
class Normalization:
    """Mean and deviation of each channel, in units of 0..255."""

    mean: Sequence[float]
    std: Sequence[float]


class DeviceImages:
    """Images and labels on a device, batches of which come out normalized, float32 and channels_last.

    Args:
        images: uint8 [n, channels, height, width].
        labels: int64 [n].
        max_shift: the border, in pixels, that `augmented` may shift over.
    """

    def __init__(
        self,
        images: Tensor,
        labels: Tensor,
        normalization: Normalization,
        *,
        device: torch.device,
        max_shift: int = 0,
    ) -> None:
        self.height, self.width = images.shape[2:]
        if max_shift >= min(self.height, self.width):
            raise NasrankError(
                f"max_shift {max_shift} moves all of a {self.height}x{self.width} image out of sight; "
                f"give at most {min(self.height, self.width) - 1}"
            )
        self.max_shift = max_shift
        self.device = device
        padded = functional.pad(images, (max_shift,) * 4)
        # Pixels lie with their channels together, so that a gather of pixels is channels_last as it comes.
        self._pixels = padded.permute(0, 2, 3, 1).contiguous().to(device)
        self._labels = labels.to(device)
        self._mean = torch.tensor(normalization.mean, dtype=torch.float32, device=device)
        self._std = torch.tensor(normalization.std, dtype=torch.float32, device=device)

    def __len__(self) -> int:
        return len(self._labels)

    def augmented(self, draws: EpochDraws, start: int, stop: int) -> tuple[Tensor, Tensor]:
        """The epoch's images `start..stop-1`: float32 [b, channels, height, width], labels int64 [b].

        `draws` must be on the device of the images.
        """
        chosen = draws.order[start:stop]
        row = torch.arange(self.height, device=self.device)
        column = torch.arange(self.width, device=self.device)
        columns = torch.where(draws.flip[start:stop, None], column.flip(0), column)
        pixels = self._pixels[
            chosen[:, None, None],
            (draws.top[start:stop, None] + row)[:, :, None],
            (draws.left[start:stop, None] + columns)[:, None, :],
        ]
        if draws.policy is not None:
            images = apply_policy(pixels.permute(0, 3, 1, 2), draws.policy, start)
            pixels = images.permute(0, 2, 3, 1)
        return self._normalized(pixels), self._labels[chosen]

    def plain(self, start: int, stop: int) -> tuple[Tensor, Tensor]:
        """Images `start..stop-1` in stored order, only normalized; shapes as those of `augmented`."""
        shift = self.max_shift
        pixels = self._pixels[start:stop, shift : shift + self.height, shift : shift + self.width]
        return self._normalized(pixels), self._labels[start:stop]

    def _normalized(self, pixels: Tensor) -> Tensor:
        """uint8 [b, height, width, channels] to float32 [b, channels, height, width] in channels_last."""
        return pixels.to(torch.float32).sub_(self._mean).div_(self._std).permute(0, 3, 1, 2)
