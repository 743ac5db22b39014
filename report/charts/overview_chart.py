"""Experiments by one number each: its interval, what chance gives, and from what it differs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import altair as alt
import pandas as pd

from nasrank.db.warehouse.models import UNTRAINED
from nasrank.report.charts.labels import signed
from nasrank.report.charts.line_looks import Looks, colour_domain
from nasrank.report.charts.picking import emphasis, picking
from nasrank.report.charts.theme import GREY, sized
from nasrank.report.metrics import METRICS

# The verdict on what others are held against.
REFERENCE: Final = "the reference"
_LEVEL: Final = 0.05
# Pixels: of a row; of the longest name, and the share of the width that it may be.
_ROW: Final = 23
_LONGEST: Final = 250
_NAMES_SHARE: Final = 0.4


@dataclass(frozen=True, slots=True)
class Dots:
    """What the chart shows.

    rows: of `dot_rows`, the best first. metric: a key of `METRICS`. title: of the axis. looks: by series.
    """

    rows: pd.DataFrame
    metric: str
    title: str
    looks: Looks


@dataclass(frozen=True, slots=True)
class Held:
    """What the experiments are held against.

    reference: the `experiment_id` of one of them; empty for none. labels: names by `experiment_id`, also of
    the reference. limits: of one_training and of an oracle, by mask.
    """

    reference: str
    labels: Mapping[str, str]
    limits: Mapping[str, Mapping[str, float]]


def dot_rows(
    overview: pd.DataFrame, experiments: pd.DataFrame, series: Mapping[str, str], held: Held, metric: str
) -> pd.DataFrame:
    """A row for each experiment that `series` has (the name by which it is picked), the best first.

    overview: of `report.overview.overview`. Columns: experiment_id, series, label, kind, mask, seeds, then
    as the metric is told mean, low, high, chance_low, chance_high, initial_low, initial_high, one_training
    and oracle (missing where not known), is_faded (what chance explains), is_certain (differs from the
    reference), and in words: verdict, interval.
    """
    told = METRICS[metric]
    known = overview[overview["experiment_id"].isin(list(series))]
    about = experiments.set_index("experiment_id")
    mean, half = told.scale * known["mean"], told.scale * known["half_interval"]
    masks = known["experiment_id"].map(about["mask"])
    rows = pd.DataFrame(
        {
            "experiment_id": known["experiment_id"],
            "series": known["experiment_id"].map(series),
            "label": known["experiment_id"].map(held.labels),
            "kind": known["experiment_id"].map(about["kind"]),
            "mask": masks,
            "seeds": known["seeds"],
            "mean": mean,
            "low": mean - half,
            "high": mean + half,
            "chance_low": told.scale * known["permutations_low"].astype(float),
            "chance_high": told.scale * known["permutations_high"].astype(float),
            "initial_low": told.scale * known["initial_low"].astype(float),
            "initial_high": told.scale * known["initial_high"].astype(float),
            **{
                name: (told.scale * masks.map(dict(held.limits.get(name, {})))).astype(float)
                for name in ("one_training", "oracle")
            },
            "is_faded": known["is_within_chance"].astype(object) == True,  # noqa: E712, may be missing
            "is_certain": (known["p_holm"] < _LEVEL).astype(bool),
        }
    )
    rows["verdict"] = [
        _verdict(identity, told.scale * difference, p_holm, held)
        for identity, difference, p_holm in known[["experiment_id", "difference", "p_holm"]].itertuples(
            index=False
        )
    ]
    rows["interval"] = [
        signed(mean, told.digits)
        if pd.isna(low)
        else f"{signed(mean, told.digits)} ({signed(low, told.digits)} to {signed(high, told.digits)})"
        for mean, low, high in rows[["mean", "low", "high"]].itertuples(index=False)
    ]
    return rows.sort_values("mean", ascending=told.is_less_better, kind="stable").reset_index(drop=True)


def _verdict(experiment_id: str, difference: float, p_holm: float, held: Held) -> str:
    """What a difference to the reference says; nothing where there is none."""
    if not held.reference:
        return ""
    if experiment_id == held.reference:
        return REFERENCE
    if math.isnan(difference):
        return "not compared"
    if math.isnan(p_holm):
        return f"a difference of {signed(difference, 3)}, without an interval"
    name = held.labels.get(held.reference, "the reference")
    if p_holm < _LEVEL:
        return f"differs from {name}, by {signed(difference, 3)}"
    return f"cannot be told from {name}: a difference of {signed(difference, 3)}"


def overview_chart(
    dots: Dots, *, picked: Sequence[str] = (), width: int | None = None
) -> alt.LayerChart | alt.FacetChart:
    """A line for each experiment: a dot with its interval, ticks for what could be had, a band of chance.

    A dot is filled where it certainly differs from the reference, and pale where chance explains it. What
    needs no training is a grey square, the reference a diamond. A click picks (selection `picked`).
    `width` in pixels; None for that of the container.
    """
    rows, order = dots.rows, list(dots.rows["label"])
    selection = picking()
    domain = colour_domain(dots.looks)
    is_network = rows["kind"] != UNTRAINED
    label_limit: float | alt.ExprRef = (
        alt.ExprRef(f"min({_LONGEST}, {_NAMES_SHARE} * containerSize()[0])")
        if width is None
        else min(_LONGEST, _NAMES_SHARE * width)
    )
    y = alt.Y("label:N", sort=order, title=None).axis(
        labelLimit=label_limit, labelOverlap=False, grid=True, ticks=False, domain=False
    )
    scale = alt.Scale(zero=False, nice=True)

    def x(column: str) -> alt.X:
        return alt.X(f"{column}:Q", title=dots.title, scale=scale).axis(tickCount=8)

    tooltip = [
        alt.Tooltip("label:N", title="experiment"),
        alt.Tooltip("interval:N", title=METRICS[dots.metric].name),
        alt.Tooltip("seeds:Q"),
        alt.Tooltip("verdict:N", title="difference to the reference"),
        alt.Tooltip("chance_low:Q", title="chance from", format=".3f"),
        alt.Tooltip("chance_high:Q", title="to", format=".3f"),
        alt.Tooltip("one_training:Q", title="one training", format=".3f"),
        alt.Tooltip("oracle:Q", title="oracle", format=".3f"),
    ]
    layers: list[alt.Chart] = []
    for name, share in (("chance", 0.28), ("initial", 0.16)):
        known = rows.dropna(subset=[f"{name}_low", f"{name}_high"])
        if not known.empty:
            layers.append(
                alt.Chart(known)
                .mark_bar(color=GREY, opacity=share, height={"band": 0.8})
                .encode(y=y, x=x(f"{name}_low"), x2=alt.X2(f"{name}_high"), tooltip=tooltip)
            )
    for name, thickness in (("one_training", 1.5), ("oracle", 3)):
        known = rows[is_network].dropna(subset=[name])
        if not known.empty:
            layers.append(
                alt.Chart(known)
                .mark_tick(color=GREY, thickness=thickness, height={"band": 0.62})
                .encode(y=y, x=x(name), tooltip=tooltip)
            )
    colour = alt.Color("series:N", legend=None).scale(domain=domain)
    opacity = emphasis(selection, picked, 1, 0.2)
    networks, others = rows[is_network], rows[~is_network]
    base = alt.Chart(networks).encode(y=y, opacity=opacity, tooltip=tooltip)
    pale = alt.condition("datum.is_faded", alt.value(0.4), alt.value(1))
    layers.append(
        base.transform_filter(alt.FieldValidPredicate(field="low", valid=True))
        .mark_rule(strokeWidth=2.5)
        .encode(x=x("low"), x2=alt.X2("high"), color=colour, strokeOpacity=alt.StrokeOpacityValue(**pale))
    )
    is_reference = networks["verdict"] == REFERENCE
    for shape, mine in (("circle", ~is_reference), ("diamond", is_reference)):
        shown = networks[mine]
        if shown.empty:
            continue
        fill = alt.condition(
            f"datum.is_certain || datum.verdict == '{REFERENCE}'", alt.value(1), alt.value(0)
        )
        layers.append(
            alt.Chart(shown)
            .mark_point(size=90 if shape == "circle" else 150, strokeWidth=2.5, shape=shape)
            .encode(
                y=y,
                x=x("mean"),
                opacity=opacity,
                stroke=alt.Stroke("series:N", legend=None).scale(domain=domain),
                fill=alt.Fill("series:N", legend=None).scale(domain=domain),
                fillOpacity=alt.FillOpacityValue(**fill),
                strokeOpacity=alt.StrokeOpacityValue(**pale),
                tooltip=tooltip,
            )
        )
    if not others.empty:
        layers.append(
            alt.Chart(others)
            .mark_point(size=70, shape="square", filled=True, color=GREY)
            .encode(y=y, x=x("mean"), opacity=opacity, tooltip=tooltip)
        )
    layers[-1] = layers[-1].add_params(selection)
    return sized(alt.layer(*layers), _ROW * len(rows) + 20, width)


def overview_description(dots: Dots) -> str:
    """The chart for those who do not see it; short, because Streamlit names its buttons by it too."""
    first = dots.rows.iloc[0]
    return (
        f"{METRICS[dots.metric].name} of {len(dots.rows)} experiments with intervals, the best first: "
        f"{first['label']}, {first['interval']}"
    )
