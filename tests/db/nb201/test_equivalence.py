"""Classes of equal architectures: hand-worked ones, and counts that were found elsewhere."""

from __future__ import annotations

import itertools

import pytest

from nasrank.db.nb201.architectures import EDGES, NUM_ARCHITECTURES, OPERATIONS, Architecture
from nasrank.db.nb201.equivalence import CellRules, isomorphism_classes, representatives
from nasrank.db.warehouse.file import Warehouse

SKIP, POOL = OPERATIONS.index("Skip"), OPERATIONS.index("Pool")


def representative(digits: str, rules: CellRules) -> str:
    found = representatives(rules)[Architecture.from_digits(digits).arch_id]
    return Architecture.from_id(found).digits


def classes(rules: CellRules) -> int:
    return len(set(representatives(rules)))


def reaches_the_output(operations: tuple[int, ...]) -> tuple[int, ...]:
    """Zero on the edges into nodes that nothing but Zero leaves."""
    found = list(operations)
    for node in (2, 1):
        if not any(found[edge] for edge, (source, _) in enumerate(EDGES) if source == node):
            for edge, (_, target) in enumerate(EDGES):
                found[edge] = 0 if target == node else found[edge]
    return tuple(found)


def without_linear_of_nothing(operations: tuple[int, ...], linear: tuple[int, ...]) -> tuple[int, ...]:
    """Zero on edges with a linear operation whose node has no inputs."""
    found = list(operations)
    for node in (1, 2):
        if not any(found[edge] for edge, (_, target) in enumerate(EDGES) if target == node):
            for edge, (source, _) in enumerate(EDGES):
                found[edge] = 0 if source == node and found[edge] in linear else found[edge]
    return tuple(found)


@pytest.mark.parametrize(("zero_stays_zero", "expected"), [(False, 10_405), (True, 9_445)])
def test_with_transformers_only_nothing_makes_equal(zero_stays_zero: bool, expected: int) -> None:
    """Where every Skip and Pool has weights of its own, a simple rule gives the classes."""
    rules = CellRules(transformed=(SKIP, POOL), zero_stays_zero=zero_stays_zero)
    linear = tuple(range(1, 5)) if zero_stays_zero else (SKIP, POOL)
    simple: dict[tuple[int, ...], set[int]] = {}
    for path in itertools.product(range(5), repeat=6):
        reduced, before = path, None
        while reduced != before:
            before, reduced = reduced, reaches_the_output(without_linear_of_nothing(reduced, linear))
        simple.setdefault(reduced, set()).add(representatives(rules)[Architecture(path).arch_id])
    assert all(len(found) == 1 for found in simple.values())
    assert len(simple) == classes(rules) == expected


def test_edges_that_reach_nothing_are_12205_without_more() -> None:
    paths = itertools.product(range(5), repeat=6)
    assert len({reaches_the_output(path) for path in paths}) == 12_205


@pytest.mark.parametrize("rules", [CellRules(), CellRules("sum"), CellRules(zero_stays_zero=True)])
def test_skips_make_more_of_them_equal(rules: CellRules) -> None:
    found = representatives(rules)
    assert classes(rules) < (9_445 if rules.zero_stays_zero else 10_405)
    for arch_id in range(NUM_ARCHITECTURES):
        assert found[found[arch_id]] == found[arch_id]
        cost = Architecture.from_id(found[arch_id]).operations.count(0)
        assert cost >= Architecture.from_id(arch_id).operations.count(0)


@pytest.mark.parametrize(
    ("one", "other", "rules", "equal"),
    [
        # Edges are 01 02 12 03 13 23.
        ("333300", "000300", CellRules(), True),  # nothing leaves nodes 1 and 2
        ("003001", "000000", CellRules(), False),  # a convolution of zeros is a constant …
        ("003001", "000000", CellRules(zero_stays_zero=True), True),  # … or zeros
        ("001001", "000000", CellRules(), True),  # Skip of zeros
        ("100010", "000100", CellRules(), True),  # Skip by way of node 1
        ("010001", "000100", CellRules(), False),  # by way of node 2, whose mean halves it
        ("010001", "000100", CellRules("sum"), True),
        ("100010", "000100", CellRules(transformed=(SKIP,)), False),
        ("100040", "400010", CellRules(), True),  # Pool before or after Skip
        ("100030", "000300", CellRules(), False),  # other edges have other weights
        ("110031", "101031", CellRules(), True),  # node 2 gets the input, by either edge
        ("300010", "300010", CellRules(), True),
    ],
)
def test_hand_worked_pairs(one: str, other: str, rules: CellRules, equal: bool) -> None:
    assert (representative(one, rules) == representative(other, rules)) == equal


def test_isomorphism_classes_are_those_of_the_benchmark() -> None:
    classes = isomorphism_classes()
    assert len(set(classes)) == 6_466, "the number that the NAS-Bench-201 paper gives"
    assert all(
        class_id <= arch_id and classes[class_id] == class_id for arch_id, class_id in enumerate(classes)
    )


def test_the_warehouse_has_the_classes_of_both_kinds_of_statistics(warehouse: Warehouse) -> None:
    """Each class is named after its smallest member, and its members compute what its name computes."""
    table = warehouse.query("SELECT * FROM architecture_class ORDER BY arch_id")
    assert table["class_id"].tolist() == list(isomorphism_classes())
    for column, rules in (
        ("supernet_class_id", CellRules()),
        ("supernet_batch_class_id", CellRules(zero_stays_zero=True)),
    ):
        by_representative: dict[int, list[int]] = {}
        for arch_id, found in enumerate(representatives(rules)):
            by_representative.setdefault(found, []).append(arch_id)
        wanted = {arch_id: min(members) for members in by_representative.values() for arch_id in members}
        assert dict(enumerate(table[column])) == wanted
    # With a path's own statistics more are equal, and none that were are not.
    assert (table.groupby("supernet_class_id")["supernet_batch_class_id"].nunique() == 1).all()


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("300000", "300000", True),
        ("311111", "313111", False),
        ("030003", "300030", False),  # equal, but the rule writes the Zero into node 2
        ("000300", "100030", True),  # a Skip to node 1 before the same convolution
        ("000300", "000400", False),
        ("003303", "000303", True),  # a convolution of node 1, which has nothing
    ],
)
def test_isomorphism_by_hand(one: str, other: str, equal: bool) -> None:
    classes = isomorphism_classes()
    of_one, of_other = (classes[Architecture.from_digits(digits).arch_id] for digits in (one, other))
    assert (of_one == of_other) is equal
