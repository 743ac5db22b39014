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
