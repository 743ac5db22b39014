"""A query of anyone, in a process of its own: what it takes or breaks there ends that process, nothing else.

DuckDB's own limits are not enough for that. Its memory limit does not count the values of strings and lists
(`SELECT len(range(500000000))` took 20 GB under a limit of 256 MB), its interrupt waits for one operator's
step (that one's took 78 s), and some statements abort the process. So the operating system limits as well,
and whoever waits may kill. The file is only read: nothing can be lost.
"""

from __future__ import annotations

import json
import os
import resource
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from nasrank.db.errors import NasrankError
from nasrank.db.processes import limited_environment, module_command
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.hints import hints_of_no_rows
from nasrank.db.warehouse.reading import Answer, Limits, QueryError, out_of_memory, out_of_time

# Any query ends within these: what a page or a shared machine can bear.
CONSOLE_LIMITS: Final = Limits(
    seconds=30, memory="1 GB", process_bytes=10**9, threads=2, rows=10_000, result_bytes=16 * 2**20
)
# Of address space above what the process has when it begins, much of which is never used.
ADDRESS_SPACE: Final = 3 * 2**30
# Seconds between two looks at the memory of the process.
_LOOK: Final = 0.02
_TOO_LARGE: Final = 77  # its exit status then
# Seconds that DuckDB has to heed its interrupt before the system ends the process.
GRACE: Final = 1.0
# Seconds between two calls of `on_wait`.
WAIT: Final = 0.1


def ask(
    warehouse: Warehouse,
    sql: str,
    limits: Limits = CONSOLE_LIMITS,
    on_wait: Callable[[], None] = lambda: None,
) -> Answer:
    """The first rows of one read-only statement.

    `on_wait` is called ten times a second meanwhile. What it raises ends the query at once, and so does
    Ctrl-C.

    Raises:
        QueryError: the statement is wrong, writes, or goes past a limit.
        NasrankError: there is no such warehouse.
    """
    process = subprocess.Popen(
        module_command("nasrank.db.console"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=limited_environment(),
        start_new_session=True,
    )
    task = {"path": str(warehouse.path), "sql": sql, "limits": asdict(limits)}
    try:
        output = _exchange(process, json.dumps(task).encode(), on_wait)
    finally:
        process.kill()
        process.wait()
    if not output.endswith(_END):
        if process.returncode == -signal.SIGALRM:
            raise QueryError(out_of_time(limits))
        if process.returncode == _TOO_LARGE:
            raise QueryError(out_of_memory(limits))
        raise QueryError(
            f"the query ended its process with {_how(process.returncode)}: DuckDB cannot run it, or "
            f"{out_of_memory(limits)}"
        )
    header, _, table = output.removesuffix(_END).partition(b"\n")
    told = json.loads(header)
    if "error" in told:
        raise (
            QueryError(told["error"], told["excerpt"]) if "excerpt" in told else NasrankError(told["error"])
        )
    with pa.ipc.open_stream(table) as reader:
        return Answer(reader.read_all(), told["is_cut"], tuple(told["hints"]))


# At the end of what a process has to say; without it, the process was ended before.
_END: Final = b"\nend\n"


def _exchange(process: subprocess.Popen[bytes], task: bytes, on_wait: Callable[[], None]) -> bytes:
    """Hand over the task, and collect what the process writes until it ends."""
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdin, process.stdout, selectors.DefaultSelector() as ready:
        ready.register(process.stdout, selectors.EVENT_READ)
        with suppress(BrokenPipeError):  # that it ended is seen when its answer is read
            process.stdin.write(task)
            process.stdin.close()
        output = bytearray()
        while True:
            on_wait()
            if ready.select(WAIT):
                content = os.read(process.stdout.fileno(), 2**20)
                if not content:
                    process.wait()
                    return bytes(output)
                output += content


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit status {code}"


def main() -> None:
    """Answer the task on standard input: a line of JSON, then the rows as an Arrow stream."""
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing else may write into the answer
    task = json.load(sys.stdin)
    limits = Limits(**task["limits"])
    table = b""
    told: dict[str, Any]
    try:
        _limit_process(limits)
        warehouse = Warehouse(Path(task["path"]))
        answer = warehouse.first_rows(task["sql"], limits)
        hints = () if answer.rows.num_rows else hints_of_no_rows(warehouse, task["sql"])
        told = {"is_cut": answer.is_cut, "hints": hints}
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, answer.rows.schema) as writer:
            writer.write_table(answer.rows)
        table = sink.getvalue().to_pybytes()
    except QueryError as error:
        told = {"error": str(error), "excerpt": error.excerpt}
    except NasrankError as error:
        told = {"error": str(error)}
    except MemoryError:
        told, table = {"error": out_of_memory(limits), "excerpt": ""}, b""
    channel.write(json.dumps(told).encode() + b"\n" + table + _END)
    channel.flush()
    os._exit(0)  # what DuckDB would still tidy up could take longer than the query


def _limit_process(limits: Limits) -> None:
    """The system's own limits: time, memory (macOS knows none), and no byte to any file."""
    if limits.seconds is not None:
        signal.setitimer(signal.ITIMER_REAL, limits.seconds + GRACE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if limits.memory is not None and sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        allowed = pages * resource.getpagesize() + ADDRESS_SPACE
        resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed))
    if limits.process_bytes is not None and sys.platform == "linux":
        threading.Thread(target=_end_when_larger, args=(limits.process_bytes,), daemon=True).start()


def _end_when_larger(process_bytes: int) -> None:
    """End this process once it has so much more memory than now; DuckDB works without Python's lock."""
    most = _resident_pages() + process_bytes // resource.getpagesize()
    while _resident_pages() <= most:
        time.sleep(_LOOK)
    os._exit(_TOO_LARGE)


def _resident_pages() -> int:
    """Of this process, in memory."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])


if __name__ == "__main__":
    main()
