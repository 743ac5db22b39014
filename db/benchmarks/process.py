"""Reads a file of ground truth in the process with limits that `registry.read_benchmark` starts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nasrank.db.benchmarks.official.importers import OFFICIAL_IMPORTERS
from nasrank.db.benchmarks.options import BenchmarkOptions, Curve
from nasrank.db.benchmarks.registry import find_importer
from nasrank.db.benchmarks.validation import check_is_of_the_benchmark
from nasrank.db.columns.finding import Choice
from nasrank.db.files.foreign import Answer, Progress, answer_tasks


def read(path: Path, options: Mapping[str, Any], _: Progress) -> Answer:
    """The benchmark that a file holds, or only which of the official importers reads it."""
    importer = find_importer(path, options["format"])
    if importer.name in {official.name for official in OFFICIAL_IMPORTERS}:
        return Answer({"official": importer.name})
    benchmark = importer.read(
        path,
        BenchmarkOptions(
            options["epochs"],
            options["split"],
            options["is_other_benchmark"],
            Curve(options["curve"]),
            Choice(**options["choice"]),
        ),
    )
    if not options["is_other_benchmark"]:
        check_is_of_the_benchmark(benchmark, repr(str(path)))
    return Answer(
        {
            "format": benchmark.format,
            "importer_version": benchmark.importer_version,
            "file_name": benchmark.file_name.encode(errors="backslashreplace").decode(),
            "size_bytes": benchmark.size_bytes,
            "sha256": benchmark.sha256,
            "license": benchmark.license,
            "description": benchmark.description,
            "notes": benchmark.notes,
        },
        (benchmark.results, benchmark.costs),
    )


if __name__ == "__main__":
    answer_tasks(read)
