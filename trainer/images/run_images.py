"""The images of a run, on its device: which it learns from, and which it is validated on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from nasrank.trainer.config import ExperimentConfig
from nasrank.trainer.images.augment import DeviceImages, Normalization
from nasrank.trainer.images.datasets import (
    ImageDataset,
    Split,
    load_dataset,
    resize_dataset,
    split_dataset,
)


@dataclass(frozen=True)
class RunImages:
    """A data set, how it is split, and both parts on the device."""

    dataset: ImageDataset
    split: Split
    train: DeviceImages
    valid: DeviceImages

    @property
    def device(self) -> torch.device:
        """Where the images are."""
        return self.train.device

    def watched(self, count: int) -> DeviceImages:
        """The first validation images, `count` at most, by themselves."""
        return _on_device(self.dataset, self.split.valid[:count], self.device)


def load_run_images(config: ExperimentConfig, seed: int, data_dir: Path, device: torch.device) -> RunImages:
    """The images of the run of a configuration with this seed. Raises `NasrankError` as `load_dataset`."""
    dataset = load_dataset(config.dataset, data_dir)
    split = split_dataset(
        dataset,
        train_images=config.train_images,
        valid_images=config.valid_images,
        split_seed=config.split_seed_of(seed),
    )
    dataset = resize_dataset(dataset, config.image_size)
    return RunImages(
        dataset,
        split,
        train=_on_device(dataset, split.train, device, config.max_shift),
        valid=_on_device(dataset, split.valid, device),
    )


def _on_device(
    dataset: ImageDataset, chosen: Tensor, device: torch.device, max_shift: int = 0
) -> DeviceImages:
    return DeviceImages(
        dataset.images[chosen],
        dataset.labels[chosen],
        Normalization(dataset.mean, dataset.std),
        device=device,
        max_shift=max_shift,
    )
