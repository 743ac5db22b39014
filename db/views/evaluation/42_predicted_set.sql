-- The members of every architecture set, each with its prediction or NULL, for each row of `pairs`, a relation like
-- evaluation_key. One of each class is looked at only where the whole space was predicted.
CREATE OR REPLACE MACRO predicted_set(pairs) AS TABLE
WITH member AS (
    SELECT
        pair.run_id, pair.epoch, pair.bn_mode, pair.gt_key, pair.mask, pair.is_whole_space, pair.is_final,
        truth.one_per_class, truth.gt_rank, truth.in_random_sample, truth.arch_id,
        truth.accuracy AS truth, coalesce(prediction.accuracy, prediction.score) AS predicted
    FROM query_table(pairs) AS pair
    JOIN architecture_rank AS truth USING (gt_key, mask)
    LEFT JOIN prediction
        ON prediction.run_id = pair.run_id AND prediction.epoch = pair.epoch
        AND prediction.bn_mode = pair.bn_mode AND prediction.arch_id = truth.arch_id
    WHERE pair.is_whole_space
        OR (NOT truth.one_per_class AND (truth.gt_rank <= 500 OR truth.in_random_sample))
)
SELECT member.*, definition.kind AS set_kind, definition.architecture_set, definition.size,
    definition.is_paper_set
FROM member
JOIN set_definition AS definition USING (one_per_class)
WHERE is_member(definition.kind, definition.size, member.gt_rank, member.in_random_sample)
    AND (member.is_whole_space OR definition.kind <> 'all');

COMMENT ON MACRO TABLE predicted_set IS
'The members of each architecture set with their predictions, for the evaluations and keys of a relation like '
'evaluation_key';
