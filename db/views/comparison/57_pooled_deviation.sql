-- Experiments vary alike from seed to seed if they differ in mask, LT, variant and validation images only: each alone
-- has few seeds, and together they tell the deviation. By sorted keys, whose order is up to who writes them.
CREATE OR REPLACE MACRO variance_group_of(config) AS (
    SELECT left(md5(string_agg(option.key || '=' || CAST(option.value AS VARCHAR), ',' ORDER BY option.key)), 12)
    FROM json_each(CAST(config AS JSON)) AS option
    WHERE option.key NOT IN (
        SELECT declared.option
        FROM training_option AS declared
        WHERE declared.role IN ('mask', 'lt', 'variant') OR declared.option = 'split_seed'
    )
);

COMMENT ON MACRO variance_group_of IS
'Which experiments vary alike, by experiment.config: those that differ in mask, LT, variant and split_seed only';

CREATE OR REPLACE VIEW variance_group AS
SELECT experiment_id, variance_group_of(config) AS variance_group
FROM experiment
WHERE kind IN ('trained', 'initial');

COMMENT ON VIEW variance_group IS
'Which experiments have one deviation over seeds: they differ in mask, LT, variant and split_seed only';
COMMENT ON COLUMN variance_group.experiment_id IS 'experiment with networks of nasrank';
COMMENT ON COLUMN variance_group.variance_group IS 'twelve hexadecimal digits, the same for all that vary alike';

-- The mean over seeds of every metric of `valued`, a relation like metric_values, and its variance over them; what has
-- no seed has one value, which nothing varies.
CREATE OR REPLACE MACRO means_of(valued) AS TABLE
SELECT
    experiment_id, epoch, bn_mode, gt_key, architecture_set, metric,
    count(*) AS seeds, count(seed) > 0 AS is_random, favg(value) AS mean, var_samp(value) AS variance
FROM query_table(valued)
GROUP BY ALL;

COMMENT ON MACRO TABLE means_of IS
'Mean and variance over seeds of each metric of a relation like what metric_values gives; is_random: it has seeds';

-- What pooled_deviation says, for a relation like run_ranking.
CREATE OR REPLACE MACRO pooled_deviation_of(rankings) AS TABLE
WITH valued AS (
    SELECT * FROM metric_values(rankings)
)
SELECT
    variance_group, epoch, bn_mode, gt_key, architecture_set, metric,
    count(*) AS experiments, CAST(sum(seeds) AS BIGINT) AS runs, CAST(sum(seeds - 1) AS BIGINT) AS degrees,
    sqrt(fsum((seeds - 1) * variance) / sum(seeds - 1)) AS std
FROM means_of('valued')
JOIN variance_group USING (experiment_id)
WHERE seeds > 1
GROUP BY ALL;

COMMENT ON MACRO TABLE pooled_deviation_of IS 'What pooled_deviation says, for a relation like run_ranking';

CREATE OR REPLACE VIEW pooled_deviation AS SELECT * FROM pooled_deviation_of('run_ranking');

COMMENT ON VIEW pooled_deviation IS
'How much each metric varies from seed to seed, from all experiments that vary alike and have several';
COMMENT ON COLUMN pooled_deviation.variance_group IS 'as in variance_group';
COMMENT ON COLUMN pooled_deviation.epoch IS 'completed epochs of training';
COMMENT ON COLUMN pooled_deviation.bn_mode IS 'BatchNorm statistics';
COMMENT ON COLUMN pooled_deviation.gt_key IS 'ground-truth key';
COMMENT ON COLUMN pooled_deviation.architecture_set IS
'as set_definition.architecture_set; random where metric.scope is run';
COMMENT ON COLUMN pooled_deviation.metric IS 'as in the view metric';
COMMENT ON COLUMN pooled_deviation.experiments IS 'experiments with several seeds';
COMMENT ON COLUMN pooled_deviation.runs IS 'their runs';
COMMENT ON COLUMN pooled_deviation.degrees IS 'degrees of freedom: runs less experiments';
COMMENT ON COLUMN pooled_deviation.std IS
'within experiments: root of the mean variance, weighted by degrees of freedom';

CREATE OR REPLACE VIEW group_cost AS
SELECT
    variance_group, any_value(dataset) AS dataset, any_value(size) AS size, any_value(epochs) AS epochs,
    any_value(batch_size) AS batch_size, count(*) AS runs,
    favg(seconds_training + seconds_evaluation) AS seconds_a_run
FROM run
JOIN experiment USING (experiment_id)
JOIN variance_group USING (experiment_id)
WHERE status = 'finished'
GROUP BY variance_group;

COMMENT ON VIEW group_cost IS 'What runs of experiments that vary alike have taken, training and prediction';
COMMENT ON COLUMN group_cost.variance_group IS 'as in variance_group';
COMMENT ON COLUMN group_cost.dataset IS 'images trained on';
COMMENT ON COLUMN group_cost.size IS 'size of the super-network';
COMMENT ON COLUMN group_cost.epochs IS 'passes over the training images';
COMMENT ON COLUMN group_cost.batch_size IS 'images a step';
COMMENT ON COLUMN group_cost.runs IS 'finished runs';
COMMENT ON COLUMN group_cost.seconds_a_run IS 'mean seconds of one, by a clock';

-- Half of the 95 % interval of the difference of two means over so many seeds each.
CREATE OR REPLACE MACRO difference_interval(std, degrees, seeds, other_seeds) AS
student_t_975(degrees) * std * sqrt(1 / seeds + 1 / other_seeds);

COMMENT ON MACRO difference_interval IS
'Half the width of the 95 % interval of the difference of two means over seeds, by a pooled deviation';

-- Such a difference is then told with a probability of 80 %. The quantile 80 % of Student's t by its expansion.
CREATE OR REPLACE MACRO seeds_to_tell(std, degrees, difference) AS
CASE WHEN std * difference <> 0 THEN
    CAST(
        greatest(
            2,
            least(1e9, ceil(2 * ((student_t_975(degrees) + 0.841621 + 0.359441 / degrees) * std / difference) ** 2))
        )
        AS BIGINT
    )
END;

COMMENT ON MACRO seeds_to_tell IS
'Seeds that each of two experiments needs for a true difference to be told with a probability of 80 %, by a pooled '
'deviation; a billion at most; NULL for no difference or deviation';
