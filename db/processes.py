"""Starting Python again, for modules of this installation in processes of their own, and limiting these."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path


def python_command() -> list[str]:
    """The beginning of a command that runs this Python safe from what lies around.

    `-P` keeps the folder where the command is given out of the search for modules: a `db/`, an `app.py` or a
    `json.py` that lies there is never imported in place of the installed one.
    """
    return [sys.executable, "-P"]


def module_command(module: str) -> list[str]:
    """The beginning of a command that runs an installed module, likewise."""
    return [*python_command(), "-m", module]


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
