"""What the importers of reduced files share: values one by one, means over the trials, checked at the end."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path

from nasrank.db.benchmarks.benchmark import DATASETS, SPLITS, Benchmark
from nasrank.db.benchmarks.official.contents import Rows, Series
from nasrank.db.benchmarks.validation import check_results
from nasrank.db.errors import NasrankError, shown
from nasrank.db.files.opening import read_regular
from nasrank.db.nb201.architectures import Architecture

MAX_BYTES = 256 * 2**20
MEAN = "mean"
# A loss or cost beyond it is none: an integer of JSON or of a pickle can be larger than any float.
_MOST = 1e12
# The names of architectures are shorter; a longer text only needs to be refused.
_LONGEST = 200


class Means:
    """Collects the means of architectures from one file, and makes a benchmark of them."""

    def __init__(self, path: Path | None, format: str, version: int) -> None:
        if path is None:
            raise NasrankError(f"the format {format} needs a file; none was given")
        self.content = read_regular(path, MAX_BYTES)
        self.path = path
        self.shown = repr(str(path))
        self.notes: list[str] = []
        self._format = format
        self._version = version
        self._rows = Rows()

    def add(
        self,
        arch_id: int,
        series: Series,
        percent: object,
        *,
        loss: object = None,
        epoch: int | None = None,
    ) -> None:
        """One accuracy in percent, after the last epoch of the series unless another is given.

        Raises NasrankError where it is no number from 0 to 100.
        """
        if not isinstance(percent, float | int) or isinstance(percent, bool) or not 0 <= percent <= 100:
            raise NasrankError(
                f"{self.shown}, {series.dataset}/{series.split}: architecture {arch_id} has the "
                f"accuracy {shown(percent)}; percent from 0 to 100 are needed"
            )
        known = float(loss) if isinstance(loss, float | int) and abs(loss) <= _MOST else math.nan
        self._rows.add_results(arch_id, series, [(epoch or series.epochs, float(percent), known)])

    def add_cost(self, arch_id: int, dataset: str, epochs: int, costs: Sequence[object]) -> None:
        """Million parameters, million multiply-adds, seconds a batch, seconds of training; None: unknown."""
        numbers = [
            float(cost) if isinstance(cost, float | int) and 0 < cost <= _MOST else math.nan for cost in costs
        ]
        params, flops, latency, seconds = numbers
        self._rows.add_cost(
            arch_id,
            dataset,
            epochs,
            MEAN,
            (params if math.isnan(params) else float(round(params * 1e6)), flops * 1e6, latency, seconds),
        )

    def arch_id(self, text: object) -> int:
        """From the benchmark's string or digits; raises NasrankError for any other text."""
        try:
            return parse_architecture(text).arch_id
        except NasrankError as error:
            raise NasrankError(f"{self.shown}: {error}") from None

    def benchmark(self, description: str, license: str | None = None) -> Benchmark:  # noqa: A002
        """All that was added, if it can be NAS-Bench-201's."""
        results = self._rows.take_results()
        if not results.num_rows:
            raise NasrankError(
                f"{self.shown} has no accuracies on {', '.join(DATASETS)} ({', '.join(SPLITS)})"
            )
        check_results(results, self.shown)
        return Benchmark(
            format=self._format,
            importer_version=self._version,
            file_name=self.path.name,
            size_bytes=len(self.content),
            sha256=hashlib.sha256(self.content).hexdigest(),
            license=license,
            description=description,
            results=results,
            costs=self._rows.take_costs(),
            notes=tuple(self.notes),
        )


def mean_series(dataset: str, split: str, epochs: int) -> Series:
    """Of the means over the trials."""
    return Series(dataset, split, epochs, MEAN)


def parse_architecture(text: object) -> Architecture:
    """From the benchmark's string, or from digits in its order of operations."""
    if isinstance(text, str) and text.isdecimal():
        return Architecture.from_digits(text[:_LONGEST])
    return Architecture.from_string(text[:_LONGEST] if isinstance(text, str) else shown(text))
