"""Writing a report: the figures as SVG, PNG, HTML and CSV, and one page that holds them against the paper."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from nasrank.db.errors import NasrankError
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.reading import Reader
from nasrank.report import queries
from nasrank.report.charts.images import as_html, as_png, as_svg
from nasrank.report.figures import Figure, NotDrawn, ReportKey, draw_figures
from nasrank.report.findings import NOT_ASKED, RULE, SCALE, WHAT_DECIDES, read_findings, summarize
from nasrank.report.questions import answer_questions
from nasrank.report.templates import template

# Tells a folder that a report may replace.
_MARK: Final = "report.json"
_ENDINGS: Final = {"svg": "SVG", "png": "PNG", "html": "interactive", "csv": "numbers"}

Progress = Callable[[str, int, int], None]


def write_report(
    warehouse: Warehouse, key: ReportKey, out: Path, show: Progress = lambda what, done, total: None
) -> dict[str, Any]:
    """Write `index.html`, `report.json` and the figures into the folder `out`, whole or not at all.

    Gives what `report.json` has. An earlier report there is replaced.

    Raises:
        NasrankError: `out` holds something else or cannot be written; no run has predictions of this
            `bn_mode`; the warehouse cannot be read.
    """
    _refuse_other_contents(out)
    part = out.with_name(out.name + ".part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        with warehouse.reading() as reading:
            report = _write(reading, warehouse.path.name, key, part, show)
        shutil.rmtree(out, ignore_errors=True)
        part.rename(out)
    except OSError as error:
        raise NasrankError(f"cannot write a report to {out}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return report


def _refuse_other_contents(out: Path) -> None:
    if out.exists() and not (out / _MARK).exists() and (not out.is_dir() or any(out.iterdir())):
        raise NasrankError(f"{out} exists and is no report; nothing was written: give another folder")


def _write(warehouse: Reader, name: str, key: ReportKey, folder: Path, show: Progress) -> dict[str, Any]:
    runs = queries.runs(warehouse)
    _refuse_unknown_bn_mode(warehouse, key)
    show("reading what the findings say", 0, 0)
    findings = read_findings(warehouse, key)
    figures: list[Figure] = []
    not_drawn: list[NotDrawn] = []
    for figure in draw_figures(warehouse, key):
        if isinstance(figure, NotDrawn):
            not_drawn.append(figure)
            continue
        show(f"drawing figure {figure.number}", len(figures), 0)
        _save(figure, folder)
        figures.append(figure)
    show("answering what the paper leaves open", len(figures), 0)
    questions = list(answer_questions(warehouse, key))
    for question in questions:
        question.data.to_csv(folder / f"{question.name}.csv", index=False, lineterminator="\n")
    about = {
        "version": importlib.metadata.version("nasrank"),
        "written_at": f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC",
        "warehouse": name,
        "runs": int(runs["runs"].sum()),
        "experiments": int(runs["experiment_id"].nunique()),
        "is_train": "/train@" in key.gt_key,
    }
    scales, verdicts = summarize(findings)
    page = template("page.html.j2").render(
        about=about,
        key=key,
        endings=_ENDINGS,
        figures=figures,
        findings=findings,
        findings_rule=(WHAT_DECIDES, RULE, SCALE),
        not_drawn=not_drawn,
        not_asked=NOT_ASKED,
        questions=questions,
        origins=runs.groupby("dataset_origin")["runs"].sum().to_dict(),
        sources=queries.sources(warehouse).to_dict("records"),
        scales=scales,
        verdicts=verdicts,
    )
    (folder / "index.html").write_text(page, encoding="utf-8")
    report = {
        **about,
        **asdict(key),
        "findings": [asdict(finding) for finding in findings],
        "figures": [{"number": f.number, "name": f.name, "title": f.title} for f in figures],
        "not_drawn": [asdict(figure) for figure in not_drawn],
        "questions": [
            {
                "name": question.name,
                "title": question.title,
                "caption": question.caption,
                "rows": question.shown.to_dict("records"),
            }
            for question in questions
        ],
    }
    text = json.dumps(report, ensure_ascii=False, indent=2)
    (folder / _MARK).write_text(text + "\n", encoding="utf-8")
    return report


def _refuse_unknown_bn_mode(warehouse: Reader, key: ReportKey) -> None:
    known = list(queries.bn_modes(warehouse)["bn_mode"])
    if known and key.bn_mode not in known:
        raise NasrankError(
            f"no run has predictions with BatchNorm {key.bn_mode!r}; choose one of {', '.join(known)}"
        )


def _save(figure: Figure, folder: Path) -> None:
    (folder / f"{figure.name}.svg").write_text(as_svg(figure.chart), encoding="utf-8")
    (folder / f"{figure.name}.png").write_bytes(as_png(figure.chart))
    (folder / f"{figure.name}.html").write_text(as_html(figure.chart, figure.title), encoding="utf-8")
    figure.data.to_csv(folder / f"{figure.name}.csv", index=False, lineterminator="\n")
