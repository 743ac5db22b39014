"""Pairs are counted as by going through all of them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasrank.db.metrics.pairs import Keys, inversions, mean_ranks, tied_pairs, weighted_inversions

# Series of rows of two columns.
SERIES = st.lists(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 70_000)), min_size=1, max_size=30),
    min_size=1,
    max_size=5,
)


def columns_of(series: list[list[tuple[int, int]]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    numbers = np.repeat(np.arange(len(series)), [len(rows) for rows in series])
    first, second = np.array([row for rows in series for row in rows]).T
    return numbers, first, second


@given(SERIES)
def test_inversions_within_each_series(series: list[list[tuple[int, int]]]) -> None:
    numbers, _, second = columns_of(series)
    begins = np.searchsorted(numbers, np.arange(len(series)))
    expected = [sum(a[1] > b[1] for a, b in itertools.combinations(rows, 2)) for rows in series]
    assert inversions(Keys.of(numbers, second), begins).tolist() == expected


@given(SERIES, st.integers(0, 99))
def test_weights_of_inversions(series: list[list[tuple[int, int]]], seed: int) -> None:
    """The sum of both members' weights, and the same pairs as without."""
    numbers, _, second = columns_of(series)
    begins = np.searchsorted(numbers, np.arange(len(series)))
    weights = np.random.default_rng(seed).random(len(numbers))
    keys = Keys.of(numbers, second)
    pairs, weight = weighted_inversions(keys, weights, begins)
    assert pairs.tolist() == inversions(keys, begins).tolist()
    expected = [
        sum(
            weights[begin + i] + weights[begin + j]
            for i, j in itertools.combinations(range(len(rows)), 2)
            if rows[i][1] > rows[j][1]
        )
        for begin, rows in zip(begins, series, strict=True)
    ]
    assert weight.tolist() == pytest.approx(expected)


@given(SERIES)
def test_inversions_only_where_the_other_columns_are_equal(series: list[list[tuple[int, int]]]) -> None:
    series = [sorted(rows, key=lambda row: row[0]) for rows in series]
    begins = np.cumsum([0] + [len(rows) for rows in series])[:-1]
    expected = [
        sum(a[0] == b[0] and a[1] > b[1] for a, b in itertools.combinations(rows, 2)) for rows in series
    ]
    assert inversions(Keys.of(*columns_of(series)), begins).tolist() == expected


@given(SERIES, st.integers(1, 3))
def test_ties_in_the_leading_columns(series: list[list[tuple[int, int]]], leading: int) -> None:
    found = tied_pairs(Keys.of(*columns_of(series)).sorted(), leading, len(series))
    expected = [
        sum(a[: leading - 1] == b[: leading - 1] for a, b in itertools.combinations(rows, 2))
        for rows in series
    ]
    assert found.tolist() == expected


@given(SERIES, st.integers(0, 2))
def test_a_column_that_is_left_out(series: list[list[tuple[int, int]]], place: int) -> None:
    columns = list(columns_of(series))
    left = Keys.of(*columns).without(place)
    del columns[place]
    assert left.numbers.tolist() == Keys.of(*columns).numbers.tolist()
    assert left.widths == Keys.of(*columns).widths


def test_keys_of_more_bits_than_a_number_has_are_refused() -> None:
    column = np.array([2**31 - 1, 0])
    with pytest.raises(ValueError, match="93 bits do not fit into 63"):
        Keys.of(column, column, column)


def test_equal_ones_share_the_mean_of_their_places() -> None:
    assert mean_ranks(np.array([3, 3, 5, 8, 8, 8])).tolist() == [0.5, 0.5, 2, 4, 4, 4]
