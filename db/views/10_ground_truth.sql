CREATE OR REPLACE VIEW ground_truth AS
WITH value AS (
    SELECT source, dataset, split, epochs, trial, arch_id, accuracy, NULL AS trials
    FROM benchmark_result
    UNION ALL
    -- Rounded far below the benchmark's resolution of 1e-5, so that equal means are equal whatever
    -- the order in which they were added up: ties must not depend on it.
    SELECT source, dataset, split, epochs, 'mean', arch_id, round(favg(accuracy), 8), count(*)
    FROM benchmark_result
    WHERE trial <> 'mean'
    GROUP BY source, dataset, split, epochs, arch_id
)
SELECT
    source || ':' || dataset || '/' || split || '@' || epochs
        || CASE WHEN trial = 'mean' THEN '' ELSE '#' || trial END AS gt_key,
    source, dataset, split, epochs, trial, arch_id, accuracy, trials
FROM value;

COMMENT ON VIEW ground_truth IS 'Stand-alone accuracies under every ground-truth key: each trial, and the mean over trials';
COMMENT ON COLUMN ground_truth.gt_key IS 'ground-truth key, source:dataset/split@epochs, with #trial for a single trial';
COMMENT ON COLUMN ground_truth.source IS 'benchmark_source';
COMMENT ON COLUMN ground_truth.dataset IS 'cifar10-valid, cifar10, cifar100 or ImageNet16-120';
COMMENT ON COLUMN ground_truth.split IS 'train, valid or test';
COMMENT ON COLUMN ground_truth.epochs IS 'epochs of stand-alone training';
COMMENT ON COLUMN ground_truth.trial IS 'mean, or the trial';
COMMENT ON COLUMN ground_truth.arch_id IS 'architecture';
COMMENT ON COLUMN ground_truth.accuracy IS 'fraction 0..1';
COMMENT ON COLUMN ground_truth.trials IS 'trials behind the mean; NULL for a single trial and where the source only has the mean';
