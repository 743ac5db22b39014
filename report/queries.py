"""What the report and the dashboard both ask the warehouse, with bound parameters."""

from __future__ import annotations

from typing import Protocol

import pandas as pd


class Asked(Protocol):
    """A warehouse, as the one who asks it holds it."""

    def query(self, sql: str, /, **parameters: str) -> pd.DataFrame:
        """The rows of `sql`, with `parameters` bound to its `$name`s."""


def experiments(warehouse: Asked) -> pd.DataFrame:
    """One row an experiment that has runs; `config` is its whole configuration as JSON text."""
    return warehouse.query(
        """
        SELECT experiment_id, dataset, size, mask, lt, variant, epochs, CAST(config AS VARCHAR) AS config
        FROM experiment
        SEMI JOIN run USING (experiment_id)
        ORDER BY experiment_id
        """
    )


def ranking(warehouse: Asked, dataset: str, gt_key: str) -> pd.DataFrame:
    """A_N and the correlations at the end of training, by experiment, bn_mode and architecture set.

    Deviations are NULL for one seed; `seeds` is 0 for a set that no run predicted wholly.
    """
    return warehouse.query(
        """
        SELECT
            experiment_id, bn_mode, epoch, architecture_set, n, seeds, a_n_mean, a_n_std,
            tau_mean, tau_std, tau_eq2_mean, tau_eq2_std,
            spearman_mean, spearman_std, pearson_mean, pearson_std
        FROM experiment_ranking AS ranking
        JOIN experiment USING (experiment_id)
        WHERE ranking.gt_key = $gt_key AND experiment.dataset = $dataset AND epoch = experiment.epochs
            AND architecture_set <> 'all' AND NOT one_per_class
        ORDER BY experiment_id, bn_mode, n, architecture_set
        """,
        dataset=dataset,
        gt_key=gt_key,
    )


def tau_a(warehouse: Asked, dataset: str, gt_key: str) -> pd.DataFrame:
    """τa at the end of training, of the averaged A_N and over seeds, and the paper's; a row an experiment."""
    return warehouse.query(
        """
        SELECT experiment_id, bn_mode, tau_a, tau_a_mean, tau_a_std, reported_tau_a
        FROM experiment_tau_a AS measured
        JOIN experiment USING (experiment_id)
        WHERE measured.gt_key = $gt_key AND experiment.dataset = $dataset AND epoch = experiment.epochs
        ORDER BY experiment_id, bn_mode
        """,
        dataset=dataset,
        gt_key=gt_key,
    )


def noise_ceiling(warehouse: Asked, gt_key: str, mask: str) -> pd.DataFrame:
    """How well one stand-alone training ranks as the mean of others; empty for a key without trials.

    Columns mask, architecture_set, then tau, tau_eq2, spearman and pearson. One mask at a time: DuckDB then
    computes no other.
    """
    return warehouse.query(
        """
        SELECT
            mask, architecture_set, tau_to_others AS tau, tau_eq2_to_others AS tau_eq2,
            spearman_to_others AS spearman, pearson_to_others AS pearson
        FROM noise_ceiling
        WHERE gt_key = $gt_key AND mask = $mask AND NOT one_per_class AND architecture_set <> 'all'
        ORDER BY n, architecture_set
        """,
        gt_key=gt_key,
        mask=mask,
    )
