from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasrank.report.charts.labels import counted, experiment_labels, in_order, listed, roughly, signed
from tests.samples import CONFIG


def experiments(*changes: dict[str, Any]) -> pd.DataFrame:
    """Rows as `queries.experiments` gives them, one for each change of the usual configuration."""
    rows = []
    for number, change in enumerate(changes):
        labels = {"size": change.get("size", "tiny"), "variant": change.get("variant", "baseline")}
        config = {**CONFIG, **{name: value for name, value in change.items() if name not in labels}}
        rows.append(
            {
                "experiment_id": f"{number:012x}",
                "kind": "trained",
                "name": None,
                "dataset": config["dataset"],
                "mask": config["mask"],
                "lt": config["lt"],
                "epochs": config["epochs"],
                "config": json.dumps(config),
                **labels,
            }
        )
    return pd.DataFrame(rows)


def labels(*changes: dict[str, Any]) -> list[str]:
    return list(experiment_labels(experiments(*changes)).values())


def test_a_name_is_the_mask_alone_where_nothing_else_differs() -> None:
    assert labels({"mask": ""}, {"mask": "Zero+Pool"}) == ["none", "Zero+Pool"]


def test_a_name_tells_in_what_an_experiment_departs_from_most() -> None:
    assert labels({"mask": "Zero"}, {"mask": "Zero", "epochs": 250}, {"mask": "Pool"}) == [
        "Zero",
        "Zero · 250 epochs",
        "Pool",
    ]
    # Where most have nothing in common, each tells it: a difference that no name tells would be hidden.
    assert labels({"mask": "Zero"}, {"mask": "Pool", "epochs": 250}) == [
        "Zero · 20 epochs",
        "Pool · 250 epochs",
    ]
    assert labels({}, {"mask": "Zero"}, {"variant": "warmup", "epochs": 30}) == [
        "none",
        "Zero",
        "none · warmup · 30 epochs",
    ]
    assert labels({"learning_rate": 0.1}, {"learning_rate": 0.025}) == ["none · lr 0.1", "none · lr 0.025"]
    assert labels({"train_images": None}, {"train_images": 20_000}) == [
        "none · all images",
        "none · 20,000 images",
    ]


def test_a_size_stands_for_its_cells_and_channels() -> None:
    assert labels({}, {"size": "S", "cells_per_stage": 2, "channels": 32}) == ["none · tiny", "none · S"]
    assert labels(
        {"size": "custom", "cells_per_stage": 1, "channels": 24},
        {"size": "custom", "cells_per_stage": 1, "channels": 40},
    ) == ["none · custom 1×24", "none · custom 1×40"]


def test_images_of_another_size_are_told_apart() -> None:
    assert labels({}, {"image_size": 16}, {"image_size": 8}) == [
        "none · full-size images",
        "none · 16×16 pixels",
        "none · 8×8 pixels",
    ]
    assert labels({"max_shift": 4}, {"image_size": 16, "max_shift": 2}) == [
        "none · full-size images · shift 4",
        "none · 16×16 pixels · shift 2",
    ]


def test_an_lt_and_a_variant_are_named() -> None:
    assert labels({}, {"lt": "Skip"}, {"variant": "warmup", "warmup_epochs": 5}) == [
        "none",
        "none · LT Skip",
        "none · warmup",
    ]


def test_what_words_do_not_tell_apart_is_told_by_the_identity() -> None:
    # As a foreign run could be: two experiments whose configurations the warehouse holds as equal.
    assert labels({}, {}) == ["none · 000000000000", "none · 000000000001"]


changes = st.fixed_dictionaries(
    {},
    optional={
        "mask": st.sampled_from(["", "Zero", "Zero+Pool"]),
        "lt": st.sampled_from(["", "Skip"]),
        "size": st.sampled_from(["tiny", "custom"]),
        "channels": st.sampled_from([8, 9]),
        "epochs": st.sampled_from([20, 21, 1000]),
        "learning_rate": st.sampled_from([0.1, 0.1000001, 0.025]),
        "train_images": st.sampled_from([None, 100]),
        "image_size": st.sampled_from([8, 16]),
        "momentum": st.sampled_from([None, True, 0.9]),
        "unheard_of": st.sampled_from(["a", 1, False]),
    },
)


@given(st.lists(changes, min_size=1, max_size=8))
def test_no_two_experiments_have_one_name(many: list[dict[str, Any]]) -> None:
    names = labels(*many)
    assert len(names) == len(set(names)) == len(many)


def test_experiments_are_in_the_order_of_masks() -> None:
    rows = experiments(
        {"mask": "Zero+Pool"}, {"mask": "Pool"}, {"mask": ""}, {"mask": "Zero", "size": "S"}, {"mask": "Zero"}
    )
    ordered = in_order(rows)
    assert list(zip(ordered["mask"], ordered["size"], strict=True)) == [
        ("", "tiny"),
        ("Zero", "tiny"),
        ("Zero", "S"),
        ("Pool", "tiny"),
        ("Zero+Pool", "tiny"),
    ]
    assert in_order(rows.iloc[:0]).empty


@pytest.mark.parametrize(
    ("number", "text"),
    [(-0.9285, "−0.93"), (1.0, "1.00"), (-0.001, "0.00"), (0.0, "0.00"), (None, "–"), (float("nan"), "–")],
)
def test_signed_numbers(number: float | None, text: str) -> None:
    assert signed(number) == text


def test_lists_end() -> None:
    assert listed([1, 2, 3]) == "1, 2, 3"
    assert listed(range(10), at_most=2) == "0, 1 and 8 more"
    assert counted("seed", [0]) == "seed 0"
    assert counted("seed", [0, 1]) == "seeds 0, 1"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (61, "1 min"),
        (3580, "1 h 0 min"),
        (4800, "1 h 20 min"),
        (47.9 * 3600, "47 h 54 min"),
        (72 * 3600, "3 days"),
    ],
)
def test_estimates_are_told_roughly(seconds: float, told: str) -> None:
    assert roughly(seconds) == told
