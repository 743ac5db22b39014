"""Which architectures are equal: in a super-network, and as the benchmark's stand-alone networks.

A super-network keeps weights for every operation of every edge, so fewer architectures are equal there than
under isomorphism: a convolution on another edge is another convolution. But edges that do not reach the
output, linear operations of nothing, and Skip or Pool that reach a node by another way make no difference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from nasrank.db.nb201.architectures import (
    BENCHMARK_OPERATIONS,
    EDGES,
    EDGES_INTO,
    NUM_ARCHITECTURES,
    OPERATIONS,
    Architecture,
)

# A term is what a node's value is a sum of: a source behind linear maps. The source is the cell's input, or
# what a convolution of an edge makes of a node's value (its number). The maps are Pool and the 1x1
# convolutions without bias of linear transformers; their order does not matter.
_Source = tuple[int, ...]
_Term = tuple[tuple[int, ...], _Source]
_Value = frozenset[tuple[_Term, int]]  # terms and their coefficients

_INPUT: Final[_Source] = ()
_POOL: Final = -1  # a map; a transformer is a positive number
_EDGES_UP_TO: Final = (0, 1, 3, 6)  # by node
_ONE: Final = 6  # the coefficient 1: means of two and of three leave whole numbers


@dataclass(frozen=True)
class CellRules:
    """What decides which architectures are equal.

    Args:
        node_inputs: `mean` or `sum` of a node's input edges.
        transformed: the operations (Skip, Pool), as indices, that a linear transformer follows.
        zero_stays_zero: whether a convolution and its BatchNorm make zeros of zeros. They do with
            statistics of the very path, but not with running statistics, which are of all paths.
    """

    node_inputs: str = "mean"
    transformed: tuple[int, ...] = ()
    zero_stays_zero: bool = False


@cache
def representatives(rules: CellRules) -> Sequence[int]:
    """By `arch_id`, the architecture that computes the same with the fewest operations."""
    values = _Values(rules)
    outputs = [
        values.of_node(Architecture.from_id(arch_id).operations) for arch_id in range(NUM_ARCHITECTURES)
    ]
    cheapest: dict[int, int] = {}
    for arch_id in sorted(range(NUM_ARCHITECTURES), key=_cost):
        cheapest.setdefault(outputs[arch_id], arch_id)
    return [cheapest[output] for output in outputs]


def supernet_classes(rules: CellRules) -> Sequence[int]:
    """By `arch_id`, the smallest `arch_id` of those that compute the same in a super-network."""
    smallest: dict[int, int] = {}
    return [
        smallest.setdefault(representative, arch_id)
        for arch_id, representative in enumerate(representatives(rules))
    ]


class _Values:
    """Numbers the values that nodes can have: equal values have one number, 0 that of nothing."""

    def __init__(self, rules: CellRules) -> None:
        self._rules = rules
        self._numbers: dict[_Value, int] = {frozenset(): 0}
        self._values: list[_Value] = [frozenset()]
        self._input = self._number(frozenset({(((), _INPUT), _ONE)}))
        self._of_nodes: dict[tuple[int, ...], int] = {(): self._input}

    def of_node(self, operations: tuple[int, ...]) -> int:
        """The number of a node's value, by the operations of all edges up to it: none, one, three or six."""
        if operations in self._of_nodes:
            return self._of_nodes[operations]
        node = EDGES[len(operations) - 1][1]
        share = node if self._rules.node_inputs == "mean" else 1
        total: defaultdict[_Term, int] = defaultdict(int)
        for edge in EDGES_INTO[node]:
            source = self.of_node(operations[: _EDGES_UP_TO[EDGES[edge][0]]])
            for term, coefficient in self._along(edge, operations[edge], source):
                total[term] += coefficient // share
        number = self._number(frozenset(total.items()))
        self._of_nodes[operations] = number
        return number

    def _along(self, edge: int, operation: int, source: int) -> Iterable[tuple[_Term, int]]:
        """The terms that an edge adds to its node."""
        name = OPERATIONS[operation]
        if name == "Zero" or (source == 0 and self._rules.zero_stays_zero):
            return ()
        if name not in ("Skip", "Pool"):
            return [(((), (edge, operation, source)), _ONE)]
        maps = [_POOL] if name == "Pool" else []
        if operation in self._rules.transformed:
            maps.append(edge * len(OPERATIONS) + operation)
        return [
            ((tuple(sorted([*before, *maps])), origin), coefficient)
            for (before, origin), coefficient in self._values[source]
        ]

    def _number(self, value: _Value) -> int:
        if value not in self._numbers:
            self._numbers[value] = len(self._values)
            self._values.append(value)
        return self._numbers[value]


def _cost(arch_id: int) -> tuple[int, int, int]:
    """Sorts by how many edges there are to compute, and how many of them pool."""
    operations = Architecture.from_id(arch_id).operations
    zeros, pools = (operations.count(OPERATIONS.index(name)) for name in ("Zero", "Pool"))
    return len(EDGES) - zeros, pools, arch_id


@cache
def isomorphism_classes() -> Sequence[int]:
    """By `arch_id`, the smallest `arch_id` of its class under the benchmark authors' rule: 6,466 classes.

    These are the unique topologies of the NAS-Bench-201 paper, by which others remove duplicates. The rule
    writes the output node as a text, and equal texts are a class. Some architectures that are equal have
    different texts, for the sum of a sum is sorted as it was written; what matters here is to count as
    others do.
    """
    smallest: dict[str, int] = {}
    return [
        smallest.setdefault(_topology(Architecture.from_id(arch_id).operations), arch_id)
        for arch_id in range(NUM_ARCHITECTURES)
    ]


def _topology(operations: tuple[int, ...]) -> str:
    """The output node as the rule writes it: `#` for nothing, `0` for the input, and Skip hands a node on."""
    nodes = ["0"]
    for node in (1, 2, 3):
        flows = []
        for edge in EDGES_INTO[node]:
            source, operation = nodes[EDGES[edge][0]], BENCHMARK_OPERATIONS[operations[edge]]
            if operation == "none" or source == "#":
                flows.append("#")
            else:
                flows.append(source if operation == "skip_connect" else f"({source})@{operation}")
        nodes.append("+".join(sorted(flows)))
    return nodes[3]
