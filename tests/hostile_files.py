"""Files that are made to do harm, or are damaged: what every reader of others' files must refuse in a line.

Each is made when a test needs it. `PLACES` are paths at which there is no ordinary file; all others are
contents by the format that they claim.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import json
import os
import pickle
import socket
import struct
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nasrank.db.nb201.architectures import NUM_ARCHITECTURES, all_architectures

STRINGS = [a.string for a in all_architectures()]
KEY = "cifar10-valid/valid"
# What takes seconds to write or to refuse.
SLOW = {
    "30,000,000 empty lists",
    "3,000,000 empty objects",
    "a line of 200 MB",
    "a line of 200 MB of commas",
    "a header of 200 MB of commas",
    "200 MB of lines",
    "1,000,000 columns",
    "300,000,000 rows of nothing",
    "50,000,000 rows of one number",
    "a text of 20 MB in every row",
    "a list of 20,000,000 in two rows",
    "100,000 columns",
    "a key that takes for ever to hash",
    "50,000,000 sets",
    "an integer of a megabyte",
    "digits of a megabyte",
    "a bomb",
    "a gzip bomb",
    "a bomb of another member",
    "a bomb of a member",
    "a bomb of a long name",
    "a bomb of extended headers",
    "100,000 entries",
}


# Places


def _fifo(folder: Path) -> Path:
    os.mkfifo(folder / "fifo")
    return folder / "fifo"


def _link(folder: Path, target: str) -> Path:
    (folder / "link").symlink_to(target)
    return folder / "link"


def _socket(folder: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as bound:
        before = Path.cwd()
        os.chdir(folder)  # the path of a socket has at most 108 bytes
        try:
            bound.bind("socket")
        finally:
            os.chdir(before)
    return folder / "socket"


def _sparse(folder: Path) -> Path:
    with (folder / "sparse").open("wb") as file:
        file.truncate(2**40)
    return folder / "sparse"


def _folder(folder: Path) -> Path:
    (folder / "folder").mkdir()
    return folder / "folder"


PLACES: Mapping[str, Callable[[Path], Path]] = {
    "a FIFO": _fifo,
    "a link to a FIFO": lambda folder: _link(folder, str(_fifo(folder))),
    "an endless device": lambda folder: _link(folder, "/dev/zero"),
    "a terminal": lambda folder: _link(folder, "/dev/tty"),
    "a socket": _socket,
    "a folder": _folder,
    "a link to nothing": lambda folder: _link(folder, "nowhere"),
    "a link to itself": lambda folder: _link(folder, "link"),
    "a terabyte of nothing": _sparse,
    "a name of 300 bytes": lambda folder: folder / ("n" * 300),
    "a name with NUL": lambda folder: folder / "a\0b",
    "a name that is no UTF-8": lambda folder: folder / os.fsdecode(b"\xff\xfe"),
    "a path through a file": lambda folder: Path(__file__) / "inside",
}


# JSON and CSV


def json_with(value: str) -> bytes:
    """An object from every architecture to 90, but of the first to `value` as it stands."""
    values = [value, *["90"] * (NUM_ARCHITECTURES - 1)]
    return ("{" + ",".join(f'"{s}":{v}' for s, v in zip(STRINGS, values, strict=True)) + "}").encode()


def csv_with(cell: bytes, header: bytes = KEY.encode()) -> bytes:
    """A table of every architecture and 90, but of the first the cell as it stands."""
    cells = [cell, *[b"90"] * (NUM_ARCHITECTURES - 1)]
    rows = [s.encode() + b"," + c for s, c in zip(STRINGS, cells, strict=True)]
    return b"arch_str," + header + b"\n" + b"\n".join(rows)


def _many_keys(count: int, pair: Callable[[int], str]) -> bytes:
    return ("{" + ",".join(map(pair, range(count))) + "}").encode()


JSON: Mapping[str, Callable[[], bytes]] = {
    "300,000 keys, the last twice": lambda: _many_keys(300_001, lambda n: f'"k{min(n, 299_999)}":1'),
    "one key 300,000 times": lambda: _many_keys(300_000, lambda n: '"k":1'),
    "lists 200,000 deep": lambda: b"[" * 200_000 + b"]" * 200_000,
    "objects 200,000 deep": lambda: b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
    "objects 500 deep": lambda: b'{"a":' * 500 + b"1" + b"}" * 500,
    "10**400": lambda: json_with("1" + "0" * 400),
    "10**5000": lambda: json_with("1" + "0" * 5000),
    "-10**400": lambda: json_with("-1" + "0" * 400),
    "1e999": lambda: json_with("1e999"),
    "NaN": lambda: json_with("NaN"),
    "Infinity": lambda: json_with("-Infinity"),
    "a list for a number": lambda: json_with("[1, 2]"),
    "a long list for a number": lambda: json_with("[" + "1," * 300_000 + "1]"),
    "a long text for a number": lambda: json_with('"' + "x" * 10**6 + '"'),
    "null": lambda: json_with("null"),
    "true": lambda: json_with("true"),
    "half a surrogate for a number": lambda: json_with('"\\ud800"'),
    "half a surrogate as a key": lambda: b'{"\\ud800":1,"\\ud801":2}',
    "half a surrogate as a column": lambda: json.dumps(
        {s: {"\ud800": n / 100} for n, s in enumerate(STRINGS[:50])}
    ).encode(),
    "NUL as a column": lambda: json.dumps({s: {"\0": n / 100} for n, s in enumerate(STRINGS[:50])}).encode(),
    "lines as a column": lambda: json.dumps({s: {"a\nb": [n]} for n, s in enumerate(STRINGS[:50])}).encode(),
    "invalid UTF-8": lambda: b'{"\xff\xfe":1,"\xfe":2}',
    "UTF-16": lambda: json_with("90").decode().encode("utf-16"),
    "NUL bytes": lambda: bytes(1000),
    "digits of other scripts": lambda: '{"٣٠١٠٠٤":1,"１２３":2,"²":3}'.encode(),
    "a key of a million digits": lambda: b'{"' + b"1" * 10**6 + b'":1,"2":2}',
    "a column a row": lambda: json.dumps([{f"k{n}": n} for n in range(NUM_ARCHITECTURES)]).encode(),
    "100,000 columns": lambda: json.dumps(
        [{f"k{n}": n for n in range(100_000)}, {"k0": 1}]
    ).encode(),
    "3,000,000 empty objects": lambda: b"[" + b"{}," * 3_000_000 + b"{}]",
    "30,000,000 empty lists": lambda: b"[" + b"[]," * 30_000_000 + b"[]]",
    "truncated": lambda: json_with("90")[:-100],
    "followed by more": lambda: json_with("90") + b"x",
    "only a bracket": lambda: b"{",
    "an empty object": lambda: b"{}",
    "a text": lambda: b'"' + b"x" * 1000 + b'"',
}  # fmt: skip

CSV: Mapping[str, Callable[[], bytes]] = {
    "100,000 columns": lambda: _wide(100_000, 2),
    "1,000,000 columns": lambda: _wide(1_000_000, 2),
    "100,000 columns of one name": lambda: b",".join([b"c"] * 100_000) + b"\n" + b",".join([b"1"] * 100_000),
    "a line of 200 MB": lambda: b"arch_str," + KEY.encode() + b"\n" + b"x" * (200 * 2**20),
    "a line of 200 MB of commas": lambda: b"arch_str," + KEY.encode() + b"\n" + b"," * (200 * 2**20),
    "a header of 200 MB of commas": lambda: b"arch_str" + b"," * (200 * 2**20),
    "200 MB of lines": lambda: b"arch_str," + KEY.encode() + b"\n" + b"\n" * (200 * 2**20),
    "10**400": lambda: csv_with(b"1" + b"0" * 400),
    "10**5000": lambda: csv_with(b"1" + b"0" * 5000),
    "1e999": lambda: csv_with(b"1e999"),
    "NaN": lambda: csv_with(b"nan"),
    "inf": lambda: csv_with(b"-inf"),
    "a far timestamp": lambda: csv_with(b"9999-12-31T23:59:59.999999999"),
    "only far timestamps": lambda: csv_with(b"1").replace(b",90", b",2262-04-12 00:00:00"),
    "invalid UTF-8": lambda: csv_with(b"\xff"),
    "an invalid name": lambda: csv_with(b"90", b"\xff\xfe"),
    "NUL": lambda: csv_with(b"9\x000"),
    "NUL as a name": lambda: csv_with(b"90", b"a\0b"),
    "an open quote": lambda: csv_with(b'"90'),
    "a quote of lines": lambda: csv_with(b'"9\n\n0"'),
    "a name of lines": lambda: csv_with(b"x", b'"a\nb"'),
    "1,000,000 rows": lambda: b"arch_str,a\n" + b"x,1\n" * 1_000_000,
    "more cells than names": lambda: csv_with(b"90,1,2"),
    "only a header": lambda: b"arch_str," + KEY.encode(),
    "carriage returns": lambda: csv_with(b"90").replace(b"\n", b"\r"),
    "a text of a million letters": lambda: csv_with(b"x" * 10**6),
    "UTF-16": lambda: csv_with(b"90").decode().encode("utf-16"),
    "empty": lambda: b"",
}


def _wide(columns: int, rows: int) -> bytes:
    lines = [b",".join(b"c%d" % n for n in range(columns)), *[b",".join([b"1"] * columns)] * rows]
    return b"\n".join(lines)


# Parquet


def parquet(columns: Mapping[str, Any], **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(dict(columns)), sink, **options)
    return sink.getvalue()


def parquet_with(name: str, values: pa.Array) -> bytes:
    return parquet({"arch_str": STRINGS[: len(values)], name: values})


def _changed(content: bytes, at: int, to: bytes) -> bytes:
    at %= len(content)
    return content[:at] + to + content[at + len(to) :]


def _footer_says(rows: int) -> bytes:
    """A table of every architecture whose footer is that of one of fewer rows."""
    whole = parquet({"arch_str": STRINGS, KEY: [90.0] * NUM_ARCHITECTURES})
    for old, new in ((NUM_ARCHITECTURES, rows),):
        # Thrift's compact protocol writes numbers as zigzag varints.
        whole = whole.replace(_varint(old * 2), _varint(new * 2).ljust(len(_varint(old * 2)), b"\0"))
    return whole


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def _invalid_texts(count: int) -> pa.Array:
    texts = pa.array([b"\xff\xfe"] * count, pa.binary())
    return pa.Array.from_buffers(pa.string(), count, texts.buffers())


def _repeated(value: Any, count: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array([0] * count, pa.int32()), pa.array([value]))


PARQUET: Mapping[str, Callable[[], bytes]] = {
    "truncated": lambda: parquet_with(KEY, pa.array([90.0] * 100))[:-50],
    "only the ends": lambda: b"PAR1PAR1",
    "a footer of 2 GB": lambda: b"PAR1" + bytes(100) + struct.pack("<I", 2**31 - 1) + b"PAR1",
    "a damaged footer": lambda: _changed(parquet_with(KEY, pa.array([90.0] * 100)), -200, bytes(100)),
    "a damaged page": lambda: _changed(parquet_with(KEY, pa.array([90.0] * 100)), 30, b"\xff" * 60),
    "a footer of other rows": lambda: _footer_says(9000),
    "300,000,000 rows of nothing": lambda: parquet({"arch_str": pa.nulls(300_000_000, pa.int8())}),
    "50,000,000 rows of one number": lambda: parquet({"arch_str": _repeated(1, 50_000_000)}),
    "a text of 20 MB in every row": lambda: parquet_with("value", _repeated("x" * (20 * 2**20), 15_625)),
    "a list of 20,000,000 in two rows": lambda: parquet_with("value", pa.array([[0] * 20_000_000, [1]])),
    "100,000 columns": lambda: parquet({f"c{n}": [1, 2] for n in range(100_000)}, write_statistics=False),
    "a column twice": lambda: _twice(),
    "a nested column": lambda: parquet_with(KEY, pa.array([{"a": [1]}] * 100)),
    "far dates": lambda: parquet_with(KEY, pa.array([2**31 - 1] * 100, pa.int32()).cast(pa.date32())),
    "far timestamps": lambda: parquet_with(KEY, pa.array([2**62] * 100, pa.timestamp("us"))),
    "far timestamps of a zone": lambda: parquet_with(KEY, pa.array([2**62] * 100, pa.timestamp("us", "X"))),
    "durations": lambda: parquet_with(KEY, pa.array([2**62] * 100, pa.duration("ms"))),
    "invalid UTF-8": lambda: parquet_with(KEY, _invalid_texts(100)),
    "invalid UTF-8 as architectures": lambda: parquet({"arch_str": _invalid_texts(100), KEY: [9.0] * 100}),
    "bytes": lambda: parquet({"arch_str": [b"\xff"] * 100, KEY: [90.0] * 100}),
    "NaN and infinity": lambda: parquet_with(KEY, pa.array([np.nan, np.inf] * 50)),
    "half precision": lambda: parquet_with(KEY, pa.array(np.ones(100, np.float16))),
    "large decimals": lambda: parquet_with(KEY, pa.array([10**70] * 100, pa.decimal256(76))),
    "nulls": lambda: parquet_with(KEY, pa.nulls(100)),
    "no rows": lambda: parquet_with(KEY, pa.array([], pa.float64())),
    "no columns": lambda: parquet({}),
    "a name with NUL": lambda: parquet_with("a\0b", pa.array([9.0] * 100)),
    "a name of 300 kB": lambda: parquet_with("n" * 300_000, pa.array([9.0] * 100)),
}


def _twice() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_arrays([pa.array(STRINGS)] * 2, names=["arch_str"] * 2), sink)
    return sink.getvalue()


# Pickles


class Calls:
    """Pickles as a call of a function, which loading then makes."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


