"""Studies on a Slurm cluster: submitting what is missing as job arrays, how it stands, and cancelling.

submitit (the extra `nasrank[slurm]`) writes the batch files and requeues jobs; `task.py` is what a job
does. Below the runs directory, `slurm/<time>-…` holds what a submission left: submitit's files,
the jobs' logs, and `jobs.json`, which says what runs each job has.
"""

from __future__ import annotations

import shlex
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nasrank.db.errors import NasrankError
from nasrank.db.processes import python_command
from nasrank.db.runs.layout import submissions_dir
from nasrank.db.runs.submissions import (
    TASK_FORMAT,
    Submission,
    submissions_of,
    submitted_runs,
    write_submission,
)
from nasrank.trainer.stopping import StopSignal
from nasrank.trainer.studies.file import Study, StudyRun
from nasrank.trainer.studies.plan import Jobs, StudyOptions, check_datasets, check_study, with_listed
from nasrank.trainer.studies.slurm.queue import JOB_NAME, QueuedJob, cancel_jobs, queued_jobs
from nasrank.trainer.studies.slurm.task import SlurmTask
from nasrank.trainer.studies.status import RunState, count_states, last_lines, study_states

if TYPE_CHECKING:
    import submitit

MIN_MINUTES: Final = 5
# The runs save when this much of a job's time is left: it takes a step of training, and writing a checkpoint.
_SAVE_SECONDS: Final = 120
_MOST_TIMEOUTS: Final = 100  # after that, a job is not requeued any more
_ARRAY_JOBS: Final = 1_000  # Slurm's MaxArraySize is 1,001 where nobody changed it
_OWN: Final = ("array", "error", "job-name", "open-mode", "output", "signal")  # nasrank or submitit set these


@dataclass(frozen=True, kw_only=True)
class SlurmOptions:
    """What to ask of Slurm for each job; None leaves it to the cluster. `extra`: more options of sbatch."""

    partition: str | None = None
    account: str | None = None
    gpus: int | None = None
    cpus: int | None = None
    memory_gb: float | None = None
    minutes: int = 240
    array_parallelism: int = 256
    setup: tuple[str, ...] = ()
    extra: Mapping[str, str | bool] = field(default_factory=dict)
    runs_per_job: int = 1

    def __post_init__(self) -> None:
        if self.minutes < MIN_MINUTES:
            raise NasrankError(f"a job's time is {self.minutes} minutes; give at least {MIN_MINUTES}")
        if own := sorted(set(self.extra) & set(_OWN)):
            raise NasrankError(f"nasrank sets sbatch's {own[0]} itself; leave it out")


def submit_study(
    study: Study,
    options: StudyOptions,
    slurm: SlurmOptions,
    say: Callable[[str], None],
    *,
    begun: bool = False,
) -> None:
    """Submit the runs that are not done and that no job has, as job arrays, and return.

    Raises `NasrankError` where that is not possible: no Slurm, no submitit, no images, or Slurm refuses.
    """
    # Here, because it imports PyTorch, which takes seconds.
    from nasrank.trainer.environment import check_device_name

    check_study(study, options.warehouse)
    study = with_listed(study, options.warehouse)
    check_device_name(options.device)
    queue = queued_jobs()  # also where nothing was submitted before: without Slurm, all ends here
    states = _merged(study, options.runs_dir, submissions_of(options.runs_dir), queue)
    wanted = ("interrupted", "lost") if begun else ("interrupted", "lost", "missing")
    runs = [state.run for state in states if state.state in wanted]
    counts = ", ".join(f"{n} {name}" for name, n in count_states(states).items() if n)
    say(f"{study.name}: {len(states)} runs ({counts}); {len(runs)} to submit")
    if not runs:
        return
    check_datasets(runs, options.data_dir)
    packs = [runs[i : i + slurm.runs_per_job] for i in range(0, len(runs), slurm.runs_per_job)]
    for i in range(0, len(packs), _ARRAY_JOBS):
        ids = _submit_array(study, packs[i : i + _ARRAY_JOBS], options, slurm)
        say(f"submitted {len(ids)} job(s) as {ids[0].partition('_')[0]}")
    say(
        "the jobs go on without this command; `nasrank-train study status` shows them, and `nasrank-train "
        f"ingest --watch {options.runs_dir}` brings their runs into the warehouse as they end"
    )


def slurm_states(study: Study, runs_dir: Path) -> list[RunState]:
    """As `study_states`, merged with what Slurm says of the jobs that were submitted.

    Raises `NasrankError` where jobs were submitted and Slurm does not answer.
    """
    submissions = submissions_of(runs_dir)
    return _merged(study, runs_dir, submissions, queued_jobs() if submissions else {})


