-- What run_ranking says, for a relation like run_metric.
CREATE OR REPLACE MACRO run_ranking_from(metrics) AS TABLE
WITH metric AS (
    -- Not from the view tau_a, which would compute every metric again.
    SELECT
        metric.run_id AS predictor, CASE WHEN metric.is_whole THEN coalesce(metric.a_n, metric.mean_score) END AS mean,
        ranked_set.mean_accuracy AS true_mean, metric.*
    FROM query_table(metrics) AS metric
    LEFT JOIN ranked_set USING (gt_key, mask, one_per_class, architecture_set)
),
with_gap AS (
    SELECT * FROM with_gap('metric')
)
SELECT
    run.experiment_id, experiment.name, experiment.dataset, experiment.size, ranking.mask, experiment.lt,
    experiment.variant, run.seed,
    -- By the name that windows are partitioned by, a reader's WHERE comes before them.
    ranking.* EXCLUDE (predictor, mean, true_mean, gap, gap_std, gap_share, auc, mask, set_kind, is_paper_set, is_final)
    REPLACE (predictor AS run_id),
    CASE WHEN predicts = 'accuracy' THEN ranking.gap END AS gap, ranking.gap_std,
    CASE WHEN predicts = 'accuracy' THEN ranking.gap_share END AS gap_share,
    ranking.auc,
    experiment.kind, ranking.set_kind, ranking.is_paper_set, ranking.is_final
FROM with_tau_a('with_gap') AS ranking
JOIN run ON run.run_id = ranking.predictor
JOIN experiment USING (experiment_id);

COMMENT ON MACRO TABLE run_ranking_from IS 'The rows of run_ranking of a relation like run_metric';

-- What run_ranking says, for the evaluations and keys of a relation like evaluation_key.
CREATE OR REPLACE MACRO run_ranking_of(evaluations, definitions := 'set_definition') AS TABLE
WITH metric AS (
    SELECT * FROM run_metric_of(evaluations, definitions := definitions)
)
SELECT * FROM run_ranking_from('metric');

COMMENT ON MACRO TABLE run_ranking_of IS
'What run_ranking says, for the evaluations and keys of a relation like evaluation_key; fast for '
'some runs under any key, and for some sets, where `definitions` is a part of set_definition';

CREATE OR REPLACE VIEW run_ranking AS SELECT * FROM run_ranking_of('evaluation_key');

COMMENT ON VIEW run_ranking IS
'Everything about how one run ranks: a row for each architecture set and ground-truth key';
COMMENT ON COLUMN run_ranking.experiment_id IS 'experiment';
COMMENT ON COLUMN run_ranking.name IS 'name of imported predictions or of an untrained predictor; NULL for networks';
COMMENT ON COLUMN run_ranking.dataset IS 'images trained on';
COMMENT ON COLUMN run_ranking.size IS 'size of the super-network';
COMMENT ON COLUMN run_ranking.mask IS 'operations removed, empty for none';
COMMENT ON COLUMN run_ranking.lt IS 'operations with a linear transformer, empty for none';
COMMENT ON COLUMN run_ranking.variant IS 'variant of the training';
COMMENT ON COLUMN run_ranking.seed IS 'seed of the run';
COMMENT ON COLUMN run_ranking.run_id IS 'run';
COMMENT ON COLUMN run_ranking.epoch IS 'completed epochs of training; 0 where there is none';
COMMENT ON COLUMN run_ranking.bn_mode IS 'BatchNorm statistics; imported or untrained where there are none';
COMMENT ON COLUMN run_ranking.gt_key IS 'ground-truth key';
COMMENT ON COLUMN run_ranking.one_per_class IS 'false: all architectures; true: one of each class';
COMMENT ON COLUMN run_ranking.architecture_set IS
'as set_definition.architecture_set';
COMMENT ON COLUMN run_ranking.n IS 'architectures in the set';
COMMENT ON COLUMN run_ranking.n_predicted IS 'how many of them have a prediction; the others are left out';
COMMENT ON COLUMN run_ranking.a_n IS
'A_N: mean predicted accuracy of the set, fraction 0..1; NULL for scores, and where one is infinite';
COMMENT ON COLUMN run_ranking.tau IS
'Kendall''s tau-b between ground truth and prediction, -1..1, corrected for ties; NULL where all predictions or all '
'truths are equal';
COMMENT ON COLUMN run_ranking.tau_eq2 IS
'Kendall''s τ by Equation 2 of the paper, -1..1: concordant minus discordant pairs by all pairs';
COMMENT ON COLUMN run_ranking.spearman IS 'Spearman''s rank correlation, -1..1; NULL as tau';
COMMENT ON COLUMN run_ranking.pearson IS 'Pearson''s correlation, -1..1; NULL as tau, and where one is infinite';
COMMENT ON COLUMN run_ranking.mean_score IS
'mean score of the set, in the scores'' own unit, where experiment.predicts is score; NULL where one is infinite';
COMMENT ON COLUMN run_ranking.tau_a IS 'τa of the run, the same in all its sets; -1 is best';
COMMENT ON COLUMN run_ranking.kind IS 'as experiment.kind';
COMMENT ON COLUMN run_ranking.set_kind IS 'what kind of set: top, top-percent, random, all or predicted';
COMMENT ON COLUMN run_ranking.is_paper_set IS 'whether the paper measures on it: its seven top-N and the random sample';
COMMENT ON COLUMN run_ranking.is_final IS 'whether it is of the end of training, or without any';
COMMENT ON COLUMN run_ranking.tau_same_size IS
'τ among pairs of equal size (parameters), -1..1: concordant minus discordant pairs by all, tied ones too; what is '
'known beyond counting parameters; NULL for fewer than 30 such pairs';
COMMENT ON COLUMN run_ranking.tau_partial IS
'Kendall''s partial τ given the number of parameters, -1..1; NULL where all are of one size or a τ is NULL';
COMMENT ON COLUMN run_ranking.tau_sparse IS
'tau-b of the prediction and the truth in tenths of a percentage point, -1..1; NULL as tau';
COMMENT ON COLUMN run_ranking.tau_weighted IS
'Kendall''s τ in which a pair weighs 1 / i + 1 / j, with true ranks i and j within the set, -1..1; NULL as tau';
COMMENT ON COLUMN run_ranking.auc IS
'how often one of the top-500 is predicted above one of the random sample outside it, ties counting half, 0..1, the '
'same in all its sets; compare only under one mask; NULL where a set is not whole, and where none is outside';
COMMENT ON COLUMN run_ranking.predicted_std IS
'sample deviation of the predictions over the set, in their own unit; NULL where one is infinite';
COMMENT ON COLUMN run_ranking.is_whole IS
'whether all n have a prediction; pages, findings and comparisons take only such';
COMMENT ON COLUMN run_ranking.gap IS
'A_500 - A_random of the run, a fraction, the same in all its sets: how much higher it predicts the best; compare only '
'under one mask; NULL for scores, and where a set is not whole';
COMMENT ON COLUMN run_ranking.gap_std IS
'the same by the deviation of the predictions in the random sample, also for scores; compare only under one mask';
COMMENT ON COLUMN run_ranking.gap_share IS 'gap by the gap of the ground truth, which 1 equals; NULL for scores';
