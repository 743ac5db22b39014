"""Lists of architectures: every notation, and lists that are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from nasrank.db.errors import NasrankError
from nasrank.db.nb201.architectures import Architecture
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.selection import select_architectures


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
