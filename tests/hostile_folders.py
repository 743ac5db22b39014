"""Run folders that are broken in every way that anyone thought of, and strategies that think of more.

A break is a function of an ended run's folder, which it damages. `BREAKS` has those that once kept a good
folder out, came in unchecked, or made a page fail; `breaks` draws others.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import settings
from hypothesis import strategies as st

from nasrank.db.runs import layout
from nasrank.db.runs.experiment import Configuration, RunConfig, config_hash
from nasrank.db.runs.format import EpochRow, PredictionRow
from nasrank.db.runs.schema import columns_of
from nasrank.db.runs.status import RunStatus
from tests.samples import random_predictions, write_run_folder

Break = Callable[[Path], object]
MASK: Final = "Zero+Skip+Pool"
PREDICTIONS: Final = "predictions-20-running.parquet"
FILES: Final = (layout.CONFIG, layout.STATUS, layout.EPOCHS, PREDICTIONS)
# Those that a monitor or a page reads beside them.
OTHER_FILES: Final = (
    layout.ARCHITECTURES,
    layout.WORKER_LOG,
    "claim-1.json",
    "predictions-20-batch.partial.jsonl",
    "predictions-20-batch.parquet",
)
# The objects of JSON, by the file and the key below which each stands.
OBJECTS: Final[Mapping[tuple[str, str | None], type]] = {
    (layout.CONFIG, None): RunConfig,
    (layout.CONFIG, "config"): Configuration,
    (layout.STATUS, None): RunStatus,
}
TABLES: Final[Mapping[str, type]] = {layout.EPOCHS: EpochRow, PREDICTIONS: PredictionRow}
LONG: Final = 10**400
MOST_EDITED: Final = 2**20  # bytes of a file, or rows of a table
HOSTILE_VALUES: Final[Mapping[str, object]] = {
    "null": None,
    "true": True,
    "the text no": "no",
    "empty text": "",
    "minus one": -1,
    "zero": 0,
    "seven": 7,
    "a half more": 1.5,
    "2**70": 2**70,
    "10**400": LONG,
    "1e308": 1e308,
    "NaN": float("nan"),
    "infinity": float("inf"),
    "a list": ["a"],
    "nested lists": [[[[]]]],
    "an object": {"a": 1},
    "half a pair of surrogates": "\ud800",
    "NUL": "a\0b",
    "an escape": "\x1b[31mred\x1b[0m\r\n\u202e",
    "the year 1": "0001-01-01T00:00:00+00:00",
    "the year 9999": "9999-12-31T23:59:59-00:01",
    "a long text": "x" * 100_000,
}


# Each example takes a tenth of a second or more; `--hypothesis-profile thorough` has forty times as many.
FEW: Final = settings(max_examples=max(settings.default.max_examples // 4, 1))


class HungError(AssertionError):
    """Something took far longer than it should."""


def in_time(work: Callable[[], Any], seconds: float = 30.0) -> Any:
    """What `work` returns or raises; raises `HungError` if that takes longer, also inside a library."""
    outcome: list[tuple[Any, BaseException | None]] = []

    def run() -> None:
        try:
            outcome.append((work(), None))
        except BaseException as error:
            outcome.append((None, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        raise HungError(f"not done in {seconds} seconds")
    [(value, error)] = outcome
    if error is not None:
        raise error
    return value


def content_of(path: Path) -> bytes:
    """What a break changes; raises OSError for what an earlier one put there, such as a FIFO."""
    if not path.is_file() or path.stat().st_size > MOST_EDITED:
        raise OSError(errno.EINVAL, "no file that a break edits")
    return path.read_bytes()


def put(path: Path, content: bytes) -> None:
    """Write a file where nothing lies, or a file. Raises OSError as `content_of`."""
    if os.path.lexists(path) and not path.is_file():
        raise OSError(errno.EINVAL, "no file that a break edits")
    path.write_bytes(content)


def edit_json(folder: Path, file: str, change: Callable[[dict[str, Any]], object]) -> None:
    """Change an object of JSON in place; a changed configuration gets its hash, where it can have one."""
    path = folder / file
    content = json.loads(content_of(path))
    change(content)
    if file == layout.CONFIG and isinstance(content.get("config"), dict):
        try:
            content["config_hash"] = config_hash(content["config"])
        except ValueError:
            content["config_hash"] = "0" * 64
    put(path, json.dumps(content).encode())


def set_field(file: str, part: str | None, name: str, value: object) -> Break:
    def change(content: dict[str, Any]) -> None:
        (content if part is None else content[part])[name] = value

    return lambda folder: edit_json(folder, file, change)


def edit_table(file: str, change: Callable[[pa.Table], pa.Table], **options: Any) -> Break:
    def act(folder: Path) -> None:
        with pq.ParquetFile(pa.BufferReader(content_of(folder / file))) as opened:
            if opened.metadata.num_rows > MOST_EDITED:
                raise OSError(errno.EINVAL, "a bomb of an earlier break")
            table = opened.read()
        pq.write_table(change(table), folder / file, **options)

    return act


def edit_rows(file: str, change: Callable[[list[dict[str, Any]]], object]) -> Break:
    def changed(table: pa.Table) -> pa.Table:
        rows = table.to_pylist()
        change(rows)
        return pa.Table.from_pylist(rows, schema=table.schema)

    return edit_table(file, changed)


def set_column(file: str, name: str, make: Callable[[int], pa.Array]) -> Break:
    def changed(table: pa.Table) -> pa.Table:
        return table.set_column(table.column_names.index(name), name, make(table.num_rows))

    return edit_table(file, changed)


def edit_bytes(file: str, change: Callable[[bytes], bytes]) -> Break:
    return lambda folder: put(folder / file, change(content_of(folder / file)))


def instead(file: str, make: Callable[[Path], object]) -> Break:
    """Something else in place of a file, whether there is one or not."""

    def act(folder: Path) -> None:
        (folder / file).unlink(missing_ok=True)
        make(folder / file)

    return act


def make_socket(path: Path) -> None:
    """A bound socket; its path may be longer than a socket's may."""
    before = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(path.name)
    except OSError as error:
        if error.errno not in (errno.ENAMETOOLONG, errno.EINVAL):
            raise
    finally:
        os.chdir(before)


