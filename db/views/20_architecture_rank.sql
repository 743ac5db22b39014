CREATE OR REPLACE VIEW architecture_rank AS
SELECT
    truth.gt_key, mask.mask, truth.arch_id, truth.accuracy,
    row_number() OVER (
        PARTITION BY truth.gt_key, mask.mask ORDER BY truth.accuracy DESC, truth.arch_id
    ) AS gt_rank
FROM ground_truth AS truth
JOIN architecture USING (arch_id)
JOIN mask ON (architecture.used_bits & mask.mask_bits) = 0;

COMMENT ON VIEW architecture_rank IS 'The true order of the architectures that a mask leaves, ties broken by arch_id';
COMMENT ON COLUMN architecture_rank.gt_key IS 'ground-truth key';
COMMENT ON COLUMN architecture_rank.mask IS 'operations removed; the architecture uses none of them';
COMMENT ON COLUMN architecture_rank.arch_id IS 'architecture';
COMMENT ON COLUMN architecture_rank.accuracy IS 'ground truth, fraction 0..1';
COMMENT ON COLUMN architecture_rank.gt_rank IS '1 for the best';
