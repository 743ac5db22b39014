"""What a decision costs: how certain a difference of means over seeds is, and how many seeds would tell it.

A few seeds tell little of how much an experiment varies from seed to seed; all experiments that vary alike
(the view `variance_group`) tell it together. All numbers are those of the macros `pooled_deviation_of`,
`difference_interval` and `seeds_to_tell`; docs/method.md, "What a decision costs".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from nasrank.db.errors import NasrankError
from nasrank.db.warehouse.reading import Reader
from nasrank.report import queries

# What decides, then what is the paper's own, by metric and architecture set.
MEASURES: Final = (
    ("tau", "random"),
    ("tau", "top-500"),
    ("tau", "top-50"),
    ("gap_std", "random"),
    ("auc", "random"),
    ("a_n", "random"),
    ("tau_a", "random"),
)
_LEVEL: Final = 0.05
# Beyond so many seeds, their number says no more than that.
_MANY: Final = 1_000
TRAINED_EVALUATIONS: Final = """
SELECT *
FROM evaluation_key
SEMI JOIN (FROM run JOIN experiment USING (experiment_id) WHERE kind = 'trained') AS trained USING (run_id)
WHERE gt_key = $gt_key AND bn_mode = $bn_mode AND is_final
"""
PAPER_SETS: Final = "SELECT architecture_set FROM paper_set"
_GROUPS: Final = """
WITH ranking AS (
    SELECT * FROM run_ranking_from('measured')
)
SELECT
    variance_group, dataset, size, epochs, batch_size, metric, architecture_set, experiments, degrees, std,
    CAST($seeds AS BIGINT) AS seeds, difference_interval(std, degrees, $seeds, $seeds) AS half_interval,
    seeds_to_tell(std, degrees, $difference) AS seeds_to_tell, seconds_a_run
FROM pooled_deviation_of('ranking')
JOIN group_cost USING (variance_group)
ORDER BY experiments DESC, variance_group
"""
_PAIR: Final = """
WITH ranking AS (
    SELECT * FROM run_ranking_from('measured')
),
pair AS (
    SELECT $one AS experiment_id, $other AS other_id
)
SELECT
    variance_group, metric, architecture_set, seeds, other_seeds, mean, other_mean, difference,
    difference_error / sqrt(1 / seeds + 1 / other_seeds) AS std, deviation, degrees,
    difference_interval AS half_interval,
    seeds_to_tell(std, greatest(degrees, 30), coalesce(nullif($difference, 0), difference)) AS seeds_to_tell,
    seconds_a_run
FROM compare_means('ranking', 'pair')
JOIN variance_group USING (experiment_id)
JOIN group_cost USING (variance_group)
"""
_COSTS: Final = """
SELECT experiment_id, any_value(seconds_a_run) AS seconds_a_run, count(*) AS runs
FROM run
JOIN variance_group USING (experiment_id)
JOIN group_cost USING (variance_group)
WHERE status = 'finished'
GROUP BY experiment_id
"""
_EXPERIMENTS: Final = """
SELECT experiment_id, mask, variance_group
FROM experiment
JOIN variance_group USING (experiment_id)
WHERE list_contains($asked, experiment_id)
"""
_GROUPS_OF: Final = """
SELECT variance_group_of(config) AS variance_group, count(*) AS experiments_asked
FROM (SELECT unnest($configs) AS config)
GROUP BY ALL
ORDER BY experiments_asked DESC, variance_group
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """By which ground truth and BN mode it is decided, and between which means.

    seeds: of each of two experiments. difference: between true values that is to be told; 0 for none.
    """

    gt_key: str
    bn_mode: str
    seeds: int
    difference: float = 0.0


