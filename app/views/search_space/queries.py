"""What the page Search space asks: of one architecture, and of the space that a mask leaves."""

from __future__ import annotations

import pandas as pd

from nasrank.app.snapshot import Snapshot


def ranked(snapshot: Snapshot, gt_key: str, mask: str) -> pd.DataFrame:
    """All architectures that the mask leaves, best first: gt_rank, arch_id, accuracy (fraction)."""
    return snapshot.benchmark.query(
        """
        SELECT gt_rank, arch_id, accuracy
        FROM true_ranking
        WHERE gt_key = $gt_key AND mask = $mask
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
            SELECT gt_key, mask, accuracy, gt_rank
            FROM true_ranking
            WHERE arch_id = $arch_id
        ),
        space AS (
            SELECT gt_key, count(*) AS mask_architectures
            FROM true_ranking
            WHERE mask = $mask
            GROUP BY gt_key
        )
        SELECT
            gt_key, source, dataset, split, epochs, averaged_epochs, trial, whole.accuracy, whole.gt_rank,
            key.architectures, masked.gt_rank AS mask_rank, mask_architectures
        FROM ground_truth_key AS key
        JOIN own AS whole USING (gt_key)
        LEFT JOIN own AS masked ON masked.gt_key = whole.gt_key AND masked.mask = $mask
        LEFT JOIN space USING (gt_key)
        WHERE whole.mask = ''
        ORDER BY
            source, trial <> 'mean', epochs DESC, list_position(['train', 'valid', 'test'], split),
            averaged_epochs, trial, dataset
        """,
        arch_id=arch_id,
        mask=mask,
    )


def predictions(snapshot: Snapshot, arch_id: int, gt_key: str) -> pd.DataFrame:
    """One row a run and BN mode that predicted the architecture at the end of its training; none untrained.

    Columns experiment_id, mask (of the run), run_id, seed, bn_mode, accuracy (fraction) or score, `place`:
    its rank among the `predicted` architectures of that run, the mean where several are predicted the same,
    and `true_place`: its rank by the key among the very same ones. Both are missing where its prediction is
    no finite number, `true_place` also where the key lacks it.
    """
    return snapshot.query(
        """
        WITH value AS (
            SELECT run_id, epoch, bn_mode, arch_id, accuracy, score, coalesce(accuracy, score) AS value
            FROM prediction
        ),
        truth AS (
            SELECT arch_id, gt_rank
            FROM true_ranking
            WHERE gt_key = $gt_key AND mask = ''
        ),
        -- Numbered: grouping by all that tells evaluations apart takes as long as all the rest.
        own AS (
            SELECT row_number() OVER () AS number, experiment_id, mask, seed, value.*, gt_rank
            FROM value
            JOIN run USING (run_id)
            JOIN experiment USING (experiment_id)
            LEFT JOIN truth USING (arch_id)
            WHERE arch_id = $arch_id AND is_final_epoch(epoch, epochs) AND bn_mode <> 'untrained'
        ),
        counted AS (
            SELECT
                number,
                count(*) FILTER (other.value > own.value) AS better,
                count(*) FILTER (other.value = own.value) AS equal,
                count(other.value) FILTER (truth.gt_rank <= own.gt_rank) AS truly_not_worse,
                count(other.value) AS predicted
            FROM own
            JOIN value AS other USING (run_id, epoch, bn_mode)
            LEFT JOIN truth ON truth.arch_id = other.arch_id
            GROUP BY number
        )
        SELECT
            experiment_id, mask, run_id, seed, bn_mode, accuracy, score,
            CASE WHEN value IS NOT NULL THEN better + (1 + equal) / 2 END AS place,
            CASE WHEN value IS NOT NULL AND gt_rank IS NOT NULL THEN truly_not_worse END AS true_place,
            predicted
        FROM own
        JOIN counted USING (number)
        ORDER BY experiment_id, seed, bn_mode
        """,
        arch_id=arch_id,
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
        WHERE own.arch_id = $arch_id
        ORDER BY other.arch_id
        """,
        arch_id=arch_id,
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
        WHERE gt_key = $gt_key AND mask = $mask AND set_kind IN ('top', 'all') AND NOT one_per_class
            AND (mask, operation) NOT IN (SELECT (mask, operation) FROM removed_operation)
        ORDER BY n, list_position(['Zero', 'Skip', 'C1x1', 'C3x3', 'Pool'], operation)
        """,
        gt_key=gt_key,
        mask=mask,
    )
