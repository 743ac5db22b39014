"""What training needs of other packages: a node of a cluster may have no more."""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
from pathlib import Path

import pytest

from nasrank.db.processes import python_command
from nasrank.db.runs.reader import read_run_folder
from tests.trainer.conftest import prepare_noise

TRAINING = ("torch", "numpy", "pyarrow")
BLOCK = """
import json, sys

class Without:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in blocked else self.finder.find_spec(name, path, target)

    def __getattr__(self, name):
        return getattr(self.finder, name)

blocked = set(json.loads(sys.argv.pop(1)))
sys.meta_path[:] = map(Without, sys.meta_path)
"""
TRAIN = """
from pathlib import Path
import nasrank, torch
import nasrank.trainer.studies.worker

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


def modules_but(*distributions: str) -> list[str]:
    """The names that all installed packages are imported by, but these ones, and what they need."""
    allowed: set[str] = set()
    left = set(distributions)
    while left:
        name = left.pop()
        allowed.add(name)
        try:
            needed = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:  # for another platform
            continue
        found = [re.match(r"[\w.-]+", text) for text in needed if "extra ==" not in text]
        left |= {normal(match[0]) for match in found if match} - allowed
    owners = importlib.metadata.packages_distributions()
    return [module for module, names in owners.items() if not allowed & set(map(normal, names))]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def run_with(program: str, folder: Path, *distributions: str) -> subprocess.CompletedProcess[str]:
    """Run a program that can import nasrank and these packages only."""
    blocked = set(modules_but(*distributions)) - {"nasrank"}
    command = [*python_command(), "-c", BLOCK + program, json.dumps(sorted(blocked))]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_a_run_needs_torch_numpy_and_pyarrow_only(tmp_path: Path) -> None:
    prepare_noise(tmp_path, 120)
    told = run_with(TRAIN, tmp_path, *TRAINING)
    assert told.returncode == 0, told.stderr
    rows = read_run_folder(tmp_path / told.stdout.strip())
    assert rows.run["status"] == "finished"
    assert rows.epochs.num_rows == 1
    assert rows.predictions is not None
    assert rows.predictions["arch_id"].to_pylist() == [3, 5, 7]


@pytest.mark.parametrize("module", ["PIL", "sklearn", "duckdb", "sqlalchemy", "rich", "pandas"])
def test_what_training_does_without_is_blocked_here(tmp_path: Path, module: str) -> None:
    told = run_with(f"import {module}", tmp_path, *TRAINING)
    assert f"No module named '{module}'" in told.stderr