def nested(depth: int) -> bytes:
    return b"\x80\x04" + b"(" * depth + b"t" * depth + b"."


def hashed(depth: int) -> bytes:
    """Tuples of the same tuple twice, so that its hash takes 2 ** depth steps, as a key."""
    return b"\x80\x04})" + b"2\x86" * depth + b"K\x00s."


def array_of(shape: bytes, content: bytes, fortran: bytes = b"\x89") -> bytes:
    """A pickle of a NumPy array of bytes whose shape and content are these pickled tuples and bytes."""
    start = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85C\x01btR"
    kind = b"cnumpy\ndtype\n(X\x02\x00\x00\x00u1K\x00K\x01tR"
    return b"\x80\x04" + start + b"(K\x01" + shape + kind + fortran + content + b"tb."


def _number(value: int) -> bytes:
    content = value.to_bytes(9, "little", signed=True)
    return b"\x8a" + bytes([len(content)]) + content


PICKLES: Mapping[str, Callable[[], bytes]] = {
    "a memo index": lambda: b"\x80\x02Nr" + struct.pack("<I", 2**31 - 1) + b".",
    "bytes of a terabyte": lambda: b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b"x",
    "a bytearray of a terabyte": lambda: b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b"x",
    "a frame of an exabyte": lambda: b"\x80\x04\x95" + struct.pack("<Q", 2**60) + b"N.",
    "deep tuples": lambda: nested(500_000),
    "a deep key": lambda: b"\x80\x04}" + nested(500_000)[2:-1] + b"K\x00s.",
    "a key that takes for ever to hash": lambda: hashed(60),
    "50,000,000 sets": lambda: b"\x80\x04(" + b"\x8f" * 50_000_000 + b"t.",
    "an odd stack": lambda: b"\x80\x04]" + b"(K\x01" * 20 + b"l" * 20 + b".",
    "truncated": lambda: pickle.dumps(list(range(100_000)))[:-100],
    "an extension": lambda: b"\x80\x04\x82\x01.",
    "a call": lambda: pickle.dumps({"a": Calls(os.system, "true")}),
    "a name with lines": lambda: b"\x80\x04\x8c\x03a\nb\x8c\x03c\rd\x93.",
    "half a surrogate as a name": lambda: b"\x80\x04\x8c\x03\xed\xa0\x80\x8c\x01c\x93.",
    "a name of a million letters": lambda: b"\x80\x04X"
    + struct.pack("<I", 10**6)
    + b"a" * 10**6
    + b"\x8c\x01c\x93.",
    "a shape of 200,000 factors": lambda: array_of(b"(" + _number(2**63 - 1) * 200_000 + b"t", b"C\x00"),
    "a shape of 10**12 rows of nothing": lambda: array_of(
        _number(10**12) + _number(0) + b"\x86", b"C\x00", b"\x88"
    ),
    "a shape below zero": lambda: array_of(_number(-1) + _number(-1) + b"\x86", b"C\x01x"),
    "a shape that is no tuple": lambda: array_of(_number(3), b"C\x01x"),
    "an integer of a megabyte": lambda: b"\x80\x04\x8b" + struct.pack("<i", 10**6) + b"\x7f" * 10**6 + b".",
    "digits of a megabyte": lambda: b"L" + b"9" * 10**6 + b"L\n.",
    "a dictionary of one architecture": lambda: pickle.dumps({STRINGS[0]: {}}),
    "a list": lambda: pickle.dumps([1, 2]),
    "an object with itself inside": lambda: pickle.dumps(_circular()),
}  # fmt: skip


