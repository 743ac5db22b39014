"""What is known of one architecture, shaped for its page. Without Streamlit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from nasrank.app.rows import rows_as

# The benchmark's data sets, in the order of its papers.
DATASETS = ("cifar10-valid", "cifar10", "cifar100", "ImageNet16-120")


@dataclass(frozen=True, slots=True)
class Truth:
    """What one key says of the architecture; `mask_rank` is missing if the mask removes it."""

    split: str
    epochs: int
    averaged_epochs: int
    trial: str
    accuracy: float
    gt_rank: int
    mask_rank: int | None


def truth_matrix(truths: pd.DataFrame, *, is_masked: bool) -> pd.DataFrame:
    """One source's rows of `search_space.truths`: a column a data set, a row all else.

    The rank in the mask is told where there is a mask.
    """
    return _matrix(truths, [_truth(row, is_masked) for row in rows_as(Truth, truths)]).fillna("–")


def is_of_key(truths: pd.DataFrame, gt_key: str) -> pd.DataFrame:
    """Which cells of `truth_matrix` are of this key."""
    return _matrix(truths, list(truths["gt_key"])) == gt_key


def _matrix(truths: pd.DataFrame, values: Sequence[str]) -> pd.DataFrame:
    """A value of each row in its place of the matrix; missing where there is no row."""
    measured = [_measured(row) for row in rows_as(Truth, truths)]
    cells = pd.DataFrame({"dataset": truths["dataset"], "measured": measured, "value": values})
    others = sorted(set(truths["dataset"]) - set(DATASETS))
    columns = [name for name in [*DATASETS, *others] if name in set(truths["dataset"])]
    matrix = cells.pivot(index="measured", columns="dataset", values="value")
    matrix = matrix.reindex(index=list(dict.fromkeys(measured)), columns=columns)
    return matrix.rename_axis(index=truths["source"].iloc[0], columns=None)


def _measured(row: Truth) -> str:
    """`valid, 200 epochs`, of a trial or of a mean over epochs."""
    first = row.epochs - row.averaged_epochs + 1
    epochs = row.epochs if row.averaged_epochs == 1 else f"{first}–{row.epochs}"
    return f"{row.split}, {epochs} epochs" + ("" if row.trial == "mean" else f", trial {row.trial}")


def _truth(row: Truth, is_masked: bool) -> str:
    in_mask = f" ({row.mask_rank:,})" if is_masked and not pd.isna(row.mask_rank) else ""
    return f"{100 * row.accuracy:.2f} % · {row.gt_rank:,}{in_mask}"


def told_predictions(predictions: pd.DataFrame) -> str:
    """What all of `search_space.predictions` say together, in a sentence or two of medians."""
    evaluations, runs = len(predictions), predictions["run_id"].nunique()
    told = f"**{evaluations:,}** evaluation{_s(evaluations)} of {runs:,} run{_s(runs)}."
    known = predictions.dropna(subset=["place", "true_place"])
    if known.empty:
        return told
    place, true_place = (
        (100 * known[column].astype(float) / known["predicted"]).median()
        for column in ("place", "true_place")
    )
    return (
        f"{told} In the median they place it within the best {place:.1f} % of what the run predicted; by "
        f"ground truth it is within the best {true_place:.1f} % of the same."
    )


def _s(count: int) -> str:
    return "" if count == 1 else "s"
