"""What would make the host wait for a GPU, seen without one: the meta device stands in for it."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

META = torch.device("meta")
# Their sizes depend on values.
_SIZED_BY_VALUES = ("nonzero", "masked_select", "_unique2", "unique_dim", "bincount", "equal")


class HostWaits(TorchDispatchMode):
    """Notes where the host would wait for a device: numbers read from it, sizes that depend on it, copies.

    A copy waits unless it is `non_blocking`. On the meta device, which has no values, all that is read is 0.
    The CPU can stand in for a device, too, but copies from it to itself are not seen.
    """

    def __init__(self, device: torch.device) -> None:
        super().__init__()
        self.places: list[str] = []
        self.device = device

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = func.overloadpacket.__name__
        on_device = [self._has(leaf) for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        if name == "_local_scalar_dense" and any(on_device):
            self.note(name)
            return 0 if args[0].is_meta else func(*args, **kwargs)
        if (name in _SIZED_BY_VALUES and any(on_device)) or self._indexes_by_values(name, args):
            self.note(name)
        if name in ("_to_copy", "to", "copy_"):
            return self._copied(func, name, args, kwargs)
        return func(*args, **kwargs)

    def note(self, what: str) -> None:
        frames = [frame for frame in traceback.extract_stack() if "/trainer/" in frame.filename]
        place = next((f for f in reversed(frames) if "/tests/" not in f.filename), None)
        self.places.append(f"{what} at {place.filename}:{place.lineno}" if place else what)

    def _copied(self, func: Any, name: str, args: Any, kwargs: Any) -> Any:
        source = args[1] if name == "copy_" else args[0]
        target = args[0].device if name == "copy_" else kwargs.get("device") or source.device
        if target.type == source.device.type:
            return func(*args, **kwargs)
        non_blocking = kwargs.get("non_blocking", False) or (name == "copy_" and args[2:] == (True,))
        if not non_blocking:
            self.note(name)
        if not source.is_meta:
            return func(*args, **kwargs)
        if name == "copy_":
            return args[0].zero_()
        return torch.zeros(source.shape, dtype=kwargs.get("dtype") or source.dtype)

    def _indexes_by_values(self, name: str, args: Any) -> bool:
        """By a mask, or by what the host has and the device needs first."""
        if name not in ("index", "index_put", "index_put_") or not self._has(args[0]):
            return False
        indices = [index for index in args[1] if index is not None]
        return any(index.dtype in (torch.bool, torch.uint8) or not self._has(index) for index in indices)

    def _has(self, tensor: Tensor) -> bool:
        return tensor.device.type == self.device.type


class _FromPython(TorchFunctionMode):
    """Notes what becomes a tensor of the device from Python's numbers, which no dispatch mode sees."""

    def __init__(self, waits: HostWaits) -> None:
        super().__init__()
        self._waits = waits

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        if self._waits.device == META and isinstance(made, Tensor) and made.is_meta:
            name = getattr(func, "__name__", "")
            from_host = args and not isinstance(args[0], Tensor)
            if name in ("tensor", "as_tensor") and from_host:
                self._waits.note(name)
            if name == "__getitem__" and any(isinstance(index, list) for index in _indices(args[1])):
                self._waits.note("an index of Python's numbers")
        return made


def _indices(index: Any) -> tuple[Any, ...]:
    return index if isinstance(index, tuple) else (index,)


@contextlib.contextmanager
def host_waits(device: torch.device) -> Iterator[list[str]]:
    """The places in the block at which the host would wait for the device."""
    waits = HostWaits(device)
    with contextlib.ExitStack() as stack:
        if device == META:  # autocast refuses it; casts on a device do not wait
            stack.enter_context(patch.object(torch, "autocast", lambda *_, **__: contextlib.nullcontext()))
        stack.enter_context(waits)
        stack.enter_context(_FromPython(waits))
        yield waits.places
