CREATE OR REPLACE VIEW operation_usage AS
SELECT
    gt_key, mask, one_per_class, architecture_set, n, operation,
    avg(CAST(edges > 0 AS INTEGER)) AS usage,
    avg(edges) / 6 AS share,
    set_kind, is_paper_set
FROM architecture_set
JOIN operation_count USING (arch_id)
GROUP BY ALL;

COMMENT ON VIEW operation_usage IS 'Which operations the best architectures use (Figure 3)';
COMMENT ON COLUMN operation_usage.gt_key IS 'ground-truth key';
COMMENT ON COLUMN operation_usage.mask IS 'operations removed';
COMMENT ON COLUMN operation_usage.one_per_class IS 'false: all architectures; true: one of each class';
COMMENT ON COLUMN operation_usage.architecture_set IS 'as set_definition.architecture_set';
COMMENT ON COLUMN operation_usage.n IS 'architectures in the set';
COMMENT ON COLUMN operation_usage.operation IS 'Zero, Skip, C1x1, C3x3 or Pool';
COMMENT ON COLUMN operation_usage.usage IS 'share of the architectures that use it at all, 0..1';
COMMENT ON COLUMN operation_usage.share IS 'share of all their edges, six a cell, 0..1';
COMMENT ON COLUMN operation_usage.set_kind IS 'what kind of set: top, top-percent, random or all';
COMMENT ON COLUMN operation_usage.is_paper_set IS
'whether the paper measures on it: its seven top-N and the random sample';
