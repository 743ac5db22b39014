"""Hostile and damaged files of predictions: each is read or refused in one line, and soon."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from nasrank.db.columns.finding import Choice
from nasrank.db.errors import NasrankError
from nasrank.db.nb201.architectures import all_architectures
from nasrank.db.predictions.importing import import_predictions
from nasrank.db.predictions.process import prediction_reader
from nasrank.db.predictions.reading import PredictionOptions
from nasrank.db.warehouse.file import Warehouse
from tests import hostile_files as hostile
from tests.fuzzing import cases, damaged, fuzzed, odd_values, refused_or_read

FORMATS: Mapping[str, Mapping[str, Callable[[], bytes]]] = {
    "json": hostile.JSON,
    "csv": hostile.CSV,
    "parquet": hostile.PARQUET,
}
CASES = [case for format, contents in FORMATS.items() for case in cases(contents, format)]
STRINGS = [a.string for a in all_architectures()[:20]]


@pytest.fixture(scope="module")
def read() -> Iterator[Callable[[Path], None]]:
    """Reads a file, and checks what would be stored."""
    with prediction_reader() as read_file:

        def read(path: Path) -> None:
            for file in read_file(path, Choice()):
                for name in (file.value_column, file.architecture_column, file.file_name):
                    assert name.isprintable()

        yield read


@pytest.mark.parametrize("place", hostile.PLACES)
def test_a_place_without_a_file_is_told(read: Callable[[Path], None], tmp_path: Path, place: str) -> None:
    assert refused_or_read(read, hostile.PLACES[place](tmp_path)) is not None


@pytest.mark.parametrize("place", ["a FIFO", "an endless device", "a name of 300 bytes", "a name with NUL"])
def test_an_import_of_no_file_changes_nothing(warehouse: Warehouse, tmp_path: Path, place: str) -> None:
    path = hostile.PLACES[place](tmp_path)
    with pytest.raises(NasrankError):
        import_predictions(warehouse, path, "x", PredictionOptions())


@pytest.mark.parametrize(("format", "make"), CASES)
def test_a_hostile_file_is_read_or_refused(
    read: Callable[[Path], None], tmp_path: Path, format: str, make: Callable[[], bytes]
) -> None:
    path = tmp_path / f"file.{format}"
    path.write_bytes(make())
    refused_or_read(read, path)


def test_a_name_that_is_no_utf_8_is_stored_escaped(warehouse: Warehouse, tmp_path: Path) -> None:
    path = tmp_path / b"a\xff.json".decode(errors="surrogateescape")
    path.write_text(json.dumps({text: n / 100 for n, text in enumerate(STRINGS)}))
    import_predictions(warehouse, path, "x", PredictionOptions())
    assert warehouse.query("SELECT file_name FROM prediction_source").file_name[0] == r"a\udcff.json"


BASES = {
    "json": json.dumps({text: n / 100 for n, text in enumerate(STRINGS)}).encode(),
    "csv": "\n".join(["arch,score", *(f"{text},{n}" for n, text in enumerate(STRINGS))]).encode(),
    "parquet": hostile.parquet({"arch": STRINGS, "score": [n / 7 for n in range(20)]}),
}


@fuzzed
@given(st.data(), st.sampled_from(list(BASES)))
def test_a_damaged_file_is_read_or_refused(
    read: Callable[[Path], None], tmp_path: Path, data: st.DataObject, format: str
) -> None:
    path = tmp_path / f"file.{format}"
    path.write_bytes(data.draw(damaged([BASES[format]])))
    refused_or_read(read, path)


@fuzzed
@given(st.lists(st.dictionaries(st.text(max_size=5), odd_values, max_size=4), max_size=5), st.booleans())
def test_odd_json_is_read_or_refused(
    read: Callable[[Path], None], tmp_path: Path, members: list[dict[str, object]], is_keyed: bool
) -> None:
    content = dict(zip(STRINGS, members, strict=False)) if is_keyed else members
    path = tmp_path / "file.json"
    try:
        path.write_text(json.dumps(content, default=str, skipkeys=True))
    except ValueError:  # an integer of more digits than Python writes
        reject()
    refused_or_read(read, path)
