CREATE OR REPLACE VIEW run_search AS
WITH search AS (
    SELECT stored.*, experiment.mask
    FROM stored_search AS stored
    JOIN run USING (run_id)
    JOIN experiment USING (experiment_id)
    UNION ALL BY NAME
    SELECT * FROM search_of('unstored_evaluation_key')
)
SELECT
    run.experiment_id, experiment.name, experiment.dataset, experiment.size, search.mask, experiment.lt,
    experiment.variant, run.seed,
    search.* EXCLUDE (mask),
    experiment.kind, definition.kind AS set_kind, is_final_epoch(search.epoch, experiment.epochs) AS is_final
FROM search
JOIN set_definition AS definition
    ON definition.one_per_class = search.one_per_class AND definition.architecture_set = search.pool
JOIN run USING (run_id)
JOIN experiment USING (experiment_id);

COMMENT ON VIEW run_search IS
'What a search finds that trusts the predictions of one run; among equal predictions the smaller arch_id comes first';
COMMENT ON COLUMN run_search.experiment_id IS 'experiment';
COMMENT ON COLUMN run_search.name IS 'name of imported predictions or of an untrained predictor; NULL for networks';
COMMENT ON COLUMN run_search.dataset IS 'images trained on';
COMMENT ON COLUMN run_search.size IS 'size of the super-network';
COMMENT ON COLUMN run_search.mask IS 'operations removed, empty for none';
COMMENT ON COLUMN run_search.lt IS 'operations with a linear transformer, empty for none';
COMMENT ON COLUMN run_search.variant IS 'variant of the training';
COMMENT ON COLUMN run_search.seed IS 'seed of the run';
COMMENT ON COLUMN run_search.run_id IS 'run';
COMMENT ON COLUMN run_search.epoch IS 'completed epochs of training; 0 where there is none';
COMMENT ON COLUMN run_search.bn_mode IS 'BatchNorm statistics; imported or untrained where there are none';
COMMENT ON COLUMN run_search.gt_key IS 'ground-truth key';
COMMENT ON COLUMN run_search.one_per_class IS 'false: all architectures; true: one of each class';
COMMENT ON COLUMN run_search.pool IS
'what was searched: random or all that the mask leaves; followed by classes for one of each class';
COMMENT ON COLUMN run_search.n IS 'architectures in the pool';
COMMENT ON COLUMN run_search.top_k IS 'how many of the best predicted are looked at, a number or a share of the pool';
COMMENT ON COLUMN run_search.k IS 'the same as a number';
COMMENT ON COLUMN run_search.precision_at_k IS 'share of the k truly best within the k best predicted, 0..1';
COMMENT ON COLUMN run_search.best_rank IS
'true rank, within the pool, of the best among the k best predicted; 1 is perfect';
COMMENT ON COLUMN run_search.regret IS
'true accuracy of the best of the pool minus that of the best among the k best predicted, fraction 0..1';
COMMENT ON COLUMN run_search.kind IS 'as experiment.kind';
COMMENT ON COLUMN run_search.set_kind IS 'what kind of set the pool is: random or all';
COMMENT ON COLUMN run_search.is_final IS 'whether it is of the end of training, or without any';
COMMENT ON COLUMN run_search.worst_rank IS
'true rank, within the pool, of the worst among the k best predicted; k is perfect';
COMMENT ON COLUMN run_search.bottom_precision_at_k IS
'share of the k truly worst within the k worst predicted, 0..1';
COMMENT ON COLUMN run_search.ndcg_at_k IS
'discounted gain of the k best predicted by that of the k truly best, 0..1; NULL where all truths are equal';
