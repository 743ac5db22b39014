-- The metrics of every architecture set of `definitions` for each row of `pairs`, a relation like evaluation_key.
CREATE OR REPLACE MACRO ranking_of(pairs, definitions := 'set_definition') AS TABLE
WITH member AS (
    -- Of a whole space, the series of `predicted` is that of `all`.
    SELECT run_id AS predictor, *
    FROM predicted_set(pairs, definitions := definitions)
    WHERE NOT (is_whole_space AND set_kind = 'predicted')
),
set_of_area AS (
    SELECT * FROM set_definition WHERE kind = 'random' OR size = 500
),
-- The best 500, and the random sample without those: how often one of the former is predicted above one of the latter.
best_or_random AS (
    SELECT
        run_id, epoch, bn_mode, gt_key, mask, one_per_class, arch_id, any_value(predicted) AS predicted,
        bool_or(set_kind = 'top') AS is_best, bool_or(set_kind = 'random') AS is_random
    FROM predicted_set(pairs, definitions := 'set_of_area')
    GROUP BY ALL
),
placed AS (
    SELECT
        *,
        -- The mean of the ranks that equal ones share.
        rank() OVER by_predicted + (count(*) OVER same_predicted - 1) / 2 AS place
    FROM best_or_random
    WINDOW
        series AS (PARTITION BY run_id, epoch, bn_mode, gt_key, mask, one_per_class),
        by_predicted AS (series ORDER BY predicted),
        same_predicted AS (series ORDER BY predicted RANGE BETWEEN CURRENT ROW AND CURRENT ROW)
),
area AS (
    SELECT
        run_id, epoch, bn_mode, gt_key, mask, one_per_class,
        sum(place) FILTER (WHERE is_best) AS places_of_best, count(*) FILTER (WHERE is_best) AS best,
        count(*) FILTER (WHERE NOT is_best) AS others, count(*) FILTER (WHERE is_random) AS random
    FROM placed
    GROUP BY ALL
)
SELECT
    chosen.run_id, chosen.epoch, chosen.bn_mode, chosen.gt_key, chosen.mask, chosen.one_per_class, chosen.set_kind,
    chosen.architecture_set,
    coalesce(chosen.n, series.n_predicted) AS n, coalesce(series.n_predicted, 0) AS n_predicted,
    -- Rounded so that equal means are equal: τa compares them.
    CASE WHEN predicts = 'accuracy' THEN round(mean_predicted, 12) END AS a_n,
    tau, tau_eq2, spearman, pearson,
    CASE WHEN predicts = 'score' THEN twelve_digits(mean_predicted) END AS mean_score,
    tau_same_size, tau_partial, predicted_std, tau_sparse, tau_weighted,
    CASE
        WHEN chosen.set_kind = 'random' AND best = 500 AND random = chosen.n
            THEN (places_of_best - best * (best + 1) / 2) / nullif(best * others, 0)
    END AS auc
FROM measured_set(pairs, definitions := definitions) AS chosen
LEFT JOIN rank_correlation('member') AS series
    ON series.gt_key = chosen.gt_key AND series.mask = chosen.mask AND series.predictor = chosen.run_id
    AND series.series = chosen.series
LEFT JOIN area
    ON area.run_id = chosen.run_id AND area.epoch = chosen.epoch AND area.bn_mode = chosen.bn_mode
    AND area.gt_key = chosen.gt_key AND area.mask = chosen.mask AND area.one_per_class = chosen.one_per_class
JOIN run ON run.run_id = chosen.run_id
JOIN experiment USING (experiment_id)
-- Of the set `predicted` there is nothing to say where nothing was.
WHERE chosen.n IS NOT NULL OR series.n_predicted IS NOT NULL;

COMMENT ON MACRO TABLE ranking_of IS
'What run_metric says, computed for the evaluations and keys of a relation like evaluation_key';
