"""Starting Python again, for modules of this installation in processes of their own."""

from __future__ import annotations

import sys


def python_command() -> list[str]:
    """The beginning of a command that runs this Python safe from what lies around.

    `-P` keeps the folder where the command is given out of the search for modules: a `db/`, an `app.py` or a
    `json.py` that lies there is never imported in place of the installed one.
    """
    return [sys.executable, "-P"]


def module_command(module: str) -> list[str]:
    """The beginning of a command that runs an installed module, likewise."""
    return [*python_command(), "-m", module]
