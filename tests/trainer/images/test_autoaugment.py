"""AutoAugment in batches against Pillow, an image at a time."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance, ImageOps
from torch import Tensor

from nasrank.trainer.images.augment import Augmentation, DeviceImages, Normalization, draw_epoch
from nasrank.trainer.images.autoaugment import (
    _OPERATIONS,
    POLICY,
    PolicyDraws,
    apply_policy,
    draw_policy,
    magnitude,
)
from tests.trainer.conftest import CPU, MEAN, STD, fewer_examples


def pillow(image: Image.Image, operation: str, value: float) -> Image.Image:
    """As the implementation that the paper's authors used, with the nearest pixel throughout."""
    width, height = image.size
    grey = 128 if image.mode == "L" else (128,) * 3
    matrices = {
        "ShearY": (1, 0, 0, value, 1, 0),
        "TranslateX": (1, 0, value * width, 0, 1, 0),
        "TranslateY": (1, 0, 0, 0, 1, value * height),
    }
    if operation in matrices:
        return image.transform(image.size, Image.Transform.AFFINE, matrices[operation], fillcolor=grey)
    match operation:
        case "Rotate":
            return image.rotate(value, fillcolor=grey)
        case "Solarize":
            return ImageOps.solarize(image, value)
        case "Posterize":
            return ImageOps.posterize(image, int(value))
        case "Invert" | "AutoContrast" | "Equalize":
            return getattr(ImageOps, operation.lower())(image)
    return getattr(ImageEnhance, operation)(image).enhance(1 + value)


def through_pillow(image: Tensor, operation: str, value: float) -> Tensor:
    """uint8 [channels, height, width] to the same."""
    pixels = image.permute(1, 2, 0).numpy()
    result = np.asarray(
        pillow(Image.fromarray(pixels[..., 0] if len(image) == 1 else pixels), operation, value)
    )
    return torch.from_numpy(result.copy()).view(*image.shape[1:], len(image)).permute(2, 0, 1)


def varied_images(n: int, channels: int, height: int, width: int, seed: int) -> Tensor:
    """Noise, each image within a range of its own: narrow ones, a single colour and extremes among them."""
    source = torch.Generator().manual_seed(seed)
    low = torch.randint(0, 256, (n, channels, 1, 1), generator=source)
    span = (
        torch.randint(0, 256, (n, 1, 1, 1), generator=source)
        // torch.tensor([1, 1, 16, 256])[torch.randint(4, (n, 1, 1, 1), generator=source)]
    )
    noise = torch.rand(n, channels, height, width, generator=source)
    return (low + noise * span).clamp(0, 255).to(torch.uint8)


@fewer_examples
@given(
    operation=st.sampled_from(list(_OPERATIONS)),
    channels=st.sampled_from([1, 3]),
    shape=st.sampled_from([(8, 8), (32, 32), (7, 12)]),
    seed=st.integers(0, 1_000),
)
def test_every_operation_is_pillows(operation: str, channels: int, shape: tuple[int, int], seed: int) -> None:
    values = [sign * magnitude(operation, level) for level in range(10) for sign in (1, -1)]
    values = [value for value in values if value >= 0 or operation not in ("Posterize", "Solarize")]
    images = varied_images(len(values), channels, *shape, seed)
    found = _OPERATIONS[operation](images, torch.tensor(values, dtype=torch.float64))
    assert found.dtype == torch.uint8
    for image, value, result in zip(images, values, found, strict=True):
        assert torch.equal(result, through_pillow(image, operation, value)), (operation, value)


def test_a_batch_goes_through_both_steps_of_each_images_policy() -> None:
    images = varied_images(400, 3, 32, 32, seed=1)
    draws = draw_policy(400, seed=0, epoch=0)
    before = images.clone()
    found = apply_policy(images, draws)
    assert torch.equal(images, before)
    names = list(_OPERATIONS)
    changed = 0
    for number, image in enumerate(images):
        expected = image
        for operation, value in zip(
            draws.operation[number].tolist(), draws.value[number].tolist(), strict=True
        ):
            if operation >= 0:
                expected = through_pillow(expected, names[operation], value)
        assert torch.equal(found[number], expected)
        changed += not torch.equal(expected, image)
    assert changed > 200
    assert set(draws.operation.unique().tolist()) == set(range(-1, len(names)))


def test_steps_come_as_often_as_the_policy_says() -> None:
    n = 200_000
    draws = draw_policy(n, seed=3, epoch=5)
    for place in (0, 1):
        expected: Counter[str] = Counter()
        for pair in POLICY:
            expected[pair[place][0]] += pair[place][1] / len(POLICY)
        found = draws.operation[:, place]
        for number, name in enumerate(_OPERATIONS):
            share = expected[name]
            deviation = (share * (1 - share) / n) ** 0.5
            assert abs((found == number).double().mean() - share) <= 5 * deviation, name
    rotations = draws.value[draws.operation == list(_OPERATIONS).index("Rotate")]
    assert sorted(set(rotations.tolist())) == pytest.approx([-20 / 3, 20 / 3])
    assert 0.45 < (rotations > 0).double().mean() < 0.55


def test_the_policy_is_the_published_one() -> None:
    """Sums over what is published: a slip in a number or a name shows."""
    assert len(POLICY) == 25
    steps = [step for pair in POLICY for step in pair]
    assert sum(probability for _, probability, _ in steps) == pytest.approx(26.5)
    assert sum(level for _, _, level in steps) == 187
    assert Counter(name for name, _, _ in steps) == {
        "Equalize": 9, "AutoContrast": 7, "Sharpness": 5, "TranslateY": 5, "Brightness": 4, "Color": 5,
        "Solarize": 4, "Invert": 3, "Contrast": 2, "ShearY": 2, "TranslateX": 2, "Rotate": 1, "Posterize": 1,
    }  # fmt: skip
    assert (magnitude("Posterize", 7), magnitude("Solarize", 9), magnitude("Invert", 9)) == (5, 0, 0)


def test_draws_depend_on_seed_and_epoch_only() -> None:
    def operations(seed: int, epoch: int) -> Tensor:
        return draw_policy(300, seed=seed, epoch=epoch).operation

    assert torch.equal(operations(1, 2), operations(1, 2))
    assert not torch.equal(operations(1, 2), operations(1, 3))
    assert not torch.equal(operations(1, 2), operations(2, 2))


def test_the_policy_comes_after_shift_and_flip_and_changes_no_other_choice() -> None:
    n, shift = 60, 2
    images = varied_images(n, 3, 8, 8, seed=0)
    held = DeviceImages(images, torch.arange(n), Normalization(MEAN, STD), device=CPU, max_shift=shift)
    draws = [
        draw_epoch(n, Augmentation(max_shift=shift, horizontal_flip=True, policy=name), seed=0, epoch=0)
        for name in ("standard", "autoaugment")
    ]
    (plain, labels), (changed, same_labels) = (held.augmented(draw, 0, n) for draw in draws)
    assert torch.equal(labels, same_labels)
    mean, std = (torch.tensor(values)[:, None, None] for values in (MEAN, STD))
    pixels = (plain * std + mean).round().to(torch.uint8)
    policy = draws[1].policy
    assert isinstance(policy, PolicyDraws)
    torch.testing.assert_close(changed, (apply_policy(pixels, policy) - mean) / std)
    halves = [held.augmented(draws[1], 0, 20)[0], held.augmented(draws[1], 20, n)[0]]
    assert torch.equal(torch.cat(halves), changed)
    assert changed.is_contiguous(memory_format=torch.channels_last)
