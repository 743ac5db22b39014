"""Options that several commands share: where things are, and how rows are printed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

WarehouseOption = Annotated[
    Path, typer.Option("--warehouse", envvar="NASRANK_WAREHOUSE", help="The DuckDB file.")
]
RunsOption = Annotated[Path, typer.Option("--runs", envvar="NASRANK_RUNS", help="Folder of run folders.")]
DataOption = Annotated[Path, typer.Option("--data", envvar="NASRANK_DATA", help="Folder of images.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

WAREHOUSE = Path("nasrank.duckdb")
RUNS = Path("runs")
DATA = Path("data")


@dataclass(frozen=True)
class Places:
    """Where a command that trains reads and writes."""

    warehouse: WarehouseOption = WAREHOUSE
    runs: RunsOption = RUNS
    data_dir: DataOption = DATA
