"""What the stages measured, and what follows from it if all goes on like that: two things, kept apart."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from typing import Any

ARCHITECTURES, IMAGES = 15_625, 5_000
STEPS = 45_000 // 256  # an epoch of the paper's recipe
EPOCHS = 250

Stages = Mapping[str, Mapping[str, Any]]


def measured(stages: Stages) -> dict[str, Any]:
    """Figures of the stages that ended well."""
    result: dict[str, Any] = {}
    if tests := _result(stages, "CUDA tests"):
        result["CUDA tests"] = tests
    if waits := _result(stages, "host waits"):
        result["host waits a step"] = {name: entry["waits_a_step"] for name, entry in waits.items()}
    if steps := _result(stages, "steps"):
        result["milliseconds a step, one by one and recorded"] = steps["rows"]
    for size, bench in _training(stages):
        result[f"training {size}, batch {bench['batch_size']}"] = {
            row["name"]: {
                name: row[name]
                for name in ("milliseconds_a_step", "images_per_second", "ratio", "ratio_range")
            }
            for row in bench["rows"]
        }
        result[f"training {size}: copied megabytes a second"] = bench["copied_megabytes_per_second"]
    if bench := _result(stages, "bench_evaluation S"):
        result["evaluation S: architecture images a second"] = {
            row["name"]: {"rate": row["rate"], "ratio": row["ratio"]} for row in bench["rows"]
        }
        result["evaluation S: counts unlike the baseline's"] = [
            bench["different_counts"],
            bench["architectures_compared"],
        ]
    if runs := _runs(stages):
        last = runs[-1]
        result["run of S"] = {
            name: last[name]
            for name in ("status", "epoch", "seconds_training", "seconds_evaluation", "images_per_second")
        }
    return result


def projected(stages: Stages) -> dict[str, Any]:
    """What the figures would come to; nothing here was measured."""
    result: dict[str, Any] = {}
    for size, bench in _training(stages):
        if size == "S" and bench["batch_size"] == 256:
            result[f"seconds of {EPOCHS} epochs of S, from the benchmark"] = {
                row["name"]: row["milliseconds_a_step"] / 1000 * STEPS * EPOCHS
                for row in bench["rows"]
                if row["name"] != "convolutions alone"
            }
        result[f"training {size}: share of a step that its memory traffic would take as a copy"] = {
            row["name"]: row["milliseconds_of_copying"] / row["milliseconds_a_step"] for row in bench["rows"]
        }
    if runs := _runs(stages):
        epochs = runs[-1]["epoch"]
        if epochs:
            result[f"seconds of {EPOCHS} epochs of S, from the run"] = (
                runs[-1]["seconds_training"] / epochs * EPOCHS
            )
    if bench := _result(stages, "bench_evaluation S"):
        result[f"seconds of {ARCHITECTURES:,} architectures on {IMAGES:,} images with S"] = {
            row["name"]: ARCHITECTURES * IMAGES / row["rate"] for row in bench["rows"]
        }
    if steps := _result(stages, "steps"):
        gains = [row["ratio"] for row in steps["rows"] if "ratio" in row]
        if gains:
            result["times as fast if groups are recorded, median of the cases"] = statistics.median(gains)
    return result


def _result(stages: Stages, name: str) -> Any:
    return stages.get(name, {}).get("result")


def _training(stages: Stages) -> Iterator[tuple[str, Any]]:
    for size in ("tiny", "S"):
        if bench := _result(stages, f"bench_training {size}"):
            yield size, bench


def _runs(stages: Stages) -> list[Any]:
    return [
        stage["result"] for name, stage in stages.items() if name.startswith("training") and "result" in stage
    ]
