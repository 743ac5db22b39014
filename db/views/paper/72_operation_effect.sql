CREATE OR REPLACE VIEW operation_effect AS
SELECT
    run_id, epoch, bn_mode, gt_key, operation, count(*) AS n,
    regr_slope(truth, edges) AS true_per_edge,
    regr_slope(predicted, edges) AS predicted_per_edge,
    is_final
FROM prediction_point
JOIN operation_count USING (arch_id)
WHERE architecture_set = 'random' AND isfinite(predicted)
GROUP BY ALL
-- A masked operation is on no edge: there is no slope.
HAVING min(edges) < max(edges);

COMMENT ON VIEW operation_effect IS
'What one edge more of an operation, in place of any other, adds to true and to predicted accuracy: slopes of least '
'squares in the random sample';
COMMENT ON COLUMN operation_effect.run_id IS 'run';
COMMENT ON COLUMN operation_effect.epoch IS 'completed epochs of training; 0 where there is none';
COMMENT ON COLUMN operation_effect.bn_mode IS 'BatchNorm statistics; imported or untrained where there are none';
COMMENT ON COLUMN operation_effect.gt_key IS 'ground-truth key';
COMMENT ON COLUMN operation_effect.operation IS 'Zero, Skip, C1x1, C3x3 or Pool; only those that the mask leaves';
COMMENT ON COLUMN operation_effect.n IS 'architectures of the random sample with a prediction';
COMMENT ON COLUMN operation_effect.true_per_edge IS 'ground truth, fraction, per edge of the six';
COMMENT ON COLUMN operation_effect.predicted_per_edge IS 'predicted accuracy, fraction, or score, per edge of the six';
COMMENT ON COLUMN operation_effect.is_final IS 'whether it is of the end of training, or without any';
