"""What several pages ask."""

from __future__ import annotations

import pandas as pd

from nasrank.app.snapshot import Snapshot


def ground_truth_keys(snapshot: Snapshot) -> pd.DataFrame:
    """One row a key, the sources in the order of their import, means before trials.

    Columns gt_key, source, dataset, split, epochs, averaged_epochs, trial, description.
    """
    return snapshot.query(
        """
        SELECT gt_key, source, dataset, split, epochs, averaged_epochs, trial, description
        FROM ground_truth_key
        JOIN benchmark_source USING (source)
        ORDER BY imported_at, source, trial <> 'mean', epochs DESC, averaged_epochs, dataset, split, trial
        """
    )


def runs(snapshot: Snapshot) -> pd.DataFrame:
    """One row a run; `ground_truth_keys` is JSON text, `non_finite` counts its unusable predictions.

    `kind`, `name`, `predicts` and `dataset` are those of its experiment; `file_name` is missing unless it was
    imported. Predictors that need no training are left out: nobody ran them.
    """
    return snapshot.query(
        """
        SELECT
            run_id, experiment_id, kind, name, predicts, dataset, seed, run.status, message, dataset_origin,
            file_name, CAST(ground_truth_keys AS VARCHAR) AS ground_truth_keys,
            coalesce(sum(predictions), 0) AS predictions, coalesce(sum(non_finite), 0) AS non_finite
        FROM run
        JOIN experiment USING (experiment_id)
        LEFT JOIN prediction_source USING (run_id)
        LEFT JOIN evaluation USING (run_id)
        WHERE kind <> 'untrained'
        GROUP BY ALL
        ORDER BY run_id
        """
    )


def evaluations(snapshot: Snapshot) -> pd.DataFrame:
    """One row an evaluation, with columns of its run and experiment.

    run_id, experiment_id, kind, seed (missing where nothing is random), predicts, epoch, bn_mode, is_final
    (of the end of training, or without any), is_whole_space (whether all that the mask leaves was predicted).
    """
    rows = snapshot.query(
        """
        SELECT
            run_id, experiment_id, kind, seed, predicts, epoch, bn_mode,
            is_final_epoch(epoch, epochs) AS is_final, predictions = architectures AS is_whole_space
        FROM evaluation
        JOIN run USING (run_id)
        JOIN experiment USING (experiment_id)
        JOIN mask USING (mask)
        ORDER BY experiment_id, seed, run_id, epoch, bn_mode
        """
    )
    return rows.astype({"seed": "Int64"})
