-- What trial_agreement says, in the sets of `definitions`: set_definition, or a part of it.
CREATE OR REPLACE MACRO trial_agreement_in(definitions) AS TABLE
WITH trial AS (
    SELECT
        base.gt_key, key.trial, rank.mask, rank.one_per_class, rank.arch_id, rank.accuracy,
        rank.in_random_sample
    FROM ground_truth_key AS base
    JOIN ground_truth_key AS key USING (source, dataset, split, epochs, averaged_epochs)
    JOIN architecture_rank AS rank ON rank.gt_key = key.gt_key
    WHERE base.trial = 'mean' AND key.trial <> 'mean'
),
-- One trial stands for the prediction, another one, or the mean of all others, for the truth.
compared AS (
    SELECT one.gt_key, one.mask, one.one_per_class, one.arch_id, one.in_random_sample,
        {'truth': other.trial, 'trial': one.trial} AS predictor, other.accuracy AS truth, one.accuracy AS predicted
    FROM trial AS one
    JOIN trial AS other USING (gt_key, mask, one_per_class, arch_id)
    WHERE one.trial <> other.trial
    UNION ALL
    SELECT one.gt_key, one.mask, one.one_per_class, one.arch_id, one.in_random_sample,
        {'truth': 'others', 'trial': one.trial},
        round(avg(other.accuracy), 8), any_value(one.accuracy)
    FROM trial AS one
    JOIN trial AS other USING (gt_key, mask, one_per_class, arch_id)
    WHERE one.trial <> other.trial
    GROUP BY ALL
),
ranked AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY predictor, gt_key, mask, one_per_class ORDER BY truth DESC, arch_id
        ) AS gt_rank
    FROM compared
),
member AS (
    SELECT *, architecture_set AS series FROM set_members('ranked', definitions := definitions)
)
SELECT
    gt_key, mask, one_per_class, series AS architecture_set, n_predicted AS n,
    predictor.truth AS truth, predictor.trial AS trial,
    tau, tau_eq2, spearman, pearson,
    kind AS set_kind, is_paper_set, tau_same_size, tau_partial, tau_sparse, tau_weighted
FROM rank_correlation('member') AS ranking
JOIN set_definition AS definition ON definition.architecture_set = ranking.series;

COMMENT ON MACRO TABLE trial_agreement_in IS
'What trial_agreement says, in the sets of a relation like set_definition; the fewer, the faster';

CREATE OR REPLACE VIEW trial_agreement AS SELECT * FROM trial_agreement_in('set_definition');

COMMENT ON VIEW trial_agreement IS
'How well one trial of the benchmark ranks as another, or as the mean of all others: what a super-network could '
'reach that were as good as training once';
COMMENT ON COLUMN trial_agreement.gt_key IS 'ground-truth key of the mean over the trials';
COMMENT ON COLUMN trial_agreement.mask IS 'operations removed';
COMMENT ON COLUMN trial_agreement.one_per_class IS 'false: all architectures; true: one of each class';
COMMENT ON COLUMN trial_agreement.architecture_set IS 'as set_definition.architecture_set, chosen by the truth';
COMMENT ON COLUMN trial_agreement.n IS 'architectures in the set; only such as have both trials';
COMMENT ON COLUMN trial_agreement.truth IS 'the trial that stands for the truth, or others for the mean of all others';
COMMENT ON COLUMN trial_agreement.trial IS 'the trial that stands for the prediction';
COMMENT ON COLUMN trial_agreement.tau IS 'Kendall''s tau-b';
COMMENT ON COLUMN trial_agreement.tau_eq2 IS 'Kendall''s τ by Equation 2';
COMMENT ON COLUMN trial_agreement.spearman IS 'Spearman''s rank correlation';
COMMENT ON COLUMN trial_agreement.pearson IS 'Pearson''s correlation';
COMMENT ON COLUMN trial_agreement.set_kind IS 'what kind of set: top, top-percent, random or all';
COMMENT ON COLUMN trial_agreement.is_paper_set IS
'whether the paper measures on it: its seven top-N and the random sample';
COMMENT ON COLUMN trial_agreement.tau_same_size IS 'as run_metric.tau_same_size';
COMMENT ON COLUMN trial_agreement.tau_partial IS 'as run_metric.tau_partial';
COMMENT ON COLUMN trial_agreement.tau_sparse IS 'as run_metric.tau_sparse';
COMMENT ON COLUMN trial_agreement.tau_weighted IS 'as run_metric.tau_weighted';
