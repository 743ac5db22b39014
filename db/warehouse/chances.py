"""How predictions without any information would rank, stored for what runs were asked to predict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from nasrank.db.metrics.chance import of_truth
from nasrank.db.metrics.members import ArchitectureSet, Prediction, Truth, TruthKey, read_truths
from nasrank.db.warehouse.file import insert_arrow, native

_ASKED: Final = """
WITH asked AS (
    SELECT DISTINCT unnest(CAST(ground_truth_keys AS VARCHAR[])) AS gt_key, mask
    FROM run
    JOIN experiment USING (experiment_id)
)
SELECT gt_key, mask, one_per_class, list((architecture_set, kind, n) ORDER BY place)
FROM asked
ANTI JOIN chance USING (gt_key, mask)
JOIN ranked_set USING (gt_key, mask)
JOIN set_definition USING (one_per_class, architecture_set)
GROUP BY gt_key, mask, one_per_class
ORDER BY gt_key, mask, one_per_class
"""
_INSERT: Final = "INSERT INTO chance BY NAME SELECT * FROM arrow_rows"
# Of numbers that are estimates, more digits are only larger.
_DIGITS: Final = 9


def insert_chances(connection: sa.Connection) -> None:
    """Compute what is not there yet: what is there follows from the ground truth alone, and stays."""
    duck = native(connection)
    asked = {TruthKey(*key): sets for *key, sets in duck.execute(_ASKED).fetchall()}
    for key, truth in read_truths(duck, asked):
        rows = _of_truth(truth, [ArchitectureSet(*values) for values in asked[key]])
        table = pa.Table.from_pylist([{"gt_key": key.gt_key, "mask": key.mask, **row} for row in rows])
        insert_arrow(connection, _INSERT, table)


def _of_truth(truth: Truth, sets: list[ArchitectureSet]) -> Iterator[dict[str, Any]]:
    nothing = Prediction.of(truth.arch_ids, np.zeros(len(truth.arch_ids)))
    for name, top_k, metric, chance in of_truth(truth.predicted_by(nothing), sets):
        row = {"architecture_set": name, "top_k": top_k, "metric": metric}
        for seeds, *level in chance.levels():
            mean, std, low, high = (round(float(value), _DIGITS) for value in level)
            yield {**row, "seeds": seeds, "mean": mean, "std": std, "low": low, "high": high}
