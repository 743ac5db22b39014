"""NATS-Bench's topology search space and NAS-Bench-201, as their authors publish them: folders and files.

A folder has a file an architecture. It is read a hundred files at a time, in processes of their own, and what
is kept of each hundred is a Parquet file in a folder of its own, so that an import that was stopped goes on.
The SHA-256 of a folder is that of the lines that `sha256sum *` prints in it.
"""

from __future__ import annotations

import bz2
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nasrank.db.benchmarks.benchmark import COSTS, RESULTS, Benchmark, scanner
from nasrank.db.benchmarks.official.contents import NAS_BENCH_201, NATS_BENCH, Form
from nasrank.db.benchmarks.official.isolation import MEMORY, read_in_processes
from nasrank.db.benchmarks.options import BenchmarkOptions
from nasrank.db.benchmarks.seen import start_of, torch_start
from nasrank.db.benchmarks.validation import check_complete, check_results
from nasrank.db.errors import NasrankError
from nasrank.db.files.writing import atomic_write
from nasrank.db.memory import available_memory
from nasrank.db.nb201.architectures import NUM_ARCHITECTURES

if TYPE_CHECKING:
    from pyarrow.dataset import Dataset

_VERSION: Final = 1
_FILES_AT_A_TIME: Final = 100
# How many bytes Python needs for one of a pickle, and what bzip2 packs into one; both measured.
_OBJECTS_A_BYTE: Final = 6.5
_PACKED: Final = 3.3
_LEAST_UNPACKED: Final = 64 * 2**20
# How fast any machine loads and hashes, in bytes of a pickle a second: far less than it does.
_BYTES_A_SECOND: Final = 5e6


@dataclass(frozen=True)
class OfficialFolder:
    """Reads a folder with a file an architecture."""

    form: Form
    name: str
    description: str

    def matches(self, path: Path | None) -> bool:
        """Whether a file's name says an architecture's number and its content begins as it should."""
        if path is None or not path.is_dir():
            return False
        with os.scandir(path) as entries:
            for entry in entries:
                if re.fullmatch(self.form.folder_files, entry.name, re.ASCII):
                    start = start_of(Path(entry.path), 16)
                    return start.startswith(b"BZh") if self.form.packed == "bz2" else start != b""
        return False

    def read(self, path: Path | None, options: BenchmarkOptions) -> Benchmark:
        """Read and check all files; what is read is kept in `options.work_dir` until it is all there."""
        if path is None or not path.is_dir():
            raise NasrankError(f"the format {self.name} needs {self.description}; {str(path)!r} is no folder")
        refuse_epochs(self.name, options)
        files = self.list_files(path)
        check_complete(
            np.array(sorted(key for key in files if key is not None), dtype=np.int16),
            np.full(len([key for key in files if key is not None]), "0"),
            repr(str(path)),
        )
        parts = _parts_folder(options, [self.name, _VERSION, options.curve.text, _identity(files.values())])
        self.read_parts(files, parts, options)
        return _benchmark(self.form, self.name, path, parts, options)

    def list_files(self, path: Path) -> dict[int | None, Path]:
        """The file of each architecture, and of the list of architectures under None, where the form has it.

        Raises NasrankError where anything else is in the folder, or something that is no ordinary file.
        """
        found: dict[int | None, Path] = {}
        with os.scandir(path) as entries:
            for entry in entries:
                match = re.fullmatch(self.form.folder_files, entry.name, re.ASCII)
                is_meta = self.form is NATS_BENCH and entry.name == "meta.pickle.pbz2"
                if not (match or is_meta) or not entry.is_file(follow_symlinks=False):
                    raise NasrankError(
                        f"{entry.name!r} in {str(path)!r} is not one of {self.form.name}'s files, ordinary "
                        "ones named by an architecture's number; leave only these there"
                    )
                arch_id = int(match[1]) if match else None
                if arch_id in found or not (arch_id is None or arch_id < NUM_ARCHITECTURES):
                    raise NasrankError(
                        f"{entry.name!r} in {str(path)!r} is of no architecture, or a second one"
                    )
                found[arch_id] = Path(entry.path)
        return found

    def read_parts(self, files: Mapping[int | None, Path], parts: Path, options: BenchmarkOptions) -> None:
        """Read what `parts` does not have yet."""
        ordered = sorted(files.items(), key=lambda item: -1 if item[0] is None else item[0])
        tasks: list[dict[str, Any]] = []
        for first in range(0, len(ordered), _FILES_AT_A_TIME):
            out = parts / f"{first:06d}"
            if out.with_suffix(".files").exists():
                continue
            chunk = [(arch_id, str(file)) for arch_id, file in ordered[first : first + _FILES_AT_A_TIME]]
            tasks.append(_task(self.form, options, out, chunk[0][1]) | {"files": chunk})
        before = len(ordered) - sum(len(task["files"]) for task in tasks)
        read_in_processes(
            tasks,
            options.processes,
            lambda number, digests: _write_whole(Path(tasks[number]["out"]).with_suffix(".files"), digests),
            lambda done: options.progress("files", before + done, len(ordered)),
        )