def deviations(warehouse: Reader, plan: Plan) -> pd.DataFrame:
    """A row for each variance group and measure that the warehouse knows the deviation of.

    Columns variance_group, dataset, size, epochs, batch_size, metric, architecture_set, experiments, degrees,
    std (over seeds), seeds, half_interval (of the 95 % of a difference of two means of so many seeds),
    seeds_to_tell (the plan's difference, with a probability of 80 %) and seconds_a_run.
    """
    [rows] = warehouse.measured(
        TRAINED_EVALUATIONS,
        _GROUPS,
        sets=PAPER_SETS,
        gt_key=plan.gt_key,
        bn_mode=plan.bn_mode,
        seeds=plan.seeds,
        difference=plan.difference,
    )
    return _measures(rows)


def of_study(warehouse: Reader, configs: Sequence[str], plan: Plan) -> pd.DataFrame:
    """The rows of `deviations` of the groups that experiments belong to, by their configurations in JSON.

    With the column experiments_asked, how many of these there are. Raises `NasrankError` where no runs like
    them are known.
    """
    groups = warehouse.query(_GROUPS_OF, configs=tuple(configs))
    known = deviations(warehouse, plan)
    rows = groups.merge(known, on="variance_group", how="inner")
    if rows.empty:
        raise NasrankError(
            "no experiment in the warehouse varies as these do: none with several seeds differs from them in "
            "mask, LT and variant only; train two seeds of a few of them first"
        )
    return rows


def of_pair(warehouse: Reader, one: str, other: str, plan: Plan) -> pd.DataFrame:
    """How two experiments differ, and what it takes to tell: a row a measure.

    Columns as of `deviations`, with seeds and other_seeds, mean and other_mean, and the difference that was
    seen; deviation says which it is by, pooled or, where wider, own. `seeds_to_tell` is for the plan's
    difference, or else for as large a one. Of two masks only measures of the random sample, and not those
    whose truth differs. Raises `NasrankError` for an experiment that is
    not there, or has no networks, and for two that need not vary alike.
    """
    found = warehouse.query(_EXPERIMENTS, asked=(one, other)).set_index("experiment_id")
    for name in (one, other):
        if name not in found.index:
            raise NasrankError(
                f"{name} is no experiment with networks in this warehouse; the view variance_group has all"
            )
    if found["variance_group"].nunique() > 1:
        raise NasrankError(
            f"{one} and {other} differ in more than mask, LT and variant, and so need not vary alike; give "
            "two experiments of one variance_group"
        )
    [rows] = warehouse.measured(
        TRAINED_EVALUATIONS,
        _PAIR,
        sets=PAPER_SETS,
        gt_key=plan.gt_key,
        bn_mode=plan.bn_mode,
        difference=plan.difference,
        one=one,
        other=other,
    )
    if found["mask"].nunique() > 1:
        alike = warehouse.query("SELECT metric FROM metric WHERE across_masks")["metric"]
        rows = rows[rows["metric"].isin(alike) & (rows["architecture_set"] == "random")]
    return _measures(rows)


def of_findings(warehouse: Reader, plan: Plan) -> pd.DataFrame:
    """What it takes to decide the paper's findings: a row a comparison of networks.

    Columns finding, claim, dataset, size, mask, lt, variant, metric, decides, value, n, other_n (seeds) and
    verdict, as in the view finding_evidence; then half_interval (of the 95 % with the plan's seeds each),
    smallest (the difference that would matter, or the plan's), seeds_as_seen and seeds_to_tell (as large a
    one as seen, and that one, with a probability of 80 %, before any correction) and seconds_a_run.
    """
    found = queries.findings(warehouse, plan.gt_key, plan.bn_mode)
    evidence = pd.DataFrame([row for rows in found["evidence"] for row in rows])
    if evidence.empty or evidence["std"].isna().all():
        return pd.DataFrame(columns=["verdict"])
    evidence = evidence[evidence["std"].notna()].reset_index(drop=True)
    if plan.difference:
        evidence["smallest"] = plan.difference
    told = warehouse.query(
        """
        SELECT
            difference_interval(std, degrees, $seeds, $seeds) AS half_interval,
            seeds_to_tell(std, degrees, smallest) AS seeds_to_tell
        FROM (
            SELECT unnest($std) AS std, unnest($degrees) AS degrees, unnest($smallest) AS smallest,
                generate_subscripts($std, 1) AS place
        )
        ORDER BY place
        """,
        seeds=plan.seeds,
        std=tuple(evidence["std"]),
        degrees=tuple(evidence["degrees_then"]),
        smallest=tuple(evidence["smallest"].astype(float)),
    )
    costs = warehouse.query(_COSTS).set_index("experiment_id")
    columns = ["finding", "claim", "dataset", "size", "mask", "lt", "variant", "metric", "decides", "value"]
    columns += ["n", "other_n", "verdict", "smallest", "seeds_as_seen", "experiment_id", "other_id"]
    return pd.concat([evidence[columns], told], axis=1).assign(
        seconds_a_run=evidence["experiment_id"].map(costs["seconds_a_run"])
    )


