-- Which of the operations that the paper's findings are about a mask removes.
CREATE OR REPLACE VIEW finding_mask AS
SELECT
    mask,
    count(*) FILTER (WHERE operation = 'Zero') > 0 AS removes_zero,
    count(*) FILTER (WHERE operation = 'Pool') > 0 AS removes_pool
FROM mask
LEFT JOIN removed_operation USING (mask)
GROUP BY mask;

COMMENT ON VIEW finding_mask IS 'Whether each mask removes Zero and Pool, which the paper''s findings are about';
COMMENT ON COLUMN finding_mask.mask IS 'as in mask';
COMMENT ON COLUMN finding_mask.removes_zero IS 'whether it removes Zero';
COMMENT ON COLUMN finding_mask.removes_pool IS 'whether it removes Pool';

-- What LTs, variants and masks change at the end of training, by `rankings`, a relation like run_ranking: a row a claim
-- that the change speaks of, and metric. `least` and `greatest` are what the difference can be at all, with what it is
-- compared with.
CREATE OR REPLACE MACRO evidence_of_effects(rankings) AS TABLE
WITH variant_claim AS (
    SELECT * FROM (VALUES
        ('uniform-sampling', '5a'), ('uniform-sampling', '5b'),
        ('not-shared', '4'), ('warmup', '4'), ('grad-clipping', '4'), ('regularized', '4')
    ) AS claims (variant, claim)
),
of_lt AS (
    SELECT if(removes_zero AND removes_pool, '3b', '3a') AS claim, effect.*
    FROM experiment_effect_of(rankings) AS effect
    JOIN finding_mask USING (mask)
    WHERE variant = 'baseline'
),
of_variant AS (
    SELECT claim, effect.*
    FROM experiment_effect_of(rankings) AS effect
    JOIN variant_claim USING (variant)
    WHERE lt = ''
),
of_mask AS (
    SELECT
        CASE
            WHEN mask IN ('Zero', 'Zero+Pool') THEN '1a'
            WHEN NOT removes_zero AND NOT removes_pool THEN '1c'
        END AS claim,
        effect.* RENAME (unmasked_id AS baseline_id, unmasked_seeds AS baseline_seeds, unmasked_mean AS baseline_mean)
    FROM mask_effect_of(rankings) AS effect
    JOIN finding_mask USING (mask)
    WHERE lt = '' AND variant = 'baseline'
)
SELECT
    claim, experiment_id, baseline_id AS other_id, dataset, size, epoch, bn_mode, gt_key, architecture_set, metric,
    difference AS value, difference - difference_interval AS low, difference + difference_interval AS high,
    seeds AS n, baseline_seeds AS other_n, difference_error AS standard_error, degrees, deviation,
    known.low - baseline_mean AS least, known.high - baseline_mean AS greatest
FROM (FROM of_lt UNION ALL BY NAME FROM of_variant UNION ALL BY NAME FROM of_mask)
SEMI JOIN (FROM experiment WHERE kind = 'trained') AS trained USING (experiment_id)
JOIN metric AS known USING (metric)
WHERE is_final AND architecture_set = 'random' AND claim IS NOT NULL;

COMMENT ON MACRO TABLE evidence_of_effects IS
'What LTs, variants and masks say of the paper''s claims: differences of means at the end of training, by a relation '
'like run_ranking';
