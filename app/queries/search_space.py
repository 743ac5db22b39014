"""What the page Search space asks: of one architecture, and of the space that a mask leaves."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pandas as pd

from app.snapshot import Snapshot


def ranked(snapshot: Snapshot, gt_key: str, mask: str) -> pd.DataFrame:
    """All architectures that the mask leaves, best first: gt_rank, arch_id, accuracy (fraction)."""
    return snapshot.benchmark.query(
        """
        SELECT gt_rank, arch_id, accuracy
        FROM architecture_rank
        WHERE gt_key = $gt_key AND mask = $mask AND NOT one_per_class
        ORDER BY gt_rank
        """,
        gt_key=gt_key,
        mask=mask,
    )


def truths(snapshot: Snapshot, arch_id: int, mask: str) -> pd.DataFrame:
    """One row a ground-truth key that has the architecture: the key's parts, accuracy, and its ranks.

    gt_rank is that among all `architectures` of the key, mask_rank among the `mask_architectures` that the
    mask leaves (missing where it removes this one). Equal accuracies are ranked by index, as everywhere.
    """
    return snapshot.benchmark.query(
        """
        WITH own AS (
            SELECT gt_key, arch_id, accuracy FROM ground_truth WHERE arch_id = CAST($arch_id AS INTEGER)
        ),
        compared AS (
            SELECT
                own.gt_key, own.arch_id, own.accuracy, search_space.arch_id IS NOT NULL AS is_left,
                other.arch_id = own.arch_id AS is_own,
                other.accuracy > own.accuracy
                OR (other.accuracy = own.accuracy AND other.arch_id <= own.arch_id) AS is_before
            FROM own
            JOIN ground_truth AS other USING (gt_key)
            LEFT JOIN search_space
                ON search_space.arch_id = other.arch_id AND mask = $mask AND NOT one_per_class
        ),
        counted AS (
            SELECT
                gt_key, any_value(accuracy) AS accuracy,
                count(*) FILTER (is_before) AS gt_rank, count(*) AS architectures,
                bool_or(is_own AND is_left) AS own_is_left,
                count(*) FILTER (is_before AND is_left) AS left_before,
                count(*) FILTER (is_left) AS mask_architectures
            FROM compared
            GROUP BY gt_key
        )
        SELECT
            gt_key, source, dataset, split, epochs, averaged_epochs, trial, accuracy, gt_rank,
            counted.architectures, CASE WHEN own_is_left THEN left_before END AS mask_rank, mask_architectures
        FROM counted
        JOIN ground_truth_key USING (gt_key)
        ORDER BY source, dataset, epochs DESC, averaged_epochs, split, trial <> 'mean', trial
        """,
        arch_id=str(arch_id),
        mask=mask,
    )


def predictions(snapshot: Snapshot, arch_id: int, gt_key: str) -> pd.DataFrame:
    """One row a run and BN mode that predicted the architecture at the end of its training.

    Columns experiment_id, run_id, seed, bn_mode, accuracy (fraction) or score, `place`: its rank among the
    `predicted` architectures of that run, the mean where several are predicted the same, and `true_place`:
    its rank by the key among the very same ones (missing where the key lacks it).
    """
    return snapshot.query(
        """
        WITH own AS (
            SELECT run_id, epoch, bn_mode, accuracy, score, coalesce(accuracy, score) AS value
            FROM prediction
            JOIN run USING (run_id)
            JOIN experiment USING (experiment_id)
            WHERE arch_id = CAST($arch_id AS INTEGER) AND epoch = coalesce(epochs, 0)
        ),
        ranked AS (
            SELECT arch_id, gt_rank
            FROM architecture_rank
            WHERE gt_key = $gt_key AND mask = '' AND NOT one_per_class
        ),
        not_worse AS (
            SELECT arch_id, TRUE AS is_not_worse
            FROM ranked
            WHERE gt_rank <= (SELECT gt_rank FROM ranked WHERE arch_id = CAST($arch_id AS INTEGER))
        )
        SELECT
            experiment_id, own.run_id, seed, own.bn_mode, own.accuracy, own.score,
            CASE WHEN isfinite(own.value) THEN
                count(*) FILTER (coalesce(other.accuracy, other.score) > own.value)
                + (1 + count(*) FILTER (coalesce(other.accuracy, other.score) = own.value)) / 2
            END AS place,
            nullif(count(is_not_worse), 0) AS true_place,
            count(*) AS predicted
        FROM own
        JOIN run USING (run_id)
        JOIN prediction AS other ON other.run_id = own.run_id AND other.epoch = own.epoch
            AND other.bn_mode = own.bn_mode AND isfinite(coalesce(other.accuracy, other.score))
        LEFT JOIN not_worse ON not_worse.arch_id = other.arch_id
        GROUP BY experiment_id, own.run_id, seed, own.bn_mode, own.accuracy, own.score, own.value
        ORDER BY experiment_id, seed, own.bn_mode
        """,
        arch_id=str(arch_id),
        gt_key=gt_key,
    )


def accuracies_of(snapshot: Snapshot, arch_ids: Sequence[int], gt_key: str) -> pd.DataFrame:
    """The accuracies, fractions, that the key has of these architectures: arch_id, accuracy."""
    return snapshot.benchmark.query(
        """
        SELECT arch_id, accuracy
        FROM ground_truth
        WHERE gt_key = $gt_key AND list_contains(CAST($arch_ids AS INTEGER[]), arch_id)
        """,
        arch_ids=json.dumps(list(arch_ids)),
        gt_key=gt_key,
    )


def equals(snapshot: Snapshot, arch_id: int) -> pd.DataFrame:
    """Every other architecture equal to this one in some sense: arch_id, stand_alone, running, batch.

    stand_alone: isomorphic, as a network trained alone; running and batch: the same in a super-network with
    such BatchNorm statistics.
    """
    return snapshot.benchmark.query(
        """
        SELECT
            other.arch_id, other.class_id = own.class_id AS stand_alone,
            other.supernet_class_id = own.supernet_class_id AS running,
            other.supernet_batch_class_id = own.supernet_batch_class_id AS batch
        FROM architecture_class AS own
        JOIN architecture_class AS other ON other.arch_id <> own.arch_id AND (
            other.class_id = own.class_id OR other.supernet_class_id = own.supernet_class_id
            OR other.supernet_batch_class_id = own.supernet_batch_class_id
        )
        WHERE own.arch_id = CAST($arch_id AS INTEGER)
        ORDER BY other.arch_id
        """,
        arch_id=str(arch_id),
    )


def spaces(snapshot: Snapshot) -> pd.DataFrame:
    """One row a mask: how many architectures it leaves, and how many of them differ in each sense.

    Columns mask, architectures, and as in `equals` stand_alone, running and batch.
    """
    return snapshot.benchmark.query(
        """
        SELECT
            mask, count(*) AS architectures, count(DISTINCT class_id) AS stand_alone,
            count(DISTINCT supernet_class_id) AS running, count(DISTINCT supernet_batch_class_id) AS batch
        FROM search_space
        JOIN architecture_class USING (arch_id)
        WHERE NOT one_per_class
        GROUP BY mask
        ORDER BY architectures DESC, mask
        """
    )


def operation_usage(snapshot: Snapshot, gt_key: str, mask: str) -> pd.DataFrame:
    """Usage and share, fractions, of the operations that a mask leaves (Figure 3).

    Columns architecture_set, n, operation, usage and share.
    """
    return snapshot.benchmark.query(
        """
        SELECT architecture_set, n, operation, usage, share
        FROM operation_usage
        WHERE gt_key = $gt_key AND mask = $mask AND NOT one_per_class AND architecture_set <> 'random'
            AND NOT list_contains(string_split(mask, '+'), operation)
        ORDER BY n, list_position(['Zero', 'Skip', 'C1x1', 'C3x3', 'Pool'], operation)
        """,
        gt_key=gt_key,
        mask=mask,
    )
