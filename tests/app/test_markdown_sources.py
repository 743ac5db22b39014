"""No text of others becomes Markdown: what Streamlit takes for it is followed to where it comes from."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import pytest
import streamlit as st

from tests.app.markdown_sources import Program
from tests.samples import ROOT

ESCAPES: Final = frozenset({"as_text", "as_code"})
# What escapes all that it is given, as its tests hold.
ESCAPED: Final = {("nasrank.app.widgets.table", "table"): "tests/app/widgets/test_table.py"}
# Whose Markdown is in what they are made of, which is looked at by itself.
PARTS: Final = frozenset({"navigation"})


@cache
def markdown_parameters(name: str) -> frozenset[str]:
    """The parameters of a function of Streamlit that are Markdown, by its documentation."""
    function = getattr(st, name, None) or getattr(st.column_config, name, None)
    documented = inspect.getdoc(function) or ""
    section = re.search(r"^Parameters\n-+\n(.*?)(?=^\w[\w ]*\n-+\n|\Z)", documented, re.DOTALL | re.MULTILINE)
    entries = re.split(r"^(?=\S)", section[1] if section else "", flags=re.MULTILINE)
    named = ((entry.partition("\n")[0].partition(":")[0], entry.partition("\n")[2]) for entry in entries)
    return frozenset(
        name.strip(" *") for names, told in named if "markdown" in told.lower() for name in names.split(",")
    )


def markdown_arguments(name: str, call: ast.expr) -> Iterator[ast.expr]:
    """What a call, if it may be one of Streamlit, gives as Markdown or HTML."""
    wanted = {"body"} if name == "html" else set(markdown_parameters(name))
    if not wanted or name in PARTS or not isinstance(call, ast.Call) or _is_of_another_library(call.func):
        return
    function: Any = getattr(st, name, None) or getattr(st.column_config, name, None)
    names = list(inspect.signature(function).parameters)
    shown_by = next((one.value for one in call.keywords if one.arg == "format_func"), None)
    if isinstance(shown_by, ast.Lambda) and isinstance(shown_by.body, ast.Call):
        shown_by = shown_by.body.func
    if isinstance(shown_by, ast.Name) and shown_by.id in ESCAPES:
        wanted -= {"options", "format_func"}
    for place, argument in enumerate(call.args):
        if names[min(place, len(names) - 1)] in wanted or isinstance(argument, ast.Starred):
            yield argument
    yield from (one.value for one in call.keywords if one.arg in wanted or one.arg is None)


def _is_of_another_library(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and ast.unparse(function.value) in ("pa", "pd", "alt")


def unescaped(program: Program) -> Iterator[str]:
    """A line for each argument in `app` that may be another's text, with where that comes from."""
    names = {module: name for name, module in program.modules.items()}
    for function, calls in list(program.calls.items()):
        for call in calls:
            module = names[call.scope[0]]
            if not module.startswith("nasrank.app") or (module, function) in ESCAPED:
                continue
            # Nothing makes HTML of a text.
            escapes = frozenset[str]() if function == "html" else ESCAPES
            for argument in markdown_arguments(function, call.node):
                sources = list(program.unescaped(call.beside(argument), escapes))[:3]
                if sources:
                    told = (f"{ast.unparse(one.node)} ({names[one.scope[0]]})" for one in sources)
                    yield f"{module}:{call.node.lineno} {function}: {', '.join(told)}"


def test_no_text_of_others_is_markdown() -> None:
    modules = {
        "nasrank." + ".".join(path.relative_to(ROOT).with_suffix("").parts): ast.parse(
            path.read_text("utf-8")
        )
        for room in ("app", "report", "db")
        for path in sorted((ROOT / room).rglob("*.py"))
    }
    assert list(unescaped(Program(modules))) == []


def test_what_streamlit_takes_for_markdown() -> None:
    """As its documentation says; where that cannot be read any more, nothing would be looked at."""
    assert markdown_parameters("header") == {"body", "help"}
    assert markdown_parameters("error") >= {"body", "title"}
    assert markdown_parameters("radio") == {"label", "options", "help"}
    assert markdown_parameters("metric") >= {"label", "value", "delta", "help"}
    assert markdown_parameters("table") == {"data"}
    assert markdown_parameters("NumberColumn") == {"help"}
    assert markdown_parameters("write") >= {"args"}
    for name in ("button", "download_button", "selectbox", "multiselect", "number_input", "text_input"):
        assert markdown_parameters(name) == {"label", "help"} or name == "text_input"
    for name in (
        "markdown",
        "caption",
        "info",
        "warning",
        "expander",
        "progress",
        "image",
        "title",
        "subheader",
    ):
        assert markdown_parameters(name)


