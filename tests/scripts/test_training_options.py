"""What is written from the declaration of the training options is current."""

from __future__ import annotations

from scripts.training_options import written


def test_what_follows_from_the_declaration_is_current() -> None:
    """If this fails, run `.venv/bin/python scripts/docs.py`."""
    for path, text in written().items():
        assert path.read_text(encoding="utf-8") == text, path
