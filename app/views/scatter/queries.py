"""What the page Scatter asks: the predictions of a run, or the means over the seeds of an experiment."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import pandas as pd

from nasrank.app.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class EvaluationKey:
    """Predictions of a run or of all seeds of an experiment, whose id `predictor` is, under a key."""

    predictor: str
    gt_key: str
    bn_mode: str
    epoch: int


def points(snapshot: Snapshot, evaluation: EvaluationKey, architecture_set: str) -> pd.DataFrame:
    """The members of a set that a run, or every seed of an experiment, predicted; best truth first.

    Columns arch_id, digits, gt_rank, truth and predicted (fractions, or scores; of an experiment the mean
    over its seeds); `constant` and `first_of_class` are true or false.
    """
    return snapshot.query(
        """
        WITH chosen AS (
            SELECT *
            FROM evaluations_of([$predictor], $gt_key)
            WHERE bn_mode = $bn_mode AND epoch = $epoch
        )
        SELECT
            arch_id, digits, gt_rank, truth, predicted,
            arch_id IN (SELECT arch_id FROM constant_architecture) AS constant,
            first_of_class IS NOT NULL AS first_of_class
        FROM (
            SELECT
                mask, arch_id, min(gt_rank) AS gt_rank, min(truth) AS truth, favg(predicted) AS predicted
            FROM predicted_set('chosen')
            WHERE architecture_set = $architecture_set AND isfinite(predicted)
            GROUP BY mask, arch_id
            HAVING count(*) = (SELECT count(*) FROM chosen)
        ) AS point
        JOIN architecture USING (arch_id)
        LEFT JOIN (
            SELECT mask, arch_id, TRUE AS first_of_class FROM search_space WHERE one_per_class
        ) AS class USING (mask, arch_id)
        ORDER BY gt_rank
        """,
        **asdict(evaluation),
        architecture_set=architecture_set,
    )


def rankings(snapshot: Snapshot, evaluation: EvaluationKey) -> pd.DataFrame:
    """How well a run ranks each set, or the mean over an experiment's seeds; a row a set.

    Columns architecture_set, n, n_predicted (the least of the seeds), seeds (with a τ), then tau, tau_std,
    tau_eq2, spearman, pearson, tau_same_size and tau_partial, which are missing where no seed predicted the
    whole set.
    """
    [rows] = snapshot.measured(
        """
        SELECT *
        FROM evaluations_of([$predictor], $gt_key)
        WHERE bn_mode = $bn_mode AND epoch = $epoch
        """,
        """
        SELECT
            architecture_set, min(n) AS n, min(n_predicted) AS n_predicted,
            count(tau) FILTER (WHERE is_whole) AS seeds,
            favg(tau) FILTER (WHERE is_whole) AS tau, stddev_samp(tau) FILTER (WHERE is_whole) AS tau_std,
            favg(tau_eq2) FILTER (WHERE is_whole) AS tau_eq2,
            favg(spearman) FILTER (WHERE is_whole) AS spearman,
            favg(pearson) FILTER (WHERE is_whole) AS pearson,
            favg(tau_same_size) FILTER (WHERE is_whole) AS tau_same_size,
            favg(tau_partial) FILTER (WHERE is_whole) AS tau_partial,
            favg(tau_sparse) FILTER (WHERE is_whole) AS tau_sparse,
            favg(tau_weighted) FILTER (WHERE is_whole) AS tau_weighted
        FROM measured
        GROUP BY architecture_set
        ORDER BY n, architecture_set
        """,
        sets="SELECT architecture_set FROM set_definition WHERE NOT one_per_class",
        **asdict(evaluation),
    )
    return rows
