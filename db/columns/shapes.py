"""The shapes that files of others have: what each is as a table, a column a name.

- JSON: from architecture to number, to a list with a number a seed, or to an object of numbers; a list of
  objects or of pairs; a list of 15,625 numbers in the benchmark's order; columns as lists; what pandas'
  `to_json` writes in any orient. A number within nested objects is the column `outer.inner`.
- JSON lines.
- Text with cells between commas, semicolons or tabs, with a header or without, in UTF-8.
- Parquet.
- NumPy's `.npy` and `.npz`: numbers in the benchmark's order, or columns.
- Pickles and files of PyTorch that hold plain numbers, lists, dictionaries, arrays and tensors.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from nasrank.db.columns.binary import ADVICE, is_pickle, is_torch, read_pickle, read_torch
from nasrank.db.errors import NasrankError, in_a_line, shown
from nasrank.db.files.foreign_tables import check_columns, read_parquet, unique_keys
from nasrank.db.nb201.architectures import EDGES, NUM_ARCHITECTURES
from nasrank.db.nb201.notations import is_architecture, is_edges, read_column

FORMATS: Final = (
    "json",
    "jsonl",
    "csv",
    "tsv",
    "parquet",
    "npy",
    "npz",
    "pkl",
    "pickle",
    "pt",
    "pth",
)
# Seeds that one file may hold, in rows of a long table or in columns.
MOST_SEEDS: Final = 50
# Of objects in objects, whose numbers are the columns `outer.inner`.
_DEPTH: Final = 8
_DELIMITERS: Final = (",", ";", "\t")
# Lines by which cells and header are found.
_LOOKED_AT: Final = 20
# Names of what has none.
ARCHITECTURE: Final = "architecture"
VALUE: Final = "value"
_SIZE_SPACE: Final = re.compile(r"\d{1,2}(:\d{1,2}){4}")
# How files begin that are none of these, and how to say what they hold otherwise.
_OTHERS: Final = {
    b"\x1f\x8b": "gzip; unpack it",
    b"SQLite": "an SQLite database",
    b"\x89HDF": "HDF5",
}

Columns = Mapping[str, Sequence[object]]


def read_columns(
    path: Path, content: bytes, part: str | None, formats: Sequence[str] | None = None
) -> tuple[str, Columns]:
    """The format and the columns of a file; JSON within `part`, keys joined by dots.

    Where `formats` are given, what looks like none of them is read as the first.

    Raises:
        NasrankError: it has none of these shapes; the file is not named.
    """
    format = _format(path, content)
    if formats is not None and format not in formats:
        format = formats[0]
    if part is not None and format not in ("json", "pickle", "torch"):
        raise NasrankError(f"only JSON, pickles and files of PyTorch have parts; leave out the part {part!r}")
    match format:
        case "json":
            columns = _of_json(_within(_parsed(content), part))
        case "jsonl":
            columns = _of_json(_lines(content))
        case "parquet":
            columns = _of_parquet(content)
        case "npy" | "npz":
            columns = _of_numpy(content)
        case "pickle":
            columns = _of_objects(_within(read_pickle(content), part))
        case "torch":
            columns = _of_objects(_within(read_torch(content), part))
        case _:
            columns = _of_text(content)
    _refuse_size_space(columns)
    return format, columns


def _format(path: Path, content: bytes) -> str:
    """By how it begins where that says it, else by the end of the name."""
    suffix = path.suffix.lower().removeprefix(".")
    if (format := _of_binary(content, suffix)) is not None:
        return format
    if suffix in FORMATS:
        return suffix
    if content.lstrip()[:1] not in (b"{", b"["):
        return "csv"
    first = content.lstrip().split(b"\n", 1)
    return "jsonl" if len(first) == 2 and first[1].lstrip()[:1] == b"{" and _is_json(first[0]) else "json"


def _of_binary(content: bytes, suffix: str) -> str | None:
    """The format of what is no text; None for text."""
    for start, format in ((b"PAR1", "parquet"), (b"\x93NUMPY", "npy")):
        if content.startswith(start):
            return format
    if is_torch(content):
        return "torch"
    if suffix in ("pt", "pth") and not is_pickle(content):
        raise NasrankError(f"it ends in .{suffix}, and is no file of PyTorch")
    if content.startswith(b"PK"):
        return "npz"
    if is_pickle(content) or suffix in ("pkl", "pickle"):
        return "pickle"
    for start, kind in _OTHERS.items():
        if content.startswith(start) and suffix not in FORMATS:
            raise NasrankError(_other(kind))
    return None


def _other(kind: str) -> str:
    return f"it is {kind}, which is not read: it may run code, or needs a library of its own; {ADVICE}"


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content, object_pairs_hook=unique_keys)
    except (ValueError, RecursionError) as error:
        raise NasrankError(f"it is no JSON: {error}") from error


def _lines(content: bytes) -> list[Any]:
    lines = [line for line in content.splitlines() if line.strip()]
    _check_rows(len(lines))
    values = []
    for number, line in enumerate(lines, 1):
        try:
            values.append(json.loads(line, object_pairs_hook=unique_keys))
        except (ValueError, RecursionError) as error:
            raise NasrankError(f"line {number} is no JSON: {error}") from error
    return values


def _within(value: Any, part: str | None) -> Any:
    """The value of a key, or of keys joined by dots, which a key may have itself."""
    if part is None:
        return value
    rest = part
    while rest:
        if not isinstance(value, dict):
            raise NasrankError(f"it has no part {part!r}, for at {rest!r} it is no object")
        keys = [key for key in value if rest == key or rest.startswith(f"{key}.")]
        if not keys:
            raise NasrankError(f"it has no part {rest!r}; its keys are {listed(value)}")
        key = max(keys, key=len)
        value, rest = value[key], rest[len(key) + 1 :]
    return value


def _of_json(value: Any) -> Columns:
    if isinstance(value, dict | list):
        _check_rows(len(value))
    if isinstance(value, dict) and value and (columns := _of_object(value)):
        return columns
    if isinstance(value, list) and value:
        if all(isinstance(member, dict) for member in value):
            return _transposed([dict(_flat(member)) for member in value])
        if all(isinstance(member, list) and len(member) == 2 for member in value):
            return {ARCHITECTURE: [member[0] for member in value], VALUE: [member[1] for member in value]}
        if not any(isinstance(member, list | dict) for member in value):
            return _in_order(value)
    raise NasrankError(
        "it is neither an object from architecture to number, to a list with a number a seed, or to an "
        "object of numbers, nor a list of objects or of pairs, nor columns"
    )


def _of_object(value: Mapping[str, Any]) -> Columns | None:
    members = list(value.values())
    if isinstance(value.get("data"), list) and {"columns", "schema"} & value.keys():
        return _of_pandas(value)
    if not any(isinstance(member, dict | list) for member in members):
        return {ARCHITECTURE: list(value), VALUE: members}
    if all(isinstance(member, list) for member in members):
        if all(is_architecture(key) for key in itertools.islice(value, _LOOKED_AT)):
            return {ARCHITECTURE: list(value), **_of_seeds(members)}
        return _of_lists(value)
    if all(isinstance(member, dict) for member in members):
        if columns := _of_indexed(value):
            return columns
        if columns := _of_paths(value):
            return columns
        try:
            read_column(list(value))
        except NasrankError as error:
            raise NasrankError(
                f"{error}; where its keys are parts of the file, name one with --part: {listed(value)}"
            ) from error
        return _transposed([{ARCHITECTURE: key, **dict(_flat(member))} for key, member in value.items()])
    return None


def _of_pandas(value: Mapping[str, Any]) -> Columns:
    """Its orients `split`, with names and rows, and `table`, with objects."""
    if "schema" in value:
        return _of_json(value["data"])
    names = [str(name) for name in value["columns"]]
    rows = value["data"]
    if any(not isinstance(row, list) or len(row) != len(names) for row in rows):
        raise NasrankError(f"a row of its data has not as many cells as it has columns ({listed(names)})")
    _check_rows(len(rows))
    columns = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    if "index" in value and not any(_may_be_architectures(cells) for cells in columns.values()):
        columns = {ARCHITECTURE: list(value["index"]), **columns}
    return columns


def _of_indexed(value: Mapping[str, Any]) -> Columns | None:
    """Columns whose cells are told by the same keys, as pandas' orient `columns` has them; else None."""
    first, *others = list(value.values())
    if any(is_architecture(key) for key in itertools.islice(value, _LOOKED_AT)):
        return None
    if len(first) < 2 or any(member.keys() != first.keys() for member in others):
        return None
    if any(
        isinstance(cell, dict) and not is_edges(cell) for member in value.values() for cell in member.values()
    ):
        return None
    _check_rows(len(first))
    columns: dict[str, Sequence[object]] = {name: list(member.values()) for name, member in value.items()}
    if not any(_may_be_architectures(cells) for cells in columns.values()):
        columns = {ARCHITECTURE: list(first), **columns}
    return columns


