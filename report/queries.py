"""What the report and the dashboard both ask the warehouse, with bound parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from nasrank.db.warehouse.reading import Reader

# At the end of training, with one kind of BatchNorm statistics.
_NETWORKS_AND_IMPORTED = """
SELECT *
FROM evaluation_key
WHERE gt_key = $gt_key AND bn_mode IN ($bn_mode, 'imported') AND is_final
"""
# Those of which `rankings` tells; who asks for the same evaluations and sets shares what was measured.
RANKED_SETS = "SELECT architecture_set FROM set_definition WHERE is_paper_set OR kind = 'predicted'"
_SETS_OF_THE_PAPER = "SELECT architecture_set FROM paper_set"


@dataclass(frozen=True, slots=True)
class Series:
    """The predictions of an experiment's seeds under one BN mode, measured under one ground-truth key."""

    experiment_id: str
    bn_mode: str
    gt_key: str


def experiments(warehouse: Reader) -> pd.DataFrame:
    """One row an experiment that has runs; `config` is its whole configuration as JSON text.

    Imported ones and untrained predictors have neither `dataset`, `size`, `lt`, `variant` nor `epochs`; only
    they have a `name`.
    """
    return warehouse.query(
        """
        SELECT
            experiment_id, kind, name, dataset, size, mask, lt, variant, epochs,
            CAST(config AS VARCHAR) AS config
        FROM experiment
        SEMI JOIN run USING (experiment_id)
        ORDER BY experiment_id
        """
    )


@dataclass(frozen=True, slots=True)
class RankingAnswers:
    """What is known at the end of training, by experiment and BN mode, under one ground-truth key.

    ranking: A_N and the correlations over the seeds, a row an architecture set. Deviations (`…_std`) and
        half 95 % intervals of the mean (`…_interval`) are NULL for one seed. A set that no run predicted
        wholly has no row; the set `predicted` has one, where `n` is the fewest that a run predicted.
    tau_a: τa of the averaged A_N (tau_a), over seeds (tau_a_mean, tau_a_std), and the paper's
        (reported_tau_a).
    seeds: of every run and set of the paper that it predicted wholly: experiment_id, seed, bn_mode,
        architecture_set, a_n (NULL for scores) and the correlations.
    incomplete: the sets of the paper that a run did not predict wholly: experiment_id, run_id, seed, bn_mode,
        architecture_set, missing (architectures).
    chance: of the correlations and τa, what no information gives to a mean over so many seeds, and which of
        both references it leaves, as the view experiment_beside_chance: experiment_id, bn_mode,
        architecture_set, metric, permutations_low, permutations_high, initial_low, initial_high, leaves,
        is_within_chance. No rows under a key that no run was asked for.
    """

    ranking: pd.DataFrame
    tau_a: pd.DataFrame
    seeds: pd.DataFrame
    incomplete: pd.DataFrame
    chance: pd.DataFrame


