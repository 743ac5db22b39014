"""What every test of hostile files asks: each file is read, or refused in one line that names it, in time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from nasrank.db.errors import MOST_CHARACTERS, NasrankError
from tests.hostile_files import SLOW

# Of a machine that does other things, too; a file that is waited for or never done takes longer.
SECONDS = 90

# Each file takes a tenth of a second or more: few in every run; `--hypothesis-profile thorough` makes forty
# times as many.
fuzzed = settings(
    max_examples=max(settings.default.max_examples // 5, 1),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def cases(contents: Mapping[str, Callable[[], bytes]], *before: object) -> list[Any]:
    """The parameters of a test: after `before` what makes a file's content, with its name."""
    return [
        pytest.param(*before, make, id=", ".join([*map(str, before), name]), marks=_marks(name))
        for name, make in contents.items()
    ]


def _marks(name: str) -> list[pytest.MarkDecorator]:
    return [pytest.mark.slow] if name in SLOW else []


def refused_or_read(read: Callable[[Path], object], path: Path) -> str | None:
    """The line with which a file is refused; None where it is read."""
    start = time.monotonic()
    try:
        read(path)
    except NasrankError as error:
        line = str(error)
        assert len(line.splitlines()) == 1
        assert len(line) < MOST_CHARACTERS + 300
        line.encode()
        assert repr(path.name)[1:-1][:50] in line, "it names the file"
        return line
    finally:
        assert time.monotonic() - start < SECONDS
    return None


@st.composite
def damaged(draw: st.DrawFn, contents: list[bytes]) -> bytes:
    """One of these files, some bytes of which are overwritten, left out, repeated or cut off."""
    content = bytearray(draw(st.sampled_from(contents)))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, max(len(content) - 1, 0)))
        length = draw(st.sampled_from([1, 2, 4, 8, 64]))
        match draw(st.sampled_from(["overwrite", "leave out", "repeat", "cut off"])):
            case "overwrite":
                content[start : start + length] = draw(st.binary(min_size=length, max_size=length))
            case "leave out":
                del content[start : start + length]
            case "repeat":
                content[start:start] = content[start : start + length]
            case "cut off":
                del content[start:]
    return bytes(content)


_numbers = st.integers() | st.floats() | st.sampled_from([10**400, -(10**400), 10**4000, 2**63, -1, 1e308])
_texts = st.text() | st.sampled_from(["a\nb", "\0", "\ud800", "x" * 10_000, "٣٠١٠٠٤"])
# What stands where a number or a text is expected.
odd_values = st.recursive(
    st.none() | st.booleans() | _numbers | _texts | st.binary(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)
