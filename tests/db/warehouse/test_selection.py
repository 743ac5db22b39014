"""Lists of architectures: every notation, and lists that are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from nasrank.db.errors import NasrankError
from nasrank.db.nb201.architectures import Architecture, parse_mask
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.selection import architectures_of_masks, select_architectures

NO_MASK = parse_mask("")
# As of the random sample, the next thousand in its order.
HELD_OUT = """SELECT arch_id FROM search_space JOIN architecture USING (arch_id)
WHERE mask = $mask AND NOT one_per_class
QUALIFY row_number() OVER (ORDER BY sample_position) BETWEEN 1001 AND 2000"""


def test_a_file_may_use_any_notation(warehouse: Warehouse, tmp_path: Path) -> None:
    chosen = [Architecture.from_id(arch_id) for arch_id in (857, 0, 9_930, 15_624)]
    path = tmp_path / "a list"
    path.write_text(
        f"# best ones\n{chosen[0].digits}\n\n 0 \n{chosen[2].string} # of CIFAR-100\n"
        f"{chosen[3].nested}\n857\n"
    )
    assert select_architectures(warehouse, str(path)) == [0, 857, 9_930, 15_624]


def test_a_query_gives_its_first_column(warehouse: Warehouse) -> None:
    query = "\n SELECT arch_id, digits FROM architecture WHERE digits IN ('000000', '333333')"
    expected = sorted(Architecture.from_digits(digits).arch_id for digits in ("000000", "333333"))
    assert select_architectures(warehouse, query) == expected
    assert select_architectures(warehouse, f"WITH x AS ({query}) FROM x") == expected


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "lists no architectures"),
        ("3\n15625\n", "line 2: '15625' is not an architecture; an index from 0 to 15624"),
        ("301009", "line 1: '301009' is not an architecture; .* six digits from 0 to 4"),
        ("|nor_conv_3x3~0|", r"line 1: '\|nor_conv_3x3~0\|' is not an architecture"),
        ("-1", "line 1: '-1' is not an architecture"),
        (b"\xff\xfe", "it is not a text"),
    ],
)
def test_bad_lists_are_refused(warehouse: Warehouse, tmp_path: Path, content: str | bytes, said: str) -> None:
    path = tmp_path / "list"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(NasrankError, match=said):
        select_architectures(warehouse, str(path))


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT digits FROM architecture", "has '"),
        ("SELECT 15625", "has 15625"),
        ("SELECT NULL::INTEGER", "has None"),
        ("SELECT arch_id FROM architecture WHERE false", "lists no architectures"),
        ("SELECT arch_id FROM nothing", "nothing"),
    ],
)
def test_bad_queries_are_refused(warehouse: Warehouse, query: str, said: str) -> None:
    with pytest.raises(NasrankError, match=said):
        select_architectures(warehouse, query)


def test_a_query_may_depend_on_the_mask(warehouse: Warehouse) -> None:
    for mask, count in (("", 1_000), ("Zero", 1_000)):
        listed = select_architectures(warehouse, HELD_OUT, parse_mask(mask))
        sample = warehouse.query("SELECT arch_id FROM random_sample WHERE mask = ?", [mask]).arch_id
        assert len(listed) == count
        assert not set(listed) & set(sample)
        assert all(not Architecture.from_id(one).used.bits & parse_mask(mask).bits for one in listed)
    with pytest.raises(NasrankError, match="lists no architectures"):
        select_architectures(warehouse, HELD_OUT, parse_mask("Zero+Pool"))


def test_lists_of_several_masks_have_what_each_leaves(warehouse: Warehouse, tmp_path: Path) -> None:
    file = tmp_path / "list"
    file.write_text("000000\n333333\n333331\n")  # all Zero; all C3x3; one Skip
    first, second, third = (
        Architecture.from_digits(digits).arch_id for digits in ("000000", "333333", "333331")
    )
    masks = [parse_mask(mask) for mask in ("", "Zero", "Zero+Skip")]
    assert architectures_of_masks(warehouse, [str(file), f"SELECT {third}"], masks[:1] + masks[1:]) == {
        "": sorted([first, second, third]),
        "Zero": sorted([second, third]),
        "Zero+Skip": [second],
    }
    held_out = architectures_of_masks(warehouse, [HELD_OUT], [NO_MASK, parse_mask("Zero+Pool")])
    assert {mask: len(listed) for mask, listed in held_out.items()} == {"": 1_000, "Zero+Pool": 0}
    with pytest.raises(NasrankError, match="no architectures that one of these masks leaves: Zero; give"):
        architectures_of_masks(warehouse, [f"SELECT {first}"], [parse_mask("Zero")])
