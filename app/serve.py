"""How the dashboard is started, and where it finds its warehouse and the run folders."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nasrank.db.errors import NasrankError, shown
from nasrank.db.processes import module_command

DEFAULT_WAREHOUSE: Final = "nasrank.duckdb"
DEFAULT_RUNS: Final = "runs"
FOLDER: Final = Path(__file__).resolve().parent

# Nothing leaves the machine. The terminal, not the browser, tells what is unexpected. Options given here win
# over a configuration file that lies around, which so opens the dashboard to nobody.
_OPTIONS: Final[Mapping[str, str | bool]] = {
    "browser.gatherUsageStats": False,
    # Its downloads and copies of tables would have formulas, which those of `csv_file` have not.
    "client.disableDataExport": True,
    "client.showErrorDetails": "type",
    "client.showErrorLinks": False,
    "client.toolbarMode": "viewer",
    # It would ask a server on the internet for the machine's address.
    "logger.hideWelcomeMessage": True,
    "runner.magicEnabled": False,
    # `memory.py` does it from time to time.
    "runner.postScriptGC": False,
    "server.enableCORS": True,
    "server.enableXsrfProtection": True,
    "server.fileWatcherType": "none",
    "server.headless": True,
    "theme.base": str(FOLDER / "theme.toml"),
}
_BASE_PATH: Final = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?")


@dataclass(frozen=True)
class Service:
    """What is served, and where.

    `runs` is the folder of run folders, of which the page Runs tells what goes on; it need not exist.
    `host` is the address to listen on: there is no login, so anything but `localhost` is open to all who can
    reach it. `public_names` are further names that browsers may use, such as a proxy's. `base_path` is what
    comes before the pages in addresses, such as `/nasrank`.
    """

    warehouse: Path = Path(DEFAULT_WAREHOUSE)
    runs: Path = Path(DEFAULT_RUNS)
    host: str = "localhost"
    port: int = 8501
    public_names: tuple[str, ...] = ()
    base_path: str = ""

    @property
    def url(self) -> str:
        """Where a browser on this machine opens it."""
        host = "localhost" if self.host in ("0.0.0.0", "::") else self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}{self.base_path.rstrip('/')}/"


def command(service: Service) -> list[str]:
    """The arguments, program first, of a process that serves the dashboard until it is ended."""
    return [
        *module_command("nasrank.app"),
        f"--warehouse={service.warehouse.absolute()}",
        f"--runs={service.runs.absolute()}",
        f"--host={service.host}",
        f"--port={service.port}",
        *(f"--public-name={name}" for name in service.public_names),
        f"--base-path={service.base_path}",
    ]


def streamlit_options(service: Service) -> dict[str, str | int | bool]:
    """Streamlit's options for it.

    Raises:
        NasrankError: the base path is none.
    """
    where: dict[str, str | int] = {"server.address": service.host, "server.port": service.port}
    if service.base_path:
        where["server.baseUrlPath"] = checked_base_path(service.base_path)
    return {**_OPTIONS, **where}


def checked_base_path(text: str) -> str:
    """Read what comes before the pages in addresses, without a final slash.

    Raises:
        NasrankError: it is no path.
    """
    if _BASE_PATH.fullmatch(text) is None:
        raise NasrankError(
            f"--base-path {shown(text)} is no path: give one that begins with /, of letters, digits and "
            ". _ ~ -, such as /nasrank"
        )
    return text.rstrip("/")


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
