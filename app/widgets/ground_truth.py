"""The ground-truth key of a page: which one to offer first, its parts, and what it means."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

import pandas as pd
import streamlit as st

from nasrank.app.widgets.text import as_text

# The default key within its source: accuracy on images that stand-alone training has not seen.
DEFAULT_KEY = ("cifar10-valid", "valid", 200, 1, "mean")


# The parts of a key, by columns of `shared_queries.ground_truth_keys`, and what they are called.
KEY_PARTS: Final = {
    "source": "Source",
    "dataset": "Data set",
    "split": "Split",
    "epochs": "Epochs of training",
    "averaged_epochs": "Mean over the last epochs",
    "trial": "Trial",
}


def key_with(keys: pd.DataFrame, row: pd.Series, part: str, value: object) -> str:
    """The key with another part: of those that have it, the one that has most of the other parts of `row`.

    Where nothing has it (a choice was taken away), that of `row`.
    """
    fitting = keys[keys[part] == value].to_dict("records")
    # The sooner a part is named, the more it counts: another split is another question, another trial hardly.
    best = max(fitting, key=lambda one: [one[name] == row[name] for name in KEY_PARTS], default=row)
    return str(best["gt_key"])


def part_in_words(part: str, value: object) -> str:
    """`200 epochs`, `trial 0`, `mean over trials`; others as they are."""
    if part == "epochs":
        return f"{value} epochs"
    if part == "averaged_epochs":
        return "the last alone" if value == 1 else f"the last {value}"
    if part == "trial":
        return "mean over trials" if value == "mean" else f"trial {value}"
    return str(value)


def default_key(keys: pd.DataFrame, asked: Sequence[str]) -> str:
    """The key that most runs were asked to predict; among equals `DEFAULT_KEY` of the first source.

    `asked` holds a JSON list of keys for each run.
    """
    counts = pd.Series([key for text in asked for key in json.loads(text)], dtype=str).value_counts()
    is_default = (
        keys[["dataset", "split", "epochs", "averaged_epochs", "trial"]].apply(tuple, axis=1) == DEFAULT_KEY
    )
    order = keys.assign(runs=keys["gt_key"].map(counts).fillna(0), is_default=is_default)
    order = order.sort_values(["runs", "is_default"], ascending=False, kind="stable")
    return str(order["gt_key"].iloc[0])


def describe_key(key: pd.Series) -> str:
    """One sentence of Markdown on what the architectures are ordered by."""
    split = {"train": "training", "valid": "validation"}.get(key["split"], as_text(key["split"]))
    trial = "mean over trials" if key["trial"] == "mean" else f"trial {as_text(key['trial'])}"
    if key["averaged_epochs"] > 1:
        trial += f" and the last {key['averaged_epochs']:d} epochs"
    return (
        f"Ranked against NAS-Bench-201's {split} accuracy on **{as_text(key['dataset'])}** after "
        f"{key['epochs']:d} epochs of stand-alone training, {trial} ({as_text(key['source'])})."
    )


def warn_of_train(key: pd.Series) -> None:
    """That the key is train accuracy, where it is."""
    if key["split"] == "train":
        st.warning(
            "This key is **train** accuracy, as in the authors' code: the best networks differ by hundredths "
            "of a percent, and it does not tell how well they generalize."
        )


def say_how_to_import() -> None:
    """What a warehouse without ground truth needs."""
    st.info("This warehouse has no ground truth yet. Import NAS-Bench-201's:")
    st.code("nasrank-train import-bench", language=None)
