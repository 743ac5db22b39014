CREATE OR REPLACE VIEW ground_truth AS
WITH measured AS (
    -- Rounded far below the benchmark's resolution of 1e-5: accuracies that were written down with other digits, or
    -- averaged in another order, are ties all the same.
    SELECT source, dataset, split, epochs, epoch, trial, arch_id, round(accuracy, 8) AS accuracy
    FROM benchmark_result
    WHERE split <> 'valid+test' AND epoch > epochs - 3
),
-- What was measured in all of the last three epochs, which not every split was.
averaged AS (
    SELECT source, dataset, split, epochs, trial, arch_id, favg(accuracy) AS accuracy
    FROM measured
    GROUP BY source, dataset, split, epochs, trial, arch_id
    HAVING count(*) = 3
),
value AS (
    SELECT source, dataset, split, epochs, 1 AS averaged_epochs, trial, arch_id, accuracy, NULL AS trials
    FROM measured
    WHERE epoch = epochs
    UNION ALL
    SELECT source, dataset, split, epochs, 1, 'mean', arch_id, round(favg(accuracy), 8), count(*)
    FROM measured
    WHERE epoch = epochs AND trial <> 'mean'
    GROUP BY source, dataset, split, epochs, arch_id
    UNION ALL
    SELECT
        source, dataset, split, epochs, 3, 'mean', arch_id, round(favg(accuracy), 8),
        nullif(count(*) FILTER (WHERE trial <> 'mean'), 0)
    FROM averaged
    GROUP BY source, dataset, split, epochs, arch_id
)
SELECT
    source || ':' || dataset || '/' || split || '@'
        || CASE WHEN averaged_epochs > 1 THEN (epochs - averaged_epochs + 1) || '-' ELSE '' END || epochs
        || CASE WHEN trial = 'mean' THEN '' ELSE '#' || trial END AS gt_key,
    source, dataset, split, epochs, averaged_epochs, trial, arch_id, accuracy, trials
FROM value;

COMMENT ON VIEW ground_truth IS
'Stand-alone accuracies under every ground-truth key: each trial and the mean over trials after the last epoch, and '
'the mean over trials and the last three epochs';
COMMENT ON COLUMN ground_truth.gt_key IS
'ground-truth key, source:dataset/split@epochs, with #trial for a single trial; @first-last for a mean over epochs';
COMMENT ON COLUMN ground_truth.source IS 'benchmark_source';
COMMENT ON COLUMN ground_truth.dataset IS 'cifar10-valid, cifar10, cifar100 or ImageNet16-120';
COMMENT ON COLUMN ground_truth.split IS 'train, valid or test';
COMMENT ON COLUMN ground_truth.epochs IS 'epochs of stand-alone training';
COMMENT ON COLUMN ground_truth.averaged_epochs IS 'as in ground_truth_key';
COMMENT ON COLUMN ground_truth.trial IS 'mean, or the trial';
COMMENT ON COLUMN ground_truth.arch_id IS 'architecture';
COMMENT ON COLUMN ground_truth.accuracy IS 'fraction 0..1';
COMMENT ON COLUMN ground_truth.trials IS
'trials behind the mean; NULL for a single trial and where the source only has the mean';
