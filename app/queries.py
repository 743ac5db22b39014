"""What the pages ask the warehouse, with bound parameters; some of it `report.queries` asks for them.

Every statement opens the file, reads and closes it, so that a page never keeps a writer waiting, and
sees a new file at its next run. Answers are cached under the identity of the file that gave them.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from db.catalogue import COLUMNS, MACROS, RELATIONS
from db.warehouse import Warehouse
from report.queries import experiments, noise_ceiling, ranking, reported, tau_a

__all__ = [
    "Snapshot",
    "WarehouseReplacedError",
    "bn_modes",
    "columns",
    "experiments",
    "ground_truth_keys",
    "incomplete_sets",
    "macros",
    "noise_ceiling",
    "ranking",
    "relations",
    "reported",
    "runs",
    "tau_a",
]

Identity = tuple[int, int, int]


class WarehouseReplacedError(Exception):
    """The file was replaced while a page was reading it: the page must start anew."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The warehouse as one file: all rows that a page shows come from it, or none.

    Every function below raises NasrankError where the warehouse cannot be used, and
    WarehouseReplacedError where it is no longer this file.
    """

    path: Path
    identity: Identity

    @classmethod
    def take(cls, path: Path) -> Snapshot:
        """The file at `path` as it is now; raises NasrankError where there is none."""
        return cls(path, Warehouse(path).identity)

    @property
    def updated_at(self) -> dt.datetime:
        """When the file was published, UTC."""
        _, mtime_ns, _ = self.identity
        return dt.datetime.fromtimestamp(mtime_ns / 1e9, tz=dt.UTC)

    def query(self, sql: str, /, **parameters: str) -> pd.DataFrame:
        """The rows of `sql`, with `parameters` bound to its `$name`s."""
        return _query(str(self.path), self.identity, sql, tuple(sorted(parameters.items())))


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

    `kind`, `name` and `predicts` are those of its experiment; `file_name` is missing unless it was imported.
    """
    return snapshot.query(
        """
        SELECT
            run_id, experiment_id, kind, name, predicts, seed, run.status, message, dataset_origin, file_name,
            CAST(ground_truth_keys AS VARCHAR) AS ground_truth_keys,
            coalesce(sum(predictions), 0) AS predictions, coalesce(sum(non_finite), 0) AS non_finite
        FROM run
        JOIN experiment USING (experiment_id)
        LEFT JOIN prediction_source USING (run_id)
        LEFT JOIN evaluation USING (run_id)
        GROUP BY ALL
        ORDER BY run_id
        """
    )


def bn_modes(snapshot: Snapshot, dataset: str) -> list[str]:
    """How BatchNorm stood in the predictions of the runs on `dataset`, `running` first."""
    rows = snapshot.query(
        """
        SELECT DISTINCT bn_mode
        FROM evaluation
        JOIN run USING (run_id)
        JOIN experiment USING (experiment_id)
        WHERE dataset = $dataset
        ORDER BY bn_mode <> 'running', bn_mode
        """,
        dataset=dataset,
    )
    return list(rows["bn_mode"])


def incomplete_sets(snapshot: Snapshot, dataset: str, gt_key: str) -> pd.DataFrame:
    """The architecture sets that a run, at the end of its training, did not predict wholly.

    Columns experiment_id, run_id, seed, bn_mode, architecture_set, missing (architectures).
    """
    return snapshot.query(
        """
        SELECT experiment_id, run_id, seed, bn_mode, architecture_set, n - n_predicted AS missing
        FROM run_metric
        JOIN run USING (run_id)
        JOIN experiment USING (experiment_id)
        WHERE gt_key = $gt_key AND (dataset = $dataset OR experiment.kind = 'imported')
            AND epoch = coalesce(epochs, 0) AND n_predicted < n
            AND architecture_set <> 'all' AND NOT one_per_class
        ORDER BY experiment_id, seed, bn_mode, n, architecture_set
        """,
        dataset=dataset,
        gt_key=gt_key,
    )


def relations(snapshot: Snapshot) -> pd.DataFrame:
    """One row a view, then one a table; columns kind, name, comment."""
    return snapshot.query(RELATIONS)


def columns(snapshot: Snapshot) -> pd.DataFrame:
    """One row a column of each relation: name (of the relation), column_name, data_type, comment."""
    return snapshot.query(COLUMNS)


def macros(snapshot: Snapshot) -> pd.DataFrame:
    """One row a macro; columns name, parameters (their names), is_table (it gives rows), comment."""
    return snapshot.query(MACROS)


@st.cache_data(max_entries=200, show_spinner="Reading the warehouse …")
def _query(path: str, identity: Identity, sql: str, parameters: tuple[tuple[str, str], ...]) -> pd.DataFrame:
    warehouse = Warehouse(Path(path))
    rows = warehouse.query(sql, dict(parameters))
    if warehouse.identity != identity:
        raise WarehouseReplacedError(path)
    return rows
