CREATE OR REPLACE VIEW true_ranking AS
SELECT gt_key, mask, arch_id, gt_rank, accuracy, in_random_sample
FROM architecture_rank
WHERE NOT one_per_class;

COMMENT ON VIEW true_ranking IS
'How each ground-truth key ranks all architectures that a mask leaves';
COMMENT ON COLUMN true_ranking.gt_key IS 'ground-truth key';
COMMENT ON COLUMN true_ranking.mask IS 'operations removed';
COMMENT ON COLUMN true_ranking.arch_id IS 'architecture';
COMMENT ON COLUMN true_ranking.gt_rank IS '1 for the best of the mask; of equal ones the smallest arch_id comes first';
COMMENT ON COLUMN true_ranking.accuracy IS 'ground truth, fraction 0..1';
COMMENT ON COLUMN true_ranking.in_random_sample IS 'whether it is in the random sample of the mask';
