"""Which columns of a file hold architectures, and the numbers that a column holds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nasrank.db.columns.shapes import Columns, listed
from nasrank.db.errors import NasrankError, nearest, shown
from nasrank.db.nb201.notations import ArchIds, read_column

_LONGEST_NAME: Final = 200
# Chosen where several columns could be meant.
_ARCHITECTURE_NAMES: Final = ("architecture", "arch", "arch_str", "arch_id", "arch_index", "digits")
# How the numbers of a column are written, where that says what they are.
PERCENT: Final = "percent"


@dataclass(frozen=True, slots=True)
class Choice:
    """What to read of a file; None is found by looking. A value column with a star stands for several."""

    part: str | None = None
    architecture_column: str | None = None
    value_column: str | None = None
    notation: str | None = None

    @property
    def has_star(self) -> bool:
        """Whether each column is an experiment, and not a seed."""
        return "*" in (self.value_column or "")


# All is found by looking.
BY_LOOKING: Final = Choice()


def find_architectures(columns: Columns, choice: Choice) -> tuple[str, dict[str, ArchIds]]:
    """The column of architectures, and its readings."""
    if choice.architecture_column is not None:
        values = column_of(columns, choice.architecture_column)
        return choice.architecture_column, read_column(values, choice.notation)
    found: dict[str, dict[str, ArchIds]] = {}
    problems: dict[str, NasrankError] = {}
    for name, values in columns.items():
        try:
            found[name] = read_column(values, choice.notation)
        except NasrankError as error:
            problems[name] = error
    if not found:
        likely = next((name for name in _ARCHITECTURE_NAMES if name in problems), next(iter(problems)))
        raise NasrankError(f"no column holds architectures; {likely!r}, {problems[likely]}")
    # Text says what it means; a number may be anything. A column of architectures has each only once.
    clearest = (
        {name: r for name, r in found.items() if "string" in r or "nested" in r}
        or {name: r for name, r in found.items() if any(_is_distinct(ids) for ids in r.values())}
        or found
    )
    first, readings = next(iter(clearest.items()))
    if all(_is_same(readings, others) for others in clearest.values()):
        return first, readings
    named = [name for name in _ARCHITECTURE_NAMES if name in clearest]
    if len(named) != 1:
        raise NasrankError(
            f"the columns {listed(clearest)} may hold architectures; name one with --architecture-column"
        )
    return named[0], clearest[named[0]]


def _is_distinct(arch_ids: ArchIds) -> bool:
    return len(np.unique(arch_ids)) == len(arch_ids)


def _is_same(one: Mapping[str, ArchIds], other: Mapping[str, ArchIds]) -> bool:
    """Whether two columns can be the same architectures, in different notations."""
    return any(np.array_equal(a, b) for a in one.values() for b in other.values())


class Numbers(NamedTuple):
    """[rows], NaN for what is empty; and the unit that they are written with."""

    values: NDArray[np.float64]
    unit: str | None


def numbers_of(values: Sequence[object]) -> Numbers:
    """The numbers of a column, NaN where it is empty; "93.1%" is 93.1, in percent.

    Raises:
        NasrankError: a value is no number, or only some have a percent sign.
    """
    numbers = np.empty(len(values))
    percents = 0
    for row, value in enumerate(values):
        text = value.strip() if isinstance(value, str) else value
        is_percent = isinstance(text, str) and text.endswith("%")
        percents += is_percent
        try:
            if isinstance(text, bool):
                raise ValueError
            number: Any = text[:-1] if is_percent and isinstance(text, str) else text
            numbers[row] = math.nan if number is None or number == "" else float(number)
        except (TypeError, ValueError, OverflowError):
            raise NasrankError(f"row {row + 1}: {shown(value)} is not a number") from None
    known = int(np.count_nonzero(~np.isnan(numbers)))
    if 0 < percents < known:
        raise NasrankError(f"{percents:,} of {known:,} numbers have a percent sign; all or none need it")
    return Numbers(numbers, PERCENT if percents else None)


def counts_rows(numbers: NDArray[np.float64]) -> bool:
    """Whether a column is 0, 1, 2, … in each row, as a table's own index."""
    return bool(np.array_equal(numbers, np.arange(len(numbers))))


def names_the_same(values: Sequence[object], readings: Mapping[str, ArchIds]) -> bool:
    """Whether a column only repeats the architectures, as `arch_id` beside `arch_str` does."""
    try:
        return _is_same(read_column(values), readings)
    except NasrankError:
        return False


def column_of(columns: Columns, name: str) -> Sequence[object]:
    """The column of this name.

    Raises:
        NasrankError: there is none.
    """
    if name not in columns:
        raise NasrankError(
            f"it has no column {name!r}{nearest(name, columns)}; its columns are {listed(columns)}"
        )
    return columns[name]


def refuse_unprintable(*names: str) -> None:
    """A name is stored and shown: half a surrogate, a NUL or a line break would do harm there."""
    for name in names:
        if not name.isprintable() or len(name) > _LONGEST_NAME:
            raise NasrankError(
                f"the column {shown(name)} has a name that cannot be printed, or more than {_LONGEST_NAME} "
                "characters; give it another"
            )
