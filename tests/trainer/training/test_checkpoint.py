"""Checkpoint files: whole, the last two, and never trusted."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from nasrank.db.errors import NasrankError
from nasrank.db.runs.layout import checkpoint_files
from nasrank.trainer.training.checkpoint import load_checkpoint, save_checkpoint

HASH = "a" * 64


def save(folder: Path, step: int) -> Path:
    state = {"step": step, "model": {"weight": torch.full((2_000,), float(step))}, "gradients": None}
    return save_checkpoint(folder, state, config_hash=HASH, seed=0)


def load(folder: Path) -> dict[str, Any] | None:
    return load_checkpoint(folder, config_hash=HASH, seed=0)


def loaded_step(folder: Path) -> int | None:
    state = load(folder)
    return None if state is None else state["step"]


def test_the_newest_is_loaded_and_two_are_kept(tmp_path: Path) -> None:
    assert load(tmp_path) is None
    for step in (5, 100, 20):  # by number, not by name: 100 comes after 20
        save(tmp_path, step)
    assert [path.name for path in checkpoint_files(tmp_path)] == ["checkpoint-100.pt", "checkpoint-20.pt"]
    state = load(tmp_path)
    assert state is not None
    assert state["step"] == 100
    assert torch.equal(state["model"]["weight"], torch.full((2_000,), 100.0))


@pytest.mark.parametrize("damage", ["cut", "empty", "garbage", "flipped in a tensor", "flipped anywhere"])
def test_a_damaged_newest_falls_back_with_a_warning(
    tmp_path: Path, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path, 1)
    path = save(tmp_path, 2)
    content = bytearray(path.read_bytes())
    if damage == "flipped anywhere":
        positions = range(0, len(content), max(1, len(content) // 40))
    else:
        positions = range(content.index(b"\x00\x00\x00\x40" * 20), len(content))[:1]
    for position in positions:
        broken = bytearray(content)
        match damage:
            case "cut":
                broken = broken[: len(broken) // 2]
            case "empty":
                broken = bytearray()
            case "garbage":
                broken = bytearray(os.urandom(len(broken)))
            case _:
                broken[position] ^= 0xFF
        path.write_bytes(broken)
        state = load(tmp_path)
        assert state is not None
        # A flipped bit in the archive's padding or dates damages nothing.
        assert torch.equal(state["model"]["weight"], torch.full((2_000,), float(state["step"])))
        if state["step"] == 1:
            assert f"{path} is damaged" in capsys.readouterr().err
    if damage != "flipped anywhere":
        assert state["step"] == 1


def test_nothing_is_left_of_two_damaged(tmp_path: Path) -> None:
    for step in (1, 2):
        save(tmp_path, step).write_bytes(b"PK")
    assert load(tmp_path) is None


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    save(tmp_path, 1)
    with pytest.raises(NasrankError, match="is of another run"):
        load_checkpoint(tmp_path, config_hash="b" * 64, seed=0)
    with pytest.raises(NasrankError, match="is of another run"):
        load_checkpoint(tmp_path, config_hash=HASH, seed=1)


class Hostile:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("pwned",)


def test_a_hostile_checkpoint_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"step": 9, "model": Hostile()}, tmp_path / "checkpoint-9.pt")
    (tmp_path / "checkpoint-8.pt").write_bytes(pickle.dumps(Hostile()))
    assert load(tmp_path) is None
    assert not (tmp_path / "pwned").exists()
