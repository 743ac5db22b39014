CREATE OR REPLACE VIEW run_metric AS
SELECT stored.*, experiment.mask
FROM stored_ranking AS stored
JOIN run USING (run_id)
JOIN experiment USING (experiment_id)
UNION ALL BY NAME
SELECT * FROM ranking_of('unstored_evaluation_key');

COMMENT ON VIEW run_metric IS 'How one run ranks each architecture set: stored for the keys that it was asked to predict, computed for all others';
COMMENT ON COLUMN run_metric.run_id IS 'run';
COMMENT ON COLUMN run_metric.epoch IS 'completed epochs of training; 0 where predictions were imported';
COMMENT ON COLUMN run_metric.bn_mode IS 'BatchNorm statistics; imported where predictions were';
COMMENT ON COLUMN run_metric.gt_key IS 'ground-truth key that chooses the set';
COMMENT ON COLUMN run_metric.mask IS 'operations removed, empty for none';
COMMENT ON COLUMN run_metric.one_per_class IS 'false: all architectures; true: one of each class';
COMMENT ON COLUMN run_metric.architecture_set IS 'top-10 … top-500, random or all; followed by classes for one of each class';
COMMENT ON COLUMN run_metric.n IS 'architectures in the set';
COMMENT ON COLUMN run_metric.n_predicted IS 'how many of them have a prediction';
COMMENT ON COLUMN run_metric.a_n IS 'A_N: mean predicted accuracy of the set, fraction 0..1; NULL unless all n are predicted, and for scores';
COMMENT ON COLUMN run_metric.tau IS 'Kendall''s tau-b between ground truth and prediction, -1..1, corrected for ties; NULL unless all n are predicted, and where all predictions or all truths are equal';
COMMENT ON COLUMN run_metric.tau_eq2 IS 'Kendall''s τ by Equation 2 of the paper, -1..1: concordant minus discordant pairs by all pairs';
COMMENT ON COLUMN run_metric.spearman IS 'Spearman''s rank correlation, -1..1; NULL as tau';
COMMENT ON COLUMN run_metric.pearson IS 'Pearson''s correlation, -1..1; NULL as tau';
COMMENT ON COLUMN run_metric.mean_score IS 'mean score of the set, in the scores'' own unit, where experiment.predicts is score; NULL unless all n are predicted';
