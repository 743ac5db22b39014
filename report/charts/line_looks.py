"""How a line looks, the same on every page and in the report: colour by mask, dash by variant, mark by LT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import pandas as pd

from nasrank.db.nb201.architectures import all_masks

# In the order of the theme's eight colours: the masks of the shipped study.
MASKS: Final = ("", "Zero", "Skip", "C1x1", "C3x3", "Pool", "Zero+Skip", "Zero+Pool")
VARIANTS: Final = ("baseline", "uniform-sampling", "warmup", "grad-clipping", "regularized", "not-shared")
DASHES: Final = ([1, 0], [7, 3], [2, 2], [8, 3, 2, 3], [3, 4], [12, 3, 2, 3, 2, 3])
SHAPES: Final = (
    "circle",
    "square",
    "triangle-up",
    "diamond",
    "cross",
    "triangle-down",
    "triangle-right",
    "triangle-left",
)
COLOURS: Final = len(MASKS)


@dataclass(frozen=True, slots=True)
class Look:
    """A line's colour, by its place in the theme, its dash and its mark."""

    colour: int
    dash: int
    shape: int


# By the name of the line.
Looks = Mapping[str, Look]


def looks_of(experiments: pd.DataFrame, names: Mapping[str, str]) -> dict[str, Look]:
    """Of the experiments that `names` has, by name; `experiments` has the columns of `queries.experiments`.

    Masks beside the eight share their colours. Two lines of one mask, LT and variant have different dashes.
    """
    looks: dict[str, Look] = {}
    known = experiments.fillna({"lt": "", "variant": ""}).set_index("experiment_id")
    sets = {str(mask): place for place, mask in enumerate(all_masks())}
    for experiment_id, name in names.items():
        row = known.loc[experiment_id]
        mask, lt, variant = str(row["mask"]), str(row["lt"]), str(row["variant"])
        colour = MASKS.index(mask) if mask in MASKS else sets[mask] % COLOURS
        dash = sum(VARIANTS.index(part) for part in variant.split("+") if part in VARIANTS)
        shape = 1 + sets.get(lt, 0) % (len(SHAPES) - 1) if lt else 0
        looks[name] = _unused(Look(colour, dash % len(DASHES), shape), looks)
    return looks


def looks_by_place(series: Sequence[str]) -> dict[str, Look]:
    """Of lines that are no experiments, such as runs: another colour each, then other dashes."""
    return {
        name: Look(place % COLOURS, place // COLOURS % len(DASHES), place % len(SHAPES))
        for place, name in enumerate(series)
    }


def colour_domain(looks: Looks) -> list[str]:
    """The names in an order in which the theme's colours, used again and again, are those of the looks."""
    places: dict[int, str] = {}
    for name, look in looks.items():
        place = look.colour
        while place in places:
            place += COLOURS
        places[place] = name
    return [places.get(place, f"no line {place}") for place in range(max(places, default=-1) + 1)]


def _unused(look: Look, looks: Looks) -> Look:
    """Another dash where the look is that of another line, as long as there is one."""
    for step in range(len(DASHES)):
        other = replace(look, dash=(look.dash + step) % len(DASHES))
        if other not in looks.values():
            return other
    return look
