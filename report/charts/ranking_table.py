"""The numbers of the Rankings page in the three shapes in which it gives them: points, table and CSV.

All come from the same rows of `queries.rankings` and `queries.noise_ceiling`. Accuracies
are percent here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import pandas as pd

from nasrank.db.warehouse.models import UNTRAINED, WITHOUT_NETWORK
from nasrank.report.charts.labels import experiment_labels, signed

# The architecture sets in the order of the paper's axis, and their names on it.
POINTS: Final[Mapping[str, str]] = {
    **{f"top-{n}": str(n) for n in (10, 25, 50, 100, 150, 250, 500)},
    "random": "random",
}
# The set of whatever was predicted: no point of a line, but a column of the table.
PREDICTED: Final = "predicted"
_COLUMNS: Final[Mapping[str, str]] = {**POINTS, PREDICTED: PREDICTED}
# The correlations of predictions with ground truth, by the name on the screen; the columns' is that in SQL.
METRICS: Final[Mapping[str, str]] = {
    "tau-b": "tau",
    "Equation 2": "tau_eq2",
    "Spearman": "spearman",
    "Pearson": "pearson",
    "equal size": "tau_same_size",
    "given size": "tau_partial",
    "rounded truth": "tau_sparse",
    "weighted": "tau_weighted",
}
# What is told of chance: where the middle 95 % of both references lie, and which of them a value leaves.
CHANCE_COLUMNS: Final = (
    "permutations_low",
    "permutations_high",
    "initial_low",
    "initial_high",
    "leaves",
    "is_within_chance",
)
NO_CHANCE: Final = pd.DataFrame(
    columns=["experiment_id", "bn_mode", "architecture_set", "metric", *CHANCE_COLUMNS]
)
# What the band around a mean over seeds shows, and how the columns of `queries.rankings` end that hold it.
BANDS: Final[Mapping[str, str]] = {"deviation": "std", "95 % interval": "interval"}


@dataclass(frozen=True, slots=True)
class Ranking:
    """Chosen experiments under one ground-truth key.

    labels: of every chosen experiment by `experiment_id`, also of those without numbers.
    points: a row for each point of a line: experiment_id, label, series (the line's name in the
        legend), mask, point (`10` … `random`), n, seeds, and mean, deviation and the ends of the band for
        A_N (`a_n…`, percent; missing for scores) and each column of `METRICS` (`tau`, `tau_std`, `tau_low`,
        `tau_high` …). Deviation and band are missing for one seed. `tau_ceiling` is the τ that one training
        of the benchmark reaches, `tau_oracle` what an oracle would, and so for the others; missing where the
        key has no trials. Of the chosen metric, where the middle 95 % of random permutations lie
        (`permutations_low`, `permutations_high`) and of networks before training (`initial_low`,
        `initial_high`), for the mean over as many seeds, and which of both it leaves (`leaves`: both,
        permutations, initial networks or neither; `is_within_chance`: whether it is inside of one); missing
        under a key that no run was asked for.
    rows: a row for each experiment that is measured, best τa first: experiment, series, experiment_id,
        name, dataset, size, mask, lt, variant, epochs, seeds (missing for what is untrained), tau_a,
        tau_a_mean, tau_a_std, reported_tau_a, n_predicted (architectures, the fewest of the seeds), then for
        each point and for `predicted` `a_<point>_percent`, `a_<point>_std_percent`, and for the chosen metric
        `<metric>_<point>`, its deviation `<metric>_<point>_std` `ceiling_<metric>_<point>`,
        `oracle_<metric>_<point>`, `leaves_<metric>_<point>` and `within_chance_<metric>_<point>`; and
        `leaves_tau_a`, `within_chance_tau_a`.
    metric: a column of `METRICS`.
    """

    labels: Mapping[str, str]
    points: pd.DataFrame
    rows: pd.DataFrame
    bn_mode: str
    metric: str

    def with_key(self, gt_key: str) -> pd.DataFrame:
        """`rows` without series, each with the key and bn_mode under which it stands."""
        told = self.rows.drop(columns="series")
        told.insert(1, "gt_key", gt_key)
        told.insert(2, "bn_mode", self.bn_mode)
        return told


@dataclass(frozen=True, slots=True)
class RankingTables:
    """Rows of `queries.rankings` and `queries.noise_ceiling` under one ground-truth key."""

    ranking: pd.DataFrame
    tau_a: pd.DataFrame
    ceiling: pd.DataFrame
    chance: pd.DataFrame


def rank(
    experiments: pd.DataFrame, tables: RankingTables, bn_mode: str, metric: str = "tau", band: str = "std"
) -> Ranking:
    """Shape what the warehouse says of `experiments`, under `bn_mode` where they are networks.

    `metric` is a value of `METRICS`, `band` one of `BANDS`.
    """
    ranking, tau_a = tables.ranking, tables.tau_a
    labels = experiment_labels(experiments)
    shown = (bn_mode, *WITHOUT_NETWORK)
    tau_a = tau_a[tau_a["bn_mode"].isin(shown)].drop(columns="bn_mode")
    known_tau_a = tau_a.set_index("experiment_id")["tau_a"]
    series = {
        experiment_id: f"{label} · τa {signed(known_tau_a.get(experiment_id))}"
        for experiment_id, label in labels.items()
    }
    known = ranking[
        ranking["experiment_id"].isin(labels)
        & ranking["bn_mode"].isin(shown)
        & ((ranking["seeds"] > 0) | ranking["tau_mean"].notna())
    ]
    measured = _points(known, band, labels, series)
    masks = experiments.set_index("experiment_id")["mask"]
    measured.insert(3, "mask", measured["experiment_id"].map(masks))
    measured = measured.merge(_ceiling_points(tables.ceiling), on=["mask", "point"], how="left")
    chance = tables.chance[tables.chance["bn_mode"].isin(shown)]
    measured = measured.merge(_chance_points(chance, metric), on=["experiment_id", "point"], how="left")
    rows = _rows(experiments, measured, tau_a, metric)
    of_tau_a = chance[chance["metric"] == "tau_a"].set_index("experiment_id")
    rows["leaves_tau_a"] = rows["experiment_id"].map(of_tau_a["leaves"])
    rows["within_chance_tau_a"] = rows["experiment_id"].map(of_tau_a["is_within_chance"])
    points = measured[measured["point"] != PREDICTED].reset_index(drop=True)
    return Ranking(labels, points, rows, bn_mode, metric)


def with_values(ranking: Ranking, overview: pd.DataFrame, name: str) -> Ranking:
    """With the means of `report.overview.overview` as a column of the rows, and whether chance gives them."""
    known = overview.set_index("experiment_id")
    columns = {name: "mean", f"leaves_{name}": "leaves", f"within_chance_{name}": "is_within_chance"}
    found = {column: ranking.rows["experiment_id"].map(known[of]) for column, of in columns.items()}
    return replace(ranking, rows=ranking.rows.assign(**found))


def seed_points(points: pd.DataFrame, bn_mode: str, runs: pd.DataFrame) -> pd.DataFrame:
    """A row for each seed and point of the lines: series, point, seed, a_n (percent), and each metric.

    `points` as of `Ranking`; `runs` as `queries.RankingAnswers.seeds`.
    """
    series = points.drop_duplicates("experiment_id").set_index("experiment_id")["series"]
    shown = runs["experiment_id"].isin(series.index) & runs["bn_mode"].isin((bn_mode, *WITHOUT_NETWORK))
    known = runs[shown]
    return known.assign(
        series=known["experiment_id"].map(series),
        point=known["architecture_set"].map(POINTS),
        a_n=100 * known["a_n"],
    )[["series", "point", "seed", "a_n", *METRICS.values()]].reset_index(drop=True)


def _points(
    ranking: pd.DataFrame, band: str, labels: Mapping[str, str], series: Mapping[str, str]
) -> pd.DataFrame:
    points = pd.DataFrame(
        {
            "experiment_id": ranking["experiment_id"],
            "label": ranking["experiment_id"].map(labels),
            "series": ranking["experiment_id"].map(series),
            "point": ranking["architecture_set"].map(_COLUMNS),
            "n": ranking["n"],
            "seeds": ranking["seeds"],
        }
    )
    for column in ("a_n", *METRICS.values()):
        scale = 100 if column == "a_n" else 1
        points[column] = ranking[f"{column}_mean"] * scale
        points[f"{column}_std"] = ranking[f"{column}_std"] * scale
        points[f"{column}_low"] = points[column] - ranking[f"{column}_{band}"] * scale
        points[f"{column}_high"] = points[column] + ranking[f"{column}_{band}"] * scale
    return points.reset_index(drop=True)


def _ceiling_points(ceiling: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "mask": ceiling["mask"],
            "point": ceiling["architecture_set"].map(POINTS),
            **{f"{column}_ceiling": ceiling[column] for column in METRICS.values()},
            **{f"{column}_oracle": ceiling[f"{column}_oracle"] for column in METRICS.values()},
        }
    )


def _chance_points(chance: pd.DataFrame, metric: str) -> pd.DataFrame:
    of_metric = chance[chance["metric"] == metric]
    points = of_metric.assign(point=of_metric["architecture_set"].map(POINTS)).dropna(subset="point")
    return points[["experiment_id", "point", *CHANCE_COLUMNS]]


def _rows(
    experiments: pd.DataFrame, measured: pd.DataFrame, tau_a: pd.DataFrame, metric: str
) -> pd.DataFrame:
    names = measured.drop_duplicates("experiment_id").set_index("experiment_id")
    columns = ["experiment_id", "name", "dataset", "size", "mask", "lt", "variant", "epochs"]
    rows = experiments.loc[experiments["experiment_id"].isin(measured["experiment_id"]), columns]
    rows.insert(0, "experiment", rows["experiment_id"].map(names["label"]))
    rows.insert(1, "series", rows["experiment_id"].map(names["series"]))
    rows["seeds"] = rows["experiment_id"].map(measured.groupby("experiment_id")["seeds"].max())
    is_untrained = rows["experiment_id"].map(experiments.set_index("experiment_id")["kind"]) == UNTRAINED
    rows["seeds"] = rows["seeds"].astype("Int64").mask(is_untrained)
    rows = rows.merge(tau_a, on="experiment_id", how="left")
    own = measured[measured["point"] == PREDICTED].set_index("experiment_id")
    rows["n_predicted"] = rows["experiment_id"].map(own["n"])
    for value, name in (
        ("a_n", "a_{}_percent"),
        (metric, f"{metric}_{{}}"),
        ("a_n_std", "a_{}_std_percent"),
        (f"{metric}_std", f"{metric}_{{}}_std"),
        (f"{metric}_ceiling", f"ceiling_{metric}_{{}}"),
        (f"{metric}_oracle", f"oracle_{metric}_{{}}"),
        ("leaves", f"leaves_{metric}_{{}}"),
        ("is_within_chance", f"within_chance_{metric}_{{}}"),
    ):
        wide = measured.pivot(index="experiment_id", columns="point", values=value)
        for point, known in wide.reindex(columns=list(_COLUMNS.values())).items():
            rows[name.format(point)] = rows["experiment_id"].map(known)
    return rows.sort_values(["tau_a", "tau_a_mean"], na_position="last").reset_index(drop=True)
