"""A small study in a user's folder, and what the tests of the launchers do with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

NASRANK = Path(sys.executable).with_name("nasrank-train")
# 64 architectures and a few hundred images: what takes time is starting processes.
STUDY = """
name = "tiny"
seeds = {seeds}

[defaults]
dataset = "digits"
size = "tiny"
mask = "Zero+Skip+Pool"
train_images = 256
valid_images = 64
batch_size = 32
epochs = {epochs}

[[experiments]]
group = "learning rates"
learning_rate = {rates}
"""


def write_study(folder: Path, *, seeds: str = "[0]", epochs: int = 2, rates: str = "[0.1]") -> None:
    text = STUDY.format(seeds=seeds, epochs=epochs, rates=rates)
    (folder / "my study.toml").write_text(text)


def nasrank(folder: Path, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        [NASRANK, *arguments], cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    return result


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [NASRANK, *arguments], cwd=folder, env=environment(), stderr=subprocess.PIPE, text=True
    )


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("NASRANK_")}


def status(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(nasrank(folder, "study", "status", "my study.toml", "--json").stdout)
    return content


def run_statuses(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(folder.glob("runs/*/status.json"))]


def epochs_done(folder: Path) -> list[int]:
    return [content["epoch"] for content in run_statuses(folder)]


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
