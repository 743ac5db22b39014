"""The declaration of the training options agrees with itself."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_type_hints

import pytest

from nasrank.db.errors import NasrankError
from nasrank.db.runs.configuration import OPTIONS, TrainingOptions, config_without, options_with, settings_of
from nasrank.db.runs.experiment import Configuration
from nasrank.db.runs.format import IMAGE_SIDES
from nasrank.db.runs.options import Choice, Number, Option, Role, Switch, WholeNumber, WholeNumberOr
from nasrank.db.runs.schema import columns_of

DECLARED = [pytest.param(option, id=name) for name, option in OPTIONS.items()]
TYPES = get_type_hints(TrainingOptions)


@pytest.mark.parametrize("option", DECLARED)
def test_type_and_values_agree(option: Option) -> None:
    """None is allowed where it is the default; a text beside numbers is one that the command line reads."""
    members = set(get_args(TYPES[option.name])) or {TYPES[option.name]}
    assert (type(None) in members) == (option.default is None)
    expected: set[Any] = {option.domain.kind}
    if isinstance(option.domain, WholeNumberOr):
        expected = {int, Literal[option.domain.word]}
    assert members - {type(None)} == expected


@pytest.mark.parametrize("option", DECLARED)
def test_defaults_are_allowed_and_in_their_one_spelling(option: Option) -> None:
    defaults = [*option.by_dataset.values()] if option.default is ... else [option.default]
    for default in defaults:
        checked = option.checked(default)
        assert (checked, type(checked)) == (default, type(default))
    assert not option.by_dataset or set(option.by_dataset) == set(IMAGE_SIDES)
    assert option.default is not ... or not option.joined_later
    assert option.default_text


@pytest.mark.parametrize("option", DECLARED)
def test_help_explains_every_choice_and_ends_as_a_sentence(option: Option) -> None:
    assert option.help.endswith(".")
    if isinstance(option.domain, Choice):
        assert [value for value in option.domain.values if value not in option.help] == []
    assert isinstance(option.domain, Switch) == ("/" in option.spelling)


def test_what_is_left_out_is_said_as_one_gives_it() -> None:
    said = {name: OPTIONS[name].default_text for name in OPTIONS}
    assert said["topology_shared"] == "--topology-shared"
    assert said["horizontal_flip"] == "--flip for cifar10, --no-flip for digits"
    assert (said["mask"], said["train_images"], said["weight_decay"]) == ("none", "all", "0.0003")


def test_what_other_trainers_must_write_has_the_types_of_the_options() -> None:
    """They may have other values, such as a path sampling of their own."""
    for column in columns_of(Configuration):
        members = set(get_args(TYPES[column.name])) or {TYPES[column.name]}
        assert (members - {type(None)}, type(None) in members) == ({column.type}, column.nullable), (
            column.name
        )


def test_settings_are_what_names_no_experiment() -> None:
    config = {"dataset": "cifar10", "channels": 8, "epochs": 3, "warmup_epochs": 1, "unheard_of": 2}
    assert settings_of(config) == {"epochs": 3, "unheard_of": 2}
    assert config_without(config, options_with(Role.SIZE, Role.VARIANT)) == {
        "dataset": "cifar10",
        "epochs": 3,
        "unheard_of": 2,
    }


@pytest.mark.parametrize(
    ("domain", "value", "said"),
    [
        (Choice(("a", "b")), "c", "x is 'c'; choose 'a' or 'b'"),
        (Switch(), 1, "x is 1; choose True or False"),
        (WholeNumber(2), 1, "x is 1; give a whole number, at least 2 and below 2^31"),
        (WholeNumber(2), 2.0, "x is 2.0; give a whole number, at least 2 and below 2^31"),
        (WholeNumberOr("run", "to follow it", 0), "4", r"at least 0 and below 2^31 (or 'run', to follow it)"),
        (Number(above=0), 0, "x is 0; give a finite number above 0"),
        (Number(least=0, below=1), 1.0, "x is 1.0; give a finite number at least 0 and below 1"),
        (Number(least=0), float("inf"), "x is inf; give a finite number at least 0"),
    ],
)
def test_a_value_outside_is_refused_with_what_is_allowed(domain: Any, value: object, said: str) -> None:
    with pytest.raises(NasrankError) as caught:
        domain.checked("x", value)
    assert str(caught.value).endswith(said)


def test_numbers_have_one_spelling() -> None:
    assert [repr(Number(least=0).checked("x", value)) for value in (-0.0, 1)] == ["0.0", "1.0"]