def make_huge(path: Path) -> None:
    """Eight gigabytes of zeros that take no room."""
    with path.open("wb") as file:
        file.truncate(8 * 2**30)


KINDS: Final[Mapping[str, Callable[[Path], object]]] = {
    "nothing": lambda path: None,
    "a FIFO": os.mkfifo,
    "a folder": Path.mkdir,
    "a socket": make_socket,
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to /dev/zero": lambda path: path.symlink_to("/dev/zero"),
    "a link to a terminal": lambda path: path.symlink_to("/dev/tty"),
    "an empty file": Path.touch,
    "zeros": lambda path: path.write_bytes(bytes(1000)),
    "eight gigabytes": make_huge,
    "no UTF-8": lambda path: path.write_bytes(b'{"a": "\xff\xfe"}\n'),
    "UTF-16": lambda path: path.write_bytes('{"format": 1}'.encode("utf-16")),
    "half a number": lambda path: path.write_bytes(b"PAR1PAR1"),
}


def rename(name: bytes) -> Break:
    """Another name of the folder, which its files name, as far as JSON can."""

    def act(folder: Path) -> None:
        text = os.fsdecode(name)
        for file in (layout.CONFIG, layout.STATUS):
            edit_json(folder, file, lambda content: content.update(run_id=text))
        try:
            metadata = {b"run_id": text.encode()}
        except UnicodeEncodeError:
            metadata = {b"run_id": name}
        edit_table(PREDICTIONS, lambda table: table.replace_schema_metadata(metadata))(folder)
        folder.rename(folder.with_name(text))

    return act


def copy_predictions(name: str) -> Break:
    return lambda folder: put(folder / name, content_of(folder / PREDICTIONS))


def add_to_config(name: str, value: object) -> Break:
    return set_field(layout.CONFIG, "config", name, value)


def raw_json(file: str, old: str, new: str) -> Break:
    """A text of the file for another; for what `json.dumps` does not write."""

    def act(folder: Path) -> None:
        text = content_of(folder / file).decode()
        assert old in text
        put(folder / file, text.replace(old, new, 1).encode())

    return act


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def with_raw_config(member: str) -> Break:
    """A further member of the configuration, as text, with the hash that its value has, if it has one."""

    def act(folder: Path) -> None:
        raw_json(layout.CONFIG, '"config": {', f'"config": {{{member}, ')(folder)

    return act


