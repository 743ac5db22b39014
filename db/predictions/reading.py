"""What one file says of one seed: notation, scale and mask, found by looking, checked, and told."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nasrank.db.columns.finding import PERCENT, Choice
from nasrank.db.columns.shapes import FORMATS
from nasrank.db.errors import NasrankError, nearest
from nasrank.db.nb201.architectures import OperationSet, all_architectures
from nasrank.db.nb201.notations import ArchIds, choose_reading
from nasrank.db.predictions.files import PredictionFile, read_prediction_file
from nasrank.db.predictions.process import ReadFile

IMPORTER_VERSION: Final = 2
SCALES: Final = ("fraction", "percent", "score")
# The best architectures of any data set have more percent than this; a best one from 1 to this is unclear.
_LEAST_PERCENT: Final = 5.0


@dataclass(frozen=True, slots=True)
class PredictionOptions:
    """How files are read; None is found by looking.

    Args:
        seed: of the file, of a folder that of the first; None: as `seeds_of` finds.
        ground_truth: keys under which metrics are stored, in full or short; the first tells notations apart.
            None given: the default key.
        leave_out_masked: leaves out architectures that the mask removes, instead of refusing the file.
        are_parts: whether the files of a folder are parts of one seed, or a seed each; None: as their names
            say, and refused where these do not say it of files that share no architecture.
        is_trial: whether they are only looked at, and nothing is imported.
    """

    mask: OperationSet = field(default_factory=OperationSet)
    scale: str | None = None
    lower_is_better: bool = False
    seed: int | None = None
    ground_truth: Sequence[str] = ()
    leave_out_masked: bool = False
    are_parts: bool | None = None
    is_trial: bool = False
    choice: Choice = field(default_factory=Choice)


@dataclass(frozen=True, slots=True)
class KnownAccuracies:
    """What tells notations apart: the accuracies [architectures] under a ground-truth key, NaN if unknown."""

    key: str
    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ForeignRun:
    """What one file says of one seed, checked.

    Args:
        notes: lines that say how it was read.
        arch_ids: [predictions].
        numbers: [predictions], fractions or scores of which higher is better; NaN where not finite.
    """

    seed: int
    source: dict[str, Any]
    arch_ids: ArchIds
    numbers: NDArray[np.float64]
    notes: tuple[str, ...]


def prediction_files(path: Path) -> list[Path]:
    """`path` itself, or the files of a known format in the folder, by name; if there are none, those without.

    Raises:
        NasrankError: there is neither.
    """
    if not os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises for some names
        return [path]
    files = sorted(path.iterdir())
    known = [file for file in files if file.suffix.lower().removeprefix(".") in FORMATS]
    known = known or [file for file in files if not file.suffix and file.name[0] != "." and file.is_file()]
    if not known:
        raise NasrankError(f"{path} has no file that ends in .{', .'.join(FORMATS)}, or in nothing")
    return known


def seeds_of(files: Sequence[Path], first: int | None) -> tuple[list[int], str]:
    """A seed for each file, and a line that says where it is from.

    Counted up from `first`, where it is given; else from the names, `…seed3…` or, of several files, the last
    number of each; else counted up from 0. Names that tell a seed more than once, `seed-3-…_0` and
    `seed-3-…_1`, are of its parts.
    """
    names = [file.stem for file in files]
    patterns = [r"seed[-_ ]?(\d{1,18})"] + ([r"(\d{1,18})(?=\D*$)"] if len(files) > 1 else [])
    for pattern in patterns if first is None else []:
        found = [re.search(pattern, name, re.IGNORECASE | re.ASCII) for name in names]
        seeds = [int(match[1]) for match in found if match]
        if len(seeds) == len(files) > len(set(seeds)) > 0 and "seed" in pattern:
            return seeds, f"{_seeds(sorted(set(seeds)))} in {len(files)} parts, from the names of the files"
        if len(set(seeds)) == len(files):
            return seeds, f"{_seeds(seeds)} from the name{'s of the files' if len(files) > 1 else ''}"
    seeds = list(range(first or 0, (first or 0) + len(files)))
    return seeds, f"{_seeds(seeds)}{', in the order of the names' if len(files) > 1 else ''}"


def read_runs(
    path: Path,
    seed: int,
    known: KnownAccuracies,
    options: PredictionOptions,
    read_file: ReadFile = read_prediction_file,
) -> list[ForeignRun]:
    """Read and check one file, which `read_file` opens: here, or in a process with limits.

    A run for each seed that it holds: those that it tells, but with `options.seed` counted up from there;
    `seed` where it holds one and tells none.

    Raises:
        NasrankError: it cannot be read, is unclear, or holds what the options exclude.
    """
    if options.scale is not None and options.scale not in SCALES:
        raise NasrankError(
            f"unknown scale {options.scale!r}{nearest(options.scale, SCALES)}; choose {', '.join(SCALES)}"
        )
    if options.lower_is_better and options.scale in ("fraction", "percent"):
        raise NasrankError("of accuracies higher is better; with --lower-is-better give --scale score")
    found = read_file(path, options.choice)
    if options.seed is not None or found[0].seed is None:
        places = [0 if options.choice.has_star else place for place in range(len(found))]
        found = [replace(file, seed=seed + place) for file, place in zip(found, places, strict=True)]
    return [_checked(path, file, known, options) for file in found]


def _checked(
    path: Path, file: PredictionFile, known: KnownAccuracies, options: PredictionOptions
) -> ForeignRun:
    assert file.seed is not None
    try:
        notation, told = choose_reading(file.readings, file.numbers, known.values, known.key)
        arch_ids = file.readings[notation]
        _refuse_repeated(arch_ids)
        scale = options.scale or ("score" if options.lower_is_better else _scale(file))
        numbers = _converted(file, scale, options.lower_is_better)
        admitted = _admitted(arch_ids, options)
    except NasrankError as error:
        raise NasrankError(f"{path}: {error}") from error
    lines = [
        f"architectures from {file.architecture_column!r} ({notation}), predictions from "
        f"{file.value_column!r} (read as {_WORDS[scale]}"
        f"{', of which lower is better' if options.lower_is_better else ''})",
        f"{path.name}: {told}" if told else "",
        _counted(path, "masked architectures left out", int((~admitted).sum())),
        _counted(path, "architectures without a number", int(np.isnan(numbers[admitted]).sum())),
        _counted(path, "infinite, ranked first", int(np.isposinf(numbers[admitted]).sum())),
        _counted(path, "infinite, ranked last", int(np.isneginf(numbers[admitted]).sum())),
    ]
    return ForeignRun(
        file.seed,
        _source_row(file, notation, scale, options),
        arch_ids[admitted],
        numbers[admitted],
        notes=tuple(line for line in lines if line),
    )


_WORDS: Final = {
    "fraction": "accuracies, as fractions of 1",
    "percent": "accuracies, in percent",
    "score": "scores",
}


def _counted(path: Path, what: str, count: int) -> str:
    return f"{path.name}: {what}: {count:,}" if count else ""


def _source_row(
    file: PredictionFile, notation: str, scale: str, options: PredictionOptions
) -> dict[str, Any]:
    """As `prediction_source` has it, without the run."""
    return {
        "file_name": file.file_name,
        "size_bytes": file.size_bytes,
        "sha256": file.sha256,
        "format": file.format,
        "importer_version": IMPORTER_VERSION,
        "part": options.choice.part,
        "architecture_column": file.architecture_column,
        "value_column": file.value_column,
        "notation": notation,
        "scale": scale,
        "lower_is_better": options.lower_is_better,
        "rows": len(file.numbers),
    }


def _refuse_repeated(arch_ids: ArchIds) -> None:
    found, first, count = np.unique(arch_ids, return_index=True, return_counts=True)
    repeated = np.flatnonzero(count > 1)
    if len(repeated):
        which = repeated[first[repeated].argmin()]
        rows = np.flatnonzero(arch_ids == found[which])[:2] + 1
        raise NasrankError(
            f"architecture {found[which]} is there {count[which]} times, first in rows {rows[0]} and "
            f"{rows[1]}; keep one of them"
        )


def _scale(file: PredictionFile) -> str:
    """What the numbers must be; a column called score holds scores."""
    finite = file.numbers[np.isfinite(file.numbers)]
    if len(finite) < 2:
        raise NasrankError(f"{file.value_column!r} has {len(finite)} finite numbers; at least 2 are needed")
    low, high = float(finite.min()), float(finite.max())
    if file.unit == PERCENT:
        return PERCENT
    if "score" in file.value_column.lower() or low < 0 or high > 100:
        return "score"
    if high <= 1:
        return "fraction"
    if high < _LEAST_PERCENT:
        raise NasrankError(
            f"{file.value_column!r} goes from {low:g} to {high:g}: much for fractions, little for percent; "
            "say what it is with --scale percent or --scale score"
        )
    return "percent"


def _converted(file: PredictionFile, scale: str, lower_is_better: bool) -> NDArray[np.float64]:
    if scale == "score":
        return -file.numbers + 0.0 if lower_is_better else file.numbers
    most = 100.0 if scale == "percent" else 1.0
    finite = np.isfinite(file.numbers)
    wrong = np.flatnonzero(finite & ((file.numbers < 0) | (file.numbers > most)))
    if len(wrong):
        row = int(wrong[0])
        raise NasrankError(
            f"row {row + 1}: {file.value_column} is {file.numbers[row]:g}; as {scale} it must be from 0 to "
            f"{most:g}; is it a score (--scale score)?"
        )
    return file.numbers / most


def _admitted(arch_ids: ArchIds, options: PredictionOptions) -> NDArray[np.bool_]:
    """Whether each architecture is one that the mask leaves: all of them, unless others shall be left out."""
    bits = options.mask.bits
    admitted = np.array([not all_architectures()[arch_id].used.bits & bits for arch_id in arch_ids], bool)
    if not admitted.all() and not options.leave_out_masked:
        wrong = int(np.argmin(admitted))
        raise NasrankError(
            f"row {wrong + 1}: architecture {arch_ids[wrong]} "
            f"({all_architectures()[arch_ids[wrong]].string}) uses an operation that mask {options.mask} "
            f"removes, as do {int((~admitted).sum()) - 1:,} more; give the mask of these predictions, or "
            "--leave-out-masked"
        )
    if admitted.sum() < 2:
        raise NasrankError(f"mask {options.mask} leaves {int(admitted.sum())} of its architectures")
    return admitted


def _seeds(seeds: Sequence[int]) -> str:
    return f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"
