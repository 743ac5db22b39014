"""The command line `nasrank-train`: its commands, and how it ends."""

from __future__ import annotations

import sys
from typing import Annotated, NoReturn

import typer

from nasrank.db.errors import NasrankError
from nasrank.db.processes import remember_command
from nasrank.trainer.cli.benchmark import import_bench
from nasrank.trainer.cli.dashboard import dashboard
from nasrank.trainer.cli.images import data
from nasrank.trainer.cli.ingest import ingest_command
from nasrank.trainer.cli.parameters import SectionedCommand
from nasrank.trainer.cli.predictions import import_predictions_command
from nasrank.trainer.cli.query import export, intervals, sql
from nasrank.trainer.cli.report import effects, power, report
from nasrank.trainer.cli.run import run
from nasrank.trainer.cli.study import study_app
from nasrank.trainer.cli.warehouse import doctor, init
from nasrank.trainer.messages import say
from nasrank.trainer.stopping import Interrupted

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(study_app, name="study")
app.command()(init)
app.command()(import_bench)
app.command()(data)
app.command(cls=SectionedCommand)(run)
app.command("ingest")(ingest_command)
app.command("import-predictions")(import_predictions_command)
app.command()(sql)
app.command()(export)
app.command()(intervals)
app.command()(effects)
app.command()(power)
app.command()(report)
app.command()(dashboard)
app.command()(doctor)


def _print_version(wanted: bool) -> None:
    if wanted:
        from nasrank import __version__

        typer.echo(f"nasrank {__version__}")
        raise typer.Exit


@app.callback()
def nasrank_train(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of a failure.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and exit."),
    ] = False,
) -> None:
    """Train super-networks and measure how well they rank the architectures of NAS-Bench-201.

    A first session:

    \b
        nasrank-train init
        nasrank-train import-bench
        nasrank-train run --dataset digits --size tiny --mask Zero+Pool --epochs 20
        nasrank-train dashboard
    """


def main() -> NoReturn:
    """The installed command: exit 0 for success, 1 for a failure in one line, 2 for bad usage."""
    remember_command(sys.argv)
    try:
        app(prog_name="nasrank-train")
    except NasrankError as error:
        if "--debug" in sys.argv[1:]:
            raise
        say(f"error: {error}")
        sys.exit(130 if isinstance(error, Interrupted) else 1)
    sys.exit(0)
