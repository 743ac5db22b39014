"""Strictly fair sampling: fair in every group, independent between edges, and without state."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.architectures import EDGES, all_masks
from tests.trainer.conftest import small_config, unhurried
from trainer.paths import StrictlyFair, path_sampler

operation_sets = st.sampled_from([tuple(mask.complement) for mask in all_masks()])
seeds = st.integers(0, 2**31 - 1)


@unhurried
@given(operation_sets, seeds, st.integers(0, 10_000))
def test_each_group_uses_each_operation_of_each_edge_once(
    operations: tuple[int, ...], seed: int, group: int
) -> None:
    sampler = StrictlyFair(operations, seed)
    size = sampler.steps_per_update
    assert size == len(operations)
    paths = [sampler.path(group * size + position) for position in range(size)]
    for edge in range(len(EDGES)):
        assert sorted(path[edge] for path in paths) == sorted(operations)


@unhurried
@given(operation_sets, seeds, st.lists(st.integers(0, 300), max_size=20))
def test_a_path_depends_on_its_step_only(operations: tuple[int, ...], seed: int, steps: list[int]) -> None:
    """A resumed run asks a new sampler for a step in the middle; it must get the same path."""
    sampler = StrictlyFair(operations, seed)
    for step in steps:
        assert sampler.path(step) == StrictlyFair(operations, seed).path(step)


def test_seeds_and_groups_differ() -> None:
    def paths(seed: int, first: int) -> list[tuple[int, ...]]:
        sampler = StrictlyFair((0, 1, 2, 3, 4), seed)
        return [sampler.path(step) for step in range(first, first + 50)]

    assert paths(0, 0) == paths(0, 0)
    assert paths(0, 0) != paths(1, 0)
    assert paths(0, 0) != paths(0, 50)


@pytest.mark.parametrize("operations", [(0, 1, 2, 3, 4), (1, 2, 3)])
def test_every_edge_and_pair_of_edges_is_uniform(operations: tuple[int, ...]) -> None:
    """Over many groups, each operation begins alike often, and so does each pair on two edges."""
    groups, size = 3_000, len(operations)
    sampler = StrictlyFair(operations, seed=5)
    firsts = [sampler.path(group * size) for group in range(groups)]

    def check(counts: Counter[object], cells: int) -> None:
        assert len(counts) == cells
        expected = groups / cells
        chi_squared = sum((count - expected) ** 2 / expected for count in counts.values())
        # Mean cells - 1, variance 2 (cells - 1): seven deviations above happen to nobody by chance.
        assert chi_squared < cells - 1 + 7 * (2 * (cells - 1)) ** 0.5

    for edge in range(len(EDGES)):
        check(Counter(path[edge] for path in firsts), size)
    for one, other in itertools.combinations(range(len(EDGES)), 2):
        check(Counter((path[one], path[other]) for path in firsts), size * size)


def test_orders_of_an_edge_are_all_permutations() -> None:
    """Not only the first of each group is random: the whole order is."""
    sampler = StrictlyFair((1, 2, 3), seed=0)
    orders = Counter(
        tuple(sampler.path(3 * group + position)[0] for position in range(3)) for group in range(1_200)
    )
    assert set(orders) == set(itertools.permutations((1, 2, 3)))
    assert all(130 < count < 270 for count in orders.values())  # 200 expected, deviation 13


def test_the_configuration_chooses_the_sampler() -> None:
    config = small_config(mask="Zero+Pool")
    assert path_sampler(config, 7).path(11) == StrictlyFair((1, 2, 3), 7).path(11)
