-- What the paper concludes, as claims that numbers can support or contradict; shared/paper has the sentences, Section 4
-- of the paper their figures. Ours are only the bounds where the paper has none: τa of -0.5 is three quarters of the
-- pairs of points in the right order; 0.25 is 7 of its 28 steps.
CREATE OR REPLACE VIEW finding_claim AS
SELECT * FROM (VALUES
    (1, '1a', 'S', 'Masking Zero, alone or with Pool, ranks better than no mask', 'tau_a', 'below', 0, 0),
    (1, '1b', 'S', 'With Zero, or Zero and Pool, masked, the network ranks well', 'tau_a', 'below', -0.5, -0.5),
    (1, '1c', 'S', 'Masking Skip or convolutions ranks worse than no mask', 'tau_a', 'above', 0, 0),
    (2, '2a', NULL, 'C3x3 is on about half of all edges of the best', 'share', 'within', 0.4, 0.6),
    (2, '2b', NULL, 'Then follow Skip, C1x1, Zero and Pool', 'lead', 'above', 0, 0),
    (3, '3a', 'S', 'LTs harm while Zero or Pool remains', 'tau_a', 'above', 0, 0),
    (3, '3a', 'S', 'LTs harm while Zero or Pool remains', 'tau', 'below', 0, 0),
    (3, '3b', 'S', 'LTs do not harm where only Skip and convolutions remain', 'tau_a', 'below', 0.25, 0),
    (3, '3b', 'S', 'LTs do not harm where only Skip and convolutions remain', 'tau', 'above', -0.05, 0),
    (3, '3c', 'M', 'There even M generalizes', 'a_n', 'above', 0.2, 0.2),
    (3, '3d', 'M', 'There even M generalizes, with low deviation', 'a_n_std', 'below', 0.05, 0.05),
    (4, '4', 'S', 'No topology sharing, warm-up, clipping or regularization: no gain', 'tau_a', 'above', -0.25, 0),
    (4, '4', 'S', 'No topology sharing, warm-up, clipping or regularization: no gain', 'tau', 'below', 0.05, 0),
    (5, '5a', 'S', 'Uniform sampling raises the predicted accuracy', 'a_n', 'above', 0, 0),
    (5, '5b', 'S', 'Uniform sampling does not improve the ranking', 'tau_a', 'above', -0.25, 0),
    (5, '5b', 'S', 'Uniform sampling does not improve the ranking', 'tau', 'below', 0.05, 0),
    (5, '5c', 'M', 'Uniform sampling rescues some M networks', 'rescued', 'above', 0.5, 0.5),
    (6, '6', 'M', 'Many M networks fail to generalize', 'failing', 'above', 0.25, 0.05)
) AS claims (finding, claim, size, statement, metric, direction, bound, opposite_bound);

COMMENT ON VIEW finding_claim IS 'What the paper finds, as claims that numbers support or contradict';
COMMENT ON COLUMN finding_claim.finding IS 'number of the finding, 1 to 6';
COMMENT ON COLUMN finding_claim.claim IS 'number of the claim within it';
COMMENT ON COLUMN finding_claim.size IS 'size of the networks that the paper says it of; NULL for the benchmark itself';
COMMENT ON COLUMN finding_claim.statement IS 'the claim in words';
COMMENT ON COLUMN finding_claim.metric IS
'what decides: the difference of tau_a, of tau and a_n in the random sample; a_n and a_n_std themselves; share of '
'C3x3 on all edges, lead: the least by which an operation has more edges than the next; rescued: networks; failing: '
'share of the experiments, some of whose seeds predict less than 20 % on the random sample';
COMMENT ON COLUMN finding_claim.direction IS 'below, above or within';
COMMENT ON COLUMN finding_claim.bound IS
'supported if the whole 95 % interval lies in this direction of it; within: not below it';
COMMENT ON COLUMN finding_claim.opposite_bound IS
'contradicted if the whole interval lies on the other side of this one; within: supported if also not above it';
