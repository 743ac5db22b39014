"""What the page Runs asks."""

from __future__ import annotations

import pandas as pd

from nasrank.app.snapshot import Snapshot
from nasrank.report.metrics import SEARCHES


def runs(snapshot: Snapshot) -> pd.DataFrame:
    """One row a run, the newest first, with its experiment's configuration as typed columns.

    `versions`, `ground_truth_keys` and `config` are JSON text; times are UTC, `seconds` from start to
    finish. Of imported predictions, what has no meaning for them is missing; only they have a `name` and a
    `file_name`. Predictors that need no training are left out: nobody ran them.
    """
    return snapshot.query(
        """
        WITH evaluated AS (
            SELECT run_id, sum(predictions) AS predictions, sum(non_finite) AS non_finite
            FROM evaluation
            GROUP BY run_id
        )
        SELECT
            run_id, run.status, experiment_id, kind, name, dataset, size, mask, lt, variant, seed,
            started_at, finished_at, epoch_ms(finished_at - started_at) / 1000 AS seconds, ingested_at,
            seconds_training, seconds_evaluation, images_per_second, optimizer_updates, device,
            git_commit, git_dirty, CAST(versions AS VARCHAR) AS versions, dataset_origin,
            cells_per_stage, channels, epochs, batch_size, learning_rate, train_images, valid_images,
            image_size, path_sampling, node_inputs, file_name, message, failed_epoch,
            coalesce(predictions, 0) AS predictions, coalesce(non_finite, 0) AS non_finite,
            CAST(ground_truth_keys AS VARCHAR) AS ground_truth_keys, CAST(config AS VARCHAR) AS config
        FROM run
        JOIN experiment USING (experiment_id)
        LEFT JOIN prediction_source USING (run_id)
        LEFT JOIN evaluated USING (run_id)
        WHERE kind <> 'untrained'
        ORDER BY coalesce(started_at, ingested_at) DESC, run_id
        """
    )


def values(snapshot: Snapshot, gt_key: str, metric: str, architecture_set: str) -> pd.DataFrame:
    """A metric of the runs that predicted the set wholly at the end of their training: run_id, value.

    `metric` is a key of `COMPARED` or `SEARCHES`, as pages have it, the set that which it is of. With running
    statistics where a run has them. Of what is stored: the keys that a run was asked for.
    """
    if metric in SEARCHES:
        return snapshot.query(
            """
            WITH found AS (
                SELECT experiment_id, seed, stored.*
                FROM stored_search AS stored
                JOIN run USING (run_id)
                JOIN experiment USING (experiment_id)
                WHERE gt_key = $gt_key AND pool = $architecture_set AND NOT one_per_class AND top_k = 'top-10'
                    AND is_final_epoch(epoch, epochs)
            )
            SELECT run_id, arg_min(value, if(bn_mode = 'running', 0, 1)) AS value
            FROM search_values('found')
            WHERE metric = $metric
            GROUP BY run_id
            """,
            gt_key=gt_key,
            metric=SEARCHES[metric],
            architecture_set=architecture_set,
        )
    return snapshot.query(
        """
        WITH evaluated AS (
            SELECT *
            FROM evaluation_key
            SEMI JOIN stored_ranking USING (run_id, epoch, bn_mode, gt_key)
            WHERE gt_key = $gt_key AND is_final
        ),
        stored AS (
            SELECT * FROM stored_metric_of('evaluated')
        ),
        measured AS (
            SELECT * FROM run_metric_from('stored')
        ),
        ranking AS (
            SELECT * FROM run_ranking_from('measured')
        )
        SELECT run_id, arg_min(value, if(bn_mode = 'running', 0, 1)) AS value
        FROM metric_values('ranking')
        WHERE metric = $metric AND architecture_set = $architecture_set
        GROUP BY run_id
        """,
        gt_key=gt_key,
        metric=metric,
        architecture_set=architecture_set,
    )


def epochs(snapshot: Snapshot, run_id: str) -> pd.DataFrame:
    """The training curves of a run, a row an epoch, with the columns of `epoch_metric` but `run_id`."""
    return snapshot.query(
        "SELECT * EXCLUDE (run_id) FROM epoch_metric WHERE run_id = $run_id ORDER BY epoch", run_id=run_id
    )


def evaluations(snapshot: Snapshot, run_id: str) -> pd.DataFrame:
    """What a run predicted: epoch, bn_mode, predictions, non_finite."""
    return snapshot.query(
        """
        SELECT epoch, bn_mode, predictions, non_finite
        FROM evaluation
        WHERE run_id = $run_id
        ORDER BY epoch, bn_mode
        """,
        run_id=run_id,
    )


def parameters(snapshot: Snapshot, gt_key: str, architecture_set: str) -> pd.DataFrame:
    """τ that the number of parameters alone has in this set: a row a mask, with mask and tau."""
    [rows] = snapshot.measured(
        """
        SELECT evaluation_key.*
        FROM evaluation_key
        JOIN run USING (run_id)
        JOIN experiment USING (experiment_id)
        WHERE kind = 'untrained' AND name = 'params' AND gt_key = $gt_key
        """,
        "SELECT mask, tau FROM measured ORDER BY mask",
        sets="SELECT $architecture_set",
        gt_key=gt_key,
        architecture_set=architecture_set,
    )
    return rows


def metrics(snapshot: Snapshot, run_id: str, gt_key: str) -> pd.DataFrame:
    """A_N and τ of a run after each epoch that it was evaluated at, of the sets that it predicted wholly.

    Columns epoch, bn_mode, architecture_set, n, a_n (fraction), tau.
    """
    [rows] = snapshot.measured(
        "SELECT * FROM evaluations_of([$run_id], $gt_key)",
        """
        SELECT epoch, bn_mode, architecture_set, n, a_n, tau
        FROM measured
        WHERE is_whole
        ORDER BY epoch, bn_mode, n, architecture_set
        """,
        sets="SELECT architecture_set FROM paper_set",
        run_id=run_id,
        gt_key=gt_key,
    )
    return rows
