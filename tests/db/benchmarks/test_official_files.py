"""Files in the authors' form, made by their own classes: every value against their own API."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nas_201_api
import nas_201_api.api_utils
import nats_bench
import nats_bench.api_utils
import numpy as np
import pyarrow.dataset as ds
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nasrank.db.benchmarks import find_importer
from nasrank.db.benchmarks.official import importers as official_importers
from nasrank.db.benchmarks.official.importers import OFFICIAL_IMPORTERS, OfficialFile, OfficialFolder
from nasrank.db.benchmarks.options import BenchmarkOptions, Curve
from nasrank.db.errors import NasrankError
from nasrank.db.nb201.architectures import all_architectures
from scripts.official_files import (
    CLASSES,
    SEEDS,
    Form,
    Trainings,
    arch_results,
    state_dicts,
    write_nats_file,
    write_nats_folder,
)

ARCHITECTURES = [a.string for a in all_architectures()]
IDS = (0, 7, 15_624)
NATS_FOLDER, NATS_FILE, NB201_FOLDER, NB201_FILE = OFFICIAL_IMPORTERS
SPLITS = {"train": "train", "valid": "x-valid", "test": "x-test", "valid+test": "ori-test"}


def infos(api: Any, arch_id: int) -> dict[int, Any]:
    """An architecture's `ArchResults` by epochs, the new form after 12 epochs, the old after 200."""
    rng = np.random.default_rng(arch_id)
    found = {}
    for epochs, of_length in SEEDS.items():
        seeds = {dataset: of_length[: 2 + (arch_id + i) % 2] for i, dataset in enumerate(CLASSES)}
        finals = {
            (dataset, name, epochs, seed): float(rng.uniform(10, 100))
            for dataset, of_dataset in seeds.items()
            for seed in of_dataset
            for name in ("train", "x-valid", "x-test", "ori-test")
        }
        # The authors' scripts counted with NumPy, whose numbers are saved as such.
        costs = {
            d: (np.float64(rng.uniform(7, 220)), np.float64(rng.uniform(0.07, 1.5)), 0.02, 9.1)
            for d in CLASSES
        }
        trainings = Trainings(epochs, seeds, finals, costs)
        found[epochs] = arch_results(
            arch_id, ARCHITECTURES[arch_id], trainings, Form(api, is_new=epochs == 12)
        )
    return found


@pytest.fixture(scope="module")
def nats() -> dict[int, dict[str, Any]]:
    found = {i: {str(e): r for e, r in infos(nats_bench.api_utils, i).items()} for i in IDS}
    found[7]["200"].query("cifar10", 777).update_latency([-1.0])  # as the authors write unknown
    found[7]["200"].query("cifar100", 888).latency = None
    return found


@pytest.fixture(scope="module")
def nb201() -> dict[int, dict[str, Any]]:
    names = {12: "less", 200: "full"}
    return {i: {names[e]: r for e, r in infos(nas_201_api.api_utils, i).items()} for i in IDS}


@pytest.fixture(scope="module")
def nats_folder(tmp_path_factory: pytest.TempPathFactory, nats: dict[int, Any]) -> Path:
    folder = tmp_path_factory.mktemp("nats") / "NATS-tss-v1_0-3ffb9-simple"
    write_nats_folder(folder, ARCHITECTURES, iter(nats.items()))
    return folder


def read(importer: OfficialFolder | OfficialFile, path: Path, parts: Path, curve: str = "last-three") -> Path:
    """Reads what there is; that all architectures are there is asked elsewhere."""
    parts.mkdir(exist_ok=True)
    options = BenchmarkOptions(curve=Curve(curve))
    if isinstance(importer, OfficialFolder):
        importer.read_parts(importer.list_files(path), parts, options)
    else:
        importer.read_parts(path, parts, options)
    return parts


def rows(parts: Path, kind: str) -> list[dict[str, Any]]:
    return ds.dataset(sorted(map(str, parts.glob(f"*.{kind}"))), format="parquet").to_table().to_pylist()


