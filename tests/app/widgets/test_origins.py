"""What the pages say of where their numbers come from."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from nasrank.app.widgets.origins import describe_origins
from nasrank.db.warehouse.file import Warehouse
from tests.app.dashboard_data import RE_ENCODED

RUNS = pd.DataFrame(
    {
        "kind": "trained",
        "name": None,
        "dataset": ["cifar10", "cifar10", "cifar10", "digits"],
        "dataset_origin": ["here", "here", "there", "a package"],
        "file_name": None,
    }
)


def test_every_origin_of_every_data_set_is_told() -> None:
    assert describe_origins(RUNS) == (
        "Super-networks trained on **cifar10**: here (2 of 3 runs); there (1 of 3 runs). "
        "Super-networks trained on **digits**: a package."
    )
    assert describe_origins(RUNS.iloc[:2]) == "Super-networks trained on **cifar10**: here."
    unknown = RUNS.iloc[3:].assign(dataset_origin=None)
    assert describe_origins(unknown) == "Super-networks trained on **digits**."
    assert describe_origins(RUNS.iloc[:0]) == ""


def test_imported_predictions_are_told_by_their_files() -> None:
    imported = RUNS.iloc[:2].assign(
        kind="imported", name="synflow", dataset=None, dataset_origin=None, file_name=["a.json", "b.json"]
    )
    assert describe_origins(imported) == "Imported: **synflow** (a.json, b.json)."
    assert describe_origins(pd.concat([RUNS.iloc[3:], imported])).startswith(
        "Super-networks trained on **digits**: a package. Imported: "
    )


@pytest.mark.parametrize("page", ["rankings", "scatter", "compare", "search_space", "paper"])
def test_each_page_with_predictions_tells_their_images(filled: Warehouse, open_view: Any, page: str) -> None:
    test = open_view(page, filled.path)
    assert any(RE_ENCODED in element.value for element in test.markdown)
