"""Every notation round-trips, a column is read as a whole, two readings are told apart or refused."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from nasrank.db.errors import NasrankError
from nasrank.db.nb201.architectures import EDGES, Architecture, all_architectures
from nasrank.db.nb201.notations import arch_id_of, choose_reading, read_column

NASLIB_EDGE_LIST = ((1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4))
NASLIB_NAMES = ["skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3"]

architectures = st.integers(0, 15624).map(Architecture.from_id)
columns = st.lists(architectures, min_size=1, max_size=8)


def naslib(architecture: Architecture) -> tuple[int, ...]:
    """As NASLib's convert_str_to_op_indices does it, from the text of the string."""
    nodes = [
        [token.split("~")[0] for token in node.strip("|").split("|")]
        for node in architecture.string.split("+")
    ]
    return tuple(NASLIB_NAMES.index(nodes[v - 2][u - 1]) for u, v in NASLIB_EDGE_LIST)


def lists(architecture: Architecture) -> list[list[list[object]]]:
    return [[list(edge) for edge in node] for node in architecture.nested]


WRITERS: dict[str, tuple[str, Callable[[Architecture], object]]] = {
    "string": ("string", lambda a: a.string),
    "string with blanks": ("string", lambda a: f" {a.string}\n"),
    "nested tuples": ("nested", lambda a: a.nested),
    "nested lists": ("nested", lists),
    "a list of tuples, as text": ("nested", lambda a: str(list(a.nested))),
    "nested lists as JSON": ("nested", lambda a: json.dumps(lists(a))),
    "pairs in one list": ("nested", lambda a: [pair for node in a.nested for pair in node]),
    "a genotype's text": (
        "nested",
        lambda a: (
            f"Genotype(normal={[pair for node in a.nested for pair in node]}, normal_concat=range(2, 6))"
        ),
    ),
    "digits": ("digits", lambda a: a.digits),
    "digits as a number": ("digits", lambda a: int(a.digits)),
    "flat tuple": ("digits", lambda a: a.operations),
    "flat tuple as text": ("digits", lambda a: str(a.operations)),
    "flat list as JSON": ("digits", lambda a: json.dumps(a.operations)),
    "flat array as text": ("digits", lambda a: str(np.array(a.operations))),
    "NASLib's tuple": ("naslib", naslib),
    "NASLib's tuple as text": ("naslib", lambda a: str(naslib(a))),
    "NASLib's digits": ("naslib", lambda a: "".join(map(str, naslib(a)))),
    "index": ("index", lambda a: a.arch_id),
    "index as text": ("index", lambda a: str(a.arch_id)),
    "index as a real number": ("index", lambda a: float(a.arch_id)),
}


@pytest.mark.parametrize("writer", WRITERS)
@given(column=columns)
def test_every_notation_round_trips(writer: str, column: list[Architecture]) -> None:
    notation, write = WRITERS[writer]
    values = [write(architecture) for architecture in column]
    expected = [architecture.arch_id for architecture in column]
    assert read_column(values)[notation].tolist() == expected
    assert read_column(values, notation)[notation].tolist() == expected


@given(column=columns)
def test_only_numbers_have_several_readings(column: list[Architecture]) -> None:
    assert list(read_column([a.string for a in column])) == ["string"]
    assert list(read_column([a.nested for a in column])) == ["nested"]
    assert set(read_column([a.operations for a in column])) == {"digits", "naslib"}
    assert set(read_column([a.arch_id for a in column])) >= {"index"}


