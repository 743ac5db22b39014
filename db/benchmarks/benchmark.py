"""What an importer makes of a file: tables of accuracies and costs."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

if TYPE_CHECKING:  # it imports pandas, which the processes that read do not need
    from pyarrow.dataset import Dataset

DATASETS: Final = ("cifar10-valid", "cifar10", "cifar100", "ImageNet16-120")
SPLITS: Final = ("train", "valid", "test")
# Of NAS-Bench-201 itself.
EPOCHS: Final = (12, 200)
# NAS-Bench-201 evaluated cifar100 and ImageNet16-120 in every epoch on both together.
VALID_AND_TEST: Final = "valid+test"

RESULTS: Final = pa.schema(
    [
        ("arch_id", pa.int16()),
        ("dataset", pa.string()),
        ("split", pa.string()),
        ("epochs", pa.int32()),
        ("epoch", pa.int32()),
        ("trial", pa.string()),
        ("accuracy", pa.float64()),
        ("loss", pa.float64()),
    ]
)
COSTS: Final = pa.schema(
    [
        ("arch_id", pa.int16()),
        ("dataset", pa.string()),
        ("epochs", pa.int32()),
        ("trial", pa.string()),
        ("params", pa.int64()),
        ("flops", pa.float64()),
        ("latency_seconds", pa.float64()),
        ("train_seconds", pa.float64()),
    ]
)


def has_split(dataset: str, split: str) -> bool:
    """Whether NAS-Bench-201 has it: its networks of `cifar10` are trained on all images."""
    return (dataset, split) != ("cifar10", "valid")


@dataclass(frozen=True, eq=False)
class Benchmark:
    """Ground truth from a file, checked; the warehouse takes it as it is.

    `results` has the schema `RESULTS`: one row an architecture, dataset, split, epoch and trial, `epoch`
    being how many of the `epochs` of training were completed, `trial` the seed or number of the trial, or
    `mean`; `accuracy` a fraction in 0..1. `costs` has the schema `COSTS`. NULL: the file does not have it.
    `sha256` and `size_bytes` are of the file's content; where there are several files, of their contents one
    after the other, or as the importer says. `notes` are what a person should know of this import. Large
    results are not in memory, but in files of the folder `parts`, which is to be removed after the import.
    """

    format: str
    importer_version: int
    file_name: str
    size_bytes: int
    sha256: str
    license: str | None
    description: str
    results: pa.Table | Dataset
    costs: pa.Table | Dataset
    notes: tuple[str, ...] = ()
    parts: Path | None = None

    @property
    def result_rows(self) -> int:
        """How many rows `results` has."""
        return int(scanner(self.results).count_rows())

    def epochs_of_splits(self) -> set[tuple[str, str, int, int]]:
        """Every (dataset, split, epochs, epoch) that `results` has."""
        columns = ["dataset", "split", "epochs", "epoch"]
        found: set[tuple[str, str, int, int]] = set()
        for batch in scanner(self.results, columns).to_batches():
            distinct = pa.table(batch).group_by(columns).aggregate([])
            found |= {(r["dataset"], r["split"], r["epochs"], r["epoch"]) for r in distinct.to_pylist()}
        return found

    def discard_parts(self) -> None:
        """Remove the files that the results are in, where they are in files."""
        if self.parts is not None:
            shutil.rmtree(self.parts, ignore_errors=True)


def scanner(rows: pa.Table | Dataset, columns: list[str] | None = None, filter: Any = None) -> Any:  # noqa: A002
    """Reads a table or dataset batch by batch, without many of them in memory."""
    from pyarrow.dataset import InMemoryDataset

    table = InMemoryDataset(rows) if isinstance(rows, pa.Table) else rows
    return table.scanner(
        columns=columns, filter=filter, batch_readahead=1, fragment_readahead=1, use_threads=False
    )


@dataclass(frozen=True, eq=False)
class Measurements:
    """The accuracies on one dataset and split after the last epoch, as a file has them: in percent.

    One row a trial. `arch_ids`: int16 [rows]; `trials`: str [rows]; `percent`: float64 [rows]; `losses`,
    where they are known: float64 [rows], in nats.
    """

    dataset: str
    split: str
    epochs: int
    arch_ids: NDArray[np.int16]
    trials: NDArray[np.str_]
    percent: NDArray[np.float64]
    losses: NDArray[np.float64] | None = None

    @property
    def key(self) -> str:
        """As in the name of a column: `cifar10-valid/valid`."""
        return f"{self.dataset}/{self.split}"


def results_table(measurements: Iterable[Measurements]) -> pa.Table:
    """The table `Benchmark.results`: percent become fractions."""
    return pa.concat_tables(
        pa.table(
            {
                "arch_id": m.arch_ids,
                "dataset": pa.repeat(m.dataset, len(m.arch_ids)),
                "split": pa.repeat(m.split, len(m.arch_ids)),
                "epochs": np.full(len(m.arch_ids), m.epochs),
                "epoch": np.full(len(m.arch_ids), m.epochs),
                "trial": m.trials,
                "accuracy": m.percent / 100,
                "loss": pa.nulls(len(m.arch_ids)) if m.losses is None else m.losses,
            }
        ).cast(RESULTS)
        for m in measurements
    )


@dataclass(frozen=True, eq=False)
class Costs:
    """The costs on one dataset: one row a trial, every array is [rows]; None is unknown."""

    dataset: str
    epochs: int
    arch_ids: NDArray[np.int16]
    trials: NDArray[np.str_]
    params: NDArray[np.int64] | None = None
    flops: NDArray[np.float64] | None = None
    latency_seconds: NDArray[np.float64] | None = None
    train_seconds: NDArray[np.float64] | None = None


def costs_table(costs: Iterable[Costs]) -> pa.Table:
    """The table `Benchmark.costs`: NULL for what is unknown."""
    return pa.concat_tables(
        pa.table(
            {
                "arch_id": c.arch_ids,
                "dataset": pa.repeat(c.dataset, len(c.arch_ids)),
                "epochs": np.full(len(c.arch_ids), c.epochs),
                "trial": c.trials,
                **{
                    name: pa.nulls(len(c.arch_ids)) if values is None else values
                    for name, values in (
                        ("params", c.params),
                        ("flops", c.flops),
                        ("latency_seconds", c.latency_seconds),
                        ("train_seconds", c.train_seconds),
                    )
                },
            }
        ).cast(COSTS)
        for c in costs
    )


def joint_sha256(contents: Sequence[bytes]) -> str:
    """Of the contents one after the other; of one file, what `sha256sum` prints."""
    digest = hashlib.sha256()
    for content in contents:
        digest.update(content)
    return digest.hexdigest()
