CREATE OR REPLACE VIEW run_ranking AS
SELECT
    run.experiment_id, experiment.dataset, experiment.size, experiment.mask, experiment.lt, experiment.variant,
    run.seed, a_n.run_id, a_n.epoch, a_n.bn_mode, a_n.gt_key, a_n.architecture_set, a_n.n, a_n.n_predicted,
    a_n.a_n, kendall_tau.tau, kendall_tau.tau_eq2, tau_a.tau_a
FROM a_n
JOIN run USING (run_id)
JOIN experiment USING (experiment_id)
LEFT JOIN kendall_tau USING (run_id, epoch, bn_mode, gt_key, architecture_set)
LEFT JOIN tau_a USING (run_id, epoch, bn_mode, gt_key);

COMMENT ON VIEW run_ranking IS 'Everything about how one run ranks: a row for each architecture set and ground-truth key';
COMMENT ON COLUMN run_ranking.experiment_id IS 'experiment';
COMMENT ON COLUMN run_ranking.dataset IS 'images trained on';
COMMENT ON COLUMN run_ranking.size IS 'size of the super-network';
COMMENT ON COLUMN run_ranking.mask IS 'operations removed, empty for none';
COMMENT ON COLUMN run_ranking.lt IS 'operations with a linear transformer, empty for none';
COMMENT ON COLUMN run_ranking.variant IS 'variant of the training';
COMMENT ON COLUMN run_ranking.seed IS 'seed of the run';
COMMENT ON COLUMN run_ranking.run_id IS 'run';
COMMENT ON COLUMN run_ranking.epoch IS 'completed epochs of training';
COMMENT ON COLUMN run_ranking.bn_mode IS 'BatchNorm statistics';
COMMENT ON COLUMN run_ranking.gt_key IS 'ground-truth key';
COMMENT ON COLUMN run_ranking.architecture_set IS 'top-10 … top-500, or random';
COMMENT ON COLUMN run_ranking.n IS 'architectures in the set';
COMMENT ON COLUMN run_ranking.n_predicted IS 'how many of them have a predicted accuracy';
COMMENT ON COLUMN run_ranking.a_n IS 'mean predicted accuracy, fraction 0..1; NULL unless all n are predicted';
COMMENT ON COLUMN run_ranking.tau IS 'Kendall''s tau-b, -1..1; NULL unless all n are predicted';
COMMENT ON COLUMN run_ranking.tau_eq2 IS 'Kendall''s τ by Equation 2, -1..1; NULL unless all n are predicted';
COMMENT ON COLUMN run_ranking.tau_a IS 'τa of the run, the same in all its sets; -1 is best';
