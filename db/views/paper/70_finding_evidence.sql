-- A claim is supported if the whole interval lies on its side of the bound, contradicted if on the other side of the
-- opposite bound; within: by the value alone.
CREATE OR REPLACE MACRO verdict_of(direction, bound, opposite_bound, value, half_interval, n) AS
CASE
    WHEN n < 3 OR value IS NULL OR half_interval IS NULL THEN 'not enough runs'
    WHEN direction = 'within' THEN if(value BETWEEN bound AND opposite_bound, 'supported', 'contradicted')
    WHEN direction = 'above' AND value + half_interval < opposite_bound THEN 'contradicted'
    WHEN direction = 'above' AND value - half_interval > bound THEN 'supported'
    WHEN direction = 'below' AND value - half_interval > opposite_bound THEN 'contradicted'
    WHEN direction = 'below' AND value + half_interval < bound THEN 'supported'
    ELSE 'undecided'
END;

COMMENT ON MACRO verdict_of IS 'Whether a value with its interval supports or contradicts a claim of finding_claim';

-- What finding_evidence says, for a relation like run_ranking.
CREATE OR REPLACE MACRO finding_evidence_of(rankings) AS TABLE
WITH evidence AS (
    FROM evidence_of_effects(rankings)
    UNION ALL BY NAME FROM evidence_of_levels(rankings)
    UNION ALL BY NAME FROM evidence_of_sizes(rankings)
    UNION ALL BY NAME FROM evidence_of_the_benchmark
)
SELECT
    claims.finding, claims.claim, claims.statement,
    evidence.experiment_id, evidence.other_id, evidence.dataset, evidence.size, experiment.mask, experiment.lt,
    experiment.variant, evidence.epoch, evidence.bn_mode, evidence.gt_key, evidence.architecture_set,
    evidence.metric, evidence.value, evidence.half_interval, evidence.n,
    claims.direction, claims.bound, claims.opposite_bound,
    CASE
        WHEN evidence.metric <> 'tau_a' THEN NULL
        WHEN evidence.other_id IS NULL THEN own.reported_tau_a
        ELSE own.reported_tau_a - other.reported_tau_a
    END AS reported,
    verdict_of(claims.direction, claims.bound, claims.opposite_bound, value, half_interval, n) AS verdict
FROM evidence
JOIN finding_claim AS claims USING (claim, metric)
LEFT JOIN experiment USING (experiment_id)
LEFT JOIN experiment_reported AS own ON own.experiment_id = evidence.experiment_id
LEFT JOIN experiment_reported AS other ON other.experiment_id = evidence.other_id;

COMMENT ON MACRO TABLE finding_evidence_of IS
'What finding_evidence says, for a relation like run_ranking; fast for one key and BN mode, if it has only these';

CREATE OR REPLACE VIEW finding_evidence AS SELECT * FROM finding_evidence_of('run_ranking');

COMMENT ON VIEW finding_evidence IS
'What this warehouse says of each claim of the paper, one comparison a row, at the end of training; of 40 '
'comparisons without any effect, one is expected on each wrong side';
COMMENT ON COLUMN finding_evidence.finding IS 'as finding_claim.finding';
COMMENT ON COLUMN finding_evidence.claim IS 'as finding_claim.claim';
COMMENT ON COLUMN finding_evidence.statement IS 'as finding_claim.statement';
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
'as set_definition.architecture_set; of tau_a the random set, whose A_N is its last point';
COMMENT ON COLUMN finding_evidence.metric IS 'as finding_claim.metric';
COMMENT ON COLUMN finding_evidence.value IS
'the difference to other_id, paired by seed, or the mean over seeds; accuracies are fractions 0..1';
COMMENT ON COLUMN finding_evidence.half_interval IS
'half the width of the 95 % interval, by Student''s t; 0 for what is counted; NULL for one seed';
COMMENT ON COLUMN finding_evidence.n IS
'common seeds; architectures for the benchmark itself; experiments of at least three seeds for failing; the fewest '
'seeds of a network for rescued';
COMMENT ON COLUMN finding_evidence.direction IS 'as finding_claim.direction';
COMMENT ON COLUMN finding_evidence.bound IS 'as finding_claim.bound';
COMMENT ON COLUMN finding_evidence.opposite_bound IS 'as finding_claim.opposite_bound';
COMMENT ON COLUMN finding_evidence.reported IS
'what the paper''s τa give for the same size, or their difference; NULL where it prints none';
COMMENT ON COLUMN finding_evidence.verdict IS
'supported, contradicted, undecided, or not enough runs: fewer than three';
