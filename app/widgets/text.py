"""Text of the warehouse, of folders and of comments, on a page."""

from __future__ import annotations


def as_text(value: object) -> str:
    """A text as Markdown that reads as it was written; nothing for what is no text, such as NULL."""
    text = value if isinstance(value, str) else ""
    return "".join(
        f"\\{character}" if character in r"\`*_{}[]<>()#+-!|~$:" else character for character in text
    )