@dataclass(frozen=True)
class OfficialFile:
    """Reads one file with all architectures."""

    form: Form
    name: str
    description: str
    folder: str

    def matches(self, path: Path | None) -> bool:
        """Whether it is a file packed as it should be that has the authors' list of architectures."""
        if path is None or not path.is_file():
            return False
        if self.form.packed == "torch":
            return b"meta_archs" in torch_start(path, 2**16)
        packed = start_of(path, 2**20)
        if not packed.startswith(b"BZh"):
            return False
        try:
            return b"meta_archs" in bz2.BZ2Decompressor().decompress(packed, max_length=2**16)
        except OSError:
            return False

    def read(self, path: Path | None, options: BenchmarkOptions) -> Benchmark:
        """Read and check the file, if there is enough memory for all of it."""
        if path is None or not path.is_file():
            raise NasrankError(f"the format {self.name} needs {self.description}; {str(path)!r} is no file")
        refuse_epochs(self.name, options)
        parts = _parts_folder(options, [self.name, _VERSION, options.curve.text, _identity([path])])
        self.read_parts(path, parts, options)
        return _benchmark(self.form, self.name, path, parts, options)

    def read_parts(self, path: Path, parts: Path, options: BenchmarkOptions) -> None:
        """Read the file, unless `parts` has it already."""
        out = parts / "000000"
        if out.with_suffix(".files").exists():
            return
        unpacked = path.stat().st_size * (_PACKED if self.form.packed == "bz2" else 1)
        needed = MEMORY + int(unpacked * _OBJECTS_A_BYTE)
        free = available_memory()
        need = f"{str(path)!r} is loaded as a whole, which needs about {needed / 2**30:.1f} GiB of memory"
        if free is not None and needed > free:
            raise NasrankError(
                f"{need}, and {free / 2**30:.1f} GiB are free; give {self.folder} instead, which needs half "
                "a GiB"
            )
        options.say(need)
        task = _task(self.form, options, out, str(path)) | {
            "file": str(path.resolve()),
            # What it was packed into is a guess; twice as much is none of the authors' files.
            "unpacked": int(2 * unpacked) + _LEAST_UNPACKED,
            "memory": 2 * needed,
            "seconds": int(60 + 2 * unpacked / _BYTES_A_SECOND),
        }
        read_in_processes(
            [task],
            1,
            lambda number, digests: _write_whole(out.with_suffix(".files"), digests),
            lambda done: options.progress("architectures", done, NUM_ARCHITECTURES),
        )


def refuse_epochs(name: str, options: BenchmarkOptions) -> None:
    """For formats that say themselves what they hold."""
    if options.epochs is not None or options.split is not None:
        raise NasrankError(f"{name} says itself what it holds; leave --epochs and --split out")


OFFICIAL_IMPORTERS: Final = (
    OfficialFolder(
        NATS_BENCH,
        "nats-bench",
        "NATS-Bench's topology folder, NATS-tss-v1_0-…-simple, with NNNNNN.pickle.pbz2",
    ),
    OfficialFile(
        NATS_BENCH,
        "nats-bench-file",
        "NATS-Bench's topology file, NATS-tss-v1_0-….pickle.pbz2",
        "the folder NATS-tss-v1_0-…-simple",
    ),
    OfficialFolder(NAS_BENCH_201, "nas-bench-201", "NAS-Bench-201's archive folder, with NNNNNN-FULL.pth"),
    OfficialFile(
        NAS_BENCH_201,
        "nas-bench-201-file",
        "NAS-Bench-201's file, NAS-Bench-201-v1_….pth",
        "the archive folder NAS-Bench-201-v1_1-archive",
    ),
)


def _task(form: Form, options: BenchmarkOptions, out: Path, what: str) -> dict[str, Any]:
    return {"form": form.name, "curve": options.curve.text, "out": str(out), "what": what}


def _identity(files: Any) -> list[tuple[str, int, int]]:
    """What changes when a file does, without reading it."""
    statuses = sorted((file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files)
    return list(statuses)


def _parts_folder(options: BenchmarkOptions, identity: list[Any]) -> Path:
    """Where what was read of these files is, and goes."""
    digest = hashlib.sha256(json.dumps(identity).encode()).hexdigest()
    home = options.work_dir or Path(tempfile.mkdtemp(prefix="nasrank-"))
    folder = home / digest[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NasrankError(f"cannot make {str(folder)!r}: {error.strerror or error}") from error
    return folder.resolve()


def _write_whole(path: Path, content: Any) -> None:
    atomic_write(path, json.dumps(content).encode())


def _benchmark(form: Form, name: str, path: Path, parts: Path, options: BenchmarkOptions) -> Benchmark:
    import pyarrow.dataset as ds

    results = ds.dataset(sorted(map(str, parts.glob("*.results"))), schema=RESULTS, format="parquet")
    costs = ds.dataset(sorted(map(str, parts.glob("*.costs"))), schema=COSTS, format="parquet")
    digests = {
        file: tuple(digest)
        for listed in sorted(parts.glob("*.files"))
        for file, digest in json.loads(listed.read_text(encoding="utf-8")).items()
    }
    sums = "".join(f"{digest}  {file}\n" for file, (_, digest) in sorted(digests.items()))
    notes = check_results(results, repr(str(path)))
    return Benchmark(
        format=name,
        importer_version=_VERSION,
        file_name=path.resolve().name,
        size_bytes=sum(size for size, _ in digests.values()),
        sha256=hashlib.sha256(sums.encode()).hexdigest() if path.is_dir() else digests[path.name][1],
        license="MIT",
        description=f"{form.name}, all trials; epochs of the curves: {options.curve.text}",
        results=results,
        costs=costs,
        notes=(*notes, *_cost_notes(costs)),
        parts=parts,
    )


def _cost_notes(costs: Dataset) -> tuple[str, ...]:
    """An architecture has one size; the authors' files record another one for some trials."""
    sizes = scanner(costs, ["arch_id", "dataset", "params"]).to_table()
    spread = sizes.group_by(["arch_id", "dataset"]).aggregate([("params", "min"), ("params", "max")])
    differing = np.asarray(spread["params_min"]) != np.asarray(spread["params_max"])
    count = len(set(np.asarray(spread["arch_id"])[differing].tolist()))
    return (f"the trials of {count:,} architectures differ in their number of parameters",) if count else ()
