CREATE OR REPLACE VIEW a_n AS
WITH evaluation AS (
    SELECT DISTINCT run_id, epoch, bn_mode, experiment.mask
    FROM prediction
    JOIN run USING (run_id)
    JOIN experiment USING (experiment_id)
),
measured AS (
    SELECT
        evaluation.run_id, evaluation.epoch, evaluation.bn_mode,
        member.gt_key, member.architecture_set, member.n,
        count(prediction.accuracy) AS n_predicted,
        favg(prediction.accuracy) AS mean_predicted
    FROM evaluation
    JOIN architecture_set AS member USING (mask)
    LEFT JOIN prediction
        ON prediction.run_id = evaluation.run_id
        AND prediction.epoch = evaluation.epoch
        AND prediction.bn_mode = evaluation.bn_mode
        AND prediction.arch_id = member.arch_id
    GROUP BY ALL
)
SELECT
    run_id, epoch, bn_mode, gt_key, architecture_set, n, n_predicted,
    -- Rounded so that equal means are equal: τa compares them.
    CASE WHEN n_predicted = n THEN round(mean_predicted, 12) END AS a_n
FROM measured;

COMMENT ON VIEW a_n IS 'A_N: mean predicted accuracy of each architecture set, for every run and ground-truth key';
COMMENT ON COLUMN a_n.run_id IS 'run';
COMMENT ON COLUMN a_n.epoch IS 'completed epochs of training';
COMMENT ON COLUMN a_n.bn_mode IS 'BatchNorm statistics';
COMMENT ON COLUMN a_n.gt_key IS 'ground-truth key that chooses the set';
COMMENT ON COLUMN a_n.architecture_set IS 'top-10 … top-500, or random';
COMMENT ON COLUMN a_n.n IS 'architectures in the set';
COMMENT ON COLUMN a_n.n_predicted IS 'how many of them have a predicted accuracy';
COMMENT ON COLUMN a_n.a_n IS 'mean predicted accuracy, fraction 0..1; NULL unless all n are predicted';
