"""How the dashboard is started, and where it finds its warehouse and the run folders."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from nasrank.db.processes import module_command

DEFAULT_WAREHOUSE: Final = "nasrank.duckdb"
DEFAULT_RUNS: Final = "runs"

_FOLDER: Final = Path(__file__).resolve().parent

# Nothing leaves the machine, and what is unexpected is told in the terminal instead of the browser.
_OPTIONS: Final[Mapping[str, str]] = {
    "browser.gatherUsageStats": "false",
    "client.showErrorDetails": "type",
    "client.showErrorLinks": "false",
    "client.toolbarMode": "viewer",
    "runner.magicEnabled": "false",
    "server.fileWatcherType": "none",
    "server.headless": "true",
}


def command(warehouse: Path, host: str, port: int, runs: Path = Path(DEFAULT_RUNS)) -> list[str]:
    """The arguments, program first, of a process that serves the dashboard until it is ended.

    `runs` is the folder of run folders, of which the page Runs tells what goes on; it need not exist.
    `host` is the address to listen on: there is no login, so anything but `localhost` is open to all
    who can reach it.
    """
    options = {
        **_OPTIONS,
        "server.address": host,
        "server.port": str(port),
        "theme.base": str(_FOLDER / "theme.toml"),
    }
    return [
        *module_command("streamlit"),
        *("run", str(_FOLDER / "main.py")),
        *(f"--{name}={value}" for name, value in options.items()),
        *("--", f"--warehouse={warehouse.absolute()}", f"--runs={runs.absolute()}"),
    ]


def warehouse_path(
    arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ
) -> Path:
    """The warehouse to show: what `command` handed on, else `NASRANK_WAREHOUSE`, else the default."""
    return _handed_on("warehouse", arguments, environment.get("NASRANK_WAREHOUSE") or DEFAULT_WAREHOUSE)


def runs_path(arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> Path:
    """The folder of run folders, likewise; `NASRANK_RUNS` names it."""
    return _handed_on("runs", arguments, environment.get("NASRANK_RUNS") or DEFAULT_RUNS)


def _handed_on(name: str, arguments: Sequence[str] | None, default: str) -> Path:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument(f"--{name}", default=default)
    known, _ = parser.parse_known_args(arguments)
    return Path(getattr(known, name))
