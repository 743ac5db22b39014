"""Whether a file's numbers can be those of NAS-Bench-201: checked before anything of it is imported.

Most mistakes leave numbers that look right: operations in another order, a column under another dataset's
name, fractions for percent. They are found by what is known of the benchmark.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from nasrank.db.benchmarks.benchmark import EPOCHS, Benchmark, Measurements, has_split, scanner
from nasrank.db.errors import NasrankError
from nasrank.db.nb201.architectures import EDGES, NUM_ARCHITECTURES, all_architectures

if TYPE_CHECKING:
    from pyarrow.dataset import Dataset

# (dataset, split, epochs): the best architecture and its accuracy in percent, the mean over its trials.
# After 200 epochs as NAS-Bench-201 (v1.1) and, where it can be compared, NATS-Bench have them.
KNOWN_BEST: Final[Mapping[tuple[str, str, int], tuple[int, float]]] = {
    ("cifar10-valid", "valid", 200): (6111, 91.6067),
    ("cifar10-valid", "test", 200): (1459, 91.5233),
    ("cifar10", "test", 200): (6111, 94.3733),
    ("cifar100", "valid", 200): (9930, 73.4933),
    ("cifar100", "test", 200): (9930, 73.5133),
    ("ImageNet16-120", "valid", 200): (10676, 46.7333),
    ("ImageNet16-120", "test", 200): (857, 47.3111),
    ("cifar10-valid", "valid", 12): (13714, 84.892),
    ("cifar10", "test", 12): (5374, 89.16),
    ("cifar100", "valid", 12): (13714, 61.32),
    ("cifar100", "test", 12): (2581, 61.18),
    ("ImageNet16-120", "valid", 12): (2581, 38.6667),
    ("ImageNet16-120", "test", 12): (2581, 38.2667),
}
# In percentage points: a file may average fewer of the trials.
TOLERANCE: Final = 0.1

_Group = tuple[str, str, int]  # data set, split, epochs
_CHECKED: Final = ["dataset", "split", "epochs", "trial", "arch_id", "accuracy"]

# The accuracy in percent of an architecture that sees nothing of the image; up to 3 % of it more or less,
# where the classes of a split are not equally frequent.
CHANCE: Final[Mapping[str, float]] = {
    "cifar10-valid": 100 / 10,
    "cifar10": 100 / 10,
    "cifar100": 100 / 100,
    "ImageNet16-120": 100 / 120,
}


def check_measurements(measurements: Measurements, file: str) -> None:
    """Raise `NasrankError`, naming the first thing wrong, unless these can be NAS-Bench-201's accuracies."""
    _check_range(measurements, file)
    check_complete(measurements.arch_ids, measurements.trials, f"{file}, {measurements.key}")
    means = _means(measurements)
    _check_chance(measurements, means, file)
    _check_best(measurements, means, file)


def check_results(results: pa.Table | Dataset, file: str) -> tuple[str, ...]:
    """Check what was measured after each last epoch, as `check_measurements` does; the result is to be noted.

    Raises `NasrankError`, naming the first thing wrong.
    """
    names: dict[str, int] = {}
    found: defaultdict[_Group, list[tuple[NDArray[np.int16], NDArray[np.int64], NDArray[np.float64]]]]
    found = defaultdict(list)
    for batch in scanner(results, _CHECKED, pc.field("epoch") == pc.field("epochs")).to_batches():
        for group, rows in _groups(pa.table(batch)):
            trials = rows["trial"].combine_chunks().dictionary_encode()
            codes = np.array([names.setdefault(name, len(names)) for name in trials.dictionary.to_pylist()])
            numbers = codes[np.asarray(trials.indices)]
            found[group].append((np.asarray(rows["arch_id"]), numbers, np.asarray(rows["accuracy"])))
    notes = []
    for group in sorted(found):
        arch_ids, numbers, accuracies = (
            np.concatenate(parts) for parts in zip(*found.pop(group), strict=True)
        )
        measurements = Measurements(*group, arch_ids, np.array(list(names))[numbers], accuracies * 100)
        check_measurements(measurements, file)
        counts = np.bincount(np.bincount(arch_ids, minlength=NUM_ARCHITECTURES))
        told = ", ".join(f"{n:,} with {k}" for k, n in enumerate(counts) if n)
        notes.append(f"{measurements.key} after {group[2]} epochs: architectures by trials: {told}")
    return tuple(notes)


def _groups(rows: pa.Table) -> Iterator[tuple[_Group, pa.Table]]:
    """The rows of each data set, split and length of training."""
    columns = ["dataset", "split", "epochs"]
    for row in rows.group_by(columns).aggregate([]).to_pylist():
        conditions = [pc.field(name) == row[name] for name in columns]
        yield (
            (row["dataset"], row["split"], row["epochs"]),
            rows.filter(conditions[0] & conditions[1] & conditions[2]),
        )


