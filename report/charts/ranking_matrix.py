"""Experiments side by side: a row for each mask and setting, a column for each variant, LT or size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import altair as alt
import pandas as pd

from nasrank.db.warehouse.models import IMPORTED, UNTRAINED
from nasrank.report.charts.labels import (
    UNTRAINED_NAMES,
    experiment_labels,
    given_name,
    listed,
    set_name,
    signed,
    size_position,
)
from nasrank.report.charts.picking import emphasis, picking
from nasrank.report.charts.ranking_table import Ranking
from nasrank.report.charts.theme import readable_ink, sized

# What the columns of the matrix may be, by the name on the screen.
DIMENSIONS: Final = {"variant": "variant", "LT": "lt", "size": "size"}
TAU_A: Final = "τa"

# Pixels.
_ROW_HEIGHT: Final = 46
_LABEL_WIDTH: Final = 230
# Narrower cells hold no value, or no note; the tooltip and the table have both.
_VALUE_WIDTH: Final = 40
_NOTE_WIDTH: Final = 84
# Of its distance from zero, what chance gives keeps so much of its colour.
_PALE: Final = 0.2


def matrix(
    ranking: Ranking, experiments: pd.DataFrame, dimension: str, value: str, *, best_first: bool = False
) -> pd.DataFrame:
    """A row for each cell: row, column, value, seeds, reported (τa in the paper), series, experiment_id.

    And as in `Ranking.rows` whether it is within chance, and what of it it leaves: is_within_chance, leaves.

    `dimension` is a value of `DIMENSIONS`; `value` is τa, or a point of `ranking_table`, whose metric cells
    have. Each cell is one experiment. Rows come in the order of `experiments`, or with the best mean `value`
    first; imported ones have a column of their own, and so has each untrained predictor, in the row of its
    mask.
    """
    names = experiment_labels(experiments, without=dimension)
    untrained = experiments[experiments["kind"] == UNTRAINED]
    names |= dict(zip(untrained["experiment_id"], untrained["mask"].map(set_name), strict=True))
    known = experiments.set_index("experiment_id")
    rows = ranking.rows
    is_tau_a = value == TAU_A
    of = "tau_a" if is_tau_a else f"{ranking.metric}_{value}"
    cells = pd.DataFrame(
        {
            "row": rows["experiment_id"].map(names),
            "column": [_column(known.loc[identity], dimension) for identity in rows["experiment_id"]],
            "value": rows[of].astype(float),
            "seeds": rows["seeds"],
            "reported": rows["reported_tau_a"].astype(float) if is_tau_a else float("nan"),
            "leaves": rows[f"leaves_{of}"].astype(object),
            "is_within_chance": rows[f"within_chance_{of}"].astype(object) == True,  # noqa: E712, may be missing
            "series": rows["series"],
            "experiment_id": rows["experiment_id"],
        }
    )
    order = list(dict.fromkeys(names.values()))
    if best_first:
        means = cells.groupby("row")["value"].mean()
        order = list(means.sort_values(ascending=is_tau_a, na_position="last").index)
    cells["row_place"] = cells["row"].map(order.index)
    columns = _in_place(cells["column"], dimension)
    cells["column_place"] = cells["column"].map(columns.index)
    places = ["row_place", "column_place"]
    return cells.sort_values(places).drop(columns=places).reset_index(drop=True)


def matrix_chart(
    cells: pd.DataFrame, dimension: str, title: str, *, picked: Sequence[str] = (), width: int | None = None
) -> alt.LayerChart | alt.FacetChart:
    """The heat map of `matrix`: in each cell its value, the number of seeds, and what the paper prints.

    Blue is good: low for τa, high for a correlation; what chance gives, too, is pale. A click on cells
    (selection `picked`, shift for several) lets the others fade. `width` in pixels; None for that of the
    container.
    """
    columns = _in_place(cells["column"], dimension)
    told = cells.assign(
        text=cells["value"].map(signed),
        note=[
            ("untrained" if pd.isna(seeds) else f"n {seeds}")
            + (" · chance" if is_within else "")
            + ("" if pd.isna(reported) else f" · paper {signed(reported)}")
            for seeds, reported, is_within in zip(
                cells["seeds"], cells["reported"], cells["is_within_chance"], strict=True
            )
        ],
        # What chance gives, too, looks nearly as zero does.
        shown=cells["value"].mask(cells["is_within_chance"], _PALE * cells["value"]),
    )
    selection = picking()
    base = alt.Chart(told).encode(
        x=alt.X("column:N", sort=columns, title=None)
        .axis(
            orient="top",
            labelAngle=-30 if len(columns) > 4 else 0,
            labelLimit=_LABEL_WIDTH,
            labelOverlap=False,
        )
        .scale(paddingInner=0.04),
        y=alt.Y("row:N", sort=list(dict.fromkeys(cells["row"])), title=None)
        .axis(labelLimit=_LABEL_WIDTH, labelOverlap=False)
        .scale(paddingInner=0.06),
        opacity=emphasis(selection, picked, 1, 0.25),
    )
    boxes = base.mark_rect(cornerRadius=3).encode(
        color=alt.Color("shown:Q", title=title)
        .scale(range="diverging", domain=[-1, 1], reverse=title.startswith(TAU_A), clamp=True)
        .legend(orient="bottom", direction="horizontal", gradientLength=220, tickCount=5),
        tooltip=[
            alt.Tooltip("row:N", title="experiment"),
            alt.Tooltip("column:N", title=dimension),
            alt.Tooltip("value:Q", title=title, format=".3f"),
            alt.Tooltip("seeds:Q", title="seeds"),
            alt.Tooltip("reported:Q", title="τa in the paper", format=".2f"),
            alt.Tooltip("leaves:N", title="differs from chance of"),
        ],
    )
    ink = readable_ink("shown")
    value = base.mark_text(dy=-6, fontSize=_if_wider(_VALUE_WIDTH, 14), fontWeight=600, tooltip=None)
    note = base.mark_text(dy=11, fontSize=_if_wider(_NOTE_WIDTH, 11), tooltip=None)
    layers = [boxes.add_params(selection), value.encode(text=alt.Text("text:N"), color=ink)]
    layers.append(note.encode(text=alt.Text("note:N"), color=ink))
    return sized(alt.layer(*layers), _ROW_HEIGHT * cells["row"].nunique(), width)


def matrix_description(cells: pd.DataFrame, title: str) -> str:
    """The heat map for those who do not see it."""
    return f"{title} as a heat map, a row each for {listed(list(dict.fromkeys(cells['row'])))}"


def _column(experiment: pd.Series[str], dimension: str) -> str:
    if experiment["kind"] == UNTRAINED:
        return given_name(UNTRAINED, experiment["name"])
    return IMPORTED if experiment["kind"] == IMPORTED else set_name(str(experiment[dimension]))


def _in_place(names: pd.Series[str], dimension: str) -> list[str]:
    """From left to right: sizes by size, else the usual first; then imported ones, then what is untrained."""
    last = [IMPORTED, *UNTRAINED_NAMES.values()]

    def place(name: str) -> tuple[object, ...]:
        behind = 1 + last.index(name) if name in last else 0
        if dimension == "size":
            return (behind, *size_position(name))
        return (behind, name not in ("baseline", "none"), name.count("+"), name)

    return sorted(names.unique(), key=place)


def _if_wider(pixels: int, font_size: int) -> alt.ExprRef:
    return alt.ExprRef(f"bandwidth('x') < {pixels} ? 0 : {font_size}")
