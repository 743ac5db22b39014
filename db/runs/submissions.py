"""What was submitted to Slurm: `slurm/<time>-…/jobs.json` below a folder of runs, by `study run`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nasrank.db.errors import NasrankError
from nasrank.db.files.reading import read_json

# Rises when what a job loads on its node moves or changes, so that a job of an older version cannot begin.
TASK_FORMAT: Final = 2


@dataclass(frozen=True)
class Submission:
    """What `jobs.json` in a submission's folder says."""

    folder: Path
    jobs: Mapping[str, Sequence[str]]  # Slurm's job id to the ids of its runs
    cancelled: frozenset[str]  # job ids
    task_format: int  # of what the jobs load when they begin: `TASK_FORMAT` where this version wrote it

    def log(self, job_id: str) -> Path:
        """Where submitit lets a job write."""
        return self.folder / f"{job_id}_0_log.out"


def submission_files(runs_dir: Path) -> list[Path]:
    """Those of a runs directory, the latest last."""
    return sorted(runs_dir.glob("slurm/*/jobs.json"))


def read_submission(path: Path) -> Submission:
    """What one of `submission_files` says. Raises NasrankError where it says nothing."""
    content = read_json(path) or {}
    if not {"jobs", "cancelled"} <= content.keys():
        raise NasrankError(f"{path} does not say what jobs there are; delete {path.parent}")
    # The first versions wrote none: their jobs load modules by names that are gone.
    task_format = content.get("task_format", 1)
    return Submission(path.parent, content["jobs"], frozenset(content["cancelled"]), task_format)


def submissions_of(runs_dir: Path) -> list[Submission]:
    """All of a runs directory, the latest last. Raises NasrankError as `read_submission`."""
    return [read_submission(path) for path in submission_files(runs_dir)]


def submitted_runs(submissions: Sequence[Submission]) -> dict[str, tuple[Submission, str]]:
    """By run, the last submission that has it, and its job there."""
    return {
        run_id: (submission, job_id)
        for submission in submissions
        for job_id, run_ids in submission.jobs.items()
        for run_id in run_ids
    }