def _circular() -> Any:
    inner: list[Any] = []
    inner.append(inner)
    return {STRINGS[0]: inner}


# NASLib, UniNAS, pandas


def naslib_with(**changes: Any) -> bytes:
    """NASLib's pickle of the first architecture, but for these values."""
    entry = {
        "train_acc1es": [90.0],
        "train_losses": [0.1],
        "eval_acc1es": [90.0],
        "eval_losses": [0.2],
        "cost_info": {"params": 1.0, "flops": 1.0, "latency": 0.1, "train_time": 10.0},
    }
    return pickle.dumps({s: {"cifar10-valid": {**entry, **changes}} for s in STRINGS[:2]})


def _costs(value: Any) -> dict[str, Any]:
    return {"params": value, "flops": value, "latency": value, "train_time": value}


NASLIB: Mapping[str, Callable[[], bytes]] = {
    "an accuracy of 10**400": lambda: naslib_with(eval_acc1es=[10**400]),
    "an accuracy of 10**5000": lambda: naslib_with(eval_acc1es=[10**5000]),
    "an accuracy of a long text": lambda: naslib_with(eval_acc1es=["x" * 10**6]),
    "an accuracy of lines": lambda: naslib_with(eval_acc1es=[_Lines()]),
    "a loss of 10**400": lambda: naslib_with(eval_losses=[10**400]),
    "a loss of 10**5000": lambda: naslib_with(eval_losses=[10**5000]),
    "a loss that is a list": lambda: naslib_with(eval_losses=[[1, 2]]),
    "losses that are a dictionary": lambda: naslib_with(eval_losses={0: 1}),
    "accuracies that are a dictionary": lambda: naslib_with(eval_acc1es={"a": 1}),
    "no accuracies": lambda: naslib_with(eval_acc1es=[]),
    "30,000 accuracies": lambda: naslib_with(eval_acc1es=[90.0] * 30_000),
    "costs of 10**400": lambda: naslib_with(cost_info=_costs(10**400)),
    "costs of 10**300": lambda: naslib_with(cost_info=_costs(10**300)),
    "costs of 1e300": lambda: naslib_with(cost_info=_costs(1e300)),
    "costs of NaN": lambda: naslib_with(cost_info=_costs(float("nan"))),
    "costs that are lists": lambda: naslib_with(cost_info=_costs([1])),
    "an array of two dimensions": lambda: naslib_with(eval_acc1es=np.ones((2, 3))),
    "an array of texts": lambda: naslib_with(eval_acc1es=np.array(["a", "b"])),
    "an array of times": lambda: naslib_with(eval_acc1es=np.array(["2262-04-12"], "M8[s]")),
    "keys that are tuples": lambda: pickle.dumps(
        {(STRINGS[0], (1, 2)): {"cifar10-valid": {"eval_acc1es": [1.0]}}, "|a~0|": 1}
    ),
    "other data sets": lambda: pickle.dumps({STRINGS[0]: {("a", 1): {"eval_acc1es": 1}, "x": "~0|"}}),
}


