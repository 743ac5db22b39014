CREATE OR REPLACE VIEW tau_a AS
WITH point AS (
    SELECT
        run_id AS predictor, epoch, bn_mode, gt_key, mask, one_per_class, set_kind, n,
        CASE WHEN is_whole THEN coalesce(a_n, mean_score) END AS mean
    FROM run_metric
    WHERE is_point_of_tau_a(set_kind)
)
SELECT
    run.run_id, series.epoch, series.bn_mode, series.gt_key, series.tau_a, series.tau_a_classes,
    is_final_epoch(series.epoch, experiment.epochs) AS is_final
FROM tau_a_of_series('point') AS series
JOIN run ON run.run_id = series.predictor
JOIN experiment USING (experiment_id);

COMMENT ON VIEW tau_a IS
'τa of each run: Kendall''s τ by Equation 2 of the series A_10, A_25, … A_500, A_random over N; of scores, of their '
'means';
COMMENT ON COLUMN tau_a.run_id IS 'run';
COMMENT ON COLUMN tau_a.epoch IS 'completed epochs of training; 0 where there is none';
COMMENT ON COLUMN tau_a.bn_mode IS 'BatchNorm statistics; imported or untrained where there are none';
COMMENT ON COLUMN tau_a.gt_key IS 'ground-truth key';
COMMENT ON COLUMN tau_a.tau_a IS
'-1..1 in steps of 1/28, -1 is best: A_N falls as N grows; no row unless all eight points are known';
COMMENT ON COLUMN tau_a.tau_a_classes IS
'as tau_a, on one architecture of each class; NULL unless these were predicted';
COMMENT ON COLUMN tau_a.is_final IS 'whether it is of the end of training, or without any';
