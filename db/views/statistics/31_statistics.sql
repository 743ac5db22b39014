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

-- The quantile 97.5 % of Student's t. Its logarithm is nearly a line in the inverse of the degrees: a polynomial,
-- fitted to the quantiles of 400 degrees from 1 up, is right to six digits, also between whole numbers.
CREATE OR REPLACE MACRO student_t_975(degrees) AS
exp(
    0.67292626 + 1.21033823 / degrees + 0.70829695 / degrees ** 2 + 0.14501559 / degrees ** 3
    - 0.19954118 / degrees ** 4 - 0.15770748 / degrees ** 5 + 0.27667277 / degrees ** 6
    - 0.13906679 / degrees ** 7 + 0.02515601 / degrees ** 8
);
COMMENT ON MACRO student_t_975 IS
'The quantile 97.5 % of Student''s t with so many degrees of freedom, 1 or more, whole or not';

-- With t = sqrt(degrees) / tan(angle), the tail is an integral of sin(angle) ** (degrees - 1) from 0 on. Simpson's rule
-- at points that are dense at both ends, where the integrand is steep.
CREATE OR REPLACE MACRO student_t_p(t, degrees) AS
CASE WHEN t = 0 THEN 1 WHEN isinf(t) THEN 0 ELSE least(
    1,
    atan(sqrt(degrees) / abs(t)) * exp(lgamma((degrees + 1) / 2) - lgamma(degrees / 2)) / sqrt(pi())
    * list_sum([
        if(step % 2 = 1, 4, 2) * 4 * (step / 128) * (1 - (step / 128) ** 2)
        * sin(atan(sqrt(degrees) / abs(t)) * (1 - (step / 128) ** 2) ** 2) ** (degrees - 1)
        FOR step IN range(1, 128)
    ]) * 2 / (3 * 128)
) END;
COMMENT ON MACRO student_t_p IS
'Two-sided p-value of Student''s t with so many degrees of freedom, 1 or more, whole or not: right to six digits '
'after the point';

-- The ends of the 95 % interval of a deviation, by the quantiles of chi-squared, as student_t_975 fitted: to five
-- digits.
CREATE OR REPLACE MACRO deviation_low(deviation, degrees) AS
deviation * exp(
    -1.38585 / degrees ** 0.5 + 0.972751 / degrees - 0.674953 / degrees ** 1.5 + 0.441521 / degrees ** 2
    - 0.207994 / degrees ** 2.5 + 0.047424 / degrees ** 3
);
COMMENT ON MACRO deviation_low IS
'Where the 95 % interval of a deviation begins, from the sample deviation and its degrees of freedom';

CREATE OR REPLACE MACRO deviation_high(deviation, degrees) AS
deviation * exp(
    1.385847 / degrees ** 0.5 + 0.974967 / degrees + 0.663017 / degrees ** 1.5 + 0.59083 / degrees ** 2
    - 0.335703 / degrees ** 2.5 + 1.466581 / degrees ** 3 - 2.13364 / degrees ** 3.5 + 0.851025 / degrees ** 4
);
COMMENT ON MACRO deviation_high IS
'Where the 95 % interval of a deviation ends, from the sample deviation and its degrees of freedom';

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
