CREATE OR REPLACE VIEW architecture_set AS
SELECT gt_key, mask, 'top-' || n AS architecture_set, n, arch_id, accuracy
FROM top_n
UNION ALL
SELECT
    rank.gt_key, rank.mask, 'random' AS architecture_set,
    count(*) OVER (PARTITION BY rank.gt_key, rank.mask) AS n,
    rank.arch_id, rank.accuracy
FROM architecture_rank AS rank
JOIN random_sample USING (mask, arch_id);

COMMENT ON VIEW architecture_set IS 'The eight sets that the paper measures on: seven top-N and the random sample';
COMMENT ON COLUMN architecture_set.gt_key IS 'ground-truth key';
COMMENT ON COLUMN architecture_set.mask IS 'operations removed';
COMMENT ON COLUMN architecture_set.architecture_set IS 'top-10 … top-500, or random';
COMMENT ON COLUMN architecture_set.n IS 'architectures in the set';
COMMENT ON COLUMN architecture_set.arch_id IS 'architecture';
COMMENT ON COLUMN architecture_set.accuracy IS 'ground truth, fraction 0..1';
