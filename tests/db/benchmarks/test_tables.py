"""Ground truth as people publish it: the same accuracies, whatever shape and names the table has."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasrank.db.benchmarks.benchmark import DATASETS, SPLITS
from nasrank.db.benchmarks.formats.accuracy_columns import (
    Meaning,
    given_meaning,
    is_of_something_else,
    meaning_of,
)
from nasrank.db.benchmarks.options import BenchmarkOptions
from nasrank.db.benchmarks.registry import PROCESS, read_foreign
from nasrank.db.columns.finding import Choice
from nasrank.db.errors import NasrankError
from nasrank.db.files.foreign import ForeignReader
from nasrank.db.nb201.architectures import BENCHMARK_OPERATIONS, EDGES, all_architectures
from nasrank.db.nb201.notations import naslib_numbers

ARCHITECTURES = all_architectures()
STRINGS = [a.string for a in ARCHITECTURES]
KEY = "cifar10-valid/valid"


@pytest.fixture(scope="module")
def percent(shared: Path) -> pd.DataFrame:
    """Accuracies on cifar10-valid by `arch_id`, of `valid` and `test`."""
    table = pd.read_csv(shared / "data/nasbench201/nb201_200_epochs.csv").set_index("arch_str").loc[STRINGS]
    return pd.DataFrame({split: table[f"cifar10-valid/{split}"].to_numpy() for split in ("valid", "test")})


Read = Callable[[str, bytes, BenchmarkOptions], pd.DataFrame]


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Read]:
    """Results in percent of a file with a content; all are read by one process."""
    folder = tmp_path_factory.mktemp("tables")
    with ForeignReader(PROCESS) as reader:

        def read(name: str, content: bytes, options: BenchmarkOptions) -> pd.DataFrame:
            path = folder / name
            path.write_bytes(content)
            results = read_foreign(reader, path, None, options).results.to_pandas()
            results["percent"] = results["accuracy"] * 100
            return results.sort_values(["split", "trial", "arch_id"], ignore_index=True)

        yield read


def _frame(architectures: object = STRINGS, name: str = "arch") -> Callable[[pd.Series], pd.DataFrame]:
    return lambda values: pd.DataFrame({name: architectures, "acc": values})


def _csv(frame: pd.DataFrame, **options: object) -> bytes:
    return frame.to_csv(**{"index": False, **options}).encode()


def _npy(values: object) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.asarray(values))
    return stream.getvalue()


def _edges(operations: tuple[int, ...]) -> dict[str, str]:
    return {
        f"{start}_{end}": BENCHMARK_OPERATIONS[operation].removeprefix("nor_")
        for (start, end), operation in zip(EDGES, operations, strict=True)
    }


DIGITS = [a.digits for a in ARCHITECTURES]
# By name of the file: one accuracy an architecture, which `--split` says what it is of.
SHAPES: dict[str, Callable[[pd.Series], bytes]] = {
    "semicolons.csv": lambda v: _csv(_frame()(v), sep=";"),
    "tabs.tsv": lambda v: _csv(_frame()(v), sep="\t"),
    "tabs": lambda v: _csv(_frame()(v), sep="\t"),
    "no header.csv": lambda v: _csv(_frame()(v), header=False),
    "no header.txt": lambda v: _csv(_frame()(v), header=False, sep=";"),
    "with the index of pandas.csv": lambda v: _csv(_frame()(v), index=True),
    "only the index of pandas.csv": lambda v: _csv(v.to_frame("acc"), index=True),
    "percent signs.csv": lambda v: _csv(_frame()(v.map("{:.6f} %".format))),
    "fractions.csv": lambda v: _csv(_frame()(v / 100)),
    "an unknown name.csv": lambda v: _csv(_frame()(v).rename(columns={"acc": "my metric"})),
    "another note.csv": lambda v: _csv(_frame()(v).assign(note="x", **{"test loss": 1.5})),
    "digits.csv": lambda v: _csv(_frame(DIGITS)(v)),
    "naslib.csv": lambda v: _csv(_frame([str(naslib_numbers(a)) for a in ARCHITECTURES])(v)),
    "tuples.csv": lambda v: _csv(_frame([str(a.operations) for a in ARCHITECTURES])(v)),
    "nested.csv": lambda v: _csv(_frame([str(a.nested) for a in ARCHITECTURES])(v)),
    "structures.csv": lambda v: _csv(_frame([f"Structure(4 nodes with {s})" for s in STRINGS])(v)),
    "another order.csv": lambda v: _csv(_frame()(v).sample(frac=1, random_state=1)),
    "index.csv": lambda v: _csv(_frame(range(len(v)), "index")(v).sample(frac=1, random_state=2)),
    "dictionary.json": lambda v: json.dumps(dict(zip(STRINGS, v, strict=True))).encode(),
    "percent.json": lambda v: json.dumps({s: f"{x:.6f}%" for s, x in zip(STRINGS, v, strict=True)}).encode(),
    "index.json": lambda v: json.dumps({str(n): x for n, x in enumerate(v)}).encode(),
    "pairs.json": lambda v: json.dumps(list(zip(STRINGS, v, strict=True))).encode(),
    "order.json": lambda v: json.dumps(list(v)).encode(),
    "columns.json": lambda v: json.dumps({"arch": STRINGS, "acc": list(v)}).encode(),
    "objects.json": lambda v: _frame()(v).to_json(orient="records").encode(),
    "pandas.json": lambda v: _frame()(v).to_json(orient="split").encode(),
    "lines.jsonl": lambda v: _frame()(v).to_json(orient="records", lines=True).encode(),
    "lines": lambda v: _frame()(v).to_json(orient="records", lines=True).encode(),
    "edges.json": lambda v: json.dumps(
        [{"arch": _edges(a.operations), "acc": x} for a, x in zip(ARCHITECTURES, v, strict=True)]
    ).encode(),
    "order.npy": _npy,
    "order": _npy,
    "pairs.npy": lambda v: _npy(np.column_stack([np.arange(len(v)), v])),
    "table.parquet": lambda v: _frame()(v).to_parquet(),
}


@pytest.mark.parametrize("name", SHAPES)
def test_each_shape_holds_the_same(read: Read, percent: pd.DataFrame, name: str) -> None:
    results = read(name, SHAPES[name](percent["valid"]), BenchmarkOptions(epochs=200, split=KEY))
    assert set(zip(results["dataset"], results["split"], results["trial"], strict=True)) == {
        ("cifar10-valid", "valid", "mean")
    }
    np.testing.assert_allclose(results["percent"], percent["valid"], atol=1e-6)


@pytest.mark.parametrize(
    ("valid", "test", "split"),
    [
        ("validation accuracy", "test accuracy", "cifar10-valid/valid"),
        ("val_acc", "test_acc", "cifar10-valid"),
        ("valid-accuracy", "test-accuracy", "cifar10-valid/test"),
        ("x-valid", "ori-test", "cifar10-valid"),
        ("cifar10-valid-x-valid", "cifar10-valid_ori-test", None),
        ("cifar10-valid/x-valid", "cifar10-valid/ori-test", None),
        ("cifar10-valid.valid.acc", "cifar10-valid.test.acc", None),
        ("Validation", "Test", "cifar10-valid"),
        ("CIFAR10-valid/valid", "CIFAR10-valid/test", None),
        ("cifar-10-valid valid top1", "cifar-10-valid test top1", None),
        ("cifar10_valid_acc", "cifar10-valid test", "valid"),
        ("mean val accuracy", "mean test accuracy", "cifar10-valid/valid"),
    ],
)
def test_each_name_says_the_same(
    read: Read, percent: pd.DataFrame, valid: str, test: str, split: str | None
) -> None:
    frame = pd.DataFrame({"arch str": STRINGS, valid: percent["valid"], test: percent["test"]})
    results = read("names.csv", _csv(frame), BenchmarkOptions(epochs=200, split=split))
    assert set(results["dataset"]) == {"cifar10-valid"}
    for own in ("valid", "test"):
        np.testing.assert_allclose(results[results["split"] == own]["percent"], percent[own], atol=1e-6)


@pytest.mark.parametrize("order", ["outside", "inside", "within"])
def test_objects_in_either_order(read: Read, percent: pd.DataFrame, order: str) -> None:
    content: object = {
        "outside": {"cifar10-valid": {s: dict(zip(STRINGS, percent[s], strict=True)) for s in percent}},
        "inside": {
            string: {"cifar10-valid": {"x-valid": row.valid, "ori-test": row.test}}
            for string, row in zip(STRINGS, percent.itertuples(), strict=True)
        },
        "within": {"about": {"by": "x"}, "results": dict(zip(STRINGS, percent["valid"], strict=True))},
    }[order]
    part = "results" if order == "within" else None
    options = BenchmarkOptions(epochs=200, split=KEY if part else None, choice=Choice(part=part))
    results = read("order.json", json.dumps(content).encode(), options)
    for own in ("valid",) if part else ("valid", "test"):
        np.testing.assert_allclose(results[results["split"] == own]["percent"], percent[own], atol=1e-6)


@pytest.mark.parametrize("name", ["long.csv", "wide.csv", "lists.json"])
def test_seeds_are_trials(read: Read, percent: pd.DataFrame, name: str) -> None:
    """Rows with a seed, columns named after seeds, and lists with a number a seed."""
    valid = percent["valid"]
    of_seeds = {777: valid, 888: valid - 0.03}
    contents = {
        "long.csv": lambda: _csv(pd.concat([_frame()(v).assign(seed=seed) for seed, v in of_seeds.items()])),
        "wide.csv": lambda: _csv(
            pd.DataFrame({"arch": STRINGS} | {f"seed_{s}": v for s, v in of_seeds.items()})
        ),
        "lists.json": lambda: json.dumps(
            dict(zip(STRINGS, map(list, zip(*of_seeds.values(), strict=True)), strict=True))
        ).encode(),
    }
    low = percent["valid"].min()
    assert low > 1  # a difference that keeps each a percentage, and the best within what is known
    results = read(name, contents[name](), BenchmarkOptions(epochs=200, split=KEY))
    trials = list(dict.fromkeys(results["trial"]))
    assert trials == (["0", "1"] if name == "lists.json" else ["777", "888"])
    for trial, v in zip(trials, of_seeds.values(), strict=True):
        np.testing.assert_allclose(results[results["trial"] == trial]["percent"], v, atol=1e-6)


def test_a_column_is_chosen(read: Read, percent: pd.DataFrame) -> None:
    """Of several that may be meant, and of what its name says otherwise."""
    frame = pd.DataFrame(
        {"net": STRINGS, "A": percent["valid"], "B": percent["test"], "cifar10-val": percent["valid"]}
    )
    content = _csv(frame)
    for column in ("A", "cifar10-val"):
        options = BenchmarkOptions(epochs=200, split=KEY, choice=Choice(value_column=column))
        results = read("choice.csv", content, options)
        np.testing.assert_allclose(results["percent"], percent["valid"], atol=1e-6)
        assert set(results["split"]) == {"valid"}
    plain = _csv(frame.drop(columns="cifar10-val"))
    for choice, split, line in (
        (Choice(), KEY, "the columns 'A', 'B' hold numbers; name one with --column"),
        (Choice(), None, "of which data set and split are 'A', 'B'?"),
        (Choice(value_column="A"), None, "of which data set and split are 'A'?"),
        (Choice(value_column="A"), "valid", "of which data set and split are 'A'?"),
        (Choice(value_column="a_"), KEY, "it has no column 'a_'"),
        (Choice(architecture_column="A", value_column="B"), KEY, "'A', row 1"),
        (Choice(notation="digits"), KEY, "is not an architecture; digits is needed"),
        (Choice(notation="digit"), KEY, "unknown notation 'digit' (is 'digits' meant?)"),
        (Choice(part="x"), KEY, "only JSON, pickles and files of PyTorch have parts"),
    ):
        with pytest.raises(NasrankError) as error:
            read("choice.csv", plain, BenchmarkOptions(epochs=200, split=split, choice=choice))
        assert line in str(error.value)


def test_digits_in_a_wrong_notation_are_refused(read: Read, percent: pd.DataFrame) -> None:
    """What passes nothing on has the accuracy of chance, in one of the two readings only."""
    content = SHAPES["naslib.csv"](percent["valid"])
    options = BenchmarkOptions(epochs=200, split=KEY, choice=Choice(notation="digits"))
    with pytest.raises(NasrankError, match="passes nothing on"):
        read("naslib.csv", content, options)


SIGNS = st.sampled_from([" ", "_", "-"])
SPLIT_NAMES = {
    "valid": ["x-valid", "valid", "val", "Validation"],
    "test": ["x-test", "TEST"],
    "train": ["train"],
}


@given(
    dataset=st.sampled_from(DATASETS),
    split=st.sampled_from(SPLITS),
    words=st.lists(st.sampled_from(["acc", "accuracy", "mean", "top1", "eval"]), max_size=2, unique=True),
    sign=st.sampled_from(["/", "."]),
    data=st.data(),
)
def test_a_name_of_data_set_and_split_is_understood(
    dataset: str, split: str, words: list[str], sign: str, data: st.DataObject
) -> None:
    own = data.draw(st.sampled_from(SPLIT_NAMES[split]))
    between = data.draw(SIGNS)
    meaning = meaning_of(dataset + sign + between.join([own, *words]))
    assert meaning == Meaning(dataset, split)
    assert meaning.key == f"{dataset}/{split}"
    without = meaning_of(between.join([own, *words]))
    assert without == Meaning(None, split)
    assert without.filled(given_meaning(dataset)) == meaning
    assert meaning_of(between.join(["loss", own])) is None
    assert is_of_something_else(between.join([own, "loss"]))


@pytest.mark.parametrize(
    "name", ["", " ", "note", "params", "flops", "latency", "training time", "cifar10 cifar100"]
)
def test_other_names_say_nothing(name: str) -> None:
    assert meaning_of(name) is None
