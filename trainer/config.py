"""What defines an experiment: every number that changes a trained network, and nothing else.

The seed and what is evaluated afterwards belong to a run. Labels that people use for a configuration
(`size`, `variant`) are derived from the numbers, so that naming another one later changes no hash.
Options that joined after the first version are left out of the JSON at their default: what was an
experiment's hash before they joined still is. Each option is declared in `nasrank.db.runs.configuration`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from nasrank.db.errors import NasrankError
from nasrank.db.nb201.architectures import OperationSet, parse_mask
from nasrank.db.runs.configuration import OPTIONS, TRAINING, TrainingOptions
from nasrank.db.runs.experiment import canonical_json, config_hash
from nasrank.db.runs.format import IMAGE_SIDES
from nasrank.db.runs.options import check_choice, check_integer

# name -> (cells per stage, channels of the first stage)
SIZES: Final = {
    "tiny": (1, 8),
    "S": (2, 32),
    "M": (4, 64),
    "S-wide": (2, 96),
    "depth-1": (1, 32),
    "depth-3": (3, 48),
    "depth-5": (5, 64),
}
SIZE_ALIASES: Final = {"depth-2": "S", "depth-4": "M"}  # the paper's other names for them
MIN_IMAGE_SIZE: Final = 8  # the network halves images twice, and its convolutions are 3x3
# How each of the paper's variants changes the baseline.
VARIANTS: Final[dict[str, dict[str, Any]]] = {
    "baseline": {},
    "not-shared": {"topology_shared": False},
    "uniform-sampling": {"path_sampling": "uniform"},
    "warmup": {"warmup_epochs": 5},
    "grad-clipping": {"grad_clip_norm": 5.0},
    "regularized": {"augmentation": "autoaugment", "label_smoothing": 0.1},
}
# What changes nothing where nothing is trained: the batch size is still that of BatchNorm's statistics.
_OF_TRAINING_ONLY: Final = (
    *({name for name, option in OPTIONS.items() if option.group == TRAINING} - {"epochs", "batch_size"}),
    "augmentation",
)


@dataclass(frozen=True)
class Preset:
    """A reading of what the paper leaves open."""

    changes: dict[str, Any]  # of `ExperimentConfig`
    bn_modes: tuple[str, ...]  # of the evaluation, which is no part of the configuration


# The paper's text; its authors' code; the benchmark's own networks.
PRESETS: Final = {
    "paper": Preset({}, ("running",)),
    "uninas": Preset(
        {"node_inputs": "sum", "grad_clip_scope": "parameter-group", "split_seed": "run"}, ("running",)
    ),
    "nb201": Preset({"node_inputs": "sum", "pool_counts_padding": False}, ("batch",)),
}


@dataclass(frozen=True, kw_only=True)
class ExperimentConfig(TrainingOptions):
    """An experiment: a configuration without its seed. Its fields are those of `TrainingOptions`.

    Raises `NasrankError` for a value that is not allowed. `mask` and `lt` are stored in canonical order,
    and an option that has no effect at its default: one experiment has one text.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "image_size", _checked_image_size(self.dataset, self.image_size))
        if self.epochs == 0:
            for name in _OF_TRAINING_ONLY:
                object.__setattr__(self, name, OPTIONS[name].default)
        else:
            self._check_schedule()
        self._check_lt()
        if self.grad_clip_norm is None:
            object.__setattr__(self, "grad_clip_scope", "global")
        if self.path_sampling == "uniform":
            object.__setattr__(self, "gradient_batches", "successive")

    def _check_schedule(self) -> None:
        if self.final_learning_rate > self.learning_rate:
            raise NasrankError(
                f"final_learning_rate {self.final_learning_rate!r} is above learning_rate "
                f"{self.learning_rate!r}; the cosine only falls: give a smaller final_learning_rate"
            )
        if self.warmup_epochs >= self.epochs:
            raise NasrankError(
                f"warmup_epochs {self.warmup_epochs} leave none of {self.epochs} epochs for the cosine; "
                "give fewer warmup_epochs or more epochs"
            )

    def _check_lt(self) -> None:
        # The paper names Skip+Pool under mask Pool, too: what is left has its linear transformer.
        if self.lt and self.lt_set.members <= self.mask_set.members:
            raise NasrankError(
                f"lt {self.lt!r} transforms {self.lt.replace('+', ' and ')}, which mask {self.mask} "
                "removes; leave it out of lt or of the mask"
            )

    @classmethod
    def preset(
        cls, dataset: str = "cifar10", size: str = "S", preset: str = "paper", **changes: Any
    ) -> ExperimentConfig:
        """The study's configuration for a data set and a size, read as `preset`, with changes.

        A change to None changes nothing, so that a command line can hand on options that were not given.
        Without a `max_shift`, smaller images are shifted by as many pixels less.
        """
        OPTIONS["dataset"].checked(dataset)
        check_choice("size", size, (*SIZES, *SIZE_ALIASES))
        check_choice("preset", preset, tuple(PRESETS))
        values = {
            name: option.by_dataset[dataset]
            for name, option in OPTIONS.items()
            if dataset in option.by_dataset
        }
        values["cells_per_stage"], values["channels"] = SIZES[SIZE_ALIASES.get(size, size)]
        values |= PRESETS[preset].changes
        image_size = _checked_image_size(dataset, changes.get("image_size"))
        if image_size is not None:
            values["max_shift"] = values["max_shift"] * image_size // IMAGE_SIDES[dataset]
        values |= {name: value for name, value in changes.items() if value is not None}
        return cls(dataset=dataset, **values)

    @classmethod
    def from_json(cls, text: str) -> ExperimentConfig:
        """From what `to_json` wrote. Raises `NasrankError` for other fields than the configuration's."""
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise NasrankError(f"not a configuration: {error}; give what to_json wrote") from error
        names = set(OPTIONS)
        given = set(values) if isinstance(values, dict) else set()
        required = {name for name, option in OPTIONS.items() if not option.joined_later}
        if not required <= given <= names:
            raise NasrankError(
                f"not a configuration of this version: missing {sorted(required - given)}, "
                f"unknown {sorted(given - names)}; use the version of nasrank that wrote it"
            )
        return cls(**values)

    @property
    def values(self) -> dict[str, Any]:
        """As JSON has it, without what joined later and is at its default."""
        return {
            name: value
            for name, value in asdict(self).items()
            if not (OPTIONS[name].joined_later and value == OPTIONS[name].default)
        }

    def to_json(self) -> str:
        """Canonical: the same experiment is always the same text, and another one another text."""
        return canonical_json(self.values)

    @property
    def config_hash(self) -> str:
        """SHA-256 of the canonical JSON, in hexadecimal: the experiment's identity."""
        return config_hash(self.values)

    @property
    def size(self) -> str:
        """The name in `SIZES` of this depth and width, or `custom`."""
        shape = (self.cells_per_stage, self.channels)
        return next((name for name, known in SIZES.items() if known == shape), "custom")

    @property
    def variant(self) -> str:
        """How the training differs from Table 1, in the paper's words: `baseline`, `warmup`, ….

        Several are joined in the order of `VARIANTS`, as in `uniform-sampling+warmup`; a value that is not
        the paper's is named, as in `warmup-10`. Numbers of Table 1 and readings of what the paper leaves
        open (`PRESETS`) are no variants.
        """
        return "+".join(self._variants()) or "baseline"

    def _variants(self) -> list[str]:
        names = []
        if not self.topology_shared:
            names.append("not-shared")
        if self.path_sampling == "uniform":
            names.append("uniform-sampling")
        if self.warmup_epochs:
            names.append(_with_value("warmup", "warmup_epochs", self.warmup_epochs))
        if self.grad_clip_norm is not None:
            names.append(_with_value("grad-clipping", "grad_clip_norm", self.grad_clip_norm))
        if VARIANTS["regularized"].items() <= asdict(self).items():
            names.append("regularized")
        else:
            names += ["autoaugment"] * (self.augmentation == "autoaugment")
            names += [f"label-smoothing-{self.label_smoothing:g}"] * (self.label_smoothing > 0)
        if self.gradient_batches == "same":
            names.append("same-batch")
        return names

    def split_seed_of(self, seed: int) -> int:
        """The split seed of the run with this seed."""
        return seed if self.split_seed == "run" else self.split_seed

    @property
    def lt_set(self) -> OperationSet:
        """The operations with a linear transformer."""
        return OperationSet.parse(self.lt)

    @property
    def mask_set(self) -> OperationSet:
        """The masked operations."""
        return parse_mask(self.mask)

    @property
    def operations(self) -> tuple[int, ...]:
        """The operations (indices into `OPERATIONS` of db.nb201) that the mask leaves, ascending."""
        return tuple(self.mask_set.complement)


