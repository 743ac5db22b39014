"""Counts of ordered and of equal pairs, exactly, within many series at once.

Kendall's τ counts, among all pairs of a series, those that two rankings order alike. With both rankings
sorted by the first, the pairs ordered otherwise are the inversions of the second (Knight 1966, "A computer
method for calculating Kendall's tau with ungrouped data"). All series stand one after the other in one
array, and each step goes through all of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.signedinteger]
Floats = npt.NDArray[np.float64]

# Beyond, keys need 64 bits, and sorting them takes twice as long.
_NARROW_BITS: Final = 31
_WIDEST_BITS: Final = 63


@dataclass(frozen=True, slots=True)
class Keys:
    """Columns of whole numbers from 0, written into one number a row, the most significant column first."""

    numbers: Integers
    widths: tuple[int, ...]
    """Bits of each column."""

    @classmethod
    def of(cls, *columns: Integers) -> Keys:
        """The keys of rows; raises ValueError where a row does not fit into 63 bits."""
        widths = tuple(int(column.max(initial=0)).bit_length() for column in columns)
        if sum(widths) > _WIDEST_BITS:
            raise ValueError(f"{sum(widths)} bits do not fit into {_WIDEST_BITS}")
        kind = np.int32 if sum(widths) <= _NARROW_BITS else np.int64
        numbers: Integers = columns[0].astype(kind)
        for column, width in zip(columns[1:], widths[1:], strict=True):
            numbers = (numbers << width) | column.astype(kind, copy=False)
        return cls(numbers, widths)

    def sorted(self) -> Keys:
        """The rows in ascending order."""
        return Keys(np.sort(self.numbers), self.widths)

    def taken(self, order: Integers) -> Keys:
        """The rows in another order."""
        return Keys(self.numbers[order], self.widths)

    def ties(self, leading: int) -> tuple[Integers, Integers]:
        """Of sorted rows: the pairs within each run of rows that are equal in the `leading` columns.

        Also the first column of each run.
        """
        begins, lengths = runs(self.numbers >> sum(self.widths[leading:]))
        groups = self.numbers[begins] >> sum(self.widths[1:])
        return lengths * (lengths - 1) // 2, groups

    def without(self, place: int) -> Keys:
        """The rows without one column."""
        right = sum(self.widths[place + 1 :])
        left = self.numbers >> (right + self.widths[place])
        numbers = (left << right) | (self.numbers & ((1 << right) - 1))
        return Keys(numbers, self.widths[:place] + self.widths[place + 1 :])


def runs(numbers: Integers) -> tuple[Integers, Integers]:
    """Where each run of equal numbers begins, and how long it is."""
    is_first = np.empty(len(numbers), bool)
    is_first[:1] = True
    np.not_equal(numbers[1:], numbers[:-1], out=is_first[1:])
    begins = np.flatnonzero(is_first)
    return begins, np.diff(begins, append=len(numbers))


def tied_pairs(keys: Keys, leading: int, series: int) -> Integers:
    """Pairs that are equal in the `leading` columns of sorted `keys`, of each value of the first column."""
    pairs, groups = keys.ties(leading)
    return np.bincount(groups, weights=pairs, minlength=series).astype(np.int64)


def inversions(keys: Keys, begins: Integers) -> Integers:
    """Of each series, the pairs whose last column falls though the second of them comes later.

    Rows are grouped by all columns but the last, which tell nothing else. `begins`: where each series begins.
    """
    total = np.zeros(len(begins), np.int64)
    for division in _divisions(keys):
        found = np.where(division.is_one, 0, division.ones_before)
        total += np.add.reduceat(found, begins, dtype=np.int64)
    return total


def weighted_inversions(keys: Keys, weights: Floats, begins: Integers) -> tuple[Integers, Floats]:
    """These pairs, and the summed weights of both of their members; `weights` are those of the rows."""
    total, weight = np.zeros(len(begins), np.int64), np.zeros(len(begins))
    for division in _divisions(keys):
        of_ones = np.where(division.is_one, weights, 0)
        before = np.cumsum(of_ones) - of_ones
        before -= np.repeat(before[division.starts], division.lengths)
        found = np.where(division.is_one, 0, division.ones_before)
        total += np.add.reduceat(found, begins, dtype=np.int64)
        found_weight = np.where(division.is_one, 0, division.ones_before * weights + before)
        weight += np.add.reduceat(found_weight, begins)
        divided = np.empty_like(weights)
        divided[division.destinations] = weights
        weights = divided
    return total, weight


class _Division(NamedTuple):
    """The rows as one bit divides them, grouped by the bits above it."""

    is_one: npt.NDArray[np.bool_]
    ones_before: Integers
    """Of the ones in the same group, those before each row."""
    starts: Integers
    lengths: Integers
    """Where each group starts, and how long it is."""
    destinations: Integers
    """Where each row stands when the next bit divides: the zeros of its group first, otherwise in order."""


def _divisions(keys: Keys) -> Iterator[_Division]:
    """From the highest bit of the last column on.

    The highest bit that two numbers differ in says which is larger. So each group of rows that are equal so
    far is divided, keeping the order within both parts; a zero that comes after a one is an inversion with
    it. Takes as many steps as the last column has bits, each linear.
    """
    numbers = keys.numbers
    places = np.arange(len(numbers), dtype=np.int32)
    for bit in reversed(range(keys.widths[-1])):
        is_one = ((numbers >> bit) & 1).astype(bool)
        starts, lengths = runs(numbers >> (bit + 1))
        before = np.cumsum(is_one, dtype=np.int32)
        before -= is_one
        of_earlier_groups = before[starts]
        ones_in_group = np.diff(of_earlier_groups, append=before[-1] + is_one[-1])
        before -= np.repeat(of_earlier_groups, lengths)
        first_one = (starts + lengths - ones_in_group).astype(np.int32)
        destinations = np.where(is_one, np.repeat(first_one, lengths) + before, places - before)
        yield _Division(is_one, before, starts, lengths, destinations)
        if bit:
            divided = np.empty_like(numbers)
            divided[destinations] = numbers
            numbers = divided


def mean_ranks(numbers: Integers) -> Floats:
    """The place of each among all, from 0; equal ones, which stand together, share the mean of theirs."""
    begins, lengths = runs(numbers)
    return np.repeat(begins + (lengths - 1) / 2, lengths)


def score(
    pairs: Integers, tied: Sequence[Integers], tied_in_both: Integers, discordant: Integers
) -> Integers:
    """Concordant minus discordant pairs, of all `pairs`, by those that are equal in either or in both."""
    concordant = pairs - tied[0] - tied[1] + tied_in_both - discordant
    return concordant - discordant
