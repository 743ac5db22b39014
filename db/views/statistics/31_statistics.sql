-- Kendall's τ by Equation 2 of the eight points (10, A_10), …, (500, A_500), (1000, A_random), given in this order.
CREATE OR REPLACE MACRO tau_a_of(points) AS
CASE WHEN len(points) = 8 THEN
    list_sum([
        list_sum([sign(points[later] - points[earlier]) FOR later IN range(earlier + 1, 9)])
        FOR earlier IN range(1, 8)
    ]) / 28
END;
COMMENT ON MACRO tau_a_of IS 'The paper''s τa of eight A_N, in the order of N';

-- Of eight points, τa has 28 pairs; the paper prints two digits.
CREATE OR REPLACE MACRO is_possible_tau_a(printed) AS abs(round(round(printed * 28) / 28, 2) - printed) < 1e-9;
COMMENT ON MACRO is_possible_tau_a IS 'Whether a printed τa is a multiple of 1/28 to two digits, as every τa is';

-- A mean of scores, whose size can be any, to twelve digits: equal means must be equal whatever the order of adding up.
CREATE OR REPLACE MACRO twelve_digits(number) AS CAST(format('{:.11e}', number) AS DOUBLE);
COMMENT ON MACRO twelve_digits IS 'A number rounded to twelve significant digits';

-- The quantile 97.5 % of Student's t. The list is that for 1 to 30 degrees of freedom; beyond, its expansion in their
-- inverse is exact to six digits.
CREATE OR REPLACE MACRO student_t_975(degrees) AS
CASE
    WHEN degrees <= 30 THEN [
        12.706205, 4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004, 2.262157, 2.228139,
        2.200985, 2.178813, 2.160369, 2.144787, 2.131450, 2.119905, 2.109816, 2.100922, 2.093024, 2.085963,
        2.079614, 2.073873, 2.068658, 2.063899, 2.059539, 2.055529, 2.051831, 2.048407, 2.045230, 2.042272
    ][CAST(degrees AS BIGINT)]
    ELSE 1.959964 + 2.372271 / degrees + 2.822506 / degrees ** 2 + 2.555850 / degrees ** 3
END;
COMMENT ON MACRO student_t_975 IS 'The quantile 97.5 % of Student''s t with so many degrees of freedom';

-- Half of the 95 % interval of a mean over n seeds, by Student's t; NULL for one seed.
CREATE OR REPLACE MACRO interval_95(deviation, n) AS deviation / sqrt(n) * student_t_975(n - 1);
COMMENT ON MACRO interval_95 IS
'Half the width of the 95 % interval of a mean, from the sample deviation over n values';

-- The exact p-value of paired differences: in how many of the 2^n ways to choose their signs is the sum as far from
-- zero. NULL beyond 16 differences, where there would be too many ways to go through.
CREATE OR REPLACE MACRO sign_flip_p(differences) AS
CASE WHEN len(differences) BETWEEN 1 AND 16 THEN
    len([
        1 FOR signs IN range(1 << len(differences))
        IF abs(list_sum([
            if((signs >> (place - 1)) & 1 = 1, -differences[place], differences[place])
            FOR place IN range(1, len(differences) + 1)
        ])) >= abs(list_sum(differences)) - 1e-12
    ]) / (1 << len(differences))
END;
COMMENT ON MACRO sign_flip_p IS
'Two-sided p-value of a list of paired differences, by all ways to flip their signs; NULL beyond 16';
