"""What there is to ask: views, tables, columns and macros with their comments, and a search in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from nasrank.app.views.sql.queries import Macro, Relation, RelationColumn
from nasrank.app.widgets.text import as_code, as_text

# So many hits are shown opened.
OPENED = 3
# Pixels: what follows in the sidebar stays in sight.
HEIGHT = 480


@dataclass(frozen=True, slots=True)
class Entry:
    """A relation or macro as it is shown; `details` are Markdown."""

    kind: str
    name: str
    comment: str
    details: Sequence[str]


@st.fragment
def show_schema(
    relations: Sequence[Relation], columns: Sequence[RelationColumn], macros: Sequence[Macro]
) -> None:
    """What `queries.py` says. A fragment: a search neither stops a query nor asks it again."""
    st.header("What can be asked")
    words = st.text_input("Search the schema", key="schema_search", placeholder="tau, seed, key …").split()
    entries = [
        Entry(relation.kind, relation.name, relation.comment, lines)
        for relation in relations
        if (lines := relation_lines(relation, columns, words)) is not None
    ]
    entries += [
        Entry("macro", macro.name, macro.comment, [f"{as_code(call)} gives {gives}"])
        for macro in macros
        if matches(words, macro.name, macro.comment)
        for call in (f"{macro.name}({', '.join(macro.parameters)})",)
        for gives in ("rows" if macro.is_table else "a value",)
    ]
    if not entries:
        st.caption("Nothing has all of these words in its name or comment.")
    with st.container(height=HEIGHT, border=False):
        is_opened = bool(words) and len(entries) <= OPENED
        for entry in entries:
            with st.expander(
                f"**{as_text(entry.name)}** · {as_text(entry.kind)}",
                expanded=is_opened,
                key=f"{entry.kind} {entry.name} {is_opened}",
            ):
                details = [f"- {line}" for line in entry.details]
                st.markdown("\n".join([f"{as_text(entry.comment)}.", "", *details]))


def relation_lines(
    relation: Relation, columns: Sequence[RelationColumn], words: list[str]
) -> list[str] | None:
    """Markdown for each column that has the words, for all where the relation itself has; None for none."""
    own = [column for column in columns if column.name == relation.name]
    if not matches(words, relation.name, relation.comment):
        own = [column for column in own if matches(words, column.name, column.column_name, column.comment)]
        if not own:
            return None
    return [f"{as_code(c.column_name)} {as_text(c.data_type)}: {as_text(c.comment)}" for c in own]


def matches(words: list[str], *texts: str | None) -> bool:
    """Whether each word is in one of the texts, in any case."""
    text = " ".join(text for text in texts if isinstance(text, str)).lower()
    return all(word.lower() in text for word in words)
