CREATE OR REPLACE VIEW random_sample AS
SELECT mask, arch_id
FROM search_space
WHERE in_random_sample AND NOT one_per_class;

COMMENT ON VIEW random_sample IS
'A fixed random sample of up to 1,000 architectures for each mask, the whole space where it has fewer';
COMMENT ON COLUMN random_sample.mask IS 'operations removed';
COMMENT ON COLUMN random_sample.arch_id IS 'architecture';
