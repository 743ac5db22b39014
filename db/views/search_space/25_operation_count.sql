CREATE OR REPLACE VIEW operation_count AS
SELECT
    arch_id, operation,
    len(list_filter(
        [edge_01, edge_02, edge_12, edge_03, edge_13, edge_23], lambda edge: edge = operation
    )) AS edges
FROM architecture
CROSS JOIN (VALUES ('Zero'), ('Skip'), ('C1x1'), ('C3x3'), ('Pool')) AS operations (operation);

COMMENT ON VIEW operation_count IS 'How many of the six edges of each architecture have each operation';
COMMENT ON COLUMN operation_count.arch_id IS 'architecture';
COMMENT ON COLUMN operation_count.operation IS 'Zero, Skip, C1x1, C3x3 or Pool';
COMMENT ON COLUMN operation_count.edges IS 'edges with it, 0..6';
