-- The differences of `pairs`, a relation with the columns seed, value, other_value and any others: a row for what is
-- equal in the others.
CREATE OR REPLACE MACRO seed_differences(pairs) AS TABLE
WITH differing AS (
    SELECT
        * EXCLUDE (seed, value, other_value),
        favg(value) AS mean, favg(other_value) AS other_mean,
        favg(value - other_value) AS difference, stddev_samp(value - other_value) AS difference_std,
        count(*) AS seeds,
        list(value - other_value ORDER BY seed) AS differences
    FROM query_table(pairs)
    GROUP BY ALL
)
SELECT
    * EXCLUDE (differences),
    interval_95(difference_std, seeds) AS difference_interval,
    sign_flip_p(differences) AS p_value
FROM differing;

COMMENT ON MACRO TABLE seed_differences IS
'Mean, deviation, 95 % interval and p-value of the differences of a relation with seed, value and other_value';

-- Holm's correction within each family: rows of `relation` that are equal in family, epoch, bn_mode, gt_key,
-- architecture_set and metric. The smallest p-value counts as often as there are comparisons, the next once less, and
-- none less than the one before.
CREATE OR REPLACE MACRO with_holm(relation) AS TABLE
WITH placed AS (
    SELECT *, count(p_value) OVER family AS comparisons, row_number() OVER (family ORDER BY p_value) AS place
    FROM query_table(relation)
    WINDOW family AS (PARTITION BY family, epoch, bn_mode, gt_key, architecture_set, metric)
)
SELECT
    * EXCLUDE (place), comparisons - place + 1 AS holm_factor,
    CASE WHEN p_value IS NOT NULL THEN
        max(least(1, p_value * holm_factor)) OVER (
            PARTITION BY family, epoch, bn_mode, gt_key, architecture_set, metric ORDER BY place
        )
    END AS p_holm
FROM placed;

COMMENT ON MACRO TABLE with_holm IS
'A relation with p_value after Holm''s correction, p_holm, the number of comparisons of each family, and by how many '
'of them p_value counts';
