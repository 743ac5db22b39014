CREATE OR REPLACE MACRO is_point_of_tau_a(kind) AS kind IN ('top', 'random');

COMMENT ON MACRO is_point_of_tau_a IS 'Whether τa is of A_N of sets of this kind: the top-N and the random sample';

-- The sets that the paper measures on: its seven top-N and its random sample.
CREATE OR REPLACE MACRO is_set_of_paper(kind, one_per_class) AS is_point_of_tau_a(kind) AND NOT one_per_class;

COMMENT ON MACRO is_set_of_paper IS 'Whether the paper measures on sets of this kind: as set_definition.is_paper_set';

-- `place`: among the truly best, from 1.
CREATE OR REPLACE MACRO is_member(kind, size, place, in_random_sample) AS
CASE kind WHEN 'top' THEN place <= size WHEN 'random' THEN in_random_sample ELSE TRUE END;

COMMENT ON MACRO is_member IS
'Whether an architecture is in a set of this kind and size, by its true rank and whether it is in the random sample';

CREATE OR REPLACE VIEW set_definition AS
SELECT
    one_per_class, kind, name || if(one_per_class, ' classes', '') AS architecture_set, size,
    is_set_of_paper(kind, one_per_class) AS is_paper_set
FROM (VALUES (FALSE), (TRUE)) AS members (one_per_class)
CROSS JOIN (
    VALUES
        ('top', 'top-10', 10), ('top', 'top-25', 25), ('top', 'top-50', 50), ('top', 'top-100', 100),
        ('top', 'top-150', 150), ('top', 'top-250', 250), ('top', 'top-500', 500),
        ('random', 'random', NULL), ('all', 'all', NULL)
) AS sets (kind, name, size);

COMMENT ON VIEW set_definition IS
'The sets of architectures that are measured on: the paper''s seven top-N and its random sample, the whole space, '
'and the same with one architecture of each class';
COMMENT ON COLUMN set_definition.one_per_class IS
'false: all architectures; true: of each class only the one with the smallest arch_id';
COMMENT ON COLUMN set_definition.kind IS 'top, random or all';
COMMENT ON COLUMN set_definition.architecture_set IS
'top-10 … top-500, random or all; followed by classes for one of each class';
COMMENT ON COLUMN set_definition.size IS 'N of a top-N, which a mask has that leaves so many; NULL for random and all';
COMMENT ON COLUMN set_definition.is_paper_set IS
'whether the paper measures on it: its seven top-N and the random sample';
