"""The commands that say what a warehouse says, and what it takes to say more: report, effects and power."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import pyarrow as pa
import typer

from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.ground_truth import resolve_key
from nasrank.db.warehouse.reading import Reader
from nasrank.trainer.cli.options import WAREHOUSE, JsonOption, WarehouseOption
from nasrank.trainer.cli.output import Format, print_json, print_table, show_work
from nasrank.trainer.messages import say
from nasrank.trainer.studies.file import Study, load_study

if TYPE_CHECKING:
    import pandas as pd

    from nasrank.report.power import Plan

_HOUR: Final = 3_600


def report(
    out: Annotated[Path, typer.Option(help="Folder to write; an earlier report there is replaced.")],
    ground_truth: Annotated[
        str | None, typer.Option(help="Key; short forms as for run. Default: the default key.")
    ] = None,
    bn_mode: Annotated[str, typer.Option(help="BatchNorm statistics of the predictions.")] = "running",
    warehouse: WarehouseOption = WAREHOUSE,
    json_output: JsonOption = False,
) -> None:
    """Draw the paper's figures from the warehouse, and say what becomes of its findings.

    Beside them stand tables of what the paper leaves open: what ground truth, BatchNorm and path sampling do,
    which operations the networks take for good, where they stand between chance and what the benchmark's
    noise leaves, and what a search of the whole space finds.
    Writes index.html, each figure as SVG, PNG, interactive HTML and CSV, each table as CSV; none needs a
    network.

    \b
    Example: nasrank-train report --out report --ground-truth cifar10-valid/test
    """
    # Drawing takes a second to import, which no other command should wait for.
    from nasrank.report.figures import ReportKey
    from nasrank.report.write import write_report

    source = Warehouse(warehouse)
    with source.read() as connection:
        key = str(resolve_key(connection, ground_truth))
    with show_work() as show:
        written = write_report(source, ReportKey(key, bn_mode), out, show)
    if json_output:
        print_json(json.dumps(written, ensure_ascii=False, indent=2))
    say(f"wrote {len(written['figures'])} figures and the findings to {out / 'index.html'}")


def effects(
    metric: Annotated[
        str | None, typer.Option(help="One of tau, gap_std, a_n, tau_a. Default: all of them.")
    ] = None,
    ground_truth: Annotated[
        str | None, typer.Option(help="Key; short forms as for run. Default: the default key.")
    ] = None,
    bn_mode: Annotated[str, typer.Option(help="BatchNorm statistics of the predictions.")] = "running",
    warehouse: WarehouseOption = WAREHOUSE,
    json_output: JsonOption = False,
) -> None:
    """Say what mask, LT, variant and size change on average, by all experiments together.

    If effects add up, all experiments of one setting tell each of them, where two tell it little. Each has a
    95 % interval, a p-value before and after Holm's correction, and a test of whether they do add up.

    \b
    Example: nasrank-train effects --metric tau
    """
    # Pandas takes a third of a second to import.
    from nasrank.report import effects as model

    if metric is not None and metric not in model.METRICS:
        raise typer.BadParameter(f"metric is {metric!r}; give one of {', '.join(model.METRICS)}")
    source = Warehouse(warehouse)
    with source.read() as connection:
        key = str(resolve_key(connection, ground_truth))
    with source.reading() as reading:
        rows = model.effects(reading, key, bn_mode)
    if metric is not None and not rows.empty:
        rows = rows[rows["metric"] == metric]
    print_table(
        pa.Table.from_pandas(rows, preserve_index=False), Format.json if json_output else Format.table
    )
    if rows.empty:
        say(f"no experiments that differ in mask, LT, variant or size are measured under {key}, {bn_mode}")


def power(
    subject: Annotated[
        list[str] | None,
        typer.Argument(help="A study, or the numbers of two experiments. Default: all that has been run."),
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=2, help="Of each experiment: how wide is the interval of a difference then?")
    ] = 8,
    difference: Annotated[
        float | None,
        typer.Option(
            help="Between true values: how many seeds tell it? Of two experiments by default as seen, of "
            "findings the smallest that would matter."
        ),
    ] = None,
    findings: Annotated[
        bool, typer.Option("--findings", help="Of each comparison that the paper's findings rest on.")
    ] = False,
    ground_truth: Annotated[
        str | None, typer.Option(help="Key; short forms as for run. Default: the default key.")
    ] = None,
    bn_mode: Annotated[str, typer.Option(help="BatchNorm statistics of the predictions.")] = "running",
    warehouse: WarehouseOption = WAREHOUSE,
    json_output: JsonOption = False,
) -> None:
    """Say how many seeds a decision takes, and how long.

    How much a metric varies from seed to seed is told by all experiments together that differ in mask, LT
    and variant only. From it follow half the width of the 95 % interval of a difference of two means, and the
    seeds that tell a true difference with a probability of 80 %, with the core hours of both experiments.

    \b
    Example: nasrank-train power --seeds 8 --difference 0.1
    """
    # Pandas takes a third of a second to import.
    from nasrank.report.power import Plan

    given = subject or []
    if findings and given:
        raise typer.BadParameter("findings are of all experiments; give --findings alone, or names")
    if len(given) > 2:
        raise typer.BadParameter(f"{len(given)} names are given; give a study, two experiments, or none")
    if difference is not None and difference <= 0:
        raise typer.BadParameter(f"difference is {difference}; give a number above 0")
    source = Warehouse(warehouse)
    with source.read() as connection:
        key = str(resolve_key(connection, ground_truth))
    plan = Plan(key, bn_mode, seeds, difference or 0.0)
    output = Format.json if json_output else Format.table
    with source.reading() as reading:
        if findings:
            _print_findings(reading, plan, output)
        elif len(given) == 2:
            _print_pair(reading, (given[0], given[1]), plan, output)
        elif given:
            _print_study(reading, load_study(given[0]), plan, output)
        else:
            _print_all(reading, plan, output)


def _print_findings(reading: Reader, plan: Plan, output: Format) -> None:
    from nasrank.report.power import hours_to_decide, of_findings

    rows = of_findings(reading, plan)
    told = rows.drop(columns=["experiment_id", "other_id"], errors="ignore")
    print_table(pa.Table.from_pandas(told, preserve_index=False), output)
    if rows.empty:
        say(f"no networks that the findings are about are measured under {plan.gt_key}, {plan.bn_mode}")
        return
    for name, of_measure in (("all of these measures", rows), ("τ alone", rows[rows["metric"] == "tau"])):
        runs, hours = hours_to_decide(of_measure)
        say(f"what is undecided, by {name}: {runs:,} more runs, about {hours:,.0f} hours by runs like these")
    say("with a probability of 80 % each, before correction, if a difference is the smallest that matters")


def _print_pair(reading: Reader, pair: tuple[str, str], plan: Plan, output: Format) -> None:
    from nasrank.report.power import in_words, of_pair

    rows = of_pair(reading, *pair, plan)
    verdicts = [in_words(row, plan.difference) for _, row in rows.iterrows()]
    _print_rows(rows.assign(hours_to_tell=_hours(rows, 2), verdict=verdicts), plan, output)


def _print_study(reading: Reader, study: Study, plan: Plan, output: Format) -> None:
    from nasrank.report.power import of_study

    rows = of_study(reading, [one.config.to_json() for one in study.experiments], plan)
    _print_rows(rows.assign(hours_to_tell=_hours(rows, rows["experiments_asked"])), plan, output)
    groups = rows.drop_duplicates("variance_group")
    hours = float((groups["experiments_asked"] * groups["seconds_a_run"]).sum()) * len(study.seeds) / _HOUR
    say(f"{study.name}: {len(study.runs)} runs, about {hours:,.1f} hours by what runs like these took")


def _print_all(reading: Reader, plan: Plan, output: Format) -> None:
    from nasrank.report.power import deviations

    rows = deviations(reading, plan)
    _print_rows(rows.assign(hours_to_tell=_hours(rows, 2)), plan, output)


def _print_rows(rows: pd.DataFrame, plan: Plan, output: Format) -> None:
    told = rows.drop(columns="variance_group")
    if rows["seeds_to_tell"].isna().all():
        told = told.drop(columns=["seeds_to_tell", "hours_to_tell"])
    print_table(pa.Table.from_pandas(told, preserve_index=False), output)
    if rows.empty:
        say(f"no experiment with several seeds is measured under {plan.gt_key}, BN mode {plan.bn_mode}")


def _hours(rows: pd.DataFrame, experiments: int | pd.Series[int]) -> pd.Series[float]:
    """Of the seeds that tell, for so many experiments."""
    return rows["seeds_to_tell"] * experiments * rows["seconds_a_run"] / _HOUR
