-- The members of the sets that `ranking` makes, a relation with the columns predictor, gt_key, mask, one_per_class,
-- gt_rank, in_random_sample and any others. One ranking is what is equal in the first four. `definitions` is
-- set_definition, or a part of it.
CREATE OR REPLACE MACRO set_members(ranking, definitions := 'set_definition') AS TABLE
WITH ranked AS (
    SELECT *, count(*) OVER (PARTITION BY predictor, gt_key, mask, one_per_class) AS architectures
    FROM query_table(ranking)
),
sized AS (
    SELECT
        ranked.*, definition.architecture_set, definition.kind AS set_kind,
        coalesce(definition.size, ceil(definition.percent * architectures / 100)) AS size
    FROM ranked
    JOIN query_table(definitions) AS definition USING (one_per_class)
    WHERE definition.kind <> 'predicted' AND coalesce(definition.size, 0) <= architectures
)
SELECT * EXCLUDE (size, architectures) FROM sized WHERE is_member(set_kind, size, gt_rank, in_random_sample);

COMMENT ON MACRO TABLE set_members IS
'The members of each architecture set that a relation of rankings makes; one of fewer than N has no top-N';

CREATE OR REPLACE VIEW architecture_set AS
SELECT
    rank.gt_key, rank.mask, ranked_set.architecture_set, ranked_set.n,
    definition.kind, rank.one_per_class, rank.gt_rank, rank.arch_id, rank.accuracy,
    definition.kind AS set_kind, definition.is_paper_set
FROM architecture_rank AS rank
JOIN ranked_set USING (gt_key, mask, one_per_class)
JOIN set_definition AS definition USING (one_per_class, architecture_set)
WHERE is_member(definition.kind, ranked_set.n, rank.gt_rank, rank.in_random_sample);

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
COMMENT ON COLUMN architecture_set.set_kind IS 'top, top-percent, random or all';
COMMENT ON COLUMN architecture_set.is_paper_set IS 'as set_definition.is_paper_set';
