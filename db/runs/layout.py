"""The names of a run folder's files, and of what lies beside run folders: nothing else spells them.

```
runs/
  <run_id>/
    config.json                                  what the run is
    architectures.json                           what it is to predict
    status.json                                  how it stands
    epochs.parquet                               a row an epoch
    predictions-<epoch>-<bn_mode>.parquet        a row an architecture
    predictions-<epoch>-<bn_mode>.partial.jsonl  while evaluation is under way
    checkpoint-<step>.pt                         the last two
    claim-<n>.json                               who works on the folder
    worker.log                                   what the processes of a study printed
  slurm/<submission>/jobs.json                   what was submitted to Slurm
```
docs/run-folder.md describes the files.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

CONFIG: Final = "config.json"
ARCHITECTURES: Final = "architectures.json"
STATUS: Final = "status.json"
EPOCHS: Final = "epochs.parquet"
WORKER_LOG: Final = "worker.log"
JOBS: Final = "jobs.json"
_SUBMISSIONS: Final = "slurm"
# A number has one spelling, so that no two files have the same one, and 64 bits hold it.
_NUMBER: Final = "(0|[1-9][0-9]{0,17})"
_PREDICTIONS: Final = re.compile(rf"predictions-{_NUMBER}-([a-z]+)\.(?:parquet|partial\.jsonl)")
_CHECKPOINT: Final = re.compile(rf"checkpoint-{_NUMBER}\.pt")
_CLAIM: Final = re.compile(rf"claim-{_NUMBER}\.json")


def predictions_path(folder: Path, epoch: int, bn_mode: str) -> Path:
    """Where the predictions after `epoch` epochs lie."""
    return folder / f"predictions-{epoch}-{bn_mode}.parquet"


def partial_path(folder: Path, epoch: int, bn_mode: str) -> Path:
    """Where those of an unfinished evaluation lie, a JSON object a line."""
    return folder / f"predictions-{epoch}-{bn_mode}.partial.jsonl"


def prediction_files(folder: Path) -> list[Path]:
    """The files of finished evaluations, by name; one that is named wrongly included."""
    return sorted(folder.glob("predictions-*.parquet"))


def partial_files(folder: Path) -> list[Path]:
    """The files of unfinished evaluations, in no order."""
    return [path for path in folder.glob("predictions-*.partial.jsonl") if evaluation_of(path)]


def evaluation_of(path: Path) -> tuple[int, str] | None:
    """(epoch, bn_mode) by the name of a file of predictions, finished or not; None for another name."""
    match = _PREDICTIONS.fullmatch(path.name)
    return (int(match[1]), match[2]) if match else None


def checkpoint_path(folder: Path, step: int) -> Path:
    """Where the checkpoint after `step` batches lies."""
    return folder / f"checkpoint-{step}.pt"


def checkpoint_files(folder: Path) -> list[Path]:
    """The checkpoints, newest first."""
    steps = {path: int(match[1]) for path in folder.iterdir() if (match := _CHECKPOINT.fullmatch(path.name))}
    return sorted(steps, key=lambda path: steps[path], reverse=True)


def claim_path(folder: Path, number: int) -> Path:
    """Where a claim lies."""
    return folder / f"claim-{number}.json"


def claim_numbers(folder: Path) -> list[int]:
    """The numbers of all claims, in no order."""
    try:
        return [int(match[1]) for name in os.listdir(folder) if (match := _CLAIM.fullmatch(name))]
    except FileNotFoundError:
        return []


def submissions_dir(runs_dir: Path) -> Path:
    """The folder of what was submitted to Slurm, a folder a submission."""
    return runs_dir / _SUBMISSIONS


def submission_files(runs_dir: Path) -> list[Path]:
    """The `jobs.json` of every submission, the latest last."""
    return sorted(submissions_dir(runs_dir).glob(f"*/{JOBS}"))
