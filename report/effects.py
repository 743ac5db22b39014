"""What mask, LT, variant and size change on average: an additive model over all experiments of one setting.

The mean over seeds of an experiment is what its mask, its LT, its variant and its size add up to. Many
experiments then tell each effect together, where two tell it little. Whether effects do add up is tested,
too: with a lack of fit they differ from one experiment to the next, and an average is all that is said.
docs/method.md, "Effects".
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from nasrank.db.warehouse.reading import Reader
from nasrank.report.charts.labels import size_position
from nasrank.report.power import PAPER_SETS, TRAINED_EVALUATIONS

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]

# What decides, then the paper's own: metrics of the random sample.
METRICS: Final = ("tau", "gap_std", "a_n", "tau_a")
# A factor and what its other levels are compared with; where no experiment has that, the level of most runs.
_REFERENCES: Final = {"mask": "", "lt": "", "variant": "baseline", "size": None}
_AVERAGE: Final = "any"
_MEANS: Final = """
WITH ranking AS (
    SELECT * FROM run_ranking_from('measured')
),
value AS (
    SELECT *
    FROM metric_values('ranking')
    WHERE architecture_set = 'random' AND list_contains($metrics, metric)
),
mean AS (
    SELECT * FROM means_of('value')
)
SELECT
    config_without_roles(config, ['mask', 'lt', 'variant', 'size']) AS setting, dataset, epochs, batch_size,
    experiment_id, mask, lt, variant, size, metric, across_masks,
    has_one_deviation(metric, architecture_set) AS has_one_deviation, variance_group, seeds, mean,
    own_error, own_degrees, pooled_error, pooled_degrees
FROM with_errors('mean')
JOIN experiment USING (experiment_id)
JOIN metric USING (metric)
ORDER BY setting, metric, experiment_id
"""


@dataclass(frozen=True, slots=True)
class Contrast:
    """A linear combination of means over seeds.

    deviation: what the interval is by, pooled or, where it is wider and deviations differ, own. degrees: of
    freedom, by Satterthwaite. half_interval: of the 95 %; NaN where nothing tells it. p_value: two-sided.
    """

    estimate: float
    half_interval: float
    degrees: float
    deviation: str
    p_value: float


def effects(warehouse: Reader, gt_key: str, bn_mode: str) -> pd.DataFrame:
    """A row an effect and metric, for each setting in which several experiments differ in any factor.

    Columns dataset, sizes (all of the setting), epochs, batch_size, factor (mask, lt, variant, size), level,
    reference, metric (of the random sample), experiments (of the setting), runs (with this level), estimate,
    half_interval (of the 95 %), degrees, deviation (pooled or own), p_value, p_holm (for all effects of the
    setting and metric) and lack_of_fit (a p-value: small where effects do not add up; NaN where no experiment
    is left to tell). Level `any` of lt is the mean over its levels. Effects of masks only in metrics that
    compare across masks.
    """
    [means] = warehouse.measured(
        TRAINED_EVALUATIONS,
        _MEANS,
        sets=PAPER_SETS,
        gt_key=gt_key,
        bn_mode=bn_mode,
        metrics=METRICS,
    )
    found = [row for _, cells in means.groupby(["setting", "metric"], sort=False) for row in _effects(cells)]
    if not found:
        return pd.DataFrame(columns=["metric"])
    rows = pd.DataFrame(found)
    # The setting of most experiments first.
    extent = -rows.groupby("setting")["experiments"].transform("max")
    rows = rows.assign(extent=extent, place=rows["metric"].map(METRICS.index))
    rows = rows.sort_values(["extent", "setting", "place"], kind="stable")
    return rows.drop(columns=["extent", "setting", "place"]).reset_index(drop=True)


def contrast(weights: Vector, cells: pd.DataFrame) -> Contrast:
    """The sum of means times `weights`, a number a row of `cells`.

    cells: mean, own_error and pooled_error (squared errors of the mean), own_degrees and pooled_degrees,
    variance_group, has_one_deviation. Pooled errors of one group are one estimate, with the group's degrees.
    """
    from scipy.stats import t  # takes a third of a second, which no other command need wait for

    estimate = float(weights @ cells["mean"])
    pooled = pd.DataFrame(
        {
            "variance": weights**2 * cells["pooled_error"],
            "degrees": cells["pooled_degrees"],
            "group": cells["variance_group"],
        }
    )[weights != 0]
    groups = pooled.groupby("group").agg({"variance": "sum", "degrees": "first"})
    by_pooled = _error(groups["variance"], groups["degrees"])
    used = cells[weights != 0]
    by_own = _error(weights[weights != 0] ** 2 * used["own_error"], used["own_degrees"])
    halves = [float(t.ppf(0.975, degrees)) * error for error, degrees in (by_pooled, by_own)]
    is_own = not bool(cells["has_one_deviation"].iloc[0]) and halves[1] > halves[0]
    error, degrees = by_own if is_own else by_pooled
    return Contrast(
        estimate,
        halves[is_own],
        degrees,
        "own" if is_own else "pooled",
        float(2 * t.sf(abs(estimate) / error, degrees)) if error else math.nan,
    )


def _error(variances: pd.Series[Any], degrees: pd.Series[Any]) -> tuple[float, float]:
    """Standard error and degrees of freedom of a sum of independent estimates."""
    total = float(variances.sum(skipna=False))
    spread = float((variances**2 / degrees.astype(float)).sum())
    return math.sqrt(total) if total >= 0 else math.nan, total**2 / spread if spread else math.nan


def _effects(cells: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Of the experiments of one setting, in one metric."""
    cells = cells[cells["pooled_degrees"].notna()].reset_index(drop=True)
    if cells.empty:
        return
    terms, design = _design(cells)
    if len(terms) == 1:
        return
    seeds = cells["seeds"].to_numpy(float)
    weighted = design * seeds[:, None]
    inverse = np.linalg.pinv(design.T @ weighted)
    solve = inverse @ weighted.T  # coefficients of the means of experiments
    lack_of_fit = _lack_of_fit(cells, design, solve)
    told = []
    for factor, level, reference, combination in _combinations(terms):
        # What no comparison tells is left out: its combination is not one of the rows of the design.
        if not np.allclose(combination @ inverse @ (design.T @ weighted), combination, atol=1e-8):
            continue
        if factor == "mask" and not cells["across_masks"].iloc[0]:
            continue
        with_level = cells[factor] == level if level != _AVERAGE else cells[factor] != reference
        one = contrast(combination @ solve, cells)
        told.append(
            {
                "setting": cells["setting"].iloc[0],
                "dataset": cells["dataset"].iloc[0],
                "sizes": ", ".join(sorted(set(cells["size"]), key=size_position)),
                "epochs": int(cells["epochs"].iloc[0]),
                "batch_size": int(cells["batch_size"].iloc[0]),
                "factor": factor,
                "level": level,
                "reference": reference,
                "metric": cells["metric"].iloc[0],
                "experiments": len(cells),
                "runs": int(cells.loc[with_level, "seeds"].sum()),
                "estimate": one.estimate,
                "half_interval": one.half_interval,
                "degrees": one.degrees,
                "deviation": one.deviation,
                "p_value": one.p_value,
                "lack_of_fit": lack_of_fit,
            }
        )
    for row, p_holm in zip(told, holm([row["p_value"] for row in told]), strict=True):
        yield {**row, "p_holm": p_holm}


