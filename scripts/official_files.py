"""Makes files in the official forms of NATS-Bench and NAS-Bench-201, with the authors' own classes.

Results after the last epoch are what is given; the curves that lead there are made up.
Used by the tests and by scripts/bench_import.py; needs the packages nats-bench and nas-bench-201.
"""

from __future__ import annotations

import collections
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nats_bench.api_utils as nats
import numpy as np

# Seeds by epochs of training, as in NATS-Bench: 12 epochs twice, 200 epochs two or three times.
SEEDS = {12: (111, 777), 200: (777, 888, 999)}
CLASSES = {"cifar10-valid": 10, "cifar10": 10, "cifar100": 100, "ImageNet16-120": 120}
# What the authors' training evaluated in every epoch, and what they added after the last one.
EVERY_EPOCH = {
    "cifar10-valid": "x-valid",
    "cifar10": "ori-test",
    "cifar100": "ori-test",
    "ImageNet16-120": "ori-test",
}
AFTERWARDS = {
    "cifar10-valid": ("ori-test",),
    "cifar10": (),
    "cifar100": ("x-valid", "x-test"),
    "ImageNet16-120": ("x-valid", "x-test"),
}

# (dataset, name of the split, epochs, seed) to percent after the last epoch.
Finals = Mapping[tuple[str, str, int, int], float]


@dataclass(frozen=True)
class Form:
    """How results are written, by `nats_bench.api_utils` or that of nas_201_api.

    The new form has all splits in every epoch, with times; the old one some splits after the last epoch only,
    and with `curve_epochs` only so many epochs at the end, without times, which is quicker to write.
    """

    api: Any
    is_new: bool
    curve_epochs: int | None = None


@dataclass(frozen=True)
class Trainings:
    """All trainings of an architecture for so many epochs.

    Splits without a final accuracy are left out. `costs` are by dataset: MFLOPs, million parameters, latency
    in seconds, seconds an epoch; `seeds`, too, are by dataset.
    """

    epochs: int
    seeds: Mapping[str, Sequence[int]]
    finals: Finals
    costs: Mapping[str, tuple[float, float, float, float]]


def arch_results(arch_id: int, arch_str: str, trainings: Trainings, form: Form) -> Any:
    """The `ArchResults` of one training length."""
    epochs, finals, curve_epochs = trainings.epochs, trainings.finals, form.curve_epochs
    result = form.api.ArchResults(arch_id, arch_str)
    for dataset, of_dataset in trainings.seeds.items():
        flops, params, latency, seconds = trainings.costs[dataset]
        config = {"channel": 16, "num_cells": 5, "arch_str": arch_str, "class_num": CLASSES[dataset]}
        for seed in of_dataset:
            rng = np.random.default_rng([arch_id, list(CLASSES).index(dataset), epochs, seed])
            lengths = dict.fromkeys(("train", EVERY_EPOCH[dataset]), curve_epochs or epochs)
            lengths |= dict.fromkeys(AFTERWARDS[dataset], epochs if form.is_new else 1)
            curves = {
                name: _curve(rng, finals[dataset, name, epochs, seed], epochs, CLASSES[dataset], length)
                for name, length in lengths.items()
                if (dataset, name, epochs, seed) in finals
            }
            accuracies, losses = curves["train"]
            trial = form.api.ResultsCount(
                dataset, None, accuracies, losses, params, flops, config, seed, epochs, None
            )
            of_splits = {name: curve for name, curve in curves.items() if name != "train"}
            if form.is_new:
                top5 = {epoch: min(100.0, accuracy + 5) for epoch, accuracy in accuracies.items()}
                times = {epoch: seconds * rng.uniform(0.9, 1.1) for epoch in range(epochs)}
                trial.update_train_info(accuracies, top5, losses, times)
                parts = [{name: curve[part] for name, curve in of_splits.items()} for part in (0, 1)]
                trial.update_eval(*map(_by_name, (*parts, dict.fromkeys(of_splits, times))))
            else:
                for name, curve in of_splits.items():
                    trial.update_OLD_eval(name, *curve)
            trial.update_latency([latency])
            result.update(dataset, seed, trial)
    if not form.is_new and not curve_epochs:  # the authors then set times that they estimated
        for dataset in trainings.seeds:
            result.reset_pseudo_train_times(dataset, None, trainings.costs[dataset][3])
            for name in (EVERY_EPOCH[dataset], *AFTERWARDS[dataset]):
                result.reset_pseudo_eval_times(dataset, None, name, trainings.costs[dataset][3] / 7)
    return result


def _by_name(values: Mapping[str, Mapping[int, float]]) -> dict[str, float]:
    return {f"{name}@{epoch}": of_split[epoch] for name, of_split in values.items() for epoch in of_split}


def _curve(
    rng: np.random.Generator, final: float, epochs: int, classes: int, last: int
) -> tuple[dict[int, float], dict[int, float]]:
    """Accuracies in percent and losses by epoch, from 0, of so many last epochs, that end at `final`."""
    places = np.arange(epochs - last, epochs)
    missing = (final - 100 / classes) * np.exp(-5 * (places + 1) / epochs)
    percent = np.clip(final - missing + rng.normal(0, 0.1, last), 0, 100)
    percent[-1] = final
    losses = -np.log(np.maximum(percent, 0.5) / 100) + rng.random(last) / 50
    accuracies, falling = (
        dict(zip(places.tolist(), values.tolist(), strict=True)) for values in (percent, losses)
    )
    return accuracies, falling


def write_nats_folder(
    folder: Path, archs: Sequence[str], infos: Iterator[tuple[int, Mapping[str, Any]]]
) -> None:
    """The form `NATS-tss-v1_0-…-simple`: `infos` are an index and its `ArchResults` by epochs, as text."""
    folder.mkdir(parents=True, exist_ok=True)
    meta = {
        "meta_archs": list(archs),
        "total_archs": len(archs),
        "arch2infos": None,
        "evaluated_indexes": set(),
    }
    nats.pickle_save(meta, str(folder / "meta.pickle"))
    for index, by_epochs in infos:
        nats.pickle_save(state_dicts(by_epochs), str(folder / f"{index:06d}.pickle"))


def write_nats_file(path: Path, archs: Sequence[str], infos: Mapping[int, Mapping[str, Any]]) -> None:
    """The one-file form `NATS-tss-v1_0-….pickle.pbz2`."""
    content = {
        "meta_archs": list(archs),
        "total_archs": len(archs),
        "arch2infos": {index: state_dicts(by_epochs) for index, by_epochs in infos.items()},
        "evaluated_indexes": set(infos),
    }
    nats.pickle_save(content, str(path).removesuffix(".pbz2"))


def state_dicts(by_epochs: Mapping[str, Any]) -> dict[str, Any]:
    """As the authors' scripts save them."""
    return collections.OrderedDict((name, result.state_dict()) for name, result in by_epochs.items())
