"""Architectures as people write them: a whole column is read at once, in every notation that fits it.

- `string`: the benchmark's, `|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|avg_pool_3x3~2|`;
- `nested`: `[(('nor_conv_3x3', 0),), (('none', 0), ('skip_connect', 1)), …]`, tuples or lists;
- `digits`: the operations of the six edges, `301004` or `(3, 0, 1, 0, 0, 4)`, in the order of the string;
- `naslib`: the same six numbers in the order of NASLib's operations and edges;
- `names`: the names of the operations of the six edges in the order of the string, `["conv_3x3", "none", …]`;
- `edges`: from edge to the name of its operation, `{"0_1": "conv_3x3", "0_2": "none", …}`, nodes from 0 or 1;
- `index`: 0..15624.

Values are strings, numbers, tuples, lists or objects; all but the string may also be their Python or JSON
text. The string and the tuples may stand within other text, as in `Structure(4 nodes with |…|)`. Operations
have the benchmark's names or shorter ones of others, `conv_3x3` or `zero`. Any six numbers from 0 to 4 are an
architecture for NASLib as well as for the benchmark: nothing in them says which. So a column has readings,
and what the column's numbers say about known accuracies tells them apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nasrank.db.errors import NasrankError, nearest, shown
from nasrank.db.nb201.architectures import (
    BENCHMARK_OPERATIONS,
    EDGES,
    NUM_ARCHITECTURES,
    Architecture,
    all_architectures,
)

NOTATIONS: Final = ("string", "nested", "digits", "naslib", "names", "edges", "index")
# Of `NASLib`, naslib/search_spaces/nasbench201/conversions.py, where nodes are counted from 1.
NASLIB_OPERATIONS: Final = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")
NASLIB_EDGES: Final = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))

ArchIds = NDArray[np.int16]
Readings = Mapping[str, ArchIds]

# Other names of operations, and how edges are written.
_ALIASES: Final = {
    "conv_3x3": "nor_conv_3x3",
    "conv3x3": "nor_conv_3x3",
    "conv_1x1": "nor_conv_1x1",
    "conv1x1": "nor_conv_1x1",
    "avgpool_3x3": "avg_pool_3x3",
    "avg_pool": "avg_pool_3x3",
    "skip": "skip_connect",
    "identity": "skip_connect",
    "zero": "none",
    "zeroize": "none",
}
_EDGE: Final = re.compile(r"\(?(\d)[_\-,>~ ]+(\d)\)?")
_EDGES_IN_TEXT: Final = re.compile(r"(\d)[_\-,>~]+(\d):([a-z][a-z0-9_]*)")
_STRING: Final = re.compile(r"\|\w+~0\|\+\|\w+~0\|\w+~1\|\+\|\w+~0\|\w+~1\|\w+~2\|")
_OPERATION: Final = re.compile(r"(\w+)~\d")
_LONGEST: Final = 200  # characters of a string that are looked at to say what is wrong
# Operations with the nodes that they come from, within a genotype's text.
_PAIR: Final = r"[A-Za-z]\w*,"
_PAIRS: Final = re.compile(r"(?<!\w)" + ",".join(f"{_PAIR}{source}" for source, _ in EDGES) + r"(?!\w)")
# Brackets, quotes and blanks are not needed to read a tuple, and differ between Python, JSON and NumPy.
_LEFT_OUT: Final = str.maketrans("", "", "()[]'\" \t\r\n")
# No notation has a larger number.
_LARGEST: Final = 10**6
# Two correlations are told apart by so many standard errors of their difference.
_STANDARD_ERRORS: Final = 4
_FEWEST: Final = 10


def read_column(values: Sequence[object], notation: str | None = None) -> dict[str, ArchIds]:
    """The `arch_id`s of a column, int16 [rows], in each notation that all its values are in.

    Only `notation`, where it is given.

    Raises:
        NasrankError: a value fits no notation, or no notation fits all values.
    """
    if notation is not None and notation not in NOTATIONS:
        raise NasrankError(
            f"unknown notation {notation!r}{nearest(notation, NOTATIONS)}; choose {', '.join(NOTATIONS)}"
        )
    texts = [_canonical(value) for value in values]
    readings: dict[str, ArchIds] = {}
    reached: dict[str, int] = {}
    for name in NOTATIONS if notation is None else (notation,):
        table = _table(name)
        arch_ids = [table.get(text, -1) for text in texts]
        if -1 in arch_ids:
            reached[name] = arch_ids.index(-1)
        else:
            readings[name] = np.array(arch_ids, np.int16)
    if not readings:
        row = max(reached.values())
        fitting = [name for name, end in reached.items() if end == row]
        before = f", as all before it are ({' or '.join(fitting)})" if row else ""
        raise NasrankError(
            f"row {row + 1}: {shown(values[row])} is not an architecture{_unknown(values[row])}{before}; "
            f"{notation or ', '.join(NOTATIONS[:-1]) + ' or index'} is needed, one notation in all rows"
        )
    return readings


def _unknown(value: object) -> str:
    """The operation in a string that the benchmark lacks, to put behind it; empty where there is none."""
    names = _OPERATION.findall(str(value)[:_LONGEST])
    unknown = next((name for name in names if name not in BENCHMARK_OPERATIONS), None)
    return (
        f", with the unknown operation {unknown!r}{nearest(unknown, BENCHMARK_OPERATIONS)}" if unknown else ""
    )


def arch_id_of(text: str) -> int:
    """Of one architecture, in any notation but NASLib's: six digits are in the benchmark's order.

    Raises:
        NasrankError: it is none.
    """
    canonical = _canonical(text)
    for name in ("string", "nested", "index", "digits"):
        if (arch_id := _table(name).get(canonical)) is not None:
            return arch_id
    raise NasrankError(
        f"{shown(text)} is not an architecture; an index from 0 to {NUM_ARCHITECTURES - 1}, six digits from "
        f"0 to 4, or the benchmark's string or tuples with its operations {', '.join(BENCHMARK_OPERATIONS)} "
        "are needed"
    )


def naslib_numbers(architecture: Architecture) -> tuple[int, ...]:
    """An architecture in NASLib's notation."""
    names = [BENCHMARK_OPERATIONS[operation] for operation in architecture.operations]
    return tuple(NASLIB_OPERATIONS.index(names[EDGES.index(edge)]) for edge in NASLIB_EDGES)