def rankings(warehouse: Reader, dataset: str, gt_key: str) -> RankingAnswers:
    """Of the experiments on `dataset`, and of all that are no networks of ours."""
    answers = warehouse.measured(
        "SELECT * FROM final_evaluations($dataset, $gt_key)",
        """
        WITH ranking AS (
            SELECT *
            FROM run_ranking_from('measured')
            WHERE is_whole AND (is_paper_set OR set_kind = 'predicted')
        )
        SELECT
            experiment_id, bn_mode, epoch, architecture_set, n, seeds, a_n_mean, a_n_std,
            a_n_interval, tau_mean, tau_std, tau_interval, tau_eq2_mean, tau_eq2_std, tau_eq2_interval,
            spearman_mean, spearman_std, spearman_interval, pearson_mean, pearson_std, pearson_interval,
            tau_same_size_mean, tau_same_size_std, tau_same_size_interval,
            tau_partial_mean, tau_partial_std, tau_partial_interval,
            tau_sparse_mean, tau_sparse_std, tau_sparse_interval,
            tau_weighted_mean, tau_weighted_std, tau_weighted_interval
        FROM experiment_ranking_of('ranking')
        ORDER BY experiment_id, bn_mode, n, architecture_set
        """,
        """
        SELECT
            experiment_id, bn_mode, tau_a, tau_a_mean, tau_a_std, reported_tau_a
        FROM experiment_tau_a_of('measured')
        ORDER BY experiment_id, bn_mode
        """,
        """
        SELECT
            experiment_id, seed, bn_mode, architecture_set, a_n, tau, tau_eq2, spearman, pearson,
            tau_same_size, tau_partial, tau_sparse, tau_weighted
        FROM measured
        JOIN run USING (run_id)
        WHERE is_whole AND is_paper_set
        ORDER BY experiment_id, seed, bn_mode, n, architecture_set
        """,
        """
        SELECT experiment_id, run_id, seed, bn_mode, architecture_set, n - n_predicted AS missing
        FROM measured
        JOIN run USING (run_id)
        WHERE n_predicted < n AND is_paper_set
        ORDER BY experiment_id, seed, bn_mode, n, architecture_set
        """,
        """
        WITH ranking AS (
            SELECT * FROM run_ranking_from('measured')
        ),
        found AS (
            SELECT * FROM ranking_values('ranking', 'measured')
        )
        SELECT
            experiment_id, bn_mode, architecture_set, metric,
            permutations_low, permutations_high, initial_low, initial_high, leaves, is_within_chance
        FROM beside_chance('found')
        WHERE leaves IS NOT NULL
        ORDER BY experiment_id, bn_mode, architecture_set, metric
        """,
        sets=RANKED_SETS,
        dataset=dataset,
        gt_key=gt_key,
    )
    return RankingAnswers(*answers)


def tau_beside_chance(warehouse: Reader, gt_key: str, bn_mode: str) -> pd.DataFrame:
    """The τ of every experiment at the end of training, beside what no information gives.

    Columns experiment_id, architecture_set, permutations_low, permutations_high, initial_low, initial_high
    and leaves, as in the view experiment_beside_chance.
    """
    return warehouse.query(
        """
        SELECT
            experiment_id, architecture_set, permutations_low, permutations_high, initial_low, initial_high,
            leaves
        FROM experiment_beside_chance
        WHERE gt_key = $gt_key AND bn_mode = $bn_mode AND metric = 'tau'
        ORDER BY experiment_id, architecture_set
        """,
        gt_key=gt_key,
        bn_mode=bn_mode,
    )


def noise_ceiling(warehouse: Reader, gt_key: str, mask: str) -> pd.DataFrame:
    """How well one stand-alone training ranks as the mean of others; empty for a key without trials.

    Columns mask, architecture_set, then the correlations, and how well an oracle would rank, `…_oracle` of
    each. One mask at a time: DuckDB then computes no other.
    """
    return warehouse.query(
        """
        WITH oracle AS (
            SELECT
                architecture_set,
                any_value(mean) FILTER (WHERE metric = 'tau') AS tau_oracle,
                any_value(mean) FILTER (WHERE metric = 'tau_eq2') AS tau_eq2_oracle,
                any_value(mean) FILTER (WHERE metric = 'spearman') AS spearman_oracle,
                any_value(mean) FILTER (WHERE metric = 'pearson') AS pearson_oracle,
                any_value(mean) FILTER (WHERE metric = 'tau_same_size') AS tau_same_size_oracle,
                any_value(mean) FILTER (WHERE metric = 'tau_partial') AS tau_partial_oracle,
                any_value(mean) FILTER (WHERE metric = 'tau_sparse') AS tau_sparse_oracle,
                any_value(mean) FILTER (WHERE metric = 'tau_weighted') AS tau_weighted_oracle
            FROM oracle_ceiling
            WHERE gt_key = $gt_key AND mask = $mask
            GROUP BY architecture_set
        )
        SELECT
            mask, architecture_set, tau_to_others AS tau, tau_eq2_to_others AS tau_eq2,
            spearman_to_others AS spearman, pearson_to_others AS pearson,
            tau_same_size_to_others AS tau_same_size, tau_partial_to_others AS tau_partial,
            tau_sparse_to_others AS tau_sparse, tau_weighted_to_others AS tau_weighted,
            oracle.* EXCLUDE (architecture_set)
        FROM noise_ceiling_in('paper_set')
        LEFT JOIN oracle USING (architecture_set)
        WHERE gt_key = $gt_key AND mask = $mask
        ORDER BY n, architecture_set
        """,
        gt_key=gt_key,
        mask=mask,
    )