def check_against_api(
    parts: Path, results: Mapping[int, Mapping[int, Any]], curve: Sequence[int] | None = None
) -> None:
    """All that was read is what the authors' `ArchResults` say, and nothing is missing."""
    found = {
        (r["arch_id"], r["dataset"], r["split"], r["epochs"], r["epoch"], r["trial"]): (
            r["accuracy"],
            r["loss"],
        )
        for r in rows(parts, "results")
    }
    expected = {}
    for (arch_id, by_epochs), dataset in itertools.product(results.items(), CLASSES):
        for epochs, result in by_epochs.items():
            for seed, (split, name) in itertools.product(result.get_dataset_seeds(dataset), SPLITS.items()):
                if dataset in ("cifar10", "cifar10-valid") and split == "test":
                    name = "ori-test"
                if split == "valid+test" and dataset in ("cifar10", "cifar10-valid"):
                    continue
                for epoch in curve or range(epochs - 2, epochs + 1):
                    try:
                        told = result.get_metrics(dataset, name, iepoch=epoch - 1, is_random=seed)
                    except (KeyError, ValueError, AssertionError):
                        continue  # the API says so of what was not measured
                    key = (arch_id, dataset, split, epochs, epoch, str(seed))
                    expected[key] = (told["accuracy"] / 100, told["loss"])
    assert found == expected
    assert len(expected) > 300
    for row in rows(parts, "costs"):
        result = results[row["arch_id"]][row["epochs"]]
        trial = result.query(row["dataset"], int(row["trial"]))
        assert row["params"] == round(trial.params * 1e6)
        assert row["flops"] == trial.flop * 1e6
        assert (row["latency_seconds"] or -1.0) == trial.get_latency()
        assert row["train_seconds"] == pytest.approx(trial.get_times()["T-train@total"])
    trials = sum(len(r.all_results) for by_epochs in results.values() for r in by_epochs.values())
    assert len(rows(parts, "costs")) == trials


def by_epochs(results: Mapping[int, Mapping[str, Any]]) -> dict[int, dict[int, Any]]:
    numbers = {"12": 12, "200": 200, "less": 12, "full": 200}
    return {i: {numbers[name]: r for name, r in by_name.items()} for i, by_name in results.items()}


def test_a_nats_bench_folder_has_what_its_api_says(nats_folder: Path, tmp_path: Path) -> None:
    assert find_importer(nats_folder) is NATS_FOLDER
    api = nats_bench.create(str(nats_folder), "tss", fast_mode=True, verbose=False)
    told = {i: {e: api.query_meta_info_by_index(i, str(e)) for e in SEEDS} for i in IDS}
    check_against_api(read(NATS_FOLDER, nats_folder, tmp_path / "parts"), told)


def test_a_nats_bench_file_has_what_its_api_says(nats: dict[int, Any], tmp_path: Path) -> None:
    path = tmp_path / "any name"
    write_nats_file(path.with_suffix(".pbz2"), ARCHITECTURES, nats)
    path.with_suffix(".pbz2").rename(path)
    assert find_importer(path) is NATS_FILE
    content = {"meta_archs": ARCHITECTURES, "evaluated_indexes": set(nats)}
    content |= {"arch2infos": {i: state_dicts(r) for i, r in nats.items()}}
    api = nats_bench.create(content, "tss", fast_mode=False, verbose=False)
    told = {i: {e: api.query_meta_info_by_index(i, str(e)) for e in SEEDS} for i in IDS}
    check_against_api(read(NATS_FILE, path, tmp_path / "parts"), told)


