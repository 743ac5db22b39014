"""Configurations: what is refused, and what identifies an experiment."""

from __future__ import annotations

import json
import math
from dataclasses import fields, replace
from functools import partial
from typing import Any

import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasrank.db.errors import NasrankError
from nasrank.db.nb201.architectures import all_masks
from nasrank.db.runs.configuration import OPTIONS
from nasrank.db.runs.options import Choice, Role, Switch
from nasrank.trainer.config import PRESETS, SIZES, VARIANTS, ExperimentConfig, run_id, variant_changes
from tests.samples import ROOT

configs = st.builds(
    ExperimentConfig,
    dataset=st.sampled_from(["cifar10", "digits"]),
    train_images=st.none() | st.integers(1, 50_000),
    valid_images=st.integers(1, 10_000),
    cells_per_stage=st.integers(1, 9),
    channels=st.integers(1, 96),
    mask=st.sampled_from([str(mask) for mask in all_masks()]),
    node_inputs=st.sampled_from(["mean", "sum"]),
    pool_counts_padding=st.booleans(),
    horizontal_flip=st.booleans(),
    epochs=st.integers(1, 1_000),
    learning_rate=st.floats(1e-4, 1e3),
    momentum=st.floats(0, 0.999),
    weight_decay=st.floats(0, 1),
    split_seed=st.integers(0, 9) | st.just("run"),
    path_sampling=st.sampled_from(["strictly-fair", "uniform"]),
    topology_shared=st.booleans(),
    gradient_batches=st.sampled_from(["successive", "same"]),
    grad_clip_norm=st.none() | st.floats(0.1, 100),
    grad_clip_scope=st.sampled_from(["global", "parameter-group"]),
    augmentation=st.sampled_from(["standard", "autoaugment"]),
    label_smoothing=st.sampled_from([0, 0.1, 0.5]),
    precision=st.sampled_from(["float32", "bfloat16"]),
    image_size=st.sampled_from([None, 8]),  # that of the digits, and a small one of CIFAR-10
)
LATER = {name: option.default for name, option in OPTIONS.items() if option.joined_later}
# What the first version had: their names are in every configuration's text, and others join later.
FIRST = {
    "dataset",
    "train_images",
    "valid_images",
    "split_seed",
    "max_shift",
    "horizontal_flip",
    "cells_per_stage",
    "channels",
    "mask",
    "lt",
    "node_inputs",
    "pool_counts_padding",
    "path_sampling",
    "topology_shared",
    "epochs",
    "batch_size",
    "learning_rate",
    "final_learning_rate",
    "momentum",
    "weight_decay",
}


def test_what_joined_later_is_left_out_at_its_default() -> None:
    assert set(OPTIONS) - set(LATER) == FIRST
    assert set(json.loads(ExperimentConfig.preset().to_json())) == FIRST


@given(configs)
def test_json_round_trips_and_is_canonical(config: ExperimentConfig) -> None:
    text = config.to_json()
    again = ExperimentConfig.from_json(text)
    assert again == config
    assert again.to_json() == text
    assert again.config_hash == config.config_hash
    written = json.loads(text)
    left_out = {field.name for field in fields(config)} - set(written)
    assert list(written) == sorted(written)
    assert left_out == {name for name, default in LATER.items() if getattr(config, name) == default}
    in_full = json.dumps(written | {name: LATER[name] for name in left_out})
    assert ExperimentConfig.from_json(in_full) == config


@given(configs, configs)
def test_equal_hash_means_equal_experiment(one: ExperimentConfig, other: ExperimentConfig) -> None:
    assert (one.config_hash == other.config_hash) == (one == other)


def test_defaults_are_table_1() -> None:
    config = ExperimentConfig.preset("cifar10", "S")
    assert (config.epochs, config.batch_size, config.learning_rate) == (250, 256, 0.025)
    assert (config.final_learning_rate, config.momentum, config.weight_decay) == (1e-5, 0.9, 3e-4)
    assert (config.valid_images, config.max_shift, config.horizontal_flip) == (5_000, 4, True)
    assert (config.cells_per_stage, config.channels, config.node_inputs) == (2, 32, "mean")


def test_the_hash_never_changes() -> None:
    """Runs that exist are found by it: a field that joins later must not change it."""
    assert ExperimentConfig.preset("cifar10", "tiny").config_hash == EXPECTED_HASH
    assert ExperimentConfig.preset("cifar10", "S").config_hash == EXPECTED_HASH_OF_S


