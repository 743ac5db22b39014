"""Ground truth in the warehouse: importing benchmarks, naming keys, choosing what a run must predict."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import duckdb
import pyarrow as pa
import sqlalchemy as sa

from nasrank.db.benchmarks import Benchmark
from nasrank.db.benchmarks.benchmark import DATASETS, SPLITS, has_split, scanner
from nasrank.db.errors import NasrankError, nearest
from nasrank.db.nb201.architectures import OperationSet
from nasrank.db.warehouse.derived import derive_ground_truth, derive_oracles, derive_runs, forget_ground_truth
from nasrank.db.warehouse.file import Warehouse, insert_arrow
from nasrank.db.warehouse.models import BenchmarkCost, BenchmarkResult, BenchmarkSource

# Names for keys; by themselves they mean the key of any source, `source:paper` that of one.
PRESETS: Final[Mapping[str, str]] = {
    "valid": "cifar10-valid/valid@200",
    "test": "cifar10-valid/test@200",
    # What the paper's authors rank by: training accuracy, mean over trials and the last three epochs,
    # which count as 197 to 199 from 0.
    "paper": "cifar10-valid/train@198-200",
}
DEFAULT_KEY: Final = PRESETS["valid"]
# Of DuckDB while it imports; what needs more goes to the disk.
_MEMORY: Final = "100MB"
_ROWS_A_STEP: Final = 600_000


@dataclass(frozen=True, slots=True)
class GroundTruthKey:
    """What ranks architectures: a benchmark's accuracies on one split, after so many epochs.

    Written `source:dataset/split@epochs`, with `#trial` where it is one trial and not their mean, and
    `@first-last` where it is the mean over the last `averaged_epochs` epochs.
    """

    source: str
    dataset: str
    split: str
    epochs: int
    trial: str = "mean"
    averaged_epochs: int = 1

    def __str__(self) -> str:
        return f"{self.source}:{self._unnamed}"

    @classmethod
    def parse(cls, text: str) -> GroundTruthKey:
        """From the full form, which runs record; raises NasrankError for any other text."""
        match = re.fullmatch(r"([^:]+):([^/]+)/([^@]+)@(?:(\d+)-)?(\d+)(?:#(.+))?", text)
        if match is None:
            raise NasrankError(f"{text!r} is not a whole ground-truth key, source:dataset/split@epochs")
        source, dataset, split, first, last, trial = match.groups()
        averaged = int(last) - int(first) + 1 if first else 1
        return cls(source, dataset, split, int(last), trial or "mean", averaged)

    @property
    def short_forms(self) -> frozenset[str]:
        """The ways to write it; those without source or epochs, and presets, may fit several keys."""
        forms = {str(self), self._unnamed}
        for name, preset in PRESETS.items():
            if preset == self._unnamed:
                forms |= {name, f"{self.source}:{name}"}
        if self.trial == "mean" and self.averaged_epochs == 1:
            forms |= {f"{self.source}:{self.dataset}/{self.split}", f"{self.dataset}/{self.split}"}
        return frozenset(forms)

    @property
    def _unnamed(self) -> str:
        trial = "" if self.trial == "mean" else f"#{self.trial}"
        first = f"{self.epochs - self.averaged_epochs + 1}-" if self.averaged_epochs > 1 else ""
        return f"{self.dataset}/{self.split}@{first}{self.epochs}{trial}"


def import_benchmark(
    warehouse: Warehouse, source: str, benchmark: Benchmark, on_wait: Callable[[], None] = lambda: None
) -> bool:
    """Add a benchmark under the name `source`; False where the warehouse has this very file already.

    Raises:
        NasrankError: the name is taken by another file, or has other characters than letters, digits,
            `.`, `_` and `-`.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", source):
        raise NasrankError(
            f"{source!r} cannot name a source; give --name with letters, digits, dot, underscore and hyphen"
        )
    if _is_imported(warehouse, source, benchmark):
        return False
    row = {
        "source": source,
        "format": benchmark.format,
        "importer_version": benchmark.importer_version,
        "file_name": benchmark.file_name,
        "size_bytes": benchmark.size_bytes,
        "sha256": benchmark.sha256,
        "license": benchmark.license,
        "description": benchmark.description,
        "result_rows": benchmark.result_rows,
        "imported_at": dt.datetime.now(dt.UTC).replace(tzinfo=None),
    }
    results = scanner(benchmark.results).to_reader()

    def insert_source(connection: sa.Connection) -> None:
        connection.execute(sa.insert(BenchmarkSource), row)
        insert_arrow(
            connection,
            "INSERT INTO benchmark_cost BY NAME SELECT $source AS source, * FROM arrow_rows",
            scanner(benchmark.costs).to_reader(),
            {"source": source},
        )

    def insert_some_results(connection: sa.Connection) -> None:
        connection.exec_driver_sql(f"SET memory_limit = '{_MEMORY}'")
        insert_arrow(
            connection,
            "INSERT INTO benchmark_result BY NAME SELECT $source AS source, * FROM arrow_rows",
            pa.RecordBatchReader.from_batches(results.schema, _up_to(_ROWS_A_STEP, results)),
            {"source": source},
        )

    def derive(connection: sa.Connection) -> None:
        connection.exec_driver_sql(f"SET memory_limit = '{_MEMORY}'")
        derive_ground_truth(connection, source)

    def measure_runs(connection: sa.Connection) -> None:
        # As in an ingest: runs that were asked for these keys are measured by parts of their own.
        connection.exec_driver_sql("RESET memory_limit")
        derive_oracles(connection)
        derive_runs(connection)

    # A transaction holds what it inserted in memory, so there are several; all or none are published.
    parts = -(-benchmark.result_rows // _ROWS_A_STEP)
    warehouse.write_in_steps([insert_source, *[insert_some_results] * parts, derive, measure_runs], on_wait)
    return True


def _up_to(rows: int, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The next batches, until they have at least so many rows."""
    while rows > 0 and (batch := next(batches, None)) is not None:
        rows -= batch.num_rows
        yield batch


def remove_source(
    warehouse: Warehouse, source: str, *, force: bool = False, on_wait: Callable[[], None] = lambda: None
) -> list[str]:
    """Remove a source and all that follows from it; the result are the runs that were asked for its keys.

    Raises:
        NasrankError: there is no such source, or runs were asked for its keys and `force` is not given.
    """
    sources = warehouse.query("SELECT source FROM benchmark_source ORDER BY imported_at, source").source
    if source not in set(sources):
        raise NasrankError(f"the warehouse has no source {source!r}; it has {', '.join(sources) or 'none'}")
    depending = warehouse.query(
        """SELECT DISTINCT run_id FROM (
            SELECT run_id, unnest(CAST(ground_truth_keys AS VARCHAR[])) AS gt_key FROM run
        )
        WHERE starts_with(gt_key, ?) ORDER BY run_id""",
        [f"{source}:"],
    ).run_id.tolist()
    if depending and not force:
        raise NasrankError(
            f"{len(depending)} runs were asked to predict the top-N of {source}, such as {depending[0]}; "
            "their predictions would stay, without what they are ranked by; add --force to remove the source"
        )

    def remove_what_refers_to_it(connection: sa.Connection) -> None:
        forget_ground_truth(connection, source)
        for table in (BenchmarkResult, BenchmarkCost):
            connection.execute(sa.delete(table).where(table.source == source))

    def remove_it(connection: sa.Connection) -> None:
        connection.execute(sa.delete(BenchmarkSource).where(BenchmarkSource.source == source))

    warehouse.write_in_steps([remove_what_refers_to_it, remove_it], on_wait)
    return depending


def _is_imported(warehouse: Warehouse, source: str, benchmark: Benchmark) -> bool:
    known = warehouse.query("SELECT sha256, file_name FROM benchmark_source WHERE source = ?", [source])
    if known.empty:
        return False
    kept = warehouse.query(
        "SELECT DISTINCT dataset, split, epochs, epoch FROM benchmark_result WHERE source = ?", [source]
    )
    same_epochs = set(kept.itertuples(index=False, name=None)) == benchmark.epochs_of_splits()
    if known.sha256[0] == benchmark.sha256 and same_epochs:
        return True
    difference = "another file" if known.sha256[0] != benchmark.sha256 else "the same file, with other epochs"
    raise NasrankError(
        f"the warehouse has a source {source!r} from {known.file_name[0]}, {difference}; nothing was "
        "imported; give this one another name with --name"
    )


def ground_truth_keys(connection: duckdb.DuckDBPyConnection) -> list[GroundTruthKey]:
    """All keys, the sources in the order of their import, means before trials."""
    rows = connection.execute(
        """SELECT source, dataset, split, epochs, trial, averaged_epochs
        FROM ground_truth_key JOIN benchmark_source USING (source)
        ORDER BY
            imported_at, source, trial <> 'mean', epochs DESC, averaged_epochs, dataset, split, trial"""
    ).fetchall()
    return [GroundTruthKey(*row) for row in rows]


def resolve_key(connection: duckdb.DuckDBPyConnection, text: str | None) -> GroundTruthKey:
    """The key that `text` means: in full, or a short form or preset that fits only one; None: the default.

    The default is `DEFAULT_KEY` of the source imported first: accuracy on images that
    training has not seen, from networks trained on as many images as a super-network is.
    """
    keys = ground_truth_keys(connection)
    if not keys:
        raise NasrankError("the warehouse has no ground truth; import some with `nasrank-train import-bench`")
    wanted = DEFAULT_KEY if text is None else text
    fitting = [key for key in keys if wanted in key.short_forms]
    if len(fitting) == 1 or (fitting and text is None):
        return fitting[0]
    choice = ", ".join(map(str, fitting or [key for key in keys if key.trial == "mean"]))
    if wanted in PRESETS and not fitting:
        raise NasrankError(
            f"{wanted} stands for {PRESETS[wanted]}, which no source has; choose one of {choice}, or import "
            "NATS-Bench or NAS-Bench-201 itself"
        )
    if fitting:
        raise NasrankError(f"{wanted!r} fits {len(fitting)} ground-truth keys; choose one of {choice}")
    raise NasrankError(f"{wanted!r} is no ground-truth key{key_hint(wanted, keys)}; choose one of {choice}")


def key_hint(wanted: str, keys: Sequence[GroundTruthKey]) -> str:
    """What may have been meant by an unknown key, and why it is not there; empty where nothing is near."""
    key, is_trial, trial = wanted.partition("#")
    if is_trial and any(key in known.short_forms for known in keys):
        known = sorted({one.trial for one in keys if str(one).startswith(key) or key in str(one)} - {"mean"})
        told = f"#{known[0]} to #{known[-1]}" if known else "none here"
        return f" (trials are counted, {told}, and are no seeds such as {trial})"
    dataset, _, split = key.rpartition(":")[2].partition("@")[0].partition("/")
    if dataset in DATASETS and split in SPLITS and not has_split(dataset, split):
        return (
            f" (NAS-Bench-201 has no {dataset}/{split}, for {dataset} is trained on all images; "
            f"is '{dataset}-valid/{split}' meant?)"
        )
    if dataset in DATASETS and split in SPLITS:
        return f" (no source here has {dataset}/{split}; `nasrank-train import-bench` of one that does would)"
    return nearest(wanted, (form for known in keys for form in known.short_forms))


def architectures_to_predict(
    connection: duckdb.DuckDBPyConnection, mask: OperationSet, keys: Sequence[GroundTruthKey]
) -> list[int]:
    """The `arch_id`s of all top-N under each key, and of the random sample, within the mask; ascending."""
    rows = connection.execute(
        """SELECT arch_id FROM top_n WHERE mask = $mask AND gt_key IN (SELECT unnest($keys))
        UNION SELECT arch_id FROM random_sample WHERE mask = $mask
        ORDER BY arch_id""",
        {"mask": str(mask), "keys": [str(key) for key in keys]},
    ).fetchall()
    return [arch_id for (arch_id,) in rows]


def choose_architectures(
    warehouse: Warehouse, mask: OperationSet, texts: Sequence[str]
) -> tuple[list[GroundTruthKey], list[int]]:
    """What a run shall predict: the keys that `texts` mean (none: the default key), and the `arch_id`s."""
    with warehouse.read() as connection:
        chosen: list[str | None] = list(texts) or [None]
        keys = [resolve_key(connection, text) for text in chosen]
        return keys, architectures_to_predict(connection, mask, keys)
