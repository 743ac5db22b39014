from __future__ import annotations

import pandas as pd

from nasrank.app.views.rankings.notes import notes
from nasrank.report.charts.ranking_table import Ranking

ROWS = pd.DataFrame(
    {"experiment": ["none", "Zero"], "experiment_id": ["a", "b"], "seeds": [2, 1], "tau_a": [-1.0, -0.5]}
)
RUNS = pd.DataFrame(
    {
        "run_id": ["a0", "a1", "b0"],
        "experiment_id": ["a", "a", "b"],
        "kind": "trained",
        "name": None,
        "predicts": "accuracy",
        "file_name": None,
        "status": "finished",
        "non_finite": 0,
    }
)
COMPLETE = pd.DataFrame(columns=["experiment_id", "run_id", "seed", "bn_mode", "architecture_set", "missing"])


def told(
    *,
    split: str = "valid",
    rows: pd.DataFrame = ROWS,
    runs: pd.DataFrame = RUNS,
    lacking: pd.DataFrame = COMPLETE,
) -> list[tuple[str, bool]]:
    key = pd.Series({"gt_key": f"s:cifar10/{split}@200", "split": split})
    ranking = Ranking({"a": "none", "b": "Zero"}, pd.DataFrame(), rows, "running", "tau")
    return [(note.markdown, note.is_warning) for note in notes(key, ranking, runs, lacking)]


def lacks(run_id: str, seed: int, *sets: str) -> pd.DataFrame:
    rows = [(run_id[0], run_id, seed, "running", name, 5) for name in sets]
    return pd.DataFrame(rows, columns=COMPLETE.columns)


def test_all_is_well_but_one_seed() -> None:
    assert told() == [("One seed, and so without a band: Zero.", False)]


def test_train_accuracy_is_warned_of() -> None:
    text, is_warning = told(split="train")[0]
    assert "**train** accuracy" in text
    assert is_warning


def test_runs_that_lack_the_same_sets_are_told_together() -> None:
    lacking = pd.concat(
        [lacks("a0", 0, "top-10", "top-25"), lacks("a1", 1, "top-10", "top-25"), lacks("b0", 0, "random")]
    )
    text, is_warning = told(lacking=lacking)[0]
    assert "top-10, top-25 of **none** (seeds 0, 1); random of **Zero** (seed 0)" in text
    assert "--ground-truth s:cifar10/valid@200" in text
    assert is_warning


def test_evaluating_again_is_not_advised_where_predictions_are_not_finite() -> None:
    runs = RUNS.assign(non_finite=[3, 0, 0])
    (text, is_warning), *_ = told(runs=runs, lacking=lacks("a0", 0, "random"))
    assert "not finite numbers" in text
    assert "random of **none** (seed 0)" in text
    assert "nasrank-train" not in text
    assert is_warning


def test_sets_of_experiments_that_are_not_shown_are_not_told() -> None:
    assert told(lacking=lacks("c0", 0, "random")) == told()


def test_a_mask_that_leaves_too_few_architectures_is_told() -> None:
    rows = ROWS.assign(tau_a=[-1.0, float("nan")])
    assert told(rows=rows)[0] == (
        "The mask leaves fewer than 500 architectures, so not all eight points of τa exist: Zero.",
        False,
    )
    assert "fewer than 500" not in str(told(rows=rows, lacking=lacks("b0", 0, "top-10")))


def test_failed_runs_are_named() -> None:
    assert told(runs=RUNS.assign(status=["finished", "failed", "finished"]))[0] == (
        "Failed, and in no number here: `a1`.",
        True,
    )
