"""What a run folder's files hold: as the warehouse's tables have it, and refused with a line if not."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from nasrank.db.errors import NasrankError
from nasrank.db.nb201.architectures import NUM_ARCHITECTURES
from nasrank.db.runs import layout
from nasrank.db.runs.experiment import Configuration, RunConfig, canonical_json, config_hash, read_config
from nasrank.db.runs.folder import Request, RunFolder, read_request
from nasrank.db.runs.format import EPOCH_SCHEMA, EpochRow, Prediction, PredictionRow
from nasrank.db.runs.holders import ClaimContent, Holder
from nasrank.db.runs.reader import read_run_folder
from nasrank.db.runs.schema import Column, arrow_schema, columns_of, read_object, read_table
from nasrank.db.runs.status import RunStatus, read_status
from nasrank.db.warehouse import models
from tests.samples import write_run_folder

# What each file brings into a table, and the columns of it that come from elsewhere.
TABLES: dict[type, tuple[type[models.Base], set[str]]] = {
    RunStatus: (models.Run, {"experiment_id", "seed", "folder_sha256", "ingested_at"}),
    EpochRow: (models.EpochMetric, {"run_id"}),
    PredictionRow: (models.Prediction, {"run_id", "epoch", "bn_mode", "score"}),
    Configuration: (
        models.Experiment,
        {"experiment_id", "config_hash", "kind", "name", "predicts", "size", "variant", "config"},
    ),
}
PARSERS = (
    RunConfig,
    Configuration,
    RunStatus,
    Request,
    EpochRow,
    PredictionRow,
    Prediction,
    Holder,
    ClaimContent,
)
SQL_TYPES: dict[Any, type[sa.types.TypeEngine[Any]]] = {
    bool: sa.Boolean,
    float: sa.Double,
    list[str]: sa.JSON,
    dict[str, str | None]: sa.JSON,
}


def sql_type(column: Column) -> type[sa.types.TypeEngine[Any]]:
    if column.field.is_time:
        return sa.DateTime
    if column.type is int:
        return {16: sa.SmallInteger, 32: sa.Integer, 64: sa.BigInteger}[column.arrow_type.bit_width]
    return SQL_TYPES.get(column.type, sa.String)


@pytest.mark.parametrize("row", TABLES)
def test_what_is_ingested_are_the_columns_of_its_table(row: type) -> None:
    table, others = TABLES[row]
    stored = {column.name: column for column in columns_of(row) if column.field.stored}
    assert stored.keys() == {column.name for column in table.__table__.columns} - others
    for name, column in stored.items():
        sql = table.__table__.columns[name]
        assert type(sql.type) is sql_type(column), name
        assert sql.nullable or not (column.nullable or column.field.optional), name


def test_the_rows_of_a_folder_are_those_of_the_tables(tmp_path: Path) -> None:
    rows = read_run_folder(write_run_folder(tmp_path, {0: 0.5, 7: None}))
    assert rows.experiment.keys() == {column.name for column in models.Experiment.__table__.columns}
    assert rows.run.keys() == {column.name for column in models.Run.__table__.columns} - {"ingested_at"}
    assert set(rows.epochs.column_names) == {column.name for column in models.EpochMetric.__table__.columns}
    assert rows.predictions is not None
    assert set(rows.predictions.column_names) == {
        column.name for column in models.Prediction.__table__.columns
    } - {"score"}


@pytest.mark.parametrize("row", PARSERS)
def test_every_field_is_declared_and_says_what_it_means(row: type) -> None:
    assert [column.name for column in columns_of(row)] == [field.name for field in dataclasses.fields(row)]
    for column in columns_of(row):
        assert column.field.meaning
        assert column.allowed


def edited(folder: Path, name: str, **changes: object) -> None:
    content = json.loads((folder / name).read_text()) | changes
    (folder / name).write_text(json.dumps({k: v for k, v in content.items() if v is not ...}))


READERS: dict[str, Callable[[Path], object]] = {
    layout.CONFIG: read_config,
    layout.STATUS: read_status,
    layout.ARCHITECTURES: read_request,
}
WRONG: list[tuple[str, str, object, str]] = [
    (layout.STATUS, "epoch", "5", '"5"; it must be a whole number, at least 0 and below 2^31'),
    (layout.STATUS, "epoch", True, "true; it must be a whole number"),
    (layout.STATUS, "epoch", 5.0, "5.0; it must be a whole number"),
    (layout.STATUS, "epoch", -1, "-1; it must be a whole number"),
    (layout.STATUS, "epoch", 2**31, "2147483648; it must be a whole number"),
    (layout.STATUS, "seconds_training", -0.5, "-0.5; it must be a number, at least 0"),
    (layout.STATUS, "seconds_training", 10**400, "1000"),
    (layout.STATUS, "git_dirty", 0, "0; it must be true or false, or null"),
    (layout.STATUS, "started_at", "noon", '"noon"; it must be an ISO 8601 time with its offset'),
    (layout.STATUS, "started_at", "2026-11-01T10:00:00", "it must be an ISO 8601 time with its offset"),
    (layout.STATUS, "started_at", "0001-01-01T00:00:00+14:00", "it must be an ISO 8601 time"),
    (layout.STATUS, "status", "merry", '"merry"; it must be running or interrupted or finished or failed'),
    (layout.STATUS, "versions", {"torch": 2}, "it must be an object of texts, or null"),
    (layout.STATUS, "git_dirty", "x" * 10**6 + "\n", '"xxx'),
    (layout.STATUS, "ground_truth_keys", "key", '"key"; it must be a list of texts'),
    (layout.STATUS, "host", "\ud800", '"\\ud800"; it must be text'),
    (layout.STATUS, "host", ..., "host is missing; it must be text"),
    (layout.CONFIG, "seed", None, "null; it must be a whole number"),
    (layout.CONFIG, "size", 1, "1; it must be text"),
    (layout.CONFIG, "config", [], "[]; it must be an object"),
    (
        layout.ARCHITECTURES,
        "arch_ids",
        [0, NUM_ARCHITECTURES],
        "it must be a list of whole numbers from 0 to",
    ),
    (layout.ARCHITECTURES, "arch_ids", [0, "1"], "it must be a list of whole numbers from 0 to"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a finished run, with what it was asked to predict."""
    path = write_run_folder(tmp_path, {0: 0.5, 7: None})
    RunFolder(path).add_architectures([0, 7], ["key"])
    return path


