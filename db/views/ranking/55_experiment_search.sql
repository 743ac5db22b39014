CREATE OR REPLACE VIEW experiment_search AS
WITH averaged AS (
    SELECT
        experiment_id, name, dataset, size, mask, lt, variant, epoch, bn_mode, gt_key, one_per_class,
        pool, n, top_k, k, kind, set_kind, is_final,
        count(*) AS seeds,
        favg(precision_at_k) AS precision_at_k_mean, stddev_samp(precision_at_k) AS precision_at_k_std,
        favg(best_rank) AS best_rank_mean, stddev_samp(best_rank) AS best_rank_std,
        favg(regret) AS regret_mean, stddev_samp(regret) AS regret_std,
        favg(worst_rank) AS worst_rank_mean, stddev_samp(worst_rank) AS worst_rank_std,
        favg(bottom_precision_at_k) AS bottom_precision_at_k_mean,
        stddev_samp(bottom_precision_at_k) AS bottom_precision_at_k_std,
        favg(ndcg_at_k) AS ndcg_at_k_mean, stddev_samp(ndcg_at_k) AS ndcg_at_k_std
    FROM run_search
    GROUP BY ALL
)
SELECT
    * EXCLUDE (kind, set_kind, is_final),
    interval_95(precision_at_k_std, seeds) AS precision_at_k_interval,
    interval_95(best_rank_std, seeds) AS best_rank_interval,
    interval_95(regret_std, seeds) AS regret_interval,
    interval_95(worst_rank_std, seeds) AS worst_rank_interval,
    interval_95(bottom_precision_at_k_std, seeds) AS bottom_precision_at_k_interval,
    interval_95(ndcg_at_k_std, seeds) AS ndcg_at_k_interval,
    kind, set_kind, is_final
FROM averaged;

COMMENT ON VIEW experiment_search IS
'What a search finds that trusts the predictions, over the seeds of each experiment';
COMMENT ON COLUMN experiment_search.experiment_id IS 'experiment';
COMMENT ON COLUMN experiment_search.name IS
'name of imported predictions or of an untrained predictor; NULL for networks';
COMMENT ON COLUMN experiment_search.dataset IS 'images trained on';
COMMENT ON COLUMN experiment_search.size IS 'size of the super-network';
COMMENT ON COLUMN experiment_search.mask IS 'operations removed, empty for none';
COMMENT ON COLUMN experiment_search.lt IS 'operations with a linear transformer, empty for none';
COMMENT ON COLUMN experiment_search.variant IS 'variant of the training';
COMMENT ON COLUMN experiment_search.epoch IS 'completed epochs of training; 0 where there is none';
COMMENT ON COLUMN experiment_search.bn_mode IS 'BatchNorm statistics; imported or untrained where there are none';
COMMENT ON COLUMN experiment_search.gt_key IS 'ground-truth key';
COMMENT ON COLUMN experiment_search.one_per_class IS 'false: all architectures; true: one of each class';
COMMENT ON COLUMN experiment_search.pool IS
'what was searched: random or all that the mask leaves; followed by classes for one of each class';
COMMENT ON COLUMN experiment_search.n IS 'architectures in the pool';
COMMENT ON COLUMN experiment_search.top_k IS
'how many of the best predicted are looked at, a number or a share of the pool';
COMMENT ON COLUMN experiment_search.k IS 'the same as a number';
COMMENT ON COLUMN experiment_search.seeds IS 'runs that predicted the whole pool';
COMMENT ON COLUMN experiment_search.precision_at_k_mean IS
'mean over seeds: share of the k truly best within the k best predicted, 0..1';
COMMENT ON COLUMN experiment_search.precision_at_k_std IS 'sample deviation over seeds; NULL for one seed';
COMMENT ON COLUMN experiment_search.best_rank_mean IS
'mean over seeds: true rank, within the pool, of the best among the k best predicted; 1 is perfect';
COMMENT ON COLUMN experiment_search.best_rank_std IS 'sample deviation over seeds; NULL for one seed';
COMMENT ON COLUMN experiment_search.regret_mean IS
'mean over seeds: true accuracy of the best of the pool minus that of the best among the k best predicted, fraction '
'0..1';
COMMENT ON COLUMN experiment_search.regret_std IS 'sample deviation over seeds; NULL for one seed';
COMMENT ON COLUMN experiment_search.precision_at_k_interval IS
'half the width of the 95 % interval of the mean over seeds, by Student''s t; NULL for one seed';
COMMENT ON COLUMN experiment_search.best_rank_interval IS
'half the width of the 95 % interval of the mean over seeds, by Student''s t; NULL for one seed';
COMMENT ON COLUMN experiment_search.regret_interval IS
'half the width of the 95 % interval of the mean over seeds, by Student''s t; NULL for one seed';
COMMENT ON COLUMN experiment_search.kind IS 'as experiment.kind';
COMMENT ON COLUMN experiment_search.set_kind IS 'what kind of set the pool is: random or all';
COMMENT ON COLUMN experiment_search.is_final IS 'whether it is of the end of training, or without any';
COMMENT ON COLUMN experiment_search.worst_rank_mean IS
'mean over seeds: true rank, within the pool, of the worst among the k best predicted; k is perfect';
COMMENT ON COLUMN experiment_search.worst_rank_std IS 'sample deviation over seeds; NULL for one seed';
COMMENT ON COLUMN experiment_search.worst_rank_interval IS
'half the width of the 95 % interval of the mean over seeds, by Student''s t; NULL for one seed';
COMMENT ON COLUMN experiment_search.bottom_precision_at_k_mean IS
'mean over seeds: share of the k truly worst within the k worst predicted, 0..1';
COMMENT ON COLUMN experiment_search.bottom_precision_at_k_std IS 'sample deviation over seeds; NULL for one seed';
COMMENT ON COLUMN experiment_search.bottom_precision_at_k_interval IS
'half the width of the 95 % interval of the mean over seeds, by Student''s t; NULL for one seed';
COMMENT ON COLUMN experiment_search.ndcg_at_k_mean IS
'mean over seeds: discounted gain of the k best predicted by that of the k truly best, 0..1; NULL where '
'all truths are equal';
COMMENT ON COLUMN experiment_search.ndcg_at_k_std IS 'sample deviation over seeds; NULL for one seed';
COMMENT ON COLUMN experiment_search.ndcg_at_k_interval IS
'half the width of the 95 % interval of the mean over seeds, by Student''s t; NULL for one seed';
