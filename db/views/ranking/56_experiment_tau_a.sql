-- The τa that the paper prints, by the experiments that are run as its own: on CIFAR-10, with its cells and channels.
CREATE OR REPLACE VIEW experiment_reported AS
SELECT
    experiment.experiment_id, reported.figure, reported.size, reported.mask, reported.lt, reported.variant,
    reported.tau_a AS reported_tau_a
FROM reported_result AS reported
JOIN experiment USING (cells_per_stage, channels, mask, lt, variant)
WHERE experiment.dataset = 'cifar10' AND experiment.kind = 'trained';

COMMENT ON VIEW experiment_reported IS
'The τa that the paper prints for experiments with the same size, mask, LT and variant, whatever their other '
'settings';
COMMENT ON COLUMN experiment_reported.experiment_id IS
'experiment on CIFAR-10 with the cells, channels, mask, LT and variant';
COMMENT ON COLUMN experiment_reported.figure IS 'as in reported_result';
COMMENT ON COLUMN experiment_reported.size IS 'as in reported_result';
COMMENT ON COLUMN experiment_reported.mask IS 'as in reported_result';
COMMENT ON COLUMN experiment_reported.lt IS 'as in reported_result';
COMMENT ON COLUMN experiment_reported.variant IS 'as in reported_result';
COMMENT ON COLUMN experiment_reported.reported_tau_a IS 'as reported_result.tau_a';

-- What experiment_tau_a says, for a relation like run_metric.
CREATE OR REPLACE MACRO experiment_tau_a_of(metrics) AS TABLE
WITH point AS (
    SELECT run_id, epoch, bn_mode, gt_key, mask, one_per_class, set_kind, n, a_n, mean_score
    FROM query_table(metrics)
    WHERE is_point_of_tau_a(set_kind) AND is_whole AND coalesce(a_n, mean_score) IS NOT NULL
),
run_point AS (
    SELECT run_id AS predictor, coalesce(a_n, mean_score) AS mean, * FROM point
),
seeds AS (
    SELECT
        run.experiment_id, series.epoch, series.bn_mode, series.gt_key,
        -- Rounded so that it does not depend on the order of adding up.
        round(favg(series.tau_a), 12) AS tau_a_mean, stddev_samp(series.tau_a) AS tau_a_std, count(*) AS seeds
    FROM tau_a_of_series('run_point') AS series
    JOIN run ON run.run_id = series.predictor
    GROUP BY ALL
),
-- Of the means over seeds, as the paper has it.
experiment_point AS (
    SELECT
        run.experiment_id AS predictor, epoch, bn_mode, gt_key, mask, one_per_class, set_kind, n,
        coalesce(round(favg(a_n), 12), twelve_digits(favg(mean_score))) AS mean
    FROM point
    JOIN run USING (run_id)
    GROUP BY ALL
),
averaged AS (
    SELECT * RENAME (predictor AS experiment_id) FROM tau_a_of_series('experiment_point')
)
SELECT
    experiment_id, experiment.name, experiment.dataset, experiment.size, experiment.mask, experiment.lt,
    experiment.variant, averaged.epoch, averaged.bn_mode, averaged.gt_key,
    tau_a, tau_a_mean, tau_a_std, seeds, interval_95(tau_a_std, seeds) AS tau_a_interval, tau_a_classes,
    reported.reported_tau_a, tau_a - reported.reported_tau_a AS difference_to_reported,
    experiment.kind, is_final_epoch(averaged.epoch, experiment.epochs) AS is_final
FROM averaged
JOIN seeds USING (experiment_id, epoch, bn_mode, gt_key)
JOIN experiment USING (experiment_id)
LEFT JOIN experiment_reported AS reported USING (experiment_id);

COMMENT ON MACRO TABLE experiment_tau_a_of IS 'What experiment_tau_a says, for a relation like run_metric';

CREATE OR REPLACE VIEW experiment_tau_a AS SELECT * FROM experiment_tau_a_of('run_metric');

COMMENT ON VIEW experiment_tau_a IS
'τa of each experiment: of A_N averaged over seeds, as the paper has it, and over the τa of single seeds';
COMMENT ON COLUMN experiment_tau_a.experiment_id IS 'experiment';
COMMENT ON COLUMN experiment_tau_a.name IS
'name of imported predictions or of an untrained predictor; NULL for networks';
COMMENT ON COLUMN experiment_tau_a.dataset IS 'images trained on';
COMMENT ON COLUMN experiment_tau_a.size IS 'size of the super-network';
COMMENT ON COLUMN experiment_tau_a.mask IS 'operations removed, empty for none';
COMMENT ON COLUMN experiment_tau_a.lt IS 'operations with a linear transformer, empty for none';
COMMENT ON COLUMN experiment_tau_a.variant IS 'variant of the training';
COMMENT ON COLUMN experiment_tau_a.epoch IS 'completed epochs of training; 0 where there is none';
COMMENT ON COLUMN experiment_tau_a.bn_mode IS 'BatchNorm statistics; imported or untrained where there are none';
COMMENT ON COLUMN experiment_tau_a.gt_key IS 'ground-truth key';
COMMENT ON COLUMN experiment_tau_a.tau_a IS
'τa of the series of A_N, or of mean scores, averaged over seeds (the paper''s), -1..1, -1 is best';
COMMENT ON COLUMN experiment_tau_a.tau_a_mean IS 'mean of the τa of the single seeds';
COMMENT ON COLUMN experiment_tau_a.tau_a_std IS 'sample deviation of the τa of the single seeds; NULL for one seed';
COMMENT ON COLUMN experiment_tau_a.seeds IS 'runs with a τa';
COMMENT ON COLUMN experiment_tau_a.tau_a_interval IS
'half the width of the 95 % interval of tau_a_mean, by Student''s t; NULL for one seed';
COMMENT ON COLUMN experiment_tau_a.tau_a_classes IS
'as tau_a, on one architecture of each class; NULL unless these were predicted';
COMMENT ON COLUMN experiment_tau_a.reported_tau_a IS
'τa that the paper prints for this size, mask, LT and variant, on CIFAR-10; NULL where it prints none';
COMMENT ON COLUMN experiment_tau_a.difference_to_reported IS 'tau_a minus reported_tau_a';
COMMENT ON COLUMN experiment_tau_a.kind IS 'as experiment.kind';
COMMENT ON COLUMN experiment_tau_a.is_final IS 'whether it is of the end of training, or without any';