def check_complete(arch_ids: NDArray[np.int16], trials: NDArray[np.str_], where: str) -> None:
    """Raise `NasrankError` unless every architecture is there, and none twice in a trial."""
    missing = np.setdiff1d(np.arange(NUM_ARCHITECTURES), arch_ids)
    if len(missing):
        raise NasrankError(
            f"{where}: {len(missing):,} of {NUM_ARCHITECTURES:,} architectures are missing, first "
            f"{_shown(missing[0])}; a part of the benchmark cannot be imported: give the whole table"
        )
    names, numbers = np.unique(trials, return_inverse=True)
    _, first, count = np.unique(
        arch_ids.astype(np.int64) * len(names) + numbers, return_index=True, return_counts=True
    )
    repeated = np.flatnonzero(count > 1)
    if len(repeated):
        which = repeated[first[repeated].argmin()]
        raise NasrankError(
            f"{where}: {_shown(arch_ids[first[which]])} is there {count[which]} times; keep one of them"
        )


def _check_range(measurements: Measurements, file: str) -> None:
    percent = measurements.percent
    wrong = np.flatnonzero(~((percent >= 0) & (percent <= 100)))  # NaN is in no range
    if len(wrong):
        row = wrong[0]
        trial = measurements.trials[row]
        others = f" (and {len(wrong) - 1:,} other rows)" if len(wrong) > 1 else ""
        raise NasrankError(
            f"{file}, {measurements.key}: {_shown(measurements.arch_ids[row])} has the accuracy "
            f"{percent[row]}, trial {trial}{others}; accuracies are percent from 0 to 100"
        )
    if len(percent) and percent.max() <= 1:
        raise NasrankError(
            f"{file}, {measurements.key}: no accuracy is above {percent.max()}; "
            "these look like fractions: multiply them by 100, for accuracies are in percent"
        )


def _check_chance(measurements: Measurements, means: NDArray[np.float64], file: str) -> None:
    chance = CHANCE[measurements.dataset]
    wrong = np.flatnonzero(_disconnected() & (np.abs(means - chance) > 0.05 * chance))
    if len(wrong):
        raise NasrankError(
            f"{file}, {measurements.key}: {_shown(wrong[0])} passes nothing on, yet has "
            f"{means[wrong[0]]:.2f} % where chance is {chance:.2f} %; {_SUSPICION}"
        )


def _check_best(measurements: Measurements, means: NDArray[np.float64], file: str) -> None:
    known = KNOWN_BEST.get((measurements.dataset, measurements.split, measurements.epochs))
    if known is None:
        return
    arch_id, percent = known
    if abs(means[arch_id] - percent) > TOLERANCE or means.max() > percent + TOLERANCE:
        best = int(means.argmax())
        raise NasrankError(
            f"{file}, {measurements.key}: after {measurements.epochs} epochs architecture {arch_id} is known "
            f"to be best with {percent:.2f} %; here it has {means[arch_id]:.2f} %, and {best} is best with "
            f"{means[best]:.2f} %; {_SUSPICION}"
        )


_SUSPICION = "operations may be in another order, or datasets, splits or epochs confused"


def _means(measurements: Measurements) -> NDArray[np.float64]:
    """Over the trials, in percent, float64 [architectures]."""
    sums = np.bincount(measurements.arch_ids, weights=measurements.percent, minlength=NUM_ARCHITECTURES)
    return np.asarray(sums / np.bincount(measurements.arch_ids, minlength=NUM_ARCHITECTURES))


@cache
def _disconnected() -> NDArray[np.bool_]:
    """Whether Zeros cut every way from the input to the output, bool [architectures]: 341 of them."""
    return np.array([not _reaches_output(a.operations) for a in all_architectures()])


def _reaches_output(operations: tuple[int, ...]) -> bool:
    reached = {0}
    for (source, target), operation in zip(EDGES, operations, strict=True):
        if operation != 0 and source in reached:
            reached.add(target)
    return 3 in reached


def _shown(arch_id: int | np.integer) -> str:
    return f"architecture {arch_id} ({all_architectures()[int(arch_id)].string})"


def check_is_of_the_benchmark(benchmark: Benchmark, file: str) -> None:
    """Refuse what NAS-Bench-201 does not have: it is another benchmark, or named wrongly.

    Raises:
        NasrankError: it has other epochs of training, or `cifar10/valid`.
    """
    otherwise = "if the architectures were trained otherwise, --other-benchmark says so"
    for dataset, split, epochs, _ in sorted(benchmark.epochs_of_splits()):
        if epochs not in EPOCHS:
            raise NasrankError(
                f"NAS-Bench-201 has results after {' and '.join(map(str, EPOCHS))} epochs, and {file} would "
                f"be after {epochs}; {otherwise}"
            )
        if not has_split(dataset, split):
            raise NasrankError(
                f"{file} has {dataset}/{split}, and NAS-Bench-201 no such split: its networks there "
                f"are trained on all images; is {dataset}-valid/{split} meant? Name it so; or, {otherwise}"
            )
