"""AutoAugment's policy for CIFAR-10, on the device, a batch at a time.

Cubuk et al., "AutoAugment: Learning Augmentation Policies from Data", Table 7: each image goes through one
of 25 sub-policies, which are two operations, each applied with its probability. The operations are
Pillow's, as in the published implementations, bit for bit; pixels from outside the image are grey.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from nasrank.trainer.randomness import generator

# (operation, probability, level 0..9); operations without a magnitude have level 0.
PolicyStep = tuple[str, float, int]
POLICY: Final[tuple[tuple[PolicyStep, PolicyStep], ...]] = (
    (("Invert", 0.1, 0), ("Contrast", 0.2, 6)),
    (("Rotate", 0.7, 2), ("TranslateX", 0.3, 9)),
    (("Sharpness", 0.8, 1), ("Sharpness", 0.9, 3)),
    (("ShearY", 0.5, 8), ("TranslateY", 0.7, 9)),
    (("AutoContrast", 0.5, 0), ("Equalize", 0.9, 0)),
    (("ShearY", 0.2, 7), ("Posterize", 0.3, 7)),
    (("Color", 0.4, 3), ("Brightness", 0.6, 7)),
    (("Sharpness", 0.3, 9), ("Brightness", 0.7, 9)),
    (("Equalize", 0.6, 0), ("Equalize", 0.5, 0)),
    (("Contrast", 0.6, 7), ("Sharpness", 0.6, 5)),
    (("Color", 0.7, 7), ("TranslateX", 0.5, 8)),
    (("Equalize", 0.3, 0), ("AutoContrast", 0.4, 0)),
    (("TranslateY", 0.4, 3), ("Sharpness", 0.2, 6)),
    (("Brightness", 0.9, 6), ("Color", 0.2, 8)),
    (("Solarize", 0.5, 2), ("Invert", 0.0, 0)),
    (("Equalize", 0.2, 0), ("AutoContrast", 0.6, 0)),
    (("Equalize", 0.2, 0), ("Equalize", 0.6, 0)),
    (("Color", 0.9, 9), ("Equalize", 0.6, 0)),
    (("AutoContrast", 0.8, 0), ("Solarize", 0.2, 8)),
    (("Brightness", 0.1, 3), ("Color", 0.7, 0)),
    (("Solarize", 0.4, 5), ("AutoContrast", 0.9, 0)),
    (("TranslateY", 0.9, 9), ("TranslateY", 0.7, 9)),
    (("AutoContrast", 0.9, 0), ("Solarize", 0.8, 3)),
    (("Equalize", 0.8, 0), ("Invert", 0.1, 0)),
    (("TranslateY", 0.7, 9), ("AutoContrast", 0.9, 0)),
)
# Operation -> (value at level 9; at level 0 it is 0, values between lie evenly).
_SIGNED: Final = {
    "ShearY": 0.3,  # pixels a pixel
    "TranslateX": 150 / 331,  # of the width
    "TranslateY": 150 / 331,  # of the height
    "Rotate": 30.0,  # degrees
    "Brightness": 0.9,  # these four: distance of the factor from 1
    "Color": 0.9,
    "Contrast": 0.9,
    "Sharpness": 0.9,
}
_GREY: Final = 128  # what the published implementations fill with


@dataclass(frozen=True)
class PolicyDraws:
    """What happens to each of `n` images, in the order they are seen.

    The host knows how many images an operation has from `keys`, so it never waits for the device to say so;
    the device gets all that it needs of an epoch at once.
    """

    operation: Tensor  # int64 [n, 2]: first and second, numbers of `_OPERATIONS`, -1 for none; on the CPU
    value: Tensor  # float64 [n, 2]: magnitude with its sign; on the CPU
    keys: Tensor  # int64 [2, n]: operation x n + image, of each step in ascending order; on the CPU
    images: Tensor  # int64 [2, n]: the images in the order of the keys; on the device
    values: Tensor  # float64 [2, n]: their values, likewise

    @classmethod
    def sort(cls, operation: Tensor, value: Tensor) -> PolicyDraws:
        """Draws on the CPU from the operation and the value of each image and step, [n, 2]."""
        n = len(operation)
        keys, images = (operation.T.contiguous() * n + torch.arange(n)).sort()
        return cls(operation, value, keys, images, value.T.gather(1, images))

    def to(self, device: torch.device) -> PolicyDraws:
        """The same choices for images on another device."""
        images, values = (tensor.to(device, non_blocking=True) for tensor in (self.images, self.values))
        return PolicyDraws(self.operation, self.value, self.keys, images, values)

    def groups(self, step: int, start: int, stop: int) -> Iterator[tuple[int, Tensor, Tensor]]:
        """Each operation that a step has for the images `start..stop-1`, with what it is applied to.

        Yields the operation's number, its images counted from `start` (int64 [m]), and their values
        (float64 [m]); both are on the device.
        """
        first = torch.arange(len(_OPERATIONS)) * len(self.operation)
        bounds = torch.searchsorted(self.keys[step], torch.stack([first + start, first + stop], 1))
        for number, (begin, end) in enumerate(bounds.tolist()):
            if begin < end:
                yield number, self.images[step, begin:end] - start, self.values[step, begin:end]


def draw_policy(n: int, *, seed: int, epoch: int) -> PolicyDraws:
    """The choices of a run's epoch: the same for the same seed and epoch, whatever was drawn before."""
    source = generator("autoaugment", seed, epoch)
    chosen = torch.randint(len(POLICY), (n,), generator=source)
    applied = torch.rand(n, 2, generator=source, dtype=torch.float64) < _table(lambda step: step[1])[chosen]
    sign = 2.0 * torch.randint(2, (n, 2), generator=source) - 1
    signed = _table(lambda step: step[0] in _SIGNED)[chosen] > 0
    number = _table(lambda step: list(_OPERATIONS).index(step[0]))[chosen].to(torch.int64)
    value = _table(lambda step: magnitude(step[0], step[2]))[chosen]
    return PolicyDraws.sort(torch.where(applied, number, -1), torch.where(signed, sign * value, value))


