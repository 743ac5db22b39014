"""What each architecture's expected accuracy may be, given a few trainings of it.

The ground truth is a mean of two or three trainings, and has their noise. A predictor that knew every
expected accuracy exactly, an oracle, would therefore not rank it perfectly either. How well it would is the
mean, over draws of expected accuracies from what the trainings leave possible, of how well a draw ranks the
truth (docs/method.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.special import digamma, polygamma
from scipy.stats import invgamma

from nasrank.db.metrics.pairs import Floats, Integers

# Neighbours in the ranking by mean accuracy, on either side, whose noise is pooled; fewer towards its ends.
_NEIGHBOURS: Final = (15, 250)
# Variances that each architecture may have, equally likely.
_VARIANCES: Final = 5
# The grid of expected accuracies, in standard errors of the means around; how far an architecture's reach.
_SPACING: Final = 0.5
_REACH: Final = 4.5
# Steps of expectation and maximization. More of them fit the noise of these few trainings.
_STEPS: Final = 5
# Degrees of freedom of what is common to neighbours: below, a variance has no mean; above, all are equal.
_FEWEST, _MOST = 2.5, 1e6
# Of an accuracy: no less is told apart.
_LEAST_DEVIATION: Final = 1e-5


@dataclass(frozen=True, slots=True)
class Noise:
    """What is known of the variance of a training, by architecture: a scaled inverse χ² distribution.

    Smyth 2004, "Linear models and empirical Bayes methods": the variances of architectures with about the
    same accuracy are drawn around a common one, and each is known by its own trainings, too.
    """

    common: Floats
    """Mean variance of the neighbours in the ranking."""
    degrees: float
    """How many degrees of freedom `common` counts as."""

    @classmethod
    def of(cls, means: Floats, squares: Floats, degrees: Integers) -> Noise:
        """From each architecture's mean, and its squared deviations from it with their degrees of freedom."""
        common = np.maximum(_of_neighbours(means, squares, degrees), _LEAST_DEVIATION**2)
        known = (degrees > 0) & (squares > 1e-6 * common)
        halves = degrees[known] / 2
        logarithms = np.log(squares[known] / (2 * halves * common[known])) - digamma(halves) + np.log(halves)
        # What they differ by beyond what so few trainings explain.
        beyond = np.mean((logarithms - logarithms.mean()) ** 2 - polygamma(1, halves)) if known.any() else 0.0
        return cls(common, float(np.clip(2 * _inverse_trigamma(beyond), _FEWEST, _MOST)))

    def chosen(self, which: Integers) -> Noise:
        """That of some architectures."""
        return Noise(self.common[which], self.degrees)

    def variances(self, squares: Floats, degrees: Integers) -> Floats:
        """Those that each architecture may have, equally likely: (architectures, _VARIANCES)."""
        scale = self.common * (self.degrees - 2)  # of which `common` is the mean
        places = (np.arange(_VARIANCES) + 0.5) / _VARIANCES
        shape, scale = (self.degrees + degrees) / 2, (scale + squares) / 2
        return np.stack([invgamma.ppf(place, shape, scale=scale) for place in places], axis=1)


def _of_neighbours(means: Floats, squares: Floats, degrees: Integers) -> Floats:
    """The pooled variance of each architecture and its neighbours in the ranking by mean."""
    order = np.argsort(means, kind="stable")
    places = np.arange(len(means))
    reach = np.clip(np.minimum(places, places[::-1]), *_NEIGHBOURS)
    begins, ends = np.maximum(places - reach, 0), np.minimum(places + reach + 1, len(means))
    summed, freedom = (np.concatenate(([0], np.cumsum(values[order]))) for values in (squares, degrees))
    pooled = np.empty(len(means))
    pooled[order] = (summed[ends] - summed[begins]) / np.maximum(freedom[ends] - freedom[begins], 1)
    return pooled


