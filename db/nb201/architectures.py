"""The NAS-Bench-201 cell: its 15,625 architectures, their notations, and masks over their operations.

A cell has four nodes and six edges; each edge carries one of five operations. An architecture is
written in four ways, each of which round-trips exactly:

- index: 0..15624, the benchmark's own order (`arch_id` in the warehouse);
- string: `|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|avg_pool_3x3~2|`;
- digits: `301004`, one digit an edge, in the order of the string;
- nested tuple: `((("nor_conv_3x3", 0),), (("none", 0), ("skip_connect", 1)), …)`, a node a tuple.
"""

from __future__ import annotations

import hashlib
import itertools
import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from nasrank.db.errors import NasrankError, nearest

# In the order of the benchmark's digits; masks and LTs are always written in this order.
OPERATIONS: Final = ("Zero", "Skip", "C1x1", "C3x3", "Pool")
BENCHMARK_OPERATIONS: Final = (
    "none",
    "skip_connect",
    "nor_conv_1x1",
    "nor_conv_3x3",
    "avg_pool_3x3",
)
# (from node, to node), in the order of the architecture string.
EDGES: Final = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
# By node: the edges that end in it, as indices into `EDGES`.
EDGES_INTO: Final = {
    node: tuple(edge for edge, (_, target) in enumerate(EDGES) if target == node) for node in (1, 2, 3)
}
NUM_ARCHITECTURES: Final = len(OPERATIONS) ** len(EDGES)

NestedTuple = tuple[tuple[tuple[str, int], ...], ...]


@dataclass(frozen=True, order=True, slots=True)
class Architecture:
    """One architecture, as the digit of the operation on each of the six edges.

    `operations[e]` indexes `OPERATIONS` for edge `EDGES[e]`.
    """

    operations: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.operations) != len(EDGES) or not all(
            0 <= operation < len(OPERATIONS) for operation in self.operations
        ):
            raise NasrankError(
                f"not an architecture: operations {self.operations!r}; "
                f"six numbers from 0 to {len(OPERATIONS) - 1} are needed, one an edge"
            )

    @classmethod
    def from_id(cls, arch_id: int) -> Architecture:
        """The architecture with the NAS-Bench-201 index `arch_id`."""
        if not 0 <= arch_id < NUM_ARCHITECTURES:
            raise NasrankError(
                f"no architecture has the index {arch_id}; indices go from 0 to {NUM_ARCHITECTURES - 1}"
            )
        return _index_order()[arch_id]

    @classmethod
    def from_digits(cls, digits: str) -> Architecture:
        """From six digits such as `301004`, in the order of the string notation."""
        if not re.fullmatch(r"[0-4]{6}", digits, flags=re.ASCII):
            raise NasrankError(
                f"not an architecture in digits: {digits!r}; six digits from 0 to 4 are needed"
            )
        return cls(tuple(int(digit) for digit in digits))

    @classmethod
    def from_string(cls, text: str) -> Architecture:
        """From the benchmark's string, `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`."""
        nodes = tuple(
            tuple(_string_token(token, text) for token in node.strip("|").split("|"))
            for node in text.split("+")
        )
        architecture = cls.from_nested(nodes)
        if architecture.string != text:
            raise _not_a_string(text)
        return architecture

    @classmethod
    def from_nested(cls, nodes: Iterable[Iterable[tuple[str, int]]]) -> Architecture:
        """From nested tuples or lists: for each node its `(benchmark operation, from node)` pairs."""
        pairs = [(name, source, node) for node, edges in enumerate(nodes, 1) for name, source in edges]
        if tuple((source, node) for _, source, node in pairs) != EDGES:
            raise NasrankError(
                f"not an architecture: edges {[(s, n) for _, s, n in pairs]}; "
                f"a NAS-Bench-201 cell has the edges {list(EDGES)}, in this order"
            )
        for name, _, _ in pairs:
            if name not in BENCHMARK_OPERATIONS:
                raise NasrankError(
                    f"unknown operation {name!r}{nearest(name, BENCHMARK_OPERATIONS)}; NAS-Bench-201 has "
                    f"{', '.join(BENCHMARK_OPERATIONS)}"
                )
        return cls(tuple(BENCHMARK_OPERATIONS.index(name) for name, _, _ in pairs))

    @property
    def arch_id(self) -> int:
        """The NAS-Bench-201 index."""
        return _ids()[self]

    @property
    def digits(self) -> str:
        """Six digits, such as `301004`."""
        return "".join(map(str, self.operations))

    @property
    def nested(self) -> NestedTuple:
        """A tuple a node of `(benchmark operation, from node)` pairs."""
        return tuple(
            tuple(
                (BENCHMARK_OPERATIONS[operation], source)
                for operation, (source, target) in zip(self.operations, EDGES, strict=True)
                if target == node
            )
            for node in (1, 2, 3)
        )

    @property
    def string(self) -> str:
        """The benchmark's string, `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`."""
        return "+".join(
            "|" + "|".join(f"{name}~{source}" for name, source in node) + "|" for node in self.nested
        )

    @property
    def used(self) -> OperationSet:
        """The operations that some edge has."""
        return OperationSet(frozenset(self.operations))


