"""The rows of the view `run_metric` of some evaluations: what is stored is read, and the rest measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import duckdb
import pyarrow as pa

from nasrank.db.metrics.measuring import measure
from nasrank.db.metrics.relations import registered

_UNSTORED: Final = "SELECT * FROM asked_pair ANTI JOIN stored_ranking USING (run_id, epoch, bn_mode, gt_key)"
_STORED: Final = """
WITH chosen_set AS (
    SELECT * FROM set_definition WHERE list_contains($sets, architecture_set)
)
SELECT * FROM stored_metric_of('asked_pair', definitions := 'chosen_set')
"""


def run_metrics(connection: duckdb.DuckDBPyConnection, pairs: pa.Table, sets: Sequence[str]) -> pa.Table:
    """Of `pairs`, rows like those of the view `evaluation_key`, in the architecture sets named `sets`."""
    with registered(connection, "asked_pair", pairs):
        unstored = connection.execute(_UNSTORED).to_arrow_table()
        stored = connection.execute(_STORED, {"sets": sets}).to_arrow_table()
    measured = [part.rankings for part in measure(connection, unstored, sets)]
    rows = pa.concat_tables([stored, *measured], promote_options="permissive")
    with registered(connection, "metric_row", rows):
        return connection.execute("SELECT * FROM run_metric_from('metric_row')").to_arrow_table()