def magnitude(operation: str, level: int) -> float:
    """The value of a level from 0 to 9, without its sign; 0 for operations that have none."""
    if operation == "Posterize":
        return 8.0 - round(4 * level / 9)  # bits that stay
    if operation == "Solarize":
        return 256 - 256 * level / 9  # inverted from this value on
    return _SIGNED.get(operation, 0.0) * level / 9


def apply_policy(images: Tensor, draws: PolicyDraws, start: int = 0) -> Tensor:
    """Both operations of each image: uint8 [b, 1 or 3, height, width] to the same shape.

    Args:
        draws: on the device of the images, which are its images `start..start+b-1`.
    """
    functions = list(_OPERATIONS.values())
    for step in range(2):
        result = images.clone()
        for number, chosen, value in draws.groups(step, start, start + len(images)):
            result[chosen] = functions[number](images[chosen], value)
        images = result
    return images


def _table(entry: Callable[[PolicyStep], float]) -> Tensor:
    """float64 [25, 2]: an entry for each step of the policy."""
    return torch.tensor([[float(entry(step)) for step in pair] for pair in POLICY], dtype=torch.float64)


def _invert(images: Tensor, _: Tensor) -> Tensor:
    return 255 - images


def _solarize(images: Tensor, threshold: Tensor) -> Tensor:
    return torch.where(images >= _each(threshold), 255 - images, images)


def _posterize(images: Tensor, bits: Tensor) -> Tensor:
    dropped = 8 - _each(bits).to(torch.int64)
    return (images >> dropped << dropped).to(torch.uint8)


def _autocontrast(images: Tensor, _: Tensor) -> Tensor:
    """Each channel stretched to 0..255; one of a single value stays."""
    low = images.amin((2, 3), keepdim=True).to(torch.float64)
    high = images.amax((2, 3), keepdim=True).to(torch.float64)
    scale = torch.full_like(low, 255) / (high - low)  # 255 / tensor would round a reciprocal first
    stretched = (images * scale + -low * scale).clamp(0, 255).to(torch.uint8)
    return torch.where(high > low, stretched, images)


