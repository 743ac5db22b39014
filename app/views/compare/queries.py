"""What the page Compare asks of some experiments."""

from __future__ import annotations

import pandas as pd

from nasrank.app.snapshot import Snapshot

_SETS = """
SELECT architecture_set
FROM set_definition
WHERE kind IN ('top', 'random', 'all') AND NOT one_per_class
"""


def rankings(snapshot: Snapshot, experiment_ids: tuple[str, ...], gt_key: str, bn_mode: str) -> pd.DataFrame:
    """What `report.queries.rankings` says, of these experiments, at every epoch.

    A row an experiment, epoch and architecture set; also `is_final`, and of gap, gap_std and gap_share the
    mean (`…_mean`) and deviation (`…_std`) over seeds. `reported_tau_a` is missing.
    """
    [rows] = snapshot.measured(
        """
        SELECT *
        FROM evaluations_of($experiment_ids, $gt_key)
        WHERE bn_mode = $bn_mode OR is_without_network(bn_mode)
        """,
        """
        WITH ranking AS (
            SELECT * FROM run_ranking_from('measured') WHERE is_whole
        ),
        of_points AS (
            SELECT experiment_id, epoch, bn_mode, tau_a, tau_a_mean, tau_a_std
            FROM experiment_tau_a_of('ranking')
        ),
        gaps AS (
            SELECT
                experiment_id, epoch, bn_mode,
                favg(gap) AS gap_mean, stddev_samp(gap) AS gap_std,
                favg(gap_std) AS gap_std_mean, stddev_samp(gap_std) AS gap_std_std,
                favg(gap_share) AS gap_share_mean, stddev_samp(gap_share) AS gap_share_std,
                favg(auc) AS auc_mean, stddev_samp(auc) AS auc_std
            FROM ranking
            WHERE set_kind = 'random'
            GROUP BY experiment_id, epoch, bn_mode
        )
        SELECT
            experiment_id, bn_mode, epoch, is_final, architecture_set, n,
            ranking.seeds, a_n_mean, a_n_std, tau_mean, tau_std, tau_eq2_mean, tau_eq2_std,
            spearman_mean, spearman_std, pearson_mean, pearson_std,
            tau_same_size_mean, tau_same_size_std, tau_partial_mean, tau_partial_std,
            tau_sparse_mean, tau_sparse_std, tau_weighted_mean, tau_weighted_std,
            gap_mean, gap_std, gap_std_mean, gap_std_std, gap_share_mean, gap_share_std, auc_mean, auc_std,
            tau_a, tau_a_mean, tau_a_std, CAST(NULL AS DOUBLE) AS reported_tau_a
        FROM experiment_ranking_of('ranking') AS ranking
        LEFT JOIN of_points USING (experiment_id, epoch, bn_mode)
        LEFT JOIN gaps USING (experiment_id, epoch, bn_mode)
        ORDER BY experiment_id, bn_mode, epoch, n, architecture_set
        """,
        sets=_SETS,
        experiment_ids=experiment_ids,
        gt_key=gt_key,
        bn_mode=bn_mode,
    )
    return rows


def differences(
    snapshot: Snapshot, experiment_ids: tuple[str, ...], reference: str, gt_key: str, bn_mode: str
) -> pd.DataFrame:
    """How each differs from the experiment `reference`, both at the end of their training.

    A row an experiment, architecture set and metric (of `metric`), with seeds and other_seeds, mean and
    other_mean, difference, difference_error, degrees, deviation (pooled, or own where wider),
    difference_interval and p_value; p_holm is corrected for the `comparisons` of the same set and metric.
    `seeds_to_tell`: how many each tell as large a true difference, with a probability of 80 %.

    How much they vary is told by all experiments that vary alike, if their metrics are stored under the key.
    """
    [rows] = snapshot.measured(
        """
        SELECT *
        FROM evaluations_of($experiment_ids, $gt_key)
        WHERE (bn_mode = $bn_mode OR is_without_network(bn_mode)) AND is_final
        UNION
        SELECT *
        FROM evaluation_key
        SEMI JOIN (
            SELECT run_id
            FROM run
            JOIN variance_group USING (experiment_id)
            WHERE variance_group IN (
                SELECT variance_group FROM variance_group WHERE list_contains($experiment_ids, experiment_id)
            )
        ) AS alike USING (run_id)
        SEMI JOIN stored_ranking USING (run_id, epoch, bn_mode, gt_key)
        WHERE gt_key = $gt_key AND bn_mode = $bn_mode AND is_final
        """,
        """
        WITH ranking AS (
            -- They are matched by epoch, and the end is the same for all, however long each was trained.
            SELECT * REPLACE (0 AS epoch) FROM run_ranking_from('measured')
        ),
        valued AS (
            SELECT * FROM metric_values('ranking')
        ),
        pair AS (
            SELECT experiment_id, $reference AS other_id, 'this page' AS family
            FROM unnest($experiment_ids) AS _ (experiment_id)
            WHERE experiment_id <> $reference
        )
        SELECT * EXCLUDE (family, epoch)
        FROM compare_families('valued', 'pair')
        ORDER BY experiment_id, metric, architecture_set
        """,
        sets=_SETS,
        experiment_ids=experiment_ids,
        reference=reference,
        gt_key=gt_key,
        bn_mode=bn_mode,
    )
    return rows


def within_a_mask(snapshot: Snapshot) -> set[str]:
    """The metrics in which experiments of different masks are not compared."""
    return set(snapshot.query("SELECT metric FROM metric WHERE NOT across_masks")["metric"])


def curves(snapshot: Snapshot, experiment_ids: tuple[str, ...]) -> pd.DataFrame:
    """The training of each run: experiment_id, run_id, seed, epoch, train_loss, valid_accuracy (fraction)."""
    return snapshot.query(
        """
        SELECT experiment_id, run_id, seed, epoch, train_loss, valid_accuracy
        FROM epoch_metric
        JOIN run USING (run_id)
        WHERE experiment_id IN $experiment_ids
        ORDER BY experiment_id, seed, run_id, epoch
        """,
        experiment_ids=experiment_ids,
    )
