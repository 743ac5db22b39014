"""The SQL of the views and macros: the files of `db/views`."""

from __future__ import annotations

import re
from importlib import resources
from typing import Final

_NAME: Final = re.compile(r"^CREATE OR REPLACE (?:VIEW|MACRO) (\w+)", re.MULTILINE)


def view_statements() -> list[str]:
    """The text of every file in the folders of `db/views`, by its number, each view after those it uses."""
    rooms = [room for room in (resources.files("nasrank.db") / "views").iterdir() if room.is_dir()]
    files = [file for room in rooms for file in room.iterdir() if file.name.endswith(".sql")]
    return [file.read_text(encoding="utf-8") for file in sorted(files, key=lambda file: file.name)]


def view_names() -> set[str]:
    """The views and macros that they make."""
    return set(_NAME.findall("".join(view_statements())))