def _equalize(images: Tensor, _: Tensor) -> Tensor:
    """Each channel's values spread evenly, by the steps of Pillow's integers."""
    values = images.flatten(2).to(torch.int64)
    counts = torch.zeros(*values.shape[:2], 256, dtype=torch.int64, device=images.device)
    counts.scatter_add_(2, values, torch.ones_like(values))
    highest = counts.gather(2, values.amax(2, keepdim=True))
    step = (values.shape[2] - highest) // 255
    below = counts.cumsum(2) - counts
    mapped = ((step // 2 + below) // step.clamp(min=1)).clamp(max=255)
    return torch.where(step > 0, mapped.gather(2, values), values).to(torch.uint8).view_as(images)


def _brightness(images: Tensor, value: Tensor) -> Tensor:
    return _blend(torch.zeros_like(images), images, value)


def _color(images: Tensor, value: Tensor) -> Tensor:
    return _blend(_grey(images), images, value)


def _contrast(images: Tensor, value: Tensor) -> Tensor:
    grey = _grey(images)
    pixels = grey[0].numel()
    mean = (2 * grey.sum((1, 2, 3), keepdim=True) + pixels) // (2 * pixels)  # rounded
    return _blend(mean, images, value)


def _sharpness(images: Tensor, value: Tensor) -> Tensor:
    """Against the image smoothed by a 3x3 kernel of ones around a five; borders stay."""
    pixels = images.to(torch.int64)
    height, width = images.shape[2:]
    total = 4 * pixels[:, :, 1:-1, 1:-1]
    for down in range(3):
        for right in range(3):
            total = total + pixels[:, :, down : height - 2 + down, right : width - 2 + right]
    smooth = pixels.clone()
    smooth[:, :, 1:-1, 1:-1] = (2 * total + 13) // 26  # a thirteenth, rounded
    return _blend(smooth, images, value)


def _blend(other: Tensor, images: Tensor, value: Tensor) -> Tensor:
    """From `other` (at factor 0) through the image (1) and beyond, in Pillow's single precision."""
    factor = (1 + _each(value)).to(torch.float32)
    start = other.to(torch.float32)
    return (start + factor * (images.to(torch.float32) - start)).clamp(0, 255).to(torch.uint8)


def _grey(images: Tensor) -> Tensor:
    """Luma (ITU-R 601-2) in Pillow's fixed point: int64 [b, 1, height, width]."""
    pixels = images.to(torch.int64)
    if pixels.shape[1] == 1:
        return pixels
    luma = 19_595 * pixels[:, :1] + 38_470 * pixels[:, 1:2] + 7_471 * pixels[:, 2:]
    return (luma + 0x8000) >> 16


def _shear_y(images: Tensor, value: Tensor) -> Tensor:
    return _affine(images, down=(value, 1.0, 0.0))


def _translate_x(images: Tensor, value: Tensor) -> Tensor:
    return _affine(images, right=(1.0, 0.0, value * images.shape[3]))


def _translate_y(images: Tensor, value: Tensor) -> Tensor:
    return _affine(images, down=(0.0, 1.0, value * images.shape[2]))


def _rotate(images: Tensor, degrees: Tensor) -> Tensor:
    """Counterclockwise about the centre."""
    radians = -degrees * (math.pi / 180)
    cos, sin = radians.cos(), radians.sin()
    y, x = images.shape[2] / 2, images.shape[3] / 2
    return _affine(
        images,
        right=(cos, sin, x - cos * x - sin * y),
        down=(-sin, cos, y + sin * x - cos * y),
    )


_Row = tuple[Tensor | float, Tensor | float, Tensor | float]


def _affine(images: Tensor, *, right: _Row = (1.0, 0.0, 0.0), down: _Row = (0.0, 1.0, 0.0)) -> Tensor:
    """Each pixel from the source pixel around (right · (x, y, 1), down · (x, y, 1)), or grey from outside.

    x and y are a pixel's centre. In 16.16 fixed point, as Pillow computes it: alike on every device.
    """
    height, width = images.shape[2:]
    column, row = _source(images, right), _source(images, down)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    source = row.clamp(0, height - 1) * width + column.clamp(0, width - 1)
    index = source.flatten(1)[:, None].expand(-1, images.shape[1], -1)
    moved = images.flatten(2).gather(2, index).view_as(images)
    return moved.masked_fill(~inside[:, None], _GREY)


def _source(images: Tensor, coefficients: _Row) -> Tensor:
    """One coordinate of every pixel's source: int64 [b, height, width]."""
    height, width = images.shape[2:]
    by_x, by_y, offset = (_coefficient(c, images) for c in coefficients)
    fixed = [
        torch.floor(c * 65_536 + 0.5).to(torch.int64) for c in (by_x, by_y, offset + 0.5 * by_x + 0.5 * by_y)
    ]
    x = torch.arange(width, device=images.device)
    y = torch.arange(height, device=images.device)[:, None]
    return (fixed[2] + x * fixed[0] + y * fixed[1]) >> 16


def _coefficient(c: Tensor | float, images: Tensor) -> Tensor:
    """float64 [b or 1, 1, 1]; a number is filled in by the device, which no copy has to wait for."""
    if isinstance(c, Tensor):
        return c[:, None, None]
    return torch.full((1, 1, 1), c, dtype=torch.float64, device=images.device)


def _each(value: Tensor) -> Tensor:
    """[b] to [b, 1, 1, 1]."""
    return value[:, None, None, None]


# name -> function(images: uint8 [b, channels, height, width], value: float64 [b]).
_OPERATIONS: Final[dict[str, Callable[[Tensor, Tensor], Tensor]]] = {
    "Invert": _invert,
    "Solarize": _solarize,
    "Posterize": _posterize,
    "AutoContrast": _autocontrast,
    "Equalize": _equalize,
    "Brightness": _brightness,
    "Color": _color,
    "Contrast": _contrast,
    "Sharpness": _sharpness,
    "ShearY": _shear_y,
    "TranslateX": _translate_x,
    "TranslateY": _translate_y,
    "Rotate": _rotate,
}
