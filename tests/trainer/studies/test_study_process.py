"""Which GPU a worker gets, and what becomes of a job in this process or in one of its own."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from nasrank.trainer.config import ExperimentConfig
from nasrank.trainer.environment import visible_gpus
from nasrank.trainer.studies.process import InProcess, Worker, least_used
from nasrank.trainer.studies.worker import Job


@dataclass
class Busy:
    gpu: str | None


def a_job(folder: Path, **changes: object) -> Job:
    values: dict[str, object] = {
        "config": ExperimentConfig.preset("digits", "tiny", epochs=1).to_json(),
        "seed": 0,
        "arch_ids": (0, 1),
        "ground_truth_keys": ("a:b/c@200",),
        "bn_modes": ("running",),
        "evaluation": {},
        "device": "none",
        "threads": 1,
        "runs_dir": str(folder),
        "data_dir": str(folder),
    }
    return Job(**{**values, **changes})  # type: ignore[arg-type]


def test_runs_are_spread_over_the_gpus() -> None:
    workers: list[Busy] = []
    for _ in range(5):
        workers.append(Busy(least_used(["2", "5"], workers)))  # type: ignore[arg-type]
    assert [worker.gpu for worker in workers] == ["2", "5", "2", "5", "2"]
    del workers[1]
    assert least_used(["2", "5"], workers) == "5"  # type: ignore[arg-type]
    assert least_used([], workers) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("named", "count", "expected"),
    [
        (None, 0, []),
        (None, 2, ["0", "1"]),
        ("", 0, []),
        ("3, 1", 2, ["3", "1"]),
        ("GPU-a,GPU-b", 2, ["GPU-a", "GPU-b"]),
        ("0,-1,1", 1, ["0"]),
    ],
)
def test_gpus_are_those_that_cuda_shows(
    monkeypatch: pytest.MonkeyPatch, named: str | None, count: int, expected: list[str]
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if named is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    assert visible_gpus() == expected


def test_a_worker_sees_its_gpu_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "python"
    script.write_text('#!/bin/sh\nread job\necho "$CUDA_VISIBLE_DEVICES and $OMP_NUM_THREADS"\n')
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")
    for gpu, seen in (("1", "1 and 3"), (None, "0,1,2 and 3")):
        worker = Worker(a_job(tmp_path, threads=3), gpu)
        worker.process.wait()
        worker.close()
        assert worker.last_words == seen


def test_a_job_that_its_process_does_not_read_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than a pipe holds, to a process that ends at once."""
    monkeypatch.setattr(sys, "executable", "/bin/true")
    worker = Worker(a_job(tmp_path, arch_ids=tuple(range(100_000))))
    worker.process.wait()
    worker.stop()
    worker.close()
    assert worker.last_words == "exit code 0"


def test_in_process_says_why_it_failed_and_lets_mistakes_through(tmp_path: Path) -> None:
    assert "device is 'none'" in InProcess(a_job(tmp_path)).last_words
    with pytest.raises(TypeError, match="unexpected keyword argument 'unknown'"):
        InProcess(a_job(tmp_path, evaluation={"unknown": 1}))
