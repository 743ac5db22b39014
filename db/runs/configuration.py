"""The training options, each declared once: all that a configuration has, and what is said of it.

What follows from this declaration: the validation and the identity of `trainer.config.ExperimentConfig`, the
options of `nasrank-train run`, the keys of study files, the names of experiments, the comparisons in SQL (by
the view `training_option`) and the table in docs/options.md.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

from nasrank.db.errors import NasrankError
from nasrank.db.nb201.architectures import OperationSet, parse_mask
from nasrank.db.runs.format import IMAGE_SIDES
from nasrank.db.runs.options import (
    CheckedTogether,
    Choice,
    Number,
    Operations,
    Option,
    Role,
    Switch,
    WholeNumber,
    WholeNumberOr,
    options_of,
)

EXPERIMENT: Final = "Experiment"
_IMAGES: Final = "Images"
_NETWORK: Final = "Super-network"
TRAINING: Final = "Training"
_LT_OPERATIONS: Final = OperationSet.parse("Skip+Pool")


def _parse_lt(text: str) -> OperationSet:
    lt = OperationSet.parse(text)
    if not lt.members <= _LT_OPERATIONS.members:
        raise NasrankError(
            f"lt is {text!r}; choose Skip, Pool, Skip+Pool or none: a linear transformer follows an "
            "operation that has no weights and passes its input on"
        )
    return lt


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """Every number that changes a trained network, but the seed. The defaults are the paper's.

    Raises `NasrankError` for a value that is not allowed. Each is stored in one spelling.
    """

    dataset: Annotated[
        str,
        Option(
            "Images to train on: cifar10 or digits.",
            Choice(tuple(IMAGE_SIDES)),
            group=EXPERIMENT,
            role=Role.DATASET,
            unset="cifar10",
        ),
    ]
    mask: Annotated[
        str,
        Option(
            "Operations to remove, such as Zero+Pool; none for none.",
            Operations(parse_mask, "operations joined by +, or none; at least two are left"),
            group=EXPERIMENT,
            role=Role.MASK,
            unset="none",
        ),
    ] = ""
    lt: Annotated[
        str,
        Option(
            "Operations with a linear transformer: Skip, Pool, Skip+Pool or none.",
            Operations(_parse_lt, "Skip, Pool, Skip+Pool or none; not all of them masked"),
            group=EXPERIMENT,
            role=Role.LT,
            unset="none",
        ),
    ] = ""

    train_images: Annotated[
        int | None,
        Option(
            "Images to train on, of those that validation leaves.",
            WholeNumber(1),
            group=_IMAGES,
            unit="images",
            none="all",
            label="{:,} images",
            label_of_none="all images",
        ),
    ] = None
    valid_images: Annotated[
        int,
        Option(
            "Images to withhold.",
            WholeNumber(1),
            group=_IMAGES,
            unit="images",
            by_dataset={"cifar10": 5_000, "digits": 500},
            label="{:,} validation images",
        ),
    ] = 5_000
    split_seed: Annotated[
        int | Literal["run"],
        Option(
            "Chooses the validation images; run: the run's seed does, as in the authors' code.",
            WholeNumberOr("run", "to follow the run's seed", least=0),
            group=_IMAGES,
        ),
    ] = 0
    image_size: Annotated[
        int | None,
        Option(
            "Side that images are averaged to: 8, 16 or 32 for cifar10, 8 for digits.",
            CheckedTogether(int, "a divisor of the images' own side, at least 8"),
            group=_IMAGES,
            unit="pixels",
            none="as they are",
            label="{0}×{0} pixels",
            label_of_none="full-size images",
            joined_later=True,
        ),
    ] = None
    max_shift: Annotated[
        int,
        Option(
            "Largest shift, each way along both axes. A smaller --image-size has a smaller default.",
            WholeNumber(0),
            group=_IMAGES,
            unit="pixels",
            by_dataset={"cifar10": 4, "digits": 1},
            label="shift {}",
        ),
    ] = 4
    horizontal_flip: Annotated[
        bool,
        Option(
            "Mirror images at random.",
            Switch(),
            group=_IMAGES,
            flag="--flip/--no-flip",
            by_dataset={"cifar10": True, "digits": False},  # a mirrored 2 is no 2
        ),
    ] = True
    augmentation: Annotated[
        str,
        Option(
            "standard: shift and flip; autoaugment: AutoAugment's policy after them.",
            Choice(("standard", "autoaugment")),
            group=_IMAGES,
            role=Role.VARIANT,
            joined_later=True,
        ),
    ] = "standard"

    cells_per_stage: Annotated[
        int,
        Option(
            "Cells of each of the three stages, instead of the size's.",
            WholeNumber(1),
            group=_NETWORK,
            role=Role.SIZE,
            unset="the size's",
        ),
    ]
    channels: Annotated[
        int,
        Option(
            "Channels of the first stage, which are doubled twice, instead of the size's.",
            WholeNumber(1),
            group=_NETWORK,
            role=Role.SIZE,
            unset="the size's",
        ),
    ]
    node_inputs: Annotated[
        str,
        Option(
            "How a node joins its inputs: mean, as in the paper's text, or sum, as in its authors' code and "
            "in NAS-Bench-201.",
            Choice(("mean", "sum")),
            group=_NETWORK,
            label="node {}",
        ),
    ] = "mean"
    pool_counts_padding: Annotated[
        bool,
        Option(
            "Zeros at the border count in Pool, as in the authors' code, or do not, as in NAS-Bench-201.",
            Switch(),
            group=_NETWORK,
            flag="--pool-counts-padding/--pool-ignores-padding",
        ),
    ] = True

    path_sampling: Annotated[
        str,
        Option(
            "strictly-fair: an update has one step of every operation; uniform: each step is an update.",
            Choice(("strictly-fair", "uniform")),
            group=TRAINING,
            role=Role.VARIANT,
            sets_updates=True,
        ),
    ] = "strictly-fair"
    topology_shared: Annotated[
        bool,
        Option(
            "Whether all cells train the same path. In evaluation they always do.",
            Switch(),
            group=TRAINING,
            role=Role.VARIANT,
            flag="--topology-shared/--topology-not-shared",
        ),
    ] = True
    gradient_batches: Annotated[
        str,
        Option(
            "Batches whose gradients strictly-fair sums: successive, or the same for all paths of a group, "
            "as in FairNAS.",
            Choice(("successive", "same")),
            group=TRAINING,
            role=Role.VARIANT,
            joined_later=True,
            sets_updates=True,
        ),
    ] = "successive"
    epochs: Annotated[
        int,
        Option(
            "Passes over the training images; 0 predicts with the network as it is initialized.",
            WholeNumber(0),
            group=TRAINING,
            unit="epochs",
            label="{:,} epochs",
            sets_updates=True,
        ),
    ] = 250
    batch_size: Annotated[
        int,
        Option(
            "Images a step.",
            WholeNumber(1),
            group=TRAINING,
            unit="images",
            label="batch {:,}",
            sets_updates=True,
        ),
    ] = 256
    learning_rate: Annotated[
        float,
        Option(
            "Learning rate of the first epoch, or of the last of a warm-up.",
            Number(above=0),
            group=TRAINING,
            label="lr {:g}",
        ),
    ] = 0.025
    final_learning_rate: Annotated[
        float,
        Option(
            "Where the cosine ends. The paper's table says 5e-5, its text and code 1e-5.",
            Number(least=0),
            group=TRAINING,
            label="final lr {:g}",
        ),
    ] = 1e-5
    warmup_epochs: Annotated[
        int,
        Option(
            "Epochs of a linear rise before the cosine.",
            WholeNumber(0),
            group=TRAINING,
            role=Role.VARIANT,
            unit="epochs",
            joined_later=True,
        ),
    ] = 0
    momentum: Annotated[
        float,
        Option(
            "Momentum of SGD, which is not Nesterov's.",
            Number(least=0, below=1),
            group=TRAINING,
            label="momentum {:g}",
        ),
    ] = 0.9
    weight_decay: Annotated[
        float,
        Option(
            "Weight decay of all parameters but BatchNorm's.",
            Number(least=0),
            group=TRAINING,
            label="decay {:g}",
        ),
    ] = 3e-4
    grad_clip_norm: Annotated[
        float | None,
        Option(
            "L2 norm that summed gradients are clipped to.",
            Number(above=0),
            group=TRAINING,
            role=Role.VARIANT,
            joined_later=True,
        ),
    ] = None
    grad_clip_scope: Annotated[
        str,
        Option(
            "Whose norm is clipped: global, as in the paper's text, or parameter-group for each, as in its "
            "authors' code.",
            Choice(("global", "parameter-group")),
            group=TRAINING,
            joined_later=True,
        ),
    ] = "global"
    label_smoothing: Annotated[
        float,
        Option(
            "Label smoothing of the loss.",
            Number(least=0, below=1),
            group=TRAINING,
            role=Role.VARIANT,
            joined_later=True,
        ),
    ] = 0.0
    precision: Annotated[
        str,
        Option(
            "Of training: float32, or bfloat16 by autocast, which is slower on processors without "
            "instructions for it (doctor says). Weights are float32 in both.",
            Choice(("float32", "bfloat16")),
            group=TRAINING,
            joined_later=True,
        ),
    ] = "float32"

    def __post_init__(self) -> None:
        for name, option in OPTIONS.items():
            object.__setattr__(self, name, option.checked(getattr(self, name)))


OPTIONS: Final[Mapping[str, Option]] = MappingProxyType(options_of(TrainingOptions))


def options_with(*roles: Role) -> tuple[str, ...]:
    """The names of the options that have one of these roles."""
    return tuple(name for name, option in OPTIONS.items() if option.role in roles)


def config_without(config: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """What is left of a configuration, as JSON has it, without these options."""
    return {name: value for name, value in config.items() if name not in names}


def settings_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """What is left of a configuration without what names an experiment; unknown options are settings."""
    return config_without(config, options_with(*(role for role in Role if role is not Role.SETTING)))
