"""What defines an experiment: every number that changes a trained network, and nothing else.

The seed and what is evaluated afterwards belong to a run. Labels that people use for a configuration
(`size`, `variant`) are derived from the numbers, so that naming another one later changes no hash.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from db.architectures import OperationSet, parse_mask
from db.errors import NasrankError

# name -> (cells per stage, channels of the first stage)
SIZES: Final = {"tiny": (1, 8), "S": (2, 32), "M": (4, 64)}
# What differs between data sets; digits are 8x8, and a mirrored 2 is no 2.
DATASET_PRESETS: Final[dict[str, dict[str, Any]]] = {
    "cifar10": {"valid_images": 5_000, "max_shift": 4, "horizontal_flip": True},
    "digits": {"valid_images": 500, "max_shift": 1, "horizontal_flip": False},
}


@dataclass(frozen=True, kw_only=True)
class ExperimentConfig:
    """An experiment: a configuration without its seed. The defaults are the paper's (Table 1 and text).

    Raises `NasrankError` for a value that is not allowed. `mask` is stored in canonical order.
    """

    dataset: str
    train_images: int | None = None  # None: all that the validation images leave
    valid_images: int = 5_000
    split_seed: int = 0  # chooses the validation images, the same for every run
    max_shift: int = 4  # pixels, each way, along both axes
    horizontal_flip: bool = True

    cells_per_stage: int
    channels: int  # of the first stage; doubled twice
    mask: str = ""
    lt: str = ""
    node_inputs: str = "mean"  # the text; the authors' code and NAS-Bench-201 sum
    pool_counts_padding: bool = True  # the authors' code; NAS-Bench-201 does not count it

    path_sampling: str = "strictly-fair"
    topology_shared: bool = True
    epochs: int = 250
    batch_size: int = 256
    learning_rate: float = 0.025
    final_learning_rate: float = 1e-5  # text and code; the table says 5e-5
    momentum: float = 0.9  # not Nesterov's
    weight_decay: float = 3e-4  # not on BatchNorm

    def __post_init__(self) -> None:
        for name, least in _INTEGERS.items():
            _check_integer(name, getattr(self, name), least)
        if self.train_images is not None:
            _check_integer("train_images", self.train_images, 1)
        for name, allowed in _CHOICES.items():
            _check_choice(name, getattr(self, name), allowed)
        for name, (check, requirement) in _NUMBERS.items():
            object.__setattr__(self, name, _checked_number(name, getattr(self, name), check, requirement))
        if self.final_learning_rate > self.learning_rate:
            raise NasrankError(
                f"final_learning_rate {self.final_learning_rate!r} is above learning_rate "
                f"{self.learning_rate!r}; the schedule only falls: give a smaller final_learning_rate"
            )
        object.__setattr__(self, "mask", str(parse_mask(self.mask)))
        if len(OperationSet.parse(self.lt)):
            raise NasrankError(f"lt {self.lt!r} is not implemented; leave lt empty")
        object.__setattr__(self, "lt", "")

    @classmethod
    def preset(cls, dataset: str = "cifar10", size: str = "S", **changes: Any) -> ExperimentConfig:
        """The paper's configuration for a data set and a size, with changes.

        A change to None changes nothing, so that a command line can hand on options that were not given.
        """
        _check_choice("dataset", dataset, tuple(DATASET_PRESETS))
        _check_choice("size", size, tuple(SIZES))
        cells_per_stage, channels = SIZES[size]
        values = {"cells_per_stage": cells_per_stage, "channels": channels, **DATASET_PRESETS[dataset]}
        values |= {name: value for name, value in changes.items() if value is not None}
        return cls(dataset=dataset, **values)

    @classmethod
    def from_json(cls, text: str) -> ExperimentConfig:
        """From what `to_json` wrote. Raises `NasrankError` for other fields than the configuration's."""
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise NasrankError(f"not a configuration: {error}; give what to_json wrote") from error
        names = {field.name for field in fields(cls)}
        given = set(values) if isinstance(values, dict) else set()
        if given != names:
            raise NasrankError(
                f"not a configuration of this version: missing {sorted(names - given)}, "
                f"unknown {sorted(given - names)}; use the version of nasrank that wrote it"
            )
        return cls(**values)

    def to_json(self) -> str:
        """Canonical: the same experiment is always the same text, and another one another text."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), allow_nan=False)

    @property
    def config_hash(self) -> str:
        """SHA-256 of the canonical JSON, in hexadecimal: the experiment's identity."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @property
    def size(self) -> str:
        """The name in `SIZES` of this depth and width, or `custom`."""
        shape = (self.cells_per_stage, self.channels)
        return next((name for name, known in SIZES.items() if known == shape), "custom")

    @property
    def variant(self) -> str:
        """The study's name for how the training differs from Table 1: so far, not at all."""
        return "baseline"

    @property
    def mask_set(self) -> OperationSet:
        """The masked operations."""
        return parse_mask(self.mask)

    @property
    def operations(self) -> tuple[int, ...]:
        """The operations (indices into `db.architectures.OPERATIONS`) that the mask leaves, ascending."""
        return tuple(self.mask_set.complement)


def run_id(config: ExperimentConfig, seed: int) -> str:
    """A readable and unique name for a run, such as `cifar10-tiny-Zero+Pool-1a2b3c4d-s0`."""
    _check_integer("seed", seed, 0)
    return f"{config.dataset}-{config.size}-{config.mask or 'none'}-{config.config_hash[:8]}-s{seed}"


_INTEGERS: Final = {
    "valid_images": 1,
    "split_seed": 0,
    "max_shift": 0,
    "cells_per_stage": 1,
    "channels": 1,
    "epochs": 1,
    "batch_size": 1,
}
_CHOICES: Final[dict[str, tuple[object, ...]]] = {
    "dataset": tuple(DATASET_PRESETS),
    "horizontal_flip": (True, False),
    "node_inputs": ("mean", "sum"),
    "pool_counts_padding": (True, False),
    "path_sampling": ("strictly-fair",),
    "topology_shared": (True,),
}
_NUMBERS: Final = {
    "learning_rate": (lambda value: value > 0, "above 0"),
    "final_learning_rate": (lambda value: value >= 0, "at least 0"),
    "momentum": (lambda value: 0 <= value < 1, "at least 0 and below 1"),
    "weight_decay": (lambda value: value >= 0, "at least 0"),
}


def _check_integer(name: str, value: object, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value < 2**31:
        raise NasrankError(f"{name} is {value!r}; give a whole number, at least {least} and below 2^31")


def _check_choice(name: str, value: object, allowed: tuple[object, ...]) -> None:
    # By type too: 1 equals True, but is written otherwise in JSON.
    if not any(type(value) is type(choice) and value == choice for choice in allowed):
        raise NasrankError(f"{name} is {value!r}; choose {' or '.join(repr(choice) for choice in allowed)}")


def _checked_number(name: str, value: object, check: Any, requirement: str) -> float:
    if (
        not isinstance(value, int | float)
        or isinstance(value, bool)
        or not math.isfinite(value)
        or not check(value)
    ):
        raise NasrankError(f"{name} is {value!r}; give a finite number {requirement}")
    return float(value) + 0.0  # -0.0 becomes 0.0: one experiment, one text
