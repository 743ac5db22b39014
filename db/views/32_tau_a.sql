CREATE OR REPLACE VIEW tau_a AS
WITH point AS (
    SELECT *, CASE WHEN architecture_set = 'random' THEN 1000 ELSE n END AS position
    FROM a_n
    WHERE a_n IS NOT NULL
)
SELECT
    one.run_id, one.epoch, one.bn_mode, one.gt_key,
    sum(sign(other.a_n - one.a_n)) / 28 AS tau_a
FROM point AS one
JOIN point AS other
    ON one.run_id = other.run_id AND one.epoch = other.epoch
    AND one.bn_mode = other.bn_mode AND one.gt_key = other.gt_key
    AND one.position < other.position
GROUP BY ALL
HAVING count(*) = 28;

COMMENT ON VIEW tau_a IS 'τa of each run: Kendall''s τ by Equation 2 of the series A_10, A_25, … A_500, A_random over N';
COMMENT ON COLUMN tau_a.run_id IS 'run';
COMMENT ON COLUMN tau_a.epoch IS 'completed epochs of training';
COMMENT ON COLUMN tau_a.bn_mode IS 'BatchNorm statistics';
COMMENT ON COLUMN tau_a.gt_key IS 'ground-truth key';
COMMENT ON COLUMN tau_a.tau_a IS '-1..1 in steps of 1/28, -1 is best: A_N falls as N grows; no row unless all eight points are known';
