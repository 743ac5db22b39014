"""A fixture for the rooms that make charts, each of whose conftest.py imports it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from altair.utils import schemapi


@pytest.fixture(autouse=True, scope="session")
def charts_are_made_of_channels() -> Iterator[None]:
    """`alt.X("n:Q")`, not `x="n:Q"`: what is no channel makes Altair hash its whole schema, each time."""

    def refuse(*_: object) -> None:
        pytest.fail("encode() was given something other than channels, such as a string or alt.value()")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schemapi._FromDict, "__init__", refuse)
        yield