def runs(warehouse: Reader) -> pd.DataFrame:
    """One row an experiment and origin of its images: experiment_id, dataset_origin, runs (finished ones)."""
    return warehouse.query(
        """
        SELECT experiment_id, dataset_origin, count(*) AS runs
        FROM run
        WHERE status = 'finished'
        GROUP BY ALL
        ORDER BY experiment_id, dataset_origin
        """
    )


def sources(warehouse: Reader) -> pd.DataFrame:
    """One row an imported benchmark file: source, file_name, sha256, license."""
    return warehouse.query(
        """
        SELECT source, file_name, sha256, coalesce(license, 'not known') AS license
        FROM benchmark_source
        ORDER BY imported_at, source
        """
    )


def figure_members(warehouse: Reader) -> pd.DataFrame:
    """What the paper's Figures 4 to 14 compare: figure, size, mask, lt, variant, reported_tau_a."""
    return warehouse.query(
        "SELECT figure, size, mask, lt, variant, tau_a AS reported_tau_a FROM reported_result ORDER BY ALL"
    )


def reported(warehouse: Reader, gt_key: str, bn_mode: str) -> pd.DataFrame:
    """Every τa that the paper prints, beside what was measured of it at the end of training.

    Columns figure, size, mask, lt, variant, reported_tau_a, is_possible (false where what is printed cannot
    be a τa, which is a multiple of 1/28), then experiment_id, epochs, seeds, tau_a, tau_a_mean, tau_a_std and
    difference, which are missing where there is nothing; chance_low and chance_high: where 95 % of random
    permutations are, five seeds averaged as the paper's, missing where that is not known of the mask.
    """
    [rows] = warehouse.measured(
        _NETWORKS_AND_IMPORTED,
        """
        WITH ours AS (
            FROM reported_comparison_of('measured') WHERE experiment_id IS NOT NULL
        ),
        permuted AS (
            SELECT mask, low, high
            FROM chance
            WHERE gt_key = $gt_key AND architecture_set = 'random' AND metric = 'tau_a' AND seeds = 5
        )
        SELECT
            CAST(figure AS INTEGER) AS figure, size, mask, lt, variant, reported.tau_a AS reported_tau_a,
            is_possible_tau_a(reported.tau_a) AS is_possible,
            experiment_id, epoch AS epochs, seeds, ours.tau_a, tau_a_mean, tau_a_std, difference,
            permuted.low AS chance_low, permuted.high AS chance_high
        FROM reported_result AS reported
        LEFT JOIN ours USING (figure, size, mask, lt, variant)
        LEFT JOIN permuted USING (mask)
        ORDER BY figure, size DESC, mask, lt, variant, experiment_id
        """,
        sets=_SETS_OF_THE_PAPER,
        gt_key=gt_key,
        bn_mode=bn_mode,
    )
    return rows


def operation_usage(warehouse: Reader, gt_key: str) -> pd.DataFrame:
    """Usage and share, fractions, of the operations that no or one mask leaves (Figure 3).

    Columns mask, architecture_set, n, operation, usage and share.
    """
    return warehouse.query(
        """
        SELECT mask, architecture_set, n, operation, usage, share
        FROM operation_usage
        WHERE gt_key = $gt_key AND NOT one_per_class AND set_kind IN ('top', 'all')
            AND mask IN ('', 'Zero', 'Skip', 'C1x1', 'C3x3', 'Pool') AND operation <> mask
        ORDER BY length(mask) > 0, list_position(['Zero', 'Skip', 'C1x1', 'C3x3', 'Pool'], mask), n,
            list_position(['Zero', 'Skip', 'C1x1', 'C3x3', 'Pool'], operation)
        """,
        gt_key=gt_key,
    )


