-- The metrics of every architecture set for each row of `pairs`, a relation like evaluation_key.
CREATE OR REPLACE MACRO ranking_of(pairs) AS TABLE
WITH member AS (
    SELECT run_id AS predictor, * FROM predicted_set(pairs)
)
SELECT
    run.run_id, series.epoch, series.bn_mode, series.gt_key, series.mask, one_per_class, set_kind, architecture_set,
    n, n_predicted,
    -- Rounded so that equal means are equal: τa compares them.
    CASE WHEN n_predicted = n AND predicts = 'accuracy' THEN round(mean_predicted, 12) END AS a_n,
    tau, tau_eq2, spearman, pearson,
    CASE WHEN n_predicted = n AND predicts = 'score' THEN twelve_digits(mean_predicted) END AS mean_score
FROM rank_correlation('member') AS series
JOIN set_definition USING (one_per_class, architecture_set)
JOIN run ON run.run_id = series.predictor
JOIN experiment USING (experiment_id)
-- A mask that leaves fewer than N has no top-N.
WHERE set_kind <> 'top' OR n = set_definition.size;

COMMENT ON MACRO TABLE ranking_of IS
'What run_metric says, computed for the evaluations and keys of a relation like evaluation_key';
