CREATE OR REPLACE VIEW ground_truth_agreement AS
WITH member AS (
    SELECT
        chosen.gt_key, chosen.arch_id, chosen.accuracy AS truth, other.gt_key AS predictor, other.accuracy AS predicted,
        chosen.mask, chosen.architecture_set AS series
    FROM architecture_set AS chosen
    JOIN true_ranking AS other USING (arch_id)
    JOIN ground_truth_key AS key ON key.gt_key = chosen.gt_key AND key.trial = 'mean'
    JOIN ground_truth_key AS other_key ON other_key.gt_key = other.gt_key AND other_key.trial = 'mean'
    WHERE other.mask = '' AND other.gt_key <> chosen.gt_key
)
SELECT
    gt_key, predictor AS other_key, mask, one_per_class, series AS architecture_set, n_predicted AS n, tau, tau_eq2,
    spearman, pearson, kind AS set_kind, is_paper_set, tau_same_size, tau_partial
FROM rank_correlation('member') AS ranking
JOIN set_definition AS definition ON definition.architecture_set = ranking.series;

COMMENT ON VIEW ground_truth_agreement IS
'How well one ground-truth key ranks as another, in the sets of the first: data sets against each other, and train, '
'valid and test (Figure 10)';
COMMENT ON COLUMN ground_truth_agreement.gt_key IS 'ground-truth key that chooses the set; a mean over trials';
COMMENT ON COLUMN ground_truth_agreement.other_key IS 'ground-truth key compared with it; a mean over trials';
COMMENT ON COLUMN ground_truth_agreement.mask IS 'operations removed';
COMMENT ON COLUMN ground_truth_agreement.one_per_class IS 'false: all architectures; true: one of each class';
COMMENT ON COLUMN ground_truth_agreement.architecture_set IS 'as set_definition.architecture_set';
COMMENT ON COLUMN ground_truth_agreement.n IS 'architectures in the set';
COMMENT ON COLUMN ground_truth_agreement.tau IS 'Kendall''s tau-b';
COMMENT ON COLUMN ground_truth_agreement.tau_eq2 IS 'Kendall''s τ by Equation 2';
COMMENT ON COLUMN ground_truth_agreement.spearman IS 'Spearman''s rank correlation';
COMMENT ON COLUMN ground_truth_agreement.pearson IS 'Pearson''s correlation';
COMMENT ON COLUMN ground_truth_agreement.set_kind IS 'what kind of set: top, top-percent, random or all';
COMMENT ON COLUMN ground_truth_agreement.is_paper_set IS
'whether the paper measures on it: its seven top-N and the random sample';
COMMENT ON COLUMN ground_truth_agreement.tau_same_size IS 'as run_metric.tau_same_size';
COMMENT ON COLUMN ground_truth_agreement.tau_partial IS 'as run_metric.tau_partial';
