"""The command that serves the dashboard."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from nasrank.db.processes import module_command
from nasrank.trainer.cli.options import RUNS, WAREHOUSE, RunsOption, WarehouseOption
from nasrank.trainer.messages import say


def dashboard(
    host: Annotated[
        str,
        typer.Option(
            help="Address to listen on. There is no login: whoever reaches it can read the warehouse and the "
            "run folders; docs/dashboard.md says how to put one in front."
        ),
    ] = "localhost",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8501,
    public_name: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A name that browsers open the dashboard by, such as a proxy's. May be repeated. Names "
            "other than localhost, --host and these are refused; IP addresses are not.",
        ),
    ] = None,
    base_path: Annotated[
        str,
        typer.Option(
            metavar="PATH",
            help="What comes before the pages in addresses, such as /nasrank if a proxy serves more.",
        ),
    ] = "",
    warehouse: WarehouseOption = WAREHOUSE,
    runs: RunsOption = RUNS,
) -> None:
    """Serve the dashboard until Ctrl-C.

    \b
    Example: nasrank-train dashboard --port 8600
    """
    if host not in ("localhost", "127.0.0.1", "::1"):
        say(
            f"warning: there is no login; whoever reaches {host}:{port} can read the warehouse and the run "
            "folders. docs/dashboard.md says how to use an SSH tunnel instead, or a proxy with a login"
        )
    # This process becomes the server, and gets its signals; the trainer never imports the dashboard.
    command = [
        *module_command("nasrank.app"),
        *("--warehouse", str(warehouse)),
        *("--runs", str(runs)),
        *("--host", host),
        *("--port", str(port)),
        *(f"--public-name={name}" for name in public_name or ()),
        f"--base-path={base_path}",
    ]
    os.execv(command[0], command)