class _Lines:
    def __reduce__(self) -> Any:
        return (str, ("a\nb",)) if False else (set, (["a\nb\n" * 10],))


def torch_zip(content: bytes, name: str = "archive/data.pkl", **options: Any) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
        for other, more in options.items():
            archive.writestr(other, more)
    return sink.getvalue()


def uninas_with(**changes: Any) -> bytes:
    result = {
        "arch_str": STRINGS[0],
        "params": {"cifar10-valid": 1.0},
        "flops": {"cifar10-valid": 1.0},
        "latency": {"cifar10-valid": 1.0},
        "loss": {"cifar10-valid": {"valid": 0.1}},
        "acc1": {"cifar10-valid": {"valid": 90.0}},
    }
    return torch_zip(
        pickle.dumps({"bench_description": "mini", "results": {0: {**result, **changes}}}, protocol=2)
    )


def _central(content: bytes, offset: int, to: bytes) -> bytes:
    """With other bytes in the first entry of a ZIP file's central directory."""
    return _changed(content, content.index(b"PK\x01\x02") + offset, to)


UNINAS: Mapping[str, Callable[[], bytes]] = {
    "an accuracy of 10**400": lambda: uninas_with(acc1={"cifar10-valid": {"valid": 10**400}}),
    "an accuracy of 10**5000": lambda: uninas_with(acc1={"cifar10-valid": {"valid": 10**5000}}),
    "a loss of 10**400": lambda: uninas_with(loss={"cifar10-valid": {"valid": 10**400}}),
    "a loss that is a list": lambda: uninas_with(loss={"cifar10-valid": [1, 2]}),
    "losses that are a list": lambda: uninas_with(loss={"cifar10-valid": {"valid": [1]}}),
    "costs of 10**400": lambda: uninas_with(params={"cifar10-valid": 10**400}),
    "an architecture that is a list": lambda: uninas_with(arch_str=[1] * 10**6),
    "an architecture of 10**5000": lambda: uninas_with(arch_str=10**5000),
    "a data set that is a tuple": lambda: uninas_with(acc1={("a",) * 10**5: {"valid": 1.0}}),
    "a bomb": lambda: torch_zip(b"\x80\x02(X\x11\0\0\0bench_description" + b"N" * (400 * 2**20)),
    "offsets beyond the end": lambda: _central(uninas_with(), 42, struct.pack("<I", 2**31)),
    "offsets before the beginning": lambda: _changed(uninas_with(), -6, struct.pack("<I", 2**31)),
    "an encrypted entry": lambda: _central(uninas_with(), 8, b"\x01\x00"),
    "an unknown compression": lambda: _central(uninas_with(), 10, b"\x63\x00"),
    "a size that is not so": lambda: _central(uninas_with(), 24, struct.pack("<I", 2**31)),
    "a far date": lambda: _central(uninas_with(), 12, b"\xff\xff\xff\xff"),
    "two pickles": lambda: torch_zip(pickle.dumps(1), **{"b/data.pkl": b"N."}),
    "100,000 entries": lambda: torch_zip(b"N.", **{f"a/{n}": b"" for n in range(100_000)}),
    "truncated": lambda: uninas_with()[:-30],
    "only the beginning": lambda: b"PK\x03\x04",
}


