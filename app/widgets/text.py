"""Text of the warehouse, of folders and of addresses, on a page: it reads as it was written.

Streamlit takes almost everything for Markdown: labels, headings, messages, the cells of `st.table`. It has no
word for plain text there, and beyond Markdown it makes links of addresses, emoji of `:smile:`, icons of
`:material/bug:` and arrows of `->`, of which a backslash keeps it only while it parses.
"""

from __future__ import annotations

import re
from typing import Final

from nasrank.db.errors import MOST_CHARACTERS, printable

# An underscore within a word stays one.
_SPECIAL: Final = re.compile(r"[\\`*\[\]<>|~$&]|:(?! )|(?<![^\W_])_|_(?![^\W_])")
# What begins a list, a heading, a quotation or a rule.
_BEGINNING: Final = re.compile(r"^([-+=#]|\d+(?=[.)](\s|$)))")
# What Streamlit replaces in the text that is left after parsing, and so must stand in two parts of it:
# addresses, `:smile:` and `:material/bug:` after their first sign, arrows and dashes after each.
_BEFORE_MORE: Final = re.compile(r":(?=//|material/|[\w+-]+:)|www(?=\.)|@(?=[-\w]+\.)", re.IGNORECASE)
_DRAWN: Final = re.compile(r"(?<!\S)(<->|->|<-|--|>=|<=|~=)(?!\S)")
# An empty part of a text, which nothing is seen of.
_NOTHING: Final = ":small[]"
_PLACE: Final = "\0"


def as_text(value: object) -> str:
    """A text as Markdown, in one line, that reads as the text; nothing for what is no text, such as NULL."""
    line = printable(value).strip() if isinstance(value, str) else ""
    parted = _DRAWN.sub(lambda drawn: _PLACE.join(drawn[0]), line)
    parted = _BEFORE_MORE.sub(rf"\g<0>{_PLACE}", parted)
    escaped = _SPECIAL.sub(r"\\\g<0>", parted)
    return _BEGINNING.sub(_not_first, escaped).replace(_PLACE, _NOTHING)


def as_code(text: str, most: int = MOST_CHARACTERS) -> str:
    """A text as code in Markdown, on one line and of at most so many characters."""
    line = printable(text)
    line = line if len(line) <= most else f"{line[:most]}…"
    if ":material/" in line:  # which Streamlit replaces in code, too
        return as_text(line)
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    space = " " if not line or line[0] in " `" or line[-1] in " `" else ""
    return f"{fence}{space}{line}{space}{fence}"


def _not_first(beginning: re.Match[str]) -> str:
    """What would begin something else than a paragraph, escaped: a sign before it, a number behind it."""
    return f"{beginning[0]}\\" if beginning[0].isdigit() else f"\\{beginning[0]}"
