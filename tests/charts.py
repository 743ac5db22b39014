"""For the rooms that make charts: a fixture that their conftest.py imports, and what Vega evaluates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import altair as alt
import pytest
import vl_convert
from altair.utils import schemapi

# The keys of Vega's specification whose texts it evaluates, and those that name what it fetches.
EVALUATED: Final = frozenset({"signal", "expr", "test", "update", "init", "filter", "url", "href"})
_LITERAL: Final = re.compile(r"""(["'])(?:(?!\1)[^\\]|\\.)*\1""")


@pytest.fixture(autouse=True, scope="session")
def charts_are_made_of_channels() -> Iterator[None]:
    """`alt.X("n:Q")`, not `x="n:Q"`: what is no channel makes Altair hash its whole schema, each time."""

    def refuse(*_: object) -> None:
        pytest.fail("encode() was given something other than channels, such as a string or alt.value()")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schemapi._FromDict, "__init__", refuse)
        yield


def evaluated(specification: dict[str, Any]) -> list[str]:
    """What Vega evaluates of a chart in Vega-Lite, without the texts that are quoted in it."""
    version = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
    compiled = vl_convert.vegalite_to_vega(specification, vl_version=version)
    return [_LITERAL.sub("''", text) for text in _evaluated(compiled)]


def _evaluated(part: Any) -> Iterator[str]:
    if isinstance(part, list):
        for one in part:
            yield from _evaluated(one)
    elif isinstance(part, dict):
        for name, value in part.items():
            if name in EVALUATED:
                texts = value if isinstance(value, list) else [value]
                yield from (text for text in texts if isinstance(text, str))
            if name != "values":
                yield from _evaluated(value)
