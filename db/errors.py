"""Failures that a person can mend."""


class NasrankError(Exception):
    """An expected failure: one line that says what was given, what is allowed, and what to do.

    The command line prints it without a traceback and exits with 1.
    """
