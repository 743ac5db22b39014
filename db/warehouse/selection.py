"""Choosing architectures by a list: a file in any notation, or a query of the warehouse."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from nasrank.db.errors import NasrankError
from nasrank.db.nb201.architectures import NUM_ARCHITECTURES, OperationSet, all_architectures, parse_mask
from nasrank.db.nb201.notations import arch_id_of
from nasrank.db.warehouse.file import Warehouse

_NO_MASK: Final = parse_mask("")


def select_architectures(warehouse: Warehouse, text: str, mask: OperationSet = _NO_MASK) -> list[int]:
    """The `arch_id`s that a query (`SELECT …`, `WITH …` or `FROM …`) or else the file `text` lists.

    A query's first column is taken; `$mask` in it stands for `mask`. A file has one architecture a line: an
    index, six digits, the benchmark's string or nested tuples; what follows # is left out.

    Raises `NasrankError` where one of them is no architecture, or where there are none.
    """
    arch_ids = _listed(warehouse, text, mask)
    if not arch_ids:
        raise NasrankError(f"{text!r} lists no architectures; give a query or file with at least one")
    return arch_ids


def architectures_of_masks(
    warehouse: Warehouse, texts: Sequence[str], masks: Iterable[OperationSet]
) -> dict[str, list[int]]:
    """By mask, the `arch_id`s that queries or files list, as for `select_architectures`, and the mask leaves.

    Raises `NasrankError` as that does, and where one lists none that any of the masks leaves.
    """
    used = [architecture.used.bits for architecture in all_architectures()]
    found: dict[str, list[int]] = {str(mask): [] for mask in masks}
    for text in texts:
        lists = {
            mask: [
                arch_id
                for arch_id in _listed(warehouse, text, parse_mask(mask))
                if not used[arch_id] & parse_mask(mask).bits
            ]
            for mask in found
        }
        if not any(lists.values()):
            raise NasrankError(
                f"{text!r} lists no architectures that one of these masks leaves: "
                f"{', '.join(mask or 'none' for mask in found)}; give a query or file with at least one"
            )
        found = {mask: sorted({*arch_ids, *lists[mask]}) for mask, arch_ids in found.items()}
    return found


def _listed(warehouse: Warehouse, text: str, mask: OperationSet) -> list[int]:
    is_query = re.match(r"\s*(select|with|from)\s", text, re.IGNORECASE)
    return sorted(set(_from_query(warehouse, text, mask) if is_query else _from_file(Path(text))))


def _from_query(warehouse: Warehouse, query: str, mask: OperationSet) -> list[int]:
    # DuckDB refuses a parameter that no query has.
    parameters = {"mask": str(mask)} if re.search(r"\$mask\b", query) else {}
    column: list[int] = warehouse.query_arrow(query, parameters).column(0).to_pylist()
    for value in column:
        if type(value) is not int or not 0 <= value < NUM_ARCHITECTURES:
            raise NasrankError(
                f"the first column of {query!r} has {value!r}; it must have arch_ids from 0 to "
                f"{NUM_ARCHITECTURES - 1}"
            )
    return column


def _from_file(path: Path) -> list[int]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not a text"
        raise NasrankError(
            f"cannot read architectures from {path}: {reason}; give all, a file with one a line, or a query"
        ) from error
    arch_ids = []
    for number, line in enumerate(lines, 1):
        notation = line.split("#")[0].strip()
        if notation:
            try:
                arch_ids.append(arch_id_of(notation))
            except NasrankError as error:
                raise NasrankError(f"{path}, line {number}: {error}") from error
    return arch_ids
