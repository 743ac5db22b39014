-- What mask_effect says, for a relation like run_ranking.
CREATE OR REPLACE MACRO mask_effect_of(rankings) AS TABLE
WITH setting AS (
    SELECT experiment_id, mask, config_without_roles(config, ['mask']) AS setting
    FROM experiment
),
pair AS (
    SELECT masked.experiment_id, unmasked.experiment_id AS other_id
    FROM setting AS masked
    JOIN setting AS unmasked USING (setting)
    WHERE masked.mask <> '' AND unmasked.mask = ''
)
SELECT * RENAME (other_id AS unmasked_id, other_seeds AS unmasked_seeds, other_mean AS unmasked_mean)
FROM effects_of(rankings, 'pair');

COMMENT ON MACRO TABLE mask_effect_of IS 'What mask_effect says, for a relation like run_ranking';

CREATE OR REPLACE VIEW mask_effect AS SELECT * FROM mask_effect_of('run_ranking');

COMMENT ON VIEW mask_effect IS
'What each mask changes: the difference to the experiment without a mask, otherwise the same; the '
'sets are those of each mask, and so other architectures';
COMMENT ON COLUMN mask_effect.experiment_id IS 'experiment';
COMMENT ON COLUMN mask_effect.unmasked_id IS 'experiment without a mask, otherwise the same';
COMMENT ON COLUMN mask_effect.name IS 'name of imported predictions or of an untrained predictor; NULL for networks';
COMMENT ON COLUMN mask_effect.dataset IS 'images trained on';
COMMENT ON COLUMN mask_effect.size IS 'size of the super-network';
COMMENT ON COLUMN mask_effect.mask IS 'operations removed, empty for none';
COMMENT ON COLUMN mask_effect.lt IS 'operations with a linear transformer, empty for none';
COMMENT ON COLUMN mask_effect.variant IS 'variant of the training';
COMMENT ON COLUMN mask_effect.epoch IS 'completed epochs of training; 0 where there is none';
COMMENT ON COLUMN mask_effect.bn_mode IS 'BatchNorm statistics; imported or untrained where there are none';
COMMENT ON COLUMN mask_effect.gt_key IS 'ground-truth key';
COMMENT ON COLUMN mask_effect.architecture_set IS
'as set_definition.architecture_set; of tau_a the random set, whose A_N is its last point';
COMMENT ON COLUMN mask_effect.metric IS 'as in the view metric';
COMMENT ON COLUMN mask_effect.seeds IS 'its seeds';
COMMENT ON COLUMN mask_effect.unmasked_seeds IS 'those without a mask';
COMMENT ON COLUMN mask_effect.mean IS 'mean over its seeds';
COMMENT ON COLUMN mask_effect.unmasked_mean IS 'the same without a mask';
COMMENT ON COLUMN mask_effect.difference IS 'mean minus unmasked_mean; for tau_a, less is better';
COMMENT ON COLUMN mask_effect.difference_error IS 'standard error of the difference; NULL where nothing tells it';
COMMENT ON COLUMN mask_effect.degrees IS 'its degrees of freedom';
COMMENT ON COLUMN mask_effect.deviation IS
'what tells the error: pooled, the deviation of all that vary alike, or own, of both experiments, where these are '
'wider';
COMMENT ON COLUMN mask_effect.difference_interval IS
'half the width of the 95 % interval of the difference, by Student''s t';
COMMENT ON COLUMN mask_effect.p_value IS 'two-sided, of no difference, by Student''s t';
COMMENT ON COLUMN mask_effect.p_holm IS
'p_value after Holm''s correction for all comparisons of the same dataset, size, epoch, bn_mode, gt_key, set and '
'metric';
COMMENT ON COLUMN mask_effect.comparisons IS 'how many these are';
COMMENT ON COLUMN mask_effect.is_final IS 'whether it is of the end of training, or without any';
