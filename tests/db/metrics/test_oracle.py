"""An oracle's metrics are estimated right on average: on benchmarks whose expected accuracies are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest
from scipy.stats import kendalltau

from nasrank.db.metrics.oracle import ExpectedAccuracies, Noise, moments
from nasrank.db.metrics.pairs import Floats

ARCHITECTURES = 3_000
BENCHMARKS = 50  # of each kind
DRAWS = 8
# How far the mean estimate may be from the mean truth in each set of the best by measured accuracy.
TOLERANCES: Mapping[int, float] = {10: 0.05, 50: 0.02, 150: 0.02, 500: 0.02}

# Expected accuracies as benchmarks have them: around a mean, with more bad ones than good, and with failures.
KINDS: Mapping[str, Callable[[np.random.Generator], Floats]] = {
    "normal": lambda rng: rng.normal(0.9, 0.01, ARCHITECTURES),
    "skewed": lambda rng: 0.95 - rng.gamma(4, 0.012, ARCHITECTURES),
    "heavier tail": lambda rng: 0.9 + 0.004 * rng.standard_t(8, ARCHITECTURES),
    "with failures": lambda rng: np.where(
        rng.random(ARCHITECTURES) < 0.8,
        0.92 - rng.gamma(3, 0.01, ARCHITECTURES),
        rng.uniform(0.1, 0.9, ARCHITECTURES),
    ),
}


def trained(expected: Floats, rng: np.random.Generator) -> Floats:
    """Two or three trainings of each, rounded as published; worse ones are noisier, and all unequally."""
    noise = rng.choice([0.0015, 0.003, 0.005]) * (1 + 3 * (expected.max() - expected))
    noise *= rng.lognormal(0, 0.25, len(expected))
    trainings = expected[:, None] + noise[:, None] * rng.normal(size=(len(expected), 3))
    trainings[rng.random(len(expected)) < 0.5, 2] = np.nan
    return np.round(trainings, 5)


def taus(truth: Floats, predicted: Floats) -> list[float]:
    best = np.argsort(-truth, kind="stable")
    return [float(kendalltau(truth[best[:n]], predicted[best[:n]]).statistic) for n in TOLERANCES]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_the_mean_over_many_benchmarks_is_right(kind: str) -> None:
    """The tolerance is of the method; chance may add two standard errors of the difference."""
    rng = np.random.default_rng(11)
    differences = []
    for _ in range(BENCHMARKS):
        expected = KINDS[kind](rng)
        trainings = trained(expected, rng)
        means, *_ = known = moments(trainings)
        possible = ExpectedAccuracies.of(trainings, Noise.of(*known))
        estimates = [taus(means, possible.draw(rng)) for _ in range(DRAWS)]
        differences.append(np.mean(estimates, axis=0) - taus(means, expected))
    mean = np.mean(differences, axis=0)
    error = np.std(differences, axis=0, ddof=1) / np.sqrt(BENCHMARKS)
    for n, off, by_chance in zip(TOLERANCES, mean, error, strict=True):
        assert abs(off) <= TOLERANCES[n] + 2 * by_chance, (kind, n, off, by_chance)


def test_without_noise_an_oracle_is_perfect() -> None:
    rng = np.random.default_rng(0)
    expected = np.round(rng.uniform(0.1, 0.9, 2_000), 4)
    trainings = np.stack([expected, expected], axis=1)
    drawn = ExpectedAccuracies.of(trainings, Noise.of(*moments(trainings))).draw(rng)
    assert drawn == pytest.approx(expected, abs=1e-4)


def test_what_is_known_of_the_noise() -> None:
    """The common variance, and how much architectures differ in it."""
    rng = np.random.default_rng(1)
    expected = np.sort(rng.uniform(0.5, 0.9, 4_000))
    deviation = 0.002 + 0.01 * (0.9 - expected)
    alike = Noise.of(*moments(expected[:, None] + deviation[:, None] * rng.normal(size=(4_000, 3))))
    assert np.sqrt(alike.common[500:-500]) == pytest.approx(deviation[500:-500], rel=0.15)
    assert alike.degrees > 30
    unequal = np.sqrt(4 / rng.chisquare(6, 4_000)) * deviation  # mean variance deviation², 6 degrees
    some = Noise.of(*moments(expected[:, None] + unequal[:, None] * rng.normal(size=(4_000, 3))))
    assert some.degrees == pytest.approx(6, rel=0.5)


def test_an_architecture_that_was_trained_once_is_known_by_its_neighbours() -> None:
    rng = np.random.default_rng(2)
    trainings = rng.uniform(0.3, 0.9, 1_000)[:, None] + 0.004 * rng.normal(size=(1_000, 2))
    trainings[::2, 1] = np.nan
    noise = Noise.of(*moments(trainings))
    once, twice = noise.variances(*moments(trainings)[1:])[:2].mean(axis=1)
    assert once == pytest.approx(0.004**2, rel=0.4)
    assert twice > 0
    drawn = ExpectedAccuracies.of(trainings, noise).draw(rng)
    assert np.std(drawn[::2] - trainings[::2, 0]) == pytest.approx(0.004, rel=0.2)
