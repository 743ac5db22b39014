-- What reported_comparison says, for a relation like run_metric.
CREATE OR REPLACE MACRO reported_comparison_of(metrics) AS TABLE
SELECT
    reported.figure, reported.size, reported.mask, reported.lt, reported.variant,
    ours.experiment_id, ours.epoch, ours.bn_mode, ours.gt_key,
    reported.tau_a AS reported_tau_a, ours.tau_a, ours.difference_to_reported AS difference, ours.seeds,
    ours.tau_a_mean, ours.tau_a_std, ours.is_final, is_possible_tau_a(reported.tau_a) AS is_possible
FROM reported_result AS reported
LEFT JOIN experiment_reported USING (figure, size, mask, lt, variant)
LEFT JOIN experiment_tau_a_of(metrics) AS ours USING (experiment_id);

COMMENT ON MACRO TABLE reported_comparison_of IS 'What reported_comparison says, for a relation like run_metric';

CREATE OR REPLACE VIEW reported_comparison AS SELECT * FROM reported_comparison_of('run_metric');

COMMENT ON VIEW reported_comparison IS 'Every τa that the paper prints, and what was measured of it here, if anything';
COMMENT ON COLUMN reported_comparison.figure IS 'figure of the paper';
COMMENT ON COLUMN reported_comparison.size IS 'size of the super-network';
COMMENT ON COLUMN reported_comparison.mask IS 'operations removed, empty for none';
COMMENT ON COLUMN reported_comparison.lt IS 'operations with a linear transformer, empty for none';
COMMENT ON COLUMN reported_comparison.variant IS 'variant of the training';
COMMENT ON COLUMN reported_comparison.experiment_id IS
'experiment of the same size, mask, LT and variant; NULL where there is none with a τa';
COMMENT ON COLUMN reported_comparison.epoch IS 'completed epochs of training';
COMMENT ON COLUMN reported_comparison.bn_mode IS 'BatchNorm statistics';
COMMENT ON COLUMN reported_comparison.gt_key IS 'ground-truth key';
COMMENT ON COLUMN reported_comparison.reported_tau_a IS 'τa in the paper, of five seeds';
COMMENT ON COLUMN reported_comparison.tau_a IS 'τa of A_N averaged over the seeds here';
COMMENT ON COLUMN reported_comparison.difference IS 'tau_a minus reported_tau_a';
COMMENT ON COLUMN reported_comparison.seeds IS 'runs with a τa here';
COMMENT ON COLUMN reported_comparison.tau_a_mean IS 'as in experiment_tau_a';
COMMENT ON COLUMN reported_comparison.tau_a_std IS 'as in experiment_tau_a';
COMMENT ON COLUMN reported_comparison.is_final IS 'whether it is of the end of training, or without any';
COMMENT ON COLUMN reported_comparison.is_possible IS
'whether the printed τa is a multiple of 1/28 to two digits, as every τa is; two of the 121 are not';
