CREATE OR REPLACE VIEW architecture_set AS
SELECT
    rank.gt_key, rank.mask, definition.architecture_set,
    count(*) OVER (PARTITION BY rank.gt_key, rank.mask, definition.architecture_set) AS n,
    definition.kind, rank.one_per_class, rank.gt_rank, rank.arch_id, rank.accuracy,
    definition.kind AS set_kind, definition.is_paper_set
FROM architecture_rank AS rank
JOIN set_definition AS definition USING (one_per_class)
WHERE is_member(definition.kind, definition.size, rank.gt_rank, rank.in_random_sample)
QUALIFY definition.kind <> 'top' OR n = definition.size;

COMMENT ON VIEW architecture_set IS 'The members of each architecture set';
COMMENT ON COLUMN architecture_set.gt_key IS 'ground-truth key';
COMMENT ON COLUMN architecture_set.mask IS 'operations removed';
COMMENT ON COLUMN architecture_set.architecture_set IS 'as set_definition.architecture_set';
COMMENT ON COLUMN architecture_set.n IS 'architectures in the set';
COMMENT ON COLUMN architecture_set.kind IS 'as set_kind, which every other view calls it';
COMMENT ON COLUMN architecture_set.one_per_class IS 'false: all architectures; true: one of each class';
COMMENT ON COLUMN architecture_set.gt_rank IS '1 for the best of the mask';
COMMENT ON COLUMN architecture_set.arch_id IS 'architecture';
COMMENT ON COLUMN architecture_set.accuracy IS 'ground truth, fraction 0..1';
COMMENT ON COLUMN architecture_set.set_kind IS 'top, random or all';
COMMENT ON COLUMN architecture_set.is_paper_set IS 'as set_definition.is_paper_set';
