"""Counts of correct images on their way from the device, which goes on working meanwhile."""

from __future__ import annotations

import torch
from torch import Tensor


class Counts:
    """Counts that `read` waits for, but for nothing that the device was given after them.

    Args:
        counts: int64 [n, 2] on the device: correct images, and logits that are not finite.
    """

    def __init__(self, counts: Tensor) -> None:
        # From a GPU, PyTorch copies into pinned memory here, without waiting.
        self._counts = counts.to("cpu", non_blocking=True)
        self._arrived: torch.cuda.Event | None = None
        if counts.device.type == "cuda":
            self._arrived = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._arrived.record()

    def read(self) -> list[int | None]:
        """How many images are correct; None where any logit is not finite."""
        if self._arrived is not None:
            self._arrived.synchronize()
        return [None if non_finite else correct for correct, non_finite in self._counts.tolist()]
