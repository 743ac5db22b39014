"""The tables that hold what follows from the others, kept so that no reader computes it again.

Each is filled by a view or macro of `db/views`, before the file that it follows from is published:
`derive_ground_truth` and then `derive_runs` after an import, `derive_runs` after an ingest, `derive_all`
after an upgrade. Metrics are stored under the keys that a run was asked to predict, those of untrained
predictors under the keys that any run was asked for; under all others, the views compute them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pyarrow as pa
import sqlalchemy as sa

from nasrank.db.metrics.measuring import measure
from nasrank.db.warehouse.chances import insert_chances
from nasrank.db.warehouse.file import insert_arrow, native
from nasrank.db.warehouse.models import (
    ArchitectureRank,
    BenchmarkSource,
    Chance,
    Evaluation,
    GroundTruthKey,
    OracleCeiling,
    RankedSet,
    Run,
    StoredRanking,
    StoredSearch,
)
from nasrank.db.warehouse.untrained import insert_untrained

_GROUND_TRUTH_KEYS: Final = sa.text(
    """INSERT INTO ground_truth_key BY NAME
    SELECT
        gt_key, source, dataset, split, epochs, averaged_epochs, trial, count(*) AS architectures,
        min(accuracy) AS min_accuracy, max(accuracy) AS max_accuracy
    FROM ground_truth
    WHERE source = :source
    GROUP BY ALL
    -- Some of the benchmark's curves end for a part of the architectures before their last epoch.
    HAVING averaged_epochs = 1 OR count(*) = (SELECT count(*) FROM architecture)"""
)
_ARCHITECTURE_RANKS: Final = sa.text(
    """INSERT INTO architecture_rank BY NAME
    SELECT
        gt_key, mask, one_per_class, arch_id, accuracy, in_random_sample,
        row_number() OVER (
            PARTITION BY gt_key, mask, one_per_class ORDER BY accuracy DESC, arch_id
        ) AS gt_rank
    FROM ground_truth
    SEMI JOIN ground_truth_key USING (gt_key)
    JOIN search_space USING (arch_id)
    WHERE source = :source AND dataset = :dataset AND split = :split AND epochs = :epochs
    ORDER BY gt_key, mask, one_per_class, gt_rank"""
)
_RANKED_SETS: Final = sa.text(
    """INSERT INTO ranked_set BY NAME
    WITH chosen AS (
        SELECT NULL AS predictor, *
        FROM architecture_rank
        SEMI JOIN (
            FROM ground_truth_key
            WHERE source = :source AND dataset = :dataset AND split = :split AND epochs = :epochs
        ) AS key USING (gt_key)
    )
    SELECT
        gt_key, mask, one_per_class, architecture_set, count(*) AS n, favg(accuracy) AS mean_accuracy
    FROM set_members('chosen')
    GROUP BY ALL"""
)
_EVALUATIONS: Final = sa.text(
    """INSERT INTO evaluation BY NAME
    WITH own AS (
        SELECT * FROM prediction WHERE run_id IN (SELECT unnest(CAST(:run_ids AS VARCHAR[])))
    )
    SELECT * FROM evaluations_in('own')"""
)
# Nobody asks untrained predictors: they are measured under each key that any run was asked for.
_ASKED: Final = """
SELECT *
FROM unstored_evaluation_key
WHERE is_asked OR (
    bn_mode = 'untrained' AND gt_key IN (SELECT unnest(CAST(ground_truth_keys AS VARCHAR[])) FROM run)
)
"""
_RANKINGS: Final = "INSERT INTO stored_ranking BY NAME SELECT * EXCLUDE (mask, set_kind) FROM arrow_rows"
_SEARCHES: Final = "INSERT INTO stored_search BY NAME SELECT * FROM arrow_rows"


def derive_ground_truth(connection: sa.Connection, source: str) -> None:
    """What follows from a source that was just imported, but for runs: `derive_runs` comes after it."""
    connection.execute(_GROUND_TRUTH_KEYS, {"source": source})
    # A few keys at a time: all of a large source, with every mask, are millions of rows to sort.
    columns = (GroundTruthKey.source, GroundTruthKey.dataset, GroundTruthKey.split, GroundTruthKey.epochs)
    keys = sa.select(*columns).where(GroundTruthKey.source == source).distinct().order_by(*columns)
    for row in connection.execute(keys).mappings().all():
        connection.execute(_ARCHITECTURE_RANKS, dict(row))
        connection.execute(_RANKED_SETS, dict(row))


def forget_ground_truth(connection: sa.Connection, source: str) -> None:
    """Remove what follows from a source that is about to be removed."""
    keys = sa.select(GroundTruthKey.gt_key).where(GroundTruthKey.source == source)
    for table in (
        ArchitectureRank,
        RankedSet,
        OracleCeiling,
        Chance,
        StoredRanking,
        StoredSearch,
        GroundTruthKey,
    ):
        connection.execute(sa.delete(table).where(table.gt_key.in_(keys)))


def forget_runs(connection: sa.Connection, run_ids: Sequence[str]) -> None:
    """Remove what follows from runs that are about to be removed or replaced."""
    for table in (Evaluation, StoredRanking, StoredSearch):
        connection.execute(sa.delete(table).where(table.run_id.in_(run_ids)))


def insert_predictions(connection: sa.Connection, rows: pa.Table) -> None:
    """Insert predictions, with columns of the table, of runs that have none, and count them.

    What is inserted is counted as it comes: to find it again, DuckDB would read the predictions of all runs.
    """
    insert_arrow(connection, "INSERT INTO prediction BY NAME SELECT * FROM arrow_rows", rows)
    insert_arrow(
        connection, "INSERT INTO evaluation BY NAME SELECT * FROM evaluations_in('arrow_rows')", rows
    )


def derive_oracles(connection: sa.Connection) -> None:
    """How well an oracle would rank, under keys without that; after `derive_ground_truth`."""
    # SciPy takes a third of a second, which an ingest need not wait for.
    from nasrank.db.warehouse.oracles import insert_oracles

    insert_oracles(connection)


def derive_runs(connection: sa.Connection) -> None:
    """What follows from runs and predictions that were just inserted.

    Also of the predictors that need no training, where these runs bring a mask that had none.
    """
    if untrained := insert_untrained(connection):
        connection.execute(_EVALUATIONS, {"run_ids": untrained})
    _store_asked(connection)
    insert_chances(connection)


def derive_all(connection: sa.Connection) -> None:
    """Everything anew, but for oracles and chance, which take seconds and follow from the truth alone."""
    for table in (ArchitectureRank, RankedSet, GroundTruthKey, Evaluation, StoredRanking, StoredSearch):
        connection.execute(sa.delete(table))
    for source in connection.scalars(sa.select(BenchmarkSource.source)).all():
        derive_ground_truth(connection, source)
    derive_oracles(connection)
    connection.execute(_EVALUATIONS, {"run_ids": connection.scalars(sa.select(Run.run_id)).all()})
    derive_runs(connection)


def _store_asked(connection: sa.Connection) -> None:
    """Measure all that was asked for and is not stored yet."""
    duck = native(connection)
    for measured in measure(duck, duck.execute(_ASKED).to_arrow_table(), with_searches=True):
        insert_arrow(connection, _RANKINGS, measured.rankings)
        insert_arrow(connection, _SEARCHES, measured.searches)
