"""How certain means over seeds are, by slow code: the oracle of the macros in `db/views/comparison`."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd
from scipy.stats import t


@dataclass(frozen=True, slots=True)
class Errors:
    """A mean over n seeds, with squared error and degrees of freedom: by all that vary alike, and its own."""

    mean: float
    n: int
    pooled: tuple[float, float]
    own: tuple[float, float]

    def minus(self, other: Errors) -> Errors:
        """The difference of two of one variance group."""
        own = self.own[0] + other.own[0]
        spread = self.own[0] ** 2 / self.own[1] + other.own[0] ** 2 / other.own[1]
        return Errors(
            self.mean - other.mean,
            self.n,
            (self.pooled[0] + other.pooled[0], self.pooled[1]),
            (own, own**2 / spread if spread else math.nan),
        )

    def chosen(self, *, has_one_deviation: bool) -> tuple[str, float, float]:
        """Which deviation counts, the standard error, and its degrees."""
        pooled, own = (t.ppf(0.975, degrees) * math.sqrt(error) for error, degrees in (self.pooled, self.own))
        name, (error, degrees) = (
            ("own", self.own) if not has_one_deviation and own > pooled else ("pooled", self.pooled)
        )
        return name, math.sqrt(error), degrees

    def half(self, *, has_one_deviation: bool) -> float:
        """Of the 95 % interval."""
        _, error, degrees = self.chosen(has_one_deviation=has_one_deviation)
        return float(t.ppf(0.975, degrees)) * error


def errors_of(of_runs: pd.DataFrame, experiment_id: str, column: str) -> Errors:
    """`of_runs`: experiment_id, variance_group and the column, a row a run, of one set, key and epoch."""
    own = of_runs.loc[of_runs["experiment_id"] == experiment_id]
    [group] = own["variance_group"].unique()
    alike = of_runs[of_runs["variance_group"] == group].groupby("experiment_id")[column]
    degrees = int((alike.count() - 1).sum())
    pooled = float(((alike.count() - 1) * alike.var().fillna(0)).sum() / degrees) if degrees else math.nan
    n = len(own)
    return Errors(float(own[column].mean()), n, (pooled / n, degrees), (float(own[column].var()) / n, n - 1))
