"""A run's folder as a few files of bounded size, and back."""

from __future__ import annotations

import io
import runpy
import tarfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

# By its file: the package cannot be imported before its links are made.
layout = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[2] / "db/runs/layout.py")))
PART_BYTES = 15 * 2**20
PARTS = 4  # with the result and the log, 62 MB at most
_NAME = "run.tar.gz.{}"


def pack(runs: Path, out: Path, part_bytes: int = PART_BYTES) -> dict[str, Any]:
    """The one run of a folder, with its newest checkpoint if that fits; says what was packed.

    Replaces what was packed before, and leaves it where there is no run.
    """
    folders = [path for path in runs.iterdir() if path.is_dir()] if runs.is_dir() else []
    if not folders:
        return {"files": [], "why": "there is no run"}
    [folder] = folders
    checkpoints = layout.checkpoint_files(folder)
    content = archived(folder, checkpoints[1:])
    result: dict[str, Any] = {"checkpoint": checkpoints[0].name if checkpoints else None}
    if len(content) > PARTS * part_bytes:
        result |= {"checkpoint": None, "why": f"with its checkpoint the run takes {len(content):,} bytes"}
        content = archived(folder, checkpoints)
    for old in parts(out):
        old.unlink()
    result["files"] = []
    for number, start in enumerate(range(0, len(content), part_bytes)):
        path = out / _NAME.format(number)
        path.write_bytes(content[start : start + part_bytes])
        result["files"].append(path.name)
    return result


def unpack(folder: Path, runs: Path) -> None:
    """What `pack` left in a folder."""
    found = parts(folder)
    if not found:
        raise SystemExit(
            f"gpu_check: {folder} has no {_NAME.format(0)}; give the folder of a call that trained"
        )
    content = b"".join(path.read_bytes() for path in found)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(runs, filter="data")


def parts(folder: Path) -> list[Path]:
    """In their order."""
    return sorted(folder.glob(_NAME.format("[0-9]")))


def archived(folder: Path, without: list[Path]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz", compresslevel=1) as archive:
        for path in sorted(folder.iterdir()):
            if path not in without:
                archive.add(path, f"{folder.name}/{path.name}")
    return content.getvalue()
