-- What is stored of the evaluations and keys of a relation like evaluation_key, in the sets of `definitions`.
CREATE OR REPLACE MACRO stored_metric_of(evaluations, definitions := 'set_definition') AS TABLE
SELECT stored.*, evaluation.mask, definition.kind AS set_kind
FROM stored_ranking AS stored
JOIN query_table(evaluations) AS evaluation USING (run_id, epoch, bn_mode, gt_key)
JOIN query_table(definitions) AS definition USING (architecture_set);

COMMENT ON MACRO TABLE stored_metric_of IS
'The rows of stored_ranking of the evaluations and keys of a relation like evaluation_key, with mask and set_kind';

-- What run_metric says, for a relation with the columns of stored_metric_of or of ranking_of.
CREATE OR REPLACE MACRO run_metric_from(metrics) AS TABLE
SELECT
    metric.*, metric.n_predicted = metric.n AS is_whole,
    is_set_of_paper(metric.set_kind, metric.one_per_class) AS is_paper_set,
    is_final_epoch(metric.epoch, experiment.epochs) AS is_final
FROM query_table(metrics) AS metric
JOIN run USING (run_id)
JOIN experiment USING (experiment_id);

COMMENT ON MACRO TABLE run_metric_from IS
'The rows of run_metric of a relation with the columns of stored_metric_of or of ranking_of';

-- What run_metric says, for the evaluations and keys of a relation like evaluation_key. Under keys that are not stored,
-- metrics are computed for these and no others: DuckDB cannot tell by a list of runs which to leave out. Nor can it by
-- a reader's choice of sets: `definitions` is set_definition or a part of it, and others need not be computed.
CREATE OR REPLACE MACRO run_metric_of(evaluations, definitions := 'set_definition') AS TABLE
WITH unstored AS (
    SELECT *
    FROM query_table(evaluations)
    ANTI JOIN stored_ranking USING (run_id, epoch, bn_mode, gt_key)
),
metric AS (
    SELECT * FROM stored_metric_of(evaluations, definitions := definitions)
    UNION ALL BY NAME
    SELECT * FROM ranking_of('unstored', definitions := definitions)
)
SELECT * FROM run_metric_from('metric');

COMMENT ON MACRO TABLE run_metric_of IS
'What run_metric says, for the evaluations and keys of a relation like evaluation_key; fast for '
'some runs under any key, and for some sets, where `definitions` is a part of set_definition';

CREATE OR REPLACE VIEW run_metric AS SELECT * FROM run_metric_of('evaluation_key');

COMMENT ON VIEW run_metric IS
'How one run ranks each architecture set: stored for the keys that it was asked to predict, computed for all others';
COMMENT ON COLUMN run_metric.run_id IS 'run';
COMMENT ON COLUMN run_metric.epoch IS 'completed epochs of training; 0 where there is none';
COMMENT ON COLUMN run_metric.bn_mode IS 'BatchNorm statistics; imported or untrained where there are none';
COMMENT ON COLUMN run_metric.gt_key IS 'ground-truth key that chooses the set';
COMMENT ON COLUMN run_metric.mask IS 'operations removed, empty for none';
COMMENT ON COLUMN run_metric.one_per_class IS 'false: all architectures; true: one of each class';
COMMENT ON COLUMN run_metric.architecture_set IS
'as set_definition.architecture_set';
COMMENT ON COLUMN run_metric.n IS 'architectures in the set';
COMMENT ON COLUMN run_metric.n_predicted IS 'how many of them have a prediction; the others are left out';
COMMENT ON COLUMN run_metric.a_n IS
'A_N: mean predicted accuracy of the set, fraction 0..1; NULL for scores, and where one is infinite';
COMMENT ON COLUMN run_metric.tau IS
'Kendall''s tau-b between ground truth and prediction, -1..1, corrected for ties; NULL where all predictions or all '
'truths are equal';
COMMENT ON COLUMN run_metric.tau_eq2 IS
'Kendall''s τ by Equation 2 of the paper, -1..1: concordant minus discordant pairs by all pairs';
COMMENT ON COLUMN run_metric.spearman IS 'Spearman''s rank correlation, -1..1; NULL as tau';
COMMENT ON COLUMN run_metric.pearson IS 'Pearson''s correlation, -1..1; NULL as tau, and where one is infinite';
COMMENT ON COLUMN run_metric.mean_score IS
'mean score of the set, in the scores'' own unit, where experiment.predicts is score; NULL where one is infinite';
COMMENT ON COLUMN run_metric.set_kind IS 'what kind of set: top, top-percent, random, all or predicted';
COMMENT ON COLUMN run_metric.is_paper_set IS 'whether the paper measures on it: its seven top-N and the random sample';
COMMENT ON COLUMN run_metric.is_final IS 'whether it is of the end of training, or without any';
COMMENT ON COLUMN run_metric.tau_same_size IS
'τ among pairs of equal size (parameters), -1..1: concordant minus discordant pairs by all, tied ones too; what is '
'known beyond counting parameters; NULL for fewer than 30 such pairs';
COMMENT ON COLUMN run_metric.tau_partial IS
'Kendall''s partial τ given the number of parameters, -1..1; NULL where all are of one size or a τ is NULL';
COMMENT ON COLUMN run_metric.tau_sparse IS
'tau-b of the prediction and the truth in tenths of a percentage point, -1..1; NULL as tau';
COMMENT ON COLUMN run_metric.tau_weighted IS
'Kendall''s τ in which a pair weighs 1 / i + 1 / j, with true ranks i and j within the set, -1..1; NULL as tau';
COMMENT ON COLUMN run_metric.auc IS
'in the set random: how often one of the top-500 is predicted above one of the random sample outside it, ties counting '
'half, 0..1; NULL in other sets, where a set is not whole, and where none is outside';
COMMENT ON COLUMN run_metric.predicted_std IS
'sample deviation of the predictions over the set, in their own unit; NULL where one is infinite';
COMMENT ON COLUMN run_metric.is_whole IS
'whether all n have a prediction; pages, findings and comparisons take only such';