def agreement(warehouse: Reader, gt_key: str) -> pd.DataFrame:
    """How other keys of the same source rank the top-N of this one (Figure 10).

    Columns other_key, dataset, split, epochs, trial of that other key, architecture_set, n, tau, spearman and
    pearson; only keys that differ in one of data set and split.
    """
    return warehouse.query(
        """
        SELECT
            other_key, other.dataset, other.split, other.epochs, architecture_set, n, tau, spearman, pearson
        FROM ground_truth_agreement AS agreement
        JOIN ground_truth_key AS other ON other.gt_key = agreement.other_key
        JOIN ground_truth_key AS key ON key.gt_key = agreement.gt_key
        WHERE agreement.gt_key = $gt_key AND mask = ''
            -- By their names: DuckDB then computes no other sets.
            AND architecture_set IN (
                'top-10', 'top-25', 'top-50', 'top-100', 'top-150', 'top-250', 'top-500', 'all'
            )
            AND other.source = key.source AND other.epochs = key.epochs
            AND other.averaged_epochs = key.averaged_epochs
            AND (other.dataset = key.dataset) <> (other.split = key.split)
        ORDER BY other.dataset, other.split, n
        """,
        gt_key=gt_key,
    )


def accuracies(warehouse: Reader, gt_key: str) -> pd.DataFrame:
    """Mean accuracies of all architectures under the keys that differ from this one in the data set only.

    Columns dataset, arch_id, accuracy (fraction); the key itself included.
    """
    return warehouse.query(
        """
        SELECT other.dataset, rank.arch_id, rank.accuracy
        FROM ground_truth_key AS key
        JOIN ground_truth_key AS other USING (source, split, epochs, averaged_epochs, trial)
        JOIN true_ranking AS rank ON rank.gt_key = other.gt_key
        WHERE key.gt_key = $gt_key AND rank.mask = ''
        ORDER BY other.dataset = key.dataset DESC, other.dataset, rank.arch_id
        """,
        gt_key=gt_key,
    )


def points(warehouse: Reader, gt_key: str, run_id: str, bn_mode: str) -> pd.DataFrame:
    """Predicted and true accuracies of a run, fractions, in top-50, top-250 and random (Figure 2)."""
    return warehouse.query(
        """
        SELECT architecture_set, arch_id, gt_rank, truth, predicted
        FROM prediction_point
        WHERE gt_key = $gt_key AND run_id = $run_id AND bn_mode = $bn_mode AND is_final
            AND architecture_set IN ('top-50', 'top-250', 'random')
        ORDER BY architecture_set, gt_rank
        """,
        gt_key=gt_key,
        run_id=run_id,
        bn_mode=bn_mode,
    )


def run_taus(warehouse: Reader, gt_key: str, experiment_id: str, bn_mode: str) -> pd.DataFrame:
    """τ of each run of an experiment in these sets: experiment_id, run_id, seed, architecture_set, n, tau."""
    return warehouse.query(
        """
        SELECT experiment_id, run_id, seed, architecture_set, n, tau
        FROM run_ranking
        WHERE gt_key = $gt_key AND experiment_id = $experiment_id AND bn_mode = $bn_mode
            AND is_final AND tau IS NOT NULL
            AND architecture_set IN ('top-50', 'top-250', 'random')
        ORDER BY seed, run_id, architecture_set = 'random', n
        """,
        gt_key=gt_key,
        experiment_id=experiment_id,
        bn_mode=bn_mode,
    )


