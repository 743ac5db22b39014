"""Memory and time of a server that many use for weeks: when Python looks for garbage, and what malloc keeps.

Streamlit would have Python look through all its objects after every run of a script, while every other
script waits: with twenty idle tabs, whose parts refresh themselves, that alone takes most of a processor.

It runs every script in a thread of its own, and glibc's malloc gives threads arenas, eight for each
processor. An answer that one thread reads and the cache keeps holds an arena open: in time, more of the
server's memory is free inside of arenas than used. Other C libraries have neither arenas nor these functions.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
from collections.abc import Callable
from typing import Final

# Seconds between two times; each takes some tenths of a second.
TIDY_EVERY: Final = 30.0
# malloc.h: the parameter that limits how many arenas there are.
_M_ARENA_MAX: Final = -8
# Python lets one thread work at a time, so that few allocate at once.
_ARENAS: Final = 2


def limit_arenas() -> None:
    """Have malloc make few arenas from now on; call it before there are threads."""
    if (mallopt := _of_c_library("mallopt")) is not None:
        mallopt(_M_ARENA_MAX, _ARENAS)


async def tidy_again_and_again(every: float = TIDY_EVERY) -> None:
    """Delete garbage, and give the system what is free inside of arenas; until cancelled."""
    while True:
        await asyncio.sleep(every)
        await asyncio.to_thread(tidy)


def tidy() -> None:
    """Do so once."""
    gc.collect()
    if (malloc_trim := _of_c_library("malloc_trim")) is not None:
        malloc_trim(0)


def _of_c_library(name: str) -> Callable[..., int] | None:
    """A function that only some have."""
    function: Callable[..., int] | None = getattr(ctypes.CDLL(None), name, None)
    return function
