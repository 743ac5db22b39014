"""What a warehouse says at first sight: a few findings of its own, each a sentence with its numbers.

Rules write them from the numbers of `overview`. A rule knows what it says where something holds, where it
does not, and where that cannot be told; it says nothing where it has no numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import pandas as pd

from nasrank.db.runs.experiment import TRAINED
from nasrank.db.warehouse.models import UNTRAINED
from nasrank.db.warehouse.reading import Reader
from nasrank.report.charts.labels import experiment_labels, in_order, set_name, signed
from nasrank.report.effects import holm
from nasrank.report.overview import Slice, overview, pairs_with, pairs_with_parameters

MOST: Final = 3
_LEVEL: Final = 0.05
# The middle 95 % of a normal distribution have so many deviations.
_DEVIATIONS: Final = 2 * 1.959964
_BEST: Final = "top-50"
# Where telling a difference would take more seeds than anybody trains.
_MOST_SEEDS: Final = 1000


@dataclass(frozen=True, slots=True)
class Headline:
    """A sentence, and where to see more: what is there, a page by its path, and parameters of its address."""

    sentence: str
    more: str
    page: str
    parameters: Mapping[str, Sequence[str]]


def headlines(
    warehouse: Reader,
    experiments: pd.DataFrame,
    of: Slice,
    oracle: Mapping[str, float],
    at_most: int = MOST,
) -> list[Headline]:
    """The first few that there are, about all networks on the slice's images, under its truth and BN mode.

    Args:
        experiments: as `queries.experiments`.
        of: its metric and set do not matter; these are about τ.
        oracle: by mask the τ of an oracle in the random sample; empty where the truth has no trials.
    """
    networks = in_order(
        experiments[(experiments["kind"] == TRAINED) & (experiments["dataset"] == of.dataset)]
    )
    if networks.empty:
        return []
    reference = baseline(networks)
    untrained = experiments[experiments["kind"] == UNTRAINED]
    pairs = [
        # What was imported is no network here, and makes no sentence about networks less certain.
        *pairs_with_parameters(pd.concat([networks, untrained])),
        *pairs_with(reference, _masks_of(networks, reference)),
    ]
    random, best = (
        _named(networks, overview(warehouse, replace(of, metric="tau", architecture_set=name), asked))
        for name, asked in (("random", pairs), (_BEST, []))
    )
    found = (
        against_parameters(random),
        against_chance(best),
        against_baseline(random, reference),
        against_oracle(random, oracle),
    )
    return [one for one in found if one is not None][:at_most]


def baseline(networks: pd.DataFrame) -> str:
    """The experiment that others are held against: no mask, no LT, the baseline; else the first of them.

    `networks` are rows of `queries.experiments` in the order of all pages.
    """
    is_plain = (networks["lt"] == "") & (networks["variant"] == "baseline")
    return str((networks[is_plain] if is_plain.any() else networks)["experiment_id"].iloc[0])


def against_parameters(random: pd.DataFrame) -> Headline | None:
    """Whether networks rank better than the number of parameters does."""
    rows = random.dropna(subset=["parameters_difference"])
    if rows.empty:
        return None
    is_told = rows["parameters_p_holm"] < _LEVEL
    better = rows[is_told & (rows["parameters_difference"] > 0)]
    worse = rows[is_told & (rows["parameters_difference"] < 0)]
    top = _highest(rows, "mean")
    shown = _highest(better, "parameters_difference") if len(better) else top
    numbers = f"{_interval(shown)}, counting parameters "
    numbers += signed(shown["mean"] - shown["parameters_difference"])
    has, highest = f"{shown['label']} has τ {numbers}", f"the highest, {shown['label']}, has τ {numbers}"
    if len(better):
        said = f"{_of(better, rows)} better than counting parameters does, certainly: {has}."
    elif len(worse) == len(rows):
        every = "every network" if len(rows) > 1 else "the network"
        said = f"Counting parameters ranks better than {every} here, certainly: {has}."
    elif len(worse):
        said = (
            f"No network here ranks certainly better than counting parameters does, and {len(worse)} of "
            f"{len(rows)} rank certainly worse: {highest}."
        )
    else:
        said = f"No network here can be told from counting parameters: {highest}."
    return Headline(
        said, "all experiments", "", {"metric": ["tau"], "set": ["random"], "lt": [""], "variant": [""]}
    )


def against_chance(best: pd.DataFrame) -> Headline | None:
    """Whether networks order the best architectures among themselves better than permutations would."""
    rows = best.dropna(subset=["permutations_low"]).reset_index(drop=True)
    if rows.empty:
        return None
    middle = (rows["permutations_low"] + rows["permutations_high"]) / 2
    deviation = (rows["permutations_high"] - rows["permutations_low"]) / _DEVIATIONS
    p_values = [0.5 * math.erfc(z / math.sqrt(2)) for z in (rows["mean"] - middle) / deviation]
    above = rows[pd.Series(holm(p_values), index=rows.index) < _LEVEL]
    shown = _highest(rows, "mean")
    numbers = (
        f"{shown['label']} has τ {_interval(shown)}, and chance up to {signed(shown['permutations_high'])}"
    )
    if len(above):
        said = f"{_of(above, rows)} the 50 best architectures better than chance, certainly: {numbers}."
    else:
        every = "No network here ranks" if len(rows) > 1 else "The network here does not rank"
        said = f"{every} the 50 best architectures certainly better than chance: at best, {numbers}."
    return Headline(said, "the top-50", "", {"metric": ["tau"], "set": [_BEST], "lt": [""], "variant": [""]})


def against_baseline(random: pd.DataFrame, reference: str) -> Headline | None:
    """Which mask ranks better than none, else LT or variant than the baseline."""
    rows = random.dropna(subset=["difference", "p_holm"])
    of_reference = random[random["experiment_id"] == reference]
    if rows.empty or of_reference.empty:
        return None
    base = of_reference.iloc[0]
    told = rows["p_holm"] < _LEVEL
    better, worse = rows[told & (rows["difference"] > 0)], rows[told & (rows["difference"] < 0)]
    are_masks = bool((rows["mask"] != base["mask"]).all())
    noun = "mask" if are_masks else "experiment"
    name = f"{noun} {set_name(str(base['mask']))}" if are_masks else str(base["label"])
    if len(better):
        shown = _highest(better, "difference")
        best = _beginning(_name(shown, are_masks))
        said = f"{best} ranks certainly better than {name}: τ {_both(shown, base)}"
    elif len(worse) == len(rows):
        shown = _highest(rows, "difference")
        nearest = _name(shown, are_masks)
        said = f"Every other {noun} ranks certainly worse than {name}: the nearest, {nearest}, has τ "
        said += _both(shown, base)
    else:
        shown = _highest(rows, "mean")
        also = f", and {len(worse)} of {len(rows)} certainly worse" if len(worse) else ""
        highest = _name(shown, are_masks)
        said = f"No {noun} ranks certainly better than {name}{also}: the highest, {highest}, has τ "
        said += _both(shown, base)
        if not pd.isna(shown["seeds_to_tell"]) and shown["seeds_to_tell"] <= _MOST_SEEDS:
            said += (
                f"; to tell so much apart takes {int(shown['seeds_to_tell'])} seeds each, and it has "
                f"{int(shown['seeds'])}"
            )
    return Headline(
        f"{said}.",
        "compare both",
        "compare",
        {"experiment": [reference, str(shown["experiment_id"])], "metric": ["tau"]},
    )


def against_oracle(random: pd.DataFrame, oracle: Mapping[str, float]) -> Headline | None:
    """How much of what the benchmark's noise allows the highest reaches."""
    rows = random[random["mask"].isin(oracle)]
    if rows.empty:
        return None
    shown = _highest(rows, "mean")
    most = oracle[str(shown["mask"])]
    share = max(0.0, 100 * shown["mean"] / most)
    return Headline(
        f"The highest reaches {share:.0f} % of what the benchmark's own noise leaves to be reached: "
        f"{shown['label']} has τ {_interval(shown)}, and an oracle {signed(most)}.",
        "under this mask",
        "",
        {"metric": ["tau"], "set": ["random"], "mask": [set_name(str(shown["mask"]))]},
    )


