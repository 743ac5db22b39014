-- τa beside each row of `relation`, a relation with the columns predictor, epoch, bn_mode, gt_key, mask, one_per_class,
-- set_kind, n and mean. A series is what is equal in the first six; it has a τa if all eight means are there.
-- They are sorted after the window, which would sort them for every row. Each macro takes a column: DuckDB 1.4.2 puts
-- an aggregate that is an argument into the macro's lambda.
CREATE OR REPLACE MACRO with_tau_a(relation) AS TABLE
WITH gathered AS (
    SELECT
        *,
        list({'is_random': set_kind = 'random', 'n': n, 'mean': mean})
        FILTER (WHERE is_point_of_tau_a(set_kind) AND mean IS NOT NULL)
        OVER (PARTITION BY predictor, epoch, bn_mode, gt_key, mask, one_per_class) AS points
    FROM query_table(relation)
),
sorted AS (
    SELECT * EXCLUDE (points), [point.mean FOR point IN list_sort(points)] AS means
    FROM gathered
)
SELECT * EXCLUDE (means), tau_a_of(means) AS tau_a
FROM sorted;

COMMENT ON MACRO TABLE with_tau_a IS
'A relation with the τa of each of its series of A_N, or of mean scores: the only place that puts A_N in their order';

-- The same with a row a predictor, epoch, BN mode and key that has a τa.
CREATE OR REPLACE MACRO tau_a_of_series(relation) AS TABLE
SELECT
    predictor, epoch, bn_mode, gt_key,
    any_value(tau_a) FILTER (WHERE NOT one_per_class) AS tau_a,
    any_value(tau_a) FILTER (WHERE one_per_class) AS tau_a_classes
FROM with_tau_a(relation)
GROUP BY ALL
HAVING count(tau_a) FILTER (WHERE NOT one_per_class) > 0;

COMMENT ON MACRO TABLE tau_a_of_series IS
'The τa of each predictor, epoch, BN mode and key of a relation as with_tau_a takes it, also on one of each class';
