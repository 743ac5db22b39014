-- What experiment_effect says, for a relation like run_ranking.
CREATE OR REPLACE MACRO experiment_effect_of(rankings) AS TABLE
WITH setting AS (
    SELECT
        experiment_id,
        lt = '' AND variant = 'baseline' AS is_baseline,
        config_without_roles(config, ['lt', 'variant']) AS setting
    FROM experiment
),
pair AS (
    SELECT changed.experiment_id, baseline.experiment_id AS other_id
    FROM setting AS changed
    JOIN setting AS baseline USING (setting)
    WHERE baseline.is_baseline AND NOT changed.is_baseline
)
SELECT * RENAME (other_id AS baseline_id, other_seeds AS baseline_seeds, other_mean AS baseline_mean)
FROM effects_of(rankings, 'pair');

COMMENT ON MACRO TABLE experiment_effect_of IS 'What experiment_effect says, for a relation like run_ranking';

CREATE OR REPLACE VIEW experiment_effect AS SELECT * FROM experiment_effect_of('run_ranking');

COMMENT ON VIEW experiment_effect IS
'What each LT and variant changes: the difference to the baseline with the same mask, size and other settings';
COMMENT ON COLUMN experiment_effect.experiment_id IS 'experiment';
COMMENT ON COLUMN experiment_effect.baseline_id IS 'experiment without LT and variant, otherwise the same';
COMMENT ON COLUMN experiment_effect.name IS
'name of imported predictions or of an untrained predictor; NULL for networks';
COMMENT ON COLUMN experiment_effect.dataset IS 'images trained on';
COMMENT ON COLUMN experiment_effect.size IS 'size of the super-network';
COMMENT ON COLUMN experiment_effect.mask IS 'operations removed, empty for none';
COMMENT ON COLUMN experiment_effect.lt IS 'operations with a linear transformer, empty for none';
COMMENT ON COLUMN experiment_effect.variant IS 'variant of the training';
COMMENT ON COLUMN experiment_effect.epoch IS 'completed epochs of training';
COMMENT ON COLUMN experiment_effect.bn_mode IS 'BatchNorm statistics';
COMMENT ON COLUMN experiment_effect.gt_key IS 'ground-truth key';
COMMENT ON COLUMN experiment_effect.architecture_set IS
'as set_definition.architecture_set; of tau_a the random set, whose A_N is its last point';
COMMENT ON COLUMN experiment_effect.metric IS 'as in the view metric';
COMMENT ON COLUMN experiment_effect.seeds IS 'its seeds';
COMMENT ON COLUMN experiment_effect.baseline_seeds IS 'those of the baseline';
COMMENT ON COLUMN experiment_effect.mean IS 'mean over its seeds';
COMMENT ON COLUMN experiment_effect.baseline_mean IS 'the same of the baseline';
COMMENT ON COLUMN experiment_effect.difference IS 'mean minus baseline_mean; for tau_a, less is better';
COMMENT ON COLUMN experiment_effect.difference_error IS 'standard error of the difference; NULL where nothing tells it';
COMMENT ON COLUMN experiment_effect.degrees IS 'its degrees of freedom';
COMMENT ON COLUMN experiment_effect.deviation IS
'what tells the error: pooled, the deviation of all that vary alike, or own, of both experiments, where these are '
'wider';
COMMENT ON COLUMN experiment_effect.difference_interval IS
'half the width of the 95 % interval of the difference, by Student''s t';
COMMENT ON COLUMN experiment_effect.p_value IS 'two-sided, of no difference, by Student''s t';
COMMENT ON COLUMN experiment_effect.p_holm IS
'p_value after Holm''s correction for all comparisons of the same dataset, size, epoch, bn_mode, gt_key, set and '
'metric';
COMMENT ON COLUMN experiment_effect.comparisons IS 'how many these are';
COMMENT ON COLUMN experiment_effect.is_final IS 'whether it is of the end of training, or without any';