def test_digits_and_indices_exclude_each_other_where_they_can() -> None:
    assert set(read_column(["301004", "000123"])) == {"digits", "naslib"}, "an index has no leading zeros"
    assert set(read_column(["10", "15005"])) == {"index"}, "no digit is above 4"
    assert set(read_column([10, 11])) == {"digits", "naslib", "index"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["301004", "305004"], "row 2: '305004' is not an architecture, as all before it are"),
        (["0", "15625"], "row 2: '15625'"),
        (["-1"], "row 1: '-1' is not"),
        ([True], "row 1: True is not"),
        ([None], "row 1: None is not"),
        ([""], "row 1: '' is not"),
        ([1.5], "row 1: 1.5 is not"),
        ([float("nan")], "row 1: nan is not"),
        ([(0, 1, 2)], r"row 1: \(0, 1, 2\) is not"),
        (["|none~0|+|none~1|none~0|+|none~0|none~1|none~2|"], "row 1: .*none~1"),
        (["__import__('os').system('true')"], "row 1: .*is not an architecture; string, nested,"),
        ([all_architectures()[5].string, 5], r"row 2: 5 is not an architecture, as all before .*\(string\)"),
        (["x" * 5000], r"row 1: 'x{40,50}\.\.\.x{40,50}' is not"),
    ],
)
def test_what_is_no_column_of_architectures(values: list[object], message: str) -> None:
    with pytest.raises(NasrankError, match=message):
        read_column(values)


def test_a_forced_notation_must_fit() -> None:
    with pytest.raises(NasrankError, match="row 1: '301004' is not an architecture; index is needed"):
        read_column(["301004"], "index")
    with pytest.raises(NasrankError, match="unknown notation 'nasbench'; choose string, nested"):
        read_column(["301004"], "nasbench")


def test_a_whole_search_space_is_read_in_a_moment() -> None:
    for _, write in WRITERS.values():
        column = [write(architecture) for architecture in all_architectures()]
        started = time.process_time()
        read_column(column)
        assert time.process_time() - started < 1


def test_one_architecture() -> None:
    architecture = all_architectures()[3125]
    for text in (architecture.string, str(architecture.nested), architecture.digits, "3125"):
        assert arch_id_of(text) == 3125
    with pytest.raises(NasrankError, match="'no' is not an architecture; an index from 0 to 15624, six"):
        arch_id_of("no")


def accuracies() -> np.ndarray:
    """Not one operation or edge is like another."""
    worth = np.array([0.0, 0.2, 0.5, 0.7, 0.1])
    edges = np.array([1.0, 0.9, 0.7, 0.8, 0.6, 0.4])
    operations = np.array([a.operations for a in all_architectures()])
    assert operations.shape[1] == len(EDGES)
    return worth[operations] @ edges / edges.sum()


@pytest.mark.parametrize("notation", ["digits", "naslib"])
@pytest.mark.parametrize("sign", [1, -1])
def test_readings_are_told_apart_by_known_accuracies(notation: str, sign: int) -> None:
    truth = accuracies()
    write = naslib if notation == "naslib" else Architecture.operations.__get__
    rows = np.random.default_rng(0).choice(15_625, 300, replace=False)
    readings = read_column([write(Architecture.from_id(int(row))) for row in rows])
    numbers = sign * truth[rows] + np.random.default_rng(1).normal(0, 0.05, len(rows))
    numbers[:3] = np.nan
    chosen, note = choose_reading(readings, numbers, truth, "KEY")
    assert chosen == notation
    assert note is not None
    told = {}
    for name, arch_ids in readings.items():
        told[name] = f"{spearmanr(numbers[3:], truth[arch_ids][3:]).statistic:.3f} as {name}"
    assert note == (
        f"read as {notation}: Spearman's correlation to KEY is {told['digits']} and {told['naslib']}"
    )


def test_readings_that_cannot_be_told_apart_are_refused() -> None:
    truth = accuracies()
    generator = np.random.default_rng(0)
    readings = read_column([a.digits for a in all_architectures()])
    with pytest.raises(NasrankError, match="15,625 rows do not tell which: .*force one with --notation"):
        choose_reading(readings, generator.normal(size=15_625), truth, "KEY")
    few = read_column([a.digits for a in all_architectures()[:9]])
    with pytest.raises(NasrankError, match="9 rows do not tell which"):
        choose_reading(few, truth[:9], truth, "KEY")
    with pytest.raises(NasrankError, match="do not tell which: .* 0.000 as digits and 0.000 as naslib"):
        choose_reading(readings, np.ones(15_625), truth, "KEY")


def test_readings_that_agree_need_no_choice() -> None:
    same = read_column(["|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"])
    assert choose_reading(same, np.ones(1), accuracies(), "KEY") == ("string", None)
