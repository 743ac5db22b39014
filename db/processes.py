"""Starting Python again, for modules of this installation in processes of their own, and limiting these.

And by which command all of them were begun.
"""

from __future__ import annotations

import os
import resource
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

# What this process and those that it starts were asked for, as a person gives it in a shell.
_COMMAND: Final = "NASRANK_COMMAND"


def python_command() -> list[str]:
    """The beginning of a command that runs this Python safe from what lies around.

    `-P` keeps the folder where the command is given out of the search for modules: a `db/`, an `app.py` or a
    `json.py` that lies there is never imported in place of the installed one.
    """
    return [sys.executable, "-P"]


def module_command(module: str) -> list[str]:
    """The beginning of a command that runs an installed module, likewise."""
    return [*python_command(), "-m", module]


def remember_command(arguments: Sequence[str]) -> None:
    """Keep the command that this process was given, program first, for what runs say of themselves.

    It is told so that it does the same in any shell: with the folder, and with the program's path where a
    shell would not find that program by its name.
    """
    program = Path(arguments[0]).absolute()
    found = shutil.which(program.name)
    is_found = found is not None and Path(found).absolute() == program
    told = shlex.join([program.name if is_found else str(program), *arguments[1:]])
    os.environ[_COMMAND] = f"cd {shlex.quote(str(Path.cwd()))} && {told}"


def remembered_command() -> str | None:
    """The command that `remember_command` kept, here or in a process that started this one."""
    return os.environ.get(_COMMAND)


def limited_environment() -> dict[str, str]:
    """The environment of a process that `limit_memory` will limit.

    Arrow's own allocator takes addresses by the GiB, which would be most of what a file may take: whether
    anything was left was chance.
    """
    return {**os.environ, "ARROW_DEFAULT_MEMORY_POOL": "system"}


def limit_memory(allowed: int) -> None:
    """Limit what this process allocates from now on, in bytes; macOS knows no such limit."""
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + allowed, most))


def limit_seconds(seconds: int) -> None:
    """Limit the processor time from now on; past it, the operating system ends this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + seconds, most))
