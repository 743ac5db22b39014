CREATE OR REPLACE VIEW prediction_point AS
SELECT
    run_id, epoch, bn_mode, gt_key, architecture_set, arch_id, gt_rank, truth, predicted,
    set_kind, is_paper_set, is_final
FROM predicted_set('evaluation_key');

COMMENT ON VIEW prediction_point IS
'Prediction against true accuracy in each architecture set (Figure 2); choose run_id and gt_key';
COMMENT ON COLUMN prediction_point.run_id IS 'run';
COMMENT ON COLUMN prediction_point.epoch IS 'completed epochs of training; 0 where there is none';
COMMENT ON COLUMN prediction_point.bn_mode IS 'BatchNorm statistics; imported or untrained where there are none';
COMMENT ON COLUMN prediction_point.gt_key IS 'ground-truth key';
COMMENT ON COLUMN prediction_point.architecture_set IS 'as set_definition.architecture_set';
COMMENT ON COLUMN prediction_point.arch_id IS 'architecture';
COMMENT ON COLUMN prediction_point.gt_rank IS 'true rank within the mask, 1 for the best';
COMMENT ON COLUMN prediction_point.truth IS 'ground truth, fraction 0..1';
COMMENT ON COLUMN prediction_point.predicted IS 'predicted accuracy, fraction 0..1, or score';
COMMENT ON COLUMN prediction_point.set_kind IS 'what kind of set: top, random or all';
COMMENT ON COLUMN prediction_point.is_paper_set IS
'whether the paper measures on it: its seven top-N and the random sample';
COMMENT ON COLUMN prediction_point.is_final IS 'whether it is of the end of training, or without any';
