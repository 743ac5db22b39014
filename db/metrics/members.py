"""Which architectures are in a set, with their truth and an evaluation's predictions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nasrank.db.metrics.pairs import Floats, Integers, mean_ranks
from nasrank.db.metrics.relations import registered
from nasrank.db.metrics.series import Members
from nasrank.db.nb201.architectures import NUM_ARCHITECTURES

# The columns of a `TruthKey`.
TRUTH_KEY: Final = pa.schema([("gt_key", pa.string()), ("mask", pa.string()), ("one_per_class", pa.bool_())])

# The best that `area` tells from the random sample.
BEST: Final = 500
_PREDICTIONS: Final = """
SELECT evaluation, arch_id, predicted_number(accuracy, score, status) AS predicted
FROM prediction
JOIN measured_evaluation USING (run_id, epoch, bn_mode)
WHERE predicted IS NOT NULL
"""
_TRUTHS: Final = """
SELECT gt_key, mask, one_per_class, arch_id, accuracy, in_random_sample, params
FROM architecture_rank
JOIN architecture_size USING (arch_id)
SEMI JOIN wanted_truth USING (gt_key, mask, one_per_class)
ORDER BY gt_key, mask, one_per_class, gt_rank
"""


class ArchitectureSet(NamedTuple):
    """A row of `set_definition`, as a mask has it: with n architectures."""

    name: str
    kind: str
    n: int


class TruthKey(NamedTuple):
    """A ranking of the ground truth: its key, its mask, and whether it is of one architecture a class."""

    gt_key: str
    mask: str
    one_per_class: bool


@dataclass(frozen=True, slots=True)
class Truth:
    """The architectures of a mask under one key, the best first; ranks as in `Members`."""

    arch_ids: Integers
    accuracy: Floats
    accuracy_rank: Integers
    size_rank: Integers
    in_random_sample: npt.NDArray[np.bool_]

    def predicted_by(self, prediction: Prediction) -> Pool:
        """Those of them that have a prediction."""
        ranks = prediction.ranks[self.arch_ids]
        places = np.flatnonzero(ranks >= 0)
        arch_ids = self.arch_ids[places]
        members = Members(
            arch_ids,
            self.accuracy_rank[places],
            ranks[places],
            self.size_rank[places],
            self.accuracy[places],
            prediction.values[arch_ids],
        )
        return Pool(members, places, self.in_random_sample[places])


@dataclass(frozen=True, slots=True)
class Prediction:
    """What an evaluation says of each architecture, by `arch_id`; the rank is -1 where it says nothing."""

    values: Floats
    ranks: Integers

    @classmethod
    def of(cls, arch_ids: Integers, predicted: Floats) -> Prediction:
        """What is predicted of some architectures."""
        values, ranks = np.zeros(NUM_ARCHITECTURES), np.full(NUM_ARCHITECTURES, -1, np.int32)
        values[arch_ids] = predicted
        ranks[arch_ids] = _ranks(predicted)
        return cls(values, ranks)


@dataclass(frozen=True, slots=True)
class Pool:
    """Architectures that have both a truth and a prediction, the truly best first."""

    members: Members
    places: Integers
    """Of each among all that the mask leaves, from 0."""
    in_random_sample: npt.NDArray[np.bool_]

    def area(self) -> float:
        """How often one of the best 500 is predicted above one of the random sample outside them.

        A tie counts half. NaN where not all of both are here, or none is outside.
        """
        is_best = self.places < BEST
        chosen = is_best | self.in_random_sample
        is_best = is_best[chosen]
        best, others = np.count_nonzero(is_best), np.count_nonzero(~is_best)
        if best < BEST or not others:
            return math.nan
        predicted = self.members.predicted_rank[chosen]
        order = np.argsort(predicted)
        ranks = mean_ranks(predicted[order]) + 1
        return float((ranks[is_best[order]].sum() - best * (best + 1) / 2) / (best * others))

    def set(self, kind: str, n: int | None) -> Members:
        """The members of an architecture set, of the kinds of `set_definition`, with n architectures."""
        if kind == "random":
            return self.members.chosen(self.in_random_sample)
        if kind in ("top", "top-percent"):
            return self.members.chosen(slice(0, int(np.searchsorted(self.places, n or 0))))
        return self.members


class Predictions:
    """The predictions of several evaluations."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, evaluations: pa.Table) -> None:
        """Read those of `evaluations`, with the columns run_id, epoch, bn_mode and a number, `evaluation`."""
        with registered(connection, "measured_evaluation", evaluations):
            rows = connection.execute(_PREDICTIONS).to_arrow_table()
        numbers, arch_ids, predicted = (column.to_numpy() for column in rows.columns)
        order = np.argsort(numbers, kind="stable")
        self._numbers, self._arch_ids, self._predicted = numbers[order], arch_ids[order], predicted[order]

    def of(self, evaluation: int) -> Prediction:
        """What one of them says."""
        begin, end = np.searchsorted(self._numbers, (evaluation, evaluation + 1))
        return Prediction.of(self._arch_ids[begin:end], self._predicted[begin:end])


def read_truths(
    connection: duckdb.DuckDBPyConnection, keys: Iterable[TruthKey]
) -> Iterator[tuple[TruthKey, Truth]]:
    """The rankings of the ground truth under `keys`."""
    wanted = pa.Table.from_pylist(
        [dict(zip(TRUTH_KEY.names, key, strict=True)) for key in keys], schema=TRUTH_KEY
    )
    with registered(connection, "wanted_truth", wanted):
        rows = connection.execute(_TRUTHS).to_arrow_table()
    counts = rows.group_by(TRUTH_KEY.names, use_threads=False).aggregate([([], "count_all")])
    begin = 0
    for row in counts.to_pylist():
        columns = rows.slice(begin, count := row.pop("count_all"))
        begin += count
        accuracy = columns["accuracy"].to_numpy()
        yield (
            TruthKey(**row),
            Truth(
                columns["arch_id"].to_numpy(),
                accuracy,
                _ranks(accuracy),
                _ranks(columns["params"].to_numpy()),
                columns["in_random_sample"].to_numpy(),
            ),
        )


def _ranks(values: npt.NDArray[np.generic]) -> Integers:
    """Whole numbers from 0, larger for larger values and equal for equal ones."""
    _, ranks = np.unique(values, return_inverse=True)
    ranked: Integers = ranks.astype(np.int32)
    return ranked
