"""Reads parts of a benchmark in a process of its own, started by `isolation.py`.

Files from others are opened only here, where the operating system limits memory and time: a file that makes
Python allocate what it claims to hold, or hash without end, ends this process and nothing else. Tasks come as
JSON lines on standard input, reports go as JSON lines to what standard output was. It ends with its parent.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet

from nasrank.db.benchmarks.official.contents import FORMS, ResultCollector, Rows
from nasrank.db.benchmarks.options import Curve
from nasrank.db.benchmarks.seen import MAX_LARGE_BYTES
from nasrank.db.errors import NasrankError, in_a_line
from nasrank.db.files.opening import open_regular, read_regular
from nasrank.db.files.writing import replacing
from nasrank.db.nb201.architectures import NUM_ARCHITECTURES, all_architectures
from nasrank.db.processes import limit_memory, limit_seconds

# Of one file of a folder: packed, unpacked. The largest of the authors' have 15 MB, with trained weights.
MAX_FILE_BYTES: Final = 128 * 2**20
MAX_UNPACKED_BYTES: Final = 128 * 2**20  # joined at the end, which takes twice as much
# Rows that are collected before they are written: about 16 MB.
_ROWS: Final = 200_000

Report = Callable[[Mapping[str, Any]], None]


def main() -> None:
    """Work on tasks until there are no more."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # nothing else may write into the reports

    at = ""

    def report(message: Mapping[str, Any]) -> None:
        nonlocal at
        at = message.get("at", at)
        try:
            channel.write(json.dumps(message) + "\n")
            channel.flush()
        except BrokenPipeError:  # the parent is gone
            os._exit(1)

    pa.set_cpu_count(1)
    all_architectures()
    for line in sys.stdin:
        task = json.loads(line)
        try:
            limit_memory(task["memory"])
            if "file" in task:
                read_file(task, report)
            else:
                read_files(task, report)
        except NasrankError as error:
            report({"error": in_a_line(error)})
        except MemoryError:
            report({"error": f"{at} needs more than {task['memory'] // 2**20:,} MiB of memory"})
        except Exception as error:  # of which a hostile file can cause any
            report({"error": in_a_line(f"{at} is not readable: {type(error).__name__}: {error}")})


def read_files(task: Mapping[str, Any], report: Report) -> None:
    """Read the files of some architectures in a folder, and write what is kept of them."""
    form, curve = FORMS[task["form"]], Curve(task["curve"])
    digests: dict[str, tuple[int, str]] = {}
    with _writer(Path(task["out"])) as (rows, flush):
        collector = ResultCollector(form, curve, rows)
        for done, (arch_id, path) in enumerate(task["files"]):
            report({"at": path, "done": done})
            limit_seconds(task["seconds_a_file"])
            content = read_regular(Path(path), MAX_FILE_BYTES, follow_links=False)
            digests[Path(path).name] = (len(content), hashlib.sha256(content).hexdigest())
            saved = form.load(content, repr(path), MAX_UNPACKED_BYTES)
            if arch_id is None:
                check_meta(saved, repr(path))
            else:
                collector.add(saved, arch_id, repr(path))
            flush(_ROWS)
    report({"finished": digests})


def read_file(task: Mapping[str, Any], report: Report) -> None:
    """Read a file with all architectures, and write what is kept of them."""
    form, curve, path = FORMS[task["form"]], Curve(task["curve"]), Path(task["file"])
    limit_seconds(task["seconds"])
    with open_regular(path, MAX_LARGE_BYTES) as file:
        size = os.fstat(file.fileno()).st_size
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        report({"at": f"{path}, loading", "done": 0})
        content = form.load_large(file, repr(str(path)), task["unpacked"])
    infos = check_meta(content, repr(str(path)))
    with _writer(Path(task["out"])) as (rows, flush):
        collector = ResultCollector(form, curve, rows)
        for done, arch_id in enumerate(sorted(infos)):
            report({"at": str(path), "done": done})
            if not isinstance(arch_id, int) or not 0 <= arch_id < NUM_ARCHITECTURES:
                raise NasrankError(f"{str(path)!r} has results of an architecture {arch_id!r}")
            collector.add(infos.pop(arch_id), arch_id, f"{str(path)!r}, {arch_id}")
            flush(_ROWS)
    report({"finished": {path.name: (size, digest)}})


def check_meta(content: Any, name: str) -> dict[Any, Any]:
    """The results by architecture, empty where other files have them; numbered as in the benchmark."""
    architectures = content.get("meta_archs") if isinstance(content, Mapping) else None
    if not isinstance(architectures, list):
        raise NasrankError(f"{name} has no list of architectures, meta_archs")
    if architectures != [a.string for a in all_architectures()]:
        example = str(architectures[0] if architectures else "")[:60]
        raise NasrankError(
            f"{name} numbers {len(architectures):,} architectures otherwise than NAS-Bench-201, the first as "
            f"{example!r}; the size search space of NATS-Bench is another one"
        )
    infos = content.get("arch2infos") or {}
    if not isinstance(infos, dict):
        raise NasrankError(f"{name} has no results by architecture in arch2infos")
    return infos


@contextmanager
def _writer(out: Path) -> Iterator[tuple[Rows, Callable[[int], None]]]:
    """Rows, and a function that writes them where there are so many; at the end, all are written."""
    rows = Rows()
    first = rows.take_results()
    with replacing(out.with_suffix(".results")) as part:
        with pyarrow.parquet.ParquetWriter(part, first.schema, compression="zstd") as writer:

            def flush(least: int) -> None:
                if len(rows) >= least:
                    writer.write_table(rows.take_results())

            yield rows, flush
            flush(1)
        pyarrow.parquet.write_table(rows.take_costs(), out.with_suffix(".costs"), compression="zstd")


if __name__ == "__main__":
    main()