def test_html_of_a_page_is_its_own() -> None:
    """Nothing switches on what Streamlit would run or lay out as HTML."""
    for path in sorted((ROOT / "app").rglob("*.py")):
        assert "unsafe_allow" not in path.read_text("utf-8"), path


def program(text: str) -> Program:
    return Program(
        {"nasrank.app.page": ast.parse(textwrap.dedent(text)), "nasrank.report.words": ast.parse(WORDS)}
    )


WORDS: Final = """
TITLES = {"a": "A", "b": "B"}
def listed(names):
    return ", ".join(map(str, names)) or "none"
def named(row):
    return row.name
"""
BEGINNING: Final = """
import streamlit as st
from nasrank.app.widgets.text import as_code, as_text
from nasrank.report import words
from nasrank.report.words import TITLES, listed, named
"""


@pytest.mark.parametrize(
    "text",
    [
        'st.header("Runs")',
        'st.markdown(f"{as_text(row.name)}: {len(rows)}, {row.loss:.2f}, {row.n:d}, {row.at:%H:%M} UTC")',
        "for key, title in TITLES.items():\n    st.header(title)\nst.header(words.TITLES[row.kind])",
        "st.info(listed([as_code(row.name), 'b']) if rows else 'none' + ' at all')",
        "lines = []\nlines.append(as_text(row.name))\nst.warning(' '.join(lines))",
        "def show(label, help=None):\n    st.button(label, help=help)\nshow(as_text(row.name), help='b')",
        "st.radio('Sets', rows, format_func=as_text)\nst.selectbox('Sets', rows)\nst.code(row.name)",
        "st.pills('Sets', rows, format_func=lambda row: as_text(names[row]))",
        "st.html('<style></style>')",
        "class Note:\n    told: str\nfor note in [Note(as_text(row.name))]:\n    st.markdown(note.told)",
        "st.markdown(f'[{row.number:d}](page?{urlencode(row)})')",
        "show = st.warning if rows else st.caption\nshow('Few')",
    ],
)
def test_escaped_text_and_literals_pass(text: str) -> None:
    assert list(unescaped(program(BEGINNING + text))) == []


@pytest.mark.parametrize(
    "text",
    [
        "st.header(row.name)",
        "st.markdown(f'{row.name}')",
        "st.markdown(f'{row.name:>20}')",
        "st.markdown(f'{row.name!r}')",
        "st.markdown('%s' % row.name)",
        "st.markdown('{}'.format(row.name))",
        "st.markdown(as_text(row.name) + row.message)",
        "st.sidebar.caption(str(error))",
        "st.error('It failed', title=row.message)",
        "st.metric('Device', row.device)",
        "st.button('Run', help=row.message)",
        "st.column_config.NumberColumn('n', help=row.message)",
        "number = st.column_config.NumberColumn\nnumber('n', help=row.message)",
        "show = st.warning if rows else st.caption\nshow(row.message)",
        "st.radio('Sets', rows)",
        "st.radio('Sets', rows, format_func=str)",
        "st.pills('Sets', rows, format_func=lambda row: names[row])",
        "st.pills('Sets', rows, format_func=lambda row: str(row))",
        "st.table(rows)",
        "st.write('a', row.name)",
        "st.markdown(*rows)",
        "st.markdown(**row)",
        "st.html(as_text(row.name))",
        "st.info(listed(rows))",
        "st.info(listed([as_text(row.name)]) + listed(rows))",
        "st.info(named(row))",
        "st.info(words.named(row))",
        "for name in rows:\n    st.info(name)",
        "names = [row.name]\nst.info(names[0])",
        "lines = []\nlines.append(row.name)\nst.warning(' '.join(lines))",
        "lines = {}\nlines['a'] = row.name\nst.warning(' '.join(lines.values()))",
        "title = 'a'\ntitle += row.name\nst.title(title)",
        "def show(label):\n    st.button(label)\nshow('Run')\nshow(row.name)",
        "def show(label):\n    st.button(label)\nlist(map(show, rows))",
        "def show(*labels):\n    st.button(labels[0])\nshow(row.name)",
        "try:\n    pass\nexcept OSError as error:\n    st.error(error)",
        "with open('x') as file:\n    st.markdown(file.read())",
        "class Note:\n    told: str\nfor note in [Note(row.name)]:\n    st.markdown(note.told)",
        "class Note:\n    told: str = ''\nnote = Note()\nnote.told = row.name\nst.markdown(note.told)",
        "class Note:\n    @property\n    def told(self):\n        return row.name\nst.markdown(Note().told)",
        "st.markdown((lambda: row.name)())",
        "from streamlit import markdown\nmarkdown(row.name)",
    ],
)
def test_a_text_of_others_is_found(text: str) -> None:
    assert list(unescaped(program(BEGINNING + text)))
