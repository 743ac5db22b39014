CREATE OR REPLACE VIEW ground_truth_key AS
SELECT
    gt_key, source, dataset, split, epochs, trial,
    count(*) AS architectures,
    min(accuracy) AS min_accuracy,
    max(accuracy) AS max_accuracy
FROM ground_truth
GROUP BY ALL;

COMMENT ON VIEW ground_truth_key IS 'The ground-truth keys that can rank architectures';
COMMENT ON COLUMN ground_truth_key.gt_key IS 'ground-truth key, source:dataset/split@epochs, with #trial for a single trial';
COMMENT ON COLUMN ground_truth_key.source IS 'benchmark_source';
COMMENT ON COLUMN ground_truth_key.dataset IS 'cifar10-valid, cifar10, cifar100 or ImageNet16-120';
COMMENT ON COLUMN ground_truth_key.split IS 'train, valid or test';
COMMENT ON COLUMN ground_truth_key.epochs IS 'epochs of stand-alone training';
COMMENT ON COLUMN ground_truth_key.trial IS 'mean, or the trial';
COMMENT ON COLUMN ground_truth_key.architectures IS 'architectures with an accuracy; a third trial does not exist for all';
COMMENT ON COLUMN ground_truth_key.min_accuracy IS 'fraction 0..1';
COMMENT ON COLUMN ground_truth_key.max_accuracy IS 'fraction 0..1';