def _pickled(frame: pd.DataFrame) -> bytes:
    sink = io.BytesIO()
    frame.to_pickle(sink)
    return sink.getvalue()


PANDAS: Mapping[str, Callable[[], bytes]] = {
    "another table": lambda: _pickled(pd.DataFrame({"a": [1, 2]})),
    "an empty table": lambda: _pickled(pd.DataFrame()),
    "columns that are tuples": lambda: _pickled(pd.DataFrame({("a", 1): [1], ("b", 2): [2]})),
    "cells that are lists": lambda: _pickled(pd.DataFrame({"arch_str": STRINGS[:2], KEY: [[1], [2, 3]]})),
    "cells of 10**400": lambda: _pickled(pd.DataFrame({"arch_str": STRINGS[:2], KEY: [10**400, 1]})),
    "cells of mixed kinds": lambda: _pickled(pd.DataFrame({"arch_str": [1, "a"], KEY: [b"x", None]})),
    "only NaN": lambda: _pickled(pd.DataFrame({"arch_str": ["x"] * 3, KEY: [np.nan] * 3})),
    "truncated": lambda: _pickled(pd.DataFrame({"a": [1, 2]}))[:-30],
    "a slice without end": lambda: (
        b"\x80\x04\x8c\x11pandas.core.frame\x8c\tDataFrame\x93)R}\x8c\x04_mgr"
        b"\x8c\x15pandas._libs.internals\x8c\x0cBlockManager\x93("
        b"(\x8c\x15pandas._libs.internals\x8c\x0f_unpickle_block\x93(]K\x01a"
        b"\x8c\x08builtins\x8c\x05slice\x93K\x00" + _number(10**12) + b"K\x01\x87RK\x02tRt]tRsb."
    ),
}