def test_the_same_experiment_however_it_is_written() -> None:
    one = ExperimentConfig.preset("digits", "tiny", mask="pool+ZERO", learning_rate=1, weight_decay=-0.0)
    other = ExperimentConfig.preset("digits", "tiny", mask="Zero+Pool", learning_rate=1.0, weight_decay=0)
    assert one.mask == "Zero+Pool"
    assert one.config_hash == other.config_hash
    assert ExperimentConfig.preset("digits", "tiny", mask="none", lt="none").mask == ""
    assert ExperimentConfig.preset(lt="pool+skip").lt == "Skip+Pool"
    # Without clipping there is no scope, and a single path has no other batch.
    assert ExperimentConfig.preset(grad_clip_scope="parameter-group") == ExperimentConfig.preset()
    uniform = ExperimentConfig.preset(path_sampling="uniform")
    assert replace(uniform, gradient_batches="same") == uniform


def test_labels_come_from_the_numbers() -> None:
    tiny = ExperimentConfig.preset("cifar10", "tiny")
    assert tiny.size == "tiny"
    assert replace(tiny, cells_per_stage=4, channels=64).size == "M"
    assert ExperimentConfig.preset("cifar10", "S", channels=33).size == "custom"
    assert tiny.variant == "baseline"
    assert ExperimentConfig.preset("cifar10", "depth-2").size == "S"
    assert ExperimentConfig.preset("cifar10", "depth-4").size == "M"
    for size in SIZES:
        assert ExperimentConfig.preset("cifar10", size).size == size


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("preset", PRESETS)
def test_a_variant_of_the_paper_has_its_name_under_every_preset(name: str, preset: str) -> None:
    assert ExperimentConfig.preset(preset=preset, **VARIANTS[name]).variant == name


@pytest.mark.parametrize(
    ("changes", "variant"),
    [
        ({"warmup_epochs": 10}, "warmup-10"),
        ({"grad_clip_norm": 1}, "grad-clipping-1"),
        ({"grad_clip_norm": 0.25, "warmup_epochs": 5}, "warmup+grad-clipping-0.25"),
        ({"warmup_epochs": 5, "path_sampling": "uniform"}, "uniform-sampling+warmup"),
        ({"augmentation": "autoaugment"}, "autoaugment"),
        ({"label_smoothing": 0.1}, "label-smoothing-0.1"),
        ({"augmentation": "autoaugment", "label_smoothing": 0.2}, "autoaugment+label-smoothing-0.2"),
        ({"gradient_batches": "same"}, "same-batch"),
        ({"learning_rate": 0.1, "epochs": 20, "final_learning_rate": 5e-5}, "baseline"),
        (
            variant_changes("regularized+not-shared+warmup+grad-clipping+uniform-sampling"),
            "not-shared+uniform-sampling+warmup+grad-clipping+regularized",
        ),
    ],
)
def test_other_variants_are_named_by_their_parts(changes: dict[str, Any], variant: str) -> None:
    assert ExperimentConfig.preset(**changes).variant == variant


@given(configs, configs)
def test_a_variant_that_differs_has_another_name(one: ExperimentConfig, other: ExperimentConfig) -> None:
    """To six digits, as names have them."""
    varied = ("topology_shared", "path_sampling", "warmup_epochs", "augmentation", "gradient_batches")
    same = all(getattr(one, name) == getattr(other, name) for name in varied)
    same &= all(
        f"{getattr(one, name) or 0:g}" == f"{getattr(other, name) or 0:g}"
        for name in ("grad_clip_norm", "label_smoothing")
    )
    assert (one.variant == other.variant) == same


OTHERS: dict[str, Any] = {"mask": "Zero", "lt": "Skip", "image_size": 16, "train_images": 100}


@pytest.mark.parametrize("name", OPTIONS)
def test_the_role_of_an_option_is_the_label_that_tells_it(name: str) -> None:
    """No other label does; an option of no label is a setting, and each is part of the identity."""
    option = OPTIONS[name]
    config = ExperimentConfig.preset(grad_clip_norm=5.0)  # else grad_clip_scope has no effect
    value = getattr(config, name)
    if isinstance(option.domain, Choice):
        other = next(choice for choice in option.domain.values if choice != value)
    elif isinstance(option.domain, Switch):
        other = not value
    else:
        other = (
            OTHERS[name] if name in OTHERS else (value / 2 or 0.1) if isinstance(value, float) else value + 1
        )
    changed = replace(config, **{name: other})
    labels = {role for role in Role if role is not Role.SETTING}
    telling = {role for role in labels if getattr(changed, role) != getattr(config, role)}
    assert (telling or {Role.SETTING}) == {option.role}
    assert changed.config_hash != config.config_hash


