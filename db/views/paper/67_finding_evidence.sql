CREATE OR REPLACE VIEW finding_evidence AS
WITH effect AS (
    SELECT
        CASE
            WHEN variant = 'baseline' THEN if(mask LIKE 'Zero%Pool', ['3b'], ['3a'])
            WHEN lt <> '' THEN []
            WHEN variant = 'uniform-sampling' THEN ['5a', '5b']
            WHEN variant IN ('not-shared', 'warmup', 'grad-clipping', 'regularized') THEN ['4']
            ELSE []
        END AS claims,
        experiment_id, baseline_id AS other_id, epoch, bn_mode, gt_key, architecture_set, metric,
        difference AS value, difference_interval AS half_interval, seeds AS n
    FROM experiment_effect
    UNION ALL
    SELECT
        CASE
            WHEN lt <> '' OR variant <> 'baseline' THEN []
            WHEN mask IN ('Zero', 'Zero+Pool') THEN ['1a']
            WHEN mask NOT LIKE '%Zero%' AND mask NOT LIKE '%Pool%' THEN ['1c']
            ELSE []
        END,
        experiment_id, unmasked_id, epoch, bn_mode, gt_key, architecture_set, metric,
        difference, difference_interval, seeds
    FROM mask_effect
),
a_random AS (
    SELECT
        experiment_id, dataset, size, mask, lt, variant, epoch, bn_mode, gt_key, architecture_set,
        min(a_n) < 0.2 AS fails, favg(a_n) AS mean, stddev_samp(a_n) AS deviation, count(*) AS seeds
    FROM run_ranking
    WHERE architecture_set = 'random' AND a_n IS NOT NULL
    GROUP BY ALL
),
level AS (
    SELECT
        ['1b'] AS claims, experiment_id, epoch, bn_mode, gt_key, 'random' AS architecture_set, 'tau_a' AS metric,
        tau_a_mean AS value, tau_a_interval AS half_interval, seeds AS n
    FROM experiment_tau_a
    WHERE mask IN ('Zero', 'Zero+Pool') AND lt = '' AND variant = 'baseline'
    UNION ALL
    SELECT
        [claim], experiment_id, epoch, bn_mode, gt_key, architecture_set, metric,
        if(metric = 'a_n', mean, deviation), if(metric = 'a_n', interval_95(deviation, seeds), 0), seeds
    FROM a_random
    CROSS JOIN (VALUES ('3c', 'a_n'), ('3d', 'a_n_std')) AS wanted (claim, metric)
    WHERE a_random.size = 'M' AND mask LIKE 'Zero%Pool' AND lt <> '' AND variant = 'baseline'
),
-- Of a size as a whole, and so of no single experiment.
whole AS (
    SELECT
        '6' AS claim, dataset, size, epoch, bn_mode, gt_key, 'failing' AS metric,
        avg(CAST(fails AS INTEGER)) AS value, count(*) AS n
    FROM a_random
    WHERE size = 'M' AND seeds >= 3
    GROUP BY ALL
    UNION ALL
    SELECT
        '5c', uniform.dataset, uniform.size, uniform.epoch, uniform.bn_mode, uniform.gt_key, 'rescued',
        count(*) FILTER (WHERE NOT uniform.fails), min(least(uniform.seeds, fair.seeds))
    FROM a_random AS uniform
    JOIN a_random AS fair USING (dataset, size, mask, epoch, bn_mode, gt_key)
    WHERE size = 'M' AND uniform.variant = 'uniform-sampling' AND fair.variant = 'baseline'
        AND uniform.lt = '' AND fair.lt = '' AND fair.fails
    GROUP BY ALL
),
usage AS (
    SELECT
        gt_key, architecture_set, n,
        list(share ORDER BY list_position(['C3x3', 'Skip', 'C1x1', 'Zero', 'Pool'], operation)) AS shares
    FROM operation_usage
    JOIN ground_truth_key USING (gt_key)
    WHERE mask = '' AND NOT one_per_class AND architecture_set LIKE 'top-%' AND trial = 'mean'
    GROUP BY ALL
),
evidence AS (
    SELECT
        unnest(claims) AS claim, experiment_id, other_id, experiment.dataset, experiment.size, experiment.mask,
        experiment.lt, experiment.variant, epoch, bn_mode, gt_key, architecture_set, metric,
        value, half_interval, n
    FROM (SELECT * FROM effect UNION ALL BY NAME SELECT * FROM level)
    JOIN experiment USING (experiment_id)
    WHERE epoch = experiment.epochs AND architecture_set = 'random'
    UNION ALL BY NAME
    SELECT *, 'random' AS architecture_set, 0 AS half_interval FROM whole
    UNION ALL BY NAME
    SELECT '2a' AS claim, gt_key, architecture_set, n, 'share' AS metric, shares[1] AS value, 0 AS half_interval
    FROM usage
    UNION ALL BY NAME
    SELECT
        '2b' AS claim, gt_key, architecture_set, n, 'lead' AS metric, 0 AS half_interval,
        list_min([shares[place] - shares[place + 1] FOR place IN range(1, 5)]) AS value
    FROM usage
),
reported AS (
    SELECT size, mask, lt, variant, tau_a FROM reported_result
)
SELECT
    claims.finding, claims.claim, claims.statement,
    evidence.experiment_id, evidence.other_id, evidence.dataset, evidence.size, evidence.mask, evidence.lt,
    evidence.variant, evidence.epoch, evidence.bn_mode, evidence.gt_key, evidence.architecture_set,
    evidence.metric, evidence.value, evidence.half_interval, evidence.n,
    claims.direction, claims.bound, claims.opposite_bound,
    CASE
        WHEN evidence.metric <> 'tau_a' OR evidence.dataset <> 'cifar10' THEN NULL
        WHEN evidence.other_id IS NULL THEN same.tau_a
        ELSE same.tau_a - reference.tau_a
    END AS reported,
    CASE
        WHEN evidence.n < 3 OR evidence.value IS NULL OR evidence.half_interval IS NULL THEN 'not enough runs'
        WHEN claims.direction = 'within'
        THEN if(evidence.value BETWEEN claims.bound AND claims.opposite_bound, 'supported', 'contradicted')
        WHEN claims.direction = 'above' THEN CASE
            WHEN evidence.value + evidence.half_interval < claims.opposite_bound THEN 'contradicted'
            WHEN evidence.value - evidence.half_interval > claims.bound THEN 'supported'
            ELSE 'undecided'
        END
        WHEN evidence.value - evidence.half_interval > claims.opposite_bound THEN 'contradicted'
        WHEN evidence.value + evidence.half_interval < claims.bound THEN 'supported'
        ELSE 'undecided'
    END AS verdict
