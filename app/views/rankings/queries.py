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
        SELECT
            experiment_id, seed, bn_mode, architecture_set, a_n, tau, tau_eq2, spearman, pearson,
            tau_same_size, tau_partial
        FROM run_ranking
        WHERE gt_key = $gt_key AND (dataset = $dataset OR is_without_network(bn_mode))
            AND is_final AND is_whole AND is_paper_set
        ORDER BY experiment_id, seed, bn_mode, n, architecture_set
        """,
        dataset=dataset,
        gt_key=gt_key,
    )
