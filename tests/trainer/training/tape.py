"""What a CUDA graph does, without a GPU: operations noted once are done again on the same tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Tape(TorchDispatchMode):
    """Notes operations as they are done, also those of the backward pass.

    To play them asks nothing of Python code: what they read, they read from the tensors they were given, and
    what they made, they make again in the very same memory.
    """

    def __init__(self) -> None:
        super().__init__()
        self._notes: list[tuple[Any, Any, Any, list[Tensor]]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        if not func.is_view:  # views are of memory that others write
            self._notes.append((func, args, kwargs or {}, tensors(made)))
        return made

    @torch.no_grad()
    def play(self) -> None:
        for func, args, kwargs, made in self._notes:
            for before, now in zip(made, tensors(func(*args, **kwargs)), strict=True):
                if before.data_ptr() != now.data_ptr():  # not in place
                    before.copy_(now)


def record_on_tape(work: Callable[[], None]) -> Callable[[], None]:
    """As `trainer.training.recording.record_on_cuda`; in doing the work once, it learns."""
    with Tape() as tape:
        work()
    return tape.play


def tensors(made: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(made) if isinstance(leaf, Tensor)]
