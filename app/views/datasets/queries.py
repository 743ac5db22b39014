"""What the page Datasets asks beyond what the report does: of the benchmark alone."""

from __future__ import annotations

import pandas as pd

from nasrank.app.snapshot import Snapshot


def key_agreement(snapshot: Snapshot, gt_key: str, architecture_set: str) -> pd.DataFrame:
    """Each key with each other one of the same source, epochs and trial as `gt_key`, over one set.

    Columns gt_key (which makes the set), dataset, split, other_dataset, other_split, n, tau, spearman and
    pearson.
    """
    return snapshot.benchmark.query(
        """
        SELECT
            agreement.gt_key, key.dataset, key.split,
            other.dataset AS other_dataset, other.split AS other_split,
            n, tau, spearman, pearson
        FROM ground_truth_agreement AS agreement
        JOIN ground_truth_key AS key ON key.gt_key = agreement.gt_key
        JOIN ground_truth_key AS other ON other.gt_key = agreement.other_key
        JOIN ground_truth_key AS chosen ON chosen.gt_key = $gt_key
        WHERE mask = '' AND architecture_set = $architecture_set
            AND (key.source, key.epochs, key.averaged_epochs, key.trial)
            = (chosen.source, chosen.epochs, chosen.averaged_epochs, chosen.trial)
            AND (other.source, other.epochs, other.averaged_epochs, other.trial)
            = (chosen.source, chosen.epochs, chosen.averaged_epochs, chosen.trial)
        ORDER BY key.dataset, key.split, other.dataset, other.split
        """,
        gt_key=gt_key,
        architecture_set=architecture_set,
    )


def trials(snapshot: Snapshot, gt_key: str) -> pd.DataFrame:
    """How well the trials of a mean rank each other, over its sets: architecture_set, n, series, and three.

    `series` says with what a trial is compared. The three are tau, spearman and pearson. Not over the whole
    space, whose Kendall's τ takes seconds.
    """
    return snapshot.benchmark.query(
        """
        WITH ceiling AS (
            SELECT * FROM noise_ceiling_in('paper_set') WHERE gt_key = $gt_key AND mask = ''
        )
        SELECT
            architecture_set, n, 'one trial with another' AS series, tau_between_trials AS tau,
            spearman_between_trials AS spearman, pearson_between_trials AS pearson
        FROM ceiling
        UNION ALL
        SELECT
            architecture_set, n, 'one trial with the mean of the others', tau_to_others,
            spearman_to_others, pearson_to_others
        FROM ceiling
        ORDER BY series, n, architecture_set
        """,
        gt_key=gt_key,
    )


def split_accuracies(snapshot: Snapshot, gt_key: str) -> pd.DataFrame:
    """Accuracies of all architectures under the keys that differ from this one in the split only.

    Columns split, arch_id, accuracy (fraction); the key itself included.
    """
    return snapshot.benchmark.query(
        """
        SELECT other.split, rank.arch_id, rank.accuracy
        FROM ground_truth_key AS key
        JOIN ground_truth_key AS other USING (source, dataset, epochs, averaged_epochs, trial)
        JOIN true_ranking AS rank ON rank.gt_key = other.gt_key
        WHERE key.gt_key = $gt_key AND rank.mask = ''
        ORDER BY list_position(['train', 'valid', 'test'], other.split), rank.arch_id
        """,
        gt_key=gt_key,
    )
