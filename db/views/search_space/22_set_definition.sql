CREATE OR REPLACE MACRO is_point_of_tau_a(kind) AS kind IN ('top', 'random');

COMMENT ON MACRO is_point_of_tau_a IS 'Whether τa is of A_N of sets of this kind: the top-N and the random sample';

-- The sets that the paper measures on: its seven top-N and its random sample.
CREATE OR REPLACE MACRO is_set_of_paper(kind, one_per_class) AS is_point_of_tau_a(kind) AND NOT one_per_class;

COMMENT ON MACRO is_set_of_paper IS 'Whether the paper measures on sets of this kind: as set_definition.is_paper_set';

-- `place`: among the truly best, from 1; `size`: how many of them are in a top set.
CREATE OR REPLACE MACRO is_member(kind, size, place, in_random_sample) AS
CASE WHEN kind IN ('top', 'top-percent') THEN place <= size WHEN kind = 'random' THEN in_random_sample ELSE TRUE END;

COMMENT ON MACRO is_member IS
'Whether an architecture is in a set of this kind and size, by its true rank and whether it is in the random sample';

CREATE OR REPLACE VIEW set_definition AS
SELECT
    one_per_class, kind, name || if(one_per_class, ' classes', '') AS architecture_set, size,
    is_set_of_paper(kind, one_per_class) AS is_paper_set, percent, place + if(one_per_class, 14, 0) AS place
FROM (VALUES (FALSE), (TRUE)) AS members (one_per_class)
CROSS JOIN (
    VALUES
        (1, 'top', 'top-10', 10, NULL), (2, 'top', 'top-25', 25, NULL), (3, 'top', 'top-50', 50, NULL),
        (4, 'top', 'top-100', 100, NULL), (5, 'top', 'top-150', 150, NULL), (6, 'top', 'top-250', 250, NULL),
        (7, 'top', 'top-500', 500, NULL),
        (8, 'top-percent', 'top-0.5 %', NULL, 0.5), (9, 'top-percent', 'top-1 %', NULL, 1.0),
        (10, 'top-percent', 'top-5 %', NULL, 5.0), (11, 'top-percent', 'top-10 %', NULL, 10.0),
        (12, 'random', 'random', NULL, NULL), (13, 'all', 'all', NULL, NULL), (14, 'predicted', 'predicted', NULL, NULL)
) AS sets (place, kind, name, size, percent)
-- What a run predicted is one set.
WHERE NOT (one_per_class AND kind = 'predicted');

COMMENT ON VIEW set_definition IS
'The sets of architectures that are measured on: the paper''s seven top-N and its random sample, the best P % of what '
'a mask leaves, the whole space, and the same with one architecture of each class; and whatever a run predicted';
COMMENT ON COLUMN set_definition.one_per_class IS
'false: all architectures; true: of each class only the one with the smallest arch_id';
COMMENT ON COLUMN set_definition.kind IS 'top, top-percent, random, all or predicted';
COMMENT ON COLUMN set_definition.architecture_set IS
'top-10 … top-500, top-0.5 % … top-10 %, random, all or predicted; followed by classes for one of each class';
COMMENT ON COLUMN set_definition.size IS
'N of a top-N, which a mask has that leaves so many; NULL for other sets, whose n ranked_set has';
COMMENT ON COLUMN set_definition.is_paper_set IS
'whether the paper measures on it: its seven top-N and the random sample';
COMMENT ON COLUMN set_definition.percent IS
'P of the best P % of what a mask leaves, rounded up; NULL for other sets';
COMMENT ON COLUMN set_definition.place IS 'place among all sets, from 1: all architectures before one of each class';

CREATE OR REPLACE VIEW paper_set AS SELECT * FROM set_definition WHERE is_paper_set;

COMMENT ON VIEW paper_set IS 'The rows of set_definition that the paper measures on';
COMMENT ON COLUMN paper_set.one_per_class IS 'as set_definition.one_per_class';
COMMENT ON COLUMN paper_set.kind IS 'as set_definition.kind';
COMMENT ON COLUMN paper_set.architecture_set IS 'as set_definition.architecture_set';
COMMENT ON COLUMN paper_set.size IS 'as set_definition.size';
COMMENT ON COLUMN paper_set.is_paper_set IS 'as set_definition.is_paper_set';
COMMENT ON COLUMN paper_set.percent IS 'as set_definition.percent';
COMMENT ON COLUMN paper_set.place IS 'as set_definition.place';