@pytest.mark.parametrize("is_zip", [False, True], ids=["before 1.6", "since 1.6"])
def test_a_nas_bench_201_file_has_what_its_api_says(
    nb201: dict[int, Any], tmp_path: Path, is_zip: bool
) -> None:
    content = {"meta_archs": ARCHITECTURES, "evaluated_indexes": set(nb201), "total_archs": 15_625}
    content |= {"arch2infos": {i: state_dicts(r) for i, r in nb201.items()}}
    path = tmp_path / "NAS-Bench-201-v1_1-096897.pth"
    torch.save(content, path, _use_new_zipfile_serialization=is_zip)
    assert find_importer(path) is NB201_FILE
    api = nas_201_api.NASBench201API(content, verbose=False)
    told = {i: {e: api.query_meta_info_by_index(i, str(e)) for e in SEEDS} for i in IDS}
    check_against_api(read(NB201_FILE, path, tmp_path / "parts"), told)


@pytest.mark.parametrize("is_zip", [False, True], ids=["before 1.6", "since 1.6"])
def test_an_archive_with_weights_has_what_its_api_says(
    nb201: dict[int, Any], tmp_path: Path, is_zip: bool
) -> None:
    folder = tmp_path / "NAS-Bench-201-v1_1-archive"
    folder.mkdir()
    for arch_id, results in nb201.items():
        states = state_dicts(results)
        for state in states.values():
            for trial in state["all_results"].values():
                weights = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)).state_dict()
                trial["net_state_dict"] = weights
        torch.save(states, folder / f"{arch_id:06d}-FULL.pth", _use_new_zipfile_serialization=is_zip)
    assert find_importer(folder) is NB201_FOLDER
    check_against_api(read(NB201_FOLDER, folder, tmp_path / "parts"), by_epochs(nb201))


@pytest.mark.parametrize(
    ("curve", "after_12", "after_200"),
    [
        ("last", [12], [200]),
        ("all", range(1, 13), range(1, 201)),
        ("1, 50", [1, 10, 11, 12], [1, 50, 198, 199, 200]),
    ],
)
def test_chosen_epochs_of_the_curve(
    nats: dict[int, Any],
    nats_folder: Path,
    tmp_path: Path,
    curve: str,
    after_12: Sequence[int],
    after_200: Sequence[int],
) -> None:
    parts = read(NATS_FOLDER, nats_folder, tmp_path / "parts", curve)
    kept = {epochs: {r["epoch"] for r in rows(parts, "results") if r["epochs"] == epochs} for epochs in SEEDS}
    assert kept == {12: set(after_12), 200: set(after_200)}
    if curve == "all":
        check_against_api(parts, by_epochs(nats), range(1, 201))


@given(st.lists(st.integers(1, 300), min_size=1, max_size=5), st.integers(1, 250))
def test_a_curve_keeps_the_last_three_and_the_chosen(chosen: list[int], epochs: int) -> None:
    kept = Curve(",".join(map(str, chosen))).kept(epochs)
    assert kept == sorted(set(kept))
    assert set(kept) == {e for e in range(1, epochs + 1) if e > epochs - 3 or e in chosen}


@pytest.mark.parametrize("text", ["", "none", "0", "1,", "-1", "1.5", "１", "9" * 5000])
def test_other_curves_are_refused(text: str) -> None:
    with pytest.raises(NasrankError, match="give last, last-three, all, or numbers"):
        Curve(text)


