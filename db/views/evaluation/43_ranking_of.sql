-- The metrics of every architecture set of `definitions` for each row of `pairs`, a relation like evaluation_key.
CREATE OR REPLACE MACRO ranking_of(pairs, definitions := 'set_definition') AS TABLE
WITH member AS (
    -- Of a whole space, the series of `predicted` is that of `all`.
    SELECT run_id AS predictor, *
    FROM predicted_set(pairs, definitions := definitions)
    WHERE NOT (is_whole_space AND set_kind = 'predicted')
)
SELECT
    chosen.run_id, chosen.epoch, chosen.bn_mode, chosen.gt_key, chosen.mask, chosen.one_per_class, chosen.set_kind,
    chosen.architecture_set,
    coalesce(chosen.n, series.n_predicted) AS n, coalesce(series.n_predicted, 0) AS n_predicted,
    -- Rounded so that equal means are equal: τa compares them.
    CASE WHEN predicts = 'accuracy' THEN round(mean_predicted, 12) END AS a_n,
    tau, tau_eq2, spearman, pearson,
    CASE WHEN predicts = 'score' THEN twelve_digits(mean_predicted) END AS mean_score,
    tau_same_size, tau_partial, predicted_std
FROM measured_set(pairs, definitions := definitions) AS chosen
LEFT JOIN rank_correlation('member') AS series
    ON series.gt_key = chosen.gt_key AND series.mask = chosen.mask AND series.predictor = chosen.run_id
    AND series.series = chosen.series
JOIN run ON run.run_id = chosen.run_id
JOIN experiment USING (experiment_id)
-- Of the set `predicted` there is nothing to say where nothing was.
WHERE chosen.n IS NOT NULL OR series.n_predicted IS NOT NULL;

COMMENT ON MACRO TABLE ranking_of IS
'What run_metric says, computed for the evaluations and keys of a relation like evaluation_key';
