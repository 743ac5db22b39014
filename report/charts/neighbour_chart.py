"""What becomes of an architecture's accuracy when one of its operations is another."""

from __future__ import annotations

from typing import Final

import altair as alt
import pandas as pd

from nasrank.db.nb201.architectures import EDGES, OPERATIONS, Architecture
from nasrank.report.charts.labels import signed
from nasrank.report.charts.picking import picking
from nasrank.report.charts.theme import GREY, readable_ink, sized

_NODES: Final = ("in", "1", "2", "out")
EDGE_NAMES: Final = tuple(f"{_NODES[source]} → {_NODES[target]}" for source, target in EDGES)
# Pixels.
_ROW_HEIGHT: Final = 38


def neighbours(architecture: Architecture, accuracies: pd.DataFrame) -> pd.DataFrame:
    """A row for each edge and operation: edge, operation, arch_id, is_own, accuracy and difference (percent).

    `accuracies`: arch_id, accuracy (fraction); what it lacks is missing. `series` is the `arch_id` as text.
    """
    rows = []
    for edge, name in enumerate(EDGE_NAMES):
        for operation, operation_name in enumerate(OPERATIONS):
            changed = list(architecture.operations)
            changed[edge] = operation
            arch_id = Architecture(tuple(changed)).arch_id
            rows.append((name, operation_name, arch_id, arch_id == architecture.arch_id))
    table = pd.DataFrame(rows, columns=["edge", "operation", "arch_id", "is_own"])
    known = accuracies.set_index("arch_id")["accuracy"] * 100
    table["accuracy"] = table["arch_id"].map(known)
    table["difference"] = table["accuracy"] - known.get(architecture.arch_id, float("nan"))
    table["series"] = table["arch_id"].astype(str)
    return table


def neighbour_chart(table: pd.DataFrame, width: int | None = None) -> alt.LayerChart | alt.FacetChart:
    """The heat map of `neighbours`: blue where the change makes it better; a click picks an architecture.

    `width` in pixels; None for that of the container.
    """
    told = table.assign(
        text=table["difference"].map(signed).mask(table["is_own"], table["accuracy"].map("{:.2f}".format))
    )
    # A few changes cost tens of percent: they would leave no colour to the others.
    reach = max(1.0, float(told["difference"].abs().fillna(0).quantile(0.8)))
    base = alt.Chart(told).encode(
        x=alt.X("operation:N", sort=list(OPERATIONS), title=None).axis(orient="top", labelAngle=0),
        y=alt.Y("edge:N", sort=list(EDGE_NAMES), title=None),
    )
    boxes = base.mark_rect(cornerRadius=3).encode(
        color=alt.Color("difference:Q", title="change in accuracy (%)")
        .scale(range="diverging", interpolate="rgb", domain=[-reach, reach], clamp=True)
        .legend(orient="bottom", gradientLength=180, tickCount=4),
        stroke=alt.StrokeValue(**alt.condition("datum.is_own", alt.value(GREY), alt.value(None))),
        strokeWidth=alt.StrokeWidthValue(2),
        tooltip=[
            alt.Tooltip("edge:N"),
            alt.Tooltip("operation:N"),
            alt.Tooltip("arch_id:Q", title="architecture"),
            alt.Tooltip("accuracy:Q", title="ground truth (%)", format=".2f"),
            alt.Tooltip("difference:Q", title="change (%)", format="+.2f"),
        ],
    )
    ink = readable_ink("difference")
    text = base.mark_text(fontSize=12, tooltip=None).encode(text=alt.Text("text:N"), color=ink)
    return sized(alt.layer(boxes.add_params(picking()), text), _ROW_HEIGHT * len(EDGES), width)


def errors_chart(table: pd.DataFrame, width: int | None = None) -> alt.LayerChart | alt.FacetChart:
    """A heat map of mean errors of prediction by edge and operation: blue where predictions are too good.

    `table`: edge, operation, n, off_by (percent of the set). `width` in pixels; None for that of the
    container.
    """
    told = table.assign(text=table["off_by"].map(lambda value: signed(value, 1)))
    reach = max(1.0, float(told["off_by"].abs().max()))
    base = alt.Chart(told).encode(
        x=alt.X("operation:N", sort=list(OPERATIONS), title=None).axis(orient="top", labelAngle=0),
        y=alt.Y("edge:N", sort=list(EDGE_NAMES), title=None),
    )
    boxes = base.mark_rect(cornerRadius=3).encode(
        color=alt.Color("off_by:Q", title="places too high (% of the set)")
        .scale(range="diverging", interpolate="rgb", domain=[-reach, reach])
        .legend(orient="bottom", gradientLength=180, tickCount=4),
        tooltip=[
            alt.Tooltip("edge:N"),
            alt.Tooltip("operation:N"),
            alt.Tooltip("off_by:Q", title="mean error (% of the set)", format="+.2f"),
            alt.Tooltip("n:Q", title="architectures"),
        ],
    )
    text = base.mark_text(fontSize=12, tooltip=None).encode(
        text=alt.Text("text:N"), color=readable_ink("off_by")
    )
    return sized(alt.layer(boxes, text), _ROW_HEIGHT * len(EDGES), width)
