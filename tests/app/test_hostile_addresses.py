"""Any address of any page is answered, whatever it has for parameters, and none of them is Markdown."""

from __future__ import annotations

from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nasrank.db.warehouse.file import Warehouse
from tests.app.dashboard_data import KEY
from tests.app.test_poisoned_pages import VIEWS, bodies, check
from tests.hostile_texts import TEXT, TEXTS

# Of all pages.
NAMES: Final = (
    *("dataset", "ground_truth", "metric", "band", "size", "mask", "lt", "variant", "kind", "imported"),
    *("bn_mode", "experiment", "columns", "cells", "rows", "run", "set", "colour", "epoch", "truth_from"),
    *("truth_to", "predicted_from", "predicted_to", "reference", "curves", "arch", "run_mask"),
    *("run_bn_mode", "status", "search", "column", "sql", "chart", "x", "y", "embed", "embed_options"),
)
VALUES: Final = (
    *(
        "",
        "0",
        "-1",
        "1e999",
        "nan",
        "0x10",
        "301004",
        "none",
        "all",
        "random",
        "top-50",
        "Zero",
        "S",
        "tiny",
    ),
    *("cifar10", KEY, "SELECT 1", "∞", "..", "%00", TEXT, *TEXTS),
)
names = st.sampled_from(NAMES) | st.text(min_size=1, max_size=20)
values = st.sampled_from(VALUES) | st.text(max_size=40)
addresses = st.dictionaries(names, st.lists(values, min_size=1, max_size=3), max_size=8)
# Each opens a page: few in every run, of which `--hypothesis-profile thorough` makes forty times as many.
opening = settings(
    max_examples=max(settings.default.max_examples // 20, 1),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.slow
@pytest.mark.parametrize("view", VIEWS)
@opening
@given(address=addresses)
def test_any_address_is_answered(
    view: str, filled: Warehouse, open_view: Any, address: dict[str, list[str]]
) -> None:
    for body in bodies(open_view(view, filled.path, **address)):
        check(body)