def _masks_of(networks: pd.DataFrame, reference: str) -> list[str]:
    """Those that differ from the reference in their mask alone; where none does, all others."""
    known = networks.set_index("experiment_id")
    base = known.loc[reference]
    alike = (networks["lt"] == base["lt"]) & (networks["variant"] == base["variant"])
    alike &= (networks["size"] == base["size"]) & (networks["epochs"] == base["epochs"])
    masks = networks[alike & (networks["mask"] != base["mask"])]
    return [*map(str, (masks if len(masks) else networks)["experiment_id"])]


def _named(networks: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """The numbers of the networks, with what they are; in their order."""
    rows = networks[["experiment_id", "mask", "lt", "variant", "size"]].merge(known, on="experiment_id")
    # A name begins with the mask's, which alone would be no name in a sentence.
    return rows.assign(label="mask " + rows["experiment_id"].map(experiment_labels(networks)))


def _highest(rows: pd.DataFrame, column: str) -> pd.Series[Any]:
    return rows.nlargest(1, column).iloc[0]


def _name(row: pd.Series[Any], is_mask: bool) -> str:
    return f"mask {set_name(row['mask'])}" if is_mask else str(row["label"])


def _beginning(name: str) -> str:
    return name[:1].upper() + name[1:]


def _of(some: pd.DataFrame, rows: pd.DataFrame) -> str:
    """The beginning of a sentence: how many of the networks rank something."""
    if len(some) == len(rows):
        return "Every network here ranks" if len(rows) > 1 else "The network here ranks"
    return f"{len(some)} of {len(rows)} networks {'rank' if len(some) > 1 else 'ranks'}"


def _interval(row: pd.Series[Any]) -> str:
    """`0.29 (0.11 to 0.47)`."""
    half = row["half_interval"]
    if pd.isna(half):
        return signed(row["mean"])
    return f"{signed(row['mean'])} ({signed(row['mean'] - half)} to {signed(row['mean'] + half)})"


def _both(row: pd.Series[Any], base: pd.Series[Any]) -> str:
    """`0.29 against 0.19, a difference of 0.10 (−0.01 to 0.20)`."""
    half = row["difference_interval"]
    ends = (
        ""
        if pd.isna(half)
        else f" ({signed(row['difference'] - half)} to {signed(row['difference'] + half)})"
    )
    return (
        f"{signed(row['mean'])} against {signed(base['mean'])}, a difference of "
        f"{signed(row['difference'])}{ends}"
    )
