"""Small images and networks that train in a moment, on one thread, so that equal means equal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings
from torch import nn

from nasrank.trainer.config import ExperimentConfig
from nasrank.trainer.images.augment import DeviceImages, Normalization
from nasrank.trainer.images.datasets import load_dataset, split_dataset
from nasrank.trainer.network.supernet import SuperNet, build_supernet
from nasrank.trainer.progress import SilentProgress
from nasrank.trainer.stopping import StopSignal
from nasrank.trainer.training.training import Training

CPU = torch.device("cpu")
MEAN, STD = (100.0, 120.0, 140.0), (50.0, 60.0, 70.0)

# Examples with tensors take long.
fewer_examples = settings(max_examples=40)

MakeTraining = Callable[..., Training]


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def small_config(**changes: object) -> ExperimentConfig:
    """Two channels, 8x8 images, batches of 8."""
    values: dict[str, object] = {
        "dataset": "cifar10",
        "cells_per_stage": 1,
        "channels": 2,
        "epochs": 3,
        "batch_size": 8,
        "learning_rate": 0.1,
        "max_shift": 1,
    }
    return ExperimentConfig(**{**values, **changes})


def small_images(n: int, seed: int = 0, max_shift: int = 0, device: torch.device = CPU) -> DeviceImages:
    """Images of 8x8 pixels, noise in different colours (or all would look alike), of ten classes."""
    source = torch.Generator().manual_seed(seed)
    colours = torch.rand(n, 3, 1, 1, generator=source)
    images = (torch.randint(0, 256, (n, 3, 8, 8), generator=source) * colours).to(torch.uint8)
    labels = torch.randint(0, 10, (n,), generator=source)
    return DeviceImages(images, labels, Normalization(MEAN, STD), device=device, max_shift=max_shift)


def prepare_noise(data_dir: Path, count: int) -> str:
    """Images of noise where those of CIFAR-10 are looked for; returns their SHA-256."""
    images = np.random.default_rng(0).integers(0, 256, (count, 3, 32, 32)).astype(np.uint8)
    labels = np.arange(count) % 10
    sha256 = hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()
    about = {"format": 1, "name": "cifar10", "images": count, "origin": "made", "sha256": sha256}
    np.savez(data_dir / "cifar10.npz", provenance=np.array(json.dumps(about)), images=images, labels=labels)
    return sha256


def small_supernet(config: ExperimentConfig, seed: int = 0) -> SuperNet:
    return build_supernet(config, seed, image_shape=(3, 8, 8), num_classes=10)


def randomize_norms(supernet: SuperNet) -> None:
    """New networks have mean 0, variance 1, weight 1, bias 0 everywhere: mistakes there would not show."""
    for module in supernet.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
            if module.affine:
                nn.init.normal_(module.weight)
                nn.init.normal_(module.bias)


@pytest.fixture(scope="session")
def trained() -> tuple[SuperNet, DeviceImages]:
    """A super-network that has seen the digits, however briefly, and 200 digits it has not seen."""
    digits = load_dataset("digits", Path())
    config = ExperimentConfig.preset(
        "digits", "tiny", channels=4, epochs=4, batch_size=32, learning_rate=0.1, train_images=1_000
    )
    split = split_dataset(digits, train_images=1_000, valid_images=200, split_seed=0)
    train, valid = (
        DeviceImages(
            digits.images[chosen],
            digits.labels[chosen],
            Normalization(digits.mean, digits.std),
            device=CPU,
            max_shift=config.max_shift,
        )
        for chosen in (split.train, split.valid)
    )
    supernet = build_supernet(config, 0, image_shape=(1, 8, 8), num_classes=10)
    training = Training(config, 0, supernet, train, valid)
    training.run(after_epoch=lambda: None, save=lambda: None, progress=SilentProgress(), stop=StopSignal())
    return supernet, valid


def new_training(seed: int = 0, images: int = 60, device: torch.device = CPU, **changes: object) -> Training:
    """Of 60 images: 7 batches an epoch, so that groups of 5, 4 or 3 run over its end."""
    config = small_config(**changes)
    return Training(
        config,
        seed,
        small_supernet(config, seed).to(device),
        small_images(images, max_shift=config.max_shift, device=device),
        small_images(16, seed=1, device=device),
    )


@pytest.fixture
def make_training() -> MakeTraining:
    """Makes new trainings."""
    return new_training