def _inverse_trigamma(value: float) -> float:
    """Newton's method, which converges from this start for every positive value (Smyth 2004, Appendix)."""
    if value < 2 / _MOST:
        return _MOST
    found = 0.5 + 1 / value
    for _ in range(50):
        trigamma = polygamma(1, found)
        found += trigamma * (1 - trigamma / value) / polygamma(2, found)
    return float(found)


@dataclass(frozen=True, slots=True)
class ExpectedAccuracies:
    """What the expected accuracy of each architecture may be, given its trainings and all others'."""

    grid: Floats
    """Accuracies, ascending."""
    first: Integers
    """Of each architecture, the place in the grid where what is possible begins."""
    cumulated: Floats
    """Of each architecture, the probability that its accuracy is at or below each place from there on."""

    @classmethod
    def of(cls, trainings: Floats, noise: Noise) -> ExpectedAccuracies:
        """From the accuracies (architectures, trainings), NaN where there is none; each has at least one.

        The distribution that the expected accuracies come from is estimated on a grid, by expectation and
        maximization from the means' own (Laird 1978, "Nonparametric maximum likelihood estimation of a
        mixing distribution").
        """
        means, squares, degrees = moments(trainings)
        errors = np.sqrt(noise.variances(squares, degrees) / (degrees + 1)[:, None])
        grid = _grid(means, np.sqrt(noise.common / (degrees + 1)))
        reach = _REACH * errors.max(axis=1)
        first = np.minimum(np.searchsorted(grid, means - reach), len(grid) - 1)
        width = int(np.max(np.searchsorted(grid, means + reach) - first, initial=1))
        places = np.minimum(first[:, None] + np.arange(width), len(grid) - 1)
        is_within = first[:, None] + np.arange(width) < len(grid)
        away = grid[places] - means[:, None]
        likelihood = np.zeros(places.shape)
        for column in errors.T[:, :, None]:
            likelihood += np.where(is_within, np.exp(-0.5 * (away / column) ** 2) / column, 0)
        shares: npt.NDArray[Any] = np.bincount(np.searchsorted(grid, means), minlength=len(grid)) + 0.01
        for _ in range(_STEPS):
            possible = likelihood * shares[places]
            possible /= possible.sum(axis=1, keepdims=True)
            shares = np.bincount(places.ravel(), weights=possible.ravel(), minlength=len(grid))
        possible = likelihood * shares[places]
        return cls(grid, first, np.cumsum(possible / possible.sum(axis=1, keepdims=True), axis=1))

    def draw(self, rng: np.random.Generator) -> Floats:
        """An expected accuracy of each architecture."""
        chosen = np.sum(self.cumulated < rng.random(len(self.first))[:, None], axis=1)
        places = np.minimum(self.first + chosen, len(self.grid) - 1)
        # Somewhere around the place, as the accuracy is not one of a grid.
        drawn: Floats = self.grid[places] + (rng.random(len(places)) - 0.5) * np.gradient(self.grid)[places]
        return drawn


def moments(trainings: Floats) -> tuple[Floats, Floats, Integers]:
    """Of each architecture the mean, the squared deviations from it, and their degrees of freedom."""
    means = np.nanmean(trainings, axis=1)
    squares = np.nansum((trainings - means[:, None]) ** 2, axis=1)
    return means, squares, np.count_nonzero(~np.isnan(trainings), axis=1) - 1


def _grid(means: Floats, errors: Floats) -> Floats:
    """Accuracies around all means, as far apart as the standard errors there ask for."""
    order = np.argsort(means)
    means, errors = means[order], np.maximum(errors[order], _LEAST_DEVIATION)
    places = [means[0] - 4 * errors[0]]
    while places[-1] < means[-1] + 4 * errors[-1]:
        nearest = min(int(np.searchsorted(means, places[-1])), len(means) - 1)
        places.append(places[-1] + _SPACING * errors[nearest])
    return np.array(places)
