"""Configurations: what is refused, and what identifies an experiment."""

from __future__ import annotations

import json
import math
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.architectures import all_masks
from db.errors import NasrankError
from trainer.config import ExperimentConfig, run_id

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
)


@given(configs)
def test_json_round_trips_and_is_canonical(config: ExperimentConfig) -> None:
    text = config.to_json()
    again = ExperimentConfig.from_json(text)
    assert again == config
    assert again.to_json() == text
    assert again.config_hash == config.config_hash
    assert list(json.loads(text)) == sorted(field.name for field in fields(config))


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


def test_the_same_experiment_however_it_is_written() -> None:
    one = ExperimentConfig.preset("digits", "tiny", mask="pool+ZERO", learning_rate=1, weight_decay=-0.0)
    other = ExperimentConfig.preset("digits", "tiny", mask="Zero+Pool", learning_rate=1.0, weight_decay=0)
    assert one.mask == "Zero+Pool"
    assert one.config_hash == other.config_hash
    assert ExperimentConfig.preset("digits", "tiny", mask="none", lt="none").mask == ""


def test_labels_come_from_the_numbers() -> None:
    tiny = ExperimentConfig.preset("cifar10", "tiny")
    assert tiny.size == "tiny"
    assert replace(tiny, cells_per_stage=4, channels=64).size == "M"
    assert ExperimentConfig.preset("cifar10", "S", channels=33).size == "custom"
    assert tiny.variant == "baseline"


def test_preset_keeps_what_is_not_given() -> None:
    assert ExperimentConfig.preset("digits", "S", epochs=None, channels=None).channels == 32
    assert ExperimentConfig.preset("digits", "S", max_shift=0).max_shift == 0


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
        ("max_shift", -1),
        ("horizontal_flip", 1),
        ("cells_per_stage", 0),
        ("channels", True),
        ("channels", 2**31),
        ("mask", "Conv"),
        ("mask", "Zero+Skip+C1x1+C3x3"),
        ("lt", "Skip"),
        ("node_inputs", "max"),
        ("path_sampling", "uniform"),
        ("topology_shared", False),
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
    with pytest.raises(NasrankError, match="label_smoothing"):
        ExperimentConfig.from_json(json.dumps(values | {"label_smoothing": 0.1}))


def test_run_id_is_readable_and_tells_runs_apart() -> None:
    config = ExperimentConfig.preset("cifar10", "tiny", mask="Zero+Pool")
    assert run_id(config, 3) == f"cifar10-tiny-Zero+Pool-{config.config_hash[:8]}-s3"
    assert run_id(replace(config, mask=""), 0).startswith("cifar10-tiny-none-")
    assert run_id(config, 0) != run_id(replace(config, epochs=249), 0)
    with pytest.raises(NasrankError, match="seed is -1"):
        run_id(config, -1)


EXPECTED_HASH = "0d902af8c4e3fbaaa0d690b40a5e90f7ecdf38f1c00c201f8241a9e36c6063c9"
