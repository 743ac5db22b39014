-- How well `predicted` ranks `truth` within each series of `relation`, a relation with the columns gt_key, mask,
-- predictor, series, arch_id, truth and predicted. A series is what is equal in the first four; members without a
-- prediction are left out. All four stand in every PARTITION BY, and each step reads only the one before, so that
-- DuckDB applies a reader's WHERE before it ranks anything; all else that tells series apart is one value, for much of
-- the time goes into sorting by them.
CREATE OR REPLACE MACRO rank_correlation(relation) AS TABLE
WITH sized AS (
    SELECT
        gt_key, mask, predictor, series, arch_id, truth, predicted, params,
        -- In tenths of a percentage point, half away from zero; the six digits are those of a decimal fraction.
        round(round(truth * 1000, 6)) AS sparse_truth,
        -- An infinite one has a rank, and no value.
        CASE WHEN isfinite(predicted) THEN predicted END AS value
    FROM query_table(relation)
    JOIN architecture_size USING (arch_id)
    WHERE predicted IS NOT NULL
),
counted AS (
    SELECT
        *,
        -- Pairs are counted at the member with the worse truth, among all with a strictly better one.
        rank(ORDER BY predicted DESC) OVER better - 1 AS concordant,
        rank(ORDER BY predicted) OVER better - 1 AS discordant,
        rank() OVER by_truth AS truth_rank,
        count(*) OVER same_truth AS truth_ties,
        rank() OVER by_predicted AS predicted_rank,
        count(*) OVER same_predicted AS predicted_ties,
        -- The same among those of equal size, and of the size itself, at the smaller of two.
        rank(ORDER BY predicted DESC) OVER better_of_size - 1 AS concordant_of_size,
        rank(ORDER BY predicted) OVER better_of_size - 1 AS discordant_of_size,
        rank(ORDER BY truth DESC) OVER larger - 1 AS larger_is_better,
        rank(ORDER BY truth) OVER larger - 1 AS larger_is_worse,
        rank(ORDER BY predicted DESC) OVER larger - 1 AS larger_is_predicted,
        rank(ORDER BY predicted) OVER larger - 1 AS smaller_is_predicted,
        count(*) OVER same_size AS size_ties,
        rank(ORDER BY predicted DESC) OVER better_sparse - 1 AS concordant_sparse,
        rank(ORDER BY predicted) OVER better_sparse - 1 AS discordant_sparse,
        count(*) OVER same_sparse AS sparse_ties,
        -- The pairs of a member with those of worse truth, for its weight counts in these, too.
        rank(ORDER BY predicted) OVER worse - 1 AS concordant_with_worse,
        rank(ORDER BY predicted DESC) OVER worse - 1 AS discordant_with_worse,
        1 / row_number() OVER by_place AS weight,
        count(*) OVER series AS members
    FROM sized
    WINDOW
        series AS (PARTITION BY gt_key, mask, predictor, series),
        better AS (series ORDER BY truth DESC GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
        worse AS (series ORDER BY truth GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
        by_place AS (series ORDER BY truth DESC, arch_id),
        better_sparse AS (series ORDER BY sparse_truth DESC GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
        same_sparse AS (series ORDER BY sparse_truth DESC RANGE BETWEEN CURRENT ROW AND CURRENT ROW),
        by_truth AS (series ORDER BY truth DESC),
        same_truth AS (series ORDER BY truth DESC RANGE BETWEEN CURRENT ROW AND CURRENT ROW),
        by_predicted AS (series ORDER BY predicted DESC),
        same_predicted AS (series ORDER BY predicted DESC RANGE BETWEEN CURRENT ROW AND CURRENT ROW),
        larger AS (series ORDER BY params DESC GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
        same_size AS (series ORDER BY params DESC RANGE BETWEEN CURRENT ROW AND CURRENT ROW),
        better_of_size AS (
            PARTITION BY gt_key, mask, predictor, series, params
            ORDER BY truth DESC GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        )
),
summed AS (
    SELECT
        gt_key, mask, predictor, series,
        count(*) AS n_predicted,
        count(*) * (count(*) - 1) / 2 AS pairs,
        sum(concordant) - sum(discordant) AS score,
        sum(concordant_of_size) - sum(discordant_of_size) AS score_of_size,
        sum(larger_is_better) - sum(larger_is_worse) AS truth_size_score,
        sum(larger_is_predicted) - sum(smaller_is_predicted) AS prediction_size_score,
        -- Every member of t equal ones has t - 1 others, and each pair is met twice.
        sum(truth_ties - 1) / 2 AS tied_by_truth,
        sum(predicted_ties - 1) / 2 AS tied_by_prediction,
        sum(size_ties - 1) / 2 AS tied_by_size,
        sum(concordant_sparse) - sum(discordant_sparse) AS sparse_score,
        sum(sparse_ties - 1) / 2 AS tied_by_sparse,
        fsum(
            weight * (concordant + concordant_with_worse - discordant - discordant_with_worse)
        ) AS weighted_score,
        fsum(weight * (members - truth_ties)) AS weight_by_truth,
        fsum(weight * (members - predicted_ties)) AS weight_by_prediction,
        -- Spearman's is Pearson's of the ranks, where equal members share the mean of their ranks.
        corr(truth_rank + (truth_ties - 1) / 2, predicted_rank + (predicted_ties - 1) / 2) AS rank_correlation,
        count(value) = count(*) AS is_finite,
        favg(value) AS mean_value, stddev_samp(value) AS value_std, corr(truth, value) AS correlation
    FROM counted
    GROUP BY ALL
),
tau_b AS (
    SELECT
        *,
        score / nullif(sqrt((pairs - tied_by_truth) * (pairs - tied_by_prediction)), 0) AS tau,
        truth_size_score / nullif(sqrt((pairs - tied_by_truth) * (pairs - tied_by_size)), 0) AS truth_size_tau,
        prediction_size_score / nullif(sqrt((pairs - tied_by_prediction) * (pairs - tied_by_size)), 0)
        AS prediction_size_tau
    FROM summed
)
SELECT
    gt_key, mask, predictor, series, n_predicted,
    CASE WHEN is_finite THEN mean_value END AS mean_predicted,
    CASE WHEN is_finite THEN value_std END AS predicted_std,
    tau,
    score / nullif(pairs, 0) AS tau_eq2,
    CASE WHEN isfinite(rank_correlation) THEN rank_correlation END AS spearman,
    CASE WHEN is_finite AND isfinite(correlation) THEN correlation END AS pearson,
    CASE WHEN tied_by_size >= 30 THEN score_of_size / tied_by_size END AS tau_same_size,
    -- Kendall's partial τ. A square of 1 to twelve digits is 1: a τ of ±1 has rounding of its own.
    (tau - truth_size_tau * prediction_size_tau)
    / nullif(sqrt(round(1 - truth_size_tau ** 2, 12) * round(1 - prediction_size_tau ** 2, 12)), 0) AS tau_partial,
    sparse_score / nullif(sqrt((pairs - tied_by_sparse) * (pairs - tied_by_prediction)), 0) AS tau_sparse,
    weighted_score / nullif(sqrt(weight_by_truth * weight_by_prediction), 0) AS tau_weighted
FROM tau_b;

COMMENT ON MACRO TABLE rank_correlation IS
'Kendall''s τ (tau-b, Equation 2, among pairs of equal size, partial given the size, of rounded truth, and weighted by '
'rank), Spearman''s and Pearson''s correlation of truth and prediction in each series of a relation';
