"""Ground-truth keys with each other: how alike they rank."""

from __future__ import annotations

import altair as alt
import pandas as pd

from nasrank.report.charts.labels import signed
from nasrank.report.charts.theme import readable_ink, sized

# Pixels.
_ROW_HEIGHT = 34
_VALUE_WIDTH = 34


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
        .scale(range="diverging", domain=[-1, 1])
        .legend(orient="bottom", gradientLength=220, tickCount=5),
        tooltip=[
            alt.Tooltip("row:N", title="best by"),
            alt.Tooltip("column:N", title="ranked by"),
            alt.Tooltip("value:Q", title=metric, format=".3f"),
            alt.Tooltip("n:Q", title="architectures"),
        ],
    )
    ink = readable_ink("value")
    font_size = alt.ExprRef(f"bandwidth('x') < {_VALUE_WIDTH} ? 0 : 12")
    text = base.mark_text(fontSize=font_size, tooltip=None).encode(text=alt.Text("text:N"), color=ink)
    return sized(alt.layer(boxes, text), _ROW_HEIGHT * told["row"].nunique(), width)
