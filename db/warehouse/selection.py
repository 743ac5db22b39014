"""Choosing architectures by a list: a file in any notation, or a query of the warehouse."""

from __future__ import annotations

import re
from pathlib import Path

from nasrank.db.errors import NasrankError
from nasrank.db.nb201.architectures import NUM_ARCHITECTURES
from nasrank.db.nb201.notations import arch_id_of
from nasrank.db.warehouse.file import Warehouse


def select_architectures(warehouse: Warehouse, text: str) -> list[int]:
    """The `arch_id`s that a query (`SELECT …`, `WITH …` or `FROM …`) or else the file `text` lists.

    A query's first column is taken. A file has one architecture a line: an index, six digits, the
    benchmark's string or nested tuples; what follows # is left out.

    Raises `NasrankError` where one of them is no architecture, or where there are none.
    """
    if re.match(r"\s*(select|with|from)\s", text, re.IGNORECASE):
        arch_ids = _from_query(warehouse, text)
    else:
        arch_ids = _from_file(Path(text))
    if not arch_ids:
        raise NasrankError(f"{text!r} lists no architectures; give a query or file with at least one")
    return sorted(set(arch_ids))


def _from_query(warehouse: Warehouse, query: str) -> list[int]:
    column: list[int] = warehouse.query_arrow(query).column(0).to_pylist()
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
