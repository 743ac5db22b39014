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
-- The top-500 and the random sample of every evaluation, each from the best architecture to the worst.
member AS (
    SELECT evaluated.*, truth.gt_key, 'top' AS kind, truth.gt_rank AS position, truth.accuracy AS truth
    FROM evaluated
    JOIN architecture_rank AS truth USING (mask, arch_id)
    WHERE truth.gt_rank <= 500
    UNION ALL
    SELECT
        evaluated.*, truth.gt_key, 'random' AS kind,
        row_number() OVER (
            PARTITION BY truth.gt_key, evaluated.run_id, evaluated.epoch, evaluated.bn_mode
            ORDER BY truth.gt_rank
        ) AS position,
        truth.accuracy AS truth
    FROM evaluated
    JOIN random_sample USING (mask, arch_id)
    JOIN architecture_rank AS truth USING (mask, arch_id)
),
-- Small numbers stand for the long names and the fractions: half a million pairs are compared for each run.
numbered AS (
    SELECT
        *,
        dense_rank() OVER (PARTITION BY gt_key ORDER BY run_id, epoch, bn_mode, kind) AS series,
        rank() OVER (PARTITION BY gt_key, run_id, epoch, bn_mode, kind ORDER BY truth) AS truth_rank,
        rank() OVER (PARTITION BY gt_key, run_id, epoch, bn_mode, kind ORDER BY predicted) AS predicted_rank
    FROM member
),
-- Each pair is counted at its worse member. Summed up to position N, that gives the pairs within the top-N.
concordant AS (
    SELECT worse.gt_key, worse.series, worse.position, count(*) AS concordant
    FROM numbered AS worse
    JOIN numbered AS better
        ON better.gt_key = worse.gt_key AND better.series = worse.series
        AND better.truth_rank > worse.truth_rank AND better.predicted_rank > worse.predicted_rank
    GROUP BY ALL
),
counted AS (
    SELECT
        numbered.*, coalesce(concordant.concordant, 0) AS concordant,
        row_number() OVER (PARTITION BY gt_key, series, truth_rank ORDER BY position) - 1 AS truth_ties,
        row_number() OVER (PARTITION BY gt_key, series, predicted_rank ORDER BY position) - 1 AS predicted_ties,
        row_number() OVER (
            PARTITION BY gt_key, series, truth_rank, predicted_rank ORDER BY position
        ) - 1 AS both_ties
    FROM numbered
    LEFT JOIN concordant USING (gt_key, series, position)
),
summed AS (
    SELECT
        gt_key, run_id, epoch, bn_mode, if(kind = 'random', kind, 'top-' || sizes.n) AS architecture_set,
        sum(concordant) AS concordant, sum(truth_ties) AS truth_ties,
        sum(predicted_ties) AS predicted_ties, sum(both_ties) AS both_ties
    FROM counted
    JOIN (VALUES (10), (25), (50), (100), (150), (250), (500), (1000)) AS sizes (n)
        ON position <= sizes.n AND (kind = 'random') = (sizes.n = 1000)
    GROUP BY ALL
),
pairs AS (
    SELECT
        a_n.run_id, a_n.epoch, a_n.bn_mode, a_n.gt_key, a_n.architecture_set, a_n.n,
        a_n.n * (a_n.n - 1) / 2 AS pairs, truth_ties, predicted_ties,
        -- Concordant minus discordant; discordant is what is neither concordant nor tied.
        2 * concordant - (pairs - truth_ties - predicted_ties + both_ties) AS score
    FROM a_n
    JOIN summed USING (run_id, epoch, bn_mode, gt_key, architecture_set)
    WHERE a_n.n_predicted = a_n.n AND a_n.n > 1
)
SELECT
    run_id, epoch, bn_mode, gt_key, architecture_set, n,
    score / nullif(sqrt((pairs - truth_ties) * (pairs - predicted_ties)), 0) AS tau,
    score / pairs AS tau_eq2
FROM pairs;

COMMENT ON VIEW kendall_tau IS 'Kendall''s τ between ground truth and prediction in each architecture set that a run predicted wholly';
COMMENT ON COLUMN kendall_tau.run_id IS 'run';
COMMENT ON COLUMN kendall_tau.epoch IS 'completed epochs of training';
COMMENT ON COLUMN kendall_tau.bn_mode IS 'BatchNorm statistics';
COMMENT ON COLUMN kendall_tau.gt_key IS 'ground-truth key';
COMMENT ON COLUMN kendall_tau.architecture_set IS 'top-10 … top-500, or random';
COMMENT ON COLUMN kendall_tau.n IS 'architectures in the set';
COMMENT ON COLUMN kendall_tau.tau IS 'tau-b, -1..1: corrected for ties; NULL where all predictions or all truths are equal';
COMMENT ON COLUMN kendall_tau.tau_eq2 IS 'Equation 2 of the paper, -1..1: concordant minus discordant pairs by all pairs';
