-- A_N of the random sample at the end of training; a network fails if any seed predicts less than 20 %.
CREATE OR REPLACE MACRO random_accuracy(rankings) AS TABLE
SELECT
    experiment_id, dataset, size, mask, lt, variant, epoch, bn_mode, gt_key,
    min(a_n) < 0.2 AS fails, favg(a_n) AS a_n_mean, stddev_samp(a_n) AS a_n_std, count(*) AS seeds
FROM query_table(rankings)
WHERE architecture_set = 'random' AND is_final AND is_whole AND a_n IS NOT NULL AND kind = 'trained'
GROUP BY ALL;

COMMENT ON MACRO TABLE random_accuracy IS
'What each experiment of a relation like run_ranking predicts on average for the random sample, and whether it fails '
'to generalize';

-- What single experiments reach.
CREATE OR REPLACE MACRO evidence_of_levels(rankings) AS TABLE
WITH large_with_lt AS (
    SELECT accuracy.*
    FROM random_accuracy(rankings) AS accuracy
    JOIN finding_mask USING (mask)
    WHERE size = 'M' AND removes_zero AND removes_pool AND lt <> '' AND variant = 'baseline'
),
-- As in experiment_tau_a.
without_zero AS (
    SELECT
        experiment_id, dataset, size, epoch, bn_mode, gt_key,
        round(favg(tau_a), 12) AS tau_a_mean, stddev_samp(tau_a) AS tau_a_std, count(tau_a) AS seeds
    FROM query_table(rankings)
    WHERE architecture_set = 'random' AND is_final AND mask IN ('Zero', 'Zero+Pool') AND lt = ''
        AND variant = 'baseline' AND tau_a IS NOT NULL AND kind = 'trained'
    GROUP BY ALL
)
SELECT
    '1b' AS claim, experiment_id, NULL AS other_id, dataset, size, epoch, bn_mode, gt_key,
    'random' AS architecture_set, 'tau_a' AS metric,
    tau_a_mean AS value, interval_95(tau_a_std, seeds) AS half_interval, seeds AS n
FROM without_zero
UNION ALL BY NAME
SELECT
    '3c' AS claim, experiment_id, dataset, size, epoch, bn_mode, gt_key, 'random' AS architecture_set, 'a_n' AS metric,
    a_n_mean AS value, interval_95(a_n_std, seeds) AS half_interval, seeds AS n
FROM large_with_lt
UNION ALL BY NAME
SELECT
    '3d' AS claim, experiment_id, dataset, size, epoch, bn_mode, gt_key, 'random' AS architecture_set,
    'a_n_std' AS metric, a_n_std AS value, 0 AS half_interval, seeds AS n
FROM large_with_lt;

COMMENT ON MACRO TABLE evidence_of_levels IS
'What the values of single experiments say of the paper''s claims, at the end of training, by a relation like '
'run_ranking';

-- What all networks of a size say, and so no single experiment.
CREATE OR REPLACE MACRO evidence_of_sizes(rankings) AS TABLE
SELECT
    '6' AS claim, NULL AS experiment_id, NULL AS other_id, dataset, size, epoch, bn_mode, gt_key,
    'random' AS architecture_set, 'failing' AS metric,
    avg(CAST(fails AS INTEGER)) AS value, 0 AS half_interval, count(*) AS n
FROM random_accuracy(rankings)
WHERE size = 'M' AND seeds >= 3
GROUP BY ALL
UNION ALL BY NAME
SELECT
    '5c' AS claim, uniform.dataset, uniform.size, uniform.epoch, uniform.bn_mode, uniform.gt_key,
    'random' AS architecture_set, 'rescued' AS metric,
    count(*) FILTER (WHERE NOT uniform.fails) AS value, 0 AS half_interval,
    min(least(uniform.seeds, fair.seeds)) AS n
FROM random_accuracy(rankings) AS uniform
JOIN random_accuracy(rankings) AS fair USING (dataset, size, mask, epoch, bn_mode, gt_key)
WHERE size = 'M' AND uniform.variant = 'uniform-sampling' AND fair.variant = 'baseline'
    AND uniform.lt = '' AND fair.lt = '' AND fair.fails
GROUP BY ALL;

COMMENT ON MACRO TABLE evidence_of_sizes IS
'What all experiments of a size together say of the paper''s claims, at the end of training, by a relation like '
'run_ranking';
