-- What experiment_ranking says, for a relation like run_ranking.
CREATE OR REPLACE MACRO experiment_ranking_of(rankings) AS TABLE
WITH averaged AS (
    SELECT
        experiment_id, name, dataset, size, mask, lt, variant, epoch, bn_mode, gt_key, one_per_class,
        architecture_set, min(n) AS n, min(n_predicted) AS n_predicted, is_whole,
        kind, set_kind, is_paper_set, is_final,
        count(coalesce(a_n, mean_score)) AS seeds,
        round(favg(a_n), 12) AS a_n_mean, stddev_samp(a_n) AS a_n_std,
        count(tau) AS tau_seeds,
        favg(tau) AS tau_mean, stddev_samp(tau) AS tau_std,
        favg(tau_eq2) AS tau_eq2_mean, stddev_samp(tau_eq2) AS tau_eq2_std,
        favg(spearman) AS spearman_mean, stddev_samp(spearman) AS spearman_std,
        favg(pearson) AS pearson_mean, stddev_samp(pearson) AS pearson_std,
        favg(tau_same_size) AS tau_same_size_mean, stddev_samp(tau_same_size) AS tau_same_size_std,
        favg(tau_partial) AS tau_partial_mean, stddev_samp(tau_partial) AS tau_partial_std,
        favg(tau_sparse) AS tau_sparse_mean, stddev_samp(tau_sparse) AS tau_sparse_std,
        favg(tau_weighted) AS tau_weighted_mean, stddev_samp(tau_weighted) AS tau_weighted_std,
        count(tau_same_size) AS tau_same_size_seeds
    FROM query_table(rankings)
    GROUP BY ALL
)
SELECT
    * EXCLUDE (
        n_predicted, is_whole, tau_same_size_mean, tau_same_size_std, tau_partial_mean, tau_partial_std,
        tau_sparse_mean, tau_sparse_std, tau_weighted_mean, tau_weighted_std, tau_same_size_seeds, kind, set_kind,
        is_paper_set, is_final
    ),
    interval_95(a_n_std, seeds) AS a_n_interval,
    interval_95(tau_std, tau_seeds) AS tau_interval,
    interval_95(tau_eq2_std, tau_seeds) AS tau_eq2_interval,
    interval_95(spearman_std, tau_seeds) AS spearman_interval,
    interval_95(pearson_std, tau_seeds) AS pearson_interval,
    kind, set_kind, is_paper_set, is_final, n_predicted, is_whole,
    tau_same_size_mean, tau_same_size_std,
    interval_95(tau_same_size_std, tau_same_size_seeds) AS tau_same_size_interval,
    tau_partial_mean, tau_partial_std, interval_95(tau_partial_std, tau_seeds) AS tau_partial_interval,
    tau_sparse_mean, tau_sparse_std, interval_95(tau_sparse_std, tau_seeds) AS tau_sparse_interval,
    tau_weighted_mean, tau_weighted_std, interval_95(tau_weighted_std, tau_seeds) AS tau_weighted_interval
FROM averaged;

COMMENT ON MACRO TABLE experiment_ranking_of IS 'What experiment_ranking says, for a relation like run_ranking';

CREATE OR REPLACE VIEW experiment_ranking AS SELECT * FROM experiment_ranking_of('run_ranking');