def findings(warehouse: Reader, gt_key: str, bn_mode: str) -> pd.DataFrame:
    """The rows of the view finding, with those of the benchmark itself.

    In `evidence` is a list of dictionaries, the rows of finding_evidence that each rests on.
    """
    [rows] = warehouse.measured(
        """
        SELECT *
        FROM evaluation_key
        WHERE gt_key = $gt_key AND bn_mode IN ($bn_mode, 'untrained') AND is_final
        """,
        """
        -- Each claim reads it: it is computed once.
        WITH ranking AS MATERIALIZED (
            SELECT *
            FROM run_ranking_from('measured')
            WHERE architecture_set = 'random' AND is_whole
        ),
        evidence AS (
            SELECT *
            FROM finding_evidence_of('ranking')
            WHERE gt_key = $gt_key AND coalesce(bn_mode, $bn_mode) = $bn_mode
        ),
        gathered AS (
            SELECT
                finding, dataset, size,
                list(
                    evidence
                    ORDER BY
                        claim, NOT decides, dataset, size, mask, lt, variant, experiment_id, metric DESC, n
                ) AS evidence
            FROM evidence
            GROUP BY finding, dataset, size
        )
        SELECT summary.*, gathered.evidence
        FROM finding_of('evidence') AS summary
        JOIN gathered
            ON gathered.finding = summary.finding
            AND gathered.dataset IS NOT DISTINCT FROM summary.dataset
            AND gathered.size IS NOT DISTINCT FROM summary.size
        ORDER BY summary.finding, summary.dataset, summary.size
        """,
        sets=_SETS_OF_THE_PAPER,
        gt_key=gt_key,
        bn_mode=bn_mode,
    )
    return rows


def bn_modes(warehouse: Reader) -> pd.DataFrame:
    """How BatchNorm stood in any prediction that somebody made: bn_mode."""
    return warehouse.query(
        "SELECT DISTINCT bn_mode FROM evaluation WHERE bn_mode <> 'untrained' ORDER BY bn_mode"
    )


def series_means(warehouse: Reader, gt_key: str, architecture_sets: tuple[str, ...]) -> pd.DataFrame:
    """What trained networks and untrained predictors reach: under this key, and all that a run was asked for.

    A row an experiment, BN mode, key, architecture set and metric (of `metric_values`), with the seeds that
    predicted the whole set, the mean over them, and half of its 95 % interval (of `with_interval`).
    """
    [rows] = warehouse.measured(
        """
        SELECT *
        FROM evaluation_key
        WHERE is_final AND bn_mode <> 'imported' AND (
            gt_key = $gt_key OR gt_key IN (SELECT unnest(CAST(ground_truth_keys AS VARCHAR[])) FROM run)
        )
        """,
        """
        WITH ranking AS (
            SELECT *
            FROM run_ranking_from('measured')
            WHERE kind IN ('trained', 'untrained') AND is_whole AND list_contains($shown, architecture_set)
        ),
        value AS (
            SELECT * FROM metric_values('ranking')
        ),
        mean AS (
            SELECT * FROM means_of('value')
        ),
        known AS (
            SELECT * FROM with_errors('mean')
        )
        SELECT experiment_id, bn_mode, gt_key, architecture_set, metric, seeds, mean, half_interval
        FROM with_interval('known')
        ORDER BY experiment_id, bn_mode, gt_key, architecture_set, metric
        """,
        sets="""
        SELECT architecture_set
        FROM set_definition
        WHERE is_paper_set OR list_contains($shown, architecture_set)
        """,
        gt_key=gt_key,
        shown=architecture_sets,
    )
    return rows


