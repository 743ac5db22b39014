CREATE OR REPLACE VIEW top_n AS
SELECT gt_key, mask, n, arch_id, gt_rank, accuracy
FROM architecture_set
WHERE kind = 'top' AND NOT one_per_class;

COMMENT ON VIEW top_n IS
'The N best architectures of each ground-truth key and mask, for the paper''s seven N, where the mask leaves so many';
COMMENT ON COLUMN top_n.gt_key IS 'ground-truth key';
COMMENT ON COLUMN top_n.mask IS 'operations removed';
COMMENT ON COLUMN top_n.n IS '10, 25, 50, 100, 150, 250 or 500';
COMMENT ON COLUMN top_n.arch_id IS 'architecture';
COMMENT ON COLUMN top_n.gt_rank IS '1 for the best';
COMMENT ON COLUMN top_n.accuracy IS 'ground truth, fraction 0..1';