def _of_paths(value: Mapping[str, Any]) -> Columns | None:
    """Objects from architecture to number within others, each the column `outer.inner`; else None."""
    leaves = dict(_leaves(value))
    if not leaves or any(leaf is None for leaf in leaves.values()):
        return None
    check_columns(len(leaves))
    architectures = list(dict.fromkeys(key for leaf in leaves.values() if leaf for key in leaf))
    _check_rows(len(architectures))
    found = {name: [leaf.get(key) for key in architectures] for name, leaf in leaves.items() if leaf}
    return {ARCHITECTURE: architectures, **found}


def _leaves(
    value: Mapping[str, Any], prefix: str = "", depth: int = 1
) -> Iterator[tuple[str, Mapping[str, Any] | None]]:
    """The objects from architecture to number, by the names that lead there; None for what is no object."""
    for name, member in value.items():
        if not isinstance(member, dict) or not member or depth > _DEPTH:
            yield f"{prefix}{name}", None
        elif all(
            "|" in key or len(key) == len(EDGES) for key in itertools.islice(member, _LOOKED_AT)
        ) and all(is_architecture(key) for key in itertools.islice(member, _LOOKED_AT)):
            is_flat = not any(isinstance(number, dict | list) for number in member.values())
            yield f"{prefix}{name}", member if is_flat else None
        else:
            yield from _leaves(member, f"{prefix}{name}.", depth + 1)


