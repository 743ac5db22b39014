"""What the commands print: rows on standard output, everything else on standard error."""

from __future__ import annotations

import decimal
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from nasrank.db.errors import NasrankError, printable
from nasrank.db.files.cells import as_values
from nasrank.db.files.tables import as_csv, as_json, json_value
from nasrank.db.files.writing import replacing
from nasrank.trainer.messages import say


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
    table = Table(box=None, pad_edge=False, header_style="bold")
    for field in rows.schema:
        number = pa.types.is_integer(field.type) or _is_real(field.type)
        table.add_column(printable(field.name), justify="right" if number else "left", overflow="fold")
    for row in zip(*map(as_values, rows.columns), strict=True):
        table.add_row(*map(_cell, row))
    # Outside a terminal nothing is folded: a line stays a row for grep and awk.
    Console(width=None if sys.stdout.isatty() else 10_000, markup=False, emoji=False, highlight=False).print(
        table
    )
    say(f"{rows.num_rows:,} {'row' if rows.num_rows == 1 else 'rows'}")


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
