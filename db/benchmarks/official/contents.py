"""What the benchmark's authors write of an architecture, and what of it is kept.

Both NATS-Bench and NAS-Bench-201 save an `ArchResults` for each length of training as plain dictionaries: its
`all_results` lead from (dataset, seed) to the curves and costs of one training. Epochs count from 0 there.
"""

from __future__ import annotations

import bz2
import io
import math
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, TypeGuard

import numpy as np
import pyarrow as pa

from nasrank.db.benchmarks.benchmark import COSTS, RESULTS, VALID_AND_TEST
from nasrank.db.benchmarks.options import Curve
from nasrank.db.errors import NasrankError, shown
from nasrank.db.files.pickles import load_limited
from nasrank.db.files.stand_ins import drop_reference, dropped_tensors, numpy_scalars, plain_types
from nasrank.db.files.torch_files import limited, load_torch
from nasrank.db.nb201.architectures import all_architectures

# The authors' names of what was measured. `x-valid` and `x-test` are halves of the data set's own test
# images, which `ori-test` has whole. cifar10-valid and cifar10 differ: their validation images are from the
# training images (cifar10 trains on those, too), so that `ori-test` is the test set itself.
SPLITS: Final[Mapping[str, Mapping[str, str]]] = {
    "cifar10-valid": {"train": "train", "x-valid": "valid", "ori-test": "test"},
    "cifar10": {"train": "train", "ori-test": "test"},
    "cifar100": {"train": "train", "x-valid": "valid", "x-test": "test", "ori-test": VALID_AND_TEST},
    "ImageNet16-120": {"train": "train", "x-valid": "valid", "x-test": "test", "ori-test": VALID_AND_TEST},
}


@dataclass(frozen=True)
class Form:
    """How a package saves its results: `trainings` are the names of their lengths, with the epochs.

    `packed` is `bz2` or `torch`; `folder_files` is the pattern of a file's name in a folder.
    """

    name: str
    trainings: Mapping[str, int]
    packed: str
    folder_files: str

    def load(self, content: bytes, name: str, max_bytes: int) -> Any:
        """The object in a small file's content; raises NasrankError unless it is one, within `max_bytes`."""
        if self.packed == "torch":
            return load_torch(io.BufferedReader(io.BytesIO(content)), _Load(name), name, max_bytes)
        unpacker = bz2.BZ2Decompressor()
        try:
            unpacked = unpacker.decompress(content, max_length=max_bytes + 1)
        except OSError as error:
            raise NasrankError(f"{name} is not readable as bzip2: {error}; fetch it again") from error
        if len(unpacked) > max_bytes:
            raise NasrankError(f"{name} unpacks to more than {max_bytes:,} bytes, which is refused")
        if not unpacker.eof or unpacker.unused_data:
            raise NasrankError(f"{name} is truncated or followed by something else; fetch it again")
        return _Load(name)(io.BufferedReader(io.BytesIO(unpacked)))

    def load_large(self, stream: BinaryIO, name: str, max_bytes: int) -> Any:
        """As `load`, from an open file, unpacked as it is read."""
        if self.packed == "torch":
            return load_torch(stream, _Load(name), name, max_bytes)
        try:
            return _Load(name)(limited(bz2.BZ2File(stream), max_bytes, name))
        except (OSError, EOFError) as error:
            raise NasrankError(f"{name} is not readable as bzip2: {error}; fetch it again") from error


NATS_BENCH: Final = Form("NATS-Bench", {"12": 12, "200": 200}, "bz2", r"(\d{1,6})\.pickle\.pbz2")
NAS_BENCH_201: Final = Form("NAS-Bench-201", {"less": 12, "full": 200}, "torch", r"(\d{6})-FULL\.pth")
FORMS: Final = {form.name: form for form in (NATS_BENCH, NAS_BENCH_201)}