def choose_reading(
    readings: Readings, numbers: NDArray[np.float64], truth: NDArray[np.float64], truth_name: str
) -> tuple[str, str | None]:
    """The notation whose reading fits known accuracies, and a line that says why where there were several.

    Args:
        readings: as `read_column` returns them, at least one.
        numbers: [rows] what the column's architectures are predicted; NaN is left out.
        truth: [architectures] known accuracies by `arch_id`; NaN is left out.
        truth_name: what they are called in the line.

    Raises:
        NasrankError: the readings cannot be told apart.
    """
    names = list(readings)
    if all(np.array_equal(readings[name], readings[names[0]]) for name in names):
        return names[0], None
    found = {name: spearman(numbers, truth[readings[name]]) for name in names}
    best, second = sorted(names, key=lambda name: -abs(found[name][0]))[:2]
    told = " and ".join(f"{found[name][0]:.3f} as {name}" for name in names)
    rows = min(n for _, n in found.values())
    if not _is_clear(found[best][0], found[second][0], rows):
        raise NasrankError(
            f"the architectures can be read as {' or as '.join(names)}, and {rows:,} rows do not tell which: "
            f"Spearman's correlation to {truth_name} is {told}; force one with --notation"
        )
    return best, f"read as {best}: Spearman's correlation to {truth_name} is {told}"


def _is_clear(best: float, second: float, rows: int) -> bool:
    """By Fisher's z, whose standard error is 1/√(n-3) whatever the correlation."""
    if rows < _FEWEST:
        return False
    difference = np.arctanh(min(abs(best), 1 - 1e-9)) - np.arctanh(min(abs(second), 1 - 1e-9))
    return bool(difference > _STANDARD_ERRORS * np.sqrt(2 / (rows - 3)))


