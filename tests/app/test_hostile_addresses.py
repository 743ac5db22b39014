"""Any address of any page is answered, whatever it has for parameters, and none of them is Markdown."""

from __future__ import annotations

import ast
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nasrank.db.warehouse.file import Warehouse
from tests.app.dashboard_data import KEY
from tests.app.test_poisoned_pages import VIEWS, bodies, check
from tests.hostile_texts import TEXT, TEXTS
from tests.samples import ROOT

# Of all pages.
NAMES: Final = (
    *("dataset", "ground_truth", "metric", "band", "size", "mask", "lt", "variant", "kind", "imported"),
    *("bn_mode", "experiment", "columns", "cells", "rows", "run", "set", "colour", "epoch", "truth_from"),
    *("truth_to", "predicted_from", "predicted_to", "reference", "curves", "arch", "run_mask"),
    *("run_bn_mode", "status", "search", "column", "sql", "chart", "x", "y", "embed", "embed_options"),
    *("untrained", "axes", "errors", "first"),
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
    *("params", "c3x3", "convolution_depth", "tau_same_size", "gap_std", "predicted", "top-5 %"),
    *("by rank", "overestimated", "regret_at_10", "tau_share"),
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


def test_no_name_that_a_page_reads_is_forgotten() -> None:
    read = {
        call.args[0].value
        for file in (ROOT / "app").rglob("*.py")
        for call in ast.walk(ast.parse(file.read_text()))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and ast.unparse(call.func.value) in ("filters", "self.filters", "self._filters")
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }
    assert len(read) > 20
    assert read <= {*NAMES}


@pytest.mark.slow
@pytest.mark.parametrize("view", VIEWS)
@opening
@given(address=addresses)
def test_any_address_is_answered(
    view: str, filled: Warehouse, open_view: Any, address: dict[str, list[str]]
) -> None:
    for body in bodies(open_view(view, filled.path, **address)):
        check(body)