def refusal(folder: Path, name: str) -> str:
    with pytest.raises(NasrankError) as caught:
        READERS[name](folder)
    return str(caught.value)


@pytest.mark.parametrize(("name", "field", "value", "said"), WRONG)
def test_a_wrong_field_is_named_with_what_is_allowed(
    folder: Path, name: str, field: str, value: object, said: str
) -> None:
    edited(folder, name, **{field: value})
    line = refusal(folder, name)
    assert line.startswith(f"{folder / name}: {field} is ")
    assert said in line
    assert "\n" not in line
    assert len(line) < 400 + 2 * len(str(folder))


@pytest.mark.parametrize("name", READERS)
def test_an_unknown_field_is_named_with_those_there_are(folder: Path, name: str) -> None:
    edited(folder, name, pid_of=3)
    assert f'{folder / name}: the field "pid_of" is unknown; there are ' in refusal(folder, name)


@pytest.mark.parametrize("name", READERS)
def test_a_file_of_another_format_says_which_is_read(folder: Path, name: str) -> None:
    edited(folder, name, format=2)
    assert "format is 2; this nasrank reads 1: use the nasrank that wrote it" in refusal(folder, name)
    edited(folder, name, format=...)
    assert "format is missing; this nasrank reads 1" in refusal(folder, name)


@pytest.mark.parametrize("name", READERS)
def test_no_file_is_nothing(tmp_path: Path, name: str) -> None:
    assert READERS[name](tmp_path) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"channels": "8"}, 'config: channels is "8"; it must be a whole number'),
        ({"mask": "Zero+Zebra"}, "config: "),
        ({"epochs": ...}, "config: epochs is missing"),
        ({"image_size": 0}, "config: image_size is 0; it must be a whole number"),
    ],
)
def test_a_wrong_field_of_the_configuration_is_named(
    folder: Path, changes: dict[str, object], said: str
) -> None:
    config = json.loads((folder / layout.CONFIG).read_text())["config"] | changes
    config = {name: value for name, value in config.items() if value is not ...}
    edited(folder, layout.CONFIG, config=config, config_hash=config_hash(config))
    assert f"{folder / layout.CONFIG}: {said}" in refusal(folder, layout.CONFIG)


