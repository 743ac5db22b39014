"""The command that brings run folders into the warehouse, once or as they end, and removes runs: ingest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from nasrank.db.errors import NasrankError
from nasrank.db.ingest.folders import IngestReport, ingest, remove_runs
from nasrank.db.runs.reader import is_run_folder, run_folders
from nasrank.db.warehouse.file import Warehouse
from nasrank.trainer.cli.options import RUNS, WAREHOUSE, JsonOption, WarehouseOption
from nasrank.trainer.cli.watching import watch_and_tell
from nasrank.trainer.messages import say, say_waiting


def ingest_command(
    runs: Annotated[
        Path, typer.Argument(envvar="NASRANK_RUNS", help="Folder of run folders, or one run folder.")
    ] = RUNS,
    watch_runs: Annotated[
        bool, typer.Option("--watch", help="Go on until Ctrl-C, and bring runs in as they end.")
    ] = False,
    remove: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Remove the run of this name, or all that fit, such as 'cifar10-*', from the warehouse "
            "instead. Their folders stay.",
        ),
    ] = None,
    warehouse: WarehouseOption = WAREHOUSE,
    json_output: JsonOption = False,
) -> None:
    """Bring ended runs into the warehouse.

    What is there already stays as it is. A folder that cannot be used is named, and the others are ingested.
    With --watch, such a folder is tried again later, and --json prints an object a line: what was ingested,
    and what cannot be used.

    \b
    Example: nasrank-train ingest runs
    Example: nasrank-train ingest --watch runs
    """
    if remove is not None:
        if watch_runs:
            raise NasrankError("give either --remove or --watch")
        removed = remove_runs(Warehouse(warehouse), remove, say_waiting)
        if json_output:
            typer.echo(json.dumps({"removed": removed}))
        if removed:
            say(
                f"removed {len(removed)} runs; where they have folders, `nasrank-train ingest` brings them "
                "back"
            )
        else:
            say(f"no trained run is called {remove!r}, so none was removed; * stands for any characters")
        return
    if watch_runs:
        watch_and_tell(Warehouse(warehouse), runs, json_output)
        return
    folders = [runs] if is_run_folder(runs) else run_folders(runs)
    report_ingest(ingest(Warehouse(warehouse), folders, say_waiting), json_output)


def report_ingest(report: IngestReport, json_output: bool = False) -> None:
    """Say what became of each folder. Raises `typer.Exit` with 1 where one cannot be used."""
    if json_output:
        content: dict[str, Any] = {
            "ingested": report.ingested,
            "unchanged": report.unchanged,
            "unfinished": report.unfinished,
            "problems": report.problems,
        }
        print(json.dumps(content, indent=2))
    else:
        say(
            f"runs ingested: {len(report.ingested)}; there already: {len(report.unchanged)}; "
            f"not ended: {len(report.unfinished)}; not usable: {len(report.problems)}"
        )
    for folder, problem in report.problems.items():
        say(f"{folder}: {problem}")
    if report.problems:
        raise typer.Exit(1)
