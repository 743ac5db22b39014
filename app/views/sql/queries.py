"""What the schema browser asks: relations, columns and macros with their comments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nasrank.app.rows import rows_as
from nasrank.app.snapshot import Snapshot
from nasrank.db.warehouse.catalogue import COLUMNS, MACROS, RELATIONS


@dataclass(frozen=True, slots=True)
class Relation:
    """A view or a table; `kind` says which."""

    kind: str
    name: str
    comment: str


@dataclass(frozen=True, slots=True)
class RelationColumn:
    """A column of the relation `name`; not every table has comments."""

    name: str
    column_name: str
    data_type: str
    comment: str | None


@dataclass(frozen=True, slots=True)
class Macro:
    """A macro, with the names of its parameters; `is_table`: it gives rows."""

    name: str
    parameters: Sequence[str]
    is_table: bool
    comment: str


def relations(snapshot: Snapshot) -> list[Relation]:
    """The views, then the tables."""
    return rows_as(Relation, snapshot.query(RELATIONS))


def columns(snapshot: Snapshot) -> list[RelationColumn]:
    """Those of all relations, each relation's in their order."""
    return rows_as(RelationColumn, snapshot.query(COLUMNS))


def macros(snapshot: Snapshot) -> list[Macro]:
    """All of them by name."""
    return rows_as(Macro, snapshot.query(MACROS))
