CREATE OR REPLACE VIEW experiment_tau_a AS
WITH point AS (
    -- From a_n, not from experiment_ranking, which would compute every τ as well.
    SELECT
        run.experiment_id, a_n.epoch, a_n.bn_mode, a_n.gt_key,
        CASE WHEN a_n.architecture_set = 'random' THEN 1000 ELSE a_n.n END AS position,
        round(favg(a_n.a_n), 12) AS a_n_mean
    FROM a_n
    JOIN run USING (run_id)
    WHERE a_n.a_n IS NOT NULL
    GROUP BY ALL
),
averaged AS (
    SELECT
        one.experiment_id, one.epoch, one.bn_mode, one.gt_key,
        sum(sign(other.a_n_mean - one.a_n_mean)) / 28 AS tau_a
    FROM point AS one
    JOIN point AS other
        ON one.experiment_id = other.experiment_id AND one.epoch = other.epoch
        AND one.bn_mode = other.bn_mode AND one.gt_key = other.gt_key
        AND one.position < other.position
    GROUP BY ALL
    HAVING count(*) = 28
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
    experiment_id, experiment.dataset, experiment.size, experiment.mask, experiment.lt, experiment.variant,
    averaged.epoch, averaged.bn_mode, averaged.gt_key,
    averaged.tau_a, seeds.tau_a_mean, seeds.tau_a_std, seeds.seeds,
    reported.tau_a AS reported_tau_a
FROM averaged
JOIN seeds USING (experiment_id, epoch, bn_mode, gt_key)
JOIN experiment USING (experiment_id)
LEFT JOIN reported_result AS reported
    ON reported.cells_per_stage = experiment.cells_per_stage AND reported.channels = experiment.channels
    AND reported.mask = experiment.mask AND reported.lt = experiment.lt
    AND reported.variant = experiment.variant AND experiment.dataset = 'cifar10';

COMMENT ON VIEW experiment_tau_a IS 'τa of each experiment: of A_N averaged over seeds, as the paper has it, and over the τa of single seeds';
COMMENT ON COLUMN experiment_tau_a.experiment_id IS 'experiment';
COMMENT ON COLUMN experiment_tau_a.dataset IS 'images trained on';
COMMENT ON COLUMN experiment_tau_a.size IS 'size of the super-network';
COMMENT ON COLUMN experiment_tau_a.mask IS 'operations removed, empty for none';
COMMENT ON COLUMN experiment_tau_a.lt IS 'operations with a linear transformer, empty for none';
COMMENT ON COLUMN experiment_tau_a.variant IS 'variant of the training';
COMMENT ON COLUMN experiment_tau_a.epoch IS 'completed epochs of training';
COMMENT ON COLUMN experiment_tau_a.bn_mode IS 'BatchNorm statistics';
COMMENT ON COLUMN experiment_tau_a.gt_key IS 'ground-truth key';
COMMENT ON COLUMN experiment_tau_a.tau_a IS 'τa of the series of A_N averaged over seeds (the paper''s), -1..1, -1 is best';
COMMENT ON COLUMN experiment_tau_a.tau_a_mean IS 'mean of the τa of the single seeds';
COMMENT ON COLUMN experiment_tau_a.tau_a_std IS 'sample deviation of the τa of the single seeds; NULL for one seed';
COMMENT ON COLUMN experiment_tau_a.seeds IS 'runs with a τa';
COMMENT ON COLUMN experiment_tau_a.reported_tau_a IS 'τa that the paper prints for this size, mask, LT and variant, on CIFAR-10; NULL where it prints none';
