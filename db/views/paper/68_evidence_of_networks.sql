-- A_N of the random sample at the end of training; a network fails if any seed predicts less than 20 %.
CREATE OR REPLACE MACRO random_accuracy(rankings) AS TABLE
SELECT
    experiment_id, dataset, size, mask, lt, variant, epoch, bn_mode, gt_key,
    min(a_n) < 0.2 AS fails, count(*) AS seeds
FROM query_table(rankings)
WHERE architecture_set = 'random' AND is_final AND is_whole AND a_n IS NOT NULL AND kind = 'trained'
GROUP BY ALL;

COMMENT ON MACRO TABLE random_accuracy IS
'Whether each experiment of a relation like run_ranking fails to generalize: predicts less than 20 % on average for '
'the random sample';

-- What single experiments reach.
CREATE OR REPLACE MACRO evidence_of_levels(rankings) AS TABLE
WITH valued AS (
    SELECT * FROM metric_values(rankings) WHERE architecture_set = 'random' AND metric IN ('tau', 'tau_a', 'a_n')
),
mean AS (
    SELECT * FROM means_of('valued')
),
known AS (
    SELECT * FROM with_errors('mean')
),
level AS (
    SELECT
        CASE
            WHEN mask IN ('Zero', 'Zero+Pool') AND lt = '' AND metric <> 'a_n' THEN '1b'
            WHEN size = 'M' AND removes_zero AND removes_pool AND lt <> '' AND metric = 'a_n' THEN '3c'
        END AS claim,
        measured.* RENAME (mean AS value), dataset, size
    FROM with_interval('known') AS measured
    JOIN experiment USING (experiment_id)
    JOIN finding_mask USING (mask)
    WHERE kind = 'trained' AND variant = 'baseline' AND is_final_epoch(measured.epoch, experiment.epochs)
)
SELECT
    claim, experiment_id, NULL AS other_id, dataset, size, epoch, bn_mode, gt_key, architecture_set, metric,
    value, value - half_interval AS low, value + half_interval AS high,
    seeds AS n, standard_error, degrees, deviation
FROM level
WHERE claim IS NOT NULL
UNION ALL BY NAME
SELECT
    '3d' AS claim, experiment_id, dataset, size, epoch, bn_mode, gt_key, architecture_set, 'a_n_std' AS metric,
    sqrt(variance) AS value, deviation_low(sqrt(variance), seeds - 1) AS low,
    deviation_high(sqrt(variance), seeds - 1) AS high, seeds AS n
FROM level
WHERE claim = '3c' AND seeds > 1;

COMMENT ON MACRO TABLE evidence_of_levels IS
'What the values of single experiments say of the paper''s claims, at the end of training, by a relation like '
'run_ranking';

-- What all networks of a size say, and so no single experiment.
CREATE OR REPLACE MACRO evidence_of_sizes(rankings) AS TABLE
SELECT
    '6' AS claim, NULL AS experiment_id, NULL AS other_id, dataset, size, epoch, bn_mode, gt_key,
    'random' AS architecture_set, 'failing' AS metric,
    avg(CAST(fails AS INTEGER)) AS value, count(*) AS n
FROM random_accuracy(rankings)
WHERE size = 'M' AND seeds >= 3
GROUP BY ALL
UNION ALL BY NAME
SELECT
    '5c' AS claim, uniform.dataset, uniform.size, uniform.epoch, uniform.bn_mode, uniform.gt_key,
    'random' AS architecture_set, 'rescued' AS metric,
    count(*) FILTER (WHERE NOT uniform.fails) AS value,
    min(least(uniform.seeds, fair.seeds)) AS n
FROM random_accuracy(rankings) AS uniform
JOIN random_accuracy(rankings) AS fair USING (dataset, size, mask, epoch, bn_mode, gt_key)
WHERE size = 'M' AND uniform.variant = 'uniform-sampling' AND fair.variant = 'baseline'
    AND uniform.lt = '' AND fair.lt = '' AND fair.fails
GROUP BY ALL;

COMMENT ON MACRO TABLE evidence_of_sizes IS
'What all experiments of a size together say of the paper''s claims, at the end of training, by a relation like '
'run_ranking';
