"""The picture of a cell: of every architecture, well-formed, complete, and the same by either way."""

from __future__ import annotations

import json
from urllib.parse import unquote
from xml.etree import ElementTree

import vl_convert

from nasrank.db.nb201.architectures import EDGES, NUM_ARCHITECTURES, OPERATIONS, Architecture
from nasrank.report.charts.cell_drawing import cell_expression, describe_cell, draw_cell, edges_on_a_way

SVG = "{http://www.w3.org/2000/svg}"


def walks(architecture: Architecture) -> set[int]:
    """The edges of all ways from input to output, each way walked."""
    found: set[int] = set()

    def walk(node: int, way: list[int]) -> None:
        if node == 3:
            found.update(way)
        for edge, (source, target) in enumerate(EDGES):
            if source == node and OPERATIONS[architecture.operations[edge]] != "Zero":
                walk(target, [*way, edge])

    walk(0, [])
    return found


def test_every_cell_is_drawn_and_described() -> None:
    descriptions = set()
    for arch_id in range(NUM_ARCHITECTURES):
        architecture = Architecture.from_id(arch_id)
        drawing = draw_cell(architecture)
        assert len(drawing) < 3_000
        svg = ElementTree.fromstring(drawing)
        [title] = svg.iter(f"{SVG}title")
        assert title.text == describe_cell(architecture)
        descriptions.add(title.text)
        edges = [group for group in svg if group.tag == f"{SVG}g"]
        assert [group[2].text for group in edges] == [OPERATIONS[i] for i in architecture.operations]
        drawn = {edge for edge, group in enumerate(edges) if "opacity" not in group.attrib}
        assert drawn == edges_on_a_way(architecture) == walks(architecture)
    assert len(descriptions) == NUM_ARCHITECTURES


def test_a_cell_in_words() -> None:
    assert describe_cell(Architecture.from_digits("301004")) == (
        "Node 1 gets C3x3 of the input; node 2 gets Zero of the input and Skip of node 1; "
        "the output gets Zero of the input and Zero of node 1 and Pool of node 2."
    )
    assert describe_cell(Architecture.from_digits("300100")).endswith(
        "Not on a way from input to output: in to 1."
    )


def test_a_chart_draws_the_same_picture() -> None:
    architectures = [Architecture.from_id(arch_id) for arch_id in range(0, NUM_ARCHITECTURES, 601)]
    chart = {
        "data": {"values": [{"digits": architecture.digits} for architecture in architectures]},
        "transform": [{"calculate": cell_expression(), "as": "address"}],
        "mark": "text",
        "encoding": {"text": {"field": "address"}},
    }
    svg = ElementTree.fromstring(vl_convert.vegalite_to_svg(json.dumps(chart)))
    addresses = [text.text for text in svg.iter(f"{SVG}text") if text.text]
    assert len(addresses) == len(architectures)
    for address, architecture in zip(addresses, architectures, strict=True):
        picture = draw_cell(architecture).replace(f"<title>{describe_cell(architecture)}</title>", "")
        assert unquote(address) == f"data:image/svg+xml,{picture}"
        # What would end an address, or the attribute in which it stands.
        assert not set(address) & set('#<>"')


def test_the_expression_is_small() -> None:
    assert len(cell_expression()) < 12_000
