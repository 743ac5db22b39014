"""What the schema browser asks: relations, columns and macros with their comments."""

from __future__ import annotations

import pandas as pd

from nasrank.app.snapshot import Snapshot
from nasrank.db.warehouse.catalogue import COLUMNS, MACROS, RELATIONS


def relations(snapshot: Snapshot) -> pd.DataFrame:
    """One row a view, then one a table; columns kind, name, comment."""
    return snapshot.query(RELATIONS)


def columns(snapshot: Snapshot) -> pd.DataFrame:
    """One row a column of each relation: name (of the relation), column_name, data_type, comment."""
    return snapshot.query(COLUMNS)


def macros(snapshot: Snapshot) -> pd.DataFrame:
    """One row a macro; columns name, parameters (their names), is_table (it gives rows), comment."""
    return snapshot.query(MACROS)
