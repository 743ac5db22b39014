"""Hands out reading to processes with limits, and collects what they report."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

from nasrank.db.errors import NasrankError
from nasrank.db.processes import limited_environment, module_command

# Above what the process has when it begins.
MEMORY: Final = 512 * 2**20
# Of the processor; the authors' largest take less than one.
SECONDS_A_FILE: Final = 60


def read_in_processes(
    tasks: Sequence[Mapping[str, Any]],
    processes: int,
    on_done: Callable[[int, Mapping[str, Any]], None],
    on_progress: Callable[[int], None],
) -> None:
    """Work on all tasks of `reader_process`, in so many processes.

    `on_done` is told a task's number and its result, `on_progress` how many files are read, of tasks that are
    not finished, too. Either may raise, which ends the processes.

    Raises NasrankError with the first problem of a task, or the file at which a process ended.
    """
    waiting = list(enumerate(tasks))
    waiting.reverse()
    files_done = 0
    with _readers(min(processes, len(tasks))) as readers, selectors.DefaultSelector() as ready:
        for reader in readers:
            ready.register(reader.process.stdout, selectors.EVENT_READ, reader)  # type: ignore[arg-type]
            if waiting:
                reader.start(*waiting.pop())
        while any(reader.is_busy for reader in readers):
            for key, _ in ready.select():
                reader = key.data
                for message in reader.messages():
                    if "error" in message:
                        raise NasrankError(message["error"])
                    if "at" in message:
                        reader.at, reader.done = message["at"], message["done"]
                        continue
                    number = reader.finish()
                    on_done(number, message["finished"])
                    files_done += len(tasks[number].get("files", ()))
                    if waiting:
                        reader.start(*waiting.pop())
            on_progress(files_done + sum(reader.done for reader in readers if reader.is_busy))


class _Reader:
    """A process, the task it is at, and how far."""

    def __init__(self) -> None:
        # In a session of its own: Ctrl-C in a terminal ends the parent only, which ends it.
        self.process = subprocess.Popen(
            module_command("nasrank.db.benchmarks.official.reader_process"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=limited_environment(),
            start_new_session=True,
        )
        self.at = ""
        self.done = 0
        self._task: int | None = None
        self._rest = b""

    @property
    def is_busy(self) -> bool:
        return self._task is not None

    def start(self, number: int, task: Mapping[str, Any]) -> None:
        assert self.process.stdin is not None
        self._task, self.at, self.done = number, str(task["what"]), 0
        with suppress(BrokenPipeError):  # that it ended is seen when its reports are read
            self.process.stdin.write(
                (json.dumps({"memory": MEMORY, "seconds_a_file": SECONDS_A_FILE, **task}) + "\n").encode()
            )
            self.process.stdin.flush()

    def finish(self) -> int:
        assert self._task is not None
        number, self._task, self.done = self._task, None, 0
        return number

    def messages(self) -> Iterator[dict[str, Any]]:
        assert self.process.stdout is not None
        content = os.read(self.process.stdout.fileno(), 2**16)
        if not content:
            code = self.process.wait()
            how = f"signal {-code}" if code < 0 else f"exit status {code}"
            raise NasrankError(
                f"the process that read {self.at} ended with {how}: the file takes more time or memory than "
                "any of the benchmark's, or is made to do harm; nothing was imported"
            )
        *lines, self._rest = (self._rest + content).split(b"\n")
        for line in lines:
            yield json.loads(line)


@contextmanager
def _readers(count: int) -> Iterator[list[_Reader]]:
    readers: list[_Reader] = []
    try:
        for _ in range(count):
            readers.append(_Reader())
        yield readers
    finally:
        for reader in readers:
            reader.process.kill()
            reader.process.wait()
            for pipe in (reader.process.stdin, reader.process.stdout):
                assert pipe is not None
                with suppress(BrokenPipeError):
                    pipe.close()
