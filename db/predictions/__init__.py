"""Predictions that others made: reading their files, importing them as runs, removing them."""

from nasrank.db.predictions.files import Choice
from nasrank.db.predictions.importing import (
    ImportNotices,
    ImportReport,
    coverage,
    import_predictions,
    list_predictions,
    remove_predictions,
)
from nasrank.db.predictions.reading import SCALES, PredictionOptions

__all__ = [
    "SCALES",
    "Choice",
    "ImportNotices",
    "ImportReport",
    "PredictionOptions",
    "coverage",
    "import_predictions",
    "list_predictions",
    "remove_predictions",
]
