-- Where the pooled deviation suffices for differences and effects: equal deviations are not rejected, and intervals
-- cover as often as they say (docs/method.md, "What a decision costs").
CREATE OR REPLACE MACRO has_one_deviation(metric, architecture_set) AS
metric = 'a_n' OR (
    architecture_set = 'random'
    AND metric IN ('tau', 'tau_eq2', 'tau_sparse', 'tau_partial', 'spearman', 'pearson', 'auc')
);

COMMENT ON MACRO has_one_deviation IS
'Whether the pooled deviation alone tells differences of means in a metric and architecture set; of a mean itself it '
'does for A_N only';

-- How many degrees of freedom the sum of two variances has: by Satterthwaite. What nothing varies has none, and counts
-- as known.
CREATE OR REPLACE MACRO joint_degrees(variance, degrees, other_variance, other_degrees) AS
(variance + other_variance) ** 2
/ nullif(coalesce(variance ** 2 / degrees, 0) + coalesce(other_variance ** 2 / other_degrees, 0), 0);

COMMENT ON MACRO joint_degrees IS
'Degrees of freedom of the sum of two variances, by Satterthwaite; NULL for no degrees, and of both if both are 0';

-- The squared error of each mean of `means`, a relation like what means_of gives: from the deviation of
-- pooled_deviation, and from its own. By a window, through which DuckDB passes on what a reader asks for.
CREATE OR REPLACE MACRO with_errors(means) AS TABLE
WITH pooled AS (
    SELECT
        means.*, variance_group,
        if(variance_group IS NULL, nullif(seeds - 1, 0), nullif(sum(seeds - 1) OVER alike, 0)) AS degrees,
        if(variance_group IS NULL, variance, fsum((seeds - 1) * coalesce(variance, 0)) OVER alike / degrees)
            AS pooled_variance
    FROM query_table(means) AS means
    LEFT JOIN variance_group USING (experiment_id)
    WINDOW alike AS (PARTITION BY variance_group, epoch, bn_mode, gt_key, architecture_set, metric)
)
SELECT
    * EXCLUDE (degrees, pooled_variance),
    if(is_random, variance / seeds, 0) AS own_error, if(is_random, nullif(seeds - 1, 0), NULL) AS own_degrees,
    if(is_random, pooled_variance / seeds, 0) AS pooled_error, if(is_random, degrees, NULL) AS pooled_degrees,
    metric = 'a_n' AS is_by_pooled
FROM pooled;

COMMENT ON MACRO TABLE with_errors IS
'Means over seeds with their squared standard errors and degrees of freedom, from the pooled deviation and from their '
'own';

-- Which error tells how certain a value is. Few seeds that happen to agree would tell too much by themselves, and what
-- varies more than the others would too by theirs: where deviations differ, the wider interval counts.
CREATE OR REPLACE MACRO with_interval(measured) AS TABLE
WITH chosen AS (
    SELECT
        *,
        coalesce(
            NOT is_by_pooled
            AND student_t_975(own_degrees) * sqrt(own_error) > student_t_975(pooled_degrees) * sqrt(pooled_error),
            FALSE
        ) AS is_by_own
    FROM query_table(measured)
)
SELECT
    * EXCLUDE (own_error, own_degrees, pooled_error, pooled_degrees, is_by_pooled, is_by_own),
    sqrt(if(is_by_own, own_error, pooled_error)) AS standard_error,
    if(is_by_own, own_degrees, pooled_degrees) AS degrees,
    if(is_by_own, 'own', 'pooled') AS deviation,
    student_t_975(degrees) * standard_error AS half_interval
FROM chosen;

COMMENT ON MACRO TABLE with_interval IS
'A relation with the errors of with_errors and is_by_pooled, with half of the 95 % interval, and by which deviation '
'it is: pooled, or own where that is wider and is_by_pooled does not hold';

