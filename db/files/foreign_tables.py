"""Tables and JSON of others: counted as they are decoded, for what a file says of itself may be wrong."""

from __future__ import annotations

from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from nasrank.db.errors import NasrankError, in_a_line, shown

MAX_BYTES: Final = 256 * 2**20
MAX_COLUMNS: Final = 1_000
_ROWS_AT_A_TIME: Final = 1_000


def check_columns(count: int) -> None:
    """Raise NasrankError where a table has more columns than are read."""
    if count > MAX_COLUMNS:
        raise NasrankError(f"it has {count:,} columns; at most {MAX_COLUMNS:,} are read")


def read_parquet(content: bytes, most_rows: int) -> pa.Table:
    """The table in a Parquet file, without dictionaries.

    Raises:
        NasrankError: it is none, or has more rows, columns or bytes than are read.
    """
    batches: list[pa.Table] = []
    rows = size = 0
    try:
        with pq.ParquetFile(pa.BufferReader(content)) as file:
            check_columns(len(file.schema_arrow))
            batches.append(_plain(file.schema_arrow.empty_table()))
            for batch in file.iter_batches(_ROWS_AT_A_TIME, use_threads=False):
                decoded = _plain(pa.table(batch))
                batches.append(decoded)
                rows += len(decoded)
                size += decoded.nbytes
                if rows > most_rows or size > MAX_BYTES:
                    raise NasrankError(
                        f"it has more than {rows - 1:,} rows in {size - 1:,} bytes; at most {most_rows:,} "
                        f"rows in {MAX_BYTES:,} bytes are read"
                    )
        return pa.concat_tables(batches)
    except MemoryError:
        raise
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise NasrankError(f"it is no Parquet: {in_a_line(error, 300)}") from error


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, whose keys must differ: Python would keep the last of equal ones."""
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise NasrankError(f"the key {shown(key)} is there more than once; keep one of them")
            seen.add(key)
    return found


def _plain(table: pa.Table) -> pa.Table:
    """With the values of dictionaries in their place: to these they would grow later, uncounted."""
    columns = [
        column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
        for column in table.columns
    ]
    return pa.table(columns, names=table.column_names)