COMMENT ON VIEW experiment_ranking IS
'How each experiment ranks, over its seeds: a row for each architecture set and ground-truth key';
COMMENT ON COLUMN experiment_ranking.experiment_id IS 'experiment';
COMMENT ON COLUMN experiment_ranking.name IS
'name of imported predictions or of an untrained predictor; NULL for networks';
COMMENT ON COLUMN experiment_ranking.dataset IS 'images trained on';
COMMENT ON COLUMN experiment_ranking.size IS 'size of the super-network';
COMMENT ON COLUMN experiment_ranking.mask IS 'operations removed, empty for none';
COMMENT ON COLUMN experiment_ranking.lt IS 'operations with a linear transformer, empty for none';
COMMENT ON COLUMN experiment_ranking.variant IS 'variant of the training';
COMMENT ON COLUMN experiment_ranking.epoch IS 'completed epochs of training; 0 where there is none';
COMMENT ON COLUMN experiment_ranking.bn_mode IS 'BatchNorm statistics; imported or untrained where there are none';
COMMENT ON COLUMN experiment_ranking.gt_key IS 'ground-truth key';
COMMENT ON COLUMN experiment_ranking.one_per_class IS 'false: all architectures; true: one of each class';
COMMENT ON COLUMN experiment_ranking.architecture_set IS
'as set_definition.architecture_set';
COMMENT ON COLUMN experiment_ranking.n IS 'architectures in the set; of predicted the fewest of the runs';
COMMENT ON COLUMN experiment_ranking.seeds IS 'runs with a mean prediction of the set';
COMMENT ON COLUMN experiment_ranking.a_n_mean IS
'A_N: mean over seeds of the mean predicted accuracy, fraction 0..1; NULL for scores';
COMMENT ON COLUMN experiment_ranking.a_n_std IS 'sample deviation over seeds; NULL for one seed';
COMMENT ON COLUMN experiment_ranking.tau_seeds IS 'runs whose correlations are defined';
COMMENT ON COLUMN experiment_ranking.tau_mean IS 'mean over seeds of Kendall''s tau-b';
COMMENT ON COLUMN experiment_ranking.tau_std IS 'sample deviation over seeds; NULL for one seed';
COMMENT ON COLUMN experiment_ranking.tau_eq2_mean IS 'mean over seeds of Kendall''s τ by Equation 2';
COMMENT ON COLUMN experiment_ranking.tau_eq2_std IS 'sample deviation over seeds; NULL for one seed';
COMMENT ON COLUMN experiment_ranking.spearman_mean IS 'mean over seeds of Spearman''s correlation';
COMMENT ON COLUMN experiment_ranking.spearman_std IS 'sample deviation over seeds; NULL for one seed';
COMMENT ON COLUMN experiment_ranking.pearson_mean IS 'mean over seeds of Pearson''s correlation';
COMMENT ON COLUMN experiment_ranking.pearson_std IS 'sample deviation over seeds; NULL for one seed';
COMMENT ON COLUMN experiment_ranking.a_n_interval IS
'half the width of the 95 % interval of the mean over seeds, by Student''s t; NULL for one seed';
COMMENT ON COLUMN experiment_ranking.tau_interval IS
'half the width of the 95 % interval of the mean over seeds, by Student''s t; NULL for one seed';
COMMENT ON COLUMN experiment_ranking.tau_eq2_interval IS
'half the width of the 95 % interval of the mean over seeds, by Student''s t; NULL for one seed';
COMMENT ON COLUMN experiment_ranking.spearman_interval IS
'half the width of the 95 % interval of the mean over seeds, by Student''s t; NULL for one seed';
COMMENT ON COLUMN experiment_ranking.pearson_interval IS
'half the width of the 95 % interval of the mean over seeds, by Student''s t; NULL for one seed';
COMMENT ON COLUMN experiment_ranking.kind IS 'as experiment.kind';
COMMENT ON COLUMN experiment_ranking.set_kind IS 'what kind of set: top, top-percent, random, all or predicted';
COMMENT ON COLUMN experiment_ranking.is_paper_set IS
'whether the paper measures on it: its seven top-N and the random sample';
COMMENT ON COLUMN experiment_ranking.is_final IS 'whether it is of the end of training, or without any';
COMMENT ON COLUMN experiment_ranking.n_predicted IS 'how many of them have a prediction, the fewest of the runs';
COMMENT ON COLUMN experiment_ranking.is_whole IS
'whether it is of runs that predicted the whole set; those that predicted a part of it have a row of their own';
COMMENT ON COLUMN experiment_ranking.tau_same_size_mean IS 'mean over seeds of τ among pairs of equal size';
COMMENT ON COLUMN experiment_ranking.tau_same_size_std IS 'sample deviation over seeds; NULL for one seed';
COMMENT ON COLUMN experiment_ranking.tau_same_size_interval IS
'half the width of the 95 % interval of the mean over seeds, by Student''s t; NULL for one seed';
COMMENT ON COLUMN experiment_ranking.tau_partial_mean IS
'mean over seeds of Kendall''s partial τ given the number of parameters';
COMMENT ON COLUMN experiment_ranking.tau_partial_std IS 'sample deviation over seeds; NULL for one seed';
COMMENT ON COLUMN experiment_ranking.tau_partial_interval IS
'half the width of the 95 % interval of the mean over seeds, by Student''s t; NULL for one seed';
COMMENT ON COLUMN experiment_ranking.tau_sparse_mean IS
'mean over seeds of tau-b with the truth in tenths of a percentage point';
COMMENT ON COLUMN experiment_ranking.tau_sparse_std IS 'sample deviation over seeds; NULL for one seed';
COMMENT ON COLUMN experiment_ranking.tau_sparse_interval IS
'half the width of the 95 % interval of the mean over seeds, by Student''s t; NULL for one seed';
COMMENT ON COLUMN experiment_ranking.tau_weighted_mean IS 'mean over seeds of Kendall''s τ weighted by true rank';
COMMENT ON COLUMN experiment_ranking.tau_weighted_std IS 'sample deviation over seeds; NULL for one seed';
COMMENT ON COLUMN experiment_ranking.tau_weighted_interval IS
'half the width of the 95 % interval of the mean over seeds, by Student''s t; NULL for one seed';
