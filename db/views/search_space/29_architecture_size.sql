-- Of the stand-alone networks of NAS-Bench-201 on CIFAR-10: 16 channels, three stages of five cells.
CREATE OR REPLACE VIEW architecture_size AS
WITH convolutions AS (
    SELECT
        arch_id,
        len(list_filter(edges, lambda edge: edge = 'C3x3')) AS c3x3,
        len(list_filter(edges, lambda edge: edge = 'C1x1')) AS c1x1,
        -- On each edge, in the same order; NULL where nothing passes, which makes a path's sum NULL.
        [CASE WHEN edge IN ('C1x1', 'C3x3') THEN 1 WHEN edge <> 'Zero' THEN 0 END FOR edge IN edges] AS on_edge
    FROM (SELECT arch_id, [edge_01, edge_02, edge_12, edge_03, edge_13, edge_23] AS edges FROM architecture)
)
SELECT
    arch_id, c3x3,
    73306 + 243040 * c3x3 + 28000 * c1x1 AS params,
    7783040 + 3932160 * (9 * c3x3 + c1x1) AS flops,
    coalesce(
        greatest(
            on_edge[4], on_edge[1] + on_edge[5], on_edge[2] + on_edge[6], on_edge[1] + on_edge[3] + on_edge[6]
        ),
        -1
    ) AS convolution_depth
FROM convolutions;

COMMENT ON VIEW architecture_size IS
'How large each architecture''s stand-alone network on CIFAR-10 is: what ranks without any training';
COMMENT ON COLUMN architecture_size.arch_id IS 'architecture';
COMMENT ON COLUMN architecture_size.c3x3 IS 'edges with C3x3, 0..6';
COMMENT ON COLUMN architecture_size.params IS
'trainable parameters; equal for two architectures if and only if both have as many C3x3 and as many C1x1';
COMMENT ON COLUMN architecture_size.flops IS 'multiply-adds of one image, of convolutions and the last layer';
COMMENT ON COLUMN architecture_size.convolution_depth IS
'most convolutions on any path from input to output, 0..3; -1 where Zero cuts all paths';
