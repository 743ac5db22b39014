#!/usr/bin/env python3
"""Writes docs/commands.md, and the reference below the marker in docs/sql.md, from the program itself.

With --check it writes nothing and only says whether they are current.

usage: .venv/bin/python scripts/docs.py [--check]
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from nasrank.db.warehouse.catalogue import COLUMNS, MACROS, RELATIONS
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.seed import seed_warehouse

ROOT = Path(__file__).resolve().parents[1]
MARKER = "<!-- What follows is written by scripts/docs.py from the comments in the warehouse. -->"
NASRANK = Path(sys.executable).with_name("nasrank-train")


def main() -> int:
    pages = {"commands.md": commands_page(), "sql.md": sql_page()}
    stale = [name for name, text in pages.items() if not is_current(ROOT / "docs" / name, text)]
    if "--check" in sys.argv[1:]:
        for name in stale:
            print(f"docs/{name} is not what scripts/docs.py writes", file=sys.stderr)
        return 1 if stale else 0
    for name in stale:
        (ROOT / "docs" / name).write_text(pages[name], encoding="utf-8")
        print(f"wrote docs/{name}")
    return 0


def is_current(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


def commands_page() -> str:
    overview = help_text()
    sections = [section for name in commands_in(overview) for section in command_sections(name)]
    intro = """# Commands

Written by `scripts/docs.py` from the program's own help. Paths come from an option or from
`NASRANK_WAREHOUSE` (default `nasrank.duckdb`), `NASRANK_RUNS` (`runs`) and `NASRANK_DATA` (`data`).
A command exits with 0 when it succeeds, 1 for a failure that it explains in one line, 2 for bad
usage, and 130 when it was interrupted; `--debug` before the command shows a failure's traceback."""
    return "\n\n".join([intro, f"```\n{overview}\n```", *sections]) + "\n"


def command_sections(*command: str) -> list[str]:
    """A section for a command, and one for each of its own commands."""
    text = help_text(*command)
    section = f"## nasrank-train {' '.join(command)}\n\n```\n{text}\n```"
    return [section, *(part for name in commands_in(text) for part in command_sections(*command, name))]


def commands_in(text: str) -> list[str]:
    return [line.split()[0] for line in text.partition("Commands:\n")[2].splitlines() if line]


def help_text(*command: str) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("NASRANK_")}
    clean |= {"COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1"}
    shown = subprocess.run(
        [NASRANK, *command, "--help"], env=clean, capture_output=True, text=True, check=True
    )
    return "\n".join(line.rstrip() for line in shown.stdout.strip().splitlines())


def sql_page() -> str:
    with tempfile.TemporaryDirectory() as folder:
        warehouse = Warehouse(Path(folder) / "nasrank.duckdb")
        warehouse.create(seed_warehouse)
        relations, columns, macros = (warehouse.query(sql) for sql in (RELATIONS, COLUMNS, MACROS))
    page = (ROOT / "docs" / "sql.md").read_text(encoding="utf-8")
    parts = [page.partition(MARKER)[0] + MARKER]
    for kind, title in (("view", "Views"), ("table", "Tables")):
        parts.append(f"## {title}")
        for relation in relations[relations.kind == kind].itertuples():
            rows = columns[columns.name == relation.name].itertuples()
            lines = [f"| {row.column_name} | {row.data_type} | {escaped(row.comment)} |" for row in rows]
            table = "\n".join(["| column | type | meaning |", "| --- | --- | --- |", *lines])
            parts.append(f"### {relation.name}\n\n{relation.comment}.\n\n{table}")
    parts.append(
        "## Macros\n\nA relation is given by its name in quotes: a table, a view or a CTE of the query."
    )
    lines = [
        f"| {macro.name}({', '.join(macro.parameters)}) | {'rows' if macro.is_table else 'a value'} | "
        f"{escaped(macro.comment)} |"
        for macro in macros.itertuples()
    ]
    parts.append("\n".join(["| macro | gives | meaning |", "| --- | --- | --- |", *lines]))
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
