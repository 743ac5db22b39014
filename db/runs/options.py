"""How an option is described: its help, the values it takes, and what it is to an experiment."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, get_type_hints

from nasrank.db.errors import NasrankError, nearest
from nasrank.db.nb201.architectures import OperationSet


class Role(StrEnum):
    """Which part of an experiment's name tells an option; settings are told only where experiments differ."""

    DATASET = "dataset"
    SIZE = "size"
    MASK = "mask"
    LT = "lt"
    VARIANT = "variant"
    SETTING = "setting"


class Domain(ABC):
    """The values that an option takes. `kind`: the type of its text on a command line."""

    kind: type

    @property
    @abstractmethod
    def allowed(self) -> str:
        """The values in words, for tables."""

    @abstractmethod
    def checked(self, name: str, value: Any) -> Any:
        """The value in its one spelling, so that one experiment has one text.

        Raises `NasrankError` for a value that is not allowed.
        """

    def parsed(self, value: Any) -> Any:
        """The value that a command line gave, of the type `kind`, as `checked` expects it."""
        return value


@dataclass(frozen=True)
class Choice(Domain):
    """One of some texts."""

    values: tuple[str, ...]
    kind = str

    @property
    def allowed(self) -> str:
        """Such as `mean or sum`."""
        return " or ".join(self.values)

    def checked(self, name: str, value: Any) -> Any:
        """The value as it is."""
        check_choice(name, value, self.values)
        return value


class Switch(Domain):
    """On or off."""

    kind = bool

    @property
    def allowed(self) -> str:
        """As TOML and JSON have them."""
        return "true or false"

    def checked(self, name: str, value: Any) -> Any:
        """The value as it is."""
        check_choice(name, value, (True, False))
        return value


@dataclass(frozen=True)
class WholeNumber(Domain):
    """An integer from `least` on."""

    least: int
    kind = int

    @property
    def allowed(self) -> str:
        """Such as `at least 1`."""
        return f"at least {self.least}"

    def checked(self, name: str, value: Any) -> Any:
        """The value as it is."""
        check_integer(name, value, self.least)
        return value


@dataclass(frozen=True)
class WholeNumberOr(Domain):
    """An integer from `least` on, or the text `word`, which means `meaning`."""

    word: str
    meaning: str
    least: int
    kind = str

    @property
    def allowed(self) -> str:
        """Such as `at least 0, or run`."""
        return f"at least {self.least}, or {self.word}"

    def checked(self, name: str, value: Any) -> Any:
        """The value as it is."""
        if value != self.word:
            check_integer(name, value, self.least, f" (or {self.word!r}, {self.meaning})")
        return value

    def parsed(self, value: Any) -> Any:
        """The number that a text writes, or the text."""
        return int(value) if value.isdecimal() else value


@dataclass(frozen=True)
class Number(Domain):
    """A finite number above or at least one bound, and below another."""

    above: float = -math.inf
    least: float = -math.inf
    below: float = math.inf
    kind = float

    @property
    def allowed(self) -> str:
        """Such as `at least 0 and below 1`."""
        bounds = (("above", self.above), ("at least", self.least), ("below", self.below))
        return " and ".join(f"{word} {bound:g}" for word, bound in bounds if math.isfinite(bound))

    def checked(self, name: str, value: Any) -> float:
        """As a float, so that 1 and 1.0 are one experiment."""
        if (
            not isinstance(value, int | float)
            or isinstance(value, bool)
            or not math.isfinite(value)
            or not (self.above < value < self.below and value >= self.least)
        ):
            raise NasrankError(f"{name} is {value!r}; give a finite number {self.allowed}")
        return float(value) + 0.0  # -0.0 becomes 0.0


