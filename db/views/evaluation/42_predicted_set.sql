-- A prediction as a number that can be ranked: NULL for what is none.
CREATE OR REPLACE MACRO predicted_number(accuracy, score, status) AS
CASE status
    WHEN 'positive-infinity' THEN CAST('Infinity' AS DOUBLE)
    WHEN 'negative-infinity' THEN CAST('-Infinity' AS DOUBLE)
    ELSE coalesce(accuracy, score)
END;

COMMENT ON MACRO predicted_number IS
'The number by which a row of prediction is ranked: accuracy, score or an infinity; NULL where it is no number';

-- What tells the series of a run apart under one key, as a number: it is what metrics are sorted by.
CREATE OR REPLACE MACRO series_number(epoch, bn_mode, set_place) AS
1000 * CAST(epoch AS BIGINT)
+ 100 * list_position(['running', 'batch', 'recalibrated', 'imported', 'untrained'], bn_mode)
+ set_place;

COMMENT ON MACRO series_number IS
'A number for each epoch, BN mode and architecture set (by set_definition.place) of a run under one key';

-- Which sets are measured for each row of `pairs`, a relation like evaluation_key. The whole space, and one of each
-- class, are looked at only where all of the space was predicted: elsewhere the set `predicted` says what there is.
CREATE OR REPLACE MACRO measured_set(pairs) AS TABLE
SELECT
    pair.run_id, pair.epoch, pair.bn_mode, pair.gt_key, pair.mask, pair.is_whole_space, pair.is_final,
    definition.one_per_class, definition.kind AS set_kind, definition.architecture_set, definition.size,
    definition.is_paper_set, ranked_set.n,
    -- Of a whole space, `predicted` and `all` are the same architectures, and ranked once.
    series_number(
        pair.epoch, pair.bn_mode,
        if(
            pair.is_whole_space AND definition.kind = 'predicted',
            (SELECT place FROM set_definition WHERE architecture_set = 'all'), definition.place
        )
    ) AS series
FROM query_table(pairs) AS pair
CROSS JOIN set_definition AS definition
LEFT JOIN ranked_set USING (gt_key, mask, one_per_class, architecture_set)
WHERE (ranked_set.n IS NOT NULL OR definition.kind = 'predicted')
    AND (pair.is_whole_space OR (NOT definition.one_per_class AND definition.kind <> 'all'));

COMMENT ON MACRO TABLE measured_set IS
'The architecture sets that are measured for the evaluations and keys of a relation like evaluation_key; n is NULL for '
'predicted';

-- The members of these sets that have a prediction.
CREATE OR REPLACE MACRO predicted_set(pairs) AS TABLE
SELECT
    chosen.run_id, chosen.epoch, chosen.bn_mode, chosen.gt_key, chosen.mask, chosen.is_whole_space, chosen.is_final,
    chosen.one_per_class, truth.gt_rank, truth.in_random_sample, truth.arch_id, truth.accuracy AS truth,
    predicted_number(prediction.accuracy, prediction.score, prediction.status) AS predicted,
    chosen.set_kind, chosen.architecture_set, chosen.size, chosen.is_paper_set, chosen.n, chosen.series
FROM measured_set(pairs) AS chosen
JOIN prediction USING (run_id, epoch, bn_mode)
JOIN architecture_rank AS truth USING (gt_key, mask, one_per_class, arch_id)
WHERE predicted IS NOT NULL AND is_member(chosen.set_kind, chosen.n, truth.gt_rank, truth.in_random_sample);

COMMENT ON MACRO TABLE predicted_set IS
'The members of each architecture set that have a prediction, for the evaluations and keys of a relation like '
'evaluation_key';
