"""The command that draws and states what a warehouse says: report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.ground_truth import resolve_key
from nasrank.trainer.cli.options import WAREHOUSE, JsonOption, WarehouseOption
from nasrank.trainer.cli.output import print_json, show_work
from nasrank.trainer.messages import say


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
