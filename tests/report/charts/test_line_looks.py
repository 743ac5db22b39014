"""How lines look: colours by mask, dashes by variant, marks by LT, wherever a line is drawn."""

from __future__ import annotations

import itertools

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from nasrank.db.nb201.architectures import all_masks
from nasrank.report.charts.line_looks import (
    COLOURS,
    DASHES,
    MASKS,
    VARIANTS,
    Look,
    colour_domain,
    looks_by_place,
    looks_of,
    spread_out,
)

KINDS = list(
    itertools.product(map(str, all_masks()), ["", "Skip", "Skip+Pool"], [*VARIANTS, None, "warmup+mine"])
)
EXPERIMENTS = pd.DataFrame(KINDS, columns=["mask", "lt", "variant"])
EXPERIMENTS["experiment_id"] = [f"e{place}" for place in range(len(EXPERIMENTS))]


@given(st.lists(st.sampled_from(range(len(EXPERIMENTS))), min_size=1, max_size=30, unique=True))
def test_a_mask_has_its_colour_and_no_two_lines_look_alike(places: list[int]) -> None:
    names = {f"e{place}": f"line {place}" for place in places}
    looks = looks_of(EXPERIMENTS, names)
    domain = colour_domain(looks)
    for place in places:
        mask = KINDS[place][0]
        look = looks[f"line {place}"]
        if mask in MASKS:
            assert look.colour == MASKS.index(mask)
        assert domain.index(f"line {place}") % COLOURS == look.colour, "the theme's colours, again and again"
    assert len(set(domain)) == len(domain)
    seen: dict[tuple[int, int], list[Look]] = {}
    for look in looks.values():
        seen.setdefault((look.colour, look.shape), []).append(look)
    for alike in seen.values():
        assert len(set(alike)) == min(len(alike), len(DASHES))


def test_a_line_looks_the_same_whatever_is_beside_it() -> None:
    plain = {
        f"e{place}": f"line {place}"
        for place, (_, lt, variant) in enumerate(KINDS)
        if not lt and variant in VARIANTS
    }
    together = looks_of(EXPERIMENTS, plain)
    for experiment_id, name in plain.items():
        if KINDS[int(experiment_id[1:])][0] in MASKS:
            assert looks_of(EXPERIMENTS, {experiment_id: name})[name] == together[name]
    assert together["line 0"] == Look(0, 0, 0)


def test_what_is_no_experiment_is_told_apart_by_its_place() -> None:
    looks = looks_by_place([f"run {place}" for place in range(COLOURS * len(DASHES))])
    assert len({(look.colour, look.dash) for look in looks.values()}) == len(looks)
    assert colour_domain(looks) == list(looks)
    assert colour_domain({}) == []


NUMBERS = st.floats(-1e3, 1e3, allow_nan=False)


@given(st.lists(NUMBERS, max_size=8), st.floats(0.01, 300), NUMBERS, st.floats(1, 1e3))
def test_names_are_apart_inside_and_in_the_order_of_their_lines(
    wanted: list[float], gap: float, low: float, room: float
) -> None:
    found = spread_out(wanted, gap, low, low + room)
    assert len(found) == len(wanted)
    gap = min(gap, room / max(1, len(wanted)))
    in_order = sorted(zip(wanted, range(len(wanted)), found, strict=True))
    places = [place for _, _, place in in_order]
    for before, after in itertools.pairwise(places):
        assert after - before >= gap * (1 - 1e-6) - 1e-6
    for place in found:
        assert low - 1e-6 <= place <= low + room + 1e-6


def test_names_that_have_room_stay_beside_their_lines() -> None:
    assert spread_out([], 1, 0, 9) == []
    assert spread_out([8, 2, 5], 1, 0, 9) == [8, 2, 5]
    # Two that touch go apart by half each; the third is not touched.
    assert spread_out([4, 4, 8], 1, 0, 9) == [3.5, 4.5, 8]
    # At an end there is room on one side only.
    assert spread_out([0, 0], 1, 0, 9) == [0.5, 1.5]
    # More than there is room for: as far apart as can be.
    assert spread_out([1, 1, 1, 1], 5, 0, 4) == [0.5, 1.5, 2.5, 3.5]
