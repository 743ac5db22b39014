"""What a person is told on standard error, a line at a time."""

from __future__ import annotations

import sys

from nasrank.db.errors import printable


def say(line: str) -> None:
    """One line for a person, on standard error; also where a name in it has control characters."""
    print(printable(line), file=sys.stderr, flush=True)


def say_waiting() -> None:
    """That another process holds the warehouse."""
    say("waiting for another process that writes to the warehouse")
