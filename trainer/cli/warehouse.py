"""The commands that make the warehouse and check everything: init, doctor."""

from __future__ import annotations

from typing import Annotated

import typer

from nasrank.db.errors import printable
from nasrank.db.ingest.packed import DEFAULT_RESULTS, load_results
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.seed import seed_warehouse
from nasrank.trainer.cli.options import (
    DATA,
    RUNS,
    WAREHOUSE,
    DataOption,
    JsonOption,
    RunsOption,
    WarehouseOption,
)
from nasrank.trainer.cli.output import Format, print_table
from nasrank.trainer.messages import say, say_waiting


def init(
    study: Annotated[
        str | None,
        typer.Argument(help=f"With --with-results: whose runs to add. Default: {DEFAULT_RESULTS}."),
    ] = None,
    with_results: Annotated[
        bool, typer.Option("--with-results", help="Add the runs of a study that come with nasrank.")
    ] = False,
    warehouse: WarehouseOption = WAREHOUSE,
) -> None:
    """Make or upgrade the warehouse.

    It holds the architectures, the masks and the paper's τa from the start. Again, nothing is lost: where an
    older version made the file, a copy of that stays beside it.

    \b
    Example: nasrank-train init --with-results
    """
    if study is not None and not with_results:
        name = printable(study)
        raise typer.BadParameter(f"{name} names results; give --with-results {name}, or leave it out")
    target = Warehouse(warehouse)
    created = target.create(seed_warehouse)
    if created.is_new:
        say(f"made {warehouse}")
    elif created.backup:
        say(f"upgraded {warehouse} from schema {created.upgraded_from}; as it was, it is {created.backup}")
    else:
        say(f"checked {warehouse}: its tables and views are current")
    if with_results:
        study = study or DEFAULT_RESULTS
        loaded = load_results(target, say_waiting, study=study)
        there = f"; {len(loaded.unchanged)} were there already" if loaded.unchanged else ""
        say(f"added {len(loaded.ingested)} runs of the study {study}, which come with nasrank{there}")


def doctor(
    warehouse: WarehouseOption = WAREHOUSE,
    runs: RunsOption = RUNS,
    data_dir: DataOption = DATA,
    json_output: JsonOption = False,
) -> None:
    """Check everything, say what to do.

    \b
    Example: nasrank-train doctor --json
    """
    import pyarrow as pa

    from nasrank.trainer.doctor import check_everything

    checks = check_everything(Warehouse(warehouse), runs, data_dir)
    rows = [{"check": check.name, "state": check.state, "finding": check.finding} for check in checks]
    print_table(pa.Table.from_pylist(rows), Format.json if json_output else Format.table)
    if any(check.state == "bad" for check in checks):
        raise typer.Exit(1)