def holm(p_values: Sequence[float]) -> list[float]:
    """After Holm's correction, in the same order; NaN stays, and does not count."""
    known = [place for place, p in enumerate(p_values) if not math.isnan(p)]
    corrected, least = [math.nan] * len(p_values), 0.0
    for done, place in enumerate(sorted(known, key=lambda place: p_values[place])):
        least = max(least, min(1.0, p_values[place] * (len(known) - done)))
        corrected[place] = least
    return corrected


# (factor, level, what it is compared with); the first is what all have in common.
_Term = tuple[str, str, str]


def _design(cells: pd.DataFrame) -> tuple[list[_Term], Matrix]:
    """The terms, and which of them each experiment has: (experiments, terms)."""
    terms: list[_Term] = [("", "", "")]
    columns = [np.ones(len(cells))]
    for factor, reference in _REFERENCES.items():
        runs = cells.groupby(factor)["seeds"].sum()
        base = reference if reference is not None and reference in runs.index else str(runs.idxmax())
        for level in sorted(set(runs.index) - {base}):
            terms.append((factor, level, base))
            columns.append((cells[factor] == level).to_numpy(float))
    return terms, np.stack(columns, axis=1)


def _combinations(terms: Sequence[_Term]) -> Iterator[tuple[str, str, str, Vector]]:
    """Each level against its reference, and LTs on average."""
    unit = np.eye(len(terms))
    for place, (factor, level, reference) in enumerate(terms[1:], start=1):
        yield factor, level, reference, unit[place]
    lts = [place for place, (factor, _, _) in enumerate(terms) if factor == "lt"]
    if len(lts) > 1:
        yield "lt", _AVERAGE, "", unit[lts].mean(axis=0)


def _lack_of_fit(cells: pd.DataFrame, design: Matrix, solve: Matrix) -> float:
    """The p-value of an F test of whether experiments deviate from the sums by more than seeds do."""
    from scipy.stats import f

    rest = len(cells) - int(np.linalg.matrix_rank(design))
    if rest == 0 or (cells["pooled_error"] <= 0).any():
        return math.nan
    means = cells["mean"].to_numpy()
    squares = (means - design @ (solve @ means)) ** 2 / cells["pooled_error"].to_numpy()
    return float(f.sf(squares.sum() / rest, rest, float(cells["pooled_degrees"].min())))
