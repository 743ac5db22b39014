"""An architecture's cell as a picture: nodes in a row, an arrow for each edge, its operation on it.

The picture is SVG without style sheets, scripts or fonts of its own, and reads on light and on dark. As a
Vega expression of six digits it costs a chart nothing a point.
"""

from __future__ import annotations

import json
from typing import Final
from urllib.parse import quote

from nasrank.db.nb201.architectures import EDGES, EDGES_INTO, OPERATIONS, Architecture

_WIDTH: Final = 420
_HEIGHT: Final = 216
_RADIUS: Final = 15
_NODES_X: Final = (30, 150, 270, 390)
_NODES_Y: Final = 122
_NAMES: Final = ("in", "1", "2", "out")

# By edge: the path of its arrow, and where its label stands.
_PATHS: Final = (
    ("M45 122H131", (90, 122)),
    ("M38 109C80 52 220 52 259 105", (150, 66)),
    ("M165 122H251", (210, 122)),
    ("M32 107C60 -6 360 -6 386 102", (210, 24)),
    ("M158 135C200 192 340 192 379 139", (270, 178)),
    ("M285 122H371", (330, 122)),
)
# By operation: fill, ink, width of the arrow, dashes. White reads on the fills, and they stand out from both
# backgrounds; who does not see colours has words and lines.
_LOOKS: Final = (
    ("#E1E5EA", "#39424E", 1.2, "2 4"),
    ("#0072B2", "#FFF", 2, ""),
    ("#007A3D", "#FFF", 3, ""),
    ("#B34700", "#FFF", 4.5, ""),
    ("#8250B8", "#FFF", 2.5, "7 4"),
)
_ZERO: Final = OPERATIONS.index("Zero")
_EDGE: Final = "<g>"
_FADED_EDGE: Final = "<g opacity='.5'>"

# By edge: which edges must carry something for it to lie on a way from the input to the output, as
# alternatives of indices into `EDGES`, without the edge itself.
_WAYS: Final = (
    ((4,), (2, 5)),
    ((5,),),
    ((0, 5),),
    ((),),
    ((0,),),
    ((1,), (0, 2)),
)


def draw_cell(architecture: Architecture) -> str:
    """The SVG of the cell; edges that are not on a way from input to output are faded."""
    on_a_way = edges_on_a_way(architecture)
    edges = (
        (_EDGE if edge in on_a_way else _FADED_EDGE) + _edge(edge, operation) + "</g>"
        for edge, operation in enumerate(architecture.operations)
    )
    title = f"<title>{describe_cell(architecture)}</title>"
    return _HEAD.replace("><", f">{title}<", 1) + "".join(edges) + _TAIL


def describe_cell(architecture: Architecture) -> str:
    """The cell in words, as the alternative text of its picture."""
    on_a_way = edges_on_a_way(architecture)
    nodes = []
    names = ("the input", "node 1", "node 2", "the output")
    for node, edges in EDGES_INTO.items():
        inputs = [f"{OPERATIONS[architecture.operations[edge]]} of {names[EDGES[edge][0]]}" for edge in edges]
        nodes.append(f"{names[node]} gets {' and '.join(inputs)}")
    idle = [
        f"{_NAMES[source]} to {_NAMES[target]}"
        for edge, (source, target) in enumerate(EDGES)
        if edge not in on_a_way and architecture.operations[edge] != _ZERO
    ]
    told = f" Not on a way from input to output: {', '.join(idle)}." if idle else ""
    text = "; ".join(nodes)
    return f"{text[0].upper()}{text[1:]}.{told}"


def edges_on_a_way(architecture: Architecture) -> frozenset[int]:
    """The edges, as indices into `EDGES`, on a way from input to output without a Zero."""
    carries = [operation != _ZERO for operation in architecture.operations]
    return frozenset(
        edge
        for edge, ways in enumerate(_WAYS)
        if carries[edge] and any(all(carries[other] for other in way) for way in ways)
    )


def cell_expression(digits: str = "datum.digits") -> str:
    """A Vega expression that gives the address (a data URI) of the picture of a cell.

    `digits` is the expression of its six digits. The same picture as `draw_cell`, without its title.
    """
    parts = [json.dumps(_uri_part(_HEAD))]
    for edge, ways in enumerate(_WAYS):
        looks = [_uri_part(_edge(edge, operation)) for operation in range(len(OPERATIONS))]
        look = f"{json.dumps(looks)}[+substring({digits},{edge},{edge + 1})]"
        alternatives = [" && ".join(_carries(digits, other) for other in (edge, *way)) for way in ways]
        is_on_a_way = " || ".join(f"({alternative})" for alternative in alternatives)
        start, faded, end = (json.dumps(_uri_part(part)) for part in (_EDGE, _FADED_EDGE, "</g>"))
        parts += [f"({is_on_a_way} ? {start} : {faded})", look, end]
    parts.append(json.dumps(_uri_part(_TAIL)))
    return f"'data:image/svg+xml,' + {' + '.join(parts)}"


def _carries(digits: str, edge: int) -> str:
    return f"substring({digits},{edge},{edge + 1}) != '{_ZERO}'"


def _uri_part(svg: str) -> str:
    return quote(svg, safe=" /=:',.;()-")


def _edge(edge: int, operation: int) -> str:
    path, (x, y) = _PATHS[edge]
    fill, ink, width, dashes = _LOOKS[operation]
    stroke = "#8A929C" if operation == _ZERO else fill
    name = OPERATIONS[operation]
    half = 4.2 * len(name) + 5
    dash = f" stroke-dasharray='{dashes}'" if dashes else ""
    arrow = "" if operation == _ZERO else " marker-end='url(#a)'"
    return (
        f"<path d='{path}' fill='none' stroke='{stroke}' stroke-width='{width}'{dash}{arrow}/>"
        f"<rect x='{x - half:g}' y='{y - 10}' width='{2 * half:g}' height='20' rx='10' fill='{fill}'/>"
        f"<text x='{x}' y='{y + 4.5:g}' fill='{ink}'>{name}</text>"
    )


def _node(place: int) -> str:
    x = _NODES_X[place]
    return (
        f"<circle cx='{x}' cy='{_NODES_Y}' r='{_RADIUS}' fill='#4A5563'/>"
        f"<text x='{x}' y='{_NODES_Y + 4.5}' fill='#FFF'>{_NAMES[place]}</text>"
    )


_HEAD: Final = (
    f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {_WIDTH} {_HEIGHT}' width='{_WIDTH}' "
    f"height='{_HEIGHT}' role='img' font-family='system-ui,sans-serif' font-size='13' "
    "font-weight='600' text-anchor='middle'><defs><marker id='a' viewBox='0 0 8 8' refX='6' refY='4' "
    "markerWidth='9' markerHeight='9' markerUnits='userSpaceOnUse' orient='auto'>"
    "<path d='M0 0L8 4L0 8z' fill='#8A929C'/></marker></defs>"
)
_TAIL: Final = "".join(_node(place) for place in range(len(_NODES_X))) + "</svg>"
