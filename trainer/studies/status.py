"""How a study stands: the state of each of its runs, read from the run folders, and the time left.

Nothing is remembered elsewhere: run folders that were deleted, copied from another machine or begun by
`nasrank-train run` count as they are.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Final

from nasrank.db.errors import NasrankError
from nasrank.db.files.opening import open_regular
from nasrank.db.nb201.architectures import EDGES
from nasrank.db.runs import layout
from nasrank.db.runs.format import IMAGE_SIDES
from nasrank.db.runs.holders import find_claim
from nasrank.db.runs.reader import count_rows, predicted_architectures
from nasrank.db.runs.status import RunStatus, read_status, state_of
from nasrank.db.warehouse.ground_truth import DEFAULT_KEY, GroundTruthKey
from nasrank.trainer.config import ExperimentConfig
from nasrank.trainer.studies.file import Study, StudyRun

# finished: with all predictions that the study asks for; running: a process works on it now; pending: a
# Slurm job will; interrupted: begun, and goes on where it is; failed: diverged or damaged, and left alone;
# lost: the Slurm job that had it ended before it was done; missing: not begun.
STATES: Final = ("finished", "running", "pending", "interrupted", "failed", "lost", "missing")
_LOG_LINES: Final = 3
_LOG_BYTES: Final = 4096


@dataclass(frozen=True)
class RunState:
    """Where a run stands. `message` says why it is not done; `log`, what its process said last."""

    run: StudyRun
    state: str  # of STATES
    epoch: int = 0  # completed
    seconds_training: float = 0.0
    seconds_evaluation: float = 0.0
    message: str | None = None
    job: str | None = None  # the Slurm job that has it now
    log: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """Of work on the run so far."""
        return self.seconds_training + self.seconds_evaluation

    @property
    def epochs(self) -> int:
        """Of the whole run."""
        return self.run.config.epochs

    @property
    def unfinished(self) -> bool:
        """Whether there is work left that can be done."""
        return self.state in ("running", "pending", "interrupted", "lost", "missing")


def study_states(study: Study, runs_dir: Path) -> list[RunState]:
    """The state of every run of a study, in the order of `study.runs`."""
    return [run_state(study, run, runs_dir / run.run_id) for run in study.runs]


def run_state(study: Study, run: StudyRun, folder: Path) -> RunState:
    """The state of one run. One whose folder cannot be understood is failed, with the reason."""
    try:
        status = read_status(folder)
        if status is None:
            # Claimed: a process that is about to write its first status.
            is_begun = state_of(None, find_claim(folder)) == "begun"
            return RunState(run, "running" if is_begun else "missing")
        return _state(study, run, folder, status)
    except NasrankError as error:
        return RunState(run, "failed", message=str(error))


def count_states(states: Sequence[RunState]) -> dict[str, int]:
    """How many runs are in each of `STATES`."""
    counts = Counter(state.state for state in states)
    return {name: counts[name] for name in STATES}


class TimeLeft:
    """Estimates, in seconds, from what other runs of a study took.

    A run is expected to take as long as the finished ones of its experiment, else of its shape (network,
    images, epochs), else of any shape, by the number of images, pixels, cells and channels. While none is
    finished, those under way are taken at their pace, without evaluation. None: nothing tells.
    """

    def __init__(self, states: Sequence[RunState]) -> None:
        finished = [(state.run.config, state.seconds) for state in states if state.state == "finished"]
        begun = [
            (state.run.config, state.seconds_training / state.epoch * state.epochs)
            for state in states
            if state.epoch > 0 and state.unfinished
        ]
        rates = defaultdict(list)
        for config, seconds in finished or begun:
            for kind in _kinds(config):
                rates[kind].append(seconds / _work(config))
        self._states = states
        self._rates = {kind: mean(found) for kind, found in rates.items()}

    def of(self, state: RunState) -> float | None:
        """For one run; 0 where nothing is left to do."""
        if not state.unfinished:
            return 0.0
        expected = self._expected(state.run.config)
        return None if expected is None else max(expected - state.seconds, 0.0)

    def total(self, jobs: int) -> float | None:
        """For all runs, `jobs` at a time."""
        each = [seconds for state in self._states if (seconds := self.of(state)) is not None]
        if len(each) < len(self._states):
            return None
        return max(sum(each) / jobs, *each, 0.0)

    def _expected(self, config: ExperimentConfig) -> float | None:
        found = [self._rates[kind] for kind in _kinds(config) if kind in self._rates]
        return found[0] * _work(config) if found else None


def _state(study: Study, run: StudyRun, folder: Path, status: RunStatus) -> RunState:
    state, message = _state_and_message(study, run, folder, status)
    return RunState(
        run,
        state,
        epoch=status.epoch,
        seconds_training=status.seconds_training,
        seconds_evaluation=status.seconds_evaluation,
        message=message,
        log=last_lines(folder / layout.WORKER_LOG) if state in ("failed", "interrupted") else (),
    )


def last_lines(log: Path) -> tuple[str, ...]:
    """What a log says at its end; nothing where there is none, or no ordinary file."""
    try:
        with open_regular(log, limit=None) as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _LOG_BYTES))
            lines = file.read(_LOG_BYTES).decode(errors="replace").splitlines()
    except NasrankError:
        return ()
    return tuple([line.strip() for line in lines if line.strip()][-_LOG_LINES:])


def _state_and_message(
    study: Study, run: StudyRun, folder: Path, status: RunStatus
) -> tuple[str, str | None]:
    lacking = _lacking(study, run, folder, status) if status.status == "finished" else None
    if status.has_ended and lacking is None:
        return status.status, status.message
    match state_of(status, find_claim(folder)):
        case "running":
            return "running", None
        case "finished":
            return "interrupted", f"finished, but without predictions for {lacking}"
        case "dead":
            return "interrupted", "its process was killed"
        case _:
            return "interrupted", status.message


def _lacking(study: Study, run: StudyRun, folder: Path, status: RunStatus) -> str | None:
    """The first ground-truth key or BN mode that the study asks for and a finished run has nothing for."""
    recorded = [GroundTruthKey.parse(text) for text in status.ground_truth_keys]
    for key in study.ground_truth or (DEFAULT_KEY,):
        if not any(key in known.short_forms for known in recorded):
            return key
    for bn_mode in run.experiment.bn_modes:
        path = layout.predictions_path(folder, run.config.epochs, bn_mode)
        if not path.exists():
            return f"BN mode {bn_mode}"
        of_mask = len(run.config.operations) ** len(EDGES)
        if study.evaluation.get("architectures") == "all" and count_rows(path) < of_mask:
            return f"all architectures, under BN mode {bn_mode}"
        listed = study.listed.get(run.config.mask, ())
        if listed and not set(listed) <= predicted_architectures(path):
            return f"listed architectures, under BN mode {bn_mode}"
    return None


def _kinds(config: ExperimentConfig) -> tuple[object, ...]:
    """What runs like this one share, from the most alike to any."""
    shape = (
        config.dataset,
        config.cells_per_stage,
        config.channels,
        config.image_size,
        config.train_images,
        config.valid_images,
        config.epochs,
    )
    return config.config_hash, shape, "any"


def _work(config: ExperimentConfig) -> float:
    """In proportion to a run's time, roughly: through a network pass images x pixels x cells x channels."""
    images = config.train_images or _ALL_IMAGES[config.dataset]
    side = config.image_size or IMAGE_SIDES[config.dataset]
    # Without training, about what predicting takes.
    return max(config.epochs, 1) * images * side**2 * config.cells_per_stage * config.channels


_ALL_IMAGES: Final = {"cifar10": 45_000, "digits": 1_297}
