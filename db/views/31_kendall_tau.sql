CREATE OR REPLACE VIEW kendall_tau AS
WITH evaluated AS (
    SELECT
        prediction.run_id, prediction.epoch, prediction.bn_mode, experiment.mask,
        prediction.arch_id, prediction.accuracy AS predicted
    FROM prediction
    JOIN run USING (run_id)
    JOIN experiment USING (experiment_id)
    WHERE prediction.accuracy IS NOT NULL
),
top AS (
    SELECT evaluated.*, rank.gt_key, rank.gt_rank, rank.accuracy AS truth
    FROM evaluated
    JOIN architecture_rank AS rank USING (mask, arch_id)
    WHERE rank.gt_rank <= 500
),
-- All pairs are compared once, each counted at the worse of its two ranks; the sums up to rank N are
-- then the pairs within the top-N, for every N at once.
top_pair AS (
    SELECT
        later.run_id, later.epoch, later.bn_mode, later.gt_key, later.gt_rank,
        coalesce(sum(sign(later.truth - earlier.truth) * sign(later.predicted - earlier.predicted)), 0) AS score,
        count(*) FILTER (later.truth = earlier.truth) AS truth_ties,
        count(*) FILTER (later.predicted = earlier.predicted) AS predicted_ties
    FROM top AS later
    JOIN top AS earlier
        ON earlier.run_id = later.run_id AND earlier.epoch = later.epoch
        AND earlier.bn_mode = later.bn_mode AND earlier.gt_key = later.gt_key
        AND earlier.gt_rank < later.gt_rank
    GROUP BY ALL
),
random_member AS (
    SELECT evaluated.*, rank.gt_key, rank.accuracy AS truth
    FROM evaluated
    JOIN random_sample USING (mask, arch_id)
    JOIN architecture_rank AS rank USING (mask, arch_id)
),
counted AS (
    SELECT
        top_pair.run_id, top_pair.epoch, top_pair.bn_mode, top_pair.gt_key,
        'top-' || sizes.n AS architecture_set,
        sum(top_pair.score) AS score,
        sum(top_pair.truth_ties) AS truth_ties,
        sum(top_pair.predicted_ties) AS predicted_ties
    FROM top_pair
    JOIN (VALUES (10), (25), (50), (100), (150), (250), (500)) AS sizes (n) ON top_pair.gt_rank <= sizes.n
    GROUP BY ALL
    UNION ALL
    SELECT
        one.run_id, one.epoch, one.bn_mode, one.gt_key, 'random',
        sum(sign(one.truth - other.truth) * sign(one.predicted - other.predicted)),
        count(*) FILTER (one.truth = other.truth),
        count(*) FILTER (one.predicted = other.predicted)
    FROM random_member AS one
    JOIN random_member AS other
        ON one.run_id = other.run_id AND one.epoch = other.epoch
        AND one.bn_mode = other.bn_mode AND one.gt_key = other.gt_key
        AND one.arch_id < other.arch_id
    GROUP BY ALL
)
SELECT
    a_n.run_id, a_n.epoch, a_n.bn_mode, a_n.gt_key, a_n.architecture_set, a_n.n,
    counted.score
        / nullif(sqrt((a_n.n * (a_n.n - 1) / 2 - counted.truth_ties)
        * (a_n.n * (a_n.n - 1) / 2 - counted.predicted_ties)), 0) AS tau,
    counted.score / (a_n.n * (a_n.n - 1) / 2) AS tau_eq2
FROM a_n
JOIN counted USING (run_id, epoch, bn_mode, gt_key, architecture_set)
WHERE a_n.n_predicted = a_n.n AND a_n.n > 1;

COMMENT ON VIEW kendall_tau IS 'Kendall''s τ between ground truth and prediction in each architecture set that a run predicted wholly';
COMMENT ON COLUMN kendall_tau.run_id IS 'run';
COMMENT ON COLUMN kendall_tau.epoch IS 'completed epochs of training';
COMMENT ON COLUMN kendall_tau.bn_mode IS 'BatchNorm statistics';
COMMENT ON COLUMN kendall_tau.gt_key IS 'ground-truth key';
COMMENT ON COLUMN kendall_tau.architecture_set IS 'top-10 … top-500, or random';
COMMENT ON COLUMN kendall_tau.n IS 'architectures in the set';
COMMENT ON COLUMN kendall_tau.tau IS 'tau-b, -1..1: corrected for ties; NULL where all predictions or all truths are equal';
COMMENT ON COLUMN kendall_tau.tau_eq2 IS 'Equation 2 of the paper, -1..1: concordant minus discordant pairs by all pairs';