def series_differences(warehouse: Reader, pairs: Sequence[tuple[Series, Series]]) -> pd.DataFrame:
    """How the first of each pair differs from the second in the random sample at the end of training.

    The same runs under two keys or BN modes are paired: a seed meets the same. Different experiments are not.
    A row a pair (`pair` is its place) and metric, with the seeds, the difference of the means, and half of
    its 95 % interval (of `with_interval`).
    """
    of_pairs = {
        f"{side}_{part}": tuple(getattr(pair[place], part) for pair in pairs)
        for place, side in enumerate(("one", "other"))
        for part in ("experiment_id", "bn_mode", "gt_key")
    }
    [rows] = warehouse.measured(
        """
        SELECT *
        FROM evaluation_key
        WHERE is_final AND (list_contains($one_gt_key, gt_key) OR list_contains($other_gt_key, gt_key))
        """,
        """
        WITH pair AS (
            SELECT
                unnest(range(len($one_gt_key))) AS pair,
                unnest($one_experiment_id) AS one_experiment_id, unnest($one_bn_mode) AS one_bn_mode,
                unnest($one_gt_key) AS one_gt_key,
                unnest($other_experiment_id) AS other_experiment_id, unnest($other_bn_mode) AS other_bn_mode,
                unnest($other_gt_key) AS other_gt_key
        ),
        ranking AS (
            -- All at their ends, however long each was trained.
            SELECT * REPLACE (0 AS epoch)
            FROM run_ranking_from('measured')
            WHERE kind = 'trained' AND is_whole AND architecture_set = 'random'
        ),
        value AS (
            SELECT * FROM metric_values('ranking')
        ),
        -- As values of the first of each pair, of which those vary alike that are compared alike.
        of_seed AS (
            SELECT DISTINCT
                one.experiment_id, one.seed, 0 AS epoch,
                concat_ws(' ', one_bn_mode, other_bn_mode) AS bn_mode,
                concat_ws(' ', one_gt_key, other_gt_key) AS gt_key,
                one.architecture_set, metric, one.value - other.value AS value
            FROM pair
            JOIN value AS one
                ON one.experiment_id = one_experiment_id AND one.bn_mode = one_bn_mode
                AND one.gt_key = one_gt_key
            JOIN value AS other USING (seed, metric)
            WHERE one_experiment_id = other_experiment_id AND other.experiment_id = other_experiment_id
                AND other.bn_mode = other_bn_mode AND other.gt_key = other_gt_key
        ),
        mean AS (
            SELECT * FROM means_of('of_seed')
        ),
        known AS (
            SELECT * FROM with_errors('mean')
        ),
        same_runs AS (
            SELECT pair, metric, seeds, mean AS difference, half_interval
            FROM with_interval('known')
            JOIN pair
                ON experiment_id = one_experiment_id AND experiment_id = other_experiment_id
                AND bn_mode = concat_ws(' ', one_bn_mode, other_bn_mode)
                AND gt_key = concat_ws(' ', one_gt_key, other_gt_key)
        ),
        other_runs AS (
            SELECT DISTINCT one_experiment_id AS experiment_id, other_experiment_id AS other_id
            FROM pair
            WHERE one_experiment_id <> other_experiment_id
        )
        SELECT pair, metric, seeds, difference, half_interval
        FROM same_runs
        UNION ALL
        SELECT pair, metric, least(seeds, other_seeds) AS seeds, difference, difference_interval
        FROM compare_means('ranking', 'other_runs')
        JOIN pair
            ON experiment_id = one_experiment_id AND other_id = other_experiment_id
            AND bn_mode = one_bn_mode AND gt_key = one_gt_key
        ORDER BY pair, metric
        """,
        sets=_SETS_OF_THE_PAPER,
        **of_pairs,
    )
    return rows


def optimizer_updates(warehouse: Reader) -> pd.DataFrame:
    """Median over the runs of each trained experiment: experiment_id, updates."""
    return warehouse.query(
        """
        SELECT experiment_id, median(optimizer_updates) AS updates
        FROM run
        JOIN experiment USING (experiment_id)
        WHERE kind = 'trained'
        GROUP BY experiment_id
        ORDER BY experiment_id
        """
    )


def whole_space_searches(warehouse: Reader, gt_key: str, bn_mode: str) -> pd.DataFrame:
    """What a search of all architectures of the mask finds at the end of training, over the seeds.

    Columns experiment_id, top_k, k, seeds, then mean and half 95 % interval (`…_interval`) of precision_at_k,
    best_rank and regret; of trained networks.
    """
    return warehouse.query(
        """
        SELECT
            experiment_id, top_k, k, seeds, precision_at_k_mean, precision_at_k_interval,
            best_rank_mean, best_rank_interval, regret_mean, regret_interval
        FROM experiment_search
        WHERE gt_key = $gt_key AND bn_mode = $bn_mode AND kind = 'trained' AND is_final AND pool = 'all'
        ORDER BY experiment_id, k, top_k
        """,
        gt_key=gt_key,
        bn_mode=bn_mode,
    )