def cancel_study(study: Study, runs_dir: Path) -> list[str]:
    """Cancel the jobs that have runs of a study and have not ended; these save. Returns the jobs' ids."""
    queue = queued_jobs()
    run_ids = {run.run_id for run in study.runs}
    cancelled = []
    for submission in submissions_of(runs_dir):
        ids = [i for i, runs in submission.jobs.items() if i in queue and run_ids.intersection(runs)]
        if ids:
            # For `study status`: these are not lost.
            write_submission(replace(submission, cancelled=submission.cancelled.union(ids)))
            cancel_jobs(ids)
            cancelled += ids
    return cancelled


def _submit_array(
    study: Study, packs: Sequence[Sequence[StudyRun]], options: StudyOptions, slurm: SlurmOptions
) -> list[str]:
    """Submit a job for each pack of runs. Returns their ids."""
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}"
    folder = submissions_dir(options.runs_dir.absolute()) / name
    jobs = Jobs(study, options)
    tasks = [SlurmTask([jobs.of(run) for run in pack]) for pack in packs]
    executor = _executor(folder, slurm)
    with StopSignal():  # Ctrl-C leaves no job that is not noted
        try:
            submitted = executor.submit_array(tasks)
        except (OSError, RuntimeError) as error:  # submitit's own errors are RuntimeErrors
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            raise NasrankError(f"Slurm did not take the jobs: {lines[-1]}") from error
        ids = [job.job_id for job in submitted]
        run_ids = [[run.run_id for run in pack] for pack in packs]
        write_submission(Submission(folder, dict(zip(ids, run_ids, strict=True))))
    return ids


def _executor(folder: Path, slurm: SlurmOptions) -> submitit.AutoExecutor:
    try:
        import submitit
    except ImportError as error:
        raise NasrankError(
            "the launcher slurm needs the package submitit; install it with `pip install 'nasrank[slurm]'`"
        ) from error
    try:
        executor = submitit.AutoExecutor(
            folder,
            cluster="slurm",
            slurm_max_num_timeout=_MOST_TIMEOUTS,
            slurm_python=shlex.join(python_command()),
        )
    except RuntimeError as error:
        raise NasrankError(f"no Slurm here: {error}") from error
    asked: dict[str, Any] = {
        "gpus_per_node": slurm.gpus,
        "cpus_per_task": slurm.cpus,
        "mem_gb": slurm.memory_gb,
        "slurm_partition": slurm.partition,
        "slurm_account": slurm.account,
        "slurm_setup": list(slurm.setup) or None,
        # srun does not take this over from sbatch since Slurm 22.05.
        "slurm_srun_args": slurm.cpus and [f"--cpus-per-task={slurm.cpus}"],
    }
    executor.update_parameters(
        name=JOB_NAME,
        timeout_min=slurm.minutes,
        slurm_array_parallelism=slurm.array_parallelism,
        slurm_signal_delay_s=_SAVE_SECONDS,
        slurm_stderr_to_stdout=True,
        # requeue: also where the cluster's default is not to start again what a node's death ended.
        slurm_additional_parameters={"requeue": True, **slurm.extra},
        **{name: value for name, value in asked.items() if value is not None},
    )
    return executor


def _merged(
    study: Study, runs_dir: Path, submissions: Sequence[Submission], queue: Mapping[str, QueuedJob]
) -> list[RunState]:
    """The folders are read after the queue was: of a job that is not in it, they say how it ended."""
    latest = submitted_runs(submissions)
    return [
        _with_job(state, *latest[state.run.run_id], queue) if state.run.run_id in latest else state
        for state in study_states(study, runs_dir)
    ]


def _with_job(
    state: RunState, submission: Submission, job_id: str, queue: Mapping[str, QueuedJob]
) -> RunState:
    """A run's state by its folder, with what became of the last job that it was submitted in."""
    job = queue.get(job_id)
    is_old = submission.task_format != TASK_FORMAT and job_id not in submission.cancelled
    if is_old and not (job and job.has_begun) and state.state in ("interrupted", "missing"):
        how = "`nasrank-train study cancel` and then `study run` submit" if job else "`study run` submits"
        why = f"Slurm job {job_id} is of another version of nasrank, and cannot begin; {how} its runs again"
        return replace(state, state="pending" if job else "lost", job=job_id if job else None, message=why)
    if job is not None:
        state = replace(state, job=job_id)
        if state.state == "running":
            return replace(state, message=f"{job.time_left} until the limit of Slurm job {job_id}")
        if state.state in ("interrupted", "missing"):
            why = f"Slurm job {job_id} is {job.state.lower()}" + ("" if job.has_begun else f" ({job.reason})")
            return replace(state, state="pending", message=why)
    elif state.state in ("interrupted", "missing") and job_id not in submission.cancelled:
        why = f"Slurm job {job_id} has ended" + (f"; {state.message}" if state.message else "")
        return replace(state, state="lost", message=why, log=state.log or last_lines(submission.log(job_id)))
    return state
