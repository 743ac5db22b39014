"""Rows of a table as objects whose fields have types."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, ClassVar, Protocol, TypeVar

import pandas as pd


class Dataclass(Protocol):
    """An instance of any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


Row = TypeVar("Row", bound=Dataclass)


def rows_as(row_type: type[Row], table: pd.DataFrame) -> list[Row]:
    """A dataclass for each row, of the columns that are called as its fields; there may be other columns."""
    columns = [field.name for field in fields(row_type)]
    return [row_type(*values) for values in table[columns].itertuples(index=False, name=None)]