def hours_to_decide(of_findings: pd.DataFrame) -> tuple[int, float]:
    """Runs and hours that decide what is undecided, if each difference is the smallest that matters, or none.

    Each experiment is trained with the most seeds that any of its comparisons needs, less those it has.
    """
    undecided = of_findings[of_findings["decides"] & (of_findings["verdict"] == "undecided")]
    sides = [
        undecided[[experiment, seeds, "seeds_to_tell", "seconds_a_run"]].set_axis(
            ["experiment_id", "seeds", "needed", "seconds"], axis=1
        )
        for experiment, seeds in (("experiment_id", "n"), ("other_id", "other_n"))
    ]
    needed = pd.concat(sides).dropna(subset="experiment_id").groupby("experiment_id").max()
    runs = (needed["needed"] - needed["seeds"]).clip(lower=0)
    return int(runs.sum()), float((runs * needed["seconds"]).sum() / 3_600)


def in_words(row: pd.Series[Any], difference: float = 0.0) -> str:
    """What a difference of two means says.

    row: difference and half_interval, or p_holm with the comparisons that it is corrected for; seeds,
    other_seeds and seeds_to_tell. difference: the true one that these tell; 0 for as large a one as seen.
    """
    if pd.isna(row["half_interval"]):
        return "no interval: nothing tells how much they vary"
    if row["half_interval"] == 0:
        return "at the limit: no seed differs from any other"
    is_outside = abs(row["difference"]) > row["half_interval"]
    if "p_holm" in row and is_outside and row["p_holm"] >= _LEVEL:
        return f"told apart alone, not after correction for {row['comparisons']}"
    if is_outside:
        return "told apart"
    few = min(row["seeds"], row["other_seeds"])
    if pd.isna(row["seeds_to_tell"]):
        return f"cannot be told apart with {few} seeds: no difference was seen"
    size = f"is {difference:g}" if difference else "is as large as seen"
    return (
        f"cannot be told apart with {few} seeds; if the true difference {size}, "
        f"{about(row['seeds_to_tell'])} each would, at 80 % power"
    )


def about(seeds: float | None) -> str:
    """A number of seeds in words."""
    if seeds is None or pd.isna(seeds):
        return "no number"
    return f"over {_MANY:,}" if seeds > _MANY else f"about {int(seeds)}"


def _measures(rows: pd.DataFrame) -> pd.DataFrame:
    """Those of MEASURES, in their order within each group."""
    place = {measure: number for number, measure in enumerate(MEASURES)}
    places = [
        place.get(measure, -1) for measure in zip(rows["metric"], rows["architecture_set"], strict=True)
    ]
    kept = rows.assign(place=places)
    kept = kept[kept["place"] >= 0]
    groups = kept["variance_group"].drop_duplicates().tolist()
    order = kept["variance_group"].map(groups.index)
    return kept.assign(order=order).sort_values(["order", "place"]).drop(columns=["order", "place"])
