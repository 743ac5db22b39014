"""Failures that a person can mend, and how their lines show what others wrote."""

from __future__ import annotations

import reprlib
from typing import Final

MOST_CHARACTERS: Final = 1500
_SHORT: Final = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 100


class NasrankError(Exception):
    """An expected failure: one line that says what was given, what is allowed, and what to do.

    The command line prints it without a traceback and exits with 1.
    """


def shown(value: object) -> str:
    """A value of a foreign file in a message: short, whatever it is."""
    try:
        return in_a_line(_SHORT.repr(value), 200)
    except ValueError:  # an integer of more digits than Python writes
        return f"a huge {type(value).__name__}"


def in_a_line(text: object, most: int = MOST_CHARACTERS) -> str:
    """Text that may quote a foreign file, as one line that any stream can write."""
    line = " ".join(str(text).split()).encode(errors="backslashreplace").decode()
    return line if len(line) <= most else f"{line[:most]}…"
