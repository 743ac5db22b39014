"""One run of a study in a process of its own; started by `trainer/study_runner.py`, not by hand.

usage: python -m trainer.study_worker JOB, a JSON object

It stops and saves, as on Ctrl-C, when its standard input ends. The pipe's other end is the study's process,
so that no run outlives it unseen, however that process ends.
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

from db.errors import NasrankError
from db.ground_truth import choose_architectures
from db.warehouse import Warehouse
from trainer.config import ExperimentConfig
from trainer.output import say
from trainer.stopping import Interrupted


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a worker shall do."""

    config: str  # as ExperimentConfig.to_json
    seed: int
    ground_truth: tuple[str, ...]  # keys as in the study; empty: the default
    bn_modes: tuple[str, ...]
    evaluation: dict[str, Any]  # further fields of `EvaluationOptions`
    device: str
    threads: int
    runs_dir: str
    data_dir: str
    warehouse: str  # only read

    def to_json(self) -> str:
        """For the command line of the worker."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Job:
        """What `to_json` wrote."""
        values: dict[str, Any] = json.loads(text)
        values |= {name: tuple(values[name]) for name in ("ground_truth", "bn_modes")}
        return cls(**values)


def work(job: Job) -> None:
    """Do the run, or what is left of it. Raises what `run_experiment` raises."""
    # Here, because PyTorch takes seconds to import, and the study's process needs only `Job`.
    from trainer.evaluation import EvaluationOptions
    from trainer.run import run_experiment

    config = ExperimentConfig.from_json(job.config)
    keys, arch_ids = choose_architectures(Warehouse(Path(job.warehouse)), config.mask_set, job.ground_truth)
    result = run_experiment(
        config,
        job.seed,
        runs_dir=Path(job.runs_dir),
        data_dir=Path(job.data_dir),
        arch_ids=arch_ids,
        ground_truth_keys=[str(key) for key in keys],
        evaluation=EvaluationOptions(bn_modes=job.bn_modes, **job.evaluation),
        device=job.device,
        threads=job.threads,
    )
    say(f"{result.run_id} is finished")


def main() -> NoReturn:
    """Exit 0 where the run is finished, 130 where it was stopped and saved, 1 for a failure."""
    threading.Thread(target=_stop_with_the_study, daemon=True).start()
    try:
        work(Job.from_json(sys.argv[1]))
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
