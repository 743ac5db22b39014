"""The numbers of the Rankings page in the three shapes in which it gives them: points, table and CSV.

All come from the same rows of `queries.ranking`, `queries.tau_a` and `queries.noise_ceiling`. Accuracies
are percent here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pandas as pd

from db.models import IMPORTED
from report.labels import experiment_labels, signed

# The architecture sets in the order of the paper's axis, and their names on it.
POINTS: Final[Mapping[str, str]] = {
    **{f"top-{n}": str(n) for n in (10, 25, 50, 100, 150, 250, 500)},
    "random": "random",
}
# The switch's two metrics, and how the columns of `queries.ranking` begin that hold them.
TAU_COLUMNS: Final[Mapping[str, str]] = {"tau-b": "tau", "Equation 2": "tau_eq2"}


@dataclass(frozen=True, slots=True)
class Ranking:
    """Chosen experiments under one ground-truth key.

    labels: of every chosen experiment by `experiment_id`, also of those without numbers.
    points: a row for each point of a line: experiment_id, label, series (the line's name in the
        legend), mask, point (`10` … `random`), n, seeds, and mean, deviation and the ends of the band for
        A_N (`a_n…`, percent; missing for scores), τ (`tau…`), `spearman…` and `pearson…`. Deviation and band
        are missing for one seed. `tau_ceiling` is the τ that one training of the benchmark reaches, and so
        for the others; missing where the key has no trials.
    rows: a row for each experiment with points, best τa first: experiment, series, experiment_id,
        name, dataset, size, mask, lt, variant, epochs, seeds, tau_a, tau_a_mean, tau_a_std, reported_tau_a,
        then for each point `a_<point>_percent`, `tau_<point>`, their deviations
        `a_<point>_std_percent`, `tau_<point>_std`, and `ceiling_tau_<point>`.
    """

    labels: Mapping[str, str]
    points: pd.DataFrame
    rows: pd.DataFrame
    bn_mode: str
    tau: str

    def as_csv(self, gt_key: str) -> str:
        """`rows` in full precision, each with the key, bn_mode and metric under which it stands."""
        told = self.rows.drop(columns="series")
        told.insert(1, "gt_key", gt_key)
        told.insert(2, "bn_mode", self.bn_mode)
        told.insert(3, "tau_metric", self.tau)
        return told.to_csv(index=False, lineterminator="\n")


def rank(
    experiments: pd.DataFrame,
    ranking: pd.DataFrame,
    tau_a: pd.DataFrame,
    ceiling: pd.DataFrame,
    bn_mode: str,
    tau: str,
) -> Ranking:
    """Shape what the warehouse says of `experiments`, imported or under `bn_mode`.

    `tau` is a key of `TAU_COLUMNS`.
    """
    labels = experiment_labels(experiments)
    shown = (bn_mode, IMPORTED)
    tau_a = tau_a[tau_a["bn_mode"].isin(shown)].drop(columns="bn_mode")
    known_tau_a = tau_a.set_index("experiment_id")["tau_a"]
    series = {
        experiment_id: f"{label} · τa {signed(known_tau_a.get(experiment_id))}"
        for experiment_id, label in labels.items()
    }
    known = ranking[
        ranking["experiment_id"].isin(labels) & ranking["bn_mode"].isin(shown) & (ranking["seeds"] > 0)
    ]
    points = _points(known, TAU_COLUMNS[tau], labels, series)
    masks = experiments.set_index("experiment_id")["mask"]
    points.insert(3, "mask", points["experiment_id"].map(masks))
    points = points.merge(_ceiling_points(ceiling, TAU_COLUMNS[tau]), on=["mask", "point"], how="left")
    return Ranking(labels, points, _rows(experiments, points, tau_a, labels, series), bn_mode, tau)


def _points(
    ranking: pd.DataFrame, tau_column: str, labels: Mapping[str, str], series: Mapping[str, str]
) -> pd.DataFrame:
    points = pd.DataFrame(
        {
            "experiment_id": ranking["experiment_id"],
            "label": ranking["experiment_id"].map(labels),
            "series": ranking["experiment_id"].map(series),
            "point": ranking["architecture_set"].map(POINTS),
            "n": ranking["n"],
            "seeds": ranking["seeds"],
        }
    )
    columns = (
        ("a_n", "a_n", 100),
        ("tau", tau_column, 1),
        ("spearman", "spearman", 1),
        ("pearson", "pearson", 1),
    )
    for name, column, scale in columns:
        points[name] = ranking[f"{column}_mean"] * scale
        points[f"{name}_std"] = ranking[f"{column}_std"] * scale
        points[f"{name}_low"] = points[name] - points[f"{name}_std"]
        points[f"{name}_high"] = points[name] + points[f"{name}_std"]
    return points.reset_index(drop=True)


def _ceiling_points(ceiling: pd.DataFrame, tau_column: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "mask": ceiling["mask"],
            "point": ceiling["architecture_set"].map(POINTS),
            "tau_ceiling": ceiling[tau_column],
            "spearman_ceiling": ceiling["spearman"],
            "pearson_ceiling": ceiling["pearson"],
        }
    )


def _rows(
    experiments: pd.DataFrame,
    points: pd.DataFrame,
    tau_a: pd.DataFrame,
    labels: Mapping[str, str],
    series: Mapping[str, str],
) -> pd.DataFrame:
    columns = ["experiment_id", "name", "dataset", "size", "mask", "lt", "variant", "epochs"]
    rows = experiments.loc[experiments["experiment_id"].isin(points["experiment_id"]), columns]
    rows.insert(0, "experiment", rows["experiment_id"].map(labels))
    rows.insert(1, "series", rows["experiment_id"].map(series))
    rows["seeds"] = rows["experiment_id"].map(points.groupby("experiment_id")["seeds"].max())
    rows = rows.merge(tau_a, on="experiment_id", how="left")
    for value, name in (
        ("a_n", "a_{}_percent"),
        ("tau", "tau_{}"),
        ("a_n_std", "a_{}_std_percent"),
        ("tau_std", "tau_{}_std"),
        ("tau_ceiling", "ceiling_tau_{}"),
    ):
        wide = points.pivot(index="experiment_id", columns="point", values=value)
        for point, known in wide.reindex(columns=list(POINTS.values())).items():
            rows[name.format(point)] = rows["experiment_id"].map(known)
    return rows.sort_values(["tau_a", "tau_a_mean"], na_position="last").reset_index(drop=True)