# Tar archives of CIFAR-10


def tar_of(**members: bytes) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w:gz", compresslevel=1) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return sink.getvalue()


def cifar_of(batch: bytes) -> bytes:
    """An archive in which every member is this pickle."""
    names = [f"data_batch_{n}" for n in range(1, 6)] + ["batches.meta"]
    return tar_of(**dict.fromkeys(names, batch))


def _zeros(size: int) -> bytes:
    return b"".join([gzip.compress(bytes(2**20), 1)] * (size >> 20))


ARCHIVES: Mapping[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "a gzip bomb": lambda: _zeros(64 * 2**30),
    "a bomb of another member": lambda: _packed_header("other", 2**40) + _zeros(64 * 2**30),
    "a bomb of a member": lambda: _packed_header("data_batch_1", 60 * 2**20) + _zeros(2**30),
    "a bomb of a long name": lambda: _packed_header("n", 8 * 2**30 - 1, b"L") + _zeros(8 * 2**30),
    "a bomb of extended headers": lambda: _packed_header("n", 8 * 2**30 - 1, b"x") + _zeros(8 * 2**30),
    "truncated": lambda: tar_of(data_batch_1=bytes(np.arange(10**5) % 251))[:-100],
    "truncated bzip2": lambda: bz2.compress(gzip.decompress(tar_of(data_batch_1=b"x" * 10**5)))[:-10],
    "only zeros": lambda: bytes(20_000),
    "a negative size": lambda: _packed_header("data_batch_1", -1),
}  # fmt: skip


