-- The searches of `searches`, a relation like run_search, as metric_values has rankings: the pool is the set.
CREATE OR REPLACE MACRO search_values(searches) AS TABLE
SELECT experiment_id, run_id, seed, epoch, bn_mode, gt_key, architecture_set, top_k, metric, value
FROM (
    UNPIVOT (
        SELECT
            experiment_id, run_id, seed, epoch, bn_mode, gt_key, pool AS architecture_set, top_k,
            precision_at_k, ndcg_at_k, regret, CAST(best_rank AS DOUBLE) AS best_rank
        FROM query_table(searches)
    ) ON precision_at_k, ndcg_at_k, regret, best_rank INTO NAME metric VALUE value
);

COMMENT ON MACRO TABLE search_values IS
'A relation like run_search with a row for each run, pool, top_k and metric that is not NULL';

-- The means over seeds of `valued`, a relation like what metric_values gives, each with its interval and beside
-- chance; `of_top_k` is empty but for searches, which are of one.
CREATE OR REPLACE MACRO means_beside_chance(valued, of_top_k) AS TABLE
WITH mean AS (
    SELECT * FROM means_of(valued)
),
known AS (
    SELECT * FROM with_errors('mean')
),
told AS (
    SELECT
        -- The mean of the τa of single runs has another level of chance than the τa of their mean A_N.
        * EXCLUDE (mean) REPLACE (if(metric = 'tau_a', 'tau_a_mean', metric) AS metric),
        mean AS value, of_top_k AS top_k
    FROM with_interval('known')
)
SELECT * FROM beside_chance('told');

COMMENT ON MACRO TABLE means_beside_chance IS
'Means over seeds of a relation like what metric_values gives, with the half of their 95 % intervals of with_interval, '
'and what they are without information';

-- The means beside all that they are held against: chance, one experiment, and the number of parameters. `pairs` has
-- experiment_id, other_id, and the family: reference or parameters.
CREATE OR REPLACE MACRO means_against(valued, of_top_k, pairs) AS TABLE
WITH compared AS (
    SELECT * FROM compare_families(valued, pairs)
)
SELECT
    told.experiment_id, told.seeds, told.value AS mean, told.half_interval,
    told.permutations_low, told.permutations_high, told.initial_low, told.initial_high, told.leaves,
    told.is_within_chance,
    reference.difference, reference.difference_interval, reference.p_holm, reference.seeds_to_tell,
    parameters.difference AS parameters_difference, parameters.difference_interval AS parameters_interval,
    parameters.p_holm AS parameters_p_holm
FROM means_beside_chance(valued, of_top_k) AS told
LEFT JOIN compared AS reference ON reference.experiment_id = told.experiment_id AND reference.family = 'reference'
LEFT JOIN compared AS parameters ON parameters.experiment_id = told.experiment_id AND parameters.family = 'parameters';

COMMENT ON MACRO TABLE means_against IS
'Means over seeds of a relation like what metric_values gives beside chance, and their differences to the other of '
'each of the pairs, of the families reference and parameters';
