-- The metrics of single runs that chance has a level of, by `rankings`, a relation like run_ranking. Of a run τa is of
-- its own A_N; that of A_N averaged over seeds is another metric.
CREATE OR REPLACE MACRO chance_values(rankings) AS TABLE
SELECT * REPLACE (if(metric = 'tau_a', 'tau_a_mean', metric) AS metric)
FROM metric_values(rankings)
WHERE metric NOT IN ('a_n', 'gap', 'gap_share');

COMMENT ON MACRO TABLE chance_values IS
'Each metric of each run that chance has a level of, by a relation like run_ranking; tau_a_mean is the τa of the run';

-- Two references of ignorance: random permutations, and networks before training.
CREATE OR REPLACE VIEW chance_level AS
WITH initial_key AS (
    SELECT evaluation.*
    FROM evaluation_key AS evaluation
    SEMI JOIN (FROM run JOIN experiment USING (experiment_id) WHERE kind = 'initial') AS initial USING (run_id)
),
-- Only what is stored: all else would be computed for every reader.
metric AS (
    SELECT * FROM stored_metric_of('initial_key')
),
measured AS (
    SELECT * FROM run_metric_from('metric')
),
ranking AS (
    SELECT * FROM run_ranking_from('measured')
),
one_network AS (
    SELECT
        experiment.dataset, experiment.cells_per_stage, experiment.channels, experiment.node_inputs, experiment.mask,
        valued.bn_mode, valued.gt_key, valued.architecture_set, valued.metric,
        count(*) AS networks, favg(valued.value) AS mean, stddev_samp(valued.value) AS std
    FROM chance_values('ranking') AS valued
    JOIN experiment USING (experiment_id)
    GROUP BY ALL
)
SELECT
    'permutations' AS reference,
    NULL AS dataset, NULL AS cells_per_stage, NULL AS channels, NULL AS node_inputs, NULL AS bn_mode,
    mask, gt_key, architecture_set, top_k, metric, seeds, NULL AS networks, mean, std, low, high
FROM chance
UNION ALL BY NAME
SELECT
    'initial networks' AS reference, * EXCLUDE (std), '' AS top_k,
    std / sqrt(seeds) AS std,
    -- Where the mean of so many further networks lies, of which these are known.
    mean - interval_95(std, networks) * sqrt(1 + networks / seeds) AS low,
    mean + interval_95(std, networks) * sqrt(1 + networks / seeds) AS high
FROM one_network
CROSS JOIN range(1, 11) AS _ (seeds);

COMMENT ON VIEW chance_level IS
'What the mean over seeds is without information: of random permutations of the predictions, and of networks before '
'training, which know the structure; only for keys that runs were asked for';
COMMENT ON COLUMN chance_level.reference IS 'permutations, or initial networks';
COMMENT ON COLUMN chance_level.dataset IS 'images of the initial networks; NULL for permutations';
COMMENT ON COLUMN chance_level.cells_per_stage IS 'of the initial networks, as in experiment; NULL for permutations';
COMMENT ON COLUMN chance_level.channels IS 'of the initial networks, as in experiment; NULL for permutations';
COMMENT ON COLUMN chance_level.node_inputs IS 'of the initial networks, as in experiment; NULL for permutations';
COMMENT ON COLUMN chance_level.bn_mode IS
'BatchNorm statistics of the initial networks, batch or recalibrated: running ones are of no images; NULL for '
'permutations';
COMMENT ON COLUMN chance_level.mask IS 'operations removed';
COMMENT ON COLUMN chance_level.gt_key IS 'ground-truth key';
COMMENT ON COLUMN chance_level.architecture_set IS 'as chance.architecture_set';
COMMENT ON COLUMN chance_level.top_k IS 'as chance.top_k; searches of initial networks are in run_search';
COMMENT ON COLUMN chance_level.metric IS 'as chance.metric';
COMMENT ON COLUMN chance_level.seeds IS 'how many runs the value is the mean of, 1 to 10';
COMMENT ON COLUMN chance_level.networks IS 'how many initial networks it is known from; NULL for permutations';
COMMENT ON COLUMN chance_level.mean IS 'its mean';
COMMENT ON COLUMN chance_level.std IS 'its deviation; NULL for one network';
COMMENT ON COLUMN chance_level.low IS 'where its middle 95 % begin; NULL for one network';
COMMENT ON COLUMN chance_level.high IS 'where they end';

-- Each row of `relation`, which has the columns experiment_id, bn_mode, gt_key, architecture_set, top_k, metric, seeds
-- and value, beside what the mean of so many seeds is without information; of more than ten, beside that of ten.
-- Running statistics are those of training images, and stand beside recalibrated ones of initial networks.
CREATE OR REPLACE MACRO beside_chance(relation) AS TABLE
SELECT
    measured.*,
    permuted.low AS permutations_low, permuted.high AS permutations_high,
    initial.low AS initial_low, initial.high AS initial_high,
    CASE
        WHEN permuted.low IS NULL AND initial.low IS NULL THEN NULL
        WHEN value NOT BETWEEN permuted.low - 1e-9 AND permuted.high + 1e-9
            THEN if(coalesce(value NOT BETWEEN initial.low AND initial.high, FALSE), 'both', 'permutations')
        WHEN value NOT BETWEEN initial.low AND initial.high THEN 'initial networks'
        ELSE 'neither'
    END AS leaves,
    -- What is not known counts as no band.
    CASE
        WHEN permuted.low IS NOT NULL OR initial.low IS NOT NULL
            THEN coalesce(value BETWEEN permuted.low - 1e-9 AND permuted.high + 1e-9, FALSE)
            OR coalesce(value BETWEEN initial.low AND initial.high, FALSE)
    END AS is_within_chance
