-- The gap beside each row of `relation`, a relation with the columns predictor, epoch, bn_mode, gt_key, mask,
-- one_per_class, set_kind, n, mean, true_mean, predicted_std and auc, which the random sample has. A series is what is
-- equal in the first six; `mean` is NULL where a set is not whole.
CREATE OR REPLACE MACRO with_gap(relation) AS TABLE
WITH ends AS (
    SELECT
        *,
        any_value({'mean': mean, 'truth': true_mean})
        FILTER (WHERE set_kind = 'top' AND n = 500 AND mean IS NOT NULL) OVER series AS best,
        any_value({'mean': mean, 'truth': true_mean, 'std': predicted_std})
        FILTER (WHERE set_kind = 'random' AND mean IS NOT NULL) OVER series AS random,
        any_value(auc) FILTER (WHERE set_kind = 'random') OVER series AS area
    FROM query_table(relation)
    WINDOW series AS (PARTITION BY predictor, epoch, bn_mode, gt_key, mask, one_per_class)
)
SELECT
    * EXCLUDE (best, random, area) REPLACE (area AS auc),
    best.mean - random.mean AS gap,
    (best.mean - random.mean) / nullif(random.std, 0) AS gap_std,
    (best.mean - random.mean) / nullif(best.truth - random.truth, 0) AS gap_share
FROM ends;

COMMENT ON MACRO TABLE with_gap IS
'A relation with the gap of each of its series: mean prediction of the top-500 minus that of the random sample, itself '
'(gap), by the deviation of predictions in the random sample (gap_std), and by the gap of the ground truth '
'(gap_share); and with the area under the ROC curve of these two sets (auc)';