def _may_be_architectures(cells: Sequence[object]) -> bool:
    return all(is_architecture(cell) for cell in itertools.islice(cells, _LOOKED_AT))


def _of_lists(value: Mapping[str, Any]) -> Columns:
    lengths = {len(member) for member in value.values()}
    if len(lengths) > 1:
        raise NasrankError(
            f"its lists have {min(lengths):,} to {max(lengths):,} members; columns need as many each"
        )
    check_columns(len(value))
    _check_rows(lengths.pop())
    return dict(value)


def _of_seeds(members: Sequence[Sequence[object]]) -> Columns:
    """A column for each place in lists of the same length."""
    lengths = {len(member) for member in members}
    if len(lengths) > 1 or not 1 <= max(lengths) <= MOST_SEEDS:
        raise NasrankError(
            f"its lists have {min(lengths)} to {max(lengths)} numbers; one a seed is needed, as many for "
            f"each architecture, up to {MOST_SEEDS}"
        )
    return {f"{VALUE}.{place}": [member[place] for member in members] for place in range(lengths.pop())}


def _in_order(values: Sequence[object]) -> Columns:
    """Numbers without architectures: of all, in the benchmark's order."""
    if len(values) != NUM_ARCHITECTURES:
        raise NasrankError(
            f"it has {len(values):,} numbers and no architectures; {NUM_ARCHITECTURES:,} in the benchmark's "
            "order are needed, or the architecture of each"
        )
    return {ARCHITECTURE: list(range(NUM_ARCHITECTURES)), VALUE: list(values)}


def _flat(member: Mapping[str, Any], prefix: str = "", depth: int = 1) -> Iterator[tuple[str, object]]:
    if depth > _DEPTH:
        raise NasrankError(f"its objects are more than {_DEPTH} deep, at {shown(prefix)}")
    for key, value in member.items():
        if isinstance(value, dict) and not is_edges(value):
            yield from _flat(value, f"{prefix}{key}.", depth + 1)
        else:
            yield f"{prefix}{key}", value


def _transposed(rows: Sequence[Mapping[str, object]]) -> Columns:
    names: dict[str, None] = {}
    for row in rows:
        names.update(dict.fromkeys(row))
        check_columns(len(names))
    return {name: [row.get(name) for row in rows] for name in names}


def _of_text(content: bytes) -> Columns:
    try:
        text = content.decode("utf-8-sig")
        delimiter = _delimiter(text)
        reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
        filled = (line for line in reader if line)
        lines = list(itertools.islice(filled, MOST_SEEDS * NUM_ARCHITECTURES + 2))
    except (ValueError, csv.Error) as error:
        raise NasrankError(f"it is no CSV in UTF-8: {error}") from error
    if not lines:
        raise NasrankError("it is empty")
    check_columns(len(lines[0]))
    header = [name.strip() for name in lines[0]]
    if _is_data(header):
        header = [f"column {place}" for place in range(1, len(header) + 1)]
        lines.insert(0, header)
    _check_rows(len(lines) - 1)
    if len(set(header)) < len(header):
        raise NasrankError(f"it has a column twice; its columns are {listed(header)}")
    for number, line in enumerate(lines[1:], 1):
        if len(line) != len(header):
            words = {",": "commas", ";": "semicolons", "\t": "tabs"}[delimiter]
            raise NasrankError(
                f"row {number} has {len(line)} cells, the header has {len(header)} ({listed(header)}); "
                f"cells are separated by {words}, and one with such a sign in it stands in double quotes"
            )
    return {name: list(cells) for name, cells in zip(header, zip(*lines[1:], strict=True), strict=False)}


