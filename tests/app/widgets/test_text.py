"""Text on a page, by another reader of Markdown; `tests/e2e/test_text.py` has Streamlit's own."""

from __future__ import annotations

import html

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from nasrank.app.widgets.text import as_code, as_text
from nasrank.db.errors import printable
from tests.hostile_texts import TEXTS

# All that a page may be made of, more often than letters.
texts = st.text(st.sampled_from("\\`*_{}[]()<>#+-=.!|~$&:/@ \n\t\x1b0a") | st.characters(), max_size=30)


def rendered(markdown: str) -> str:
    """HTML without the empty parts, which nothing is seen of."""
    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    return html.unescape(reader.render(markdown.replace(":small[]", "")))


@given(texts)
@example(" -> ")
@example("1. a")
@example("---")
def test_any_text_is_a_paragraph_of_itself(text: str) -> None:
    line = printable(text).strip()
    assert rendered(as_text(text)) == (f"<p>{line}</p>\n" if line else "")
    assert (
        html.unescape(rendered(f"**a** {as_text(text)}"))
        == f"<p><strong>a</strong> {line}".rstrip() + "</p>\n"
    )


@given(texts.filter(lambda text: ":material/" not in text))
def test_any_text_is_code_of_itself(text: str) -> None:
    line = printable(text)
    inside = line if line.strip() else f" {line} "
    assert rendered(f"a {as_code(text)} b") == f"<p>a <code>{inside}</code> b</p>\n"


@pytest.mark.parametrize(
    "text", [*TEXTS, ":smile:", "https://a.b", "www.a.b", "a@b.cd", "->", "--", "a <-> b"]
)
def test_what_streamlit_replaces_is_in_parts(text: str) -> None:
    parts = as_text(text).split(":small[]")
    for replaced in ("://", "www.", "@b", ":smile:", "->", "<-", "--"):
        assert not any(replaced in part.replace("\\", "") for part in parts)


def test_what_is_no_text_is_nothing() -> None:
    assert as_text(None) == as_text(float("nan")) == ""
