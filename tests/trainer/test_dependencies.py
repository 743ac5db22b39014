"""What training needs of other packages: a node of a cluster may have no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from nasrank.db.runs.reader import read_run_folder
from tests.packages import run_with
from tests.trainer.conftest import prepare_noise

TRAINING = ("torch", "numpy", "pyarrow")
TRAIN = """
from pathlib import Path
import nasrank, torch

torch.set_num_threads(1)
config = nasrank.ExperimentConfig.preset(
    "cifar10", "tiny", channels=2, valid_images=40, batch_size=16, epochs=1, image_size=8
)
result = nasrank.run_experiment(
    nasrank.RunSpec(config=config, seed=0, arch_ids=[3, 5, 7]),
    nasrank.RunPaths(runs_dir=Path("runs"), data_dir=Path(".")),
    nasrank.Compute(device="cpu"),
)
assert result.status == "finished"
print(result.folder)
"""


WORK = """
import torch
from nasrank.trainer.config import ExperimentConfig
from nasrank.trainer.studies.worker import Job, work

torch.set_num_threads(1)
config = ExperimentConfig.preset(
    "cifar10", "tiny", channels=2, valid_images=40, batch_size=16, epochs=1, image_size=8
)
job = Job(
    config=config.to_json(),
    seed=0,
    arch_ids=(3, 5, 7),
    ground_truth_keys=(),
    bn_modes=("running",),
    evaluation={},
    device="cpu",
    threads=1,
    runs_dir="runs",
    data_dir=".",
)
work(job)
print(job.folder)
"""


@pytest.mark.parametrize("program", [TRAIN, WORK], ids=["as a library", "as a study's worker"])
def test_a_run_needs_torch_numpy_and_pyarrow_only(tmp_path: Path, program: str) -> None:
    prepare_noise(tmp_path, 120)
    told = run_with(program, tmp_path, *TRAINING)
    assert told.returncode == 0, told.stderr
    rows = read_run_folder(tmp_path / told.stdout.strip())
    assert rows.run["status"] == "finished"
    assert rows.epochs.num_rows == 1
    assert rows.predictions is not None
    assert rows.predictions["arch_id"].to_pylist() == [3, 5, 7]


@pytest.mark.parametrize("module", ["images", "options", "output"])
def test_commands_without_a_warehouse_need_typer_and_rich_beside_that(tmp_path: Path, module: str) -> None:
    """The others import SQLAlchemy and DuckDB: even `run` first asks a warehouse what to predict."""
    told = run_with(f"import nasrank.trainer.cli.{module}", tmp_path, *TRAINING, "typer", "rich")
    assert told.returncode == 0, told.stderr


@pytest.mark.parametrize("module", ["PIL", "sklearn", "duckdb", "sqlalchemy", "rich", "pandas"])
def test_what_training_does_without_is_blocked_here(tmp_path: Path, module: str) -> None:
    told = run_with(f"import {module}", tmp_path, *TRAINING)
    assert f"No module named '{module}'" in told.stderr
