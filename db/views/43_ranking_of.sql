-- The metrics of every architecture set for each row of `pairs`, a relation like evaluation_key.
CREATE OR REPLACE MACRO ranking_of(pairs) AS TABLE
WITH member AS (
    SELECT run_id AS predictor, * FROM predicted_set(pairs)
)
SELECT
    predictor AS run_id, epoch, bn_mode, gt_key, mask, one_per_class, architecture_set, n, n_predicted,
    -- Rounded so that equal means are equal: τa compares them.
    CASE WHEN n_predicted = n THEN round(mean_predicted, 12) END AS a_n,
    tau, tau_eq2, spearman, pearson
FROM rank_correlation('member')
JOIN set_definition USING (one_per_class, architecture_set)
-- A mask that leaves fewer than N has no top-N.
WHERE kind <> 'top' OR n = size;

COMMENT ON MACRO TABLE ranking_of IS 'What run_metric says, computed for the evaluations and keys of a relation like evaluation_key';