def test_unknown_variants_are_refused() -> None:
    with pytest.raises(
        NasrankError, match="variant is 'warm' .is 'warmup' meant.*; choose 'baseline' or 'not-shared'"
    ):
        variant_changes("not-shared+warm")


def test_presets_read_what_the_paper_leaves_open() -> None:
    open_points = ("node_inputs", "pool_counts_padding", "split_seed", "grad_clip_scope")

    def read(preset: str, **changes: Any) -> tuple[Any, ...]:
        config = ExperimentConfig.preset(preset=preset, grad_clip_norm=5.0, **changes)
        return tuple(getattr(config, name) for name in open_points)

    assert read("paper") == ("mean", True, 0, "global")
    assert read("uninas") == ("sum", True, "run", "parameter-group")
    assert read("nb201") == ("sum", False, 0, "global")
    assert read("uninas", split_seed=3, node_inputs="mean") == ("mean", True, 3, "parameter-group")
    assert [preset.bn_modes for preset in PRESETS.values()] == [("running",), ("running",), ("batch",)]


def test_the_split_may_follow_the_run() -> None:
    config = ExperimentConfig.preset(split_seed=4)
    assert config.split_seed_of(7) == 4
    assert replace(config, split_seed="run").split_seed_of(7) == 7


@pytest.mark.parametrize(
    ("lt", "mask", "reason"),
    [
        ("Skip", "Skip", "lt 'Skip' transforms Skip, which mask Skip removes"),
        ("Skip+Pool", "Skip+Pool", "transforms Skip and Pool, which"),
        ("C3x3", "", "lt is 'C3x3'; choose Skip, Pool"),
        ("Zero", "", "lt is 'Zero'; choose Skip, Pool"),
    ],
)
def test_linear_transformers_need_an_operation_to_transform(lt: str, mask: str, reason: str) -> None:
    with pytest.raises(NasrankError, match=reason):
        ExperimentConfig.preset(lt=lt, mask=mask)


def test_the_papers_skip_and_pool_may_lack_one_of_them() -> None:
    """Figures 5 and 8 have Skip+Pool under masks with Pool."""
    assert ExperimentConfig.preset(lt="Skip+Pool", mask="Zero+Pool").lt == "Skip+Pool"


def test_preset_keeps_what_is_not_given() -> None:
    assert ExperimentConfig.preset("digits", "S", epochs=None, channels=None).channels == 32
    assert ExperimentConfig.preset("digits", "S", max_shift=0).max_shift == 0


def test_the_full_size_of_images_is_the_identity_that_it_was() -> None:
    for dataset, full in (("cifar10", 32), ("digits", 8)):
        plain = ExperimentConfig.preset(dataset, "tiny")
        assert ExperimentConfig.preset(dataset, "tiny", image_size=full) == plain
        assert replace(plain, image_size=full).config_hash == plain.config_hash
        assert "image_size" not in plain.to_json()
    small = ExperimentConfig.preset(image_size=16)
    assert json.loads(small.to_json())["image_size"] == 16
    assert small.config_hash != ExperimentConfig.preset(max_shift=2).config_hash


def test_the_usual_shift_shrinks_with_the_images_and_a_given_one_does_not() -> None:
    shifts = {size: ExperimentConfig.preset(image_size=size).max_shift for size in (None, 8, 16, 32)}
    assert shifts == {None: 4, 8: 1, 16: 2, 32: 4}
    assert ExperimentConfig.preset(image_size=16, max_shift=4).max_shift == 4
    assert ExperimentConfig.preset(image_size=16, max_shift=0).max_shift == 0
    assert ExperimentConfig.preset("digits", image_size=8).max_shift == 1
    # Given as it would be anyway, it is the same experiment.
    assert ExperimentConfig.preset(image_size=16, max_shift=2) == ExperimentConfig.preset(image_size=16)


@pytest.mark.parametrize("size", [0, 4, 12, 24, 64, -8, 16.0, True, "16"])
def test_other_sizes_of_images_are_refused_with_those_there_are(size: object) -> None:
    for make in (ExperimentConfig.preset, partial(replace, ExperimentConfig.preset())):
        with pytest.raises(
            NasrankError, match=f"image_size is {size!r}; choose 8 or 16 or 32: images of cifar10"
        ):
            make(image_size=size)
    with pytest.raises(NasrankError, match="choose 8: images of digits have 8x8 pixels"):
        ExperimentConfig.preset("digits", image_size=16)


