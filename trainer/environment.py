"""What a run ran on: device, versions, and the commit of the program."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy
import torch

from nasrank.db.errors import NasrankError, in_a_line

DEVICES: Final = ("auto", "cpu", "cuda")
# What is said by libraries that have no type for it.
_OUT_OF_MEMORY: Final = (
    "t allocate memory",  # PyTorch's allocator on the CPU
    "bad_alloc",
    "could not create a",  # oneDNN: a primitive, a memory object
    "ALLOC_FAILED",  # cuDNN and cuBLAS
)
# As `torch.cpu.get_capabilities` calls them: x86, then ARM.
_BFLOAT16_CAPABILITIES: Final = ("avx512_bf16", "amx_bf16", "bf16")


def check_device_name(name: str) -> None:
    """Raise `NasrankError` for what no machine has."""
    if name not in DEVICES:
        raise NasrankError(f"device is {name!r}; choose {', '.join(DEVICES)}")


def choose_device(name: str) -> torch.device:
    """The device called `auto` (CUDA where there is one), `cpu` or `cuda`."""
    check_device_name(name)
    if name == "cuda" and not torch.cuda.is_available():
        raise NasrankError("device is 'cuda', but PyTorch finds no CUDA device here; use cpu or auto")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda":
        # PyTorch's defaults, which are a choice: float32 products are TF32 in convolutions, exact elsewhere.
        torch.backends.cudnn.conv.fp32_precision = "tf32"  # type: ignore[attr-defined]
        torch.backends.cuda.matmul.fp32_precision = "ieee"
        # Batches are of few shapes, each seen thousands of times: trying algorithms first pays.
        torch.backends.cudnn.benchmark = True
    return torch.device(name)


def visible_gpus() -> list[str]:
    """The CUDA devices that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    count = torch.cuda.device_count()
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    return [name.strip() for name in named.split(",")][:count] if named else [str(i) for i in range(count)]


@contextmanager
def memory_that_may_end() -> Iterator[None]:
    """Raises `NasrankError` where the memory of the machine, or of its GPU, does not suffice."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        raise NasrankError(
            "the memory does not suffice; what is saved stays: give the same command where more is free, or "
            f"train with a smaller --batch-size or network ({in_a_line(error or type(error).__name__, 200)})"
        ) from error


def _is_out_of_memory(error: MemoryError | RuntimeError) -> bool:
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return any(words in str(error) for words in _OUT_OF_MEMORY)


def computes_bfloat16(device: torch.device) -> bool:
    """Whether the processor or GPU has instructions for bfloat16; without them it is slower than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in _BFLOAT16_CAPABILITIES)


def device_description(device: torch.device) -> str:
    """Such as `cpu: AMD EPYC, 1 thread(s)`, or the name of the GPU."""
    if device.type == "cuda":
        return f"cuda: {torch.cuda.get_device_name(device)}"
    return f"cpu: {_cpu_name()}, {torch.get_num_threads()} thread(s)"


def versions() -> dict[str, str | None]:
    """Of nasrank (None where it is not installed), Python and the libraries that compute."""
    try:
        nasrank: str | None = importlib.metadata.version("nasrank")
    except importlib.metadata.PackageNotFoundError:
        nasrank = None
    return {
        "nasrank": nasrank,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
    }


def git_state() -> tuple[str | None, bool | None]:
    """The commit of the program's checkout and whether files differ from it; (None, None) outside one."""
    root = Path(__file__).resolve().parent.parent
    top_level = _git(root, "rev-parse", "--show-toplevel")
    # Installed into an environment inside some other repository, the program is not of that commit.
    if top_level is None or Path(top_level).resolve() != root:
        return None, None
    commit = _git(root, "rev-parse", "--verify", "HEAD")
    changes = _git(root, "status", "--porcelain")
    if commit is None or changes is None:
        return None, None
    return commit, changes != ""


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.removesuffix("\n")


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
