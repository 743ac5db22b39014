"""What the page Compare shows of some experiments: how they are configured, and by how much they differ."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from nasrank.app.rows import rows_as
from nasrank.app.widgets.text import as_text
from nasrank.db.runs.configuration import OPTIONS
from nasrank.report.charts.labels import signed
from nasrank.report.charts.ranking_table import POINTS
from nasrank.report.metrics import COMPARED
from nasrank.report.power import in_words

SETS = [*POINTS, "all"]


@dataclass(frozen=True, slots=True)
class ExperimentRow:
    """A row of `report.queries.experiments`; what is no network has only a `name`."""

    experiment_id: str
    kind: str
    name: str | None
    size: str | None
    variant: str | None
    config: str


def configurations(experiments: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """A row a setting, a column an experiment (its label), as text; – where it has no such setting."""
    columns = {}
    for row in rows_as(ExperimentRow, experiments):
        config = json.loads(row.config)
        own = {"size": row.size, "variant": row.variant} if pd.notna(row.size) else {"name": row.name}
        told = {"kind": row.kind, **own, **config}
        columns[labels[row.experiment_id]] = {name: _in_words(name, value) for name, value in told.items()}
    table = pd.DataFrame(columns).fillna("–")
    table.index.name = "setting"
    return table


def differing(table: pd.DataFrame) -> pd.DataFrame:
    """The rows in which the columns are not all equal."""
    return table[table.nunique(axis=1) > 1]


def told_differences(differences: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """The rows of `queries.differences`, A_N and gap in percent, with label, set, verdict and interval."""
    told = differences.rename(columns={"difference_interval": "half_interval"})
    told["verdict"] = [in_words(row) for _, row in told.iterrows()]
    columns = ["mean", "other_mean", "difference", "difference_error", "half_interval"]
    in_percent = [name for name, metric in COMPARED.items() if metric.is_percent]
    told.loc[told["metric"].isin(in_percent), columns] *= 100
    told.insert(0, "series", told["experiment_id"].map(labels))
    told.insert(1, "set", told["architecture_set"].map(lambda name: "whole space" if name == "all" else name))
    told["low"] = told["difference"] - told["half_interval"]
    told["high"] = told["difference"] + told["half_interval"]
    place = told["architecture_set"].map(SETS.index)
    return told.assign(place=place).sort_values(["series", "metric", "place"]).drop(columns="place")


def answers(of_metric: pd.DataFrame, digits: int) -> list[str]:
    """What the differences of a metric in the random sample say, a line an experiment, in Markdown.

    of_metric: of `told_differences`, and of one metric.
    """
    lines = []
    for _, row in of_metric[of_metric["architecture_set"] == "random"].iterrows():
        ends = (
            "" if pd.isna(row["low"]) else f" ({signed(row['low'], digits)} to {signed(row['high'], digits)})"
        )
        said = f"random sample: {signed(row['difference'], digits)}{ends}, {row['verdict']}."
        lines.append(f"- **{as_text(row['series'])}**, {as_text(said)}")
    return lines


def seed_notes(
    differences: pd.DataFrame,
    seeds: Mapping[str, Sequence[int] | None],
    labels: Mapping[str, str],
    reference: str,
) -> list[str]:
    """Why a comparison has no interval, or is none, in Markdown.

    `seeds` are those with predictions; None where nothing is random.
    """
    notes = []
    for experiment_id, label in labels.items():
        if experiment_id == reference:
            continue
        compared = differences[differences["experiment_id"] == experiment_id]
        pair = f"**{as_text(label)}** and **{as_text(labels[reference])}**"
        if compared.empty:
            notes.append(f"{pair} have no set that both predicted wholly under this key.")
        elif seeds.get(reference, []) is None and seeds.get(experiment_id, []) is None:
            notes.append(f"{pair} have no seeds, as nothing in them is random: no interval.")
        elif compared["difference_interval"].isna().all():
            notes.append(
                f"{pair} have too few seeds, and nothing that varies alike has more: a difference, but no "
                "interval."
            )
    return notes


def with_bands(curves: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Means over the runs of each series and epoch, and from the lowest to the highest as a band."""
    groups = curves.groupby(["series", "epoch"], sort=False)
    parts = {}
    for column in columns:
        parts[column] = groups[column].mean()
        parts[f"{column}_low"], parts[f"{column}_high"] = groups[column].min(), groups[column].max()
    bands = pd.DataFrame(parts).reset_index()
    return bands.assign(line=bands["series"])


def _in_words(name: str, value: object) -> str:
    if value is None:
        return OPTIONS[name].none if name in OPTIONS else "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value or "none"
    return (
        f"{value:,}"
        if isinstance(value, int)
        else f"{value:g}"
        if isinstance(value, float)
        else json.dumps(value)
    )