@dataclass(frozen=True, slots=True)
class OperationSet:
    """A set of operations, written `Zero+Pool`; the empty set is written as the empty string."""

    members: frozenset[int] = frozenset()

    @classmethod
    def parse(cls, text: str) -> OperationSet:
        """From `Zero+Pool` in any order and case; `` and `none` are the empty set."""
        if text.strip().lower() in ("", "none"):
            return cls()
        by_name = {name.lower(): number for number, name in enumerate(OPERATIONS)}
        names = [name.strip().lower() for name in text.split("+")]
        unknown = [name for name in names if name not in by_name]
        if unknown or len(set(names)) != len(names):
            raise NasrankError(
                f"not a set of operations: {text!r}; join different ones of {', '.join(OPERATIONS)} "
                "with +, as in Zero+Pool, or give none"
            )
        return cls(frozenset(by_name[name] for name in names))

    def __str__(self) -> str:
        return "+".join(OPERATIONS[number] for number in sorted(self.members))

    def __iter__(self) -> Iterator[int]:
        return iter(sorted(self.members))

    def __len__(self) -> int:
        return len(self.members)

    def __contains__(self, operation: object) -> bool:
        return operation in self.members

    @property
    def bits(self) -> int:
        """As a bit mask, bit k for `OPERATIONS[k]`: how SQL tests for overlap."""
        return sum(1 << number for number in self.members)

    @property
    def complement(self) -> OperationSet:
        """The operations that are not in the set."""
        return OperationSet(frozenset(range(len(OPERATIONS))) - self.members)


def parse_mask(text: str) -> OperationSet:
    """The set of operations to remove from every edge; at least two must remain to choose from."""
    mask = OperationSet.parse(text)
    if len(mask.complement) < 2:
        raise NasrankError(
            f"mask {text!r} leaves {str(mask.complement) or 'no operation'}; at least two operations "
            "must remain, or there is nothing to rank"
        )
    return mask


def all_masks() -> list[OperationSet]:
    """Every set of operations that `parse_mask` accepts, by size, then in the order of `OPERATIONS`."""
    return [
        OperationSet(frozenset(members))
        for size in range(len(OPERATIONS) - 1)
        for members in itertools.combinations(range(len(OPERATIONS)), size)
    ]


def all_architectures() -> tuple[Architecture, ...]:
    """All 15,625, in the order of their index."""
    return _index_order()


@cache
def sample_order() -> tuple[int, ...]:
    """All `arch_id`s in one fixed pseudo-random order.

    The first 1,000 that a mask admits are its random sample: the same for every run of the mask,
    on every machine. Sorted by a hash, so that no random generator's version matters.
    """
    return tuple(
        sorted(
            range(NUM_ARCHITECTURES),
            key=lambda arch_id: hashlib.sha256(f"nasrank sample {arch_id}".encode()).digest(),
        )
    )


# SHA-256 over the digits of all architectures in index order, one a line.
_INDEX_ORDER_SHA256 = "04471a7003287a12b33c55ea3718c7911ff3a2a8d8030bb17713477ab5d79567"


@cache
def _index_order() -> tuple[Architecture, ...]:
    """The benchmark's index order: all combinations, shuffled once by its authors with seed 88.

    Checked against a digest, because Python does not promise that `shuffle` never changes.
    """
    ordered = [
        Architecture(operations)
        for operations in itertools.product(range(len(OPERATIONS)), repeat=len(EDGES))
    ]
    random.Random(88).shuffle(ordered)
    digest = hashlib.sha256("\n".join(a.digits for a in ordered).encode()).hexdigest()
    if digest != _INDEX_ORDER_SHA256:
        raise RuntimeError("this Python shuffles differently: the NAS-Bench-201 index order is lost")
    return tuple(ordered)


@cache
def _ids() -> dict[Architecture, int]:
    return {architecture: arch_id for arch_id, architecture in enumerate(_index_order())}


def _string_token(token: str, text: str) -> tuple[str, int]:
    name, tilde, source = token.partition("~")
    if not tilde or not re.fullmatch(r"[0-2]", source, flags=re.ASCII):
        raise _not_a_string(text)
    return name, int(source)


def _not_a_string(text: str) -> NasrankError:
    return NasrankError(
        f"not an architecture string: {text!r}; the form is |op~0|+|op~0|op~1|+|op~0|op~1|op~2| "
        f"with op one of {', '.join(BENCHMARK_OPERATIONS)}"
    )
