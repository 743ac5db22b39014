CREATE OR REPLACE VIEW random_sample AS
SELECT mask.mask, architecture.arch_id
FROM mask
JOIN architecture ON (architecture.used_bits & mask.mask_bits) = 0
QUALIFY row_number() OVER (PARTITION BY mask.mask ORDER BY architecture.sample_position) <= 1000;

COMMENT ON VIEW random_sample IS 'A fixed random sample of up to 1,000 architectures for each mask, the whole space where it has fewer';
COMMENT ON COLUMN random_sample.mask IS 'operations removed';
COMMENT ON COLUMN random_sample.arch_id IS 'architecture';