-- The experiments of `pairs`, a relation with the columns experiment_id and other_id, in every metric of `valued`, a
-- relation like metric_values: all its experiments tell how much they vary.
CREATE OR REPLACE MACRO compare_values(valued, pairs) AS TABLE
WITH mean AS (
    SELECT * FROM means_of(valued)
),
known AS (
    SELECT * FROM with_errors('mean')
),
compared AS (
    SELECT
        pair.experiment_id, pair.other_id,
        -- What has neither epoch nor BN mode is compared with all of the other's.
        greatest(one.epoch, other.epoch) AS epoch,
        if(is_without_network(one.bn_mode), other.bn_mode, one.bn_mode) AS bn_mode,
        one.gt_key, one.architecture_set, one.metric, one.seeds, other.seeds AS other_seeds,
        one.mean, other.mean AS other_mean, one.mean - other.mean AS difference,
        one.own_error + other.own_error AS own_error,
        joint_degrees(one.own_error, one.own_degrees, other.own_error, other.own_degrees) AS own_degrees,
        one.pooled_error + other.pooled_error AS pooled_error,
        if(
            one.variance_group = other.variance_group, one.pooled_degrees,
            joint_degrees(one.pooled_error, one.pooled_degrees, other.pooled_error, other.pooled_degrees)
        ) AS pooled_degrees,
        has_one_deviation(one.metric, one.architecture_set) AS is_by_pooled
    FROM query_table(pairs) AS pair
    JOIN experiment AS one_experiment ON one_experiment.experiment_id = pair.experiment_id
    JOIN experiment AS other_experiment ON other_experiment.experiment_id = pair.other_id
    JOIN known AS one ON one.experiment_id = pair.experiment_id
    JOIN known AS other
        ON other.experiment_id = pair.other_id
        AND other.gt_key = one.gt_key
        AND other.architecture_set = one.architecture_set AND other.metric = one.metric
        AND (
            (other.epoch = one.epoch AND other.bn_mode = one.bn_mode)
            OR is_without_network(one.bn_mode) OR is_without_network(other.bn_mode)
        )
    -- The sets of another mask have another gap, whatever predicts them.
    WHERE one_experiment.mask = other_experiment.mask OR one.metric IN (SELECT metric FROM metric WHERE across_masks)
)
SELECT
    * RENAME (standard_error AS difference_error, half_interval AS difference_interval),
    student_t_p(difference / standard_error, degrees) AS p_value
FROM with_interval('compared');

COMMENT ON MACRO TABLE compare_values IS
'What compare_means says, for a relation like what metric_values gives';

CREATE OR REPLACE MACRO compare_means(rankings, pairs) AS TABLE
WITH valued AS (
    SELECT * FROM metric_values(rankings)
)
SELECT * FROM compare_values('valued', pairs);

COMMENT ON MACRO TABLE compare_means IS
'How the means over seeds of the experiments of a relation with experiment_id and other_id differ, in every metric of '
'a relation like run_ranking, which also tells how much they vary; imported ones and untrained predictors are '
'compared at every epoch and BN mode of the other';

-- The pairs of several families, each corrected by itself: `pairs` has a column family as well.
CREATE OR REPLACE MACRO compare_families(valued, pairs) AS TABLE
WITH pair_of_any_family AS (
    SELECT DISTINCT experiment_id, other_id FROM query_table(pairs)
),
compared_once AS (
    SELECT compared.*, asked.family
    FROM compare_values(valued, 'pair_of_any_family') AS compared
    JOIN query_table(pairs) AS asked USING (experiment_id, other_id)
)
SELECT
    * EXCLUDE (holm_factor),
    seeds_to_tell(difference_error / sqrt(1 / seeds + 1 / other_seeds), greatest(degrees, 30), difference)
        AS seeds_to_tell
FROM with_holm('compared_once');

COMMENT ON MACRO TABLE compare_families IS
'As compare_means, of a relation like what metric_values gives, with p-values after Holm''s correction within each '
'family of the pairs, and the seeds that each would need to tell so large a difference';

-- The same with what the experiments are, and p-values corrected for their number.
CREATE OR REPLACE MACRO effects_of(rankings, pairs) AS TABLE
WITH compared AS (
    SELECT
        *, {'dataset': dataset, 'size': size} AS family,
        is_final_epoch(differences.epoch, experiment.epochs) AS is_final
    FROM compare_means(rankings, pairs) AS differences
    JOIN experiment USING (experiment_id)
)
SELECT
    experiment_id, other_id, name, dataset, size, mask, lt, variant,
    epoch, bn_mode, gt_key, architecture_set, metric,
    seeds, other_seeds, mean, other_mean, difference, difference_error, degrees, deviation, difference_interval,
    p_value, p_holm, comparisons, is_final
FROM with_holm('compared');

COMMENT ON MACRO TABLE effects_of IS
'As compare_means, with what the first of each pair is and p-values after Holm''s correction';
