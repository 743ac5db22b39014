-- What noise_ceiling says, in the sets of `definitions`: set_definition, or a part of it.
CREATE OR REPLACE MACRO noise_ceiling_in(definitions) AS TABLE
SELECT
    gt_key, mask, one_per_class, architecture_set, max(n) AS n,
    favg(tau) FILTER (WHERE truth <> 'others') AS tau_between_trials,
    favg(tau) FILTER (WHERE truth = 'others') AS tau_to_others,
    favg(tau_eq2) FILTER (WHERE truth <> 'others') AS tau_eq2_between_trials,
    favg(tau_eq2) FILTER (WHERE truth = 'others') AS tau_eq2_to_others,
    favg(spearman) FILTER (WHERE truth <> 'others') AS spearman_between_trials,
    favg(spearman) FILTER (WHERE truth = 'others') AS spearman_to_others,
    favg(pearson) FILTER (WHERE truth <> 'others') AS pearson_between_trials,
    favg(pearson) FILTER (WHERE truth = 'others') AS pearson_to_others,
    set_kind, is_paper_set,
    favg(tau_same_size) FILTER (WHERE truth <> 'others') AS tau_same_size_between_trials,
    favg(tau_same_size) FILTER (WHERE truth = 'others') AS tau_same_size_to_others,
    favg(tau_partial) FILTER (WHERE truth <> 'others') AS tau_partial_between_trials,
    favg(tau_partial) FILTER (WHERE truth = 'others') AS tau_partial_to_others,
    favg(tau_sparse) FILTER (WHERE truth <> 'others') AS tau_sparse_between_trials,
    favg(tau_sparse) FILTER (WHERE truth = 'others') AS tau_sparse_to_others,
    favg(tau_weighted) FILTER (WHERE truth <> 'others') AS tau_weighted_between_trials,
    favg(tau_weighted) FILTER (WHERE truth = 'others') AS tau_weighted_to_others
FROM trial_agreement_in(definitions)
GROUP BY ALL;

COMMENT ON MACRO TABLE noise_ceiling_in IS
'What noise_ceiling says, in the sets of a relation like set_definition; the fewer, the faster';

CREATE OR REPLACE VIEW noise_ceiling AS SELECT * FROM noise_ceiling_in('set_definition');

COMMENT ON VIEW noise_ceiling IS 'How well trials of the benchmark rank each other: what a τ can be read against';
COMMENT ON COLUMN noise_ceiling.gt_key IS 'ground-truth key of the mean over the trials';
COMMENT ON COLUMN noise_ceiling.mask IS 'operations removed';
COMMENT ON COLUMN noise_ceiling.one_per_class IS 'false: all architectures; true: one of each class';
COMMENT ON COLUMN noise_ceiling.architecture_set IS 'as set_definition.architecture_set';
COMMENT ON COLUMN noise_ceiling.n IS 'architectures in the set; fewer where some lack a trial';
COMMENT ON COLUMN noise_ceiling.tau_between_trials IS 'Kendall''s tau-b of one trial with another, mean over all pairs';
COMMENT ON COLUMN noise_ceiling.tau_to_others IS
'Kendall''s tau-b of one trial with the mean of all others, mean over the trials';
COMMENT ON COLUMN noise_ceiling.tau_eq2_between_trials IS
'Kendall''s τ by Equation 2 of one trial with another, mean over all pairs';
COMMENT ON COLUMN noise_ceiling.tau_eq2_to_others IS
'Kendall''s τ by Equation 2 of one trial with the mean of all others, mean over the trials';
COMMENT ON COLUMN noise_ceiling.spearman_between_trials IS
'Spearman''s correlation of one trial with another, mean over all pairs';
COMMENT ON COLUMN noise_ceiling.spearman_to_others IS
'Spearman''s correlation of one trial with the mean of all others, mean over the trials';
COMMENT ON COLUMN noise_ceiling.pearson_between_trials IS
'Pearson''s correlation of one trial with another, mean over all pairs';
COMMENT ON COLUMN noise_ceiling.pearson_to_others IS
'Pearson''s correlation of one trial with the mean of all others, mean over the trials';
COMMENT ON COLUMN noise_ceiling.set_kind IS 'what kind of set: top, top-percent, random or all';
COMMENT ON COLUMN noise_ceiling.is_paper_set IS
'whether the paper measures on it: its seven top-N and the random sample';
COMMENT ON COLUMN noise_ceiling.tau_same_size_between_trials IS
'τ among pairs of equal size of one trial with another, mean over all pairs of trials';
COMMENT ON COLUMN noise_ceiling.tau_same_size_to_others IS
'τ among pairs of equal size of one trial with the mean of all others, mean over the trials';
COMMENT ON COLUMN noise_ceiling.tau_partial_between_trials IS
'Kendall''s partial τ given the size of one trial with another, mean over all pairs of trials';
COMMENT ON COLUMN noise_ceiling.tau_partial_to_others IS
'Kendall''s partial τ given the size of one trial with the mean of all others, mean over the trials';
COMMENT ON COLUMN noise_ceiling.tau_sparse_between_trials IS
'Tau-b with the truth in tenths of a percentage point, of one trial with another, mean over all pairs';
COMMENT ON COLUMN noise_ceiling.tau_sparse_to_others IS
'Tau-b with the truth in tenths of a percentage point, of one trial with the mean of all others, mean over the trials';
COMMENT ON COLUMN noise_ceiling.tau_weighted_between_trials IS
'Kendall''s τ weighted by true rank of one trial with another, mean over all pairs';
COMMENT ON COLUMN noise_ceiling.tau_weighted_to_others IS
'Kendall''s τ weighted by true rank of one trial with the mean of all others, mean over the trials';
