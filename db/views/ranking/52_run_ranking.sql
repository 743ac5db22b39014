-- What run_ranking says, for the evaluations and keys of a relation like evaluation_key.
CREATE OR REPLACE MACRO run_ranking_of(evaluations) AS TABLE
WITH metric AS (
    -- Not from the view tau_a, which would compute every metric again.
    SELECT run_id AS predictor, coalesce(a_n, mean_score) AS mean, *
    FROM run_metric_of(evaluations)
)
SELECT
    run.experiment_id, experiment.name, experiment.dataset, experiment.size, ranking.mask, experiment.lt,
    experiment.variant, run.seed,
    ranking.* EXCLUDE (predictor, mean, mask, set_kind, is_paper_set, is_final),
    experiment.kind, ranking.set_kind, ranking.is_paper_set, ranking.is_final
FROM with_tau_a('metric') AS ranking
JOIN run USING (run_id)
JOIN experiment USING (experiment_id);

COMMENT ON MACRO TABLE run_ranking_of IS
'What run_ranking says, for the evaluations and keys of a relation like evaluation_key; fast for '
'some runs under any key';

CREATE OR REPLACE VIEW run_ranking AS SELECT * FROM run_ranking_of('evaluation_key');

COMMENT ON VIEW run_ranking IS
'Everything about how one run ranks: a row for each architecture set and ground-truth key';
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
COMMENT ON COLUMN run_ranking.architecture_set IS
'top-10 … top-500, random or all; followed by classes for one of each class';
COMMENT ON COLUMN run_ranking.n IS 'architectures in the set';
COMMENT ON COLUMN run_ranking.n_predicted IS 'how many of them have a prediction';
COMMENT ON COLUMN run_ranking.a_n IS
'A_N: mean predicted accuracy of the set, fraction 0..1; NULL unless all n are predicted, and for scores';
COMMENT ON COLUMN run_ranking.tau IS
'Kendall''s tau-b between ground truth and prediction, -1..1, corrected for ties; NULL unless all n are predicted, '
'and where all predictions or all truths are equal';
COMMENT ON COLUMN run_ranking.tau_eq2 IS
'Kendall''s τ by Equation 2 of the paper, -1..1: concordant minus discordant pairs by all pairs';
COMMENT ON COLUMN run_ranking.spearman IS 'Spearman''s rank correlation, -1..1; NULL as tau';
COMMENT ON COLUMN run_ranking.pearson IS 'Pearson''s correlation, -1..1; NULL as tau';
COMMENT ON COLUMN run_ranking.mean_score IS
'mean score of the set, in the scores'' own unit, where experiment.predicts is score; NULL unless all n are '
'predicted';
COMMENT ON COLUMN run_ranking.tau_a IS 'τa of the run, the same in all its sets; -1 is best';
COMMENT ON COLUMN run_ranking.kind IS 'as experiment.kind: trained or imported';
COMMENT ON COLUMN run_ranking.set_kind IS 'what kind of set: top, random or all';
COMMENT ON COLUMN run_ranking.is_paper_set IS 'whether the paper measures on it: its seven top-N and the random sample';
COMMENT ON COLUMN run_ranking.is_final IS 'whether it is of the end of training, or imported';