def _delimiter(text: str) -> str:
    """What divides the first lines into as many cells each, at least two; a comma where nothing does."""
    for delimiter in _DELIMITERS:
        reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
        first = list(itertools.islice((line for line in reader if line), _LOOKED_AT))
        if len({len(line) for line in first}) == 1 and len(first[0]) > 1:
            return delimiter
    return _DELIMITERS[0]


def _is_data(cells: Sequence[str]) -> bool:
    """Whether a first line is no header: it has an architecture, or nothing but numbers."""
    return any(is_architecture(cell) and not cell.isdecimal() for cell in cells) or all(
        re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?%?", cell) for cell in cells
    )


def _of_parquet(content: bytes) -> Columns:
    table = read_parquet(content, MOST_SEEDS * NUM_ARCHITECTURES)
    try:
        return {name: table[name].to_pylist() for name in table.column_names}
    except (LookupError, ValueError, ArithmeticError) as error:
        raise NasrankError(
            f"it has a column twice, or a cell that Python has nothing for: {in_a_line(error, 300)}"
        ) from error


def _of_objects(value: Any) -> Columns:
    """Of Python's objects, as `db.columns.binary` reads them."""
    return _of_array(value) if isinstance(value, np.ndarray) else _of_json(value)


def _of_numpy(content: bytes) -> Columns:
    try:
        loaded = np.load(io.BytesIO(content), allow_pickle=False)
        arrays = (
            {name: loaded[name] for name in loaded} if isinstance(loaded, np.lib.npyio.NpzFile) else loaded
        )
    except (ValueError, EOFError, OSError, KeyError, zipfile.BadZipFile, NotImplementedError) as error:
        raise NasrankError(f"it is no file of NumPy with plain numbers: {in_a_line(error, 300)}") from error
    if isinstance(arrays, dict):
        check_columns(len(arrays))
        if len(arrays) == 1:
            return _of_array(next(iter(arrays.values())))
        return _of_lists({name: array.tolist() for name, array in arrays.items() if array.ndim})
    return _of_array(arrays)


def _of_array(array: np.ndarray[Any, Any]) -> Columns:
    if array.dtype.names:
        return {name: array[name].ravel().tolist() for name in array.dtype.names}
    if array.ndim == 1:
        return _in_order(array.tolist())
    if array.ndim == 2 and array.shape[1] == 2 and _are_indices(array[:, 0]):
        return {ARCHITECTURE: array[:, 0].tolist(), VALUE: array[:, 1].tolist()}
    if array.ndim == 2 and NUM_ARCHITECTURES in array.shape:
        by_architecture = array if len(array) == NUM_ARCHITECTURES else array.T
        return {ARCHITECTURE: list(range(NUM_ARCHITECTURES)), **_of_seeds(by_architecture.tolist())}
    raise NasrankError(
        f"it has the shape {array.shape}; ({NUM_ARCHITECTURES},), (seeds, {NUM_ARCHITECTURES}), or pairs of "
        "index and number are needed"
    )


def _are_indices(numbers: np.ndarray[Any, Any]) -> bool:
    """Whether they may be architectures, each once."""
    return (
        np.issubdtype(numbers.dtype, np.number)
        and bool(np.isin(numbers, np.arange(NUM_ARCHITECTURES)).all())
        and len(np.unique(numbers)) == len(numbers)
    )


def _refuse_size_space(columns: Columns) -> None:
    """NATS-Bench's other search space, whose architectures are written `24:8:40:40:16`."""
    for values in columns.values():
        if values and all(isinstance(v, str) and _SIZE_SPACE.fullmatch(v) for v in values[:_LOOKED_AT]):
            raise NasrankError(
                f"{shown(values[0])} is an architecture of NATS-Bench's size search space; nasrank reads its "
                "topology search space, which is NAS-Bench-201's"
            )


def _check_rows(count: int) -> None:
    if count > MOST_SEEDS * NUM_ARCHITECTURES:
        raise NasrankError(
            f"it has more than {MOST_SEEDS * NUM_ARCHITECTURES:,} rows, which are {MOST_SEEDS} seeds of all "
            "architectures"
        )


def listed(names: Any, at_most: int = 20) -> str:
    """Names in a line, not all of many."""
    told = ", ".join(repr(str(name)[:60]) for name in itertools.islice(names, at_most))
    return told + (f" and {len(names) - at_most:,} more" if len(names) > at_most else "")
