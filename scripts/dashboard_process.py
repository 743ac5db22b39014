"""The dashboard as a process of its own: starting it, what it holds, and what it says to the terminal."""

import contextlib
import os
import re
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 120
# What no line of a dashboard that is well has; its own lines begin otherwise.
_PROBLEM = re.compile(r"traceback|\berror\b|exception|\bwarning\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Held:
    """What the server and its children hold; `rss` and `children_rss` in bytes, as Linux counts them."""

    rss: int
    children_rss: int
    children: int
    threads: int
    open_files: int
    temporary_files: int
    connected_sessions: int


@dataclass(frozen=True)
class DashboardProcess:
    """A running dashboard; `temporary` is the only folder for its temporary files."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path
    temporary: Path

    def held(self) -> Held:
        """What it holds now."""
        pid = self.process.pid
        status = _status(pid)
        children = [found for child in _descendants(pid) if (found := _status(child))]
        return Held(
            rss=1024 * status["VmRSS"],
            children_rss=1024 * sum(child["VmRSS"] for child in children),
            children=len(children),
            threads=status["Threads"],
            open_files=len(os.listdir(f"/proc/{pid}/fd")),
            temporary_files=self.temporary_files(),
            connected_sessions=int(self.metric("active_sessions")),
        )

    def metric(self, name: str) -> float:
        """A number that Streamlit itself tells, added up over its labels."""
        with urllib.request.urlopen(f"{self.url}/_stcore/metrics?families={name}", timeout=60) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))

    def temporary_files(self) -> int:
        """How many lie in its folder; those that it deletes when it ends, too."""
        return sum(path.is_file() for path in self.temporary.rglob("*"))

    def problems(self) -> list[str]:
        """Lines of its log that tell of something unexpected."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return [line for line in lines if _PROBLEM.search(line)]


@contextlib.contextmanager
def served(command: Sequence[str | Path], folder: Path) -> Iterator[DashboardProcess]:
    """What a command serves at the port that it gets, until the block ends; its files go to `folder`."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    temporary, log = folder / "temporary", folder / "dashboard.log"
    temporary.mkdir()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, f"--port={port}"],
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={**os.environ, "TMPDIR": str(temporary)},
        )
    try:
        server = DashboardProcess(process, f"http://localhost:{port}", log, temporary)
        _wait(server)
        yield server
    finally:
        process.terminate()
        process.wait(timeout=60)


def _wait(server: DashboardProcess) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=5)
            return
        except OSError:
            if server.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"the dashboard did not start: {server.log.read_text()[-1000:]}") from None
            time.sleep(0.2)


def _status(pid: int) -> dict[str, int]:
    """The numbers of /proc/PID/status, sizes in KiB; empty for a process that has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    numbers = {name: value.split() for name, _, value in (line.partition(":") for line in lines)}
    found = {name: int(value[0]) for name, value in numbers.items() if value and value[0].isdigit()}
    return found if "VmRSS" in found else {}


def _descendants(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(child) for child in task.read_text().split()]
    return found + [other for child in found for other in _descendants(child)]
