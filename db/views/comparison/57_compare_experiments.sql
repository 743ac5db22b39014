-- Every metric of `rankings`, a relation like run_ranking, a row a value.
CREATE OR REPLACE MACRO metric_values(rankings) AS TABLE
SELECT experiment_id, run_id, seed, epoch, bn_mode, gt_key, architecture_set, metric, value
FROM (
    UNPIVOT (
        SELECT
            experiment_id, run_id, seed, epoch, bn_mode, gt_key, architecture_set,
            a_n, tau, tau_eq2, spearman, pearson, tau_same_size, tau_partial, tau_sparse, tau_weighted,
            -- These belong to several sets, and are told once.
            CASE WHEN set_kind = 'random' THEN tau_a END AS tau_a,
            CASE WHEN set_kind = 'random' THEN gap END AS gap,
            CASE WHEN set_kind = 'random' THEN gap_std END AS gap_std,
            CASE WHEN set_kind = 'random' THEN gap_share END AS gap_share,
            CASE WHEN set_kind = 'random' THEN auc END AS auc
        FROM query_table(rankings)
        -- What two runs predicted may be two sets.
        WHERE is_whole AND set_kind <> 'predicted'
    ) ON a_n, tau, tau_eq2, spearman, pearson, tau_same_size, tau_partial, tau_sparse, tau_weighted,
    tau_a, gap, gap_std, gap_share, auc
    INTO NAME metric VALUE value
);

COMMENT ON MACRO TABLE metric_values IS
'A relation like run_ranking with a row for each run, whole set and metric that is not NULL; tau_a and gap stand with '
'the random sets';

-- Paired by seed: how the experiments of `pairs`, a relation with the columns experiment_id and other_id, differ in
-- every metric of `rankings`, a relation like run_ranking.
CREATE OR REPLACE MACRO compare_rankings(rankings, pairs) AS TABLE
WITH valued AS (
    SELECT * FROM metric_values(rankings)
),
paired AS (
    SELECT
        pair.experiment_id, pair.other_id,
        -- What has neither epoch nor BN mode is compared with all of the other's; what has no seed, with every seed.
        greatest(one.epoch, other.epoch) AS epoch,
        if(is_without_network(one.bn_mode), other.bn_mode, one.bn_mode) AS bn_mode,
        one.gt_key, one.architecture_set, one.metric,
        coalesce(one.seed, other.seed) AS seed, one.value, other.value AS other_value
    FROM query_table(pairs) AS pair
    JOIN experiment AS one_experiment ON one_experiment.experiment_id = pair.experiment_id
    JOIN experiment AS other_experiment ON other_experiment.experiment_id = pair.other_id
    JOIN valued AS one ON one.experiment_id = pair.experiment_id
    JOIN valued AS other
        ON other.experiment_id = pair.other_id
        AND other.gt_key = one.gt_key
        AND other.architecture_set = one.architecture_set AND other.metric = one.metric
        AND (other.seed = one.seed OR one.seed IS NULL OR other.seed IS NULL)
        AND (
            (other.epoch = one.epoch AND other.bn_mode = one.bn_mode)
            OR is_without_network(one.bn_mode) OR is_without_network(other.bn_mode)
        )
    -- The sets of another mask have another gap, whatever predicts them.
    WHERE one_experiment.mask = other_experiment.mask OR one.metric IN (SELECT metric FROM metric WHERE across_masks)
)
SELECT * FROM seed_differences('paired');

COMMENT ON MACRO TABLE compare_rankings IS
'As compare_experiments, of a relation like run_ranking: of some runs, or with an epoch of its own choice';

CREATE OR REPLACE MACRO compare_experiments(pairs) AS TABLE
SELECT * FROM compare_rankings('run_ranking', pairs);

COMMENT ON MACRO TABLE compare_experiments IS
'The differences of every metric, paired by seed, for the experiments of a relation with experiment_id and other_id; '
'imported ones and untrained predictors are compared at every epoch and BN mode of the other, these with every seed';
