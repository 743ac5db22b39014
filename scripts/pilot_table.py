#!/usr/bin/env python3
"""Prints what recipes of super-networks cost and how well they rank: a row an experiment and BN mode.

Everything is of the end of the training, as mean and sample deviation over the seeds; what not every seed has
is left out. τ is tau-b. τ at equal size (`tau_same_size`) is over the pairs of the random sample whose
stand-alone networks have equally many parameters: concordant minus discordant pairs, by all of them; ties are
neither. It tells whether a super-network knows more than which architecture is larger.
"""

import statistics
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import typer
from numpy.typing import ArrayLike
from scipy.stats import kendalltau

from nasrank.db.errors import NasrankError
from nasrank.db.nb201.architectures import parse_mask
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.ground_truth import resolve_key
from nasrank.db.warehouse.selection import architectures_of_masks
from nasrank.report.charts.labels import set_name, signed
from nasrank.trainer.cli.options import WAREHOUSE, JsonOption, WarehouseOption
from nasrank.trainer.cli.output import Format, print_table
from nasrank.trainer.messages import say

RECIPE: Final = (
    "dataset",
    "image_size",
    "cells_per_stage",
    "channels",
    "batch_size",
    "learning_rate",
    "epochs",
    "train_images",
    "valid_images",
    "path_sampling",
    "node_inputs",
    "mask",
    "lt",
    "variant",
)
# The runs at the end of their training, under one key; a row a BN mode.
RUNS: Final = """
WITH chosen AS (
    SELECT key.* FROM evaluation_key AS key
    JOIN run USING (run_id)
    JOIN experiment USING (experiment_id)
    WHERE key.gt_key = $gt_key AND key.is_final AND experiment.kind = 'trained' AND run.status = 'finished'
),
tau AS (
    SELECT
        run_id, bn_mode,
        max(tau) FILTER (WHERE architecture_set = 'random') AS tau_random,
        max(tau) FILTER (WHERE architecture_set = 'top-500') AS tau_top_500
    FROM run_ranking_of('chosen')
    WHERE is_whole
    GROUP BY ALL
)
SELECT
    experiment.*, run_id, run.seed, chosen.bn_mode, tau_random, tau_top_500,
    (seconds_training + seconds_evaluation) / 3600 AS hours
FROM chosen
JOIN run USING (run_id)
JOIN experiment USING (experiment_id)
LEFT JOIN tau USING (run_id, bn_mode)
ORDER BY
    image_size, channels, batch_size, learning_rate, experiment.epochs, mask, experiment_id, bn_mode, run.seed
"""
PREDICTIONS: Final = """
SELECT run_id, prediction.bn_mode, arch_id, accuracy AS predicted
FROM prediction
JOIN run USING (run_id)
JOIN experiment USING (experiment_id)
WHERE experiment.kind = 'trained' AND is_final_epoch(prediction.epoch, experiment.epochs)
"""
TRUTHS: Final = """
SELECT mask, arch_id, in_random_sample, accuracy AS truth
FROM true_ranking
WHERE gt_key = $gt_key
"""
# Of the benchmark's networks; the classifier's share differs between data sets, not between architectures.
PARAMETERS: Final = """
SELECT arch_id, max(params) AS params FROM benchmark_cost
WHERE params IS NOT NULL AND (source, dataset) = (
    SELECT (source, dataset) FROM benchmark_cost WHERE params IS NOT NULL
    ORDER BY source <> $source, dataset <> $dataset, source, dataset LIMIT 1
)
GROUP BY arch_id
"""


