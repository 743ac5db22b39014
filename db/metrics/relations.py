"""Arrow rows as relations of a query."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pyarrow as pa


@contextmanager
def registered(
    connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table | pa.RecordBatchReader
) -> Iterator[None]:
    """Within, queries find `rows` by `name`."""
    connection.register(name, rows)
    try:
        yield
    finally:
        connection.unregister(name)
