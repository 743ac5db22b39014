-- What a search that trusts the predictions finds, for each row of `pairs`, a relation like evaluation_key.
CREATE OR REPLACE MACRO search_of(pairs) AS TABLE
WITH member AS (
    SELECT
        *,
        count(*) OVER pool AS n_predicted,
        max(truth) OVER pool AS best_truth,
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
-- Each of the k best predicted, once for every k. A pool of n has a choice of less than n.
found AS (
    SELECT member.*, cut.top_k, CAST(coalesce(cut.k, ceil(member.n * cut.percent / 100)) AS INTEGER) AS k
    FROM member
    JOIN cut ON member.predicted_place <= coalesce(cut.k, ceil(member.n * cut.percent / 100))
    WHERE member.n_predicted = member.n AND coalesce(cut.k, 0) < member.n
        AND member.predicted_place <= greatest(500, member.n / 10 + 1)  -- no k is larger
)
SELECT
    run_id, epoch, bn_mode, gt_key, mask, one_per_class, architecture_set AS pool, n, top_k, k,
    avg(CAST(true_place <= k AS INTEGER)) AS precision_at_k,
    min(true_place) AS best_rank,
    any_value(best_truth) - max(truth) AS regret
FROM found
GROUP BY ALL;

COMMENT ON MACRO TABLE search_of IS
'What run_search says, computed for the evaluations and keys of a relation like evaluation_key';
