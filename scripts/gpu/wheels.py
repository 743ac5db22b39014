"""The wheels that a GPU machine lacks: small ones, as torch and its GPU libraries must be there."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib.metadata import requires, version
from pathlib import Path

# What the check needs beside torch, each with what it needs itself.
NEEDED = ("numpy", "pyarrow", "pillow", "rich", "typer", "pytest", "hypothesis")
LARGEST = 64 * 10**6  # bytes, all wheels together
_PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")

Download = Callable[[Sequence[str], Path], None]


def pack(folder: Path, installed: Path, python_version: str, download: Download | None = None) -> int:
    """Fetch what is missing into a folder, in the versions that this environment has; the exit code.

    `installed`: a file with the names that the GPU machine has, a line each, as `pip list --format=freeze`.
    """
    there = {normal(line.partition("==")[0]) for line in installed.read_text().splitlines() if line.strip()}
    if "torch" not in there:
        print(f"gpu_check: {installed} has no torch, which is too large to pack; install it there")
        return 1
    missing = [name for name in needed() if name not in there]
    if not missing:
        print("nothing to pack: the GPU machine has all that the check needs")
        return 0
    fetch = download or (lambda names, target: _download(names, target, python_version))
    with tempfile.TemporaryDirectory() as temporary:
        fetch([f"{name}=={version(name)}" for name in missing], Path(temporary))
        sizes = {path: path.stat().st_size for path in Path(temporary).iterdir()}
        if sum(sizes.values()) > LARGEST:
            largest = max(sizes, key=lambda path: sizes[path])
            print(
                f"gpu_check: what is missing takes {sum(sizes.values()) / 1e6:.0f} MB, more than "
                f"{LARGEST / 1e6:.0f}; install {largest.name.partition('-')[0]} there "
                f"({sizes[largest] / 1e6:.0f} MB)"
            )
            return 1
        folder.mkdir(parents=True, exist_ok=True)
        for path in sizes:
            shutil.move(path, folder / path.name)
    print(f"{folder}: {len(sizes)} wheels, {sum(sizes.values()) / 1e6:.1f} MB")
    return 0


def needed() -> list[str]:
    """Names of distributions, with what they need themselves, as installed here."""
    from packaging.requirements import Requirement  # pytest brings it; only where wheels are packed

    found: dict[str, None] = {}
    waiting = list(NEEDED)
    while waiting:
        name = normal(waiting.pop(0))
        if name in found:
            continue
        found[name] = None
        for line in requires(name) or []:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return list(found)


def normal(name: str) -> str:
    """As PyPI compares names."""
    return name.strip().lower().replace("_", "-").replace(".", "-")


def _download(names: Sequence[str], folder: Path, python_version: str) -> None:
    platforms = [f"--platform={name}" for name in _PLATFORMS]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    subprocess.run(
        [*command, f"--python-version={python_version}", *platforms, f"--dest={folder}", *names],
        check=True,
        stdout=sys.stderr,
    )