def main(
    warehouse: WarehouseOption = WAREHOUSE,
    ground_truth: Annotated[
        str | None, typer.Option(help="Key to rank by. Default: cifar10-valid/valid@200.")
    ] = None,
    also: Annotated[
        str | None,
        typer.Option(
            help="A query or file of further architectures, as `nasrank-train run --evaluate` takes it; "
            "τ and τ at equal size are added for those of each mask."
        ),
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Print what recipes cost and how well they rank."""
    try:
        rows = pilot_rows(Warehouse(warehouse), ground_truth, also)
    except NasrankError as error:
        say(f"error: {error}")
        raise typer.Exit(1) from error
    if json_output:
        print_table(pa.Table.from_pylist(rows), Format.json)
    else:
        print_table(pa.Table.from_pylist([for_people(row) for row in rows]), Format.table)


def pilot_rows(warehouse: Warehouse, ground_truth: str | None, also: str | None) -> list[dict[str, Any]]:
    """A row an experiment and BN mode. Raises `NasrankError` where there is nothing to measure, or no key."""
    with warehouse.read() as connection:
        key = resolve_key(connection, ground_truth)
    with warehouse.reading() as reading:
        runs = reading.query(RUNS, gt_key=str(key))
        predictions = dict(list(reading.query(PREDICTIONS).groupby(["run_id", "bn_mode"])))
        truths = dict(list(reading.query(TRUTHS, gt_key=str(key)).groupby("mask")))
        sizes = reading.query(PARAMETERS, source=key.source, dataset=key.dataset).set_index("arch_id")
    if runs.empty:
        raise NasrankError(f"no trained run in {warehouse.path} is finished; run some, or name another file")
    listed: dict[str, list[int]] = {}
    if also is not None:
        masks = [parse_mask(mask) for mask in runs["mask"].unique()]
        listed = architectures_of_masks(warehouse, [also], masks)
    rows = []
    for (_, bn_mode), own in runs.groupby(["experiment_id", "bn_mode"], sort=False):
        known = []
        for run in own.to_dict("records"):
            points = truths[run["mask"]].merge(predictions[run["run_id"], bn_mode], how="left", on="arch_id")
            points = points.join(sizes, on="arch_id").set_index("arch_id")
            known.append(run | measures_of(points, listed.get(run["mask"], [])))
        rows.append(experiment_row(known, has_list=also is not None))
    return rows


def measures_of(points: pd.DataFrame, listed: list[int]) -> dict[str, float | None]:
    """What SQL has no view for, of one run under one BN mode.

    `points`: what the mask leaves, by `arch_id`, with truth, predicted and params, missing where unknown.
    """
    measures = {"tau_same_size": _same_size(points[points["in_random_sample"]])}
    chosen = points.reindex(listed)
    measures["tau_same_size_also"] = _same_size(chosen)
    if len(chosen) and chosen[["truth", "predicted"]].notna().all(axis=None):
        measures["tau_also"] = float(kendalltau(chosen["truth"], chosen["predicted"]).statistic)
    return measures


def _same_size(points: pd.DataFrame) -> float | None:
    """None where one of them lacks something, as for τ."""
    if points[["truth", "predicted", "params"]].isna().any(axis=None):
        return None
    return tau_same_size(points["truth"], points["predicted"], points["params"])


def tau_same_size(truth: ArrayLike, predicted: ArrayLike, sizes: ArrayLike) -> float | None:
    """Concordant minus discordant pairs of equal size, by all pairs of equal size; None where there is none.

    Each argument is one number an architecture. A tie of truths or of predictions is neither.
    """
    truths, predictions, groups = (np.asarray(values) for values in (truth, predicted, sizes))
    score = pairs = 0
    for size in np.unique(groups):
        own, other = truths[groups == size], predictions[groups == size]
        # Each pair is met twice, and each architecture with itself counts as a tie.
        signs = np.sign(own[:, None] - own) * np.sign(other[:, None] - other)
        score += int(signs.sum()) // 2
        pairs += len(own) * (len(own) - 1) // 2
    return score / pairs if pairs else None


def experiment_row(runs: Sequence[Mapping[Any, Any]], *, has_list: bool) -> dict[str, Any]:
    """The recipe of these runs, then mean and sample deviation of each measure that all of them have."""
    recipe = runs[0]
    row = {name: _plain(recipe[name]) for name in ("experiment_id", *RECIPE, "bn_mode")}
    row["seeds"] = sorted(int(run["seed"]) for run in runs)
    names = ["tau_random", "tau_top_500", "tau_same_size"]
    for name in (*names, *(["tau_also", "tau_same_size_also"] if has_list else []), "hours"):
        values = [run.get(name) for run in runs]
        known = [float(value) for value in values if value is not None and not pd.isna(value)]
        is_whole = len(known) == len(values)
        row[name] = statistics.fmean(known) if is_whole else None
        row[f"{name}_std"] = statistics.stdev(known) if is_whole and len(known) > 1 else None
    return row


def for_people(row: Mapping[str, Any]) -> dict[str, str]:
    """The same as text, with a deviation beside its mean."""
    told: dict[str, str] = {}
    for name, value in row.items():
        if name.endswith("_std"):
            continue
        if f"{name}_std" in row:
            deviation = row[f"{name}_std"]
            told[name] = signed(value, 3) + ("" if deviation is None else f" ± {deviation:.3f}")
        elif name in ("mask", "lt"):
            told[name] = set_name(value or "")
        elif name == "seeds":
            told[name] = " ".join(map(str, value))
        else:
            told[name] = "all" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
    return told


def _plain(value: Any) -> Any:
    """None for what is missing; a whole number that pandas holds as a float, because others are missing."""
    if pd.isna(value):
        return None
    return int(value) if isinstance(value, float) and value.is_integer() else value


if __name__ == "__main__":
    typer.run(main)
