"""What a run says of where it ran."""

from __future__ import annotations

import subprocess
import warnings
from pathlib import Path

import pytest
import torch

from nasrank.db.errors import NasrankError
from nasrank.trainer import environment
from nasrank.trainer.environment import (
    choose_device,
    computes_bfloat16,
    device_description,
    git_state,
    versions,
)


def test_devices() -> None:
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(NasrankError, match="device is 'tpu'; choose auto, cpu, cuda"):
        choose_device("tpu")
    assert device_description(torch.device("cpu")).endswith("1 thread(s)")


def test_products_on_a_gpu_are_set_without_warnings(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the interface that PyTorch 2.9 brought: the older flags warn."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", False)
    precisions = torch.backends.cudnn.conv.fp32_precision, torch.backends.cuda.matmul.fp32_precision
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert choose_device("auto") == torch.device("cuda")
        assert torch.backends.cudnn.benchmark
        assert torch.backends.cudnn.conv.fp32_precision == "tf32"
        assert torch.backends.cuda.matmul.fp32_precision == "ieee"
    finally:
        torch.backends.cudnn.conv.fp32_precision, torch.backends.cuda.matmul.fp32_precision = precisions


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_missing_cuda_is_said() -> None:
    with pytest.raises(NasrankError, match="finds no CUDA device"):
        choose_device("cuda")


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"avx2": True, "avx512_bf16": False, "amx_bf16": False}, False),
        ({"avx512_bf16": True, "amx_bf16": False}, True),
        ({"avx512_bf16": False, "amx_bf16": True}, True),
        ({"neon": True, "bf16": True}, True),
        ({"neon": True}, False),
    ],
    ids=str,
)
def test_processors_that_compute_bfloat16(
    monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, bool], expected: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert computes_bfloat16(torch.device("cpu")) == expected


def test_versions_name_what_computes() -> None:
    assert versions()["torch"] == torch.__version__


def test_git_state_of_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=n", "-c", "user.email=e"]
        done = subprocess.run(
            ["git", "-C", str(tmp_path), *identity, *arguments], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    program = tmp_path / "trainer" / "environment.py"
    program.parent.mkdir()
    program.write_text("")
    monkeypatch.setattr(environment, "__file__", str(program))
    assert git_state() == (None, None)
    git("init", "-q")
    assert git_state() == (None, None)
    git("add", ".")
    git("commit", "-qm", "first")
    assert git_state() == (git("rev-parse", "HEAD"), False)
    program.write_text("changed")
    assert git_state() == (git("rev-parse", "HEAD"), True)
    monkeypatch.setattr(
        environment, "__file__", str(tmp_path / "venv" / "lib" / "trainer" / "environment.py")
    )
    assert git_state() == (None, None)
