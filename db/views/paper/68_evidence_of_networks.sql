-- A_N of the random sample at the end of training; a network fails if any seed predicts less than 20 %.
CREATE OR REPLACE VIEW random_accuracy AS
SELECT
    experiment_id, dataset, size, mask, lt, variant, epoch, bn_mode, gt_key,
    min(a_n) < 0.2 AS fails, favg(a_n) AS a_n_mean, stddev_samp(a_n) AS a_n_std, count(*) AS seeds
FROM run_ranking
WHERE architecture_set = 'random' AND is_final AND is_whole AND a_n IS NOT NULL
GROUP BY ALL;

COMMENT ON VIEW random_accuracy IS
'What each experiment predicts on average for the random sample, and whether it fails to generalize';
COMMENT ON COLUMN random_accuracy.experiment_id IS 'experiment';
COMMENT ON COLUMN random_accuracy.dataset IS 'images trained on';
COMMENT ON COLUMN random_accuracy.size IS 'size of the super-network';
COMMENT ON COLUMN random_accuracy.mask IS 'operations removed, empty for none';
COMMENT ON COLUMN random_accuracy.lt IS 'operations with a linear transformer, empty for none';
COMMENT ON COLUMN random_accuracy.variant IS 'variant of the training';
COMMENT ON COLUMN random_accuracy.epoch IS 'completed epochs of training, the last';
COMMENT ON COLUMN random_accuracy.bn_mode IS 'BatchNorm statistics';
COMMENT ON COLUMN random_accuracy.gt_key IS 'ground-truth key';
COMMENT ON COLUMN random_accuracy.fails IS 'whether any seed predicts less than 20 % on average';
COMMENT ON COLUMN random_accuracy.a_n_mean IS 'mean over seeds of A_random, fraction 0..1';
COMMENT ON COLUMN random_accuracy.a_n_std IS 'sample deviation over seeds; NULL for one seed';
COMMENT ON COLUMN random_accuracy.seeds IS 'runs that predicted the whole random sample';

-- What single experiments reach.
CREATE OR REPLACE VIEW evidence_of_levels AS
WITH large_with_lt AS (
    SELECT accuracy.*
    FROM random_accuracy AS accuracy
    JOIN finding_mask USING (mask)
    WHERE size = 'M' AND removes_zero AND removes_pool AND lt <> '' AND variant = 'baseline'
)
SELECT
    '1b' AS claim, experiment_id, NULL AS other_id, dataset, size, epoch, bn_mode, gt_key,
    'random' AS architecture_set, 'tau_a' AS metric,
    tau_a_mean AS value, tau_a_interval AS half_interval, seeds AS n
FROM experiment_tau_a
WHERE is_final AND mask IN ('Zero', 'Zero+Pool') AND lt = '' AND variant = 'baseline'
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

COMMENT ON VIEW evidence_of_levels IS
'What the values of single experiments say of the paper''s claims, at the end of training';
COMMENT ON COLUMN evidence_of_levels.claim IS 'as finding_claim.claim';
COMMENT ON COLUMN evidence_of_levels.experiment_id IS 'as in finding_evidence';
COMMENT ON COLUMN evidence_of_levels.other_id IS 'as in finding_evidence';
COMMENT ON COLUMN evidence_of_levels.dataset IS 'as in finding_evidence';
COMMENT ON COLUMN evidence_of_levels.size IS 'as in finding_evidence';
COMMENT ON COLUMN evidence_of_levels.epoch IS 'as in finding_evidence';
COMMENT ON COLUMN evidence_of_levels.bn_mode IS 'as in finding_evidence';
COMMENT ON COLUMN evidence_of_levels.gt_key IS 'as in finding_evidence';
COMMENT ON COLUMN evidence_of_levels.architecture_set IS 'as in finding_evidence';
COMMENT ON COLUMN evidence_of_levels.metric IS 'as in finding_evidence';
COMMENT ON COLUMN evidence_of_levels.value IS 'as in finding_evidence';
COMMENT ON COLUMN evidence_of_levels.half_interval IS 'as in finding_evidence';
COMMENT ON COLUMN evidence_of_levels.n IS 'as in finding_evidence';

-- What all networks of a size say, and so no single experiment.
CREATE OR REPLACE VIEW evidence_of_sizes AS
SELECT
    '6' AS claim, NULL AS experiment_id, NULL AS other_id, dataset, size, epoch, bn_mode, gt_key,
    'random' AS architecture_set, 'failing' AS metric,
    avg(CAST(fails AS INTEGER)) AS value, 0 AS half_interval, count(*) AS n
FROM random_accuracy
WHERE size = 'M' AND seeds >= 3
GROUP BY ALL
UNION ALL BY NAME
SELECT
    '5c' AS claim, uniform.dataset, uniform.size, uniform.epoch, uniform.bn_mode, uniform.gt_key,
    'random' AS architecture_set, 'rescued' AS metric,
    count(*) FILTER (WHERE NOT uniform.fails) AS value, 0 AS half_interval,
    min(least(uniform.seeds, fair.seeds)) AS n
FROM random_accuracy AS uniform
JOIN random_accuracy AS fair USING (dataset, size, mask, epoch, bn_mode, gt_key)
WHERE size = 'M' AND uniform.variant = 'uniform-sampling' AND fair.variant = 'baseline'
    AND uniform.lt = '' AND fair.lt = '' AND fair.fails
GROUP BY ALL;

COMMENT ON VIEW evidence_of_sizes IS
'What all experiments of a size together say of the paper''s claims, at the end of training';
COMMENT ON COLUMN evidence_of_sizes.claim IS 'as finding_claim.claim';
COMMENT ON COLUMN evidence_of_sizes.experiment_id IS 'as in finding_evidence';
COMMENT ON COLUMN evidence_of_sizes.other_id IS 'as in finding_evidence';
COMMENT ON COLUMN evidence_of_sizes.dataset IS 'as in finding_evidence';
COMMENT ON COLUMN evidence_of_sizes.size IS 'as in finding_evidence';
COMMENT ON COLUMN evidence_of_sizes.epoch IS 'as in finding_evidence';
COMMENT ON COLUMN evidence_of_sizes.bn_mode IS 'as in finding_evidence';
COMMENT ON COLUMN evidence_of_sizes.gt_key IS 'as in finding_evidence';
COMMENT ON COLUMN evidence_of_sizes.architecture_set IS 'as in finding_evidence';
COMMENT ON COLUMN evidence_of_sizes.metric IS 'as in finding_evidence';
COMMENT ON COLUMN evidence_of_sizes.value IS 'as in finding_evidence';
COMMENT ON COLUMN evidence_of_sizes.half_interval IS 'as in finding_evidence';
COMMENT ON COLUMN evidence_of_sizes.n IS 'as in finding_evidence';
