-- How certainly `value` is on the claim's side of a bound: two-sided, so that an interval and its p-value say the same.
CREATE OR REPLACE MACRO p_beyond(value, bound, direction, standard_error, degrees) AS
CASE
    WHEN standard_error IS NULL THEN NULL
    WHEN direction = 'above' AND value > bound OR direction = 'below' AND value < bound
        THEN student_t_p((value - bound) / standard_error, degrees)
    ELSE 1
END;

COMMENT ON MACRO p_beyond IS
'Two-sided p-value of a value in the direction of a bound, above or below; 1 for one that is on the other side';

-- What is compared with something near the end of its measure cannot go far: then the claim holds, or fails, whatever
-- the networks do.
CREATE OR REPLACE MACRO is_at_the_limit(direction, bound, least, greatest) AS
coalesce(
    CASE direction
        WHEN 'above' THEN least > bound OR greatest <= bound
        WHEN 'below' THEN greatest < bound OR least >= bound
    END,
    FALSE
);

COMMENT ON MACRO is_at_the_limit IS
'Whether a value that can only be from least to greatest is on one side of a bound in any case';

-- What finding_evidence says, for a relation like run_ranking.
CREATE OR REPLACE MACRO finding_evidence_of(rankings) AS TABLE
WITH evidence AS (
    FROM evidence_of_effects(rankings)
    UNION ALL BY NAME FROM evidence_of_levels(rankings)
    UNION ALL BY NAME FROM evidence_of_sizes(rankings)
    UNION ALL BY NAME FROM evidence_of_the_benchmark
),
claimed AS (
    SELECT
        claims.* EXCLUDE (size), evidence.* EXCLUDE (claim, metric, least, greatest),
        least(n, coalesce(other_n, n)) < 3 OR value IS NULL AS is_of_few,
        is_at_the_limit(direction, bound, least, greatest) AS is_at_limit,
        p_beyond(value, bound, direction, standard_error, degrees) AS p_supports,
        p_beyond(
            value, opposite_bound, if(direction = 'above', 'below', 'above'), standard_error, degrees
        ) AS p_contradicts
    FROM evidence
    JOIN finding_claim AS claims USING (claim, metric)
),
-- What is corrected together: all comparisons of a finding that decide, on one data set and size; those of the paper's
-- own measure likewise.
tested AS (
    SELECT
        claimed, {'finding': finding, 'dataset': dataset, 'size': size, 'decides': decides} AS family,
        NULL AS epoch, bn_mode, gt_key, NULL AS architecture_set, NULL AS metric,
        CASE WHEN NOT is_of_few AND NOT is_at_limit THEN least(p_supports, p_contradicts) END AS p_value
    FROM claimed
),
decided AS (
    SELECT
        -- The key and the mode of the row itself: DuckDB then computes no other.
        claimed.* EXCLUDE (bn_mode, gt_key), bn_mode, gt_key, p_value, p_holm,
        if(p_value IS NULL, NULL, comparisons) AS comparisons,
        CASE
            WHEN claimed.is_of_few THEN 'not enough runs'
            WHEN claimed.is_at_limit THEN 'at the limit'
            WHEN claimed.direction = 'within'
                THEN if(claimed.value BETWEEN claimed.bound AND claimed.opposite_bound, 'supported', 'contradicted')
            WHEN p_holm >= 0.05 THEN 'undecided'
            WHEN claimed.p_contradicts * holm_factor < 0.05 THEN 'contradicted'
            WHEN p_holm < 0.05 THEN 'supported'
            -- What is counted has no error, and a deviation an interval without one.
            WHEN claimed.direction = 'above' AND coalesce(claimed.high, claimed.value) < claimed.opposite_bound
                OR claimed.direction = 'below' AND coalesce(claimed.low, claimed.value) > claimed.opposite_bound
                THEN 'contradicted'
            WHEN claimed.direction = 'above' AND coalesce(claimed.low, claimed.value) > claimed.bound
                OR claimed.direction = 'below' AND coalesce(claimed.high, claimed.value) < claimed.bound
                THEN 'supported'
            ELSE 'undecided'
        END AS verdict
    FROM with_holm('tested')
),
-- What else differs between masks: how well one that knows the truth ranks, and one that counts parameters.
counted AS (
    SELECT mask, gt_key, any_value(tau) AS tau
    FROM query_table(rankings)
    WHERE kind = 'untrained' AND name = 'params' AND architecture_set = 'random'
    GROUP BY mask, gt_key
),
oracle AS (
    SELECT mask, gt_key, mean AS tau
    FROM oracle_ceiling
    WHERE metric = 'tau' AND architecture_set = 'random'
)
SELECT
    decided.finding, decided.claim, decided.statement, decided.decides,
    decided.experiment_id, decided.other_id, decided.dataset, decided.size, experiment.mask, experiment.lt,
    experiment.variant, decided.epoch, decided.bn_mode, decided.gt_key, decided.architecture_set,
    decided.metric, decided.value, decided.low, decided.high, decided.n, decided.other_n,
    decided.deviation, decided.degrees,
    decided.direction, decided.bound, decided.opposite_bound, decided.smallest,
    decided.p_value, decided.p_holm, decided.comparisons,
    CASE
        WHEN decided.metric <> 'tau_a' THEN NULL
        WHEN decided.other_id IS NULL THEN own.reported_tau_a
        ELSE own.reported_tau_a - other.reported_tau_a
    END AS reported,
    experiment.mask <> other_experiment.mask AND decided.metric = 'tau' AS is_between_masks,
    if(is_between_masks, oracle.tau, NULL) AS oracle, if(is_between_masks, other_oracle.tau, NULL) AS other_oracle,
    if(is_between_masks, counted.tau, NULL) AS parameters,
    if(is_between_masks, other_counted.tau, NULL) AS other_parameters,
    -- Of the value itself one experiment needs seeds, of a difference two do.
    if(decided.other_id IS NULL, 0.5, 1) AS share,
    decided.standard_error / sqrt(1 / decided.n + coalesce(1 / decided.other_n, 0)) * sqrt(share) AS std,
    -- With more seeds, their own deviation has more degrees of freedom.
    greatest(decided.degrees, 30) AS degrees_then,
    seeds_to_tell(
        std, degrees_then,
        decided.value - if(decided.p_supports < decided.p_contradicts, decided.bound, decided.opposite_bound)
    ) AS seeds_as_seen,
    seeds_to_tell(std, degrees_then, decided.smallest) AS seeds_for_smallest,
    decided.verdict
