-- What no network of nasrank predicts has neither epochs nor BatchNorm statistics: imported, and untrained predictors.
CREATE OR REPLACE MACRO is_without_network(bn_mode) AS bn_mode IN ('imported', 'untrained');

COMMENT ON MACRO is_without_network IS
'Whether predictions with this bn_mode are imported or of an untrained predictor, which have no BatchNorm statistics';

-- Predictions at the end of training; those without a network are all final.
CREATE OR REPLACE MACRO is_final_epoch(epoch, epochs) AS epoch = coalesce(epochs, 0);

COMMENT ON MACRO is_final_epoch IS
'Whether predictions after `epoch` are those of the end of a training of `epochs`; imported ones (0 and NULL) are';

-- What the table evaluation says of `predictions`, a relation like prediction.
CREATE OR REPLACE MACRO evaluations_in(predictions) AS TABLE
SELECT
    run_id, epoch, bn_mode, count(DISTINCT arch_id) AS predictions,
    count(*) FILTER (WHERE status = 'non-finite') AS non_finite
FROM query_table(predictions)
GROUP BY ALL;

COMMENT ON MACRO TABLE evaluations_in IS 'The rows of evaluation that the rows of a relation like prediction make';

CREATE OR REPLACE VIEW evaluation_key AS
SELECT
    evaluation.run_id, evaluation.epoch, evaluation.bn_mode, experiment.mask, key.gt_key,
    evaluation.predictions = mask.architectures AS is_whole_space,
    list_contains(CAST(run.ground_truth_keys AS VARCHAR[]), key.gt_key) AS is_asked,
    is_final_epoch(evaluation.epoch, experiment.epochs) AS is_final
FROM evaluation
JOIN run USING (run_id)
JOIN experiment USING (experiment_id)
JOIN mask USING (mask)
CROSS JOIN ground_truth_key AS key;

COMMENT ON VIEW evaluation_key IS 'Every evaluation under every ground-truth key: what can be measured';
COMMENT ON COLUMN evaluation_key.run_id IS 'run';
COMMENT ON COLUMN evaluation_key.epoch IS 'completed epochs of training; 0 where there is none';
COMMENT ON COLUMN evaluation_key.bn_mode IS 'BatchNorm statistics; imported or untrained where there are none';
COMMENT ON COLUMN evaluation_key.mask IS 'operations removed';
COMMENT ON COLUMN evaluation_key.gt_key IS 'ground-truth key';
COMMENT ON COLUMN evaluation_key.is_whole_space IS 'whether all architectures that the mask leaves were predicted';
COMMENT ON COLUMN evaluation_key.is_asked IS
'whether the run was asked to predict the top-N of this key; what it is measured by is stored then';
COMMENT ON COLUMN evaluation_key.is_final IS 'whether it is of the end of training, or without any';

-- `asked` lists run_ids, experiment_ids, or both.
CREATE OR REPLACE MACRO evaluations_of(asked, by_key) AS TABLE
SELECT evaluation_key.*
FROM evaluation_key
JOIN run USING (run_id)
WHERE gt_key = by_key AND (list_contains(asked, run_id) OR list_contains(asked, experiment_id));

COMMENT ON MACRO TABLE evaluations_of IS
'The rows of evaluation_key of some runs, or of all runs of some experiments, under one ground-truth key';

CREATE OR REPLACE MACRO final_evaluations(on_dataset, by_key) AS TABLE
SELECT evaluation_key.*
FROM evaluation_key
JOIN run USING (run_id)
JOIN experiment USING (experiment_id)
WHERE gt_key = by_key AND is_final AND (dataset = on_dataset OR is_without_network(bn_mode));

COMMENT ON MACRO TABLE final_evaluations IS
'The rows of evaluation_key at the end of the training on a data set, and of all that is without a network, under one '
'ground-truth key';
