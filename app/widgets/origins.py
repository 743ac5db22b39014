"""Where the numbers of a page come from: the images that super-networks saw, the files of imported ones."""

from __future__ import annotations

import pandas as pd

from nasrank.app.widgets.text import as_text
from nasrank.db.warehouse.models import IMPORTED
from nasrank.report.charts.labels import listed


def describe_origins(runs: pd.DataFrame) -> str:
    """A sentence for each data set that these runs were trained on, and one for imported predictions.

    `runs` as `shared_queries.runs` has them. Markdown, in one line; empty for no runs.
    """
    trained, imported = (runs[(runs["kind"] == IMPORTED) == is_imported] for is_imported in (False, True))
    told = [_trained_on(str(dataset), of_dataset) for dataset, of_dataset in trained.groupby("dataset")]
    if not imported.empty:
        files = imported.groupby("name")["file_name"].agg(lambda names: listed(list(names)))
        told_files = [f"**{as_text(name)}** ({as_text(of_name)})" for name, of_name in files.items()]
        told.append(f"Imported: {'; '.join(told_files)}.")
    return " ".join(told)


def _trained_on(dataset: str, runs: pd.DataFrame) -> str:
    known = runs["dataset_origin"].dropna().value_counts()
    if known.empty:
        return f"Super-networks trained on **{as_text(dataset)}**."
    told = [as_text(origin) for origin in known.index]
    if len(told) > 1:
        told = [f"{as_text(origin)} ({count:d} of {known.sum():d} runs)" for origin, count in known.items()]
    return f"Super-networks trained on **{as_text(dataset)}**: {'; '.join(told)}."
