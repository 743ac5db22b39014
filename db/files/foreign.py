"""Reading files of others in a process with limits: whatever they do ends in one line, here or there.

A room says in a module of its own what is read: that module calls `answer_tasks` when it is run, and whoever
needs the answers opens a `ForeignReader` of it. One process answers any number of tasks, one after the other.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import pyarrow as pa

from nasrank.db.errors import NasrankError, in_a_line
from nasrank.db.memory import available_memory
from nasrank.db.processes import limit_memory, limit_seconds, limited_environment, module_command

# Of any file, however small: memory above what the process has when it begins, seconds of the processor.
MEMORY: Final = 2**30
SECONDS: Final = 20
# For each byte of a file; Python's objects take up to 6.5 times what a pickle of them does.
MEMORY_A_BYTE: Final = 10
BYTES_A_SECOND: Final = 10**6  # of text that is parsed

# (what, done, total)
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class Answer:
    """What was read: `told` as JSON has it, and tables."""

    told: Mapping[str, Any]
    tables: Sequence[pa.Table] = ()


class ForeignReader:
    """A process that runs a module, as a context: it starts with a task, and ends with the block."""

    def __init__(self, module: str, bytes_a_second: int = BYTES_A_SECOND) -> None:
        self._module, self._bytes_a_second = module, bytes_a_second
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> int:
        """End the process, and return its exit status; another task starts another one."""
        process, self._process = self._process, None
        if process is None:
            return 0
        if process.poll() is None:
            process.kill()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()
        return process.wait()

    def read(
        self, path: Path, size: int, options: Mapping[str, Any], progress: Progress = lambda *_: None
    ) -> Answer:
        """What the module makes of a file or folder, of which at most `size` bytes are read.

        `progress` may raise, which ends the process with the block.

        Raises:
            NasrankError: the module refuses it, cannot read it, or its process ended. One line says why.
        """
        memory = MEMORY + MEMORY_A_BYTE * size
        task = {
            "path": str(path),
            "memory": min(memory, (available_memory() or 2 * memory) // 2),
            "seconds": SECONDS + size // self._bytes_a_second,
            **options,
        }
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(BrokenPipeError):  # that it ended is seen when its answer is read
            process.stdin.write(json.dumps(task).encode() + b"\n")
            process.stdin.flush()
        while line := process.stdout.readline():
            message = json.loads(line)
            if "error" in message:
                raise NasrankError(message["error"])
            if "progress" in message:
                progress(*message["progress"])
                continue
            contents = [process.stdout.read(count) for count in message["sizes"]]
            return Answer(message["told"], [pa.ipc.open_stream(content).read_all() for content in contents])
        process.wait()
        code = self.end()
        how = f"signal {-code}" if code < 0 else f"exit status {code}"
        raise NasrankError(
            in_a_line(
                f"the process that read {str(path)!r} ended with {how}: the file takes more than "
                f"{task['memory'] // 2**20:,} MiB of memory or {task['seconds']:,} seconds, or is made to do "
                "harm"
            )
        )

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            # In a session of its own: Ctrl-C in a terminal ends the parent only, which ends it.
            self._process = subprocess.Popen(
                module_command(self._module),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=limited_environment(),
                start_new_session=True,
            )
        return self._process


def size_of(path: Path, limit: int) -> int:
    """How many bytes of a file, or of a folder's files, are read at most; by their status alone."""
    try:
        if not os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises for some names
            return min(path.stat().st_size, limit)
        with os.scandir(path) as entries:
            return min(sum(entry.stat().st_size for entry in entries), limit)
    except (OSError, ValueError):
        return 0  # what cannot be looked at is refused, which takes nothing


def answer_tasks(read: Callable[[Path, Mapping[str, Any], Progress], Answer]) -> None:
    """Answer the tasks on standard input with what `read` makes of each one's path and options."""
    channel = os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # nothing else may write into the answers, nor around the one line of an error
        os.dup2(null, stream)
    pa.set_cpu_count(1)

    def send(message: Mapping[str, Any], contents: Sequence[pa.Buffer] = ()) -> None:
        channel.write(json.dumps(message).encode() + b"\n")
        for content in contents:
            channel.write(content)
        channel.flush()

    for line in sys.stdin.buffer:
        task = json.loads(line)
        limit_memory(task["memory"])
        limit_seconds(task["seconds"])
        try:
            answer = read(Path(task["path"]), task, lambda *at: send({"progress": at}))
            contents = [_stream(table) for table in answer.tables]
        except NasrankError as error:
            send({"error": in_a_line(error)})
        except MemoryError:
            most = f"{task['memory'] // 2**20:,} MiB of memory"
            send({"error": in_a_line(f"{task['path']!r} takes more than the {most} that it may")})
        except Exception as error:  # of which a hostile file can cause any
            problem = in_a_line(f"{type(error).__name__}: {error}", 300)
            send({"error": in_a_line(f"{task['path']!r} is not readable: {problem}")})
        else:
            send({"told": dict(answer.told), "sizes": [content.size for content in contents]}, contents)


def _stream(table: pa.Table) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()
