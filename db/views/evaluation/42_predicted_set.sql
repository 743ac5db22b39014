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
-- Two inner joins instead of an outer one, whose size DuckDB overestimates so much that it joins predictions of all
-- runs with the truth. `definitions` is set_definition, or a part of it. Of a whole space, `predicted` is measured by
-- `all`, and so not without it.
CREATE OR REPLACE MACRO measured_set(pairs, definitions := 'set_definition') AS TABLE
WITH set_of_pair AS (
    SELECT pair.*, definition.*, ranked_set.n
    FROM query_table(pairs) AS pair
    JOIN ranked_set USING (gt_key, mask)
    JOIN query_table(definitions) AS definition USING (one_per_class, architecture_set)
    WHERE pair.is_whole_space OR (NOT definition.one_per_class AND definition.kind <> 'all')
    UNION ALL BY NAME
    SELECT pair.*, definition.*, NULL AS n
    FROM query_table(pairs) AS pair
    CROSS JOIN query_table(definitions) AS definition
    WHERE definition.kind = 'predicted' AND NOT definition.one_per_class
)
SELECT
    run_id, epoch, bn_mode, gt_key, mask, is_whole_space, is_final, one_per_class, kind AS set_kind,
    architecture_set, size, is_paper_set, n,
    -- Of a whole space, `predicted` and `all` are the same architectures, and ranked once.
    series_number(
        epoch, bn_mode,
        if(
            is_whole_space AND kind = 'predicted',
            (SELECT place FROM set_definition WHERE architecture_set = 'all'), place
        )
    ) AS series
FROM set_of_pair;

COMMENT ON MACRO TABLE measured_set IS
'The architecture sets that are measured for the evaluations and keys of a relation like evaluation_key; n is NULL for '
'predicted';

-- The members of these sets that have a prediction. A prediction meets its truth before the sets, so once and not once
-- for each of them. DuckDB changes the order of joins where it thinks that it knows better, but not across an UNNEST;
-- without these, it may join the predictions of all runs with the truth under every key first.
CREATE OR REPLACE MACRO predicted_set(pairs, definitions := 'set_definition') AS TABLE
WITH predicted AS (
    SELECT
        pair.run_id, pair.epoch, pair.bn_mode, pair.gt_key, pair.mask, prediction.arch_id,
        predicted_number(prediction.accuracy, prediction.score, prediction.status) AS predicted,
        unnest(if(pair.is_whole_space, [FALSE, TRUE], [FALSE])) AS one_per_class
    FROM query_table(pairs) AS pair
    JOIN prediction USING (run_id, epoch, bn_mode)
    WHERE predicted IS NOT NULL
),
ranked AS (
    SELECT
        predicted.* EXCLUDE (arch_id), truth.gt_rank, truth.in_random_sample, truth.accuracy AS truth,
        unnest([truth.arch_id]) AS arch_id
    FROM predicted
    JOIN architecture_rank AS truth USING (gt_key, mask, one_per_class, arch_id)
)
SELECT chosen.*, ranked.gt_rank, ranked.in_random_sample, ranked.arch_id, ranked.truth, ranked.predicted
FROM ranked
JOIN measured_set(pairs, definitions := definitions) AS chosen
    USING (run_id, epoch, bn_mode, gt_key, mask, one_per_class)
WHERE is_member(chosen.set_kind, chosen.n, ranked.gt_rank, ranked.in_random_sample);

COMMENT ON MACRO TABLE predicted_set IS
'The members of each architecture set that have a prediction, for the evaluations and keys of a relation like '
'evaluation_key';
