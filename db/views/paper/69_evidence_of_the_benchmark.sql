CREATE OR REPLACE VIEW evidence_of_the_benchmark AS
WITH usage AS (
    SELECT
        gt_key, architecture_set, n,
        list(share ORDER BY list_position(['C3x3', 'Skip', 'C1x1', 'Zero', 'Pool'], operation)) AS shares
    FROM operation_usage
    JOIN ground_truth_key USING (gt_key)
    WHERE mask = '' AND set_kind = 'top' AND is_paper_set AND trial = 'mean'
    GROUP BY ALL
)
SELECT
    '2a' AS claim, NULL AS experiment_id, NULL AS other_id, NULL AS dataset, NULL AS size, NULL AS epoch,
    NULL AS bn_mode, gt_key, architecture_set, 'share' AS metric, shares[1] AS value, n
FROM usage
UNION ALL BY NAME
SELECT
    '2b' AS claim, gt_key, architecture_set, 'lead' AS metric,
    list_min([shares[place] - shares[place + 1] FOR place IN range(1, 5)]) AS value, n
FROM usage;

COMMENT ON VIEW evidence_of_the_benchmark IS
'What the operations of the truly best architectures say of the paper''s claims';
COMMENT ON COLUMN evidence_of_the_benchmark.claim IS 'as finding_claim.claim';
COMMENT ON COLUMN evidence_of_the_benchmark.experiment_id IS 'as in finding_evidence';
COMMENT ON COLUMN evidence_of_the_benchmark.other_id IS 'as in finding_evidence';
COMMENT ON COLUMN evidence_of_the_benchmark.dataset IS 'as in finding_evidence';
COMMENT ON COLUMN evidence_of_the_benchmark.size IS 'as in finding_evidence';
COMMENT ON COLUMN evidence_of_the_benchmark.epoch IS 'as in finding_evidence';
COMMENT ON COLUMN evidence_of_the_benchmark.bn_mode IS 'as in finding_evidence';
COMMENT ON COLUMN evidence_of_the_benchmark.gt_key IS 'as in finding_evidence';
COMMENT ON COLUMN evidence_of_the_benchmark.architecture_set IS 'as in finding_evidence';
COMMENT ON COLUMN evidence_of_the_benchmark.metric IS 'as in finding_evidence';
COMMENT ON COLUMN evidence_of_the_benchmark.value IS 'as in finding_evidence';
COMMENT ON COLUMN evidence_of_the_benchmark.n IS 'as in finding_evidence';
