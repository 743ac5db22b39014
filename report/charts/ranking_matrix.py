"""Heat maps: experiments side by side, and ground-truth keys with each other.

Of experiments a row is a mask and setting, a column a variant, an LT or a size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
from nasrank.report.metrics import CORRELATIONS, METRICS

# What the columns of the matrix may be, by the name on the screen.
DIMENSIONS: Final = {"variant": "variant", "LT": "lt", "size": "size"}
TAU_A: Final = "tau_a"

# Pixels.
_ROW_HEIGHT: Final = 46
_LABEL_WIDTH: Final = 230
# Narrower cells hold no value, or no note; the tooltip and the table have both.
_VALUE_WIDTH: Final = 40
_NOTE_WIDTH: Final = 84
# Of a heat map of keys.
_KEY_ROW_HEIGHT: Final = 34
_KEY_VALUE_WIDTH: Final = 34
# Of its distance from zero, what chance gives keeps so much of its colour.
_PALE: Final = 0.2


def matrix(
    ranking: Ranking, experiments: pd.DataFrame, dimension: str, metric: str, *, best_first: bool = False
) -> pd.DataFrame:
    """A row for each cell: row, column, value, seeds, reported (τa in the paper), series, experiment_id.

    And as in `Ranking.rows` whether it is within chance, and what of it it leaves: is_within_chance, leaves.

    `dimension` is a value of `DIMENSIONS`; `metric` the end of the columns of `ranking.rows` that cells have:
    `tau_a`, or one such as `tau_random` or `regret_at_10`. Each cell is one experiment. Rows come in the
    order of `experiments`, or with the best mean first; imported ones have a column of their own, and so has
    each untrained predictor, in the row of its mask.
    """
    names = experiment_labels(experiments, without=dimension)
    untrained = experiments[experiments["kind"] == UNTRAINED]
    names |= dict(zip(untrained["experiment_id"], untrained["mask"].map(set_name), strict=True))
    known = experiments.set_index("experiment_id")
    rows = ranking.rows
    cells = pd.DataFrame(
        {
            "row": rows["experiment_id"].map(names),
            "column": [_column(known.loc[identity], dimension) for identity in rows["experiment_id"]],
            "value": rows[metric].astype(float),
            "seeds": rows["seeds"],
            "reported": rows["reported_tau_a"].astype(float) if metric == TAU_A else float("nan"),
            "leaves": rows[f"leaves_{metric}"].astype(object),
            "is_within_chance": rows[f"within_chance_{metric}"].astype(object) == True,  # noqa: E712, may be missing
            "series": rows["series"],
            "experiment_id": rows["experiment_id"],
        }
    )
    order = list(dict.fromkeys(names.values()))
    if best_first:
        is_less_better = metric in METRICS and METRICS[metric].is_less_better
        means = cells.groupby("row")["value"].mean()
        order = list(means.sort_values(ascending=is_less_better, na_position="last").index)
    cells["row_place"] = cells["row"].map(order.index)
    columns = _in_place(cells["column"], dimension)
    cells["column_place"] = cells["column"].map(columns.index)
    places = ["row_place", "column_place"]
    return cells.sort_values(places).drop(columns=places).reset_index(drop=True)


@dataclass(frozen=True, slots=True)
class HeatMap:
    """What the heat map shows: cells of `matrix`, or a part of them, and what their values are.

    metric: a key of `METRICS`. title: of the values.
    """

    cells: pd.DataFrame
    dimension: str
    metric: str
    title: str

    @property
    def ends(self) -> list[float]:
        """The values of the two ends of the colours; nothing is beyond −1 and 1 where those are all."""
        values = METRICS[self.metric].scale * self.cells["value"].dropna()
        if self.metric in (*CORRELATIONS, TAU_A) or values.empty:
            return [-1.0, 1.0]
        return [float(values.min()), float(values.max())]


def matrix_chart(
    shown: HeatMap, *, picked: Sequence[str] = (), width: int | None = None
) -> alt.LayerChart | alt.FacetChart:
    """The heat map of `matrix`: in each cell its value, the number of seeds, and what the paper prints.

    Blue is good; what chance gives, too, is pale. A click on cells (selection `picked`, shift for several)
    lets the others fade. `width` in pixels; None for that of the container.
    """
    cells, dimension, metric = shown.cells, shown.dimension, METRICS[shown.metric]
    value = metric.scale * cells["value"]
    middle = sum(shown.ends) / 2
    columns = _in_place(cells["column"], dimension)
    told = cells.assign(
        value=value,
        text=[signed(one, metric.digits) for one in value],
        note=[
            ("untrained" if pd.isna(seeds) else f"n {seeds}")
            + (" · chance" if is_within else "")
            + ("" if pd.isna(reported) else f" · paper {signed(reported)}")
            for seeds, reported, is_within in zip(
                cells["seeds"], cells["reported"], cells["is_within_chance"], strict=True
            )
        ],
        # What chance gives, too, looks nearly as the middle does.
        shown=value.mask(cells["is_within_chance"], middle + _PALE * (value - middle)),
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
        color=alt.Color("shown:Q", title=shown.title)
        .scale(
            range="diverging", interpolate="rgb", domain=shown.ends, reverse=metric.is_less_better, clamp=True
        )
        .legend(orient="bottom", direction="horizontal", gradientLength=220, tickCount=5),
        tooltip=[
            alt.Tooltip("row:N", title="experiment"),
            alt.Tooltip("column:N", title=dimension),
            alt.Tooltip("value:Q", title=shown.title, format=".3f"),
            alt.Tooltip("seeds:Q", title="seeds"),
            alt.Tooltip("reported:Q", title="τa in the paper", format=".2f"),
            alt.Tooltip("leaves:N", title="differs from chance of"),
        ],
    )
    ink = readable_ink("shown")
    number = base.mark_text(dy=-6, fontSize=_if_wider(_VALUE_WIDTH, 14), fontWeight=600, tooltip=None)
    note = base.mark_text(dy=11, fontSize=_if_wider(_NOTE_WIDTH, 11), tooltip=None)
    layers = [boxes.add_params(selection), number.encode(text=alt.Text("text:N"), color=ink)]
    layers.append(note.encode(text=alt.Text("note:N"), color=ink))
    return sized(alt.layer(*layers), _ROW_HEIGHT * cells["row"].nunique(), width)


def matrix_description(shown: HeatMap) -> str:
    """The heat map for those who do not see it."""
    return f"{shown.title} as a heat map, a row each for {listed(list(dict.fromkeys(shown.cells['row'])))}"


def key_matrix_chart(
    agreement: pd.DataFrame, column: str, metric: str, *, width: int | None = None
) -> alt.LayerChart | alt.FacetChart:
    """A heat map of a correlation: a row's key chooses architectures, a column's ranks them too.

    `agreement`: dataset, split, other_dataset, other_split, n, and `column` (-1..1), called `metric`.
    `width` in pixels; None for that of the container.
    """
    told = pd.DataFrame(
        {
            "row": agreement["dataset"] + " " + agreement["split"],
            "column": agreement["other_dataset"] + " " + agreement["other_split"],
            "value": agreement[column],
            "n": agreement["n"],
            "text": agreement[column].map(signed),
        }
    )
    base = alt.Chart(told).encode(
        x=alt.X("column:N", title=None).axis(
            orient="top", labelAngle=-35, labelLimit=200, labelOverlap=False
        ),
        y=alt.Y("row:N", title=None).axis(labelLimit=200, labelOverlap=False),
    )
    boxes = base.mark_rect(cornerRadius=3).encode(
        color=alt.Color("value:Q", title=metric)
        .scale(range="diverging", interpolate="rgb", domain=[-1, 1])
        .legend(orient="bottom", gradientLength=220, tickCount=5),
        tooltip=[
            alt.Tooltip("row:N", title="best by"),
            alt.Tooltip("column:N", title="ranked by"),
            alt.Tooltip("value:Q", title=metric, format=".3f"),
            alt.Tooltip("n:Q", title="architectures"),
        ],
    )
    ink = readable_ink("value")
    font_size = alt.ExprRef(f"bandwidth('x') < {_KEY_VALUE_WIDTH} ? 0 : 12")
    text = base.mark_text(fontSize=font_size, tooltip=None).encode(text=alt.Text("text:N"), color=ink)
    return sized(alt.layer(boxes, text), _KEY_ROW_HEIGHT * told["row"].nunique(), width)


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
