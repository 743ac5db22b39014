"""One run of a study in a process of its own; started by `trainer/studies/process.py`, not by hand.

The job comes as a line of JSON on standard input, which stays open.

It stops and saves, as on Ctrl-C, when its standard input ends. The pipe's other end is the study's process,
or on a cluster the Slurm job's, so that no run outlives it unseen, however that process ends. It reads the
images, and writes its run folder only; it never opens the warehouse.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

from nasrank.db.errors import NasrankError
from nasrank.trainer.config import ExperimentConfig, run_id
from nasrank.trainer.messages import say
from nasrank.trainer.stopping import Interrupted


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a worker shall do."""

    config: str  # as ExperimentConfig.to_json
    seed: int
    arch_ids: tuple[int, ...]  # what to predict
    ground_truth_keys: tuple[str, ...]  # in full, by which those were chosen
    bn_modes: tuple[str, ...]
    evaluation: dict[str, Any]  # further fields of `EvaluationOptions`
    device: str
    threads: int
    runs_dir: str
    data_dir: str
    patience: float = 0.0  # seconds to wait for another process's claim on the run's folder to end

    @property
    def run_id(self) -> str:
        """The name of the run and of its folder."""
        return run_id(ExperimentConfig.from_json(self.config), self.seed)

    @property
    def folder(self) -> Path:
        """The folder of the run."""
        return Path(self.runs_dir) / self.run_id

    def to_json(self) -> str:
        """For the standard input of the worker."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Job:
        """What `to_json` wrote."""
        values: dict[str, Any] = json.loads(text)
        values |= {name: tuple(values[name]) for name in ("arch_ids", "ground_truth_keys", "bn_modes")}
        return cls(**values)


def work(job: Job) -> None:
    """Do the run, or what is left of it. Raises what `run_experiment` raises."""
    # Here, because PyTorch takes seconds to import, and the study's process needs only `Job`.
    from nasrank.trainer.evaluation.evaluator import EvaluationOptions
    from nasrank.trainer.run import Compute, RunPaths, RunSpec, run_experiment

    result = run_experiment(
        RunSpec(
            config=ExperimentConfig.from_json(job.config),
            seed=job.seed,
            arch_ids=job.arch_ids,
            ground_truth_keys=job.ground_truth_keys,
            evaluation=EvaluationOptions(bn_modes=job.bn_modes, **job.evaluation),
        ),
        RunPaths(runs_dir=Path(job.runs_dir), data_dir=Path(job.data_dir)),
        Compute(device=job.device, threads=job.threads),
        patience=job.patience,
    )
    say(f"{result.run_id} is finished")


def main() -> NoReturn:
    """Exit 0 where the run is finished, 130 where it was stopped and saved, 1 for a failure."""
    # Slurm tells all processes of a job that its time is nearly over; `slurm/task.py` answers.
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
    line = sys.stdin.buffer.readline()
    threading.Thread(target=_stop_with_the_study, daemon=True).start()
    try:
        work(Job.from_json(line.decode()))
    except NasrankError as error:
        say(f"error: {error}")
        sys.exit(130 if isinstance(error, Interrupted) else 1)
    sys.exit(0)


def _stop_with_the_study() -> None:
    """SIGTERM to this process when its standard input ends; before the run began, that ends it at once."""
    while os.read(0, 1024):  # not sys.stdin, whose lock a daemon thread would hold as Python exits
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