@dataclass(frozen=True)
class _Load:
    """Everything but what the authors' own files need is refused; trained weights become None."""

    name: str

    def __call__(self, stream: BinaryIO) -> Any:
        allowed = {**plain_types(), **numpy_scalars(), **dropped_tensors()}
        return load_limited(stream, allowed=allowed, name=self.name, persistent=drop_reference)


@dataclass(frozen=True, slots=True)
class Series:
    """What the results of a training's epochs have in common; `epochs` are those of the whole training."""

    dataset: str
    split: str
    epochs: int
    trial: str


class Rows:
    """Rows of `RESULTS` and `COSTS` as they are found, in compact columns."""

    def __init__(self) -> None:
        self._names: dict[str, int] = {}
        self._results: list[array[Any]] = [array(kind) for kind in "hiiiiidd"]
        self._costs: list[array[Any]] = [array(kind) for kind in "hiiidddd"]

    def __len__(self) -> int:
        return len(self._results[0])

    def add_results(self, arch_id: int, series: Series, measured: Iterable[tuple[int, float, float]]) -> None:
        """`measured` are (completed epochs, percent, loss); the loss is NaN where it is unknown."""
        dataset, split = self._code(series.dataset), self._code(series.split)
        epochs, trial = series.epochs, self._code(series.trial)
        for epoch, percent, loss in measured:
            row = (arch_id, dataset, split, epochs, epoch, trial, percent / 100, loss)
            for column, value in zip(self._results, row, strict=True):
                column.append(value)

    def add_cost(self, arch_id: int, dataset: str, epochs: int, trial: str, costs: tuple[float, ...]) -> None:
        """`costs` are parameters, multiply-adds, seconds of a batch and of the training; NaN for unknown."""
        values = (arch_id, self._code(dataset), epochs, self._code(trial))
        for column, value in zip(self._costs, (*values, *costs), strict=True):
            column.append(value)

    def take_results(self) -> pa.Table:
        """The rows of `RESULTS` since the last call."""
        return self._take(self._results, RESULTS, texts=("dataset", "split", "trial"))

    def take_costs(self) -> pa.Table:
        """The rows of `COSTS` since the last call."""
        return self._take(self._costs, COSTS, texts=("dataset", "trial"))

    def _code(self, name: str) -> int:
        return self._names.setdefault(name, len(self._names))

    def _take(self, columns: list[array[Any]], schema: pa.Schema, texts: tuple[str, ...]) -> pa.Table:
        names = pa.array(list(self._names), pa.string())
        taken = []
        for position, field in enumerate(schema):
            values = np.array(columns[position])
            columns[position] = array(columns[position].typecode)
            if field.name in texts:
                taken.append(names.take(pa.array(values)))
            elif pa.types.is_floating(field.type) or pa.types.is_integer(field.type):
                missing = np.isnan(values) if values.dtype.kind == "f" else None
                taken.append(pa.array(values, mask=missing).cast(field.type))
        return pa.table(taken, schema=schema)