def image_sizes(dataset: str) -> tuple[int, ...]:
    """The sides that its images can have, in pixels, ascending; the last one is their own."""
    side = IMAGE_SIDES[dataset]
    return tuple(size for size in range(MIN_IMAGE_SIZE, side + 1) if side % size == 0)


def bn_modes_of(config: ExperimentConfig, preset: str, asked: Sequence[str] = ()) -> tuple[str, ...]:
    """The BN modes to predict under: those that are asked for, or else the preset's.

    Raises `NasrankError` as `check_bn_modes`.
    """
    modes = tuple(asked) or (PRESETS[preset].bn_modes if config.epochs else ("batch",))
    check_bn_modes(config, modes)
    return modes


def check_bn_modes(config: ExperimentConfig, bn_modes: Sequence[str]) -> None:
    """Raise `NasrankError` for running statistics of a network without training."""
    if "running" in bn_modes and not config.epochs:
        raise NasrankError(
            "the BN mode running has no meaning with epochs 0: before training, running statistics are those "
            "of no images; choose batch or recalibrated"
        )


def variant_changes(variant: str) -> dict[str, Any]:
    """What a variant of the paper, or several joined by +, changes in the baseline."""
    changes: dict[str, Any] = {}
    for name in variant.split("+"):
        check_choice("variant", name, tuple(VARIANTS))
        changes |= VARIANTS[name]
    return changes


def run_id(config: ExperimentConfig, seed: int) -> str:
    """A readable and unique name for a run, such as `cifar10-tiny-Zero+Pool-1a2b3c4d-s0`."""
    check_integer("seed", seed, 0)
    return f"{config.dataset}-{config.size}-{config.mask or 'none'}-{config.config_hash[:8]}-s{seed}"


def _with_value(variant: str, field: str, value: float) -> str:
    """The variant's name, with the value unless it is the paper's."""
    return variant if value == VARIANTS[variant][field] else f"{variant}-{value:g}"


def _checked_image_size(dataset: str, size: object) -> int | None:
    """None for the data set's own side: one experiment, one text."""
    if size is None:
        return None
    sizes = image_sizes(dataset)
    # By type too: 8.0 equals 8, but is written otherwise in JSON.
    if type(size) is not int or size not in sizes:
        raise NasrankError(
            f"image_size is {size!r}; choose {' or '.join(map(str, sizes))}: images of {dataset} have "
            f"{sizes[-1]}x{sizes[-1]} pixels, and are averaged over whole blocks to at least "
            f"{MIN_IMAGE_SIZE}x{MIN_IMAGE_SIZE}"
        )
    return None if size == sizes[-1] else size
