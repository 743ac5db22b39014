"""How well an oracle would rank, stored for every ground-truth key whose trials are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from nasrank.db.metrics.members import ArchitectureSet, Prediction, Truth, TruthKey, read_truths
from nasrank.db.metrics.oracle import ExpectedAccuracies, Noise, moments
from nasrank.db.metrics.pairs import Floats
from nasrank.db.metrics.series import CORRELATIONS, Batches
from nasrank.db.nb201.architectures import NUM_ARCHITECTURES
from nasrank.db.warehouse.file import insert_arrow, native

# Of fewer architectures that were trained twice, the noise of a training is not known.
_FEWEST_REPEATED: Final = 100
# Draws for sets of up to so many architectures: the fewer these are, the more one draw differs from the next.
_DRAWS: Final = ((100, 64), (1_000, 16), (NUM_ARCHITECTURES, 4))

_KEYS: Final = """
SELECT base.gt_key, list(key.gt_key ORDER BY key.gt_key) AS trials
FROM ground_truth_key AS base
JOIN ground_truth_key AS key USING (source, dataset, split, epochs, averaged_epochs)
ANTI JOIN oracle_ceiling ON oracle_ceiling.gt_key = base.gt_key
WHERE base.trial = 'mean' AND key.trial <> 'mean'
GROUP BY base.gt_key
HAVING len(trials) > 1
ORDER BY base.gt_key
"""
_TRIALS: Final = """
SELECT list_position($trials, gt_key) - 1 AS trial, arch_id, accuracy
FROM architecture_rank
WHERE list_contains($trials, gt_key) AND mask = '' AND NOT one_per_class
"""
_SETS: Final = """
SELECT mask, list((architecture_set, kind, n) ORDER BY place)
FROM ranked_set
JOIN set_definition USING (one_per_class, architecture_set)
WHERE gt_key = $gt_key AND NOT one_per_class
GROUP BY mask
ORDER BY mask
"""
_INSERT: Final = "INSERT INTO oracle_ceiling BY NAME SELECT * FROM arrow_rows"


def _draws(one: ArchitectureSet) -> int:
    """How often the metrics of a set are drawn."""
    return next(draws for largest, draws in _DRAWS if one.n <= largest)


def insert_oracles(connection: sa.Connection) -> None:
    """Estimate what is not there yet: what is there follows from the ground truth alone, and stays."""
    duck = native(connection)
    for gt_key, trials in duck.execute(_KEYS).fetchall():
        trainings = _trainings(duck, trials)
        known = np.count_nonzero(~np.isnan(trainings), axis=1)
        if known.min() == 0 or np.count_nonzero(known > 1) < _FEWEST_REPEATED:
            continue
        rows = list(_of_key(duck, gt_key, trainings))
        insert_arrow(connection, _INSERT, pa.Table.from_pylist(rows))


def _trainings(duck: duckdb.DuckDBPyConnection, trials: Sequence[str]) -> Floats:
    """The accuracies of all architectures (architectures, trials), NaN where a trial lacks one."""
    columns = duck.execute(_TRIALS, {"trials": trials}).fetchnumpy()
    trainings = np.full((NUM_ARCHITECTURES, len(trials)), np.nan)
    trainings[columns["arch_id"], columns["trial"]] = columns["accuracy"]
    return trainings


def _of_key(duck: duckdb.DuckDBPyConnection, gt_key: str, trainings: Floats) -> Iterator[dict[str, Any]]:
    noise = Noise.of(*moments(trainings))
    sets = dict(duck.execute(_SETS, {"gt_key": gt_key}).fetchall())
    for key, truth in read_truths(duck, [TruthKey(gt_key, mask, one_per_class=False) for mask in sets]):
        possible = ExpectedAccuracies.of(trainings[truth.arch_ids], noise.chosen(truth.arch_ids))
        for row in _of_mask(truth, [ArchitectureSet(*values) for values in sets[key.mask]], possible):
            yield {"gt_key": gt_key, "mask": key.mask, **row}


def _of_mask(
    truth: Truth, sets: Sequence[ArchitectureSet], possible: ExpectedAccuracies
) -> Iterator[dict[str, Any]]:
    """The metrics of each set, with what was drawn as the predictions."""
    rng = np.random.default_rng(0)
    batches = Batches()
    series: dict[ArchitectureSet, list[int]] = {chosen: [] for chosen in sets}
    for draw in range(max(map(_draws, sets))):
        pool = truth.predicted_by(Prediction.of(truth.arch_ids, possible.draw(rng)))
        for chosen in sets:
            if draw < _draws(chosen):
                series[chosen].append(batches.add(pool.set(chosen.kind, chosen.n)))
    metrics = batches.metrics()
    for chosen, numbers in series.items():
        for metric in CORRELATIONS:
            values = metrics[metric][numbers]
            if not np.isnan(values).any():  # too few pairs of one size, for example
                yield {
                    "architecture_set": chosen.name,
                    "metric": metric,
                    "mean": float(values.mean()),
                    "std": float(values.std(ddof=1)),
                    "draws": len(values),
                }
