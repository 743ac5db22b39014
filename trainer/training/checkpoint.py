"""Checkpoints: everything a run needs to continue exactly where it stood.

`checkpoint-<step>.pt` files as `torch.save` writes them, read without trust (`weights_only=True`). The
last two are kept, so that a damaged one costs some training, not the run.
"""

from __future__ import annotations

import io
import pickle
import time
import zipfile
import zlib
from pathlib import Path
from typing import Any, Final

import torch

from nasrank.db.errors import NasrankError
from nasrank.db.files.writing import atomic_write
from nasrank.db.runs.claims import Claim
from nasrank.db.runs.layout import checkpoint_files, checkpoint_path
from nasrank.trainer.messages import say
from nasrank.trainer.training.training import Training

FORMAT: Final = 1
_KEPT: Final = 2
_SAVE_SECONDS: Final = 30.0
# What zipfile and torch.load raise for files that are cut short, overwritten, or never were checkpoints.
_DAMAGE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    pickle.UnpicklingError,
    EOFError,
    RuntimeError,
    ValueError,
    NotImplementedError,
)


class Checkpointer:
    """Saves a training in its run's folder, and brings it back to where it was saved."""

    def __init__(self, folder: Path, claim: Claim, training: Training) -> None:
        self._folder, self._claim, self._training = folder, claim, training
        self._saved_at = time.monotonic()

    @property
    def is_due(self) -> bool:
        """Whether the last save is so long ago that a kill would cost more than half a minute."""
        return time.monotonic() - self._saved_at >= _SAVE_SECONDS

    def save(self) -> None:
        """Write a checkpoint. Raises `NasrankError` where another process has the folder."""
        self._claim.check()
        training = self._training
        save_checkpoint(
            self._folder,
            training.state(),
            config_hash=training.config.config_hash,
            seed=training.seed,
        )
        self._saved_at = time.monotonic()

    def resume(self) -> bool:
        """Go on where the newest undamaged checkpoint stands; False where there is none."""
        training = self._training
        state = load_checkpoint(self._folder, config_hash=training.config.config_hash, seed=training.seed)
        if state is not None:
            training.load_state(state)
        return state is not None


def save_checkpoint(folder: Path, state: dict[str, Any], *, config_hash: str, seed: int) -> Path:
    """Write a training's state as `checkpoint-<step>.pt`, whole or not at all, and drop all but the last two.

    `state["step"]` names the file. Raises `NasrankError` if the folder cannot be written.
    """
    content = io.BytesIO()
    torch.save({"format": FORMAT, "config_hash": config_hash, "seed": seed, **state}, content)
    path = checkpoint_path(folder, state["step"])
    atomic_write(path, content.getbuffer())
    for old in checkpoint_files(folder)[_KEPT:]:
        old.unlink()
    return path


def load_checkpoint(folder: Path, *, config_hash: str, seed: int) -> dict[str, Any] | None:
    """The newest undamaged state in a folder, on the CPU, or None if there is none.

    Warns on stderr about each damaged file that it passes over. Raises `NasrankError` for a checkpoint of
    another configuration, seed or format.
    """
    for path in checkpoint_files(folder):
        content = _read(path)
        if content is None:
            say(f"warning: {path} is damaged; going back to an earlier state")
            continue
        expected = {"format": FORMAT, "config_hash": config_hash, "seed": seed}
        found = {key: content.get(key) for key in expected}
        if found != expected:
            raise NasrankError(
                f"{path} is of another run: {found}, where {expected} is needed; "
                "move it away, or continue that run"
            )
        return content
    return None


def _read(path: Path) -> dict[str, Any] | None:
    """The content of a checkpoint file, or None if it is damaged.

    The archive's checksums are verified first, because `torch.load` does not look at them.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.testzip() is not None:
                return None
        content = torch.load(path, map_location="cpu", weights_only=True)
    except _DAMAGE:
        return None
    return content if isinstance(content, dict) else None
