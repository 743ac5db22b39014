"""Measures evaluations in their architecture sets, under the ground-truth keys that are asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nasrank.db.metrics.members import TRUTH_KEY, Pool, Predictions, Truth, TruthKey, read_truths
from nasrank.db.metrics.pairs import Floats, Integers
from nasrank.db.metrics.relations import registered
from nasrank.db.metrics.searches import search
from nasrank.db.metrics.series import CORRELATIONS, Batches

# Each part is read and measured by itself, so that memory does not grow with the evaluations.
_PREDICTIONS_A_PART: Final = 1_000_000

_PAIRS: Final = """
SELECT
    pair.run_id, pair.epoch, pair.bn_mode, pair.mask, pair.gt_key, pair.is_whole_space, pair.is_final,
    predicts,
    row_number() OVER ordered - 1 AS pair,
    dense_rank() OVER (ORDER BY run_id, epoch, bn_mode) - 1 AS evaluation,
    sum(predictions) OVER (ordered ROWS UNBOUNDED PRECEDING) // $predictions_a_part AS part
FROM asked_pair AS pair
JOIN evaluation USING (run_id, epoch, bn_mode)
JOIN run USING (run_id)
JOIN experiment USING (experiment_id)
WINDOW ordered AS (ORDER BY run_id, epoch, bn_mode, gt_key)
ORDER BY pair
"""
_SETS: Final = """
SELECT pair.pair, pair.evaluation, pair.predicts, chosen.*
FROM measured_set('measured_pair') AS chosen
JOIN measured_pair AS pair USING (run_id, epoch, bn_mode, gt_key)
WHERE $sets IS NULL OR list_contains($sets, chosen.architecture_set)
ORDER BY pair.pair, chosen.one_per_class
"""
_EVALUATION: Final = ["run_id", "epoch", "bn_mode", "evaluation"]
_PAIR: Final = ("run_id", "epoch", "bn_mode", "gt_key")
_SET: Final = (*_PAIR, "mask", "one_per_class", "set_kind", "architecture_set")
_METRICS: Final = (*CORRELATIONS, "predicted_std")
_FOUND: Final = pa.schema(
    [
        ("set", pa.int64()),
        ("top_k", pa.string()),
        ("k", pa.int64()),
        ("precision_at_k", pa.float64()),
        ("best_rank", pa.int64()),
        ("regret", pa.float64()),
        ("worst_rank", pa.int64()),
        ("bottom_precision_at_k", pa.float64()),
        ("ndcg_at_k", pa.float64()),
    ]
)


@dataclass(frozen=True, slots=True)
class Measured:
    """Rows of the macros `ranking_of` and `search_of`."""

    rankings: pa.Table
    searches: pa.Table


def measure(
    connection: duckdb.DuckDBPyConnection,
    pairs: pa.Table,
    sets: Collection[str] | None = None,
    *,
    with_searches: bool = False,
) -> Iterator[Measured]:
    """What the predictions of `pairs` are worth, rows like those of the view `evaluation_key`, in parts.

    `sets` are names of architecture sets; None means all. Without `with_searches` nothing is searched for.
    """
    with registered(connection, "asked_pair", pairs):
        numbered = connection.execute(_PAIRS, {"predictions_a_part": _PREDICTIONS_A_PART}).to_arrow_table()
    truths: dict[TruthKey, Truth] = {}
    for part in pc.unique(numbered["part"]):
        measured = numbered.filter(pc.equal(numbered["part"], part))
        with registered(connection, "measured_pair", measured):
            parameters = {"sets": None if sets is None else list(sets)}
            chosen = connection.execute(_SETS, parameters).to_arrow_table()
        keys = (TruthKey(*row.values()) for row in _distinct(chosen, TRUTH_KEY.names).to_pylist())
        truths |= read_truths(connection, [key for key in keys if key not in truths])
        predictions = Predictions(connection, _distinct(measured, _EVALUATION))
        yield _measure_sets(chosen, predictions, truths, with_searches=with_searches)


def _measure_sets(
    sets: pa.Table, predictions: Predictions, truths: Mapping[TruthKey, Truth], *, with_searches: bool
) -> Measured:
    """What is measured in each row of `sets`, which are sorted by pair."""
    series = Batches()
    numbers: list[int] = []
    areas = np.full(sets.num_rows, np.nan)
    found: list[dict[str, Any]] = []
    evaluation = pair = None
    for row, chosen in enumerate(sets.to_pylist()):
        if chosen["evaluation"] != evaluation:
            evaluation = chosen["evaluation"]
            prediction = predictions.of(evaluation)
        if chosen["pair"] != pair:
            pair = chosen["pair"]
            pools: dict[TruthKey, Pool] = {}
            known: dict[int, int] = {}
        key = TruthKey(chosen["gt_key"], chosen["mask"], chosen["one_per_class"])
        if key not in pools:
            pools[key] = truths[key].predicted_by(prediction)
        kind, n = chosen["set_kind"], chosen["n"]
        members = pools[key].set(kind, n)
        if chosen["series"] not in known:  # of a whole space, `predicted` and `all` are one
            known[chosen["series"]] = series.add(members)
        numbers.append(known[chosen["series"]])
        if kind == "random" and members.number == n:
            areas[row] = pools[key].area()
        if with_searches and kind in ("random", "all") and members.number == n:
            found += ({"set": row, **cut} for cut in search(members))
    return Measured(
        _rankings(sets, np.array(numbers, np.int64), series.metrics(), areas),
        _searches(sets, pa.Table.from_pylist(found, schema=_FOUND)),
    )


def _rankings(sets: pa.Table, series: Integers, metrics: Mapping[str, Floats], areas: Floats) -> pa.Table:
    """The rows of `ranking_of`; `series` is where the metrics have each set, -1 for one without members.

    `areas` has the `auc` of each set, NaN for none.
    """
    has_members = series >= 0

    def of_sets(name: str) -> Floats:
        values = np.full(len(series), np.nan)
        if name in metrics:
            values[has_members] = metrics[name][series[has_members]]
        return values

    n_predicted = pa.array(np.where(has_members, of_sets("n_predicted"), 0).astype(np.int64))
    mean = of_sets("mean_predicted")
    is_accuracy = sets["predicts"].to_numpy() == "accuracy"
    columns = {name: sets[name] for name in _SET}
    columns["n"] = pc.coalesce(sets["n"].cast(pa.int64()), n_predicted)
    columns["n_predicted"] = n_predicted
    # Rounded so that equal means are equal: τa compares them.
    columns["a_n"] = _nullable(np.where(is_accuracy, np.round(mean, 12), np.nan))
    columns["mean_score"] = _nullable(np.where(is_accuracy, np.nan, _twelve_digits(mean)))
    columns |= {name: _nullable(of_sets(name)) for name in _METRICS}
    columns["auc"] = _nullable(areas)
    # Of the set `predicted` there is nothing to say where nothing was.
    return pa.table(columns).filter(pc.or_(pc.is_valid(sets["n"]), pa.array(has_members)))


def _searches(sets: pa.Table, found: pa.Table) -> pa.Table:
    """The rows of `search_of`: what was found, and in which set."""
    pools = sets.take(found["set"])
    columns = {name: pools[name] for name in (*_PAIR, "one_per_class", "n")}
    columns |= {"pool": pools["architecture_set"], **{name: found[name] for name in _FOUND.names[1:-1]}}
    columns["ndcg_at_k"] = _nullable(found["ndcg_at_k"].to_numpy())
    return pa.table(columns)


def _distinct(rows: pa.Table, names: list[str]) -> pa.Table:
    return rows.select(names).group_by(names).aggregate([])


def _twelve_digits(values: Floats) -> Floats:
    """As the macro `twelve_digits`."""
    return np.array([float(f"{value:.11e}") for value in values])


def _nullable(values: Floats) -> pa.Array:
    """NULL where a value is not a number."""
    return pa.array(values, from_pandas=True)