FROM decided
LEFT JOIN experiment USING (experiment_id)
LEFT JOIN experiment AS other_experiment ON other_experiment.experiment_id = decided.other_id
LEFT JOIN experiment_reported AS own ON own.experiment_id = decided.experiment_id
LEFT JOIN experiment_reported AS other ON other.experiment_id = decided.other_id
-- Conditions of no more than a key and a mask: DuckDB then computes no other key.
LEFT JOIN oracle ON oracle.gt_key = decided.gt_key AND oracle.mask = experiment.mask
LEFT JOIN oracle AS other_oracle
    ON other_oracle.gt_key = decided.gt_key AND other_oracle.mask = other_experiment.mask
LEFT JOIN counted ON counted.gt_key = decided.gt_key AND counted.mask = experiment.mask
LEFT JOIN counted AS other_counted
    ON other_counted.gt_key = decided.gt_key AND other_counted.mask = other_experiment.mask;

COMMENT ON MACRO TABLE finding_evidence_of IS
'What finding_evidence says, for a relation like run_ranking; fast for one key and BN mode, if it has only these';

CREATE OR REPLACE VIEW finding_evidence AS
SELECT * EXCLUDE (share, std, degrees_then, is_between_masks)
FROM finding_evidence_of('run_ranking');

COMMENT ON VIEW finding_evidence IS
'What this warehouse says of each claim of the paper, one comparison a row, at the end of training';
COMMENT ON COLUMN finding_evidence.finding IS 'as finding_claim.finding';
COMMENT ON COLUMN finding_evidence.claim IS 'as finding_claim.claim';
COMMENT ON COLUMN finding_evidence.statement IS 'as finding_claim.statement';
COMMENT ON COLUMN finding_evidence.decides IS 'as finding_claim.decides';
COMMENT ON COLUMN finding_evidence.experiment_id IS
'experiment; NULL where the benchmark or all networks of a size are meant';
COMMENT ON COLUMN finding_evidence.other_id IS 'experiment that it is compared with; NULL where its own value counts';
COMMENT ON COLUMN finding_evidence.dataset IS 'images trained on; NULL for the benchmark itself';
COMMENT ON COLUMN finding_evidence.size IS 'size of the super-network; NULL for the benchmark itself';
COMMENT ON COLUMN finding_evidence.mask IS 'operations removed, empty for none';
COMMENT ON COLUMN finding_evidence.lt IS 'operations with a linear transformer, empty for none';
COMMENT ON COLUMN finding_evidence.variant IS 'variant of the training';
COMMENT ON COLUMN finding_evidence.epoch IS 'completed epochs of training, the last';
COMMENT ON COLUMN finding_evidence.bn_mode IS 'BatchNorm statistics; NULL for the benchmark itself';
COMMENT ON COLUMN finding_evidence.gt_key IS 'ground-truth key';
COMMENT ON COLUMN finding_evidence.architecture_set IS
'as set_definition.architecture_set; of tau_a and gap_std the random set';
COMMENT ON COLUMN finding_evidence.metric IS 'as finding_claim.metric';
COMMENT ON COLUMN finding_evidence.value IS
'the difference of its mean over seeds and that of other_id, or the mean itself; accuracies are fractions 0..1';
COMMENT ON COLUMN finding_evidence.low IS
'where the 95 % interval begins, without correction; NULL for what is counted';
COMMENT ON COLUMN finding_evidence.high IS 'where it ends';
COMMENT ON COLUMN finding_evidence.n IS
'its seeds; architectures for the benchmark itself; experiments of at least three seeds for failing; the fewest '
'seeds of a network for rescued';
COMMENT ON COLUMN finding_evidence.other_n IS 'seeds of other_id; NULL where there is none';
COMMENT ON COLUMN finding_evidence.deviation IS
'what the interval is by: pooled, the deviation of all that vary alike, or own; NULL for what is counted';
COMMENT ON COLUMN finding_evidence.degrees IS 'degrees of freedom of that deviation';
COMMENT ON COLUMN finding_evidence.direction IS 'as finding_claim.direction';
COMMENT ON COLUMN finding_evidence.bound IS 'as finding_claim.bound';
COMMENT ON COLUMN finding_evidence.opposite_bound IS 'as finding_claim.opposite_bound';
COMMENT ON COLUMN finding_evidence.smallest IS 'as finding_claim.smallest';
COMMENT ON COLUMN finding_evidence.p_value IS
'two-sided, of being beyond bound, or on the other side of opposite_bound; NULL where nothing is tested';
COMMENT ON COLUMN finding_evidence.p_holm IS 'p_value after Holm''s correction for the comparisons';
COMMENT ON COLUMN finding_evidence.comparisons IS
'how many are corrected together: of the same finding, decides, dataset, size, bn_mode and gt_key';
COMMENT ON COLUMN finding_evidence.reported IS
'what the paper''s τa give for the same size, or their difference; NULL where it prints none';
COMMENT ON COLUMN finding_evidence.oracle IS
'between masks: the τ of an oracle under its mask, as oracle_ceiling.mean';
COMMENT ON COLUMN finding_evidence.other_oracle IS 'the same under that of other_id';
COMMENT ON COLUMN finding_evidence.parameters IS 'between masks: the τ of counting parameters under its mask';
COMMENT ON COLUMN finding_evidence.other_parameters IS 'the same under that of other_id';
COMMENT ON COLUMN finding_evidence.seeds_as_seen IS
'seeds each that decide it with a probability of 80 %, if the truth is as seen, before any correction';
COMMENT ON COLUMN finding_evidence.seeds_for_smallest IS 'the same for a true difference of smallest';
COMMENT ON COLUMN finding_evidence.verdict IS
'supported or contradicted: certainly so after Holm''s correction; undecided; at the limit: what it is compared with '
'leaves no other outcome; not enough runs: fewer than three seeds';
