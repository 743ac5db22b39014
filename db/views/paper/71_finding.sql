-- What finding says, for a relation like finding_evidence.
CREATE OR REPLACE MACRO finding_of(evidence) AS TABLE
SELECT
    finding, dataset, size, bn_mode, gt_key,
    count(*) FILTER (WHERE verdict = 'supported') AS supported,
    count(*) FILTER (WHERE verdict = 'contradicted') AS contradicted,
    count(*) FILTER (WHERE verdict = 'undecided') AS undecided,
    count(*) FILTER (WHERE verdict = 'not enough runs') AS not_enough_runs,
    CASE
        WHEN supported > 0 AND contradicted > 0 THEN 'mixed'
        WHEN supported > 0 THEN if(undecided > 0, 'partly supported', 'supported')
        WHEN contradicted > 0 THEN if(undecided > 0, 'partly contradicted', 'contradicted')
        WHEN undecided > 0 THEN 'undecided'
        ELSE 'not enough runs'
    END AS verdict
FROM query_table(evidence)
GROUP BY finding, dataset, size, bn_mode, gt_key;

COMMENT ON MACRO TABLE finding_of IS 'What finding says, for a relation like finding_evidence';

CREATE OR REPLACE VIEW finding AS SELECT * FROM finding_of('finding_evidence');

COMMENT ON VIEW finding IS
'Whether this warehouse supports the paper''s findings, by the images and size of the networks; no row where nothing '
'was compared';
COMMENT ON COLUMN finding.finding IS 'as finding_claim.finding';
COMMENT ON COLUMN finding.dataset IS 'images trained on; NULL for the benchmark itself';
COMMENT ON COLUMN finding.size IS 'size of the super-network; NULL for the benchmark itself';
COMMENT ON COLUMN finding.bn_mode IS 'BatchNorm statistics; NULL for the benchmark itself';
COMMENT ON COLUMN finding.gt_key IS 'ground-truth key';
COMMENT ON COLUMN finding.supported IS 'comparisons of finding_evidence that support it';
COMMENT ON COLUMN finding.contradicted IS 'comparisons that contradict it';
COMMENT ON COLUMN finding.undecided IS 'comparisons whose interval allows both';
COMMENT ON COLUMN finding.not_enough_runs IS 'comparisons over fewer than three seeds';
COMMENT ON COLUMN finding.verdict IS
'supported or contradicted: all comparisons of enough runs are; partly: some are, the others undecided; mixed: some '
'of both; undecided: none is either; not enough runs: none could be';
