"""Predictions that others made: reading their files, importing them as runs, removing them."""

from db.predictions.files import Choice
from db.predictions.importing import (
    ImportReport,
    coverage,
    import_predictions,
    list_predictions,
    remove_predictions,
)
from db.predictions.reading import SCALES, ReadOptions

__all__ = [
    "SCALES",
    "Choice",
    "ImportReport",
    "ReadOptions",
    "coverage",
    "import_predictions",
    "list_predictions",
    "remove_predictions",
]
