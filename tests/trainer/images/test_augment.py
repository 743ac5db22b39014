"""Batched augmentation against a loop over images and pixels."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from nasrank.db.errors import NasrankError
from nasrank.trainer.images.augment import Augmentation, DeviceImages, EpochDraws, Normalization, draw_epoch
from tests.trainer.conftest import CPU, fewer_examples


def slow_augmented(images: Tensor, draws: EpochDraws, mean: Tensor, std: Tensor, max_shift: int) -> Tensor:
    """One image, one pixel at a time: what is shifted in from outside is black."""
    batch = []
    n, channels, height, width = images.shape
    for k in range(n):
        image = images[draws.order[k]]
        down, right = int(draws.top[k]) - max_shift, int(draws.left[k]) - max_shift
        result = torch.zeros(channels, height, width)
        for row in range(height):
            for column in range(width):
                source_column = width - 1 - column if draws.flip[k] else column
                r, c = row + down, source_column + right
                if 0 <= r < height and 0 <= c < width:
                    result[:, row, column] = image[:, r, c].float()
        batch.append((result - mean[:, None, None]) / std[:, None, None])
    return torch.stack(batch)


@fewer_examples
@given(
    channels=st.sampled_from([1, 3]),
    height=st.integers(4, 6),
    width=st.integers(4, 6),
    max_shift=st.integers(0, 3),
    flip=st.booleans(),
    seed=st.integers(0, 1_000),
)
def test_augmented_agrees_with_the_loop(
    channels: int, height: int, width: int, max_shift: int, flip: bool, seed: int
) -> None:
    n = 5
    source = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (n, channels, height, width), dtype=torch.uint8, generator=source)
    labels = torch.arange(n)
    mean, std = torch.rand(channels) * 200, torch.rand(channels) * 50 + 1
    held = DeviceImages(
        images, labels, Normalization(mean.tolist(), std.tolist()), device=CPU, max_shift=max_shift
    )
    draws = draw_epoch(n, Augmentation(max_shift=max_shift, horizontal_flip=flip), seed=seed, epoch=3)
    pixels, batch_labels = held.augmented(draws, 0, n)
    torch.testing.assert_close(pixels, slow_augmented(images, draws, mean, std, max_shift))
    assert torch.equal(batch_labels, draws.order)
    halves = [held.augmented(draws, 0, 2)[0], held.augmented(draws, 2, n)[0]]
    assert torch.equal(torch.cat(halves), pixels)


@pytest.mark.parametrize("max_shift", [0, 2])
def test_plain_only_normalizes(max_shift: int) -> None:
    images = torch.randint(0, 256, (7, 3, 8, 6), dtype=torch.uint8)
    mean, std = (1.0, 2.0, 3.0), (4.0, 5.0, 6.0)
    held = DeviceImages(images, torch.arange(7), Normalization(mean, std), device=CPU, max_shift=max_shift)
    pixels, labels = held.plain(2, 5)
    expected = (images[2:5] - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
    torch.testing.assert_close(pixels, expected)
    assert labels.tolist() == [2, 3, 4]
    assert len(held.plain(5, 100)[1]) == 2
    assert len(held) == 7


def test_batches_are_channels_last_floats() -> None:
    images = torch.randint(0, 256, (4, 3, 8, 8), dtype=torch.uint8)
    held = DeviceImages(images, torch.arange(4), Normalization((0,) * 3, (1,) * 3), device=CPU, max_shift=1)
    draws = draw_epoch(4, Augmentation(max_shift=1, horizontal_flip=True), seed=0, epoch=0)
    for pixels in (held.augmented(draws, 0, 4)[0], held.plain(0, 4)[0]):
        assert pixels.dtype == torch.float32
        assert pixels.is_contiguous(memory_format=torch.channels_last)


def test_draws_depend_on_seed_and_epoch_only() -> None:
    def draws(seed: int, epoch: int) -> list[Tensor]:
        drawn = draw_epoch(500, Augmentation(max_shift=4, horizontal_flip=True), seed=seed, epoch=epoch)
        return [drawn.order, drawn.top, drawn.left, drawn.flip]

    torch.rand(3)  # whatever else is drawn
    assert all(map(torch.equal, draws(1, 2), draws(1, 2)))
    for other in (draws(1, 3), draws(2, 2)):
        assert not any(map(torch.equal, draws(1, 2), other))


def test_draws_cover_their_range_evenly() -> None:
    n = 9_000
    drawn = draw_epoch(n, Augmentation(max_shift=4, horizontal_flip=True), seed=0, epoch=0)
    assert torch.equal(drawn.order.sort().values, torch.arange(n))
    for shifts in (drawn.top, drawn.left):
        counts = shifts.bincount(minlength=9)
        assert len(counts) == 9
        assert 850 < counts.min() <= counts.max() < 1150  # 1,000 expected, deviation 30
    assert not torch.equal(drawn.top, drawn.left)
    assert 4_200 < drawn.flip.sum() < 4_800
    assert not draw_epoch(n, Augmentation(max_shift=4, horizontal_flip=False), seed=0, epoch=0).flip.any()


def test_shift_beyond_the_image_is_refused() -> None:
    images = torch.zeros(1, 1, 8, 8, dtype=torch.uint8)
    with pytest.raises(NasrankError, match="give at most 7"):
        DeviceImages(images, torch.zeros(1), Normalization((0,), (1,)), device=CPU, max_shift=8)