def test_a_stopped_import_goes_on_without_repeating(
    nats: dict[int, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(official_importers, "_FILES_AT_A_TIME", 2)
    folder = tmp_path / "nats"
    write_nats_folder(folder, ARCHITECTURES, iter(nats.items()))
    files = NATS_FOLDER.list_files(folder)
    parts = tmp_path / "parts"
    parts.mkdir()

    def stop(what: str, done: int, total: int) -> None:
        if list(parts.glob("*.files")):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        NATS_FOLDER.read_parts(files, parts, BenchmarkOptions(processes=1, progress=stop))
    done = [
        name for listed in parts.glob("*.files") for name in official_importers.json.loads(listed.read_text())
    ]
    assert sorted(done) == ["000000.pickle.pbz2", "meta.pickle.pbz2"]
    for name in done:
        (folder / name).write_bytes(b"would be refused if it were read again")
    NATS_FOLDER.read_parts(files, parts, BenchmarkOptions())
    check_against_api(parts, by_epochs(nats))


def test_a_part_of_the_folder_is_refused_before_it_is_read(nats_folder: Path) -> None:
    with pytest.raises(NasrankError, match="15,622 of 15,625 architectures are missing"):
        NATS_FOLDER.read(nats_folder, BenchmarkOptions())


def changed(results: Mapping[str, Any], change: Any) -> dict[str, Any]:
    states = pickle.loads(pickle.dumps(state_dicts(results)))
    change(states)
    return states


def cifar10(states: Any) -> Any:
    return states["200"]["all_results"]["cifar10", 777]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("12") and s.pop("200"), "does not have NATS-Bench's results under 12 and 200"),
        (lambda s: s["200"].update(arch_index=3), "says that it is architecture 3"),
        (lambda s: s["200"].update(arch_str="|none~0|"), r"\('\|none~0\|'\); by its place it is 0"),
        (lambda s: s["200"].update(all_results=[]), "'200' is no ArchResults"),
        (
            lambda s: s["200"]["all_results"].update({("mnist", 777): {}}),
            "is not a data set of cifar10-valid",
        ),
        (lambda s: cifar10(s).update(epochs=12), "trained for 12 epochs; 200 are expected"),
        (
            lambda s: cifar10(s).update(eval_names=["x-valid"]),
            "results on 'x-valid'; known are train, ori-test",
        ),
        (lambda s: cifar10(s).update(train_acc1es=None), "no accuracies and losses by epoch for train"),
        (lambda s: cifar10(s)["train_acc1es"].update({199: float("nan")}), "after epoch 200 is nan; percent"),
        (lambda s: cifar10(s)["train_acc1es"].update({199: 100.1}), "after epoch 200 is 100.1; percent"),
        (lambda s: cifar10(s)["train_acc1es"].update({198: "90"}), "after epoch 199 is '90'; percent"),
        (lambda s: cifar10(s)["train_acc1es"].pop(199), "after epoch 200 is None; percent"),
        (lambda s: cifar10(s).update(params="many"), "params is 'many'; millions"),
        (lambda s: cifar10(s).update(latency=7), "TypeError"),
    ],
)
def test_what_the_authors_do_not_write_is_named(
    nats: dict[int, Any], tmp_path: Path, change: Any, message: str
) -> None:
    folder = tmp_path / "nats"
    write_nats_folder(folder, ARCHITECTURES, iter(()))
    nats_bench.api_utils.pickle_save(changed(nats[0], change), str(folder / "000000.pickle"))
    with pytest.raises(NasrankError, match=message) as error:
        read(NATS_FOLDER, folder, tmp_path / "parts")
    assert len(str(error.value).splitlines()) == 1
    assert "000000.pickle.pbz2" in str(error.value)


def test_another_numbering_is_refused(nats: dict[int, Any], tmp_path: Path) -> None:
    write_nats_folder(tmp_path / "nats", ["64:64:64:64:64", *ARCHITECTURES[1:]], iter(()))
    with pytest.raises(NasrankError, match="the first as '64:64:64:64:64'; the size search space"):
        read(NATS_FOLDER, tmp_path / "nats", tmp_path / "parts")


def test_one_file_says_what_memory_it_needs(
    nats: dict[int, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "NATS-tss-v1_0-3ffb9.pickle.pbz2"
    write_nats_file(path, ARCHITECTURES, nats)
    said: list[str] = []
    (tmp_path / "parts").mkdir()
    NATS_FILE.read_parts(path, tmp_path / "parts", BenchmarkOptions(say=said.append))
    assert len(said) == 1
    assert "which needs about 0.5 GiB of memory" in said[0]
    monkeypatch.setattr(official_importers, "available_memory", lambda: 2**28)
    with pytest.raises(
        NasrankError, match=r"0\.2 GiB are free; give the folder NATS-tss-v1_0-…-simple instead"
    ):
        NATS_FILE.read_parts(path, tmp_path / "others", BenchmarkOptions())
