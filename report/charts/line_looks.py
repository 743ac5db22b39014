"""How a line looks, the same on every page and in the report: colour by mask, dash by variant, mark by LT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import altair as alt
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
# Pixels: of the labels of an axis, so that panels align; of a letter; of what surrounds a name in a legend.
AXIS_WIDTH: Final = 46
LETTER: Final = 5.6
_SYMBOL: Final = 48


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


def line_styles(
    series: Sequence[str], looks: Looks, chart_width: int | None, *, has_legend: bool = True
) -> dict[str, Any]:
    """Colour and dash of every line, with a legend of line swatches, and the colour as a filling."""
    order = colour_domain(looks)
    legend = _legend(series, chart_width) if has_legend else None
    dashes = [DASHES[looks[name].dash] if name in looks else DASHES[0] for name in order]
    return {
        "stroke": alt.Stroke("series:N", legend=legend).scale(domain=order),
        "strokeDash": alt.StrokeDash("series:N", legend=legend).scale(domain=order, range=dashes),
        "fill": alt.Fill("series:N", legend=legend).scale(domain=order),
    }


def _legend(series: Sequence[str], chart_width: int | None) -> alt.Legend:
    """Line swatches in as many columns as there is room for."""
    width = round(max(map(len, series)) * LETTER + _SYMBOL)
    return alt.Legend(
        title=None,
        orient="top",
        direction="horizontal",
        values=list(series),
        labelLimit=2 * width,  # fonts differ in width: no name is cut
        symbolLimit=0,  # all of them: Vega's own limit is 30
        symbolType="stroke",
        symbolSize=500,
        symbolStrokeWidth=2.5,
        symbolOpacity=1,
        labelFontSize=13,
        columns=alt.ExprRef(f"max(1, floor((containerSize()[0] - {AXIS_WIDTH}) / {width}))")
        if chart_width is None
        else max(1, chart_width // width),
    )


def spread_out(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places as near to the wanted ones as can be, at least a gap apart, in the same order, inside the ends.

    Where they have no room with that gap, they are as far apart as they can be.
    """
    if not wanted:
        return []
    gap = min(gap, (high - low) / len(wanted))
    order = sorted(range(len(wanted)), key=lambda place: wanted[place])
    # Groups of neighbours that touch: how many they are, and the sum of where each would have the first.
    groups: list[tuple[int, float]] = []
    for place in order:
        size, total = 1, wanted[place]
        while groups and groups[-1][1] / groups[-1][0] + gap * groups[-1][0] > total / size:
            before, sum_before = groups.pop()
            size, total = before + size, sum_before + total - gap * before * size
        groups.append((size, total))
    first = [total / size + gap * step for size, total in groups for step in range(size)]
    # From either end inwards, where a group is outside.
    for step in range(len(first)):
        first[step] = max(first[step], low + gap * (step + 0.5))
    for step in range(len(first)):
        first[-1 - step] = min(first[-1 - step], high - gap * (step + 0.5))
    found = dict(zip(order, first, strict=True))
    return [found[place] for place in range(len(wanted))]


def _unused(look: Look, looks: Looks) -> Look:
    """Another dash where the look is that of another line, as long as there is one."""
    for step in range(len(DASHES)):
        other = replace(look, dash=(look.dash + step) % len(DASHES))
        if other not in looks.values():
            return other
    return look
