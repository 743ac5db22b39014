"""Path samplers: fair in every group, independent between edges and cells, and without state."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from nasrank.db.nb201.architectures import EDGES, all_masks
from nasrank.trainer.network.paths import StrictlyFair, Uniform, path_sampler
from tests.trainer.conftest import fewer_examples, small_config

operation_sets = st.sampled_from([tuple(mask.complement) for mask in all_masks()])
seeds = st.integers(0, 2**31 - 1)


@fewer_examples
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


@fewer_examples
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


@pytest.mark.parametrize("operations", [(0, 1, 2, 3, 4), (1, 3)])
def test_uniform_sampling_has_the_right_frequencies(operations: tuple[int, ...]) -> None:
    """Of each edge, each pair of edges, and of one edge in successive steps: chi-square with a fixed seed."""
    steps, size = 6_000, len(operations)
    sampler = Uniform(operations, seed=4)
    assert sampler.steps_per_update == 1
    paths = [sampler.path(step) for step in range(steps)]

    def p_value(counts: Counter[object], cells: int) -> float:
        observed = [*counts.values(), *[0] * (cells - len(counts))]
        return float(scipy.stats.chisquare(observed).pvalue)

    for edge in range(len(EDGES)):
        assert p_value(Counter(path[edge] for path in paths), size) > 0.001
        pairs = Counter((one[edge], other[edge]) for one, other in zip(paths[::2], paths[1::2], strict=True))
        assert p_value(pairs, size * size) > 0.001
    for one, other in itertools.combinations(range(len(EDGES)), 2):
        assert p_value(Counter((path[one], path[other]) for path in paths), size * size) > 0.001


@fewer_examples
@given(operation_sets, seeds, st.lists(st.integers(0, 300), max_size=20))
def test_a_uniform_path_depends_on_its_step_only(
    operations: tuple[int, ...], seed: int, steps: list[int]
) -> None:
    sampler = Uniform(operations, seed)
    for step in steps:
        path = sampler.path(step)
        assert path == Uniform(operations, seed).path(step)
        assert set(path) <= set(operations)


@pytest.mark.parametrize("path_sampling", ["strictly-fair", "uniform"])
def test_without_sharing_cells_differ_and_each_is_sampled_as_one_alone(path_sampling: str) -> None:
    config = small_config(path_sampling=path_sampling, topology_shared=False)
    sampler = path_sampler(config, 3, 6)
    steps = [sampler.path(step) for step in range(1_000)]
    assert all(len(paths) == 6 for paths in steps)
    assert len(set(steps)) == 1_000
    agreeing = 0
    for one, other in itertools.combinations(range(6), 2):
        agreeing += sum(paths[one][0] == paths[other][0] for paths in steps)
    assert 0.18 < agreeing / (1_000 * 15) < 0.22  # independent: one in five
    if path_sampling == "strictly-fair":
        assert sampler.steps_per_update == 5
        for group in range(200):
            for cell, edge in itertools.product(range(6), range(len(EDGES))):
                trained = [paths[cell][edge] for paths in steps[5 * group : 5 * group + 5]]
                assert sorted(trained) == [0, 1, 2, 3, 4]


def test_the_configuration_chooses_the_sampler() -> None:
    config = small_config(mask="Zero+Pool")
    assert path_sampler(small_config(path_sampling="uniform"), 7, 3).path(11) == Uniform(
        (0, 1, 2, 3, 4), 7
    ).path(11)
    assert path_sampler(config, 7, 3).path(11) == StrictlyFair((1, 2, 3), 7).path(11)