def bomb(file: str, column: str, make: Callable[[int], pa.Array], rows: int) -> Break:
    """Far more rows than there can be, which compress to almost nothing."""

    def changed(table: pa.Table) -> pa.Table:
        columns = {name: pa.repeat(table[name][0], rows) for name in table.column_names}
        return pa.table(columns | {column: make(rows)}).replace_schema_metadata(table.schema.metadata)

    return edit_table(file, changed, compression="zstd", use_dictionary=True)


def further_column(file: str, make: Callable[[int], pa.Array]) -> Break:
    return edit_table(
        file, lambda table: table.append_column("further", make(table.num_rows)), compression="zstd"
    )


def hostile_folders(runs_dir: Path, breaks: Mapping[str, Break]) -> dict[str, str]:
    """Write a folder for each break, with a seed of its own, and return the break by the folder's name."""
    names: dict[str, str] = {}
    for seed, (said, act) in enumerate(breaks.items(), 1000):
        before = set(os.listdir(runs_dir)) if runs_dir.is_dir() else set()
        act(write_run_folder(runs_dir, random_predictions(MASK, 0), seed=seed, mask=MASK))
        [name] = set(os.listdir(runs_dir)) - before
        names[name] = said
    return names


def running(act: Break) -> Break:
    """The same with a run that has not ended."""

    def both(folder: Path) -> None:
        set_field(layout.STATUS, None, "status", "running")(folder)
        act(folder)

    return both


def good_folder(runs_dir: Path) -> Path:
    """A neighbour that nothing is wrong with."""
    return write_run_folder(runs_dir, random_predictions(MASK, 1), seed=1, mask=MASK)


def _doubled(table: pa.Table, name: str) -> pa.Table:
    return table.append_column(name, table[name])


def _not_utf8(rows: int) -> pa.Array:
    size = rows + 1
    offsets = pa.array([2 * row for row in range(size)], pa.int32()).buffers()[1]
    return pa.StringArray.from_buffers(rows, offsets, pa.py_buffer(b"\xff\xfe" * rows))


def _long_texts(rows: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["ok" * 25_000_000]))


