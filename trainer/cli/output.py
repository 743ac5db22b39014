"""What the commands print: rows on standard output, everything else on standard error."""

from __future__ import annotations

import decimal
import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from nasrank.db.errors import NasrankError, printable
from nasrank.db.files.cells import as_values
from nasrank.db.files.tables import as_csv, as_json, json_value
from nasrank.db.files.writing import replacing
from nasrank.trainer.messages import say

# A text may be folded to so many characters, that more columns fit.
_LEAST_TEXT: Final = 12
_BETWEEN: Final = 2  # characters between columns


class Format(StrEnum):
    """How rows are printed."""

    table = "table"
    csv = "csv"
    json = "json"


def print_table(rows: pa.Table, format: Format) -> None:
    """Print rows on standard output. JSON is a list of objects; NULL is null there, and empty elsewhere."""
    match format:
        case Format.csv:
            sys.stdout.write(_lines(as_csv(rows)))
        case Format.json:
            print_json(as_json(rows))
        case Format.table:
            _print_for_people(rows)


def print_json(text: str) -> None:
    """JSON on standard output; on a terminal, what it would obey is told by its number."""
    print(_escaped(text) if sys.stdout.isatty() else text)


def write_table(rows: pa.Table, path: Path) -> None:
    """Write CSV, JSON or Parquet, by the end of the file's name, whole or not at all.

    Raises:
        NasrankError: the name ends otherwise, or the file cannot be written.
    """
    writers: dict[str, Callable[[Path], object]] = {
        ".csv": lambda part: part.write_text(as_csv(rows), encoding="utf-8"),
        ".json": lambda part: part.write_text(as_json(rows) + "\n", encoding="utf-8"),
        ".parquet": lambda part: pyarrow.parquet.write_table(rows, part),
    }
    if path.suffix not in writers:
        raise NasrankError(f"cannot write {path}: its name must end in {', '.join(writers)}")
    try:
        with replacing(path) as part:
            writers[path.suffix](part)
    except OSError as error:
        raise NasrankError(f"cannot write {path}: {error.strerror or error}") from error


@contextmanager
def show_work() -> Iterator[Callable[[str, int, int], None]]:
    """A function of (what, done, total) that shows progress on standard error, total 0 being unknown."""
    if not sys.stderr.isatty():
        yield _lines_now_and_then()
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("")
        yield lambda what, done, total: bar.update(
            task, description=printable(what), completed=done, total=total or None
        )


def _lines_now_and_then() -> Callable[[str, int, int], None]:
    last = -10.0

    def show(what: str, done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= 10:
            last = time.monotonic()
            say(f"{what} {done:,}/{total:,}" if total else f"{what} {done:,}")

    return show


def _print_for_people(rows: pa.Table) -> None:
    # Outside a terminal nothing is folded: a line stays a row for grep and awk.
    width = None if sys.stdout.isatty() else 10_000
    console = Console(width=width, markup=False, emoji=False, highlight=False)
    columns = [_Column.of(field, rows[place]) for place, field in enumerate(rows.schema)]
    fitting = list(itertools.takewhile(_fits(console.width), columns)) or columns[:1]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in fitting:
        table.add_column(
            column.name,
            justify="right" if column.is_number else "left",
            no_wrap=column.is_number,
            min_width=column.least_width,
            overflow="fold",
        )
    for row in zip(*(column.cells for column in fitting), strict=True):
        table.add_row(*row)
    console.print(table)
    say(f"{rows.num_rows:,} {'row' if rows.num_rows == 1 else 'rows'}")
    if left_out := [column.name for column in columns[len(fitting) :]]:
        say(
            f"{len(left_out)} of {len(columns)} columns do not fit: {', '.join(left_out)}; a wider terminal "
            "or --format csv has them"
        )


@dataclass(frozen=True, slots=True)
class _Column:
    """A column as it is printed; a number is never folded."""

    name: str
    cells: list[str]
    is_number: bool

    @classmethod
    def of(cls, field: pa.Field, values: pa.ChunkedArray) -> _Column:
        is_number = bool(pa.types.is_integer(field.type) or _is_real(field.type))
        return cls(printable(field.name), list(map(_cell, as_values(values))), is_number)

    @property
    def least_width(self) -> int:
        longest = max(map(cell_len, (self.name, *self.cells)))
        return longest if self.is_number else min(longest, _LEAST_TEXT)


def _fits(width: int) -> Callable[[_Column], bool]:
    """Whether a column has room beside all that were asked about before."""
    left = width + _BETWEEN

    def fits(column: _Column) -> bool:
        nonlocal left
        left -= column.least_width + _BETWEEN
        return left >= 0

    return fits


def _cell(value: Any) -> str:
    if value is None:
        return ""
    value = json_value(value) if isinstance(value, decimal.Decimal) else value
    return f"{value:.4f}" if isinstance(value, float) else _printable_lines(str(value))


def _lines(text: str) -> str:
    """For a terminal: printable, but for its line breaks. Elsewhere a text is exactly itself."""
    return _printable_lines(text) if sys.stdout.isatty() else text


def _printable_lines(text: str) -> str:
    return "\n".join(map(printable, text.split("\n")))


def _escaped(json_text: str) -> str:
    """The same JSON without characters that a terminal would obey."""
    return "".join(c if c.isprintable() or c == "\n" else _json_number(c) for c in json_text)


def _json_number(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else json.dumps(character)[1:-1]


def _is_real(data_type: pa.DataType) -> bool:
    return bool(pa.types.is_floating(data_type) or pa.types.is_decimal(data_type))
