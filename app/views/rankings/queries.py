"""What the page Rankings asks beyond what the report does."""

from __future__ import annotations

import pandas as pd

from nasrank.app.snapshot import Snapshot


def seed_ranking(snapshot: Snapshot, dataset: str, gt_key: str) -> pd.DataFrame:
    """A_N and the correlations of every run at the end of training, where it predicted the whole set.

    Columns experiment_id, seed, bn_mode, architecture_set, a_n (NULL for scores), tau, tau_eq2, spearman,
    pearson, tau_same_size and tau_partial. Of the experiments on `dataset`, and of all that are no networks.
    """
    return snapshot.query(
        """
        WITH chosen AS (
            SELECT * FROM final_evaluations($dataset, $gt_key)
        )
        SELECT
            experiment_id, seed, bn_mode, architecture_set, a_n, tau, tau_eq2, spearman, pearson,
            tau_same_size, tau_partial
        FROM run_ranking_of('chosen', definitions := 'paper_set')
        WHERE is_whole AND is_paper_set
        ORDER BY experiment_id, seed, bn_mode, n, architecture_set
        """,
        dataset=dataset,
        gt_key=gt_key,
    )
