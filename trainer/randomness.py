"""Random numbers without state: a fresh generator for every purpose, so that a run resumes exactly.

Nothing in training draws from a generator that lives on from step to step. What epoch 7 shuffles, or
group 31 samples, depends only on the run's seed and on 7 or 31: a run continued from a checkpoint draws
what an uninterrupted one draws, and no generator state has to be saved.
"""

from __future__ import annotations

import hashlib

import torch


def generator(purpose: str, *numbers: int) -> torch.Generator:
    """A CPU generator for a purpose and numbers, such as `generator("epoch", seed, 7)`.

    On the CPU for every device, so that a seed means the same images and paths everywhere.
    """
    key = " ".join(["nasrank", purpose, *map(str, numbers)])
    digest = hashlib.sha256(key.encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big"))
