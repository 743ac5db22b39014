#!/usr/bin/env python3
"""Times the dashboard's pages as Streamlit runs them, on a warehouse with many runs.

A page is opened with nothing cached, then one of its filters is changed, to a value that was not asked for
before. What is timed is the whole script: queries, charts, and what is sent. The browser is not, nor is
reading the metadata of all installed packages: a server does so when it starts, AppTest for every page.
scripts/bench_warehouse.py --folder makes a warehouse with 1,000 runs.
"""

import functools
import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import streamlit as st
import typer
from benchmarking import spread
from streamlit.components.v2 import manifest_scanner
from streamlit.logger import set_log_level
from streamlit.testing.v1 import AppTest

MAIN = Path(__file__).resolve().parents[1] / "app" / "main.py"
# By page: the kind and name of a filter, and what it is changed to.
CHANGES: dict[str, tuple[str, str, Any]] = {
    "rankings": ("button_group", "mask", ["Zero"]),
    "scatter": ("selectbox", "colour", "C3x3"),
    "compare": ("radio", "metric", "spearman"),
    "search_space": ("text_input", "arch", "1462"),
    "datasets": ("radio", "set", "top-250"),
    "runs": ("button_group", "mask", ["Zero"]),
    "paper": ("radio", "bn_mode", "batch"),
}


def bench(
    warehouse: Annotated[Path, typer.Argument(help="The warehouse to show.")],
    repetitions: Annotated[int, typer.Option(help="Of each page.")] = 7,
    page: Annotated[list[str] | None, typer.Option(help="Only these; default: all.")] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Seconds, as median (least to greatest)."""
    set_log_level("ERROR")  # streamlit misses its server, which the pages do not
    os.environ["NASRANK_WAREHOUSE"] = str(warehouse)
    manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)
    manifest_scanner.scan_component_manifests()
    rows: dict[str, dict[str, dict[str, Any]]] = {}
    for name in page or CHANGES:
        opened, changed = [], []
        for _ in range(repetitions):
            st.cache_data.clear()
            test = AppTest.from_file(MAIN, default_timeout=120)
            test.switch_page(f"views/{name}/{name}.py")
            opened.append(seconds(test.run))
            fail_on_problem(test, name)
            kind, key, value = CHANGES[name]
            widget = getattr(test, kind)(key=key)
            widget.set_value(value)
            changed.append(seconds(test.run))
            fail_on_problem(test, name)
        rows[name] = {
            "opened": spread("seconds", opened) | {"n": len(opened)},
            f"{key} changed": spread("seconds", changed) | {"n": len(changed)},
        }
    if json_output:
        print(json.dumps({"machine": platform.processor() or platform.machine(), "pages": rows}))
        return
    for name, times in rows.items():
        for what, row in times.items():
            least, greatest = row["seconds_range"]
            print(f"{name:<14} {what:<18} {row['seconds']:.3f} s ({least:.3f} to {greatest:.3f})")


def seconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def fail_on_problem(test: AppTest, name: str) -> None:
    for problem in (*test.exception, *test.error):
        raise SystemExit(f"the page {name} failed: {problem.value}")


if __name__ == "__main__":
    typer.run(bench)
