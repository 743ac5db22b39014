CREATE OR REPLACE VIEW operation_usage AS
WITH member AS (
    SELECT
        gt_key, mask, one_per_class, architecture_set, n,
        [edge_01, edge_02, edge_12, edge_03, edge_13, edge_23] AS edges
    FROM architecture_set
    JOIN architecture USING (arch_id)
),
counted AS (
    SELECT
        gt_key, mask, one_per_class, architecture_set, n, operation,
        len(list_filter(edges, lambda edge: edge = operation)) AS edges
    FROM member
    CROSS JOIN (VALUES ('Zero'), ('Skip'), ('C1x1'), ('C3x3'), ('Pool')) AS operations (operation)
)
SELECT
    gt_key, mask, one_per_class, architecture_set, n, operation,
    avg(CAST(edges > 0 AS INTEGER)) AS usage,
    avg(edges) / 6 AS share
FROM counted
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
