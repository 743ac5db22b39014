CREATE OR REPLACE VIEW experiment_ranking AS
SELECT
    experiment_id, dataset, size, mask, lt, variant, epoch, bn_mode, gt_key, architecture_set, n,
    count(a_n) AS seeds,
    round(favg(a_n), 12) AS a_n_mean, stddev_samp(a_n) AS a_n_std,
    favg(tau) AS tau_mean, stddev_samp(tau) AS tau_std, count(tau) AS tau_seeds,
    favg(tau_eq2) AS tau_eq2_mean, stddev_samp(tau_eq2) AS tau_eq2_std
FROM run_ranking
GROUP BY ALL;

COMMENT ON VIEW experiment_ranking IS 'A_N and τ of each experiment over its seeds: a row for each architecture set and ground-truth key';
COMMENT ON COLUMN experiment_ranking.experiment_id IS 'experiment';
COMMENT ON COLUMN experiment_ranking.dataset IS 'images trained on';
COMMENT ON COLUMN experiment_ranking.size IS 'size of the super-network';
COMMENT ON COLUMN experiment_ranking.mask IS 'operations removed, empty for none';
COMMENT ON COLUMN experiment_ranking.lt IS 'operations with a linear transformer, empty for none';
COMMENT ON COLUMN experiment_ranking.variant IS 'variant of the training';
COMMENT ON COLUMN experiment_ranking.epoch IS 'completed epochs of training';
COMMENT ON COLUMN experiment_ranking.bn_mode IS 'BatchNorm statistics';
COMMENT ON COLUMN experiment_ranking.gt_key IS 'ground-truth key';
COMMENT ON COLUMN experiment_ranking.architecture_set IS 'top-10 … top-500, or random';
COMMENT ON COLUMN experiment_ranking.n IS 'architectures in the set';
COMMENT ON COLUMN experiment_ranking.seeds IS 'runs that predicted the whole set';
COMMENT ON COLUMN experiment_ranking.a_n_mean IS 'A_N: mean over seeds of the mean predicted accuracy, fraction 0..1';
COMMENT ON COLUMN experiment_ranking.a_n_std IS 'sample deviation over seeds; NULL for one seed';
COMMENT ON COLUMN experiment_ranking.tau_mean IS 'mean over seeds of Kendall''s tau-b';
COMMENT ON COLUMN experiment_ranking.tau_std IS 'sample deviation over seeds; NULL for one seed';
COMMENT ON COLUMN experiment_ranking.tau_seeds IS 'runs whose tau-b is defined';
COMMENT ON COLUMN experiment_ranking.tau_eq2_mean IS 'mean over seeds of Kendall''s τ by Equation 2';
COMMENT ON COLUMN experiment_ranking.tau_eq2_std IS 'sample deviation over seeds; NULL for one seed';