def test_what_the_trainer_writes_is_what_is_read(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    request = folder.add_architectures([7, 0], ["b", "a"])
    assert read_request(folder.path) == request == Request(arch_ids=[0, 7], ground_truth_keys=["a", "b"])
    folder.claim_evaluation(precision="float32", recalibration_batches=2)
    noted = dataclasses.replace(request, precision="float32", recalibration_batches=2)
    folder.claim_evaluation(precision="float32", recalibration_batches=None)
    assert read_request(folder.path) == noted
    with pytest.raises(NasrankError, match="notes precision float32, and bfloat16 was given"):
        folder.claim_evaluation(precision="bfloat16", recalibration_batches=2)
    predictions = [Prediction(7, None, 40, "non-finite"), Prediction(0, 10, 40, "ok")]
    folder.write_predictions(predictions, 3, "running", {"precision": "float32"})
    assert folder.read_predictions(3, "running") == predictions[::-1]
    assert folder.read_predictions(3, "batch") == []
    folder.write_epochs([])
    assert pq.read_table(folder.path / layout.EPOCHS).schema.equals(EPOCH_SCHEMA)


def a_table(changes: dict[str, object]) -> pa.Table:
    columns = {
        "arch_id": pa.array([0, 7], pa.int16()),
        "accuracy": pa.array([0.5, None], pa.float64()),
        "images": pa.array([40, 40], pa.int32()),
        "status": pa.array(["ok", "non-finite"]),
    }
    return pa.table({name: column for name, column in (columns | changes).items() if column is not None})


@pytest.mark.parametrize(
    "changes",
    [
        {"arch_id": pa.array([0, 7], pa.uint64())},
        {"accuracy": pa.array([0.5, None], pa.float32())},
        {"accuracy": pa.array([1, None], pa.int8())},
        {"status": pa.array(["ok", "non-finite"]).dictionary_encode()},
        {"status": pa.array(["ok", "non-finite"], pa.large_string())},
        {"further": pa.array([[1], [2]])},
    ],
)
def test_columns_of_other_widths_are_read(tmp_path: Path, changes: dict[str, object]) -> None:
    path = tmp_path / "predictions.parquet"
    pq.write_table(a_table(changes), path)
    table = read_table(path, PredictionRow)
    assert table.schema.equals(arrow_schema(PredictionRow, stored_only=True))
    assert table["arch_id"].to_pylist() == [0, 7]
    assert table["status"].to_pylist() == ["ok", "non-finite"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"arch_id": pa.array([0, 15_625])},
            "arch_id is 15625 in row 2; it must be a whole number from 0 to",
        ),
        ({"arch_id": pa.array([0, 70_000])}, "arch_id must be a whole number from 0 to 15624: "),
        ({"arch_id": pa.array([0, None])}, "arch_id is None in row 2;"),
        ({"arch_id": pa.array(["0", "7"])}, "arch_id must be a whole number"),
        ({"arch_id": pa.array([0.0, 7.0])}, "arch_id must be a whole number"),
        ({"accuracy": pa.array([55.0, None])}, "accuracy is 55.0 in row 1; it must be a number from 0 to 1"),
        ({"accuracy": pa.array([0.5, math.nan])}, "accuracy is nan in row 2;"),
        ({"accuracy": pa.array([0.5, math.inf])}, "accuracy is inf in row 2;"),
        ({"accuracy": pa.array(["0.5", None])}, "accuracy must be a number from 0 to 1, or null"),
        ({"images": pa.array([True, False])}, "images must be a whole number"),
        ({"status": pa.array(["ok", "fine"])}, "status is 'fine' in row 2; it must be ok or non-finite"),
        ({"status": pa.array([1, 2])}, "status must be ok or non-finite"),
        ({"status": None}, "it lacks the column status; its columns are arch_id, accuracy, images"),
    ],
)
def test_a_wrong_column_is_named_with_what_is_allowed(
    tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    path = tmp_path / "predictions.parquet"
    pq.write_table(a_table(changes), path)
    with pytest.raises(NasrankError) as caught:
        read_table(path, PredictionRow)
    assert str(caught.value).startswith(str(path))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(content=st.dictionaries(st.sampled_from([c.name for c in columns_of(Holder)]), json_values))
def test_whatever_json_says_is_a_row_or_a_line(content: dict[str, Any]) -> None:
    try:
        row = read_object(content, Holder)
    except NasrankError as error:
        assert "\n" not in str(error)
    else:
        assert dataclasses.asdict(row) == content


@given(
    config=st.dictionaries(
        st.text(), st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    )
)
def test_the_hash_is_that_of_the_values_whatever_their_order(config: dict[str, Any]) -> None:
    backwards = dict(reversed(config.items()))
    assert config_hash(config) == config_hash(backwards)
    assert canonical_json(json.loads(canonical_json(config))) == canonical_json(config)


def test_the_hash_of_a_configuration_stays() -> None:
    text = '{"a":1e-05,"b":[1,null,"\\u00fc"]}'
    assert config_hash({"b": [1, None, "ü"], "a": 1e-5}) == hashlib.sha256(text.encode()).hexdigest()
