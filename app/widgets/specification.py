"""A chart as Vega-Lite's specification, for pages: its tables stay tables, which a browser gets as Arrow."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import altair as alt
import pyarrow as pa

from nasrank.report.charts.images import ALTAIR_SETTINGS, with_plain_titles

_BY_CONTENT: Final = "tables by content"


def specification(chart: Any) -> dict[str, Any]:
    """Any Altair chart, with its tables (`pa.Table`) under `datasets`, and without Altair's default size.

    Equal tables have equal names, so that a chart that is made again is the same one. Nothing is checked
    against Vega-Lite's schema, which would take a third of a page's time: tests check every chart.
    """
    tables: dict[str, pa.Table] = {}
    with (
        ALTAIR_SETTINGS,
        alt.theme.enable("none"),
        alt.data_transformers.enable(_BY_CONTENT, tables=tables),
    ):
        spec: dict[str, Any] = with_plain_titles(chart.to_dict(validate=False))
    return {**spec, "datasets": {**spec.get("datasets", {}), **tables}}


def _named_by_content(data: Any, tables: dict[str, pa.Table]) -> dict[str, str]:
    """What the specification has instead of a DataFrame, which goes to `tables`."""
    table = pa.Table.from_pandas(data)
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    name = hashlib.sha256(stream.getvalue()).hexdigest()
    tables[name] = table
    return {"name": name}


alt.data_transformers.register(_BY_CONTENT, _named_by_content)