@dataclass(frozen=True)
class Operations(Domain):
    """Names of operations joined by +, or none. `parse` raises `NasrankError` for a set it refuses."""

    parse: Callable[[str], OperationSet]
    described: str
    kind = str

    @property
    def allowed(self) -> str:
        """What the set may have."""
        return self.described

    def checked(self, name: str, value: Any) -> str:
        """In canonical order; empty for none."""
        if not isinstance(value, str):
            raise NasrankError(f"{name} is {value!r}; give a string")
        return str(self.parse(value))


@dataclass(frozen=True)
class CheckedTogether(Domain):
    """Values that only the other options tell right from wrong: whoever holds them all checks this one."""

    kind: type
    described: str

    @property
    def allowed(self) -> str:
        """What the values depend on."""
        return self.described

    def checked(self, name: str, value: Any) -> Any:
        """The value as it is."""
        return value


@dataclass(frozen=True)
class Option:
    """What stands with an option's type and default: `Annotated[int, Option("Images a step.", …)] = 256`.

    An option takes None exactly where None is its default.
    """

    help: str
    """Sentences, for the command line and for tables; choices are explained by name."""
    domain: Domain
    group: str
    """Heading of the help that it stands under."""
    role: Role = Role.SETTING
    unit: str = ""
    flag: str = ""
    """Its spelling on the command line, where that is not its name with hyphens."""
    unset: str = ""
    """What holds if it is left out, where the default does not say it."""
    by_dataset: Mapping[str, Any] = field(default_factory=dict)
    """What holds if it is left out, by data set."""
    none: str = "none"
    """What None is, in a word or two."""
    label: str = ""
    """How the name of an experiment tells a value, such as `{:,} epochs`; else name and value are told."""
    label_of_none: str = ""
    joined_later: bool = False
    """After the first version: at its default it is left out of an experiment's identity, which stays."""
    sets_updates: bool = False
    """How often weights are updated follows from it: ways of sampling are compared across its values."""

    name: str = ""
    """The name of the field, set by `options_of`."""
    default: Any = ...
    """The default of the field, set by `options_of`; `...` where it has none."""

    @property
    def spelling(self) -> str:
        """On the command line, such as `--epochs`, or `--flip/--no-flip` for a switch."""
        return self.flag or f"--{self.name.replace('_', '-')}"

    @property
    def default_text(self) -> str:
        """What holds if it is left out, as one gives it on the command line, or in words."""
        if self.by_dataset:
            return ", ".join(
                f"{self._text(value)} for {dataset}" for dataset, value in self.by_dataset.items()
            )
        return self.unset or self._text(self.default)

    def _text(self, value: object) -> str:
        if isinstance(value, bool):
            return self.spelling.split("/")[0 if value else 1]
        return self.none if value is None else str(value)

    def checked(self, value: Any) -> Any:
        """As `Domain.checked`; None where that is the default."""
        return None if value is None and self.default is None else self.domain.checked(self.name, value)


def options_of(described: type) -> dict[str, Option]:
    """The options of a dataclass by name, in its order; every field is annotated with one `Option`."""
    hints = get_type_hints(described, include_extras=True)
    options = {}
    for one in fields(described):
        [option] = (part for part in hints[one.name].__metadata__ if isinstance(part, Option))
        default = ... if one.default is MISSING else one.default
        options[one.name] = replace(option, name=one.name, default=default)
    return options


def check_integer(name: str, value: object, least: int, otherwise: str = "") -> None:
    """Raise `NasrankError` unless the value is an integer from `least` on that SQL's INTEGER holds."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value < 2**31:
        raise NasrankError(
            f"{name} is {value!r}; give a whole number, at least {least} and below 2^31{otherwise}"
        )


def check_choice(name: str, value: object, allowed: tuple[object, ...]) -> None:
    """Raise `NasrankError` unless the value is one of those allowed."""
    # By type too: 1 equals True, but is written otherwise in JSON.
    if not any(type(value) is type(choice) and value == choice for choice in allowed):
        choices = " or ".join(repr(choice) for choice in allowed)
        raise NasrankError(f"{name} is {value!r}{nearest(value, allowed)}; choose {choices}")