def class_differences(warehouse: Reader, gt_key: str, bn_mode: str) -> pd.DataFrame:
    """τ in one architecture of each class against τ in all of the mask, at the end of training, seed by seed.

    Columns experiment_id, seeds, mean (in the classes), other_mean (in all), difference, and half of the 95 %
    interval of each (`…_interval`); of trained networks.
    """
    return warehouse.query(
        """
        WITH paired AS (
            SELECT experiment_id, seed, of_classes.tau AS value, whole.tau AS other_value
            FROM run_ranking AS of_classes
            JOIN run_ranking AS whole
                USING (experiment_id, run_id, seed, epoch, bn_mode, gt_key, is_final, kind)
            WHERE gt_key = $gt_key AND bn_mode = $bn_mode AND kind = 'trained' AND is_final
                AND of_classes.architecture_set = 'all classes' AND whole.architecture_set = 'all'
                AND of_classes.is_whole AND whole.is_whole
                AND of_classes.tau IS NOT NULL AND whole.tau IS NOT NULL
        ),
        mean_interval AS (
            SELECT
                experiment_id, interval_95(stddev_samp(value), count(*)) AS mean_interval,
                interval_95(stddev_samp(other_value), count(*)) AS other_mean_interval
            FROM paired
            GROUP BY experiment_id
        )
        SELECT
            experiment_id, seeds, mean, mean_interval, other_mean, other_mean_interval,
            difference, difference_interval
        FROM seed_differences('paired')
        JOIN mean_interval USING (experiment_id)
        ORDER BY experiment_id
        """,
        gt_key=gt_key,
        bn_mode=bn_mode,
    )


def operation_effects(warehouse: Reader, gt_key: str) -> pd.DataFrame:
    """What one edge more of an operation adds to true and to predicted accuracy, at the end of training.

    A row an experiment, BN mode and operation: seeds, then means over them of true_per_edge and
    predicted_per_edge (fractions), and predicted_interval, half of the 95 % interval (of `with_interval`); of
    trained networks.
    """
    return warehouse.query(
        """
        WITH of_run AS (
            SELECT effect.*, experiment_id, seed, 0 AS epoch
            FROM operation_effect AS effect
            JOIN run USING (run_id)
            JOIN experiment USING (experiment_id)
            WHERE gt_key = $gt_key AND is_final AND kind = 'trained'
        ),
        value AS (
            SELECT
                experiment_id, seed, epoch, bn_mode, gt_key, operation AS architecture_set,
                'predicted_per_edge' AS metric, predicted_per_edge AS value
            FROM of_run
        ),
        mean AS (
            SELECT * FROM means_of('value')
        ),
        known AS (
            SELECT * FROM with_errors('mean')
        ),
        truth AS (
            SELECT experiment_id, bn_mode, operation, favg(true_per_edge) AS true_per_edge
            FROM of_run
            GROUP BY ALL
        )
        SELECT
            experiment_id, bn_mode, operation, seeds, true_per_edge, mean AS predicted_per_edge,
            half_interval AS predicted_interval
        FROM with_interval('known') AS measured
        JOIN truth USING (experiment_id, bn_mode)
        WHERE operation = architecture_set
        ORDER BY experiment_id, bn_mode, operation
        """,
        gt_key=gt_key,
    )


def truths(warehouse: Reader, gt_key: str, mask: str) -> pd.DataFrame:
    """True accuracies, fractions, of all architectures that a mask leaves: arch_id, accuracy."""
    return warehouse.query(
        """
        SELECT arch_id, accuracy
        FROM true_ranking
        WHERE gt_key = $gt_key AND mask = $mask
        ORDER BY arch_id
        """,
        gt_key=gt_key,
        mask=mask,
    )
