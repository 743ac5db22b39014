"""The command that imports predictions that others made, lists and removes them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pyarrow as pa
import typer

from nasrank.db.columns.finding import Choice
from nasrank.db.nb201.architectures import parse_mask
from nasrank.db.nb201.notations import NOTATIONS
from nasrank.db.predictions.importing import (
    ImportNotices,
    coverage,
    import_predictions,
    list_predictions,
    remove_predictions,
)
from nasrank.db.predictions.reading import SCALES, PredictionOptions
from nasrank.db.warehouse.file import Warehouse
from nasrank.trainer.cli.options import WAREHOUSE, JsonOption, WarehouseOption
from nasrank.trainer.cli.output import Format, print_table, show_work
from nasrank.trainer.messages import say, say_waiting


def import_predictions_command(
    path: Annotated[
        Path | None,
        typer.Argument(help="A file, or a folder of one file a seed: JSON, text, Parquet, NumPy, PyTorch."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="What the predictions are called everywhere.")] = None,
    mask: Annotated[
        str, typer.Option(help="Operations that were removed, such as Zero+Pool; none for none.")
    ] = "none",
    seed: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Seed of the file, of a folder that of its first. Default: from the names (seed3), else 0.",
        ),
    ] = None,
    scale: Annotated[
        str | None,
        typer.Option(help=f"What the numbers are: {', '.join(SCALES)}. Default: found by looking."),
    ] = None,
    lower_is_better: Annotated[
        bool, typer.Option("--lower-is-better", help="Of scores, lower is better: keep their negatives.")
    ] = False,
    notation: Annotated[
        str | None,
        typer.Option(
            help=f"How architectures are written: {', '.join(NOTATIONS)}. Default: found by looking, and "
            "where numbers have several readings by their correlation to the ground truth."
        ),
    ] = None,
    column: Annotated[
        str | None,
        typer.Option(
            help="Column of the predictions; in JSON with dots, such as synflow.score. With a star, such as "
            "'*.score', each is an experiment, called NAME-synflow."
        ),
    ] = None,
    architecture_column: Annotated[str | None, typer.Option(help="Column of the architectures.")] = None,
    part: Annotated[
        str | None, typer.Option(help="Key of the object to read within a JSON file, such as cifar10.")
    ] = None,
    join: Annotated[
        bool | None,
        typer.Option(
            "--join/--seeds",
            help="The files of a folder are parts of one seed, or a seed each. Default: by their names; "
            "files that share no architecture are refused without it.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how the files are understood; imports nothing.")
    ] = False,
    leave_out_masked: Annotated[
        bool,
        typer.Option("--leave-out-masked", help="Leave out architectures that the mask removes."),
    ] = False,
    ground_truth: Annotated[
        list[str] | None,
        typer.Option(
            help="Key to store metrics under; may be repeated. The first tells notations apart. "
            "Default: cifar10-valid/valid@200."
        ),
    ] = None,
    list_them: Annotated[
        bool, typer.Option("--list", help="List what was imported; imports nothing.")
    ] = False,
    remove: Annotated[
        str | None, typer.Option(metavar="NAME", help="Remove all that was imported under this name.")
    ] = None,
    warehouse: WarehouseOption = WAREHOUSE,
    json_output: JsonOption = False,
) -> None:
    """Import predictions that others made.

    They stand beside own runs in every view and page. A file holds what one seed predicts, or several: an
    object from architecture to number, or a table. Accuracies are fractions or percent; a score, such as a
    zero-cost proxy, can be any number. How a file was read is said, and which sets of architectures it
    covers.

    \b
    Example: nasrank-train import-predictions my_supernet/ --name my-supernet --mask Zero+Pool
    """
    target = Warehouse(warehouse)
    format = Format.json if json_output else Format.table
    if sum((path is not None, list_them, remove is not None)) != 1:
        raise typer.BadParameter("give a file or folder, --list or --remove, and only one of them")
    if list_them:
        print_table(list_predictions(target), format)
        return
    if remove is not None:
        say(f"removed {len(remove_predictions(target, remove, say_waiting))} runs of {remove}")
        return
    if path is None or name is None:
        raise typer.BadParameter("name the predictions: --name my-supernet")
    options = PredictionOptions(
        mask=parse_mask(mask),
        scale=scale,
        lower_is_better=lower_is_better,
        seed=seed,
        ground_truth=ground_truth or (),
        leave_out_masked=leave_out_masked,
        are_parts=join,
        is_trial=dry_run,
        choice=Choice(part, architecture_column, column, notation),
    )
    with show_work() as show:
        report = import_predictions(
            target,
            path,
            name,
            options,
            ImportNotices(
                lambda done, total: show("reading files", done, total) if done else None, say_waiting
            ),
        )
    for note in report.notes:
        say(note)
    if dry_run:
        print_table(pa.Table.from_pylist(report.understood), format)
        new, known = len(report.imported), len(report.unchanged)
        say(f"nothing was imported: {new} runs are new, {known} there already")
    else:
        say(f"runs imported: {len(report.imported)}; there already: {len(report.unchanged)}")
    for doubt in report.doubts:
        say(f"warning: {doubt}")
    if dry_run:
        return
    covered = coverage(target, report.imported + report.unchanged)
    if not any(covered["covered"].to_pylist()):
        say("no set of the benchmark is predicted wholly; what was predicted is measured as a set of its own")
    print_table(covered, format)
