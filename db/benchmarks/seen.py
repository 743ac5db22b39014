"""A first look at a file: how it begins, and what it seems to be."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from nasrank.db.errors import shown
from nasrank.db.files.opening import open_regular
from nasrank.db.files.torch_files import is_torch_file, start_of_pickle

# Of a file with all architectures; the authors' largest has 5 GB.
MAX_LARGE_BYTES: Final = 64 * 2**30


def start_of(path: Path, size: int) -> bytes:
    """The first bytes of a file."""
    with open_regular(path, MAX_LARGE_BYTES) as stream:
        return stream.read(size)


def torch_start(path: Path, size: int) -> bytes:
    """How the pickle in PyTorch's file begins; empty where it is none."""
    with open_regular(path, MAX_LARGE_BYTES) as file:
        return start_of_pickle(file, size)


def describe(path: Path) -> str:
    """What a file or folder seems to be, in a few words."""
    if path.is_dir():
        names = sorted(os.listdir(path))
        return f"a folder of {len(names):,} files such as {shown(names[0])}" if names else "an empty folder"
    start = start_of(path, 4096)
    kinds = {
        b"BZh": "a bzip2 file",
        b"PK\x03\x04": "a ZIP file",
        b"\x1f\x8b": "a gzip file",
        b"PAR1": "Parquet",
        b"\x89HDF": "an HDF5 file",
        b"SQLite": "an SQLite file",
    }
    for magic, kind in kinds.items():
        if start.startswith(magic):
            return "a file of PyTorch" if torch_start(path, 1) else kind
    if is_torch_file(start):
        return "a file of PyTorch"
    if start[:1] == b"\x80" and start[1:2] <= b"\x05":
        return "a pickle"
    if not start:
        return "empty"
    try:
        text = start.decode("utf-8", errors="strict" if len(start) < 4096 else "ignore")
    except UnicodeDecodeError:
        return "a binary file of an unknown kind"
    line = text.strip().partition("\n")[0][:60]
    return f"text that begins with {shown(line)}"
