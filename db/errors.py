"""Failures that a person can mend, and how their lines show what others wrote."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

MOST_CHARACTERS: Final = 1500
_MOST_OF_A_VALUE: Final = 200
_SHORT: Final = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 100


class NasrankError(Exception):
    """An expected failure: one line that says what was given, what is allowed, and what to do.

    The command line prints it without a traceback and exits with 1. It is printable, whatever it quotes.
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


def printable(text: str) -> str:
    """One line for a terminal or a page: control characters, line breaks and lone surrogates as in `repr`."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def in_a_line(text: object, most: int = MOST_CHARACTERS) -> str:
    """What a library says, or a text of others: printable, any white space one space, and not long."""
    line = printable(" ".join(str(text)[: 4 * most].split()))
    return line if len(line) <= most else f"{line[:most]}…"


def shown(value: object) -> str:
    """A value of a foreign file in a message: short, whatever it is."""
    try:
        return in_a_line(_SHORT.repr(value), _MOST_OF_A_VALUE)
    except ValueError:  # an integer of more digits than Python writes
        return f"a huge {type(value).__name__}"


def nearest(name: object, allowed: Iterable[object]) -> str:
    """What an unknown name may have meant, to put behind it; empty where nothing is near."""
    by_lower = {str(choice).lower(): str(choice) for choice in allowed}
    found = get_close_matches(str(name).lower()[:_MOST_OF_A_VALUE], by_lower, n=1, cutoff=0.6)
    return f" (is {by_lower[found[0]]!r} meant?)" if found else ""


def as_unicode(name: str) -> str:
    """A file's name; one that is no Unicode, which Arrow and pages refuse, as `printable` has it."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return printable(name)
    return name
