"""The examples of docs/predictions.md are read as it says: the same architectures and accuracies in each."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from nasrank.db.columns.finding import Choice
from nasrank.db.nb201.architectures import Architecture
from nasrank.db.predictions.reading import KnownAccuracies, PredictionOptions, read_runs
from tests.samples import ROOT

PAGE = (ROOT / "docs" / "predictions.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^`([\w.]+)`, [^\n]+:\n\n```\w+\n(.*?)\n```", PAGE, re.DOTALL | re.MULTILINE)
BOTH = [Architecture.from_digits(digits).arch_id for digits in ("301004", "333333")]
NO_TRUTH = KnownAccuracies("none", np.full(15_625, float("nan")))


def test_the_page_has_examples() -> None:
    names = [name for name, _ in EXAMPLES]
    assert len(set(names)) == len(names) == 10
    assert all(len(text.splitlines()) <= 5 for _, text in EXAMPLES)


@pytest.mark.parametrize(("name", "text"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_each_example_is_read_as_the_page_says(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    # Six digits can be read in two notations, which two rows do not tell apart.
    options = PredictionOptions(choice=Choice(notation="digits" if "301004" in text else None))
    runs = read_runs(path, 0, NO_TRUTH, options)
    assert [run.seed for run in runs] == ([777, 888] if "777" in text else [0])
    for run in runs:
        assert run.arch_ids.tolist() == BOTH
    assert runs[0].numbers == pytest.approx([0.912, 0.934])
    if len(runs) > 1:
        assert runs[1].numbers == pytest.approx([0.908, 0.936])
