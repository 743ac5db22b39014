-- What each number means that a ranking is judged by. `pages`: where the dashboard and the report read it.
CREATE OR REPLACE VIEW metric AS
SELECT * FROM (VALUES
    (
        'a_n', 'accuracy', 'set', NULL, 0, 1, TRUE, 'mean predicted accuracy of the set',
        'paper, Section 3.3 (A_N)', ['rankings', 'compare', 'runs', 'report']
    ),
    (
        'mean_score', 'score', 'set', NULL, NULL, NULL, FALSE, 'mean predicted score of the set, in its own unit',
        'as A_N, for scores', []
    ),
    (
        'tau', 'both', 'set', 1, -1, 1, TRUE, 'Kendall''s tau-b of truth and prediction',
        'Kendall 1945', ['rankings', 'scatter', 'compare', 'runs', 'datasets', 'paper', 'report']
    ),
    (
        'tau_eq2', 'both', 'set', 1, -1, 1, TRUE,
        'Kendall''s τ without correction for ties: concordant minus discordant pairs by all pairs',
        'paper, Equation 2', ['rankings', 'scatter', 'compare', 'report']
    ),
    (
        'spearman', 'both', 'set', 1, -1, 1, TRUE, 'Pearson''s correlation of the ranks, equal ones sharing their mean',
        'Spearman 1904', ['rankings', 'scatter', 'compare', 'datasets', 'report']
    ),
    (
        'pearson', 'both', 'set', 1, -1, 1, TRUE, 'Pearson''s correlation of truth and prediction',
        'Pearson 1895', ['rankings', 'scatter', 'compare', 'datasets', 'report']
    ),
    (
        'tau_same_size', 'both', 'set', 1, -1, 1, TRUE,
        'concordant minus discordant pairs among architectures with equally many parameters, by all such pairs, tied '
        'ones too; NULL for fewer than 30',
        'this project', ['rankings', 'scatter', 'compare']
    ),
    (
        'tau_partial', 'both', 'set', 1, -1, 1, TRUE,
        'Kendall''s partial τ of truth and prediction given the number of parameters, of three tau-b',
        'Kendall 1942', ['rankings', 'scatter', 'compare']
    ),
    (
        'tau_sparse', 'both', 'set', 1, -1, 1, TRUE,
        'Kendall''s tau-b of prediction and truth, the truth rounded to tenths of a percentage point, half away from '
        'zero',
        'Yu et al. 2020', ['rankings', 'scatter', 'compare']
    ),
    (
        'tau_weighted', 'both', 'set', 1, -1, 1, TRUE,
        'Kendall''s τ in which a pair weighs 1 / i + 1 / j, with the true ranks i and j of its two within the set',
        'Vigna 2015', ['rankings', 'scatter', 'compare']
    ),
    (
        'tau_a', 'both', 'run', -1, -1, 1, TRUE,
        'Kendall''s τ by Equation 2 of the eight points (10, A_10) … (500, A_500), (1000, A_random): -1 if predictions '
        'fall as more and worse architectures are averaged',
        'paper, Section 3.3 (τa)', ['rankings', 'compare', 'paper', 'report']
    ),
    (
        'gap', 'accuracy', 'run', 1, -1, 1, FALSE, 'A_500 - A_random', 'this project', ['rankings', 'compare']
    ),
    (
        'gap_std', 'both', 'run', 1, NULL, NULL, FALSE,
        'mean prediction of the top-500 minus that of the random sample, by the deviation of predictions in the latter',
        'this project', ['rankings', 'compare']
    ),
    (
        'gap_share', 'accuracy', 'run', 1, NULL, NULL, TRUE, 'gap by the gap of the ground truth', 'this project',
        ['rankings', 'compare']
    ),
    (
        'auc', 'both', 'run', 1, 0, 1, FALSE,
        'how often one of the top-500 is predicted above one of the random sample outside it; a tie counts half',
        'area under the ROC curve', ['rankings', 'compare']
    ),
    (
        'precision_at_k', 'both', 'search', 1, 0, 1, TRUE, 'share of the k best predicted that are among the k best',
        'common', ['rankings', 'report']
    ),
    (
        'best_rank', 'both', 'search', -1, 1, 15625, FALSE, 'true rank of the best of the k best predicted', 'common',
        ['rankings', 'report']
    ),
    (
        'regret', 'both', 'search', -1, 0, 1, FALSE,
        'truth of the best of the pool minus truth of the best of the k best predicted', 'common',
        ['rankings', 'report']
    ),
    (
        'worst_rank', 'both', 'search', -1, 1, 15625, FALSE, 'true rank of the worst of the k best predicted',
        'Ning et al. 2021', []
    ),
    (
        'bottom_precision_at_k', 'both', 'search', 1, 0, 1, TRUE,
        'share of the k worst predicted that are among the k worst', 'Ning et al. 2021', []
    ),
    (
        'ndcg_at_k', 'both', 'search', 1, 0, 1, FALSE,
        'discounted gain of the k best predicted by that of the k best: an architecture gains its truth above the '
        'least of the pool, by the logarithm of its place', 'Järvelin and Kekäläinen 2002', ['rankings']
    )
) AS metrics (metric, predicts, scope, better, low, high, across_masks, definition, source, pages);

COMMENT ON VIEW metric IS 'The metrics: what each means, and how it may be compared';
COMMENT ON COLUMN metric.metric IS 'column of run_ranking, or of run_search where scope is search';
COMMENT ON COLUMN metric.predicts IS 'of which predictions it is: accuracy, score or both, as experiment.predicts';
COMMENT ON COLUMN metric.scope IS
'set: one value a run and architecture set; run: one a run, told with the random sample; search: one a pool and k';
COMMENT ON COLUMN metric.better IS '1 if higher is better, -1 if lower is, NULL if neither is';
COMMENT ON COLUMN metric.low IS 'least value; NULL for no bound';
COMMENT ON COLUMN metric.high IS 'greatest value; NULL for no bound';
COMMENT ON COLUMN metric.across_masks IS
'whether experiments of different masks may be compared in it: not where the truth of their sets differs in it';
COMMENT ON COLUMN metric.definition IS 'what it is; docs/method.md has the formulas';
COMMENT ON COLUMN metric.source IS 'where it comes from';
COMMENT ON COLUMN metric.pages IS 'pages of the dashboard, and report, that read it';
