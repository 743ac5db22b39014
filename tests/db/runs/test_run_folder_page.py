"""docs/run-folder.md describes the folder that is read: its fields, the hash, an example that is ingested."""

from __future__ import annotations

import re
from pathlib import Path

from nasrank.db.ingest.folders import ingest
from nasrank.db.runs import layout
from nasrank.db.runs.experiment import config_hash
from nasrank.db.runs.holders import BEAT_SECONDS, STALE_SECONDS
from nasrank.db.warehouse.file import Warehouse
from scripts import docs
from tests.packages import run_with
from tests.samples import ROOT

PAGE = (ROOT / "docs/run-folder.md").read_text(encoding="utf-8")


def test_every_field_stands_there_as_it_is_declared() -> None:
    assert sorted(re.findall(r"<!-- fields: (\w+) -->\n\n\| field ", PAGE)) == sorted(docs.ROWS)
    assert docs.run_folder_page() == PAGE, "scripts/docs.py writes the tables"


def test_every_file_is_listed_as_in_the_code() -> None:
    [listed] = re.findall(r"```\n(runs/\n.*?)```", PAGE, flags=re.S)
    assert listed in str(layout.__doc__)


def test_the_example_of_a_hash_and_the_seconds_are_true() -> None:
    assert f"`{config_hash({'dataset': 'cifar10', 'channels': 8})}`" in PAGE
    assert f"every {BEAT_SECONDS:.0f} seconds" in PAGE
    assert f"for {STALE_SECONDS:.0f} seconds" in PAGE


def test_the_example_needs_pyarrow_only_and_is_ingested(warehouse: Warehouse, tmp_path: Path) -> None:
    [example] = re.findall(r"```python\n(.*?)```", PAGE, flags=re.S)
    assert "nasrank" not in example
    told = run_with(example, tmp_path, "pyarrow")
    assert told.returncode == 0, told.stderr
    [folder] = (tmp_path / "runs").iterdir()
    report = ingest(warehouse, [folder])
    assert (report.ingested, report.problems) == ([folder.name], {})
    rows = warehouse.query(
        "SELECT arch_id, accuracy, status FROM prediction WHERE bn_mode <> 'untrained' ORDER BY arch_id"
    )
    assert rows.arch_id.tolist() == [1462, 15524, 15566]
    assert rows.accuracy.tolist()[:2] == [0.3124, 0.2998]
    assert rows.status.tolist() == ["ok", "ok", "non-finite"]
    [run] = warehouse.query(
        "SELECT * FROM run JOIN experiment USING (experiment_id) WHERE seed IS NOT NULL"
    ).itertuples()
    assert (run.mask, run.seed, run.epochs, run.device) == ("Zero+Pool", 0, 2, "my GPU")
    assert warehouse.query("SELECT count(*) AS n FROM epoch_metric").n[0] == 2
