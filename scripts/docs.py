#!/usr/bin/env python3
"""Writes what follows from the program itself.

docs/commands.md, docs/options.md, the references in docs/sql.md and docs/run-folder.md, and the view
training_option.

With --check it writes nothing and only says whether they are current.

usage: .venv/bin/python scripts/docs.py [--check]
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from training_options import written

from nasrank.db.runs.experiment import Configuration, RunConfig
from nasrank.db.runs.folder import Request
from nasrank.db.runs.format import EpochRow, PredictionRow
from nasrank.db.runs.holders import ClaimContent, Holder
from nasrank.db.runs.schema import FORMAT, columns_of
from nasrank.db.runs.status import RunStatus
from nasrank.db.warehouse.catalogue import COLUMNS, MACROS, RELATIONS
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.seed import seed_warehouse

ROOT = Path(__file__).resolve().parents[1]
MARKER = "<!-- What follows is written by scripts/docs.py from the comments in the warehouse. -->"
# A comment that asks for a table, and the table after it.
FIELDS = re.compile(r"(<!-- fields: (\w+) -->)\n(?:\n\|[^\n]*(?:\n\|[^\n]*)*\n)?")
WITH_FORMAT = (RunConfig, RunStatus, Request)
ROWS = {
    row.__name__: row for row in (*WITH_FORMAT, Configuration, EpochRow, PredictionRow, ClaimContent, Holder)
}
NASRANK = Path(sys.executable).with_name("nasrank-train")


def main() -> int:
    docs = ROOT / "docs"
    texts = {
        docs / "commands.md": commands_page(),
        docs / "sql.md": sql_page(),
        docs / "run-folder.md": run_folder_page(),
        **written(),
    }
    stale = [
        path for path, text in texts.items() if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is not what scripts/docs.py writes", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.write_text(texts[path], encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


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
        for relation in relations[relations["kind"] == kind].to_dict("records"):
            rows = columns[columns["name"] == relation["name"]].to_dict("records")
            lines = [
                f"| {row['column_name']} | {row['data_type']} | {escaped(row['comment'])} |" for row in rows
            ]
            table = "\n".join(["| column | type | meaning |", "| --- | --- | --- |", *lines])
            parts.append(f"### {relation['name']}\n\n{relation['comment']}.\n\n{table}")
    parts.append(
        "## Macros\n\nA relation is given by its name in quotes: a table, a view or a CTE of the query."
    )
    lines = [
        f"| {macro['name']}({', '.join(macro['parameters'])}) | "
        f"{'rows' if macro['is_table'] else 'a value'} | {escaped(macro['comment'])} |"
        for macro in macros.to_dict("records")
    ]
    parts.append("\n".join(["| macro | gives | meaning |", "| --- | --- | --- |", *lines]))
    return "\n\n".join(parts) + "\n"


def run_folder_page() -> str:
    """With the table of fields that each comment `fields: <class>` asks for."""
    page = (ROOT / "docs" / "run-folder.md").read_text(encoding="utf-8")
    return FIELDS.sub(lambda match: f"{match[1]}\n\n{fields_table(ROWS[match[2]])}\n", page)


def fields_table(row: type) -> str:
    """Each field: its type and range, whether it may be null, its unit, and what it means."""
    lines = [
        f"| {column.name} | {escaped(column.allowed)}{'; may be left out' * column.field.optional} | "
        f"{column.field.unit} | {escaped(column.field.meaning)} |"
        for column in columns_of(row)
    ]
    format_line = [f"| format | {FORMAT} | | version of this description |"] * (row in WITH_FORMAT)
    head = ["| field | must be | unit | meaning |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *format_line, *lines])


def escaped(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
