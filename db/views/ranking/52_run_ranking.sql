-- What run_ranking says, for the evaluations and keys of a relation like evaluation_key. Under keys that are not
-- stored, metrics are computed for these and no others: DuckDB cannot tell by a list of runs which to leave out.
CREATE OR REPLACE MACRO run_ranking_of(evaluations) AS TABLE
WITH unstored AS (
    SELECT *
    FROM query_table(evaluations)
    ANTI JOIN stored_ranking USING (run_id, epoch, bn_mode, gt_key)
),
metric AS (
    SELECT stored.*, evaluation.mask
    FROM stored_ranking AS stored
    JOIN query_table(evaluations) AS evaluation USING (run_id, epoch, bn_mode, gt_key)
    UNION ALL BY NAME
    SELECT * FROM ranking_of('unstored')
)
SELECT
    run.experiment_id, experiment.name, experiment.dataset, experiment.size, metric.mask, experiment.lt, experiment.variant,
    run.seed, metric.* EXCLUDE (mask),
    -- Not from the view tau_a, which would compute every metric again.
    tau_a_of(
        list(coalesce(metric.a_n, metric.mean_score) ORDER BY metric.architecture_set LIKE 'random%', metric.n)
        FILTER (
            WHERE metric.architecture_set NOT LIKE 'all%' AND coalesce(metric.a_n, metric.mean_score) IS NOT NULL
        )
        OVER (
            -- With the mask, so that DuckDB applies a WHERE on it first.
            PARTITION BY
                metric.run_id, metric.epoch, metric.bn_mode, metric.gt_key, metric.mask, metric.one_per_class
        )
    ) AS tau_a
FROM metric
JOIN run USING (run_id)
JOIN experiment USING (experiment_id);

COMMENT ON MACRO TABLE run_ranking_of IS 'What run_ranking says, for the evaluations and keys of a relation like evaluation_key; fast for some runs under any key';

CREATE OR REPLACE VIEW run_ranking AS SELECT * FROM run_ranking_of('evaluation_key');

COMMENT ON VIEW run_ranking IS 'Everything about how one run ranks: a row for each architecture set and ground-truth key';
COMMENT ON COLUMN run_ranking.experiment_id IS 'experiment';
COMMENT ON COLUMN run_ranking.name IS 'name of imported predictions; NULL for trained super-networks';
COMMENT ON COLUMN run_ranking.dataset IS 'images trained on';
COMMENT ON COLUMN run_ranking.size IS 'size of the super-network';
COMMENT ON COLUMN run_ranking.mask IS 'operations removed, empty for none';
COMMENT ON COLUMN run_ranking.lt IS 'operations with a linear transformer, empty for none';
COMMENT ON COLUMN run_ranking.variant IS 'variant of the training';
COMMENT ON COLUMN run_ranking.seed IS 'seed of the run';
COMMENT ON COLUMN run_ranking.run_id IS 'run';
COMMENT ON COLUMN run_ranking.epoch IS 'completed epochs of training; 0 where predictions were imported';
COMMENT ON COLUMN run_ranking.bn_mode IS 'BatchNorm statistics; imported where predictions were';
COMMENT ON COLUMN run_ranking.gt_key IS 'ground-truth key';
COMMENT ON COLUMN run_ranking.one_per_class IS 'false: all architectures; true: one of each class';
COMMENT ON COLUMN run_ranking.architecture_set IS 'top-10 … top-500, random or all; followed by classes for one of each class';
COMMENT ON COLUMN run_ranking.n IS 'architectures in the set';
COMMENT ON COLUMN run_ranking.n_predicted IS 'how many of them have a prediction';
COMMENT ON COLUMN run_ranking.a_n IS 'A_N: mean predicted accuracy of the set, fraction 0..1; NULL unless all n are predicted, and for scores';
COMMENT ON COLUMN run_ranking.tau IS 'Kendall''s tau-b between ground truth and prediction, -1..1, corrected for ties; NULL unless all n are predicted, and where all predictions or all truths are equal';
COMMENT ON COLUMN run_ranking.tau_eq2 IS 'Kendall''s τ by Equation 2 of the paper, -1..1: concordant minus discordant pairs by all pairs';
COMMENT ON COLUMN run_ranking.spearman IS 'Spearman''s rank correlation, -1..1; NULL as tau';
COMMENT ON COLUMN run_ranking.pearson IS 'Pearson''s correlation, -1..1; NULL as tau';
COMMENT ON COLUMN run_ranking.mean_score IS 'mean score of the set, in the scores'' own unit, where experiment.predicts is score; NULL unless all n are predicted';
COMMENT ON COLUMN run_ranking.tau_a IS 'τa of the run, the same in all its sets; -1 is best';
