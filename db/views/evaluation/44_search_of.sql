-- What a search that trusts the predictions finds, for each row of `pairs`, a relation like evaluation_key.
CREATE OR REPLACE MACRO search_of(pairs) AS TABLE
WITH member AS (
    SELECT
        *,
        count(*) OVER pool AS n_predicted,
        max(truth) OVER pool AS best_truth,
        truth - min(truth) OVER pool AS gain,
        row_number() OVER (pool ORDER BY gt_rank) AS true_place,
        row_number() OVER (pool ORDER BY predicted DESC, arch_id) AS predicted_place
    FROM predicted_set(pairs)
    WHERE set_kind IN ('random', 'all')
    WINDOW pool AS (PARTITION BY run_id, epoch, bn_mode, gt_key, mask, one_per_class, architecture_set)
),
cut AS (
    SELECT 'top-' || k AS top_k, k, NULL AS percent
    FROM (VALUES (1), (5), (10), (25), (50), (100), (250), (500)) AS _ (k)
    UNION ALL
    FROM (VALUES ('0.1 %', NULL, 0.1), ('0.5 %', NULL, 0.5), ('1 %', NULL, 1), ('5 %', NULL, 5), ('10 %', NULL, 10))
),
-- The k best predicted, the k worst predicted and the k truly best, once for every k. A pool of n has a choice of less
-- than n.
found AS (
    SELECT member.*, cut.top_k, CAST(coalesce(cut.k, ceil(member.n * cut.percent / 100)) AS INTEGER) AS k
    FROM member
    JOIN cut
        ON least(member.predicted_place, member.true_place, member.n + 1 - member.predicted_place)
        <= coalesce(cut.k, ceil(member.n * cut.percent / 100))
    WHERE member.n_predicted = member.n AND coalesce(cut.k, 0) < member.n
)
SELECT
    run_id, epoch, bn_mode, gt_key, mask, one_per_class, architecture_set AS pool, n, top_k, k,
    count(*) FILTER (WHERE predicted_place <= k AND true_place <= k) / k AS precision_at_k,
    min(true_place) FILTER (WHERE predicted_place <= k) AS best_rank,
    any_value(best_truth) - max(truth) FILTER (WHERE predicted_place <= k) AS regret,
    max(true_place) FILTER (WHERE predicted_place <= k) AS worst_rank,
    count(*) FILTER (WHERE predicted_place > n - k AND true_place > n - k) / k AS bottom_precision_at_k,
    fsum(gain / log2(predicted_place + 1)) FILTER (WHERE predicted_place <= k)
    / nullif(fsum(gain / log2(true_place + 1)) FILTER (WHERE true_place <= k), 0) AS ndcg_at_k
FROM found
GROUP BY run_id, epoch, bn_mode, gt_key, mask, one_per_class, architecture_set, n, top_k, k;

COMMENT ON MACRO TABLE search_of IS
'What run_search says, computed for the evaluations and keys of a relation like evaluation_key';
