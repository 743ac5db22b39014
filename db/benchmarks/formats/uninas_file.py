"""UniNAS' reduced benchmark, such as `nats_bench_1.1_mini.pt`: NATS-Bench's means after 200 epochs.

A PyTorch file of a dictionary; its `results` lead from the index to plain dictionaries, in which -1 stands
for what the benchmark does not have. Costs are those of the networks that were trained for 12 epochs, because
UniNAS asked NATS-Bench for its default.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from nasrank.db.benchmarks.benchmark import DATASETS, SPLITS, Benchmark
from nasrank.db.benchmarks.formats.means import MAX_BYTES, Means, mean_series
from nasrank.db.benchmarks.official.importers import refuse_epochs
from nasrank.db.benchmarks.options import BenchmarkOptions
from nasrank.db.benchmarks.seen import torch_start
from nasrank.db.errors import NasrankError, shown
from nasrank.db.files.pickles import Globals, load_next
from nasrank.db.files.stand_ins import numpy_scalars, plain_types
from nasrank.db.files.torch_files import load_torch

EPOCHS: Final = 200
# Where UniNAS has the classes of its value space, which is saved beside the results.
_VALUES: Final = ("uninas.optimization.hpo.uninas.values", "uninas.optimization.hpo_self.values")


@dataclass(frozen=True)
class UniNasFile:
    """Reads the file of a tabular benchmark over NAS-Bench-201."""

    name: str = "uninas"
    description: str = "UniNAS' reduced benchmark, such as nats_bench_1.1_mini.pt"
    version: int = 1

    def matches(self, path: Path | None) -> bool:
        """Whether it is a PyTorch file with UniNAS' description of a benchmark."""
        return path is not None and path.is_file() and b"bench_description" in torch_start(path, 2**14)

    def read(self, path: Path | None, options: BenchmarkOptions) -> Benchmark:
        """Read and check the file."""
        refuse_epochs(self.name, options)
        means = Means(path, self.name, self.version)

        def load(stream: BinaryIO) -> Any:
            return load_next(stream, allowed=_allowed(), name=means.shown)

        content = load_torch(io.BytesIO(means.content), load, means.shown, MAX_BYTES)
        results = content.get("results") if isinstance(content, Mapping) else None
        if not isinstance(results, Mapping):
            raise NasrankError(f"{means.shown} has no results of UniNAS")
        for result in results.values():
            _add(means, result)
        means.notes.append("costs are of the networks that were trained for 12 epochs")
        return means.benchmark(f"NATS-Bench after {EPOCHS} epochs, means over the trials, reduced by UniNAS")


def _allowed() -> Globals:
    class Ignored:
        """Of UniNAS' value space, which says only which choices there are."""

    classes = ("ValueSpace", "SpecificValueSpace", "DiscreteValues")
    return {
        **plain_types(),
        **numpy_scalars(),
        **{(module, name): Ignored for module in _VALUES for name in classes},
    }


def _add(means: Means, result: Any) -> None:
    names = ("params", "flops", "latency", "loss", "acc1")
    if not isinstance(result, Mapping) or not all(isinstance(result.get(name), Mapping) for name in names):
        raise NasrankError(f"{means.shown}: a result does not have {', '.join(names)} by data set")
    arch_id = means.arch_id(result.get("arch_str"))
    for dataset, accuracies in result["acc1"].items():
        if dataset not in DATASETS or not isinstance(accuracies, Mapping):
            raise NasrankError(
                f"{means.shown} has the data set {shown(dataset)}; known are {', '.join(DATASETS)}"
            )
        losses = result["loss"].get(dataset) or {}
        for split in SPLITS:
            if accuracies.get(split, -1) != -1:
                series = mean_series(dataset, split, EPOCHS)
                means.add(arch_id, series, accuracies[split], loss=_known(losses.get(split)))
        costs = (result[name].get(dataset) for name in ("params", "flops", "latency"))
        means.add_cost(arch_id, dataset, EPOCHS, (*map(_known, costs), None))


def _known(value: Any) -> Any:
    return None if value == -1 else value
