-- What the paper concludes, as claims that numbers can support or contradict; shared/paper has the sentences, Section 4
-- of the paper their figures. What decides is written down here before any numbers: τ in the random sample, and under
-- one mask also how much higher the best are predicted, in deviations; the paper's own τa stands beside. Ours are only
-- the bounds where the paper has none: a τ of 0.5, as a τa of -0.5, is three quarters of the pairs in the right order;
-- 0.25 in τa is 7 of its 28 steps; 0.1 deviations are what 0.05 in τ give, between 0.04 and 0.17 by mask.
CREATE OR REPLACE VIEW finding_claim AS
SELECT * FROM (VALUES
    (1, '1a', 'S', 'Masking Zero, alone or with Pool, ranks better than no mask', 'tau', TRUE, 'above', 0, 0, 0.05),
    (1, '1a', 'S', 'Masking Zero, alone or with Pool, ranks better than no mask', 'tau_a', FALSE, 'below', 0, 0, 0.25),
    (1, '1b', 'S', 'With Zero, or Zero and Pool, masked, the network ranks well', 'tau', TRUE, 'above', 0.5, 0.5, 0.05),
    (
        1, '1b', 'S', 'With Zero, or Zero and Pool, masked, the network ranks well', 'tau_a', FALSE, 'below',
        -0.5, -0.5, 0.25
    ),
    (1, '1c', 'S', 'Masking Skip or convolutions ranks worse than no mask', 'tau', TRUE, 'below', 0, 0, 0.05),
    (1, '1c', 'S', 'Masking Skip or convolutions ranks worse than no mask', 'tau_a', FALSE, 'above', 0, 0, 0.25),
    (2, '2a', NULL, 'C3x3 is on about half of all edges of the best', 'share', TRUE, 'within', 0.4, 0.6, NULL),
    (2, '2b', NULL, 'Then follow Skip, C1x1, Zero and Pool', 'lead', TRUE, 'above', 0, 0, NULL),
    (3, '3a', 'S', 'LTs harm while Zero or Pool remains', 'tau', TRUE, 'below', 0, 0, 0.05),
    (3, '3a', 'S', 'LTs harm while Zero or Pool remains', 'gap_std', TRUE, 'below', 0, 0, 0.1),
    (3, '3a', 'S', 'LTs harm while Zero or Pool remains', 'tau_a', FALSE, 'above', 0, 0, 0.25),
    (3, '3b', 'S', 'LTs do not harm where only Skip and convolutions remain', 'tau', TRUE, 'above', -0.05, 0, 0.05),
    (3, '3b', 'S', 'LTs do not harm where only Skip and convolutions remain', 'gap_std', TRUE, 'above', -0.1, 0, 0.1),
    (3, '3b', 'S', 'LTs do not harm where only Skip and convolutions remain', 'tau_a', FALSE, 'below', 0.25, 0, 0.25),
    (3, '3c', 'M', 'There even M generalizes', 'a_n', TRUE, 'above', 0.2, 0.2, 0.02),
    (3, '3d', 'M', 'There even M generalizes, with low deviation', 'a_n_std', TRUE, 'below', 0.05, 0.05, NULL),
    (
        4, '4', 'S', 'No topology sharing, warm-up, clipping or regularization: no gain', 'tau', TRUE, 'below',
        0.05, 0, 0.05
    ),
    (
        4, '4', 'S', 'No topology sharing, warm-up, clipping or regularization: no gain', 'gap_std', TRUE, 'below',
        0.1, 0, 0.1
    ),
    (
        4, '4', 'S', 'No topology sharing, warm-up, clipping or regularization: no gain', 'tau_a', FALSE, 'above',
        -0.25, 0, 0.25
    ),
    (5, '5a', 'S', 'Uniform sampling raises the predicted accuracy', 'a_n', TRUE, 'above', 0, 0, 0.02),
    (5, '5b', 'S', 'Uniform sampling does not improve the ranking', 'tau', TRUE, 'below', 0.05, 0, 0.05),
    (5, '5b', 'S', 'Uniform sampling does not improve the ranking', 'gap_std', TRUE, 'below', 0.1, 0, 0.1),
    (5, '5b', 'S', 'Uniform sampling does not improve the ranking', 'tau_a', FALSE, 'above', -0.25, 0, 0.25),
    (5, '5c', 'M', 'Uniform sampling rescues some M networks', 'rescued', TRUE, 'above', 0.5, 0.5, NULL),
    (6, '6', 'M', 'Many M networks fail to generalize', 'failing', TRUE, 'above', 0.25, 0.05, NULL)
) AS claims (finding, claim, size, statement, metric, decides, direction, bound, opposite_bound, smallest);

COMMENT ON VIEW finding_claim IS 'What the paper finds, as claims that numbers support or contradict';
COMMENT ON COLUMN finding_claim.finding IS 'number of the finding, 1 to 6';
COMMENT ON COLUMN finding_claim.claim IS 'number of the claim within it';
COMMENT ON COLUMN finding_claim.size IS 'size of the networks that the paper says it of; NULL for the benchmark itself';
COMMENT ON COLUMN finding_claim.statement IS 'the claim in words';
COMMENT ON COLUMN finding_claim.metric IS
'the measure: the difference, or the value, of tau, gap_std and a_n in the random sample and of tau_a; a_n_std: the '
'deviation of a_n; share of C3x3 on all edges, lead: the least by which an operation has more edges than the next; '
'rescued: networks; failing: share of the experiments, some of whose seeds predict less than 20 % on the random sample';
COMMENT ON COLUMN finding_claim.decides IS
'whether it decides the claim; otherwise it is the paper''s own measure, which stands beside';
COMMENT ON COLUMN finding_claim.direction IS 'below, above or within';
COMMENT ON COLUMN finding_claim.bound IS
'supported if it is certainly in this direction of it; within: not below it';
COMMENT ON COLUMN finding_claim.opposite_bound IS
'contradicted if it is certainly on the other side of this one; within: supported if also not above it';
COMMENT ON COLUMN finding_claim.smallest IS
'smallest difference that would matter, for which finding_evidence says how many seeds tell it';
