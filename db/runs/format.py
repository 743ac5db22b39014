"""What a run folder's files hold, version 1: a row an epoch, and a row a prediction.

The warehouse takes `config.json`, `status.json`, `epochs.parquet`, and one
`predictions-<epoch>-<bn_mode>.parquet` an evaluation; `db/runs/folder.py` names the other files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pyarrow as pa

FORMAT: Final = 1
# The data sets that runs learn from, and how many pixels a side their images have.
IMAGE_SIDES: Final = {"cifar10": 32, "digits": 8}
PREDICTION_SCHEMA: Final = pa.schema(
    [("arch_id", pa.int16()), ("accuracy", pa.float64()), ("images", pa.int32()), ("status", pa.string())]
)
EPOCH_SCHEMA: Final = pa.schema(
    [
        ("epoch", pa.int32()),
        ("train_loss", pa.float64()),
        ("train_accuracy", pa.float64()),
        ("valid_accuracy", pa.float64()),
        ("learning_rate", pa.float64()),
        ("seconds", pa.float64()),
        ("images_per_second", pa.float64()),
    ]
)


@dataclass(frozen=True)
class EpochRow:
    """What is recorded of an epoch; accuracies are fractions."""

    epoch: int  # from 1
    train_loss: float  # mean over the batches, each along its own path; with label smoothing, if any
    train_accuracy: float  # likewise, on augmented images
    valid_accuracy: float | None  # mean of `watched_paths`; None in epochs that do not validate
    learning_rate: float
    seconds: float  # of training steps, without validation
    images_per_second: float  # an image counts once for each path it takes


@dataclass(frozen=True)
class Prediction:
    """What a run says of an architecture. `status` is `ok`, or `non-finite`: then nothing was counted."""

    arch_id: int
    correct: int | None
    images: int
    status: str

    @property
    def accuracy(self) -> float | None:
        """Fraction of the validation images in 0..1, or None where the logits were not finite."""
        return None if self.correct is None else self.correct / self.images
