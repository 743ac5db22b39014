"""What the server gives back: garbage, and memory that malloc keeps; the latter in a process of its own."""

from __future__ import annotations

import asyncio
import gc
import platform
import subprocess
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest

from nasrank.app.memory import tidy_again_and_again

HAS_GLIBC: Final = platform.libc_ver()[0] == "glibc"
# 200 MB in blocks that malloc does not map one by one; a few that stay lie between all others.
SCATTERED: Final = """
from pathlib import Path
from nasrank.app.memory import tidy

def resident():
    return 4096 * int(Path("/proc/self/statm").read_text().split()[1])

before = resident()
blocks = [bytearray(50_000) for _ in range(4_000)]
some = blocks[::40]
del blocks
kept = resident() - before
tidy()
print(kept > 100e6, resident() - before < 50e6)
"""
# Threads that allocate at the same time.
ARENAS: Final = """
import ctypes, threading
from pathlib import Path
from nasrank.app.memory import limit_arenas

limit_arenas()
all_there = threading.Barrier(12)

def allocate():
    all_there.wait()
    block = bytearray(50_000)
    all_there.wait()

threads = [threading.Thread(target=allocate) for _ in range(12)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(libc.fopen(b"malloc.xml", b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
print(Path("malloc.xml").read_text().count("<heap nr="))
"""


class Node:
    """Something that refers to itself."""

    def __init__(self) -> None:
        self.itself = self


def test_garbage_is_deleted_again_and_again() -> None:
    """In a thread of its own: the browser tests leave an event loop running in this one."""

    async def delete_two() -> None:
        tidying = asyncio.create_task(tidy_again_and_again(every=0.01))
        for _ in range(2):
            garbage = weakref.ref(Node())
            async with asyncio.timeout(60):
                while garbage() is not None:
                    await asyncio.sleep(0.01)
        tidying.cancel()

    gc.disable()
    try:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, delete_two()).result()
    finally:
        gc.enable()


@pytest.mark.skipif(not HAS_GLIBC, reason="only glibc's malloc can be asked to give memory back")
def test_memory_that_is_free_is_given_back(tmp_path: Path) -> None:
    assert output_of(SCATTERED, tmp_path) == "True True"


@pytest.mark.skipif(not HAS_GLIBC, reason="only glibc's malloc has arenas")
def test_threads_share_few_arenas(tmp_path: Path) -> None:
    assert int(output_of(ARENAS, tmp_path)) <= 2


def output_of(program: str, folder: Path) -> str:
    argv = [sys.executable, "-c", program]
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()
