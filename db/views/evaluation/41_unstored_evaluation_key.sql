CREATE OR REPLACE VIEW unstored_evaluation_key AS
SELECT *
FROM evaluation_key
ANTI JOIN stored_ranking USING (run_id, epoch, bn_mode, gt_key);

COMMENT ON VIEW unstored_evaluation_key IS
'Evaluations under keys whose metrics are not stored, and so computed when they are asked for';
COMMENT ON COLUMN unstored_evaluation_key.run_id IS 'run';
COMMENT ON COLUMN unstored_evaluation_key.epoch IS 'completed epochs of training; 0 where there is none';
COMMENT ON COLUMN unstored_evaluation_key.bn_mode IS 'BatchNorm statistics; imported or untrained where there are none';
COMMENT ON COLUMN unstored_evaluation_key.mask IS 'operations removed';
COMMENT ON COLUMN unstored_evaluation_key.gt_key IS 'ground-truth key';
COMMENT ON COLUMN unstored_evaluation_key.is_whole_space IS 'as in evaluation_key';
COMMENT ON COLUMN unstored_evaluation_key.is_asked IS
'as in evaluation_key; true only within an ingest, which stores these next';
COMMENT ON COLUMN unstored_evaluation_key.is_final IS 'whether it is of the end of training, or without any';
