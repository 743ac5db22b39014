"""What counts waits sees those that it should, and no others."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from tests.trainer.host_waits import META, host_waits

WAITING: dict[str, Callable[[Tensor], object]] = {
    "item": lambda x: x[0].item(),
    "condition": lambda x: bool((x > 0).any()),
    "tolist": lambda x: x.tolist(),
    "to the CPU": lambda x: x.cpu(),
    "to the device": lambda x: torch.zeros(3).to(META),
    "copied in": lambda x: x.copy_(torch.zeros(3)),
    "copied out": lambda x: torch.zeros(3).copy_(x),
    "a number": lambda x: torch.as_tensor(1.0, device=META),
    "a list": lambda x: torch.tensor([1, 2], device=META),
    "an index of numbers": lambda x: x[[0, 1]],
    "an index on the CPU": lambda x: x[torch.tensor([0, 1])],
    "written by a mask": lambda x: x.__setitem__(x > 0, 1),
}
NOT_WAITING: dict[str, Callable[[Tensor], object]] = {
    "to the device": lambda x: torch.zeros(3).to(META, non_blocking=True),
    "copied in": lambda x: x.copy_(torch.zeros(3), non_blocking=True),
    "to the CPU": lambda x: x.to("cpu", non_blocking=True),
    "filled": lambda x: torch.full((3,), 1.0, device=META),
    "cast": lambda x: x.to(torch.bfloat16),
    "an index": lambda x: x[torch.arange(2, device=META)],
    "a slice": lambda x: x[1:],
    "a number of the host": lambda x: torch.zeros(3).sum().item(),
}


@pytest.mark.parametrize("work", WAITING.values(), ids=WAITING.keys())
def test_what_waits_is_noted(work: Callable[[Tensor], object]) -> None:
    with host_waits(META) as places:
        work(torch.zeros(3, device=META))
    assert len(places) == 1


@pytest.mark.parametrize("work", NOT_WAITING.values(), ids=NOT_WAITING.keys())
def test_what_does_not_wait_is_not_noted(work: Callable[[Tensor], object]) -> None:
    with host_waits(META) as places:
        work(torch.zeros(3, device=META))
    assert places == []
