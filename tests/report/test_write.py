from __future__ import annotations

import json
import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from nasrank.db.errors import NasrankError
from nasrank.db.warehouse.file import Warehouse
from nasrank.report import write
from nasrank.report.charts.theme import COLOURS, DIVERGING
from nasrank.report.figures import Figure, ReportKey
from nasrank.report.templates import template
from nasrank.report.write import write_report
from tests.samples import ROOT
from tests.study_data import KEY

REPORT_KEY = ReportKey(KEY, "running")


@pytest.fixture(scope="module")
def folder(studied: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report") / "of study"
    write_report(studied, REPORT_KEY, out)
    return out


def test_every_figure_in_every_form(folder: Path) -> None:
    report = json.loads((folder / "report.json").read_text())
    names = {figure["name"] for figure in report["figures"]}
    assert len(names) == len(report["figures"]) > 10
    forms = {f"{name}.{ending}" for name in names for ending in ("svg", "png", "html", "csv")}
    tables = {f"{question['name']}.csv" for question in report["questions"]}
    assert {path.name for path in folder.iterdir()} == forms | tables | {"index.html", "report.json"}
    for name in names:
        with Image.open(folder / f"{name}.png") as image:
            assert min(image.size) > 400
        assert "<svg" in (folder / f"{name}.svg").read_text()
        assert len(pd.read_csv(folder / f"{name}.csv")) > 7
    page = (folder / "index.html").read_text()
    assert set(re.findall(r'<img src="([^"]+)"', page)) == {f"{name}.svg" for name in names}
    assert set(re.findall(r'<a href="([^"#]+)"', page)) == forms | tables


def test_tables_are_on_the_page_as_in_their_files(folder: Path) -> None:
    report = json.loads((folder / "report.json").read_text())
    assert {question["name"].split("-")[0] for question in report["questions"]} == {
        "effects",
        "levels",
        "operations",
        "sampling",
        "untrained",
        "whole",
    }
    page = (folder / "index.html").read_text()
    page = page.replace('<span class="interval">', "").replace("</span></td>", "</td>")
    for question in report["questions"]:
        assert len(pd.read_csv(folder / f"{question['name']}.csv")) == len(question["rows"])
        for row in question["rows"]:
            assert "".join(f"<td>{value}</td>" for value in row.values()) in page


def test_nothing_comes_from_a_network(folder: Path) -> None:
    """No element loads anything from elsewhere; addresses occur as names of namespaces and schemas only."""
    for path in folder.glob("*.[hs][tv][mg]*"):
        text = path.read_text()
        assert not re.search(
            r"""<(script|link|img|iframe|image|use)[^>]*(src|href)=["']?(https?:)?//""", text
        )
        assert not re.search(r"@import|url\(['\"]?(https?:)?//", text)


def test_the_page_tells_verdicts_and_numbers(folder: Path, studied: Warehouse) -> None:
    page = (folder / "index.html").read_text()
    evidence = studied.query("SELECT verdict FROM finding_evidence WHERE gt_key = ?", [KEY])
    rows = re.findall(r'<span class="verdict [a-z-]+">([a-z ]+)</span></td><td>[^<]*</td></tr>\n', page)
    summary = re.search(r'<h2 id="findings">.*?</table>', page, flags=re.DOTALL)
    assert summary is not None
    assert len(re.findall("<tr><td>", summary[0])) == 6
    assert "by τa partly supported" in summary[0]
    assert sorted(rows) == sorted(evidence["verdict"])
    assert KEY in page
    assert "made for a test (41 runs)" in page


def test_a_train_key_is_warned_of(studied: Warehouse, folder: Path) -> None:
    assert "train accuracy" not in (folder / "index.html").read_text()
    about = {
        "is_train": True,
        **dict.fromkeys(("runs", "experiments", "version", "written_at", "warehouse"), 1),
    }
    rest: dict[str, Any] = {
        name: []
        for name in ("findings", "findings_rule", "figures", "not_drawn", "questions", "sources", "scales")
    }
    page = template("page.html.j2").render(
        about=about, key=REPORT_KEY, origins={}, verdicts={}, not_asked="", **rest
    )
    assert "This key is train accuracy" in page


def test_an_earlier_report_is_replaced_and_nothing_else(ground_truth_file: Path, tmp_path: Path) -> None:
    warehouse = Warehouse(ground_truth_file)
    out = tmp_path / "report"
    out.mkdir()
    (out / "thesis.tex").write_text("years of work")
    with pytest.raises(NasrankError, match="exists and is no report; nothing was written"):
        write_report(warehouse, REPORT_KEY, out)
    assert [path.name for path in out.iterdir()] == ["thesis.tex"]
    (out / "thesis.tex").unlink()
    (out / "report.json").write_text("{}")
    (out / "figure-99-old.svg").write_text("stale")
    report = write_report(warehouse, REPORT_KEY, out)
    assert not (out / "figure-99-old.svg").exists()
    assert {figure["number"] for figure in report["figures"]} == {"3", "10"}
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_a_failure_leaves_the_earlier_report(
    ground_truth_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "report"
    out.mkdir()
    (out / "report.json").write_text("earlier")

    def fail(warehouse: Any, key: ReportKey) -> Iterator[Figure]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(write, "draw_figures", fail)
    with pytest.raises(NasrankError, match="cannot write a report to .*: No space left on device"):
        write_report(Warehouse(ground_truth_file), REPORT_KEY, out)
    assert (out / "report.json").read_text() == "earlier"
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_unknown_bn_mode(studied: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(
        NasrankError, match="no run has predictions with BatchNorm 'batch'; choose one of running"
    ):
        write_report(studied, ReportKey(KEY, "batch"), tmp_path / "report")
    assert not list(tmp_path.iterdir())


def test_a_name_in_the_warehouse_is_no_markup(ground_truth_file: Path, tmp_path: Path) -> None:
    own = tmp_path / "<b>&.duckdb"
    shutil.copyfile(ground_truth_file, own)
    write_report(Warehouse(own), REPORT_KEY, tmp_path / "report")
    page = (tmp_path / "report" / "index.html").read_text()
    assert "&lt;b&gt;&amp;.duckdb" in page
    assert "<b>&.duckdb" not in page


def test_colours_are_those_of_the_dashboard() -> None:
    theme = tomllib.loads((ROOT / "app" / "theme.toml").read_text())
    assert tuple(theme["theme"]["light"]["chartCategoricalColors"]) == COLOURS
    assert tuple(theme["theme"]["light"]["chartDivergingColors"]) == DIVERGING
