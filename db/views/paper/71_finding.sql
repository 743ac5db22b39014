-- A finding is what its comparisons are; those at the limit, or of too few runs, say nothing.
CREATE OR REPLACE MACRO verdict_of(verdicts) AS
CASE
    WHEN list_contains(verdicts, 'supported') AND list_contains(verdicts, 'contradicted') THEN 'mixed'
    WHEN list_contains(verdicts, 'supported')
        THEN if(list_contains(verdicts, 'undecided'), 'partly supported', 'supported')
    WHEN list_contains(verdicts, 'contradicted')
        THEN if(list_contains(verdicts, 'undecided'), 'partly contradicted', 'contradicted')
    WHEN list_contains(verdicts, 'undecided') THEN 'undecided'
    WHEN list_contains(verdicts, 'at the limit') THEN 'at the limit'
    WHEN list_contains(verdicts, 'not enough runs') THEN 'not enough runs'
END;

COMMENT ON MACRO verdict_of IS 'What a list of verdicts of finding_evidence comes to; NULL for an empty one';

-- What finding says, for a relation like finding_evidence.
CREATE OR REPLACE MACRO finding_of(evidence) AS TABLE
SELECT
    finding, dataset, size, bn_mode, gt_key,
    count(*) FILTER (WHERE decides AND verdict = 'supported') AS supported,
    count(*) FILTER (WHERE decides AND verdict = 'contradicted') AS contradicted,
    count(*) FILTER (WHERE decides AND verdict = 'undecided') AS undecided,
    count(*) FILTER (WHERE decides AND verdict = 'at the limit') AS at_the_limit,
    count(*) FILTER (WHERE decides AND verdict = 'not enough runs') AS not_enough_runs,
    coalesce(verdict_of(list(verdict) FILTER (WHERE decides)), 'not enough runs') AS verdict,
    verdict_of(list(verdict) FILTER (WHERE NOT decides)) AS verdict_by_tau_a
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
COMMENT ON COLUMN finding.supported IS 'comparisons of finding_evidence that decide, and support it';
COMMENT ON COLUMN finding.contradicted IS 'comparisons that contradict it';
COMMENT ON COLUMN finding.undecided IS 'comparisons that allow both';
COMMENT ON COLUMN finding.at_the_limit IS 'comparisons that had no other outcome';
COMMENT ON COLUMN finding.not_enough_runs IS 'comparisons over fewer than three seeds';
COMMENT ON COLUMN finding.verdict IS
'supported or contradicted: all comparisons of enough runs are; partly: some are, the others undecided; mixed: some '
'of both; undecided: none is either; at the limit, not enough runs: none could be';
COMMENT ON COLUMN finding.verdict_by_tau_a IS
'the same of the comparisons by τa, the paper''s own measure; NULL where there are none';
