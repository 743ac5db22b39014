"""Commands that ask the warehouse and change nothing: sql, export, intervals."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import typer

from nasrank.db.warehouse.certainty import (
    RESAMPLES,
    Predicted,
    experiments_with,
    metric_difference,
    metric_interval,
    read_predicted,
)
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.ground_truth import resolve_key
from nasrank.db.warehouse.hints import hints_of_no_rows
from nasrank.db.warehouse.reading import Limits
from nasrank.trainer.cli.options import WAREHOUSE, JsonOption, WarehouseOption
from nasrank.trainer.cli.output import Format, print_table, show_work, write_table
from nasrank.trainer.messages import say


class Metric(StrEnum):
    """The keys of `db.warehouse.certainty.METRICS`."""

    tau = "tau"
    tau_eq2 = "tau_eq2"
    spearman = "spearman"
    pearson = "pearson"
    a_n = "a_n"
    precision_at_10 = "precision_at_10"
    precision_at_50 = "precision_at_50"


def sql(
    statement: Annotated[str, typer.Argument(help="One SQL statement; - reads it from standard input.")],
    format: Annotated[Format, typer.Option(help="How to print the rows.")] = Format.table,
    json_output: JsonOption = False,
    time_limit: Annotated[float | None, typer.Option(help="Seconds after which the query ends.")] = None,
    memory_limit: Annotated[str | None, typer.Option(help="What DuckDB may use, such as 2GB.")] = None,
    row_limit: Annotated[int | None, typer.Option(min=1, help="Rows after which the result is cut.")] = None,
    warehouse: WarehouseOption = WAREHOUSE,
) -> None:
    """Query the warehouse, read-only.

    \b
    Example: nasrank-train sql "SELECT mask, tau_a FROM experiment_tau_a ORDER BY tau_a" --format csv
    """
    text = sys.stdin.read() if statement == "-" else statement
    limits = Limits(seconds=time_limit, memory=memory_limit, rows=row_limit)
    answer = Warehouse(warehouse).first_rows(text, limits)
    print_table(answer.rows, Format.json if json_output else format)
    if not answer.rows.num_rows:
        for hint in hints_of_no_rows(Warehouse(warehouse), text):
            say(hint)
    if answer.is_cut:
        say(f"cut after {row_limit:,} rows; there are more")


def export(
    view: Annotated[str, typer.Argument(help="A view or table of docs/sql.md, such as experiment_ranking.")],
    out: Annotated[
        Path | None, typer.Option(help="A file that ends in .csv, .json or .parquet. Default: print CSV.")
    ] = None,
    ground_truth: Annotated[
        str | None, typer.Option(help="Only under this key; short forms as for run.")
    ] = None,
    warehouse: WarehouseOption = WAREHOUSE,
) -> None:
    """Write all rows of a view or table.

    Give the key for views that have one: without it, they compute every run under every key.

    \b
    Example: nasrank-train export run_ranking --ground-truth cifar10-valid/valid --out ranking.parquet
    """
    source = Warehouse(warehouse)
    gt_key = None
    if ground_truth is not None:
        with source.read() as connection:
            gt_key = str(resolve_key(connection, ground_truth))
    rows = source.view(view, gt_key)
    if out is None:
        print_table(rows, Format.csv)
        return
    write_table(rows, out)
    say(f"wrote {rows.num_rows:,} rows to {out}")


def intervals(
    experiments: Annotated[
        list[str] | None, typer.Argument(help="Numbers of experiments. Default: all that predicted the set.")
    ] = None,
    ground_truth: Annotated[
        str | None, typer.Option(help="Key; short forms as for run. Default: the default key.")
    ] = None,
    architecture_set: Annotated[
        str, typer.Option("--set", help="top-10 … top-500, random, all, or one of these with classes.")
    ] = "random",
    metric: Annotated[Metric, typer.Option(help="What the interval is of.")] = Metric.tau,
    bn_mode: Annotated[
        str, typer.Option(help="BatchNorm statistics of the predictions; what has none is there under any.")
    ] = "running",
    baseline: Annotated[
        str | None, typer.Option(help="An experiment of the same mask; adds the difference to it.")
    ] = None,
    resamples: Annotated[int, typer.Option(min=2, help="Of architectures.")] = RESAMPLES,
    seed: Annotated[int, typer.Option(min=0, help="Of the resampling.")] = 0,
    warehouse: WarehouseOption = WAREHOUSE,
    json_output: JsonOption = False,
) -> None:
    """Say how certain a metric is.

    95 % intervals of Kendall's τ or another metric, the mean over seeds at the end of training, for other
    seeds and other architectures: Student's t, with the bootstrap over architectures. A single seed has none.
    The difference to a baseline is on the same resamples: both meet the same architectures. τ of the whole
    space takes some 15 seconds a seed.

    \b
    Example: nasrank-train intervals --set top-500 --ground-truth cifar10-valid/valid
    """
    source = Warehouse(warehouse)
    with source.read() as connection:
        key = str(resolve_key(connection, ground_truth))
    chosen = experiments or experiments_with(source, key, architecture_set, bn_mode)
    resampling = _Resampling(metric, resamples, seed)

    def read(experiment_id: str) -> Predicted:
        return read_predicted(source, experiment_id, key, architecture_set, bn_mode)

    described = source.query_arrow("SELECT experiment_id, name, mask, lt, variant FROM experiment")
    by_id = {row["experiment_id"]: row for row in described.to_pylist()}
    compared = read(baseline) if baseline else None
    rows = []
    with show_work() as show:
        for done, experiment_id in enumerate(chosen):
            show("resampling experiments", done, len(chosen))
            measured = resampling.columns(read(experiment_id), compared)
            rows.append(by_id[experiment_id] | measured)
    print_table(pa.Table.from_pylist(rows), Format.json if json_output else Format.table)


@dataclass(frozen=True)
class _Resampling:
    """How intervals are computed, and of what."""

    metric: Metric
    resamples: int
    seed: int

    def columns(self, predicted: Predicted, compared: Predicted | None) -> dict[str, Any]:
        """The mean with its interval, and the difference to `compared` with its own."""
        metric = self.metric
        known = metric_interval(predicted, metric, self.resamples, self.seed)
        columns = {
            "seeds": None if predicted.seeds is None else len(predicted.seeds),
            metric.value: known.mean,
            f"{metric}_low": _or_none(known.low),
            f"{metric}_high": _or_none(known.high),
        }
        if compared is None:
            return columns
        difference = metric_difference(predicted, compared, metric, self.resamples, self.seed)
        return columns | {
            "difference": difference.mean,
            "difference_low": _or_none(difference.low),
            "difference_high": _or_none(difference.high),
            "baseline_seeds": None if compared.seeds is None else len(compared.seeds),
        }


def _or_none(number: float) -> float | None:
    """What is not known is NULL, no NaN."""
    return None if math.isnan(number) else number
