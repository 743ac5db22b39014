"""Tables and sentences about one architecture."""

from __future__ import annotations

from typing import Any

import pandas as pd

from nasrank.app.views.search_space.architecture_facts import is_of_key, told_predictions, truth_matrix


def truth(key: str, dataset: str, **other: Any) -> dict[str, Any]:
    return {
        "gt_key": key,
        "source": "bench",
        "dataset": dataset,
        "split": "valid",
        "epochs": 200,
        "averaged_epochs": 1,
        "trial": "mean",
        "accuracy": 0.912345,
        "gt_rank": 1234,
        "mask_rank": 56,
    } | other


def test_truth_is_a_matrix_of_measurements_by_data_set() -> None:
    rows = pd.DataFrame(
        [
            truth("b", "cifar100"),
            truth("a", "cifar10-valid"),
            truth("c", "cifar10-valid", split="train", averaged_epochs=3),
            truth("d", "made-up", trial="777", mask_rank=pd.NA),
        ]
    )
    matrix = truth_matrix(rows, is_masked=True)
    assert list(matrix.columns) == ["cifar10-valid", "cifar100", "made-up"]
    assert list(matrix.index) == [
        "valid, 200 epochs",
        "train, 198–200 epochs",
        "valid, 200 epochs, trial 777",
    ]
    assert matrix.index.name == "bench"
    told = "91.23 % · 1,234"
    assert matrix.loc["valid, 200 epochs"].tolist() == [f"{told} (56)", f"{told} (56)", "–"]
    assert matrix.loc["valid, 200 epochs, trial 777", "made-up"] == told
    assert truth_matrix(rows, is_masked=False).loc["valid, 200 epochs", "cifar100"] == told


def test_cells_of_a_key_are_in_their_places() -> None:
    rows = pd.DataFrame([truth("b", "cifar100"), truth("a", "cifar10-valid"), truth("c", "x", trial="777")])
    assert is_of_key(rows, "a").to_numpy().tolist() == [[True, False, False], [False, False, False]]


def test_predictions_are_told_by_medians_of_those_that_are_finite() -> None:
    rows = pd.DataFrame(
        {
            "run_id": list("abcd"),
            "place": [20, 40, 180, None],
            "true_place": [10, 10, 10, None],
            "predicted": 200,
        }
    )
    assert told_predictions(rows) == (
        "**4** evaluations of 4 runs. In the median they place it within the best 20.0 % of what the run "
        "predicted; by ground truth it is within the best 5.0 % of the same."
    )
    assert told_predictions(rows.iloc[3:]) == "**1** evaluation of 1 run."
