from __future__ import annotations

import html
import re

import pytest
from markdown_it import MarkdownIt

from nasrank.app.widgets.filters import url_problems
from nasrank.db.errors import printable

MASKS = ["none", "Zero", "Zero+Pool"]


def test_allowed_values_are_no_problem() -> None:
    assert url_problems("mask", [], MASKS, "all") == []
    assert url_problems("mask", ["Zero", "none"], MASKS, "all") == []
    assert url_problems("mask", [""], MASKS, "all") == []


def test_a_wrong_value_is_told_with_what_is_allowed_and_what_is_shown_instead() -> None:
    assert url_problems("mask", ["Foo"], MASKS, "all") == [
        "The address has `mask=Foo`; there are none, Zero, Zero+Pool. Shown: all."
    ]
    assert url_problems("variant", ["warmup"], ["baseline"], "all") == [
        "The address has `variant=warmup`; there is baseline. Shown: all."
    ]


def test_right_values_beside_wrong_ones_are_kept() -> None:
    problems = url_problems("mask", ["zero", "Zero", "Foo"], MASKS, "all")
    assert len(problems) == 2
    assert all(problem.endswith("Shown: Zero.") for problem in problems)


@pytest.mark.parametrize("value", ["`**bold**` <img src=x>", "a\nb\r\n# heading", "x" * 10_000, "\x00\u202e"])
def test_what_is_told_of_a_value_stays_one_line_of_code(value: str) -> None:
    (problem,) = url_problems("mask", [value], MASKS, "all")
    assert problem.isprintable()
    [code] = re.findall("<code>(.*?)</code>", MarkdownIt("commonmark").renderInline(problem))
    assert html.unescape(code).startswith(printable(f"mask={value}")[:60])
    assert len(problem) < 200
