"""The names of a run folder's files: spelled in one place, and read back as they are made."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasrank.db.runs import layout
from tests.samples import ROOT

NAMES = re.compile(
    "|".join(
        [
            *map(
                re.escape,
                (
                    layout.CONFIG,
                    layout.ARCHITECTURES,
                    layout.STATUS,
                    layout.EPOCHS,
                    layout.WORKER_LOG,
                    layout.JOBS,
                ),
            ),
            r"predictions-\S*(parquet|partial|jsonl)",
            r"checkpoint-",
            r"claim-",
        ]
    )
)


def texts(path: Path) -> Iterator[str]:
    """The texts of a file that are no docstrings; what an f-string inserts is `{}`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    statements = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(getattr(part, "value", "")) if isinstance(part, ast.Constant) else "{}"
                for part in node.values
            )
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in parts | statements
        ):
            yield node.value


def spelled(folder: Path) -> list[str]:
    """The texts below a folder that name a file; sentences for people may."""
    return [
        f"{path.relative_to(ROOT)}: {text}"
        for path in sorted(folder.rglob("*.py"))
        if path.parent != ROOT / "db/runs"
        for text in texts(path)
        if NAMES.search(text) and " " not in text.strip()
    ]


@pytest.mark.parametrize("folder", ["app", "report", "trainer", "db", "scripts"])
def test_nothing_else_spells_the_names(folder: str) -> None:
    assert spelled(ROOT / folder) == []


def test_a_name_that_is_spelled_elsewhere_is_found(tmp_path: Path) -> None:
    for line in (
        'path = folder / "status.json"',
        'path = folder / f"predictions-{epoch}-{bn_mode}.parquet"',
        'files = folder.glob("checkpoint-*.pt")',
    ):
        (tmp_path / "file.py").write_text(f'"""Reads status.json."""\n{line}\n')
        [found] = [text for text in texts(tmp_path / "file.py") if NAMES.search(text)]
        assert found in line.replace("{epoch}", "{}").replace("{bn_mode}", "{}")


@given(epoch=st.integers(0, 10**9), bn_mode=st.from_regex(r"[a-z]+", fullmatch=True))
def test_an_evaluation_is_read_from_the_names_it_makes(epoch: int, bn_mode: str) -> None:
    for make in (layout.predictions_path, layout.partial_path):
        assert layout.evaluation_of(make(Path("folder"), epoch, bn_mode)) == (epoch, bn_mode)


@pytest.mark.parametrize(
    "name", ["predictions-1.parquet", "predictions-1-running.parquet.tmp", "predictions-١-running.parquet"]
)
def test_another_name_is_no_evaluations(name: str) -> None:
    assert layout.evaluation_of(Path(name)) is None


def test_files_are_found_and_ordered(tmp_path: Path) -> None:
    for step in (9, 100, 20):
        layout.checkpoint_path(tmp_path, step).touch()
    for name in ("checkpoint-7.pt.1.tmp", "checkpoint-x.pt", "predictions-3-running.parquet.1.tmp"):
        (tmp_path / name).touch()
    layout.claim_path(tmp_path, 12).touch()
    layout.predictions_path(tmp_path, 3, "running").touch()
    layout.partial_path(tmp_path, 3, "batch").touch()
    assert layout.checkpoint_files(tmp_path) == [layout.checkpoint_path(tmp_path, n) for n in (100, 20, 9)]
    assert layout.claim_numbers(tmp_path) == [12]
    assert layout.claim_numbers(tmp_path / "missing") == []
    assert layout.prediction_files(tmp_path) == [layout.predictions_path(tmp_path, 3, "running")]
    assert layout.partial_files(tmp_path) == [layout.partial_path(tmp_path, 3, "batch")]
