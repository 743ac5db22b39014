"""A chart as Vega-Lite's specification, for pages: its tables stay tables, which a browser gets as Arrow."""

from __future__ import annotations

import hashlib
import re
from typing import Any, Final

import altair as alt
import pyarrow as pa
import pyarrow.compute as pc

from nasrank.report.charts.images import ALTAIR_SETTINGS, NO_CHARACTER, with_plain_titles

_BY_CONTENT: Final = "tables by content"
_LINE_SEPARATORS: Final = re.compile("[\u2028\u2029]")


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
        spec: dict[str, Any] = _parsable(with_plain_titles(chart.to_dict(validate=False)))
    return {**spec, "datasets": {**spec.get("datasets", {}), **tables}}


def _parsable(part: Any) -> Any:
    """A part of a specification without the characters that Vega's expressions cannot have.

    What a chart sorts by stands in one, and the chart would be an error. Tables have them no more than the
    specification, so that what is sorted is found.
    """
    if isinstance(part, dict):
        return {name: _parsable(value) for name, value in part.items()}
    if isinstance(part, list):
        return [_parsable(value) for value in part]
    return _LINE_SEPARATORS.sub(NO_CHARACTER, part) if isinstance(part, str) else part


def _parsable_table(table: pa.Table) -> pa.Table:
    for place, field in enumerate(table.schema):
        is_category = pa.types.is_dictionary(field.type)
        kind = field.type.value_type if is_category else field.type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            texts = table[place].cast(kind)
            if pc.any(pc.match_substring_regex(texts, _LINE_SEPARATORS.pattern)).as_py():
                texts = pc.replace_substring_regex(texts, _LINE_SEPARATORS.pattern, NO_CHARACTER)
                table = table.set_column(place, field.name, texts)
    return table


def _named_by_content(data: Any, tables: dict[str, pa.Table]) -> dict[str, str]:
    """What the specification has instead of a DataFrame, which goes to `tables`."""
    table = _parsable_table(pa.Table.from_pandas(data))
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    name = hashlib.sha256(stream.getvalue()).hexdigest()
    tables[name] = table
    return {"name": name}


alt.data_transformers.register(_BY_CONTENT, _named_by_content)
