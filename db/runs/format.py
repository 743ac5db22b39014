"""The rows of a run folder's Parquet files, and what the data sets that runs learn from are called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from nasrank.db.nb201.architectures import NUM_ARCHITECTURES
from nasrank.db.runs.schema import INT32, Field, arrow_schema

# The data sets that runs learn from, and how many pixels a side their images have.
IMAGE_SIDES: Final = {"cifar10": 32, "digits": 8}
OK: Final = "ok"
NON_FINITE: Final = "non-finite"

_ArchId = Annotated[int, Field("NAS-Bench-201 index", least=0, most=NUM_ARCHITECTURES - 1)]
_Accuracy = Field("of the validation images; null where status is not ok", "fraction", least=0, most=1)
_Correct = Annotated[
    int | None,
    Field(
        "predicted rightly, which adding predictions later needs",
        "images",
        least=0,
        most=INT32,
        optional=True,
        stored=False,
    ),
]
_Images = Annotated[int, Field("validation images that were predicted", "images", least=1, most=INT32)]
_Status = Annotated[str, Field("non-finite where the logits were not finite", choices=(OK, NON_FINITE))]


@dataclass(frozen=True)
class EpochRow:
    """What is recorded of an epoch: a row of `epochs.parquet`."""

    MOST_ROWS: ClassVar[int] = 1_000_000

    epoch: Annotated[int, Field("1 for the first", least=1, most=INT32)]
    train_loss: Annotated[
        float | None, Field("mean cross-entropy of the sampled paths; with label smoothing, if any", "nats")
    ]
    train_accuracy: Annotated[
        float | None, Field("mean over the sampled paths, on augmented images", "fraction", least=0, most=1)
    ]
    valid_accuracy: Annotated[
        float | None,
        Field("mean over a few fixed paths; null if it was not measured", "fraction", least=0, most=1),
    ]
    learning_rate: Annotated[float, Field("of this epoch", least=0)]
    seconds: Annotated[float, Field("of this epoch's training, without validation", "seconds", least=0)]
    images_per_second: Annotated[
        float, Field("trained; an image counts once for each path it takes", "images/s", least=0)
    ]


@dataclass(frozen=True)
class PredictionRow:
    """What a run says of an architecture: a row of `predictions-<epoch>-<bn_mode>.parquet`."""

    MOST_ROWS: ClassVar[int] = NUM_ARCHITECTURES

    arch_id: _ArchId
    accuracy: Annotated[float | None, _Accuracy]
    images: _Images
    status: _Status
    correct: _Correct


@dataclass(frozen=True)
class Prediction:
    """A prediction as it is counted, and a line of the file of an unfinished evaluation."""

    arch_id: _ArchId
    correct: _Correct
    images: _Images
    status: _Status

    @property
    def accuracy(self) -> float | None:
        """Fraction of the validation images in 0..1, or None where the logits were not finite."""
        return None if self.correct is None else self.correct / self.images

    @property
    def row(self) -> PredictionRow:
        """As the file of a finished evaluation has it."""
        return PredictionRow(self.arch_id, self.accuracy, self.images, self.status, self.correct)


EPOCH_SCHEMA: Final = arrow_schema(EpochRow)
# What is ingested.
PREDICTION_SCHEMA: Final = arrow_schema(PredictionRow, stored_only=True)
