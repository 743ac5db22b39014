from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from nasrank.app.rows import rows_as


@dataclass(frozen=True)
class Pair:
    name: str
    number: int


def test_rows_are_made_by_the_names_of_columns() -> None:
    table = pd.DataFrame({"number": [2, 1], "other": [0.5, 0.25], "name": ["a", "b"]})
    assert rows_as(Pair, table) == [Pair("a", 2), Pair("b", 1)]
    assert rows_as(Pair, table.iloc[:0]) == []