def spearman(numbers: NDArray[np.float64], truth: NDArray[np.float64]) -> tuple[float, int]:
    """Spearman's over the rows where both are known, 0 where it does not exist; and how many these are."""
    # Here, because it takes half a second and 60 MB to import, which no other command should.
    from scipy.stats import spearmanr

    known = np.isfinite(numbers) & np.isfinite(truth)
    rows = int(known.sum())
    if rows < 2 or np.ptp(numbers[known]) == 0 or np.ptp(truth[known]) == 0:
        return 0.0, rows
    return float(spearmanr(numbers[known], truth[known]).statistic), rows


def is_edges(value: object) -> bool:
    """Whether an object is an architecture, from edge to operation, and has no members of its own."""
    return (
        isinstance(value, dict)
        and len(value) == len(EDGES)
        and all(isinstance(key, str) and _EDGE.fullmatch(key) for key in value)
    )


def is_architecture(value: object) -> bool:
    """Whether a value is an architecture in some notation."""
    canonical = _canonical(value)
    return any(canonical in _table(notation) for notation in NOTATIONS)


def _canonical(value: object) -> str:
    """A value as the tables below have it, `3,0,1,0,0,4` for `(3, 0, 1, 0, 0, 4)`, its text and the list."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and abs(value) > _LARGEST:
        return ""  # not an architecture, and Python may refuse to write its digits
    if isinstance(value, dict):
        return _of_edges([(key, str(operation)) for key, operation in value.items()])
    text = str(value).translate(_LEFT_OUT)
    if "|" in text:
        found = _STRING.search(text)
        return found[0] if found else text
    if text.startswith("{"):
        found_edges = _EDGES_IN_TEXT.findall(text)
        return _of_edges([(f"{start}_{end}", operation) for start, end, operation in found_edges])
    if ",," in text:  # of one-element tuples
        text = re.sub(",+", ",", text)
    text = text.strip(",")
    if pairs := _PAIRS.search(text):
        text = pairs[0]
    if text[:1].isalpha() and "," in text:
        text = ",".join(_ALIASES.get(name, name) for name in text.split(","))
    return text


def _of_edges(operations: Sequence[tuple[str, str]]) -> str:
    """`edges:nor_conv_3x3,none,…` in the order of the string; empty for what is none."""
    found: dict[tuple[int, int], str] = {}
    for key, operation in operations:
        match = _EDGE.fullmatch(key)
        if match is None:
            return ""
        found[int(match[1]), int(match[2])] = _ALIASES.get(operation, operation)
    first = min((start for start, _ in found), default=0)
    ordered = [found.get((start + first, end + first), "") for start, end in EDGES]
    return "edges:" + ",".join(ordered)


@cache
def _table(notation: str) -> dict[str, int]:
    """From `_canonical` texts to `arch_id`s."""
    match notation:
        case "string":
            return {a.string: arch_id for arch_id, a in enumerate(all_architectures())}
        case "nested":
            return {_nested(text): arch_id for text, arch_id in _table("string").items()}
        case "names" | "edges":
            prefix = "edges:" if notation == "edges" else ""
            names = [
                [BENCHMARK_OPERATIONS[operation] for operation in a.operations] for a in all_architectures()
            ]
            return {prefix + ",".join(operations): arch_id for arch_id, operations in enumerate(names)}
        case "index":
            return {str(arch_id): arch_id for arch_id in range(len(all_architectures()))}
        case _:
            table: dict[str, int] = {}
            for arch_id, architecture in enumerate(all_architectures()):
                operations = architecture.operations if notation == "digits" else naslib_numbers(architecture)
                numbers = [str(operation) for operation in operations]
                digits = "".join(numbers)
                # As a number, 001234 has lost its zeros.
                for text in (digits, ",".join(numbers), str(int(digits))):
                    table[text] = arch_id
            return table


def _nested(string: str) -> str:
    """`a,0,b,0,c,1,…` of `|a~0|+|b~0|c~1|+…`: where a node ends follows from the numbers."""
    return string.strip("|").replace("|+|", "|").replace("|", ",").replace("~", ",")