def _lists(rows: int) -> pa.Array:
    """A gigabyte in lists, each the same."""
    values = pa.repeat(pa.scalar(0, pa.int64()), rows * 2_000_000 // max(rows, 1) * 4)
    offsets = pa.array([0] * rows + [len(values)], pa.int32())
    return pa.ListArray.from_arrays(offsets, values)


def _fields() -> Iterator[tuple[str, Break]]:
    for (file, part), row in OBJECTS.items():
        for column in columns_of(row):
            for said, value in HOSTILE_VALUES.items():
                yield f"{part or file} {column.name}: {said}", set_field(file, part, column.name, value)


def _kinds() -> Iterator[tuple[str, Break]]:
    for file in (*FILES, *OTHER_FILES):
        for said, make in KINDS.items():
            yield f"{file}: {said}", instead(file, make)


# A single wrong value in one of the fields of JSON; each must be harmless, some are allowed.
FIELD_BREAKS: Final[Mapping[str, Break]] = dict(_fields())
# Anything else than a file of its kind, in place of any file.
KIND_BREAKS: Final[Mapping[str, Break]] = dict(_kinds())
BREAKS: Final[Mapping[str, Break]] = {
    "200,000 lists": with_raw_config(f'"further": {nested(200_000)}'),
    "900 lists": with_raw_config(f'"further": {nested(900)}'),
    "450 lists": with_raw_config(f'"further": {nested(450)}'),
    "90 lists": lambda f: add_to_config("further", json.loads(nested(90)))(f),
    "config is 200,000 lists": instead(layout.CONFIG, lambda path: path.write_text(nested(200_000))),
    "status is 200,000 lists": instead(layout.STATUS, lambda path: path.write_text(nested(200_000))),
    "status is 100,000 objects": instead(
        layout.STATUS, lambda path: path.write_text('{"a":' * 100_000 + "1" + "}" * 100_000)
    ),
    "a further field of 10**400": add_to_config("further", LONG),
    "a further field of 5,000 digits": with_raw_config(f'"further": {"9" * 5000}'),
    "a further field of 1e999": with_raw_config('"further": 1e999'),
    "a further field of NaN": with_raw_config('"further": NaN'),
    "a further field of infinity": with_raw_config('"further": -Infinity'),
    "a further field of half a pair": add_to_config("further", {"a": ["\udc00"]}),
    "a further field named by half a pair": add_to_config("\ud800", 1),
    "a further field of NUL": add_to_config("further", ["\0"]),
    "a further field named NUL": add_to_config("a\0b", 1),
    "a further field twice": with_raw_config('"further": 1, "further": 2'),
    "a field twice": raw_json(layout.STATUS, "{", '{"status": "failed", '),
    "versions of half a pair": set_field(layout.STATUS, None, "versions", {"\ud800": "1"}),
    "versions of NUL": set_field(layout.STATUS, None, "versions", {"a": "\0"}),
    "a byte order mark": edit_bytes(layout.STATUS, lambda content: b"\xef\xbb\xbf" + content),
    "UTF-32": edit_bytes(layout.CONFIG, lambda content: content.decode().encode("utf-32")),
    "bytes after the object": edit_bytes(layout.STATUS, lambda content: content + b"{}"),
    "an unknown operation with LT": add_to_config("lt", "Zebra"),
    "finished and failed": set_field(layout.STATUS, None, "failed_epoch", 3),
    "failed without an epoch": set_field(layout.STATUS, None, "status", "failed"),
    "more epochs than there are": set_field(layout.STATUS, None, "epoch", 21),
    "other epochs than the configuration": set_field(layout.STATUS, None, "epochs", 21),
    "an epoch twice": edit_rows(layout.EPOCHS, lambda rows: rows.append(rows[-1])),
    "an epoch twice in place of another": edit_rows(layout.EPOCHS, lambda rows: rows[7].update(epoch=7)),
    "an epoch missing": edit_rows(layout.EPOCHS, lambda rows: rows.pop(7)),
    "the last epochs missing": edit_rows(layout.EPOCHS, lambda rows: rows.pop()),
    "epochs in another order": edit_rows(layout.EPOCHS, lambda rows: rows.reverse()),
    "an epoch beyond the configuration": edit_rows(
        layout.EPOCHS, lambda rows: rows.append(rows[-1] | {"epoch": 21})
    ),
    "a huge loss": edit_rows(layout.EPOCHS, lambda rows: rows[3].update(train_loss=1e308)),
    "an infinite loss": edit_rows(layout.EPOCHS, lambda rows: rows[3].update(train_loss=float("inf"))),
    "accuracy 7": edit_rows(PREDICTIONS, lambda rows: rows[0].update(accuracy=7.0)),
    "training accuracy 7": edit_rows(layout.EPOCHS, lambda rows: rows[0].update(train_accuracy=7.0)),
    "accuracy NaN": edit_rows(PREDICTIONS, lambda rows: rows[0].update(accuracy=float("nan"))),
    "an architecture twice": edit_rows(PREDICTIONS, lambda rows: rows.append(rows[0])),
    "an architecture of the mask": edit_rows(PREDICTIONS, lambda rows: rows[0].update(arch_id=0)),
    "an architecture beyond": edit_rows(PREDICTIONS, lambda rows: rows[0].update(arch_id=15_625)),
    "no row": edit_rows(PREDICTIONS, lambda rows: rows.clear()),
    "no epoch": edit_rows(layout.EPOCHS, lambda rows: rows.clear()),
    "an int64 beyond": set_column(PREDICTIONS, "arch_id", lambda n: pa.array([2**40] * n)),
    "an uint64 beyond": set_column(PREDICTIONS, "images", lambda n: pa.array([2**64 - 1] * n, pa.uint64())),
    "nulls": set_column(PREDICTIONS, "arch_id", lambda n: pa.nulls(n)),
    "decimals": set_column(PREDICTIONS, "accuracy", lambda n: pa.array([0] * n, pa.decimal128(9, 2))),
    "half floats": set_column(PREDICTIONS, "accuracy", lambda n: pa.array([0.5] * n).cast(pa.float16())),
    "lists for numbers": set_column(PREDICTIONS, "accuracy", lambda n: pa.array([[0.5]] * n)),
    "structs for numbers": set_column(PREDICTIONS, "accuracy", lambda n: pa.array([{"a": 0.5}] * n)),
    "status of no UTF-8": set_column(PREDICTIONS, "status", _not_utf8),
    "status of many characters": set_column(PREDICTIONS, "status", _long_texts),
    "status of an escape": set_column(PREDICTIONS, "status", lambda n: pa.array(["\x1b[31m\n"] * n)),
    "a further column of no UTF-8": further_column(PREDICTIONS, _not_utf8),
    "a column missing": edit_table(PREDICTIONS, lambda table: table.drop_columns(["status"])),
    "a number missing": edit_table(layout.EPOCHS, lambda table: table.drop_columns(["seconds"])),
    "status of structs": set_column(PREDICTIONS, "status", lambda n: pa.array([{"a": "ok"}] * n)),
    "a column twice": edit_table(PREDICTIONS, lambda table: _doubled(table, "accuracy")),
    "a further column twice": edit_table(
        PREDICTIONS, lambda table: _doubled(table.append_column("further", table["images"]), "further")
    ),
    "epochs twice": edit_table(layout.EPOCHS, lambda table: _doubled(table, "epoch")),
    "metadata of no UTF-8": edit_table(
        PREDICTIONS, lambda table: table.replace_schema_metadata({b"run_id": b"\xff\x1b\n"})
    ),
    "metadata without the run": edit_table(PREDICTIONS, lambda table: table.replace_schema_metadata(None)),
    "long metadata": edit_table(
        PREDICTIONS, lambda table: table.replace_schema_metadata({b"run_id": b"x" * 10_000_000})
    ),
    "an epoch beyond 32 bits": copy_predictions("predictions-99999999999999-running.parquet"),
    "an epoch of 200 digits": copy_predictions(f"predictions-{'9' * 200}-running.parquet"),
    "an epoch with a zero": copy_predictions("predictions-020-running.parquet"),
    "predictions beyond the configuration": copy_predictions("predictions-21-running.parquet"),
    "predictions of another name": copy_predictions("predictions-20-RUNNING.parquet"),
    "predictions of no name": copy_predictions("predictions-.parquet"),
    "predictions with a line break": copy_predictions("predictions-20-a\n\x1b[31m.parquet"),
    "many rows": bomb(PREDICTIONS, "accuracy", lambda n: pa.repeat(0.5, n), 1_500_000),
    "many epochs": bomb(layout.EPOCHS, "train_loss", lambda n: pa.repeat(0.5, n), 1_500_000),
    "a large further column": further_column(PREDICTIONS, _lists),
    "a large further column of epochs": further_column(layout.EPOCHS, _lists),
    "a name that is no UTF-8": rename(b"run-\xff\xfe"),
    "a name with control characters": rename(b"run\x1b[31m\n\r\x07"),
    "a name with markup": rename(b"[red]*b*`c`<b>$x$[bold] {}"),
    "a name that turns text around": rename("run-\u202e\u2028".encode()),
    "a claim with a zero": lambda f: (f / "claim-007.json").write_text("{}"),
    "a claim of 200 digits": lambda f: (f / f"claim-{'9' * 200}.json").write_text("{}"),
    "files dated far away": lambda f: [os.utime(path, (2**40, 2**40)) for path in f.iterdir()],
    "files dated before 1970": lambda f: [os.utime(path, (-(2**33),) * 2) for path in f.iterdir()],
    "a file of no UTF-8 name": lambda f: Path(os.fsdecode(os.fsencode(f) + b"/\xff\n\x1b")).touch(),
}
# What is unusual and right: it may come in.
HARMLESS: Final = {
    "90 lists",
    "a huge loss",
    "no row",
    "no epoch",
    "half floats",
    "a further column of no UTF-8",
    "a further column twice",
    "a large further column",
    "a large further column of epochs",
    "a name with control characters",
    "a name with markup",
    "a name that turns text around",
    "a claim with a zero",
    "a claim of 200 digits",
    "files dated far away",
    "files dated before 1970",
    "a file of no UTF-8 name",
}

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**400), 10**400)
    | st.floats()
    | st.text(st.characters(codec=None, categories=None), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_arrays: Final[Mapping[str, Callable[[int], pa.Array]]] = {
    "nulls": pa.nulls,
    "minus ones": lambda n: pa.array([-1] * n),
    "large": lambda n: pa.array([2**62] * n),
    "fractions": lambda n: pa.array([0.5] * n),
    "no numbers": lambda n: pa.array([float("nan")] * n),
    "infinities": lambda n: pa.array([float("-inf")] * n),
    "truths": lambda n: pa.array([True] * n),
    "texts": lambda n: pa.array(["\x1b\n\0"] * n),
    "binary": lambda n: pa.array([b"\xff"] * n),
    "no UTF-8": _not_utf8,
    "times": lambda n: pa.array([0] * n, pa.timestamp("ns")),
    "dictionaries": lambda n: pa.array(["ok"] * n).dictionary_encode(),
    "lists": lambda n: pa.array([[1]] * n),
    "structs": lambda n: pa.array([{"a": 1}] * n),
    "maps": lambda n: pa.array([[("a", 1)]] * n, pa.map_(pa.string(), pa.int64())),
}


def _sliced(begin: int, end: int, put: bytes) -> Callable[[bytes], bytes]:
    def change(content: bytes) -> bytes:
        first, last = sorted((begin % (len(content) + 1), end % (len(content) + 1)))
        return content[:first] + put + content[last:]

    return change


def _pick_field(where: tuple[tuple[str, str | None], int], value: object) -> Break:
    (file, part), number = where
    columns = columns_of(OBJECTS[file, part])
    return set_field(file, part, columns[number % len(columns)].name, value)


def _pick_column(file: str, number: int, array: str) -> Break:
    columns = columns_of(TABLES[file])
    return set_column(file, columns[number % len(columns)].name, _arrays[array])


def _drop_column(file: str, number: int) -> Break:
    columns = columns_of(TABLES[file])
    return edit_table(file, lambda table: table.drop_columns([columns[number % len(columns)].name]))


def _pick_row(file: str, row: int, other: int) -> Break:
    """A row of the table again, in place of another or beside it."""

    def change(rows: list[dict[str, Any]]) -> None:
        if rows:
            rows.insert(other % (len(rows) + 1), rows[row % len(rows)])
            if row % 2:
                rows.pop(row % len(rows))

    return edit_rows(file, change)


_files = st.sampled_from(FILES)
_all_files = st.sampled_from((*FILES, *OTHER_FILES))
_numbers = st.integers(0, 2**31)
_mutations = st.one_of(
    st.builds(_pick_field, st.tuples(st.sampled_from(list(OBJECTS)), _numbers), json_values),
    st.builds(add_to_config, st.text(max_size=5), json_values),
    st.builds(_pick_column, st.sampled_from(list(TABLES)), _numbers, st.sampled_from(list(_arrays))),
    st.builds(_drop_column, st.sampled_from(list(TABLES)), _numbers),
    st.builds(_pick_row, st.sampled_from(list(TABLES)), _numbers, _numbers),
    st.builds(edit_bytes, _files, st.builds(_sliced, _numbers, _numbers, st.binary(max_size=8))),
    st.builds(edit_bytes, _files, st.integers(1, 80).map(lambda cut: lambda content: content[:-cut])),
    st.builds(instead, _all_files, st.sampled_from(list(KINDS.values()))),
    st.builds(
        instead,
        _all_files,
        st.binary(max_size=50).map(lambda content: lambda path: path.write_bytes(content)),
    ),
    st.from_regex(r"predictions-[0-9a-z\n-]{0,30}\.parquet", fullmatch=True).map(copy_predictions),
)


def _after_each_other(mutations: list[Break]) -> Break:
    def act(folder: Path) -> None:
        for mutation in mutations:
            # One that needs what the one before it broke changes nothing.
            with suppress(OSError, ValueError, TypeError, KeyError, AttributeError, pa.ArrowException):
                mutation(folder)

    return act


breaks: Final[st.SearchStrategy[Break]] = st.lists(_mutations, min_size=1, max_size=3).map(_after_each_other)
