"""Failures that a person can mend, and how a text of others is shown to them."""

from __future__ import annotations


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


def as_unicode(name: str) -> str:
    """A file's name; one that is no Unicode, which Arrow and pages refuse, as `printable` has it."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return printable(name)
    return name