FROM query_table(relation) AS measured
JOIN experiment USING (experiment_id)
LEFT JOIN chance AS permuted
    ON permuted.gt_key = measured.gt_key AND permuted.mask = experiment.mask
    AND permuted.architecture_set = measured.architecture_set AND permuted.top_k = measured.top_k
    AND permuted.metric = measured.metric AND permuted.seeds = least(measured.seeds, 10)
LEFT JOIN chance_level AS initial
    ON initial.reference = 'initial networks' AND initial.gt_key = measured.gt_key AND initial.mask = experiment.mask
    AND initial.dataset = experiment.dataset AND initial.cells_per_stage = experiment.cells_per_stage
    AND initial.channels = experiment.channels AND initial.node_inputs = experiment.node_inputs
    AND initial.bn_mode = if(measured.bn_mode = 'running', 'recalibrated', measured.bn_mode)
    AND initial.architecture_set = measured.architecture_set AND initial.top_k = measured.top_k
    AND initial.metric = measured.metric AND initial.seeds = least(measured.seeds, 10)
WHERE value IS NOT NULL;

COMMENT ON MACRO TABLE beside_chance IS
'Values of experiments beside what they are without information, and which reference each leaves';

-- The values of experiments that beside_chance takes, by `rankings`, a relation like run_ranking, and `metrics`, one
-- like run_metric of the same runs.
CREATE OR REPLACE MACRO ranking_values(rankings, metrics) AS TABLE
SELECT
    experiment_id, epoch, bn_mode, gt_key, architecture_set, '' AS top_k, metric, count(*) AS seeds,
    favg(value) AS value
FROM chance_values(rankings)
GROUP BY ALL
UNION ALL BY NAME
SELECT
    experiment_id, epoch, bn_mode, gt_key, 'random' AS architecture_set, '' AS top_k, 'tau_a' AS metric, seeds,
    tau_a AS value
FROM experiment_tau_a_of(metrics);

COMMENT ON MACRO TABLE ranking_values IS
'The mean over seeds of every metric that chance has a level of, by relations like run_ranking and run_metric';

CREATE OR REPLACE VIEW experiment_beside_chance AS
WITH final_key AS (
    SELECT * FROM evaluation_key WHERE is_final
),
stored AS (
    SELECT * FROM stored_metric_of('final_key')
),
metric AS (
    SELECT * FROM run_metric_from('stored')
),
ranking AS (
    SELECT * FROM run_ranking_from('metric')
),
found AS (
    SELECT * FROM ranking_values('ranking', 'metric')
)
SELECT
    experiment.dataset, experiment.size, experiment.mask, experiment.lt, experiment.variant, experiment.kind,
    beside.*
FROM beside_chance('found') AS beside
JOIN experiment USING (experiment_id);

COMMENT ON VIEW experiment_beside_chance IS
'Every metric of each experiment at the end of training, beside what no information gives; for keys that runs were '
'asked for';
COMMENT ON COLUMN experiment_beside_chance.dataset IS 'images trained on';
COMMENT ON COLUMN experiment_beside_chance.size IS 'size of the super-network';
COMMENT ON COLUMN experiment_beside_chance.mask IS 'operations removed, empty for none';
COMMENT ON COLUMN experiment_beside_chance.lt IS 'operations with a linear transformer, empty for none';
COMMENT ON COLUMN experiment_beside_chance.variant IS 'variant of the training';
COMMENT ON COLUMN experiment_beside_chance.kind IS 'as experiment.kind';
COMMENT ON COLUMN experiment_beside_chance.experiment_id IS 'experiment';
COMMENT ON COLUMN experiment_beside_chance.epoch IS 'completed epochs of training; 0 where there is none';
COMMENT ON COLUMN experiment_beside_chance.bn_mode IS 'BatchNorm statistics';
COMMENT ON COLUMN experiment_beside_chance.gt_key IS 'ground-truth key';
COMMENT ON COLUMN experiment_beside_chance.architecture_set IS
'as set_definition.architecture_set; random where metric.scope is run';
COMMENT ON COLUMN experiment_beside_chance.top_k IS 'empty: searches are in experiment_search, and theirs in chance';
COMMENT ON COLUMN experiment_beside_chance.metric IS 'as chance.metric';
COMMENT ON COLUMN experiment_beside_chance.seeds IS 'runs that the value is of';
COMMENT ON COLUMN experiment_beside_chance.value IS 'mean over seeds; of tau_a that of the averaged A_N';
COMMENT ON COLUMN experiment_beside_chance.permutations_low IS
'95 % of random permutations have a mean over so many seeds from here';
COMMENT ON COLUMN experiment_beside_chance.permutations_high IS 'to here';
COMMENT ON COLUMN experiment_beside_chance.initial_low IS
'95 % of networks before training have a mean over so many seeds from here; those of running statistics are '
'recalibrated';
COMMENT ON COLUMN experiment_beside_chance.initial_high IS 'to here';
COMMENT ON COLUMN experiment_beside_chance.leaves IS
'which of both the value is outside of: both, permutations, initial networks or neither; NULL where neither is known';
COMMENT ON COLUMN experiment_beside_chance.is_within_chance IS
'whether it is inside of one of those that are known; NULL where neither is';