def _packed_header(name: str, size: int, kind: bytes = b"0") -> bytes:
    info = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
    info.size, info.type = size, kind
    return gzip.compress(info.tobuf(tarfile.GNU_FORMAT))


# What nasrank prepared of CIFAR-10


def npz(**members: bytes) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return sink.getvalue()


def npy(shape: str, content: bytes = b"", kind: str = "|u1") -> bytes:
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x02\x00" + struct.pack("<I", len(header)) + header + content


def provenance(text: str) -> bytes:
    sink = io.BytesIO()
    np.save(sink, np.array(text))
    return sink.getvalue()


def images_of(kind: str, shape: str, images: bytes, labels: bytes = bytes(8)) -> bytes:
    """Prepared images whose digest is right, whatever they are."""
    digest = hashlib.sha256(images + labels).hexdigest()
    told = json.dumps({"format": 1, "sha256": digest, "origin": "o", "images": 1})
    arrays = {"images": npy(shape, images, kind), "labels": npy("(1,)", labels, "<i8")}
    return npz(provenance=provenance(told), **arrays)


_GOOD: Mapping[str, bytes] = {
    "provenance": provenance(json.dumps({"format": 1, "sha256": "x", "origin": "o", "images": 1})),
    "images": npy("(1, 3, 32, 32)", bytes(3072)),
    "labels": npy("(1,)", bytes(8), "<i8"),
}
PREPARED: Mapping[str, Callable[[], bytes]] = {
    "an array of a terabyte": lambda: npz(**_GOOD | {"images": npy(f"({2**40},)", b"x")}),
    "an array of an exabyte": lambda: npz(**_GOOD | {"images": npy(f"({2**60},)", b"x")}),
    "a shape of 200,000 factors": lambda: npz(**_GOOD | {"images": npy("(" + "1," * 200_000 + ")")}),
    "a shape below zero": lambda: npz(**_GOOD | {"images": npy("(-1, -1)", b"x")}),
    "a bomb": lambda: npz(**_GOOD | {"images": npy(f"({2**29},)", bytes(2**29))}),
    "deep provenance": lambda: npz(**_GOOD | {"provenance": provenance("[" * 200_000)}),
    "provenance that is a list": lambda: npz(**_GOOD | {"provenance": provenance("[1]")}),
    "provenance without a format": lambda: npz(**_GOOD | {"provenance": provenance("{}")}),
    "provenance of objects": lambda: npz(**_GOOD | {"provenance": npy("()", pickle.dumps(1), "|O")}),
    "other images": lambda: npz(**_GOOD),
    "images of NaN": lambda: images_of("<f4", "(1, 3, 32, 32)", b"\0\0\xc0\x7f" * 3072),
    "images of another shape": lambda: images_of("|u1", "(1, 3, 16, 64)", bytes(3072)),
    "a label that there is not": lambda: images_of("|u1", "(1, 3, 32, 32)", bytes(3072), b"\n" + bytes(7)),
    "no images": lambda: npz(provenance=_GOOD["provenance"]),
    "offsets beyond the end": lambda: _central(npz(**_GOOD), 42, struct.pack("<I", 2**31)),
    "offsets before the beginning": lambda: _changed(npz(**_GOOD), -6, struct.pack("<I", 2**31)),
    "an encrypted entry": lambda: _central(npz(**_GOOD), 8, b"\x01\x00"),
    "an unknown compression": lambda: _central(npz(**_GOOD), 10, b"\x63\x00"),
    "an array alone": lambda: npy("(1,)", b"x"),
    "a pickle": lambda: pickle.dumps([1]),
    "truncated": lambda: npz(**_GOOD)[:-20],
    "empty": lambda: b"",
}
