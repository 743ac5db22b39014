CREATE OR REPLACE VIEW search_space AS
WITH member AS (
    SELECT mask.mask, FALSE AS one_per_class, architecture.arch_id, architecture.sample_position
    FROM mask
    JOIN architecture ON (architecture.used_bits & mask.mask_bits) = 0
    UNION ALL
    -- Chosen within the mask: the smallest of the whole class may use an operation that is removed.
    SELECT mask.mask, TRUE, architecture.arch_id, architecture.sample_position
    FROM mask
    JOIN architecture ON (architecture.used_bits & mask.mask_bits) = 0
    JOIN architecture_class USING (arch_id)
    QUALIFY row_number() OVER (
        PARTITION BY mask.mask, architecture_class.class_id ORDER BY architecture.arch_id
    ) = 1
)
SELECT
    mask, one_per_class, arch_id,
    row_number() OVER (PARTITION BY mask, one_per_class ORDER BY sample_position) <= 1000 AS in_random_sample
FROM member;

COMMENT ON VIEW search_space IS 'The architectures that a mask leaves; once all of them and once one of each class';
COMMENT ON COLUMN search_space.mask IS 'operations removed; the architecture uses none of them';
COMMENT ON COLUMN search_space.one_per_class IS
'false: all architectures; true: of each class only the one with the smallest arch_id';
COMMENT ON COLUMN search_space.arch_id IS 'architecture';
COMMENT ON COLUMN search_space.in_random_sample IS
'whether it is among the first 1,000 of the space in the fixed random order';
