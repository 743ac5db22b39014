"""Why a query may have no rows: a text in it is no key, mask, set or other name of this warehouse."""

from __future__ import annotations

import re
from typing import Final

import duckdb

from nasrank.db.errors import NasrankError, nearest, shown
from nasrank.db.nb201.architectures import OperationSet
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.ground_truth import GroundTruthKey, ground_truth_keys, key_hint

_TEXT: Final = re.compile(r"'((?:[^']|'')*)'")
_MOST_HINTS: Final = 3
# Every name that a column of the views can have: what is compared with another text gives no row.
_NAMES: Final = """
SELECT architecture_set FROM set_definition UNION SELECT metric FROM metric
UNION SELECT source FROM benchmark_source UNION SELECT bn_mode FROM evaluation UNION SELECT run_id FROM run
UNION SELECT unnest([kind, dataset, size, lt, variant, name, experiment_id]) FROM experiment
UNION SELECT unnest(['train', 'valid', 'test', 'mean', 'top', 'random', 'all', 'predicted'])
"""


def hints_of_no_rows(warehouse: Warehouse, sql: str) -> tuple[str, ...]:
    """A line for each text of a query without rows that seems to be no name in the warehouse."""
    texts = dict.fromkeys(text.replace("''", "'") for text in _TEXT.findall(sql))
    try:
        with warehouse.read() as connection:
            keys = ground_truth_keys(connection)
            names = _names(connection)
    except duckdb.Error:  # an earlier version's file lacks views; its owner asked another question
        return ()
    hints = [hint for text in texts if text not in names and (hint := _hint(text, sql, keys, names))]
    return tuple(hints[:_MOST_HINTS])


def _names(connection: duckdb.DuckDBPyConnection) -> set[str]:
    return {name for (name,) in connection.execute(_NAMES).fetchall() if name}


def _hint(text: str, sql: str, keys: list[GroundTruthKey], names: set[str]) -> str | None:
    if any(text == str(key) for key in keys):
        return None
    whole = [str(key) for key in keys if text in key.short_forms]
    if whole:
        return f"{shown(text)} is written in full in SQL: {' or '.join(map(repr, whole))}"
    if "mask" in sql:
        if text.lower() in ("none", "no mask", "null"):
            return "no mask is the empty text in SQL: mask = ''"
        written = _mask(text)
        if written is not None and written != text:
            return f"{shown(text)} is written {written!r}"
        if written is not None:
            return None
    if "/" in text and (hint := key_hint(text, keys)):
        return f"{shown(text)} is no ground-truth key{hint}"
    hint = nearest(text, names)
    return f"nothing in this warehouse is called {shown(text)}{hint}" if hint else None


def _mask(text: str) -> str | None:
    """The name of a mask as SQL has it; None where it is none."""
    try:
        return str(OperationSet.parse(text)) or None
    except NasrankError:
        return None
