CREATE OR REPLACE VIEW experiment_tau_a AS
WITH point AS (
    -- From run_metric, not from experiment_ranking: its τ are not needed.
    SELECT
        run.experiment_id, metric.epoch, metric.bn_mode, metric.gt_key, metric.one_per_class,
        metric.architecture_set, metric.n,
        coalesce(round(favg(metric.a_n), 12), twelve_digits(favg(metric.mean_score))) AS mean
    FROM run_metric AS metric
    JOIN run USING (run_id)
    WHERE metric.architecture_set NOT LIKE 'all%' AND coalesce(metric.a_n, metric.mean_score) IS NOT NULL
    GROUP BY ALL
),
averaged AS (
    SELECT
        experiment_id, epoch, bn_mode, gt_key,
        tau_a_of(
            list(mean ORDER BY architecture_set LIKE 'random%', n) FILTER (WHERE NOT one_per_class)
        ) AS tau_a,
        tau_a_of(
            list(mean ORDER BY architecture_set LIKE 'random%', n) FILTER (WHERE one_per_class)
        ) AS tau_a_classes
    FROM point
    GROUP BY ALL
    HAVING count(*) FILTER (WHERE NOT one_per_class) = 8
),
seeds AS (
    SELECT
        run.experiment_id, tau_a.epoch, tau_a.bn_mode, tau_a.gt_key,
        favg(tau_a.tau_a) AS tau_a_mean, stddev_samp(tau_a.tau_a) AS tau_a_std, count(*) AS seeds
    FROM tau_a
    JOIN run USING (run_id)
    GROUP BY ALL
)
SELECT
    experiment_id, experiment.name, experiment.dataset, experiment.size, experiment.mask, experiment.lt, experiment.variant,
    averaged.epoch, averaged.bn_mode, averaged.gt_key,
    averaged.tau_a, seeds.tau_a_mean, seeds.tau_a_std, seeds.seeds,
    interval_95(seeds.tau_a_std, seeds.seeds) AS tau_a_interval,
    averaged.tau_a_classes,
    reported.tau_a AS reported_tau_a, averaged.tau_a - reported.tau_a AS difference_to_reported
FROM averaged
JOIN seeds USING (experiment_id, epoch, bn_mode, gt_key)
JOIN experiment USING (experiment_id)
LEFT JOIN reported_result AS reported
    ON reported.cells_per_stage = experiment.cells_per_stage AND reported.channels = experiment.channels
    AND reported.mask = experiment.mask AND reported.lt = experiment.lt
    AND reported.variant = experiment.variant AND experiment.dataset = 'cifar10';

COMMENT ON VIEW experiment_tau_a IS 'τa of each experiment: of A_N averaged over seeds, as the paper has it, and over the τa of single seeds';
COMMENT ON COLUMN experiment_tau_a.experiment_id IS 'experiment';
COMMENT ON COLUMN experiment_tau_a.name IS 'name of imported predictions; NULL for trained super-networks';
COMMENT ON COLUMN experiment_tau_a.dataset IS 'images trained on';
COMMENT ON COLUMN experiment_tau_a.size IS 'size of the super-network';
COMMENT ON COLUMN experiment_tau_a.mask IS 'operations removed, empty for none';
COMMENT ON COLUMN experiment_tau_a.lt IS 'operations with a linear transformer, empty for none';
COMMENT ON COLUMN experiment_tau_a.variant IS 'variant of the training';
COMMENT ON COLUMN experiment_tau_a.epoch IS 'completed epochs of training; 0 where predictions were imported';
COMMENT ON COLUMN experiment_tau_a.bn_mode IS 'BatchNorm statistics; imported where predictions were';
COMMENT ON COLUMN experiment_tau_a.gt_key IS 'ground-truth key';
COMMENT ON COLUMN experiment_tau_a.tau_a IS 'τa of the series of A_N, or of mean scores, averaged over seeds (the paper''s), -1..1, -1 is best';
COMMENT ON COLUMN experiment_tau_a.tau_a_mean IS 'mean of the τa of the single seeds';
COMMENT ON COLUMN experiment_tau_a.tau_a_std IS 'sample deviation of the τa of the single seeds; NULL for one seed';
COMMENT ON COLUMN experiment_tau_a.seeds IS 'runs with a τa';
COMMENT ON COLUMN experiment_tau_a.tau_a_interval IS 'half the width of the 95 % interval of tau_a_mean, by Student''s t; NULL for one seed';
COMMENT ON COLUMN experiment_tau_a.tau_a_classes IS 'as tau_a, on one architecture of each class; NULL unless these were predicted';
COMMENT ON COLUMN experiment_tau_a.reported_tau_a IS 'τa that the paper prints for this size, mask, LT and variant, on CIFAR-10; NULL where it prints none';
COMMENT ON COLUMN experiment_tau_a.difference_to_reported IS 'tau_a minus reported_tau_a';
