"""`config.json`: which experiment and seed a run is, and the hash that is an experiment's identity."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from nasrank.db.errors import NasrankError
from nasrank.db.nb201.architectures import OperationSet, parse_mask
from nasrank.db.runs import layout
from nasrank.db.runs.format import IMAGE_SIDES
from nasrank.db.runs.schema import INT32, INT64, Field, read_file, read_object, stored_values

# The `kind` of an experiment of nasrank's networks: trained, or as they are initialized.
TRAINED: Final = "trained"
INITIAL: Final = "initial"
_EXPERIMENT_DIGITS: Final = 12  # of the hash


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """`config.json`, beside its `format`."""

    run_id: Annotated[str, Field("name of the run and of its folder")]
    seed: Annotated[int, Field("seeds weights, shuffling, augmentation and paths", least=0, most=INT64)]
    config_hash: Annotated[str, Field("SHA-256 of the canonical JSON of config, hexadecimal")]
    config: Annotated[dict[str, Any], Field("the configuration; further fields are kept as they are")]
    size: Annotated[str, Field("name of the network's size, such as tiny or custom")]
    variant: Annotated[str, Field("baseline, or what differs from it")]

    @property
    def experiment(self) -> dict[str, Any]:
        """Columns of the warehouse's table `experiment`. Raises `NasrankError` as `Configuration.of`."""
        configuration = Configuration.of(self.config)
        row: dict[str, Any] = {
            "experiment_id": experiment_id(self.config_hash),
            "config_hash": self.config_hash,
            "kind": TRAINED if configuration.epochs else INITIAL,
            "name": None,
            "predicts": "accuracy",
            "size": self.size,
            "variant": self.variant,
            "mask": str(parse_mask(configuration.mask)),
            "image_size": configuration.side,
            "config": self.config,
        }
        return row | {name: value for name, value in stored_values(configuration).items() if name not in row}


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """What every `config` of a `config.json` has: an experiment without its seed."""

    dataset: Annotated[str, Field("images trained on, such as cifar10 or digits")]
    cells_per_stage: Annotated[int, Field("in each of the three stages", "cells", least=1, most=INT32)]
    channels: Annotated[
        int, Field("of the first stage; doubled in each next one", "channels", least=1, most=INT32)
    ]
    mask: Annotated[str, Field("operations removed, such as Zero+Pool; empty for none")]
    lt: Annotated[str, Field("operations with a linear transformer, joined by +; empty for none")]
    path_sampling: Annotated[str, Field("how a step's path is chosen, such as strictly-fair or uniform")]
    node_inputs: Annotated[str, Field("how a node joins its inputs, such as mean or sum")]
    train_images: Annotated[
        int | None, Field("trained on; null for all that validation leaves", "images", least=1, most=INT32)
    ]
    valid_images: Annotated[int, Field("withheld for validation", "images", least=1, most=INT32)]
    epochs: Annotated[int, Field("passes over the training images", "epochs", least=0, most=INT32)]
    batch_size: Annotated[int, Field("of a step", "images", least=1, most=INT32)]
    learning_rate: Annotated[float, Field("at the first epoch", least=0)]
    image_size: Annotated[
        int | None,
        Field(
            "side of the images as the network sees them; left out where it is the data set's own",
            "pixels",
            least=1,
            most=INT32,
            optional=True,
        ),
    ]

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Configuration:
        """What a run's configuration says. Raises `NasrankError`, which does not name the file."""
        try:
            configuration = read_object(config, cls, has_others=True)
            parse_mask(configuration.mask)
            OperationSet.parse(configuration.lt)
        except NasrankError as error:
            raise NasrankError(f"config: {error}") from error
        return configuration

    @property
    def side(self) -> int | None:
        """Pixels a side of the images, or None where that is unknown."""
        return self.image_size or IMAGE_SIDES.get(self.dataset)


def canonical_json(config: Mapping[str, Any]) -> str:
    """The one text of a configuration: keys sorted, no spaces, ASCII. NaN and infinity raise ValueError."""
    return json.dumps(config, sort_keys=True, separators=(",", ":"), allow_nan=False)


def config_hash(config: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON, in hexadecimal: an experiment's identity."""
    return hashlib.sha256(canonical_json(config).encode()).hexdigest()


def experiment_id(config_hash: str) -> str:
    """The short identity of an experiment."""
    return config_hash[:_EXPERIMENT_DIGITS]


def read_config(folder: Path) -> RunConfig | None:
    """What a run is, or None where its `config.json` was not written yet.

    Raises:
        NasrankError: it cannot be read, or its hash is not that of its configuration.
    """
    path = folder / layout.CONFIG
    about = read_file(path, RunConfig)
    if about is None:
        return None
    try:
        Configuration.of(about.config)
        found = config_hash(about.config)
    except (NasrankError, ValueError) as error:
        raise NasrankError(f"{path}: {error}") from error
    if about.config_hash != found:
        raise NasrankError(
            f"{path}: config_hash is not that of config, which is {found}; one of them was changed: copy the "
            "file anew"
        )
    return about


def named_experiment(kind: str, name: str, mask: str, predicts: str) -> dict[str, Any]:
    """Columns of `experiment` for what is no network: its configuration is what tells it from others."""
    config = {"kind": kind, "mask": mask, "name": name, "predicts": predicts}
    digest = config_hash(config)
    return {"experiment_id": experiment_id(digest), "config_hash": digest, "config": config, **config}
