"""Ground truth in JSON: objects that lead from an architecture to its accuracy.

An architecture is the benchmark's string or six digits. The data set and split stand beside it, in either
order, as `cifar10-valid/valid` or one inside the other, or are said by the person who imports.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nasrank.db.benchmarks.benchmark import DATASETS, SPLITS, Benchmark
from nasrank.db.benchmarks.formats.means import Means, mean_series, parse_architecture
from nasrank.db.benchmarks.options import BenchmarkOptions
from nasrank.db.benchmarks.seen import start_of
from nasrank.db.errors import NasrankError, shown
from nasrank.db.files.foreign_tables import unique_keys
from nasrank.db.nb201.architectures import Architecture

_DEPTH = 3
_KEYS = {f"{dataset}/{split}" for dataset in DATASETS for split in SPLITS}


@dataclass(frozen=True)
class JsonFile:
    """Reads a JSON object."""

    name: str = "json"
    description: str = "JSON of architecture to accuracy, with <dataset>/<split> beside it or as --split"
    version: int = 1

    def matches(self, path: Path | None) -> bool:
        """Whether it is text that begins as a JSON object does."""
        return path is not None and path.is_file() and start_of(path, 4096).lstrip().startswith(b"{")

    def read(self, path: Path | None, options: BenchmarkOptions) -> Benchmark:
        """Read and check the file; `options.epochs` must be given."""
        means = Means(path, self.name, self.version)
        if options.epochs is None or options.epochs < 1:
            raise NasrankError(
                f"after how many epochs are the accuracies in {means.shown}? give --epochs: NAS-Bench-201 "
                "has 200 and 12"
            )
        if options.split is not None and options.split not in _KEYS:
            raise NasrankError(f"--split {options.split!r} is not one of {', '.join(sorted(_KEYS))}")
        values = [
            (*_place(keys, options.split, means), value) for keys, value in _leaves(_parse(means), (), means)
        ]
        # NAS-Bench-201's best are far above one percent.
        fractions = bool(values) and all(isinstance(v, float | int) and v <= 1 for _, _, v in values)
        for arch_id, key, value in values:
            dataset, split = key.split("/")
            percent = value * 100 if fractions else value
            means.add(arch_id, mean_series(dataset, split, options.epochs), percent)
        if fractions:
            means.notes.append("no accuracy is above 1: they are taken for fractions")
        keys = ", ".join(sorted({key for _, key, _ in values}))
        return means.benchmark(f"NAS-Bench-201 after {options.epochs} epochs: {keys}")


def _parse(means: Means) -> Any:
    try:
        return json.loads(means.content, object_pairs_hook=unique_keys, parse_constant=_refuse)
    except (ValueError, RecursionError, NasrankError) as error:
        raise NasrankError(f"{means.shown} is not readable as JSON: {error}") from error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _leaves(value: Any, keys: tuple[str, ...], means: Means) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value that is no object, with the names that lead to it."""
    if not isinstance(value, dict):
        yield keys, value
        return
    if len(keys) == _DEPTH:
        raise NasrankError(f"{means.shown}: objects are more than {_DEPTH} deep at {shown('/'.join(keys))}")
    for name, inner in value.items():
        yield from _leaves(inner, (*keys, name), means)


def _place(keys: tuple[str, ...], split: str | None, means: Means) -> tuple[int, str]:
    """(`arch_id`, `<dataset>/<split>`) of a value by the names that lead to it."""
    architectures = [name for name in keys if "|" in name or name.isdecimal()]
    others = "/".join(name for name in keys if name not in architectures)
    if len(architectures) != 1:
        raise NasrankError(
            f"{means.shown}: {shown('/'.join(keys))} does not name one architecture, as |op~0|+… or digits"
        )
    try:
        architecture: Architecture = parse_architecture(architectures[0])
    except NasrankError as error:
        raise NasrankError(f"{means.shown}: {error}") from None
    key = others or split
    if key not in _KEYS:
        raise NasrankError(
            f"{means.shown}: of which data set and split is {shown('/'.join(keys))}? "
            f"{f'{shown(others)} is none' if others else 'give --split'}; "
            f"there are {', '.join(sorted(_KEYS))}"
        )
    return architecture.arch_id, key