def test_mask_leaves_operations() -> None:
    config = ExperimentConfig.preset("cifar10", "S", mask="Zero+Pool")
    assert config.operations == (1, 2, 3)
    assert str(config.mask_set) == "Zero+Pool"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dataset", "imagenet"),
        ("train_images", 0),
        ("train_images", 2.5),
        ("valid_images", 0),
        ("split_seed", -1),
        ("image_size", 12),
        ("max_shift", -1),
        ("horizontal_flip", 1),
        ("cells_per_stage", 0),
        ("channels", True),
        ("channels", 2**31),
        ("mask", "Conv"),
        ("mask", "Zero+Skip+C1x1+C3x3"),
        ("mask", "Skip+C1x1+C3x3+Pool"),
        ("mask", "Zero+Skip+C1x1+C3x3+Pool"),
        ("lt", "C1x1"),
        ("split_seed", "0"),
        ("warmup_epochs", -1),
        ("warmup_epochs", 250),
        ("grad_clip_norm", 0.0),
        ("grad_clip_norm", math.inf),
        ("grad_clip_scope", "layer"),
        ("label_smoothing", 1.0),
        ("augmentation", "cutout"),
        ("gradient_batches", "all"),
        ("precision", "float16"),
        ("node_inputs", "max"),
        ("path_sampling", "fair"),
        ("topology_shared", 0),
        ("epochs", "250"),
        ("batch_size", 0),
        ("learning_rate", 0.0),
        ("learning_rate", math.nan),
        ("learning_rate", math.inf),
        ("final_learning_rate", 0.5),
        ("momentum", 1.0),
        ("weight_decay", -1e-4),
    ],
)
def test_refused_values_are_named_in_one_line(name: str, value: object) -> None:
    with pytest.raises(NasrankError) as caught:
        replace(ExperimentConfig.preset("cifar10", "tiny"), **{name: value})
    line = str(caught.value)
    assert name in line or name == "mask"
    assert str(value) in line
    assert "\n" not in line


@pytest.mark.parametrize("text", ["", "[]", "{", '{"dataset": "cifar10"}', '"cifar10"'])
def test_other_json_is_refused(text: str) -> None:
    with pytest.raises(NasrankError, match="not a configuration"):
        ExperimentConfig.from_json(text)


def test_unknown_fields_are_refused() -> None:
    values = json.loads(ExperimentConfig.preset("cifar10", "tiny").to_json())
    with pytest.raises(NasrankError, match="cutout"):
        ExperimentConfig.from_json(json.dumps(values | {"cutout": 16}))


def test_run_id_is_readable_and_tells_runs_apart() -> None:
    config = ExperimentConfig.preset("cifar10", "tiny", mask="Zero+Pool")
    assert run_id(config, 3) == f"cifar10-tiny-Zero+Pool-{config.config_hash[:8]}-s3"
    assert run_id(replace(config, mask=""), 0).startswith("cifar10-tiny-none-")
    assert run_id(config, 0) != run_id(replace(config, epochs=249), 0)
    with pytest.raises(NasrankError, match="seed is -1"):
        run_id(config, -1)


EXPECTED_HASH = "0d902af8c4e3fbaaa0d690b40a5e90f7ecdf38f1c00c201f8241a9e36c6063c9"
EXPECTED_HASH_OF_S = "b164faf67d54145acc9540d417971839364a07b6469c44ebeb5a1ea08682f258"


def test_the_shipped_results_have_the_identities_that_they_were_trained_with() -> None:
    """Read by this version, their configurations hash as they did, and their runs are named as they were."""
    packs = sorted((ROOT / "db/results").rglob("experiment.parquet"))
    assert packs
    for pack in packs:
        hashes = {}
        for row in pyarrow.parquet.read_table(pack).to_pylist():
            config = ExperimentConfig.from_json(row["config"])
            assert config.config_hash == row["config_hash"]
            assert (config.size, config.variant) == (row["size"], row["variant"])
            hashes[row["experiment_id"]] = config
        for run in pyarrow.parquet.read_table(pack.with_name("run.parquet")).to_pylist():
            assert run_id(hashes[run["experiment_id"]], run["seed"]) == run["run_id"]