@dataclass(frozen=True, slots=True)
class ResultCollector:
    """Adds to `rows` what is kept of files of this form."""

    form: Form
    curve: Curve
    rows: Rows

    def add(self, saved: Any, arch_id: int, name: str) -> None:
        """Add what is kept of one architecture, `saved` being what its file holds.

        Raises NasrankError, naming the first thing that is not as the authors' packages write it.
        """
        if not isinstance(saved, Mapping) or not set(self.form.trainings) & set(saved):
            raise NasrankError(
                f"{name} does not have {self.form.name}'s results under {' and '.join(self.form.trainings)}"
            )
        for training, epochs in self.form.trainings.items():
            if training not in saved:
                continue
            state = saved[training]
            if not isinstance(state, Mapping) or not isinstance(state.get("all_results"), Mapping):
                raise NasrankError(f"{name}: {training!r} is no ArchResults of {self.form.name}")
            expected = all_architectures()[arch_id].string
            if state.get("arch_str") != expected or state.get("arch_index") != arch_id:
                raise NasrankError(
                    f"{name} says that it is architecture {shown(state.get('arch_index'))} "
                    f"({shown(state.get('arch_str'))}); by its place it is {arch_id} ({expected})"
                )
            for key, trial in state["all_results"].items():
                try:
                    self._add_trial(key, trial, arch_id, epochs, f"{name}, {training}")
                except (TypeError, ValueError, LookupError, AttributeError, OverflowError) as error:
                    raise NasrankError(
                        f"{name}, {training}, {shown(key)} is not as {self.form.name} writes it: "
                        f"{type(error).__name__}: {error}"
                    ) from error

    def _add_trial(self, key: Any, trial: Any, arch_id: int, epochs: int, where: str) -> None:
        if (
            not isinstance(key, tuple)
            or len(key) != 2
            or key[0] not in SPLITS
            or not isinstance(trial, Mapping)
        ):
            raise NasrankError(f"{where}: {shown(key)} is not a data set of {', '.join(SPLITS)} with a seed")
        dataset, seed = key
        where = f"{where}, {dataset}, seed {seed}"
        if trial.get("epochs") != epochs:
            raise NasrankError(
                f"{where}: it was trained for {shown(trial.get('epochs'))} epochs; {epochs} are expected"
            )
        for name in ("train", *(trial.get("eval_names") or ())):
            if name not in SPLITS[dataset]:
                known = ", ".join(SPLITS[dataset])
                raise NasrankError(f"{where} has results on {shown(name)}; known are {known}")
            series = Series(dataset, SPLITS[dataset][name], epochs, str(int(seed)))
            self.rows.add_results(arch_id, series, _curve(trial, name, self.curve.kept(epochs), where))
        self.rows.add_cost(arch_id, dataset, epochs, str(int(seed)), _costs(trial, where))


def _curve(
    trial: Mapping[str, Any], name: str, epochs: Sequence[int], where: str
) -> Iterator[tuple[int, float, float]]:
    """(completed epochs, percent, loss or NaN) for those of the epochs that were measured."""
    kind, prefix = ("train", "") if name == "train" else ("eval", f"{name}@")
    accuracies, losses = trial.get(f"{kind}_acc1es"), trial.get(f"{kind}_losses")
    if not isinstance(accuracies, Mapping) or not isinstance(losses, Mapping):
        raise NasrankError(f"{where} has no accuracies and losses by epoch for {name}")
    for epoch in epochs:
        place = f"{prefix}{epoch - 1}" if prefix else epoch - 1
        if place not in accuracies and epoch != epochs[-1]:
            continue  # some splits were only measured after the last epoch
        percent = accuracies.get(place)
        if not _is_number(percent) or not 0 <= percent <= 100:
            raise NasrankError(
                f"{where}: the accuracy on {name} after epoch {epoch} is {shown(percent)}; percent from 0 "
                "to 100 are needed"
            )
        loss = losses.get(place)
        yield epoch, percent, loss if _is_number(loss) and math.isfinite(loss) else math.nan


def _costs(trial: Mapping[str, Any], where: str) -> tuple[float, float, float, float]:
    """Parameters, multiply-adds (the files have millions), seconds a batch, seconds of training."""
    params, flops = trial.get("params"), trial.get("flop")
    for name, value in (("params", params), ("flop", flops)):
        if value is not None and not (_is_number(value) and 0 <= value < 1e6):
            raise NasrankError(f"{where}: {name} is {shown(value)}; millions are needed")
    latencies = trial.get("latency") or ()
    times = trial.get("train_times") or {}
    latency = sum(latencies) / len(latencies) if latencies else math.nan
    return (
        math.nan if params is None else float(round(params * 1e6)),
        math.nan if flops is None else flops * 1e6,
        latency if latency > 0 else math.nan,  # the authors write -1 for unknown
        float(sum(times.values())) if times else math.nan,
    )


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, float | int) and not isinstance(value, bool)
