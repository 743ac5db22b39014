"""What was submitted to Slurm by `study run`: a `jobs.json` a submission, below a folder of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Final

from nasrank.db.errors import NasrankError
from nasrank.db.files.reading import read_json
from nasrank.db.files.writing import write_json
from nasrank.db.runs import layout
from nasrank.db.runs.schema import Field, read_object

# Rises when what a job loads on its node moves or changes, so that a job of an older version cannot begin.
TASK_FORMAT: Final = 2
# The first versions wrote none: their jobs load modules by names that are gone.
_FIRST_TASK_FORMAT: Final = 1


@dataclass(frozen=True, kw_only=True)
class _Jobs:
    """A `jobs.json`."""

    task_format: Annotated[int | None, Field("of what the jobs load", least=1, optional=True)]
    jobs: Annotated[dict[str, list[str]], Field("Slurm's job id to the ids of its runs")]
    cancelled: Annotated[list[str], Field("job ids")]


@dataclass(frozen=True)
class Submission:
    """The jobs of one submission."""

    folder: Path
    jobs: Mapping[str, Sequence[str]]  # Slurm's job id to the ids of its runs
    cancelled: frozenset[str] = frozenset()  # job ids
    task_format: int = TASK_FORMAT  # of what the jobs load when they begin

    def log(self, job_id: str) -> Path:
        """Where submitit lets a job write."""
        return self.folder / f"{job_id}_0_log.out"


def write_submission(submission: Submission) -> None:
    """Replace the `jobs.json` of a submission."""
    content = _Jobs(
        task_format=submission.task_format,
        jobs={job_id: list(run_ids) for job_id, run_ids in submission.jobs.items()},
        cancelled=sorted(submission.cancelled),
    )
    write_json(submission.folder / layout.JOBS, asdict(content))


def read_submission(path: Path) -> Submission:
    """What one of `layout.submission_files` says. Raises NasrankError where it says nothing."""
    try:
        content = read_object(read_json(path) or {}, _Jobs)
    except NasrankError as error:
        raise NasrankError(
            f"{path} does not say what jobs there are ({error}); delete {path.parent}"
        ) from error
    task_format = content.task_format or _FIRST_TASK_FORMAT
    return Submission(path.parent, content.jobs, frozenset(content.cancelled), task_format)


def submissions_of(runs_dir: Path) -> list[Submission]:
    """All of a runs directory, the latest last. Raises NasrankError as `read_submission`."""
    return [read_submission(path) for path in layout.submission_files(runs_dir)]


def submitted_runs(submissions: Sequence[Submission]) -> dict[str, tuple[Submission, str]]:
    """By run, the last submission that has it, and its job there."""
    return {
        run_id: (submission, job_id)
        for submission in submissions
        for job_id, run_ids in submission.jobs.items()
        for run_id in run_ids
    }