FROM evidence
JOIN finding_claim AS claims USING (claim, metric)
LEFT JOIN experiment AS other ON other.experiment_id = evidence.other_id
LEFT JOIN reported AS same
    ON same.size = evidence.size AND same.mask = evidence.mask AND same.lt = evidence.lt
    AND same.variant = evidence.variant
LEFT JOIN reported AS reference
    ON reference.size = other.size AND reference.mask = other.mask AND reference.lt = other.lt
    AND reference.variant = other.variant;

COMMENT ON VIEW finding_evidence IS 'What this warehouse says of each claim of the paper, one comparison a row, at the end of training; of 40 comparisons without any effect, one is expected on each wrong side';
COMMENT ON COLUMN finding_evidence.finding IS 'as finding_claim.finding';
COMMENT ON COLUMN finding_evidence.claim IS 'as finding_claim.claim';
COMMENT ON COLUMN finding_evidence.statement IS 'as finding_claim.statement';
COMMENT ON COLUMN finding_evidence.experiment_id IS 'experiment; NULL where the benchmark or all networks of a size are meant';
COMMENT ON COLUMN finding_evidence.other_id IS 'experiment that it is compared with; NULL where its own value counts';
COMMENT ON COLUMN finding_evidence.dataset IS 'images trained on; NULL for the benchmark itself';
COMMENT ON COLUMN finding_evidence.size IS 'size of the super-network; NULL for the benchmark itself';
COMMENT ON COLUMN finding_evidence.mask IS 'operations removed, empty for none';
COMMENT ON COLUMN finding_evidence.lt IS 'operations with a linear transformer, empty for none';
COMMENT ON COLUMN finding_evidence.variant IS 'variant of the training';
COMMENT ON COLUMN finding_evidence.epoch IS 'completed epochs of training, the last';
COMMENT ON COLUMN finding_evidence.bn_mode IS 'BatchNorm statistics; NULL for the benchmark itself';
COMMENT ON COLUMN finding_evidence.gt_key IS 'ground-truth key';
COMMENT ON COLUMN finding_evidence.architecture_set IS 'as set_definition.architecture_set; of tau_a the random set, whose A_N is its last point';
COMMENT ON COLUMN finding_evidence.metric IS 'as finding_claim.metric';
COMMENT ON COLUMN finding_evidence.value IS 'the difference to other_id, paired by seed, or the mean over seeds; accuracies are fractions 0..1';
COMMENT ON COLUMN finding_evidence.half_interval IS 'half the width of the 95 % interval, by Student''s t; 0 for what is counted; NULL for one seed';
COMMENT ON COLUMN finding_evidence.n IS 'common seeds; architectures for the benchmark itself; experiments of at least three seeds for failing; the fewest seeds of a network for rescued';
COMMENT ON COLUMN finding_evidence.direction IS 'as finding_claim.direction';
COMMENT ON COLUMN finding_evidence.bound IS 'as finding_claim.bound';
COMMENT ON COLUMN finding_evidence.opposite_bound IS 'as finding_claim.opposite_bound';
COMMENT ON COLUMN finding_evidence.reported IS 'what the paper''s τa give for the same size, or their difference; NULL where it prints none';
COMMENT ON COLUMN finding_evidence.verdict IS 'supported, contradicted, undecided, or not enough runs: fewer than three';
