-- How well `predicted` ranks `truth` within each series of `relation`, a relation with the columns
-- predictor, epoch, bn_mode, gt_key, mask, one_per_class, set_kind, architecture_set, truth and predicted.
-- A series is what is equal in all but the last two. It has correlations if every member has a prediction. Its names
-- stand in every PARTITION BY, so that DuckDB applies a reader's WHERE before it ranks anything.
CREATE OR REPLACE MACRO rank_correlation(relation) AS TABLE
WITH counted AS (
    SELECT
        predictor, epoch, bn_mode, gt_key, mask, one_per_class, set_kind, architecture_set, truth, predicted,
        -- Pairs are counted at the member with the worse truth, among all with a strictly better one.
        rank(ORDER BY predicted DESC) OVER better - 1 AS concordant,
        rank(ORDER BY predicted) OVER better - 1 AS discordant,
        rank() OVER by_truth AS truth_rank,
        count(*) OVER same_truth AS truth_ties,
        rank() OVER by_predicted AS predicted_rank,
        count(*) OVER same_predicted AS predicted_ties
    FROM query_table(relation)
    WINDOW
        series AS (PARTITION BY predictor, epoch, bn_mode, gt_key, mask, one_per_class, set_kind, architecture_set),
        better AS (series ORDER BY truth DESC GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
        by_truth AS (series ORDER BY truth DESC),
        same_truth AS (series ORDER BY truth DESC RANGE BETWEEN CURRENT ROW AND CURRENT ROW),
        by_predicted AS (series ORDER BY predicted DESC),
        same_predicted AS (series ORDER BY predicted DESC RANGE BETWEEN CURRENT ROW AND CURRENT ROW)
),
summed AS (
    SELECT
        predictor, epoch, bn_mode, gt_key, mask, one_per_class, set_kind, architecture_set,
        count(*) AS members,
        count(predicted) AS n_predicted,
        favg(predicted) AS mean_predicted,
        sum(concordant) - sum(discordant) AS score,
        -- Every member of t equal ones has t - 1 others, and each pair is met twice.
        sum(truth_ties - 1) / 2 AS tied_by_truth,
        sum(predicted_ties - 1) / 2 AS tied_by_prediction,
        -- Spearman's is Pearson's of the ranks, where equal members share the mean of their ranks.
        corr(truth_rank + (truth_ties - 1) / 2, predicted_rank + (predicted_ties - 1) / 2) AS rank_correlation,
        corr(truth, predicted) AS correlation
    FROM counted
    GROUP BY ALL
),
paired AS (
    SELECT *, CASE WHEN n_predicted = members THEN members * (members - 1) / 2 END AS pairs FROM summed
)
SELECT
    predictor, epoch, bn_mode, gt_key, mask, one_per_class, set_kind, architecture_set, members AS n, n_predicted,
    mean_predicted,
    score / nullif(sqrt((pairs - tied_by_truth) * (pairs - tied_by_prediction)), 0) AS tau,
    score / nullif(pairs, 0) AS tau_eq2,
    CASE WHEN pairs > 0 AND isfinite(rank_correlation) THEN rank_correlation END AS spearman,
    CASE WHEN pairs > 0 AND isfinite(correlation) THEN correlation END AS pearson
FROM paired;

COMMENT ON MACRO TABLE rank_correlation IS
'Kendall''s τ (tau-b and Equation 2), Spearman''s and Pearson''s correlation of truth and prediction in each series '
'of a relation';
